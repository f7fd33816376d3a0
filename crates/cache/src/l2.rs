//! The second tier: answers in the store. It may be slow, down or full of nonsense: that costs
//! a miss and is counted, and never fails a call.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use store::{Conclusion, Lease, Store, StoreError, StoreKind, Subscription, ValueOrLease};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::config::Replicas;
use crate::entry::Entry;
use crate::flush::Marks;
use crate::frame::HEAVY_BYTES;
use crate::metrics::{Metrics, StoreCall, StoreFailure};
use crate::outage::Outage;
use crate::{CacheConfig, CacheKey, frame};

#[derive(Debug)]
pub(crate) struct L2 {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    marks: Arc<Marks>,
    read_deadline: Duration,
    write_deadline: Duration,
    compress_from: usize,
    writes: Arc<Semaphore>,
    max_writes: usize,
    replicas: Replicas,
    /// Whether the engine is a server that others share; asked once.
    server: OnceCell<bool>,
    /// What is told of failures: when they begin and when they end, not once a request.
    outages: [Outage; StoreCall::LABELS.len()],
}

/// What a read came back with.
#[derive(Debug)]
pub(crate) enum Read {
    /// An answer that is still of some use.
    Found(Entry),
    /// Nothing.
    Nothing,
    /// The store gave no answer.
    Away,
}

