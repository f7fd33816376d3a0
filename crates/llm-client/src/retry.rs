//! Making a call again: when, after how long, and how often at most.
//!
//! Whether a failure may pass by itself is said by the [`Error`] ([`Error::is_retryable`]:
//! `x-should-retry` where it came, else 408, 409, 429, 5xx and broken connections, as the
//! official clients decide it; a reached spend limit never). What is made of it is said here.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::stream::until_text;
use crate::telemetry::{self, GivenUp};
use crate::{Completion, CompletionStream, Error, Jitter, LanguageModel, Provider, Request};

mod budget;

pub use budget::RetryBudget;

/// Exponents above this are over any cap.
const MAX_DOUBLINGS: u32 = 32;

/// How often a call is made again, and after how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most retries of one call. Default: 2.
    pub max_retries: u32,
    /// The wait before the first retry, doubled before each further one. Default: 0.5 s.
    pub first_wait: Duration,
    /// The longest wait of our own making. Default: 8 s.
    pub longest_wait: Duration,
    /// The longest wait that is taken from the provider; where it asks for more, our own wait
    /// is taken instead. Default: 60 s.
    pub longest_asked_wait: Duration,
}

impl Default for RetryPolicy {
    /// As the official clients.
    fn default() -> Self {
        Self {
            max_retries: 2,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(8),
            longest_asked_wait: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// The wait before the retry after `failures` failures (from 1): what the provider asked
    /// for if that is above zero and not too long, else
    /// min(first·2ⁿ, longest)·(1 − 0.25·random).
    #[must_use]
    pub fn wait(&self, error: &Error, failures: u32, jitter: &Jitter) -> Duration {
        let asked = error.retry_after().filter(|asked| !asked.is_zero());
        if let Some(asked) = asked.filter(|asked| *asked <= self.longest_asked_wait) {
            return asked;
        }
        let doublings = failures.saturating_sub(1).min(MAX_DOUBLINGS);
        let own = self
            .first_wait
            .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
            .min(self.longest_wait);
        own.mul_f64(1.0 - 0.25 * jitter.next())
    }
}

/// A layer that makes a failed call again.
///
/// - A wait that can't end before the request's deadline isn't begun: the failure is told at
///   once.
/// - Every retry is paid from a [`RetryBudget`].
/// - A stream is made again only as long as none of its text has gone out: the layer holds
///   its first events back until the first text.
/// - A retry is a new call to the layer below: limits and budgets there count it.
pub struct Retrying {
    inner: Arc<dyn LanguageModel>,
    policy: RetryPolicy,
    budget: Arc<RetryBudget>,
    jitter: Jitter,
    pause: Pause,
}

/// How a wait is waited.
type Pause = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Retrying {
    /// Makes the failed calls of `inner` again, as far as policy and budget go. All layers in
    /// front of one provider should share one budget.
    #[must_use]
    pub fn new(
        inner: Arc<dyn LanguageModel>,
        policy: RetryPolicy,
        budget: Arc<RetryBudget>,
    ) -> Self {
        Self {
            inner,
            policy,
            budget,
            jitter: Jitter::random(),
            pause: Arc::new(|wait| Box::pin(sleep(wait))),
        }
    }

    /// Takes the spread of its waits from `jitter`.
    #[must_use]
    pub fn with_jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    /// Waits by calling `pause` instead of by tokio's clock: for a test that records the waits
    /// while real sockets are in use.
    #[must_use]
    pub fn with_pause<P>(self, pause: impl Fn(Duration) -> P + Send + Sync + 'static) -> Self
    where
        P: Future<Output = ()> + Send + 'static,
    {
        let pause: Pause = Arc::new(move |wait| Box::pin(pause(wait)));
        Self { pause, ..self }
    }

    async fn attempts<T, F, R>(&self, request: &Request, attempt: F) -> Result<T, Error>
    where
        F: Fn() -> R + Send + Sync,
        R: Future<Output = Result<T, Error>> + Send,
    {
        self.budget.earn();
        let mut failures = 0;
        loop {
            let error = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            match self.next_wait(request, &error, failures) {
                Ok(wait) => {
                    telemetry::retried(self.provider(), self.model(), error.kind());
                    tracing::info!(
                        model = self.model(),
                        error = error.kind().as_str(),
                        failures,
                        wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                        "a call will be made again"
                    );
                    (self.pause)(wait).await;
                }
                Err(why) => {
                    if let Some(why) = why {
                        telemetry::gave_up(self.provider(), self.model(), why);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// The wait before the next attempt, or why there is none; without a why, the failure
    /// isn't one that passes.
    fn next_wait(
        &self,
        request: &Request,
        error: &Error,
        failures: u32,
    ) -> Result<Duration, Option<GivenUp>> {
        if !error.is_retryable() {
            return Err(None);
        }
        if failures > self.policy.max_retries {
            return Err(Some(GivenUp::Attempts));
        }
        let wait = self.policy.wait(error, failures, &self.jitter);
        let ends = Instant::now().checked_add(wait);
        let in_time = match (ends, request.deadline()) {
            (Some(ends), Some(deadline)) => ends < deadline,
            (ends, None) => ends.is_some(),
            (None, Some(_)) => false,
        };
        if !in_time {
            return Err(Some(GivenUp::Deadline));
        }
        if !self.budget.spend() {
            return Err(Some(GivenUp::Budget));
        }
        Ok(wait)
    }
}

impl fmt::Debug for Retrying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retrying")
            .field("policy", &self.policy)
            .field("budget", &self.budget)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LanguageModel for Retrying {
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
        self.attempts(request, || self.inner.complete(request))
            .await
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let attempt = || async { until_text(self.inner.stream(request).await?, request).await };
        self.attempts(request, attempt).await
    }

    async fn count_tokens(&self, request: &Request) -> Result<Option<u64>, Error> {
        self.attempts(request, || self.inner.count_tokens(request))
            .await
    }
}

#[cfg(test)]
mod tests;
