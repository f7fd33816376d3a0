//! One question on its way to its answer, in a task of its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use cache::{CacheError, CacheKey, Cost, Keep, Mode, Policy, Status, StreamEnd, StreamWriter};
use futures_util::FutureExt as _;
use llm_client::LanguageModel;
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use crate::answer::{Citation, NO_MODEL, Outcome};
use crate::chat::Inner;
use crate::confidence::{Evidence, confidence};
use crate::extract::extract;
use crate::find::{Found, Passage, find, is_quick};
use crate::live::{End, Log};
use crate::model::{Job, Sink};
use crate::prompt::{self, Parts};
use crate::session::{self, History, Said};
use crate::{Answer, ChatError, Failure, OPERATION, Tenant, metrics_names};

/// Beyond the model's own deadline, for one that breaks its contract.
const MARGIN: Duration = Duration::from_secs(1);

/// The kinds of events in a shared stream.
const TEXT: u8 = b't';
const OUTCOME: u8 = b'o';

/// A question that its session has accepted.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) tenant: Tenant,
    pub(crate) session: Uuid,
    pub(crate) turn: session::Turn,
    pub(crate) history: History,
    pub(crate) mode: Mode,
    /// Nobody wants the pieces: what breaks off can still be answered otherwise.
    pub(crate) whole: bool,
    pub(crate) log: Arc<Log>,
    /// Tells that its session, a new one, is kept; it never is where that can't be told.
    pub(crate) kept: Option<oneshot::Receiver<()>>,
}

/// What a model came to, and where that is from.
type Asked = (Outcome, Option<(Status, Duration)>);

impl Turn {
    /// Answers, unless it is stopped; the log ends in any case.
    ///
    /// It is held for as long as the answer streams, a thousand times at once: what comes before
    /// or after that has its room only then.
    pub(crate) async fn run(mut self: Box<Self>, inner: Arc<Inner>) {
        let kept = self.kept.take();
        let log = Arc::clone(&self.log);
        let answered = AssertUnwindSafe(self.answer(&inner)).catch_unwind();
        let outcome = tokio::select! {
            biased;
            answered = answered => answered.unwrap_or_else(|_| {
                tracing::error!("answering panicked");
                Err(Failure::Internal)
            }),
            why = log.stopped(inner.config.abandon_after) => Err(why),
        };
        if let Some(kept) = kept
            && kept.await.is_err()
        {
            log.finish(End::Failed(Failure::Cancelled));
            inner.streams.ended(log.id());
            return;
        }
        // Into the session first: who reads the end may ask on at once.
        let end = match outcome {
            Ok(answer) => {
                Box::pin(self.record(&inner, Some(&answer.message), false)).await;
                End::Done(answer)
            }
            Err(failure) => {
                if failure != Failure::SessionDeleted {
                    Box::pin(self.record(&inner, None, true)).await;
                }
                metrics::counter!(metrics_names::ANSWERS, "source" => "failed").increment(1);
                End::Failed(failure)
            }
        };
        log.finish(end);
        inner.streams.ended(log.id());
    }

    /// Puts the answer, or what there is of it, into the session.
    pub(crate) async fn record(&self, inner: &Inner, answer: Option<&str>, partial: bool) {
        let so_far = match answer {
            Some(answer) => answer.to_owned(),
            None => self.log.text(),
        };
        let said = Said {
            text: so_far,
            at: session::timestamp(inner.deps.clock.now()),
            plugin: self.log.plugin(),
            partial,
        };
        let (turn, history) = (&self.turn, &self.history);
        let recorded = inner
            .sessions
            .answer(&self.tenant, self.session, turn, said, history);
        match recorded.await {
            // Deleted or expired meanwhile: it must not come back.
            Ok(()) | Err(ChatError::SessionNotFound) => {}
            Err(error) => tracing::warn!(%error, "an answer isn't in its session"),
        }
    }

