//! The tiers, the flights and the counters, put together.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use store::{Clock, Store};
use tokio::time::timeout;
use tracing::Instrument;

use crate::entry::{Entry, millis};
use crate::flight::{Flights, Guard, Landing, Role};
use crate::l1::L1;
use crate::l2::L2;
use crate::metrics::{Ended, Metrics, Refused, Source};
use crate::{
    Answer, CacheConfig, CacheError, CacheKey, CacheStats, Computed, ConfigError, Keep, Mode,
    Policy, Status, frame,
};

/// Answers worth keeping. Cloning it gives another handle of the same cache.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    l1: L1,
    l2: Option<Arc<L2>>,
    flights: Flights,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    max_value_bytes: usize,
    max_lifetime: Duration,
}

impl Cache {
    /// A cache with its second tier in `store` (or without one). `operations` are the names
    /// that its metrics are split by; another one counts as `other`. Metrics go to the
    /// recorder that is installed at this moment.
    ///
    /// # Errors
    /// [`ConfigError`] if a field of `config` is outside its domain.
    pub fn new(
        config: &CacheConfig,
        operations: &[&'static str],
        store: Option<Arc<dyn Store>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let metrics = Arc::new(Metrics::new(operations));
        let l2 = store.map(|store| Arc::new(L2::new(store, config, Arc::clone(&metrics))));
        let inner = Inner {
            l1: L1::new(config.l1_bytes, Arc::clone(&clock)),
            l2,
            flights: Flights::new(config.max_flights),
            metrics,
            clock,
            max_value_bytes: config.max_value_bytes,
            max_lifetime: config.max_lifetime(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The answer under `key`: kept, or else computed by `compute`, which runs at most once at
    /// a time for a key, in a task of its own that goes on when the caller goes away.
    ///
    /// Call it within a tokio runtime with a timer.
    ///
    /// # Errors
    /// [`CacheError`]: the computation's own error, a time that was over, a panic. What the
    /// store does is never an error.
    pub async fn get_or_compute<E, F, Fut>(
        &self,
        key: &CacheKey,
        policy: Policy,
        mode: Mode,
        compute: F,
    ) -> Result<Answer, CacheError<E>>
    where
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Computed, E>> + Send + 'static,
    {
        if mode == Mode::Normal
            && let Some(answer) = self.hit(key)
        {
            return Ok(answer);
        }
        // Boxed, so that a caller's future isn't the size of the slow path.
        let (landing, source) = Box::pin(self.slow(key, policy, mode, compute)).await;
        self.inner.answer(key, landing, source)
    }

    /// The answer under `key` if it is in the process's memory: what [`Cache::get_or_compute`]
    /// begins with, for callers who would rather not prepare a computation for nothing. It
    /// counts as a hit where there is one, and as nothing where there is none.
    #[must_use]
    pub fn get_local(&self, key: &CacheKey) -> Option<Answer> {
        self.hit(key)
    }

    /// What the cache has done so far and holds now; also sets the gauges. Cheap.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let Inner {
            l1,
            flights,
            metrics,
            ..
        } = &*self.inner;
        let stats = CacheStats {
            l1_hits: metrics.total(Source::L1),
            l2_hits: metrics.total(Source::L2),
            misses: metrics.total(Source::Miss),
            coalesced: metrics.total(Source::Coalesced),
            refreshes: metrics.total(Source::Refresh),
            bypasses: metrics.total(Source::Bypass),
            entries: l1.entries(),
            bytes: l1.bytes(),
            flights: flights.count() as u64,
        };
        metrics.entries.set(stats.entries as f64);
        metrics.bytes.set(stats.bytes as f64);
        metrics.flights.set(stats.flights as f64);
        stats
    }

    /// Evicts and frees what is due. It happens by itself, but only with traffic: call it now
    /// and then, as when metrics are read. It may take a millisecond after a busy time.
    pub fn run_housekeeping(&self) {
        self.inner.l1.run_housekeeping();
    }

    /// Waits for the computations and writes under way, for `limit` at most: says whether all
    /// were done. For the end of a process; calls meanwhile are answered, but not coalesced.
    pub async fn drain(&self, limit: Duration) -> bool {
        let all = async {
            self.inner.flights.drained().await;
            if let Some(l2) = &self.inner.l2 {
                l2.drained().await;
            }
        };
        timeout(limit, all).await.is_ok()
    }

    fn hit(&self, key: &CacheKey) -> Option<Answer> {
        let metrics = &self.inner.metrics;
        let begin = metrics.time_hit();
        let now_ms = self.inner.now_ms();
        let entry = self.inner.l1.get(key, now_ms)?;
        begin.inspect(|begin| metrics.l1_seconds.record(begin.elapsed()));
        metrics.request(key.operation(), Source::L1);
        Some(Answer::hit(entry, now_ms))
    }

    /// Everything but a hit in the first tier.
    async fn slow<E, F, Fut>(
        &self,
        key: &CacheKey,
        policy: Policy,
        mode: Mode,
        compute: F,
    ) -> (Landing<E>, Source)
    where
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Computed, E>> + Send + 'static,
    {
        let limit = policy.compute_limit;
        let (waiter, source) = match mode {
            Mode::Bypass => {
                let run = self.inner.run(key, limit, compute);
                let landing = timeout(policy.wait, run).await;
                let landing = landing.map(|ran| self.inner.give(key, ran));
                return (landing.unwrap_or_else(|_| wait_timeout()), Source::Bypass);
            }
            Mode::Normal | Mode::Refresh => match self.inner.flights.join::<E>(key, mode) {
                Role::Follow(waiter) => (waiter, Source::Coalesced),
                Role::Lead(guard, waiter) => {
                    let flight = fly(Arc::clone(&self.inner), *key, guard, limit, compute);
                    tokio::spawn(flight.in_current_span());
                    (waiter, led(mode))
                }
                Role::Alone => {
                    self.inner.metrics.uncoalesced(key.operation());
                    let run = self.inner.alone(key, limit, mode, compute);
                    let landing = timeout(policy.wait, run).await;
                    return (landing.unwrap_or_else(|_| wait_timeout()), led(mode));
                }
            },
        };
        let landing = timeout(policy.wait, waiter.landed()).await;
        (landing.unwrap_or_else(|_| wait_timeout()), source)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Inner {
    fn now_ms(&self) -> u64 {
        millis(self.clock.now())
    }

    /// Looks once more into the first tier (the flight before this one may have landed after
    /// the caller looked), then into the second.
    async fn look(&self, key: &CacheKey) -> Option<(Entry, Source)> {
        let now_ms = self.now_ms();
        if let Some(entry) = self.l1.get(key, now_ms) {
            return Some((entry, Source::L1));
        }
        let entry = self.l2.as_ref()?.read(key, now_ms).await?;
        Some((entry, Source::L2))
    }

    /// One computation within its limit. Whatever it does, it gives a result.
    async fn run<E, F, Fut>(
        &self,
        key: &CacheKey,
        limit: Duration,
        compute: F,
    ) -> Result<Computed, CacheError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Computed, E>>,
    {
        // A panic leaves nothing half done that anybody sees: the computation owns its state.
        let computation = AssertUnwindSafe(async move { compute().await }).catch_unwind();
        let (ended, error) = match timeout(limit, computation).await {
            Ok(Ok(Ok(computed))) => return Ok(computed),
            Ok(Ok(Err(error))) => (Ended::Failed, CacheError::Compute(Arc::new(error))),
            Ok(Err(_panic)) => (Ended::Panicked, CacheError::Panicked),
            Err(_elapsed) => (Ended::Timeout, CacheError::ComputeTimeout),
        };
        self.metrics.computation(key.operation(), ended);
        Err(error)
    }

    /// Gives what was computed to those who wait, and keeps it if it is worth it.
    fn settle<E>(&self, key: &CacheKey, ran: Result<Computed, CacheError<E>>) -> Landing<E> {
        match ran {
            Ok(Computed {
                value,
                keep: Keep::For(lifetime),
            }) => self.keep(key, value, lifetime),
            other => self.give(key, other),
        }
    }

    /// Gives what was computed to those who wait, and keeps nothing.
    fn give<E>(&self, key: &CacheKey, ran: Result<Computed, CacheError<E>>) -> Landing<E> {
        match ran {
            Ok(computed) => {
                self.metrics.computation(key.operation(), Ended::NotKept);
                Landing::Computed(computed.value)
            }
            Err(error) => Landing::Failed(error),
        }
    }

    fn keep<E>(&self, key: &CacheKey, value: Bytes, lifetime: Duration) -> Landing<E> {
        let lifetime = lifetime.min(self.max_lifetime);
        let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        let too_large = value.len() > self.max_value_bytes;
        if too_large {
            self.metrics.rejected(Refused::TooLarge);
        }
        if too_large || lifetime_ms == 0 {
            self.metrics.computation(key.operation(), Ended::NotKept);
            return Landing::Computed(value);
        }
        let created_ms = self.now_ms();
        let expires_ms = created_ms.saturating_add(lifetime_ms);
        // What is kept is a copy in one piece, so that a small answer can't hold on to the
        // large buffer that it was cut from.
        let kept = match &self.l2 {
            Some(l2) => {
                let frame = frame::encode(key, &value, created_ms, expires_ms);
                l2.write(key, frame.clone(), Duration::from_millis(lifetime_ms));
                frame::value_of(&frame)
            }
            None => Bytes::copy_from_slice(&value),
        };
        let entry = Entry {
            value: kept.clone(),
            created_ms,
            expires_ms,
        };
        self.l1.insert(key, entry);
        self.metrics.computation(key.operation(), Ended::Stored);
        Landing::Computed(kept)
    }

    /// A call that can't be joined.
    async fn alone<E, F, Fut>(
        &self,
        key: &CacheKey,
        limit: Duration,
        mode: Mode,
        compute: F,
    ) -> Landing<E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Computed, E>>,
    {
        if mode == Mode::Normal
            && let Some((entry, tier)) = self.look(key).await
        {
            self.l1.insert(key, entry.clone());
            return Landing::Found(entry, tier);
        }
        let ran = self.run(key, limit, compute).await;
        self.settle(key, ran)
    }

    /// What a caller gets of a landing, counted.
    fn answer<E>(
        &self,
        key: &CacheKey,
        landing: Landing<E>,
        source: Source,
    ) -> Result<Answer, CacheError<E>> {
        let operation = key.operation();
        match landing {
            Landing::Found(entry, tier) => {
                self.metrics.request(operation, tier);
                Ok(Answer::hit(entry, self.now_ms()))
            }
            Landing::Computed(value) => {
                self.metrics.request(operation, source);
                let status = match source {
                    Source::Coalesced => Status::Coalesced,
                    Source::Bypass => Status::Bypass,
                    _ => Status::Miss,
                };
                let age = Duration::ZERO;
                Ok(Answer { value, status, age })
            }
            Landing::Failed(error) => {
                self.metrics.request(operation, source);
                self.metrics.failure(operation, &error);
                Err(error)
            }
        }
    }
}

/// A flight's task.
async fn fly<E, F, Fut>(
    inner: Arc<Inner>,
    key: CacheKey,
    mut guard: Guard<E>,
    limit: Duration,
    compute: F,
) where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<Computed, E>>,
{
    if guard.may_look()
        && let Some((entry, tier)) = inner.look(&key).await
    {
        let landed = guard.land_found(entry, tier, |entry| inner.l1.insert(&key, entry));
        match landed {
            Ok(()) => return,
            Err(refreshed) => guard = refreshed,
        }
    }
    guard.computing();
    let ran = inner.run(&key, limit, compute).await;
    let landing = inner.settle(&key, ran);
    guard.land(landing);
}

/// How a call that begins a computation is counted.
fn led(mode: Mode) -> Source {
    match mode {
        Mode::Refresh => Source::Refresh,
        Mode::Normal | Mode::Bypass => Source::Miss,
    }
}

fn wait_timeout<E>() -> Landing<E> {
    Landing::Failed(CacheError::WaitTimeout)
}

#[cfg(test)]
mod tests;
