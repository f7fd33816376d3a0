//! A model that answers from a script: for the tests of crates above this one.
//!
//! Tests wait for events ([`ScriptedModel::called`]), never for time to pass; a configured
//! latency is tokio time, which `tokio::time::pause` makes instant.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use tokio::sync::watch;

use crate::{
    Completion, CompletionStream, Error, ErrorKind, LanguageModel, Provider, Request, StopReason,
    StreamEvent, Usage,
};

mod play;

use play::Play;

/// How many requests a [`ScriptedModel`] remembers; older ones are forgotten first.
pub const MAX_RECORDED_REQUESTS: usize = 10_000;

/// What a scripted call does.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// Answers.
    Complete(Completion),
    /// Fails.
    Fail(Error),
    /// Streams these steps one by one; `complete` gives their end.
    Stream(Vec<Step>),
    /// Says nothing until the request's deadline, or for ever where it has none.
    Hang,
    /// Says nothing until the call is dropped, even past the request's deadline: a model that
    /// breaks its contract.
    HangPastDeadline,
}

/// One step of a scripted stream.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Step {
    /// Yields an event.
    Event(StreamEvent),
    /// Yields an error, which ends the stream.
    Fail(Error),
    /// Lets some time pass, in tokio time.
    Wait(Duration),
    /// Says nothing more until the request's deadline, or for ever where it has none.
    Hang,
}

impl Outcome {
    /// Streams a start, these pieces of text, and then `end`: an event or what goes wrong.
    #[must_use]
    pub fn stream(pieces: &[&str], end: Step) -> Self {
        let whole = completion(pieces.concat());
        let text = |piece: &&str| Step::Event(StreamEvent::Text((*piece).to_owned()));
        let started = Step::Event(StreamEvent::Started {
            request_id: whole.request_id,
            model: whole.model,
            usage: Usage {
                output_tokens: 1,
                ..whole.usage
            },
            rate_limits: None,
        });
        let steps = std::iter::once(started)
            .chain(pieces.iter().map(text))
            .chain(std::iter::once(end));
        Self::Stream(steps.collect())
    }

    /// Streams a start, these pieces of text, and a good end.
    #[must_use]
    pub fn pieces(pieces: &[&str]) -> Self {
        let end = StreamEvent::Finished(completion(pieces.concat()));
        Self::stream(pieces, Step::Event(end))
    }

    /// Answers with this text, for 10 input and 5 output tokens.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Complete(completion(text))
    }

    /// Fails with an error of this kind.
    #[must_use]
    pub fn fail(kind: ErrorKind) -> Self {
        Self::Fail(Error::new(kind))
    }
}

/// A whole answer with this text, for 10 input and 5 output tokens.
#[must_use]
pub fn completion(text: impl Into<String>) -> Completion {
    Completion {
        text: text.into(),
        stop_reason: StopReason::EndTurn,
        usage: Usage {
            input_tokens: 10,
            output_tokens: 5,
            ..Usage::default()
        },
        provider: Provider::Scripted,
        model: "scripted-1".to_owned(),
        request_id: Some("req_scripted".to_owned()),
        rate_limits: None,
        elapsed: Duration::ZERO,
    }
}

/// A fake [`LanguageModel`]. Clones share one script and one record.
///
/// Each call takes the next queued outcome, or the one set by
/// [`otherwise`](Self::otherwise); without either it fails with
/// [`ErrorKind::InvalidResponse`], which is never retryable, so that a test which calls too
/// often sees it.
#[derive(Clone)]
pub struct ScriptedModel(Arc<Shared>);

struct Shared {
    model: String,
    state: Mutex<State>,
    calls: watch::Sender<Calls>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Outcome>,
    otherwise: Option<Outcome>,
    latency: Duration,
    tokens: Option<u64>,
    requests: VecDeque<Request>,
}

/// How many calls there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// Calls that began.
    pub started: usize,
    /// Calls that ended with an answer or an error.
    pub finished: usize,
    /// Calls that were dropped before they ended.
    pub dropped: usize,
}

impl Calls {
    /// Calls that are under way.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.started - self.finished - self.dropped
    }
}

