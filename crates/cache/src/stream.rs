//! Streams that several callers read: one computation, its events shared as they come, and
//! replayed from the cache afterwards.

mod log;
mod reader;
mod slots;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::entry::{Entry, Shape};
use crate::inner::{Inner, Order};
use crate::l2::Read;
use crate::metrics::{Ended, Source};
use crate::spans;
use crate::{Cache, CacheError, CacheKey, Computed, Cost, Keep, Mode, Policy, WhenAlone};

use log::{Log, Opening};
use slots::Guard;

pub use reader::StreamReader;
pub(crate) use slots::Streams;

/// What a stream's computation gives back when all its events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamEnd {
    /// Whether to keep the events.
    pub keep: Keep,
    /// What they cost.
    pub cost: Cost,
}

impl StreamEnd {
    /// The end of a stream that cost nothing.
    #[must_use]
    pub const fn new(keep: Keep) -> Self {
        let cost = Cost::FREE;
        Self { keep, cost }
    }

    /// The same, having cost something.
    #[must_use]
    pub const fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }
}

/// Where a stream's computation puts its events.
pub struct StreamWriter<E>(Arc<Log<E>>);

impl<E> StreamWriter<E> {
    /// Gives one event to all who read. Never waits: who reads too slowly is told so. After
    /// the computation has ended it does nothing.
    pub fn write(&self, event: impl AsRef<[u8]>) {
        self.0.push(event.as_ref());
    }

    /// The events so far, so that a computation that judges the whole of what it wrote needs no
    /// second copy of it meanwhile. The oldest are missing where the stream has outgrown its bound.
    #[must_use]
    pub fn written(&self) -> Vec<Bytes> {
        self.0.held()
    }
}

impl<E> fmt::Debug for StreamWriter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamWriter")
    }
}