    async fn answer(&self, inner: &Arc<Inner>) -> Result<Arc<Answer>, Failure> {
        let found = Box::pin(self.find(inner)).await?;
        let plugin = found.module.as_ref().map(|module| module.name.clone());
        self.log.set_plugin(plugin.clone());
        // Of an answer that is wanted whole nothing is said before it is.
        let said = if self.whole {
            Log::new(&inner.config)
        } else {
            Arc::clone(&self.log)
        };
        let asked = match &inner.deps.model {
            Some(model) => self.ask(inner, model, &found, &said).await,
            None => Err(Failure::Interrupted),
        };
        let (outcome, cached) = match asked {
            Ok((outcome, cached)) => {
                if self.whole {
                    self.log.push(&said.text());
                }
                count("model");
                (outcome, cached)
            }
            Err(failure) if !self.whole && !said.is_empty() => return Err(failure),
            Err(_) => (self.extract(&found.passages), None),
        };
        let text = self.log.text();
        let answer = outcome.answer(text, self.session, plugin, cached);
        Ok(Arc::new(Answer {
            degraded: self.history.away,
            ..answer
        }))
    }

    async fn find(&self, inner: &Arc<Inner>) -> Result<Found, Failure> {
        let base = inner.deps.knowledge.clone();
        let (question, history) = (self.turn.question.clone(), self.history.clone());
        let (today, passages) = (inner.today(), inner.config.passages);
        if is_quick(&base, &question) {
            return Ok(find(&base, &question, &history, today, passages));
        }
        // Searches are short, and those before it as many as streams may be.
        let place = Arc::clone(&inner.searches).acquire_owned();
        let place = timeout(inner.config.message_limit, place).await;
        let place = place.map_err(|_| Failure::Timeout)?;
        let span = tracing::Span::current();
        let work = move || {
            let _place = place;
            find(&base, &question, &history, today, passages)
        };
        tokio::task::spawn_blocking(move || span.in_scope(work))
            .await
            .map_err(|_| Failure::Internal)
    }

    /// Says the sentences that match, or that nothing was found.
    fn extract(&self, passages: &[Passage]) -> Outcome {
        let (text, cited) = extract(&self.turn.question, passages);
        self.log.push(&text);
        count(if cited.is_empty() {
            "nothing"
        } else {
            "extract"
        });
        let given = passages
            .iter()
            .map(|passage| passage.relevance)
            .fold(0.0, f64::max);
        let evidence = Evidence {
            given,
            extract: true,
            ..Evidence::default()
        };
        Outcome {
            confidence: confidence(&evidence),
            llm_used: NO_MODEL.to_owned(),
            citations: Citation::of(cited, passages),
            ..Outcome::default()
        }
    }

    /// Asks the model, or joins who asks the same: only a session's first question is shared.
    async fn ask(
        &self,
        inner: &Arc<Inner>,
        model: &Arc<dyn LanguageModel>,
        found: &Found,
        said: &Arc<Log>,
    ) -> Result<Asked, Failure> {
        let limit = match self.whole {
            true => inner.config.message_limit,
            false => inner.config.stream_limit,
        };
        let job = self.job(inner, model, found, limit)?;
        if self.history.is_empty() && !self.history.away && self.mode != Mode::Bypass {
            return self.share(inner, model, found, job, said, limit).await;
        }
        let work = job.run(Arc::clone(said));
        let outcome = timeout(limit + MARGIN, work).await;
        Ok((outcome.unwrap_or(Err(Failure::Timeout))?, None))
    }

    fn job(
        &self,
        inner: &Inner,
        model: &Arc<dyn LanguageModel>,
        found: &Found,
        limit: Duration,
    ) -> Result<Box<Job>, Failure> {
        let context = self.history.context.lines();
        let parts = Parts {
            module: found.module.as_deref(),
            context: &context,
            history: &self.history,
            passages: &found.passages,
            question: &self.turn.question,
            history_tokens: inner.config.history_tokens,
            max_tokens: inner.config.max_tokens,
            account: &self.tenant.key,
            limit,
        };
        let prompt = parts.build().map_err(|error| {
            tracing::error!(%error, "a prompt can't be sent");
            Failure::Internal
        })?;
        let mut given: Vec<Arc<str>> = vec![self.turn.question.as_str().into(), context.into()];
        let contents = found
            .passages
            .iter()
            .map(|found| Arc::clone(&found.content));
        given.extend(contents);
        let before = self
            .history
            .turns
            .iter()
            .filter(|turn| turn.answer.is_some());
        given.extend(before.map(|turn| Arc::from(turn.question.as_str())));
        let count = found.passages.len();
        Ok(Box::new(Job {
            model: Arc::clone(model),
            request: Some(prompt.request),
            filter: inner
                .guard
                .filter(found.module.as_ref(), prompt.fence, given, count),
            passages: Arc::clone(&found.passages),
            follows: !self.history.is_empty(),
        }))
    }

