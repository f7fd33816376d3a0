//! One verdict: read the document, apply the rules, ask the model where it can tell more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use dte::firma::{self, Firmas, Trust};
use dte::review::{self, Review, Verdict};
use dte::{Context, Documento, Finding, PathSegment, ReadError, Recommendation, Report};
use jiff::civil::Date;
use llm_client::{CacheLifetime, ErrorKind, LanguageModel, Request, SystemBlock};
use serde_json::Value;

use super::answer::{ModelCall, Outcome, Unreviewed};
use super::decode::{Ask, Document, ModelCheck};
use super::history;
use crate::app::Shared;
use crate::places::Place;
use crate::problem::{FieldError, Problem, Segment};

/// The longest review that the model may write, in tokens.
const MAX_TOKENS: u32 = 1_500;

/// The same, as a part of the cache key.
pub(super) const MAX_TOKENS_TEXT: &str = "1500";

/// Base64 as mail programs and ERPs write it: with or without the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A verdict to be found. Cloning it gives another handle of the same.
#[derive(Debug, Clone)]
pub(super) struct Job {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    ask: Ask,
    effort: usize,
    today: Date,
    model_nanos: AtomicU64,
    _place: Place,
}

/// An encoded verdict.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) body: Bytes,
    /// Whether nothing is missing from it.
    pub(super) complete: bool,
}

/// What the rules found, and what a model would be asked.
struct Ruled {
    reports: Vec<Report>,
    question: String,
}

impl Job {
    /// `effort` is that of the body: it decides where the work is done. `place` is held for as
    /// long as there is a handle.
    pub(super) fn new(
        shared: &Arc<Shared>,
        ask: Ask,
        effort: usize,
        today: Date,
        place: Place,
    ) -> Self {
        let shared = Arc::clone(shared);
        let model_nanos = AtomicU64::new(0);
        Self {
            inner: Arc::new(Inner {
                shared,
                ask,
                effort,
                today,
                model_nanos,
                _place: place,
            }),
        }
    }

    /// How long [`Job::run`] has waited for the model.
    pub(super) fn waited_for_model(&self) -> Duration {
        Duration::from_nanos(self.inner.model_nanos.load(Ordering::Relaxed))
    }

    /// The whole verdict: rules, then the model where one is configured.
    pub(super) async fn run(&self) -> Result<Judged, Problem> {
        let model = self.inner.shared.deps.model.clone();
        let ruled = self.rule(model.is_some()).await?;
        let Some(model) = model else {
            return self
                .encode(ruled.reports, None, Some(Unreviewed::Off))
                .await;
        };
        let rejected = ruled.reports.iter().any(rejects);
        if rejected && self.inner.ask.model_check == ModelCheck::Auto {
            // The rules have the last word on a reject: the model could add nothing to it.
            return self.encode(ruled.reports, None, None).await;
        }
        match self.review(&*model, ruled.question).await {
            Ok((review, call)) => self.encode(ruled.reports, Some((review, call)), None).await,
            Err(unreviewed) => self.encode(ruled.reports, None, Some(unreviewed)).await,
        }
    }

    /// The verdict of the rules alone, because the model is late.
    pub(super) async fn rules_only(&self) -> Result<Judged, Problem> {
        let ruled = self.rule(false).await?;
        self.encode(ruled.reports, None, Some(Unreviewed::TimedOut))
            .await
    }

    async fn rule(&self, ask_model: bool) -> Result<Ruled, Problem> {
        let inner = Arc::clone(&self.inner);
        let work = move || inner.rule(ask_model);
        self.inner
            .shared
            .offload
            .run(self.inner.effort, work)
            .await?
    }

    async fn encode(
        &self,
        reports: Vec<Report>,
        reviewed: Option<(Review, ModelCall)>,
        unreviewed: Option<Unreviewed>,
    ) -> Result<Judged, Problem> {
        let work = move || {
            let (review, call) = reviewed.unzip();
            let verdict = Verdict::new(reports, review.as_ref());
            let outcome = Outcome {
                verdict,
                unreviewed,
                call,
            };
            Ok(Judged {
                body: outcome.encode()?,
                complete: outcome.is_complete(),
            })
        };
        self.inner
            .shared
            .offload
            .run(self.inner.effort, work)
            .await?
    }

    async fn review(
        &self,
        model: &dyn LanguageModel,
        question: String,
    ) -> Result<(Review, ModelCall), Unreviewed> {
        let begun = Instant::now();
        let limit = self.inner.shared.config.limits.model_timeout;
        // The client holds its own deadlines; this one holds whatever client there is.
        let called = tokio::time::timeout(limit, call(model, question, limit)).await;
        let waited = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.inner.model_nanos.store(waited, Ordering::Relaxed);
        let outcome = called.unwrap_or(Err(Unreviewed::TimedOut));
        match &outcome {
            Ok(_) => self.inner.shared.model_watch.good(),
            Err(_) => self.inner.shared.model_watch.bad(),
        }
        outcome
    }
}