impl ScriptedModel {
    /// A model of this name with an empty script.
    #[must_use]
    pub fn new(model: impl Into<String>) -> Self {
        Self(Arc::new(Shared {
            model: model.into(),
            state: Mutex::default(),
            calls: watch::Sender::default(),
        }))
    }

    /// Queues an outcome after those already there.
    #[must_use]
    pub fn then(self, outcome: Outcome) -> Self {
        self.push(outcome);
        self
    }

    /// Sets the outcome of every call for which nothing is queued.
    #[must_use]
    pub fn otherwise(self, outcome: Outcome) -> Self {
        self.state().otherwise = Some(outcome);
        self
    }

    /// Sets how long a call takes before it answers or fails, in tokio time.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        self.state().latency = latency;
        self
    }

    /// Sets what [`count_tokens`](LanguageModel::count_tokens) says. Default: nothing.
    #[must_use]
    pub fn counting(self, tokens: u64) -> Self {
        self.state().tokens = Some(tokens);
        self
    }

    /// Queues an outcome while the model is in use.
    pub fn push(&self, outcome: Outcome) {
        self.state().queue.push_back(outcome);
    }

    /// The latest requests, oldest first, at most [`MAX_RECORDED_REQUESTS`].
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.iter().cloned().collect()
    }

    /// How many calls there were up to now.
    #[must_use]
    pub fn calls(&self) -> Calls {
        *self.0.calls.borrow()
    }

    /// Waits until at least so many calls have begun.
    pub async fn called(&self, count: usize) {
        self.until(|calls| calls.started >= count).await;
    }

    /// Waits until the figures are as a test wants them (`|calls| calls.dropped == 1`).
    pub async fn until(&self, mut reached: impl FnMut(&Calls) -> bool) {
        let mut calls = self.0.calls.subscribe();
        // The sender lives in `self`, so the wait can't end by its loss.
        let _ = calls.wait_for(|calls| reached(calls)).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next outcome and records the call.
    fn start(&self, request: &Request) -> (Play, InFlight) {
        let mut state = self.state();
        if state.requests.len() == MAX_RECORDED_REQUESTS {
            state.requests.pop_front();
        }
        state.requests.push_back(request.clone());
        let outcome = state.queue.pop_front().or_else(|| state.otherwise.clone());
        let outcome = outcome.unwrap_or_else(|| Outcome::fail(ErrorKind::InvalidResponse));
        let latency = state.latency;
        drop(state);
        (
            Play::new(outcome, latency, request),
            InFlight::begin(&self.0),
        )
    }
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedModel")
            .field("model", &self.0.model)
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LanguageModel for ScriptedModel {
    fn provider(&self) -> Provider {
        Provider::Scripted
    }

    fn model(&self) -> &str {
        &self.0.model
    }

    fn origin(&self) -> &str {
        "scripted"
    }

    async fn complete(&self, request: &Request) -> Result<Completion, Error> {
        let (mut play, mut in_flight) = self.start(request);
        let result = play.whole().await;
        in_flight.finished = true;
        result
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let (mut play, mut in_flight) = self.start(request);
        let first = match play.next().await {
            Err(error) => {
                in_flight.finished = true;
                return Err(error);
            }
            Ok(first) => first,
        };
        let rest = stream::unfold((play, in_flight), |(mut play, mut in_flight)| async move {
            if in_flight.finished {
                return None;
            }
            let item = play.next().await;
            in_flight.finished = matches!(item, Err(_) | Ok(StreamEvent::Finished(_)));
            Some((item, (play, in_flight)))
        });
        let events = stream::once(std::future::ready(Ok(first))).chain(rest);
        Ok(CompletionStream::new(events, request))
    }

    async fn count_tokens(&self, _: &Request) -> Result<Option<u64>, Error> {
        Ok(self.state().tokens)
    }
}

/// Counts a call's end, however it ends.
struct InFlight {
    shared: Arc<Shared>,
    finished: bool,
}

impl InFlight {
    fn begin(shared: &Arc<Shared>) -> Self {
        shared.calls.send_modify(|calls| calls.started += 1);
        Self {
            shared: Arc::clone(shared),
            finished: false,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.shared.calls.send_modify(|calls| {
            if self.finished {
                calls.finished += 1;
            } else {
                calls.dropped += 1;
            }
        });
    }
}

#[cfg(test)]
mod tests;