    /// The same question from the same tenant in the same context at the same time is one call.
    async fn share(
        &self,
        inner: &Arc<Inner>,
        model: &Arc<dyn LanguageModel>,
        found: &Found,
        job: Box<Job>,
        said: &Log,
        limit: Duration,
    ) -> Result<Asked, Failure> {
        let key = self.key(inner, &**model, found);
        let policy = Policy::new(limit + MARGIN)
            .compute_limit(limit + MARGIN)
            .cancel_when_alone(Duration::ZERO);
        let (lifetime, above) = (inner.config.answer_lifetime, inner.config.share_above);
        let produce = move |writer: StreamWriter<Failure>| async move {
            let writer = Shared(writer);
            let outcome = job.run(&writer).await?;
            let Shared(writer) = writer;
            let encoded = serde_json::to_vec(&outcome).map_err(|_| Failure::Internal)?;
            writer.write(tagged(OUTCOME, &encoded));
            let worth = outcome.complete && outcome.confidence > above;
            let keep = if worth { Keep::For(lifetime) } else { Keep::No };
            let tokens = outcome.tokens.iter().sum();
            Ok(StreamEnd::new(keep).cost(Cost {
                tokens,
                ..Cost::FREE
            }))
        };
        let reader = inner
            .deps
            .cache
            .stream_or_join(&key, policy, self.mode, produce);
        let mut reader = Box::pin(reader)
            .await
            .map_err(|error| shared_failure(&error))?;
        let mut outcome = None;
        while let Some(event) = reader.next().await {
            let event = event.map_err(|error| shared_failure(&error))?;
            match event.split_first() {
                Some((&TEXT, text)) => {
                    let text = std::str::from_utf8(text).map_err(|_| Failure::Internal)?;
                    said.push(text);
                }
                Some((&OUTCOME, encoded)) => outcome = serde_json::from_slice(encoded).ok(),
                _ => {}
            }
        }
        let outcome = outcome.ok_or(Failure::Internal)?;
        Ok((outcome, Some((reader.status(), reader.age()))))
    }

    /// All that an answer to a first question depends on. Neither the session nor the person
    /// who asks is among it.
    fn key(&self, inner: &Inner, model: &dyn LanguageModel, found: &Found) -> CacheKey {
        let company = self
            .tenant
            .company
            .map_or_else(String::new, |id| id.to_string());
        let generation = *inner.deps.knowledge.generation().borrow();
        let module = found
            .module
            .as_ref()
            .map_or("", |module| module.name.as_str());
        CacheKey::builder(OPERATION, &self.tenant.key)
            .version("prompt", prompt::VERSION)
            .version("knowledge", &generation.to_string())
            .version("today", &inner.today().to_string())
            .model(model.model())
            .parameter("origin", model.origin())
            .parameter("max_tokens", &inner.config.max_tokens.to_string())
            .bytes("company", company.as_bytes())
            .bytes("module", module.as_bytes())
            .bytes("context", self.history.context.lines().as_bytes())
            .bytes("message", self.turn.question.as_bytes())
            .finish()
    }
}

/// A stream that others may read too.
struct Shared(StreamWriter<Failure>);

impl Sink for &Shared {
    fn say(&self, piece: &str) -> bool {
        self.0.write(tagged(TEXT, piece.as_bytes()));
        true
    }

    fn said(&self) -> String {
        let written = self.0.written();
        let pieces = written
            .iter()
            .filter_map(|event| match event.split_first() {
                Some((&TEXT, text)) => std::str::from_utf8(text).ok(),
                _ => None,
            });
        pieces.collect()
    }
}

impl Sink for Arc<Log> {
    fn say(&self, piece: &str) -> bool {
        self.push(piece)
    }

    fn said(&self) -> String {
        self.text()
    }
}

fn count(source: &'static str) {
    metrics::counter!(metrics_names::ANSWERS, "source" => source).increment(1);
}

fn tagged(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut event = Vec::with_capacity(bytes.len() + 1);
    event.push(tag);
    event.extend_from_slice(bytes);
    event
}

fn shared_failure(error: &CacheError<Failure>) -> Failure {
    match error {
        CacheError::Compute(failure) => **failure,
        CacheError::WaitTimeout | CacheError::ComputeTimeout => Failure::Timeout,
        CacheError::Panicked => Failure::Internal,
        _ => Failure::Interrupted,
    }
}
