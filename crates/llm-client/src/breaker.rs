//! A breaker: while a provider is broken, calls fail at once instead of waiting for it.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{Stream, StreamExt};
use store::Store;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::telemetry::{self, BreakerState};
use crate::{
    Completion, CompletionStream, Error, ErrorKind, LanguageModel, Provider, Request, StreamEvent,
};

mod sharing;
mod state;
mod verdict;
mod window;

pub use sharing::Sharing;
use state::{Admission, Cause, Permit, Phase, State, Transition};
use verdict::{Limit, Verdict};

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    /// What it remembers. Default: 30 s.
    pub window: Duration,
    /// It doesn't open before the window holds so many calls. Default: 10.
    pub min_calls: u32,
    /// It opens when so many percent of them have failed. Default: 50; 1 to 100.
    pub failure_percent: u8,
    /// How long it stays open the first time; doubled each time that the probe fails.
    /// Default: 5 s.
    pub open_for: Duration,
    /// The longest that it stays open. Default: 60 s.
    pub longest_open: Duration,
    /// What refused calls are told to wait while a probe is under way. Default: 1 s.
    pub probe_wait: Duration,
    /// A call that reached its own deadline, or was given up, counts as failed if the provider
    /// had at least this long: a hung provider is met by callers with less patience than the
    /// client. Default: 5 s.
    pub patience: Duration,
    /// The longest that a rate limit or a spend limit holds calls back before one may try
    /// again. Default: 60 s.
    pub longest_gate: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            min_calls: 10,
            failure_percent: 50,
            open_for: Duration::from_secs(5),
            longest_open: Duration::from_secs(60),
            probe_wait: Duration::from_secs(1),
            patience: Duration::from_secs(5),
            longest_gate: Duration::from_secs(60),
        }
    }
}

impl BreakerConfig {
    fn percent(&self) -> u64 {
        u64::from(self.failure_percent.clamp(1, 100))
    }
}

/// A layer that lets no call through while the provider is broken.
///
/// Failures of the provider or the way to it (broken connections, time-outs, 5xx, 529, broken
/// answers) count in a rolling window; over a share of them it opens. Calls then fail as
/// [`ErrorKind::CircuitOpen`] at once, which isn't retryable here but may pass elsewhere. After
/// a while a single call finds out ([`BreakerConfig::open_for`]); the others go on failing.
///
/// A rate limit or a spend limit (429) is no failure of the provider's: it shuts a gate until
/// the provider's own time, behind which calls fail as [`ErrorKind::RateLimited`] or
/// [`ErrorKind::SpendLimit`] without being made, with the wait that is left.
///
/// One breaker is for one provider and model. [`share`](Self::share) makes replicas act as
/// one. Every change is a metric ([`telemetry::BREAKER_TRANSITIONS`]) and one log line.
pub struct Breaker {
    inner: Arc<dyn LanguageModel>,
    core: Arc<Core>,
}

/// What the layer, its calls and its task share.
struct Core {
    provider: Provider,
    model: String,
    origin: String,
    config: BreakerConfig,
    state: Mutex<State>,
    /// There is something to tell the other replicas, or to ask them.
    changed: Notify,
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.lock())
    }

    /// Changes the state, then counts and logs what changed.
    fn change<T>(&self, act: impl FnOnce(&mut State, Instant, &mut Vec<Transition>) -> T) -> T {
        let mut out = Vec::new();
        let (result, tell) = {
            let mut state = self.lock();
            let result = act(&mut state, Instant::now(), &mut out);
            let shared = &state.shared;
            let tell = shared.untold.is_some() || shared.gate_untold || shared.wants_grant;
            (result, tell)
        };
        for transition in out {
            self.report(transition);
        }
        if tell {
            self.changed.notify_one();
        }
        result
    }

    fn connected(&self, connected: bool) {
        let before =
            self.with_state(|state| std::mem::replace(&mut state.shared.connected, connected));
        if before != connected {
            tracing::info!(
                provider = self.provider.as_str(),
                model = self.model,
                shared = connected,
                "breaker: shared by the replicas or not"
            );
        }
    }

    fn report(&self, transition: Transition) {
        let (to, cause, wait) = match transition {
            Transition::Opened { cause, wait } => ("open", cause_word(cause), wait),
            Transition::HalfOpened => ("half_open", "time", Duration::ZERO),
            Transition::Closed { cause } => ("closed", cause_word(cause), Duration::ZERO),
            Transition::Gated { limit, wait } => ("gated", limit.as_str(), wait),
            Transition::Ungated => ("ungated", "time", Duration::ZERO),
        };
        let state = match transition {
            Transition::Opened { .. } => Some(BreakerState::Open),
            Transition::HalfOpened => Some(BreakerState::HalfOpen),
            Transition::Closed { .. } => Some(BreakerState::Closed),
            Transition::Gated { .. } | Transition::Ungated => None,
        };
        telemetry::breaker_changed(self.provider, &self.model, to, cause, state);
        tracing::warn!(
            provider = self.provider.as_str(),
            model = self.model,
            to,
            cause,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "breaker changed"
        );
    }
}

const fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::Failures => "failures",
        Cause::Probe => "probe",
        Cause::Shared => "shared",
        Cause::Operator => "operator",
    }
}

impl Breaker {
    /// Watches over `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn LanguageModel>, config: BreakerConfig) -> Self {
        let core = Core {
            provider: inner.provider(),
            model: inner.model().to_owned(),
            origin: inner.origin().to_owned(),
            config,
            state: Mutex::new(State::new(config, Instant::now())),
            changed: Notify::new(),
        };
        Self {
            inner,
            core: Arc::new(core),
        }
    }

    /// Shares the state with every replica that uses the same store, until the returned value
    /// is dropped. A task looks into the store every `every` (and at once after a change), so
    /// no call waits for the store; with the store away each replica goes by itself.
    ///
    /// Must be called within a tokio runtime.
    #[must_use = "dropping it ends the sharing"]
    pub fn share(&self, store: Arc<dyn Store>, every: Duration) -> Sharing {
        sharing::spawn(Arc::clone(&self.core), store, every)
    }

    /// Whether calls go through now, for a health report.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.core.with_state(|state| match state.phase() {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        })
    }

    /// Lets calls through again, here and (where it is shared) on the other replicas: for an
    /// operator who knows that the provider is well. Says whether it was anything but closed. A
    /// rate limit's gate stays shut: that is the provider's own word.
    pub fn reset(&self) -> bool {
        self.core.change(|state, _, out| state.reset(out))
    }

    fn admit(&self) -> Result<Attempt, Error> {
        let refused = |kind, wait| Err(Error::new(kind).with_retry_after(Some(wait)));
        match self.core.change(|state, now, out| state.admit(now, out)) {
            Admission::Go(permit) => Ok(Attempt {
                core: Arc::clone(&self.core),
                permit: Some(permit),
                begun: Instant::now(),
                answered: false,
            }),
            Admission::Gated { limit, wait } => refused(limit.kind(), wait),
            Admission::Refused { wait } => refused(ErrorKind::CircuitOpen, wait),
        }
    }
}

/// A call under way; dropped without an end, it was given up.
struct Attempt {
    core: Arc<Core>,
    permit: Option<Permit>,
    begun: Instant,
    answered: bool,
}

impl Attempt {
    /// The stream's first event has come.
    fn answered(&mut self) {
        self.answered = true;
        if let Some(permit) = self.permit {
            self.core
                .change(|state, _, out| state.answered(permit, out));
        }
    }

    fn ended<T>(&mut self, result: Result<T, &Error>) {
        let verdict = match result {
            Ok(_) => Verdict::Answered,
            Err(error) => Verdict::of(error, self.begun.elapsed(), &self.core.config),
        };
        self.end(Some(verdict));
    }

    fn end(&mut self, verdict: Option<Verdict>) {
        if let Some(permit) = self.permit.take() {
            self.core
                .change(|state, now, out| state.ended(permit, verdict, now, out));
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        // A reader that leaves a stream which had begun says nothing of the provider.
        let verdict =
            (!self.answered).then(|| Verdict::given_up(self.begun.elapsed(), &self.core.config));
        self.end(verdict);
    }
}

/// A stream whose end the breaker wants to know.
struct Watched {
    inner: CompletionStream,
    attempt: Attempt,
}

impl Stream for Watched {
    type Item = Result<StreamEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.inner.poll_next_unpin(cx));
        match &item {
            Some(Ok(StreamEvent::Finished(_))) => self.attempt.ended(Ok(())),
            Some(Err(error)) => self.attempt.ended::<()>(Err(error)),
            _ => {}
        }
        Poll::Ready(item)
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("state", &self.state())
            .field("config", &self.core.config)
            .field("inner", &self.inner)
            .finish()
    }
}

#[async_trait]
impl LanguageModel for Breaker {
    fn provider(&self) -> Provider {
        self.inner.provider()
    }

    fn model(&self) -> &str {
        self.inner.model()
    }

    fn origin(&self) -> &str {
        self.inner.origin()
    }

    async fn complete(&self, request: &Request) -> Result<Completion, Error> {
        let mut attempt = self.admit()?;
        let result = self.inner.complete(request).await;
        attempt.ended(result.as_ref());
        result
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let mut attempt = self.admit()?;
        match self.inner.stream(request).await {
            Ok(inner) => {
                attempt.answered();
                Ok(CompletionStream::new(Watched { inner, attempt }, request))
            }
            Err(error) => {
                attempt.ended::<()>(Err(&error));
                Err(error)
            }
        }
    }

    async fn count_tokens(&self, request: &Request) -> Result<Option<u64>, Error> {
        let mut attempt = self.admit()?;
        let result = self.inner.count_tokens(request).await;
        attempt.ended(result.as_ref());
        result
    }
}

#[cfg(test)]
mod tests;
