//! The real embedded engine with faults before it: what replicas share in the tests.

use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use store::{
    Added, Addition, Clock, EmbeddedConfig, EmbeddedStore, ErrorKind, Lease, Rate, Store,
    StoreError, StoreHealth, Subscription, Throttled, TimeLeft,
};

/// An engine in memory that several caches share, and that can be disturbed.
#[derive(Debug)]
pub struct SharedStore {
    engine: EmbeddedStore,
    /// Messages are lost.
    pub mute: AtomicBool,
    /// No call comes back.
    pub frozen: AtomicBool,
    /// Nobody can listen.
    pub deaf: AtomicBool,
    pub reads: AtomicUsize,
    pub leases: AtomicUsize,
    pub listeners: AtomicUsize,
}

impl SharedStore {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let engine = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock);
        Arc::new(Self {
            engine: engine.expect("an engine in memory"),
            mute: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
            leases: AtomicUsize::new(0),
            listeners: AtomicUsize::new(0),
        })
    }

    async fn engine(&self) -> &EmbeddedStore {
        if self.frozen.load(Ordering::SeqCst) {
            future::pending::<()>().await;
        }
        &self.engine
    }
}

#[async_trait]
impl Store for SharedStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.engine().await.get(key).await
    }

    async fn set(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        self.engine().await.set(key, value, lifetime).await
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        self.engine()
            .await
            .set_if_absent(key, value, lifetime)
            .await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        let engine = self.engine().await;
        engine.compare_and_set(key, expected, value, lifetime).await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        self.engine().await.delete(key).await
    }

    async fn time_left(&self, key: &str) -> Result<TimeLeft, StoreError> {
        self.engine().await.time_left(key).await
    }

    async fn expire(&self, key: &str, lifetime: Duration) -> Result<bool, StoreError> {
        self.engine().await.expire(key, lifetime).await
    }

    async fn increment(
        &self,
        key: &str,
        by: i64,
        lifetime: Option<Duration>,
    ) -> Result<i64, StoreError> {
        self.engine().await.increment(key, by, lifetime).await
    }

    async fn counters(&self, keys: &[&str]) -> Result<Vec<i64>, StoreError> {
        self.engine().await.counters(keys).await
    }

    async fn add_all(&self, additions: &[Addition<'_>]) -> Result<Added, StoreError> {
        self.engine().await.add_all(additions).await
    }

    async fn throttle(&self, key: &str, rate: Rate, cost: u32) -> Result<Throttled, StoreError> {
        self.engine().await.throttle(key, rate, cost).await
    }

    async fn set_insert(
        &self,
        key: &str,
        member: &str,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        self.engine().await.set_insert(key, member, lifetime).await
    }

    async fn set_remove(&self, key: &str, member: &str) -> Result<bool, StoreError> {
        self.engine().await.set_remove(key, member).await
    }

    async fn set_members(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.engine().await.set_members(key, limit).await
    }

    async fn acquire_lease(
        &self,
        key: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<Lease, StoreError> {
        let lease = self
            .engine()
            .await
            .acquire_lease(key, owner, lifetime)
            .await;
        self.leases.fetch_add(1, Ordering::SeqCst);
        lease
    }

    async fn release_lease(&self, key: &str, owner: &str) -> Result<bool, StoreError> {
        self.engine().await.release_lease(key, owner).await
    }

    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), StoreError> {
        let engine = self.engine().await;
        if self.mute.load(Ordering::SeqCst) {
            return Ok(());
        }
        engine.publish(channel, message).await
    }

    async fn subscribe(&self, channel: &str) -> Result<Subscription, StoreError> {
        let engine = self.engine().await;
        if self.deaf.load(Ordering::SeqCst) {
            return Err(StoreError::new(ErrorKind::Full, "subscribing"));
        }
        let subscription = engine.subscribe(channel).await;
        self.listeners.fetch_add(1, Ordering::SeqCst);
        subscription
    }

    async fn health(&self) -> StoreHealth {
        self.engine().await.health().await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.engine().await.flush().await
    }
}
