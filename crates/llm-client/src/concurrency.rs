//! As many calls at once as the provider bears, and no more: a layer with a bounded queue.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{Stream, StreamExt};

use crate::{
    Completion, CompletionStream, Error, ErrorKind, LanguageModel, Provider, RateLimits, Request,
    StreamEvent, Usage,
};
use gate::{Gate, Permit};

mod adaptive;
mod gate;
mod queue;

pub use gate::{
    CONCURRENCY_IN_FLIGHT, CONCURRENCY_LIMIT, CONCURRENCY_QUEUE, CONCURRENCY_REFUSALS,
    CONCURRENCY_WAIT,
};

/// Settings of a [`ConcurrencyLimit`]. A count of 0 is taken as 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencyConfig {
    /// Calls at once to begin with. Default: 8.
    pub initial: u32,
    /// The fewest calls at once, however the provider complains. Default: 1.
    pub min: u32,
    /// The most calls at once, however well it goes. Default: 256.
    pub max: u32,
    /// Calls that may wait. Default: 128.
    pub queue: u32,
    /// The longest wait of a call without a deadline. Default: 30 s.
    pub max_wait: Duration,
}

impl Default for ConcurrencyConfig {
    fn default() -> Self {
        Self {
            initial: 8,
            min: 1,
            max: 256,
            queue: 128,
            max_wait: Duration::from_secs(30),
        }
    }
}

/// How a [`ConcurrencyLimit`] is right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencyStats {
    /// Calls that may be under way at once.
    pub limit: usize,
    /// Calls that are under way.
    pub in_flight: usize,
    /// Calls that wait.
    pub queued: usize,
}

/// A layer that lets only so many calls through at once, as many as go well.
///
/// # The limit
///
/// It grows by one in the time that `limit` calls go well while it is in use (at first by one
/// with each; a stream goes well from its first event on), and shrinks by a quarter when the
/// provider is overloaded (429, 529, 503, its time-outs), once for all calls that were under
/// way by then. The account's limits that the provider tells ([`RateLimits`]) bound it to the
/// calls that are left; with none left nothing starts until one more fits, and after a
/// `Retry-After` until the time is over (at most a minute).
///
/// # The queue
///
/// Calls that don't fit wait, the earliest deadline first and of one deadline in the order of
/// their arrival. A call is refused at once as [`ErrorKind::Saturated`], with a time to come
/// back after ([`Error::retry_after`]), where the queue is full or where it would not be
/// served before its deadline, by how long calls take. A call without a deadline waits no
/// longer than [`ConcurrencyConfig::max_wait`].
///
/// A place is given back on every path: at the end, by an error, by dropping the call or its
/// stream.
#[derive(Clone)]
pub struct ConcurrencyLimit {
    inner: Arc<dyn LanguageModel>,
    gate: Arc<Gate>,
}

impl ConcurrencyLimit {
    /// Limits the calls to a model. One for each provider and model; clones share the limit.
    #[must_use]
    pub fn new(inner: Arc<dyn LanguageModel>, config: ConcurrencyConfig) -> Self {
        let gate = Gate::new(config, inner.provider(), inner.model());
        Self { inner, gate }
    }

    /// The limit and its use, now.
    #[must_use]
    pub fn stats(&self) -> ConcurrencyStats {
        self.gate.stats()
    }
}

#[async_trait]
impl LanguageModel for ConcurrencyLimit {
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
        let permit = self.gate.acquire(request.deadline()).await?;
        let result = self.inner.complete(request).await;
        permit.finish(&match &result {
            Ok(completion) => Ended::well(completion),
            Err(error) => Ended::badly(error),
        });
        result
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let mut permit = self.gate.acquire(request.deadline()).await?;
        match self.inner.stream(request).await {
            Ok(inner) => {
                permit.borne();
                let permit = Some(permit);
                Ok(CompletionStream::new(Limited { inner, permit }, request))
            }
            Err(error) => {
                permit.finish(&Ended::badly(&error));
                Err(error)
            }
        }
    }

    async fn count_tokens(&self, request: &Request) -> Result<Option<u64>, Error> {
        self.inner.count_tokens(request).await
    }
}

impl fmt::Debug for ConcurrencyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrencyLimit")
            .field("inner", &self.inner)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A stream that holds its place until it ends or is dropped.
struct Limited {
    inner: CompletionStream,
    permit: Option<Permit>,
}

impl Stream for Limited {
    type Item = Result<StreamEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.inner.poll_next_unpin(cx));
        let ended = match &item {
            Some(Ok(StreamEvent::Finished(completion))) => Some(Ended::well(completion)),
            Some(Err(error)) => Some(Ended::badly(error)),
            Some(Ok(_)) => None,
            None => Some(Ended::default()),
        };
        if let Some(ended) = ended
            && let Some(permit) = self.permit.take()
        {
            permit.finish(&ended);
        }
        Poll::Ready(item)
    }
}

/// How a call ended, as far as it says something about the provider's load.
#[derive(Debug, Clone, Copy, Default)]
struct Ended {
    signal: Signal,
    pause: Option<Duration>,
    limits: Option<RateLimits>,
    tokens: Option<Usage>,
}

/// What the end of a call says about the provider's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Signal {
    /// It bears this many calls.
    Well,
    /// It has too many.
    Overload,
    /// Nothing: the call was dropped, or failed by something else.
    #[default]
    Nothing,
}

impl Ended {
    fn well(completion: &Completion) -> Self {
        Self {
            signal: Signal::Well,
            pause: None,
            limits: completion.rate_limits.as_deref().copied(),
            tokens: Some(completion.usage),
        }
    }

    fn badly(error: &Error) -> Self {
        let overload = is_overload(error);
        Self {
            signal: if overload {
                Signal::Overload
            } else {
                Signal::Nothing
            },
            pause: error.retry_after().filter(|_| overload),
            limits: error.rate_limits().copied(),
            tokens: error.usage(),
        }
    }
}

fn is_overload(error: &Error) -> bool {
    use crate::Stage::{FirstByte, Provider};
    match error.kind() {
        ErrorKind::RateLimited | ErrorKind::Overloaded => true,
        ErrorKind::Timeout { stage } => matches!(stage, FirstByte | Provider),
        ErrorKind::Upstream => error.status() == Some(http::StatusCode::SERVICE_UNAVAILABLE),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
