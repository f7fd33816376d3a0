//! One verdict: read the document, apply the rules, ask the model where it can tell more.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use cache::Cost;
use dte::firma::{self, Firmas, Trust};
use dte::review::{self, Review, Verdict};
use dte::{Context, Documento, Finding, PathSegment, ReadError, Recommendation, Report};
use jiff::civil::Date;
use llm_client::{Schema, SystemBlock};

use super::answer::Outcome;
use super::decode::{Ask, Document, ModelCheck};
use super::history;
use crate::app::Shared;
use crate::asked::{self, ModelCall, NoAnswer, Question, Stopwatch};
use crate::auth::Caller;
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
    caller: Arc<Caller>,
    ask: Ask,
    effort: usize,
    today: Date,
    watch: Stopwatch,
    /// Until the verdict is encoded.
    ruled: Mutex<Option<Ruled>>,
    _place: Place,
}

/// An encoded verdict.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) body: Bytes,
    /// Whether nothing is missing from it.
    pub(super) complete: bool,
    /// What the model took for it.
    pub(super) cost: Cost,
}

/// What the rules found, and what the model is to be asked, where it can tell more.
#[derive(Debug)]
struct Ruled {
    reports: Vec<Report>,
    question: Option<String>,
}

impl Job {
    /// `effort` is that of the body: it decides where the work is done. `place` is held for as
    /// long as there is a handle.
    pub(super) fn new(
        shared: &Arc<Shared>,
        caller: &Arc<Caller>,
        ask: Ask,
        effort: usize,
        today: Date,
        place: Place,
    ) -> Self {
        let (shared, caller) = (Arc::clone(shared), Arc::clone(caller));
        Self {
            inner: Arc::new(Inner {
                shared,
                caller,
                ask,
                effort,
                today,
                watch: Stopwatch::default(),
                ruled: Mutex::default(),
                _place: place,
            }),
        }
    }

    /// Where [`Job::run`] writes down what the model took.
    pub(super) fn watch(&self) -> &Stopwatch {
        &self.inner.watch
    }

    /// Applies the rules; says whether theirs is the last word, so that the whole verdict takes
    /// no more than to write it down.
    ///
    /// # Errors
    /// The [`Problem`] of a document that can't be read.
    pub(super) async fn judge(&self) -> Result<bool, Problem> {
        let ruled = self.rule(self.has_model()).await?;
        let last = ruled.question.is_none();
        *self.ruled() = Some(ruled);
        Ok(last)
    }

    /// The whole verdict: rules, then the model where one is configured.
    pub(super) async fn run(&self) -> Result<Judged, Problem> {
        let judged = self.ruled().take();
        let ruled = match judged {
            Some(ruled) => ruled,
            None => self.rule(self.has_model()).await?,
        };
        let Some(question) = ruled.question else {
            // Without a model there was none to ask. With one the rules have the last word on a
            // reject: it could add nothing to it.
            let missing = (!self.has_model()).then_some(NoAnswer::Off);
            return self.encode(ruled.reports, None, missing).await;
        };
        match self.review(question).await {
            Ok((review, call)) => self.encode(ruled.reports, Some((review, call)), None).await,
            Err(unreviewed) => self.encode(ruled.reports, None, Some(unreviewed)).await,
        }
    }

    fn has_model(&self) -> bool {
        self.inner.shared.deps.model.is_some()
    }

    fn ruled(&self) -> MutexGuard<'_, Option<Ruled>> {
        let ruled = self.inner.ruled.lock();
        ruled.unwrap_or_else(PoisonError::into_inner)
    }

    /// The verdict of the rules alone, because the model is late.
    pub(super) async fn rules_only(&self) -> Result<Judged, Problem> {
        let ruled = self.rule(false).await?;
        self.encode(ruled.reports, None, Some(NoAnswer::TimedOut))
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
        unreviewed: Option<NoAnswer>,
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
                cost: outcome.call.map_or(Cost::FREE, |call| call.cost),
            })
        };
        self.inner
            .shared
            .offload
            .run(self.inner.effort, work)
            .await?
    }

    async fn review(&self, text: String) -> Result<(Review, ModelCall), NoAnswer> {
        static INSTRUCTIONS: LazyLock<SystemBlock> =
            LazyLock::new(|| asked::instructions(review::instructions()));
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| review::schema().into());
        let inner = &self.inner;
        let question = Question {
            operation: super::OPERATION,
            instructions: INSTRUCTIONS.clone(),
            text,
            name: "revision_dte",
            schema: SCHEMA.clone(),
            max_tokens: MAX_TOKENS,
        };
        let answered = asked::ask(&inner.shared, &inner.caller, question, &inner.watch).await;
        let completion = answered?;
        let review = Review::parse(&completion.text).map_err(|error| {
            tracing::warn!(%error, model = completion.model, "the model's answer is no review");
            inner.shared.model_watch.bad();
            NoAnswer::Failed
        })?;
        let cost = inner.shared.cost_of(&completion);
        let call = ModelCall {
            model: completion.model,
            usage: completion.usage,
            cost,
        };
        Ok((review, call))
    }
}

impl Inner {
    fn rule(&self, ask_model: bool) -> Result<Ruled, Problem> {
        let span = tracing::info_span!(
            "rules",
            documents = tracing::field::Empty,
            findings = tracing::field::Empty
        );
        let _judging = span.enter();
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
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let findings = reports.iter().map(|report| report.findings.len()).sum();
        span.record("documents", count(documents.len()));
        span.record("findings", count(findings));
        let always = self.ask.model_check == ModelCheck::Always;
        let asks = ask_model && (always || !reports.iter().any(rejects));
        let question = asks.then(|| {
            let pairs: Vec<_> = documents.iter().zip(&reports).collect();
            let original = match &self.ask.document {
                Document::Json(text) => Some(text.as_str()),
                _ => None,
            };
            review::question(&pairs, original, self.ask.history.as_deref(), &context)
        });
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