impl Cache {
    /// A stream of the events under `key`: replayed if they are kept, joined if they are under
    /// way, else computed by `produce`. Returns when it is known which.
    ///
    /// Whoever joins receives first what has gone by, then follows, each at its own pace. Up
    /// to [`crate::CacheConfig::max_stream_bytes`] nothing is lost; a longer stream keeps its
    /// last part only, isn't kept, can't be joined any more, and ends with
    /// [`CacheError::Lagged`] for a reader who needs what is gone. No reader holds up another
    /// one or the computation.
    ///
    /// `produce` writes into what it is given and then says whether the whole is worth keeping.
    /// It runs in a task of its own, within [`Policy::compute_limit`]; [`Policy::when_alone`]
    /// says what happens when nobody reads any more. An error reaches every reader after the
    /// events before it, and nothing is kept. Streams are shared within this process; replicas
    /// share them once they are kept. They are never served stale nor renewed beforehand.
    ///
    /// # Errors
    /// [`CacheError`] if the stream failed before its first event was known to come, or if
    /// that took longer than [`Policy::wait`].
    pub async fn stream_or_join<E, F, Fut>(
        &self,
        key: &CacheKey,
        policy: Policy,
        mode: Mode,
        produce: F,
    ) -> Result<StreamReader<E>, CacheError<E>>
    where
        E: Send + Sync + 'static,
        F: FnOnce(StreamWriter<E>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<StreamEnd, E>> + Send + 'static,
    {
        let inner = &self.inner;
        if mode == Mode::Normal
            && let Some(reader) = hit(inner, key)
        {
            return Ok(reader);
        }
        let refresh = mode == Mode::Refresh;
        let max_bytes = inner.config.max_stream_bytes;
        let (log, source, guard) = match mode {
            Mode::Bypass => {
                let log = Arc::new(Log::new(max_bytes, true));
                let guard = Guard::alone(Arc::clone(&log));
                (log, Source::Bypass, Some(guard))
            }
            Mode::Normal | Mode::Refresh => inner.streams.join(key, refresh, max_bytes),
        };
        let led = guard.is_some();
        let reader = StreamReader::live(inner, *key, policy.wait, log, led.then_some(source));
        if let Some(guard) = guard {
            if source != Source::Bypass && !guard.is_shared() {
                inner.metrics.uncoalesced(key.operation());
            }
            let order = Order {
                key: *key,
                policy,
                after_ms: None,
                failures: 0,
            };
            let source = match mode {
                Mode::Normal => Source::Miss,
                Mode::Refresh => Source::Refresh,
                Mode::Bypass => Source::Bypass,
            };
            let task = run(Arc::clone(inner), order, guard, source, produce);
            tokio::spawn(task.in_current_span());
        }
        reader.opened().await
    }
}

/// A reader of what is in memory.
fn hit<E>(inner: &Arc<Inner>, key: &CacheKey) -> Option<StreamReader<E>> {
    let look = spans::l1(key);
    let now_ms = inner.now_ms();
    let entry = inner.l1.get(key, Shape::Events, now_ms)?;
    let events = log::split(&entry.value).filter(|_| entry.is_fresh(now_ms))?;
    inner.metrics.request(key, Source::L1, entry.cost, now_ms);
    look.record(spans::HIT, true);
    Some(StreamReader::kept(inner, *key, events, &entry, now_ms))
}

/// What of a stream's task came out.
enum Ran<E> {
    Ended(StreamEnd),
    Failed(CacheError<E>, Ended),
    /// Nobody reads it any more.
    Abandoned,
}

/// A stream's task.
async fn run<E, F, Fut>(
    inner: Arc<Inner>,
    order: Order,
    guard: Guard<E>,
    source: Source,
    produce: F,
) where
    F: FnOnce(StreamWriter<E>) -> Fut,
    Fut: Future<Output = Result<StreamEnd, E>>,
{
    let log = Arc::clone(guard.log());
    if log.may_look()
        // Its room is taken for as long as it looks, and not for the whole stream.
        && let Some((entry, tier)) = Box::pin(find(&inner, &order.key)).await
        && let Some(events) = log::split(&entry.value)
    {
        let opening = Opening {
            source: tier,
            created_ms: Some(entry.created_ms),
        };
        if log.found(opening, events, entry.cost) {
            inner.l1.insert(&order.key, entry);
            return;
        }
    }
    log.computing(source);
    let begun = Instant::now();
    let bypass = source == Source::Bypass;
    let alone = match (guard.is_shared(), order.policy.when_alone) {
        (false, _) => Some(Duration::ZERO),
        (true, WhenAlone::CancelAfter(grace)) => Some(grace),
        (true, WhenAlone::Finish) => None,
    };
    match compute(&log, order.policy.compute_limit, alone, produce).await {
        Ran::Ended(end) => {
            let keep = if bypass { Keep::No } else { end.keep };
            let end = StreamEnd { keep, ..end };
            settle(&inner, &order, &log, end, begun.elapsed());
            let joined = log.complete(end.cost);
            inner.metrics.spared(&order.key, end.cost, joined);
        }
        Ran::Failed(error, ended) => {
            inner.metrics.computation(order.key.operation(), ended);
            log.fail(error);
        }
        Ran::Abandoned => {
            let operation = order.key.operation();
            inner.metrics.computation(operation, Ended::Abandoned);
            log.fail(CacheError::Lost);
        }
    }
    drop(guard);
}

/// Looks for a kept stream in both tiers.
async fn find(inner: &Inner, key: &CacheKey) -> Option<(Entry, Source)> {
    let now_ms = inner.now_ms();
    let whole = |entry: &Entry| entry.shape == Shape::Events && entry.is_fresh(now_ms);
    if let Some(entry) = inner.l1.get(key, Shape::Events, now_ms).filter(whole) {
        return Some((entry, Source::L1));
    }
    match inner.l2.as_ref()?.read(key, now_ms).await {
        Read::Found(entry) if whole(&entry) => Some((entry, Source::L2)),
        Read::Found(_) | Read::Nothing | Read::Away => None,
    }
}

async fn compute<E, F, Fut>(
    log: &Arc<Log<E>>,
    limit: Duration,
    alone: Option<Duration>,
    produce: F,
) -> Ran<E>
where
    F: FnOnce(StreamWriter<E>) -> Fut,
    Fut: Future<Output = Result<StreamEnd, E>>,
{
    let writer = StreamWriter(Arc::clone(log));
    // A panic leaves nothing half done that anybody sees: the computation owns its state. Boxed, it
    // has its room once, and not in each of the futures that it goes through.
    let work = Box::pin(AssertUnwindSafe(async move { produce(writer).await }).catch_unwind());
    let abandoned = async {
        match alone {
            Some(grace) => log.abandoned(grace).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        ran = timeout(limit, work) => match ran {
            Ok(Ok(Ok(end))) => Ran::Ended(end),
            Ok(Ok(Err(error))) => Ran::Failed(CacheError::Compute(Arc::new(error)), Ended::Failed),
            Ok(Err(_panic)) => Ran::Failed(CacheError::Panicked, Ended::Panicked),
            Err(_elapsed) => Ran::Failed(CacheError::ComputeTimeout, Ended::Timeout),
        },
        () = abandoned => Ran::Abandoned,
    }
}

/// Keeps the events if they are worth it and all there.
fn settle<E>(inner: &Inner, order: &Order, log: &Log<E>, end: StreamEnd, taken: Duration) {
    let (value, keep) = match log.whole() {
        Some(value) => (value, end.keep),
        None => (Bytes::new(), Keep::No),
    };
    let computed = Computed::new(value, keep).cost(end.cost);
    let (entry, kept) = inner.keep(order, computed, Shape::Events, taken);
    if let Some(l2) = inner.l2.as_ref().filter(|_| kept) {
        l2.write(&order.key, entry, inner.now_ms());
    }
}
