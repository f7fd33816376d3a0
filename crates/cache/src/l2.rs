//! The second tier: answers in the store. It may be slow, down or full of nonsense: that costs
//! a miss and is counted, and never fails a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use store::{Lease, Store, StoreError, StoreKind, Subscription};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::config::Replicas;
use crate::entry::Entry;
use crate::flush::Marks;
use crate::frame::HEAVY_BYTES;
use crate::metrics::{Metrics, StoreCall, StoreFailure};
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
    /// Whether the last call failed: a failure is logged when it begins and when it ends, not
    /// once a request.
    failing: AtomicBool,
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
            failing: AtomicBool::new(false),
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
        let stored = match self.settled(StoreCall::Read, answer) {
            Some(Some(stored)) => stored,
            Some(None) => return Read::Nothing,
            None => return Read::Away,
        };
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

    /// Writes the frame of a value of `raw` bytes under `key`; says whether the store answered,
    /// if only that it can't (as when it is full). An answer whose time is over meanwhile is
    /// left out.
    pub(crate) async fn put(
        &self,
        key: &CacheKey,
        frame: Bytes,
        raw: usize,
        lifetime: Duration,
    ) -> bool {
        if lifetime.is_zero() {
            return true;
        }
        let (name, framed) = (key.store_name(), frame.len());
        let write = self.store.set(&name, frame, Some(lifetime));
        let done = timeout(self.write_deadline, write).await;
        let answered = done.is_ok();
        if self.settled(StoreCall::Write, done).is_some() {
            self.metrics.framed(raw, framed);
        }
        answered
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

    pub(crate) async fn tell(&self, channel: &str, message: Bytes) {
        let answer = self.store.publish(channel, message);
        let answer = timeout(self.write_deadline, answer).await;
        self.settled(StoreCall::Channel, answer);
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

    /// What a call of the store gave, if it gave anything; a failure is counted and, when it
    /// is the first after a success, logged.
    fn settled<T>(
        &self,
        call: StoreCall,
        answer: Result<Result<T, StoreError>, tokio::time::error::Elapsed>,
    ) -> Option<T> {
        match answer {
            Ok(Ok(value)) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the cache's store answers again");
                }
                Some(value)
            }
            Ok(Err(error)) => {
                self.metrics.store_failed(call, StoreFailure::Error);
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, call = call.label(), "the cache goes on without its store");
                }
                None
            }
            Err(_elapsed) => {
                self.metrics.store_failed(call, StoreFailure::Timeout);
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        call = call.label(),
                        "the cache goes on without its store, which is too slow"
                    );
                }
                None
            }
        }
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
