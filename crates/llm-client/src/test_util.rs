//! A model that answers from a script: for the tests of crates above this one.
//!
//! Tests wait for events ([`ScriptedModel::called`]), never for time to pass; a configured
//! latency is tokio time, which `tokio::time::pause` makes instant.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Completion, Error, ErrorKind, LanguageModel, Request, Stage, StopReason, Usage};

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
    /// Says nothing until the request's deadline, or for ever where it has none.
    Hang,
    /// Says nothing until the call is dropped, even past the request's deadline: a model that
    /// breaks its contract.
    HangPastDeadline,
}

impl Outcome {
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
        model: "scripted-1".to_owned(),
        request_id: Some("req_scripted".to_owned()),
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

    fn take(&self, request: &Request) -> (Outcome, Duration) {
        let mut state = self.state();
        if state.requests.len() == MAX_RECORDED_REQUESTS {
            state.requests.pop_front();
        }
        state.requests.push_back(request.clone());
        let outcome = state.queue.pop_front().or_else(|| state.otherwise.clone());
        let outcome = outcome.unwrap_or_else(|| Outcome::fail(ErrorKind::InvalidResponse));
        (outcome, state.latency)
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
    fn model(&self) -> &str {
        &self.0.model
    }

    fn origin(&self) -> &str {
        "scripted"
    }

    async fn complete(&self, request: &Request) -> Result<Completion, Error> {
        let (outcome, latency) = self.take(request);
        let mut in_flight = InFlight::begin(&self.0.calls);
        let keeps_deadline = !matches!(outcome, Outcome::HangPastDeadline);
        let call = perform(outcome, latency);
        let result = match request.deadline() {
            Some(deadline) if keeps_deadline => {
                timeout_at(deadline, call).await.unwrap_or_else(|_| {
                    let stage = Stage::Deadline;
                    Err(Error::new(ErrorKind::Timeout { stage }))
                })
            }
            _ => call.await,
        };
        in_flight.finished = true;
        result
    }
}

async fn perform(outcome: Outcome, latency: Duration) -> Result<Completion, Error> {
    let started = Instant::now();
    if !latency.is_zero() {
        sleep(latency).await;
    }
    match outcome {
        Outcome::Complete(mut completion) => {
            completion.elapsed = started.elapsed();
            Ok(completion)
        }
        Outcome::Fail(error) => Err(error),
        Outcome::Hang | Outcome::HangPastDeadline => std::future::pending().await,
    }
}

/// Counts a call's end, however it ends.
struct InFlight<'a> {
    calls: &'a watch::Sender<Calls>,
    finished: bool,
}

impl<'a> InFlight<'a> {
    fn begin(calls: &'a watch::Sender<Calls>) -> Self {
        calls.send_modify(|calls| calls.started += 1);
        Self {
            calls,
            finished: false,
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.calls.send_modify(|calls| {
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
