//! The cache as its callers see it.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use store::{Clock, Store};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use tracing::Instrument;
use uuid::Uuid;

use crate::early::{self, Dice};
use crate::entry::{Entry, Shape, Use};
use crate::flight::{Flights, Join, Landing, Role};
use crate::flush::Marks;
use crate::fly::{fly, renew};
use crate::inner::{Inner, Look, Order, tier};
use crate::l1::L1;
use crate::l2::L2;
use crate::metrics::{Metrics, Renewal, Source};
use crate::spans;
use crate::stream::Streams;
use crate::totals::{self, Totals};
use crate::{
    Answer, CacheConfig, CacheError, CacheKey, CacheStats, CacheTotals, Classify, Computed,
    ConfigError, Mode, Policy, Sharing,
};

/// Answers worth keeping. Cloning it gives another handle of the same cache.
#[derive(Clone)]
pub struct Cache {
    pub(crate) inner: Arc<Inner>,
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
        let metrics = Arc::new(Metrics::new(operations, config.adaptive.clone()));
        let marks = Arc::new(Marks::default());
        let (counted, flushed) = (Arc::clone(&metrics), Arc::clone(&marks));
        let l2 = store.map(|store| Arc::new(L2::new(store, config, counted, flushed)));
        let (counted, flushed) = (Arc::clone(&metrics), Arc::clone(&marks));
        let inner = Inner {
            l1: L1::new(config.l1_bytes, Arc::clone(&clock), counted, flushed),
            l2,
            marks,
            flights: Flights::new(config.max_flights),
            streams: Streams::new(config.max_flights),
            metrics,
            totals: Totals::default(),
            clock,
            dice: Dice::new(),
            config: config.clone(),
            name: Uuid::new_v4().simple().to_string(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The answer under `key`: kept, or else computed by `compute`, which runs at most once at
    /// a time for a key, in a task of its own that goes on when the caller goes away. Replicas
    /// that share the store count as one (see [`CacheConfig::replicas`]).
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
        let process = |_: &E| Sharing::Process;
        self.get_or_compute_sharing(key, policy, mode, process, compute)
            .await
    }

    /// The same, where `classify` says of each error who shares it. The function of the caller
    /// whose computation it was decides.
    ///
    /// # Errors
    /// As [`Cache::get_or_compute`], and [`CacheError::Elsewhere`].
    pub async fn get_or_compute_sharing<E, F, Fut>(
        &self,
        key: &CacheKey,
        policy: Policy,
        mode: Mode,
        classify: Classify<E>,
        compute: F,
    ) -> Result<Answer, CacheError<E>>
    where
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Computed, E>> + Send + 'static,
    {
        let order = Order {
            key: *key,
            policy,
            after_ms: None,
            failures: 0,
        };
        if mode == Mode::Normal
            && let Some((answer, due)) = self.hit(key, &policy)
        {
            if let Some((old, reason)) = due {
                renew(&self.inner, order, &old, reason, classify, compute);
            }
            return Ok(answer);
        }
        // Boxed, so that a caller's future isn't the size of the slow path.
        let (landing, source) = Box::pin(self.slow(&order, mode, classify, compute)).await;
        self.inner.answer(&order, mode, landing, source)
    }

    /// The answer under `key` if it is in the process's memory, within its lifetime and not due
    /// to be renewed: what [`Cache::get_or_compute`] begins with, for callers who would rather
    /// not prepare a computation for nothing. It counts as a hit where there is one, and as
    /// nothing where there is none.
    #[must_use]
    pub fn get_local(&self, key: &CacheKey) -> Option<Answer> {
        let look = spans::l1(key);
        let metrics = &self.inner.metrics;
        let begin = metrics.time_hit();
        let now_ms = self.inner.now_ms();
        let entry = self.inner.l1.get(key, Shape::Whole, now_ms)?;
        if !entry.is_fresh(now_ms) || self.is_due_early(&entry, now_ms) {
            return None;
        }
        begin.inspect(|begin| metrics.l1_seconds.record(begin.elapsed()));
        metrics.request(key, Source::L1, entry.cost, now_ms);
        look.record(spans::HIT, true);
        Some(Answer::hit(entry, now_ms))
    }

    /// What the cache has done so far and holds now; also sets the gauges. Cheap.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let Inner {
            l1,
            flights,
            streams,
            metrics,
            ..
        } = &*self.inner;
        let stats = CacheStats {
            totals: totals::local(metrics),
            entries: l1.entries(),
            bytes: l1.bytes(),
            flights: (flights.count() + streams.count()) as u64,
            evictions: metrics.size_evictions(),
        };
        metrics.entries.set(stats.entries as f64);
        metrics.bytes.set(stats.bytes as f64);
        metrics.flights.set(stats.flights as f64);
        stats
    }

    /// What all replicas have done together, as the store knows it: what another one did in
    /// the last seconds may be missing. Without a store it is this one's; nothing if the store
    /// doesn't answer within [`CacheConfig::store_read_deadline_ms`].
    pub async fn shared_totals(&self) -> Option<CacheTotals> {
        let Inner {
            l2,
            metrics,
            totals,
            ..
        } = &*self.inner;
        match l2 {
            Some(l2) => totals.read(l2, metrics).await,
            None => Some(totals::local(metrics)),
        }
    }

    /// Adds what this process has done since the last time to the totals of all replicas; says
    /// whether the store has everything now. What it didn't take goes with the next batch, so
    /// that a batch whose answer got lost may count twice.
    pub async fn share_totals(&self) -> bool {
        match &self.inner.l2 {
            Some(l2) => self.inner.totals.share(l2, &self.inner.metrics).await,
            None => true,
        }
    }

    /// Shares the totals and the flushes every `period` until the cache's last handle is gone, in a task of
    /// its own. [`Cache::drain`] shares the last ones. Call it within a tokio runtime.
    pub fn spawn_sharing(&self, period: Duration) -> JoinHandle<()> {
        let inner = Arc::downgrade(&self.inner);
        let mut ticks = interval(period.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::spawn(async move {
            loop {
                ticks.tick().await;
                let Some(inner) = Weak::upgrade(&inner) else {
                    return;
                };
                let cache = Self { inner };
                cache.share_totals().await;
                cache.share_flushes().await;
            }
        })
    }

    /// Evicts and frees what is due. It happens by itself, but only with traffic: call it now
    /// and then, as when metrics are read. It may take a millisecond after a busy time.
    pub fn run_housekeeping(&self) {
        self.inner.l1.run_housekeeping();
    }

    /// Waits for the computations and writes under way, then shares the totals, for `limit` at
    /// most: says whether all was done. For the end of a process; calls meanwhile are answered,
    /// but not coalesced.
    pub async fn drain(&self, limit: Duration) -> bool {
        let all = async {
            self.inner.flights.drained().await;
            self.inner.streams.drained().await;
            if let Some(l2) = &self.inner.l2 {
                l2.drained().await;
            }
            self.share_totals().await;
        };
        timeout(limit, all).await.is_ok()
    }

    /// A hit in memory, and what is to be renewed and why.
    fn hit(&self, key: &CacheKey, policy: &Policy) -> Option<(Answer, Option<(Entry, Renewal)>)> {
        let look = spans::l1(key);
        let metrics = &self.inner.metrics;
        let begin = metrics.time_hit();
        let now_ms = self.inner.now_ms();
        let entry = self.inner.l1.get(key, Shape::Whole, now_ms)?;
        let due = match entry.usable(policy, now_ms) {
            Use::Fresh if policy.refresh_early && self.is_due_early(&entry, now_ms) => {
                Some((entry.clone(), Renewal::Early))
            }
            Use::Fresh => None,
            Use::Renew => Some((entry.clone(), Renewal::Stale)),
            Use::Rescue | Use::None => return None,
        };
        let due = due.filter(|_| entry.may_renew(now_ms));
        begin.inspect(|begin| metrics.l1_seconds.record(begin.elapsed()));
        let source = tier(Source::L1, &entry, now_ms);
        metrics.request(key, source, entry.cost, now_ms);
        look.record(spans::HIT, true);
        Some((Answer::hit(entry, now_ms), due))
    }

    fn is_due_early(&self, entry: &Entry, now_ms: u64) -> bool {
        early::is_due(entry, now_ms, || self.inner.dice.draw())
    }

    /// Everything but a hit in the first tier.
    async fn slow<E, F, Fut>(
        &self,
        order: &Order,
        mode: Mode,
        classify: Classify<E>,
        compute: F,
    ) -> (Landing<E>, Source)
    where
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Computed, E>> + Send + 'static,
    {
        let (key, wait) = (order.key, order.policy.wait);
        let join = match mode {
            Mode::Normal => Join::Normal,
            Mode::Refresh => Join::Refresh,
            Mode::Bypass => {
                let run = self.inner.run(&key, order.policy.compute_limit, compute);
                let landing = timeout(wait, run).await;
                let landing = landing.map(|ran| self.inner.give(&key, ran));
                return (landing.unwrap_or_else(|_| wait_timeout()), Source::Bypass);
            }
        };
        // Far away instead of an overflow.
        let now = Instant::now();
        let deadline = now.checked_add(wait).unwrap_or(now + FAR);
        let mut order = *order;
        loop {
            match self.inner.flights.join::<E>(&key, join) {
                Role::Follow(waiter) => {
                    let landing = timeout_at(deadline, waiter.landed())
                        .instrument(spans::wait(&key))
                        .await;
                    let landing = landing.unwrap_or_else(|_| wait_timeout());
                    if order.failures == 0 && landing.may_retry() {
                        order.failures = 1;
                        continue;
                    }
                    return (landing, Source::Coalesced);
                }
                Role::Lead(guard, waiter) => {
                    let flight = fly(Arc::clone(&self.inner), order, guard, classify, compute);
                    tokio::spawn(flight.in_current_span());
                    let landing = timeout_at(deadline, waiter.landed()).await;
                    return (landing.unwrap_or_else(|_| wait_timeout()), led(mode));
                }
                Role::Alone => {
                    self.inner.metrics.uncoalesced(key.operation());
                    let run = self.alone(&order, mode, compute);
                    let landing = timeout_at(deadline, run).await;
                    return (landing.unwrap_or_else(|_| wait_timeout()), led(mode));
                }
            }
        }
    }

    /// A call that can't be joined.
    async fn alone<E, F, Fut>(&self, order: &Order, mode: Mode, compute: F) -> Landing<E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Computed, E>>,
    {
        let inner = &self.inner;
        if mode == Mode::Normal
            && let Look::Found(entry, source) = inner.look(order).await
        {
            inner.l1.insert(&order.key, entry.clone());
            return Landing::Found(entry, source);
        }
        let begun = Instant::now();
        let ran = inner
            .run(&order.key, order.policy.compute_limit, compute)
            .await;
        let settled = inner.settle(order, ran, begun.elapsed(), |_| Sharing::Process);
        if let (Some(l2), Some(entry)) = (inner.l2_of(order), settled.entry) {
            l2.write(&order.key, entry, inner.now_ms());
        }
        settled.landing
    }
}

/// Ten years.
const FAR: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// How a call that begins a computation is counted.
fn led(mode: Mode) -> Source {
    match mode {
        Mode::Refresh => Source::Refresh,
        Mode::Normal | Mode::Bypass => Source::Miss,
    }
}

fn wait_timeout<E>() -> Landing<E> {
    Landing::failed(CacheError::WaitTimeout)
}

#[cfg(test)]
mod tests;
