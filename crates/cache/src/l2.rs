//! The second tier: answers in the store. It may be slow, down or full of nonsense: that costs
//! a miss and is counted, and never fails a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use store::{Store, StoreError};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::entry::Entry;
use crate::metrics::{Metrics, StoreCall, StoreFailure};
use crate::{CacheConfig, CacheKey, frame};

#[derive(Debug)]
pub(crate) struct L2 {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    read_deadline: Duration,
    write_deadline: Duration,
    writes: Arc<Semaphore>,
    max_writes: usize,
    /// Whether the last call failed: a failure is logged when it begins and when it ends, not
    /// once a request.
    failing: AtomicBool,
}

impl L2 {
    pub(crate) fn new(store: Arc<dyn Store>, config: &CacheConfig, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            metrics,
            read_deadline: config.store_read_deadline(),
            write_deadline: config.store_write_deadline(),
            writes: Arc::new(Semaphore::new(config.max_pending_writes)),
            max_writes: config.max_pending_writes,
            failing: AtomicBool::new(false),
        }
    }

    /// The entry under `key`, if the store gives one within the deadline that is this key's,
    /// whole, and may still be served.
    pub(crate) async fn read(&self, key: &CacheKey, now_ms: u64) -> Option<Entry> {
        let begin = Instant::now();
        let name = key.store_name();
        let answer = timeout(self.read_deadline, self.store.get(&name)).await;
        self.metrics.l2_seconds.record(begin.elapsed());
        let stored = self.settled(StoreCall::Read, answer)??;
        match frame::decode(key, &stored) {
            Ok(entry) => Some(entry).filter(|entry| entry.is_alive(now_ms)),
            Err(rejection) => {
                self.metrics.rejected(rejection.into());
                None
            }
        }
    }

    /// Writes `frame` under `key` in a task of its own, unless too many writes are under way.
    pub(crate) fn write(self: &Arc<Self>, key: &CacheKey, frame: Bytes, lifetime: Duration) {
        let Ok(permit) = Arc::clone(&self.writes).try_acquire_owned() else {
            self.metrics
                .store_failed(StoreCall::Write, StoreFailure::Dropped);
            return;
        };
        let tier = Arc::clone(self);
        let name = key.store_name();
        tokio::spawn(async move {
            let write = tier.store.set(&name, frame, Some(lifetime));
            let done = timeout(tier.write_deadline, write).await;
            tier.settled(StoreCall::Write, done);
            drop(permit);
        });
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