impl Inner {
    fn rule(&self, ask_model: bool) -> Result<Ruled, Problem> {
        let context = Context::new(self.today, self.ask.mode);
        let Read {
            documents,
            signatures,
        } = self.read(&context)?;
        let list = self.ask.history.as_deref();
        let history = list.map(|list| history::read(list, &documents));
        let history = history.unwrap_or_default();
        let context = context
            .with_envelope(&documents)
            .with_originals(&history.originals)
            .with_history(&history.entries);
        let mut signatures = signatures.into_iter();
        let judged = documents.iter().map(|document| {
            let mut report = dte::validate(document, &context);
            report
                .findings
                .extend(signatures.next().unwrap_or_default());
            report
        });
        let reports = review::bounded(judged);
        let question = if ask_model {
            let pairs: Vec<_> = documents.iter().zip(&reports).collect();
            let original = match &self.ask.document {
                Document::Json(text) => Some(text.as_str()),
                _ => None,
            };
            review::question(&pairs, original, self.ask.history.as_deref(), &context)
        } else {
            String::new()
        };
        Ok(Ruled { reports, question })
    }

    fn read(&self, context: &Context<'_>) -> Result<Read, Problem> {
        let limits = dte::Limits::default();
        match &self.ask.document {
            Document::Json(text) => dte::read_json(text)
                .map(|document| Read::unsigned(vec![document]))
                .map_err(|error| unreadable("dte_data", &error)),
            Document::XmlText(text) => {
                let reading = dte::read_xml(text.as_bytes(), &limits);
                let mut documents = reading
                    .map_err(|error| unreadable("dte_xml", &error))?
                    .documentos;
                // The ERP decoded the file to put it into JSON: what bytes it had, whether they
                // were as declared and what was signed, nobody here can know.
                documents
                    .iter_mut()
                    .for_each(|document| document.lectura.codificacion = None);
                Ok(Read::unsigned(documents))
            }
            Document::XmlBase64(text) => {
                let bytes = from_base64(text)?;
                let name = "dte_xml_base64";
                let reading =
                    dte::read_xml(&bytes, &limits).map_err(|error| unreadable(name, &error))?;
                let trust = Trust::new();
                let Ok(signed) = firma::verify_reading(&bytes, &reading, &limits, &trust, context)
                else {
                    // Read with tolerance, but in no form that could have been signed.
                    return Ok(Read::unsigned(reading.documentos));
                };
                Ok(Read::signed(reading.documentos, signed))
            }
        }
    }
}

/// The documents, and what is wrong with the stamp and the signatures of each.
struct Read {
    documents: Vec<Documento>,
    signatures: Vec<Vec<Finding>>,
}

impl Read {
    /// Documents whose bytes aren't there to be verified.
    fn unsigned(documents: Vec<Documento>) -> Self {
        Self {
            documents,
            signatures: Vec::new(),
        }
    }

    /// What is wrong with the envelope goes with its first document.
    fn signed(documents: Vec<Documento>, signed: Firmas) -> Self {
        let mut signatures: Vec<_> = signed
            .documentos
            .into_iter()
            .map(|document| document.findings)
            .collect();
        if let Some(first) = signatures.first_mut() {
            first.extend(signed.findings);
        }
        Self {
            documents,
            signatures,
        }
    }
}

fn rejects(report: &Report) -> bool {
    report.recommendation() == Recommendation::Reject
}

async fn call(
    model: &dyn LanguageModel,
    question: String,
    limit: Duration,
) -> Result<(Review, ModelCall), Unreviewed> {
    static SCHEMA: OnceLock<Arc<Value>> = OnceLock::new();
    let schema = Arc::clone(SCHEMA.get_or_init(|| Arc::new(review::schema())));
    let prefix = SystemBlock::new(review::instructions()).cached(CacheLifetime::FiveMinutes);
    let request = Request::builder(MAX_TOKENS)
        .system(prefix)
        .user(question)
        .json("revision_dte", schema)
        .deadline(tokio::time::Instant::now() + limit)
        .build();
    let request = request.map_err(|error| {
        tracing::error!(%error, "failed to build the review request");
        Unreviewed::Failed
    })?;
    let completion = model.complete(&request).await.map_err(|error| {
        tracing::warn!(kind = error.kind().as_str(), %error, "review call failed");
        if matches!(error.kind(), ErrorKind::Timeout { .. }) {
            Unreviewed::TimedOut
        } else {
            Unreviewed::Failed
        }
    })?;
    let review = Review::parse(&completion.text).map_err(|error| {
        tracing::warn!(%error, model = completion.model, "the model's answer is no review");
        Unreviewed::Failed
    })?;
    Ok((
        review,
        ModelCall {
            model: completion.model,
            usage: completion.usage,
        },
    ))
}

/// Line breaks and blanks are skipped, as mail programs put them.
fn from_base64(text: &str) -> Result<Vec<u8>, Problem> {
    let plain: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    BASE64.decode(plain).map_err(|_| {
        let msg = "«dte_xml_base64» no es base64 válido.";
        Problem::wrong_shape(vec![FieldError::body("dte_xml_base64", "base64", msg)])
    })
}

/// A document that can't be read, as a 422 that names the member and, for JSON, the places in it.
fn unreadable(member: &str, error: &ReadError) -> Problem {
    let shape = error.shape_errors();
    if shape.is_empty() {
        let error = FieldError::body(member, error.code(), error.user_message());
        return Problem::wrong_shape(vec![error]);
    }
    let errors = shape.iter().map(|wrong| {
        let mut field = FieldError::body(member, wrong.kind, wrong.msg.as_str());
        field
            .loc
            .extend(wrong.loc.iter().map(|segment| match segment {
                PathSegment::Key(name) => Segment::Name(name.clone()),
                PathSegment::Index(index) => Segment::Index(*index),
            }));
        field
    });
    Problem::wrong_shape(errors.collect())
}