impl L2 {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        config: &CacheConfig,
        metrics: Arc<Metrics>,
        marks: Arc<Marks>,
    ) -> Self {
        Self {
            store,
            metrics,
            marks,
            read_deadline: config.store_read_deadline(),
            write_deadline: config.store_write_deadline(),
            compress_from: config.compress_from_bytes,
            writes: Arc::new(Semaphore::new(config.max_pending_writes)),
            max_writes: config.max_pending_writes,
            replicas: config.replicas,
            server: OnceCell::new(),
            outages: Default::default(),
        }
    }

    /// Whether other replicas may be at work on the same store.
    pub(crate) async fn has_replicas(&self) -> bool {
        match self.replicas {
            Replicas::On => true,
            Replicas::Off => false,
            Replicas::Auto => {
                let ask = async {
                    let kind = self.store.health().await.kind;
                    !matches!(kind, StoreKind::EmbeddedFile | StoreKind::EmbeddedMemory)
                };
                let asked = timeout(self.read_deadline, self.server.get_or_init(|| ask)).await;
                asked.is_ok_and(|server| *server)
            }
        }
    }

    /// The entry under `key`, if the store gives one within the deadline that is this key's,
    /// whole, and still of some use.
    pub(crate) async fn read(&self, key: &CacheKey, now_ms: u64) -> Read {
        let begin = Instant::now();
        let name = key.store_name();
        let answer = timeout(self.read_deadline, self.store.get(&name)).await;
        self.metrics.l2_seconds.record(begin.elapsed());
        match self.settled(StoreCall::Read, answer) {
            Some(Some(stored)) => self.decoded(key, stored, now_ms).await,
            Some(None) => Read::Nothing,
            None => Read::Away,
        }
    }

    /// As [`Self::read`]; where the store has nothing, it gives the lease or tells who has it.
    pub(crate) async fn read_or_lease(
        &self,
        key: &CacheKey,
        now_ms: u64,
        (lease, owner): (&str, &str),
        lifetime: Duration,
    ) -> (Read, Option<Lease>) {
        let begin = Instant::now();
        let name = key.store_name();
        let answer = self.store.get_or_lease(&name, lease, owner, lifetime);
        let answer = timeout(self.read_deadline, answer).await;
        self.metrics.l2_seconds.record(begin.elapsed());
        match self.settled(StoreCall::Read, answer) {
            Some(ValueOrLease::Value(stored)) => (self.decoded(key, stored, now_ms).await, None),
            Some(ValueOrLease::Lease(lease)) => (Read::Nothing, Some(lease)),
            None => (Read::Away, None),
        }
    }

    /// The entry in what is stored under `key`.
    async fn decoded(&self, key: &CacheKey, stored: Bytes, now_ms: u64) -> Read {
        let key = *key;
        match off_runtime(frame::weight(&stored), move || frame::decode(&key, &stored)).await {
            Some(Ok(entry)) if self.marks.cover(&key, &entry) => Read::Nothing,
            Some(Ok(entry)) if entry.is_alive(now_ms) => Read::Found(entry),
            Some(Err(rejection)) => {
                self.metrics.rejected(rejection.into());
                Read::Nothing
            }
            Some(Ok(_)) | None => Read::Nothing,
        }
    }

    /// Leave to have one more write under way, unless too many are.
    pub(crate) fn write_permit(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.writes).try_acquire_owned().ok();
        if permit.is_none() {
            self.metrics
                .store_failed(StoreCall::Write, StoreFailure::Dropped);
        }
        permit
    }

    /// Writes `entry` under `key` in a task of its own, unless too many writes are under way.
    pub(crate) fn write(self: &Arc<Self>, key: &CacheKey, entry: Entry, now_ms: u64) {
        let Some(permit) = self.write_permit() else {
            return;
        };
        let (tier, key) = (Arc::clone(self), *key);
        tokio::spawn(async move {
            if let Some(frame) = tier.frame(&key, entry.clone()).await {
                let (raw, lifetime) = (entry.value.len(), entry.remaining(now_ms));
                tier.put(&key, frame, raw, lifetime).await;
            }
            drop(permit);
        });
    }

    /// The frame of an entry.
    pub(crate) async fn frame(&self, key: &CacheKey, entry: Entry) -> Option<Bytes> {
        let (key, compress_from, raw) = (*key, self.compress_from, entry.value.len());
        off_runtime(raw, move || frame::encode(&key, &entry, compress_from)).await
    }

    /// Writes the frame of a value of `raw` bytes under `key`. An answer whose time is over
    /// meanwhile is left out.
    async fn put(&self, key: &CacheKey, frame: Bytes, raw: usize, lifetime: Duration) {
        if lifetime.is_zero() {
            return;
        }
        let (name, framed) = (key.store_name(), frame.len());
        let write = self.store.set(&name, frame, Some(lifetime));
        let done = timeout(self.write_deadline, write).await;
        if self.settled(StoreCall::Write, done).is_some() {
            self.metrics.framed(raw, framed);
        }
    }

    /// Writes what is to be kept, the frame of a value of so many bytes, tells the others, gives the
    /// lease back. If the store doesn't answer the lease ends by itself.
    pub(crate) async fn conclude(&self, conclusion: Conclusion<'_>, raw: usize) {
        let framed = conclusion.value.as_ref().map(|(_, frame, _)| frame.len());
        let done = timeout(self.write_deadline, self.store.conclude(conclusion)).await;
        if let (Some(()), Some(framed)) = (self.settled(StoreCall::Write, done), framed) {
            self.metrics.framed(raw, framed);
        }
    }

    /// Takes or renews a lease; nothing if the store gave no answer.
    pub(crate) async fn lease(&self, name: &str, owner: &str, lease: Duration) -> Option<Lease> {
        let answer = self.store.acquire_lease(name, owner, lease);
        let answer = timeout(self.read_deadline, answer).await;
        self.settled(StoreCall::Lease, answer)
    }

    pub(crate) async fn release(&self, name: &str, owner: &str) {
        let answer = self.store.release_lease(name, owner);
        let answer = timeout(self.write_deadline, answer).await;
        self.settled(StoreCall::Lease, answer);
    }

    pub(crate) async fn listen(&self, channel: &str) -> Option<Subscription> {
        let answer = timeout(self.read_deadline, self.store.subscribe(channel)).await;
        self.settled(StoreCall::Channel, answer)
    }

    /// Adds to the counters that all replicas share; says whether it did.
    pub(crate) async fn add_all(&self, additions: &[store::Addition<'_>]) -> bool {
        let answer = timeout(self.write_deadline, self.store.add_all(additions)).await;
        self.settled(StoreCall::Totals, answer).is_some()
    }

    pub(crate) async fn counters(&self, names: &[&str]) -> Option<Vec<i64>> {
        let answer = timeout(self.read_deadline, self.store.counters(names)).await;
        self.settled(StoreCall::Totals, answer)
    }

    /// What is noted under `name`; nothing if the store gave no answer.
    pub(crate) async fn note(&self, name: &str) -> Option<Option<Bytes>> {
        let answer = timeout(self.read_deadline, self.store.get(name)).await;
        self.settled(StoreCall::Read, answer)
    }

    /// Notes `new` under `name` unless something else than `old` is there; says whether it did.
    pub(crate) async fn replace_note(
        &self,
        name: &str,
        old: Option<&[u8]>,
        new: Bytes,
        lifetime: Duration,
    ) -> Option<bool> {
        let write = self.store.compare_and_set(name, old, new, Some(lifetime));
        let answer = timeout(self.write_deadline, write).await;
        self.settled(StoreCall::Write, answer)
    }

    /// Returns when no write is under way.
    pub(crate) async fn drained(&self) {
        // The semaphore is never closed.
        let _all = self.writes.acquire_many(self.max_writes as u32).await;
    }

    /// What a call of the store gave, if it gave anything; a failure is counted and, where it
    /// is news, logged.
    fn settled<T>(
        &self,
        call: StoreCall,
        answer: Result<Result<T, StoreError>, tokio::time::error::Elapsed>,
    ) -> Option<T> {
        let (outage, call_name) = (self.outages.get(call as usize), call.label());
        let (failure, error) = match answer {
            Ok(Ok(value)) => {
                if outage.is_some_and(Outage::went_well) {
                    tracing::info!(call = call_name, "the cache's store answers again");
                }
                return Some(value);
            }
            Ok(Err(error)) => (StoreFailure::Error, Some(error)),
            Err(_elapsed) => (StoreFailure::Timeout, None),
        };
        self.metrics.store_failed(call, failure);
        if let Some(untold) = outage.and_then(|outage| outage.failed(Instant::now())) {
            // Without an error it was too slow.
            let error = error.as_ref().map(tracing::field::display);
            tracing::warn!(
                error,
                call = call_name,
                untold,
                "the cache goes on without its store"
            );
        }
        None
    }
}

/// Runs what takes time in proportion to `bytes`: here, or where it may block if they are many.
/// Nothing only if the process is ending.
async fn off_runtime<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if bytes < HEAVY_BYTES {
        return Some(work());
    }
    tokio::task::spawn_blocking(work).await.ok()
}
