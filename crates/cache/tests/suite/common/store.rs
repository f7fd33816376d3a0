//! A store in a map that fails, hangs or waits when it is told to.

use std::collections::HashMap;
use std::future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use store::{
    Added, Addition, ErrorKind, Lease, Rate, Store, StoreError, StoreHealth, StoreKind,
    Subscription, Throttled, TimeLeft,
};
use tokio::sync::Semaphore;

/// What a call of the fake does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// It works.
    #[default]
    None,
    /// It fails at once.
    Fail,
    /// It never comes back, as a frozen server.
    Hang,
    /// It waits for [`FakeStore::open_gate`], then works.
    Gate,
}

#[derive(Debug)]
pub struct FakeStore {
    values: Mutex<HashMap<String, (Bytes, Option<Duration>)>>,
    fault: Mutex<Fault>,
    reads: AtomicUsize,
    writes: AtomicUsize,
    gate: Semaphore,
    arrived: Semaphore,
}

impl Default for FakeStore {
    fn default() -> Self {
        Self {
            values: Mutex::default(),
            fault: Mutex::default(),
            reads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            arrived: Semaphore::new(0),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeStore {
    /// From now on every call does this.
    pub fn set_fault(&self, fault: Fault) {
        *lock(&self.fault) = fault;
    }

    /// Lets one call through the gate.
    pub fn open_gate(&self) {
        self.gate.add_permits(1);
    }

    /// Returns when one more call stands at the gate.
    pub async fn somebody_at_gate(&self) {
        self.arrived.acquire().await.expect("open").forget();
    }

    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }

    /// What lies under `name`, whatever the fault.
    pub fn peek(&self, name: &str) -> Option<Bytes> {
        lock(&self.values).get(name).map(|(value, _)| value.clone())
    }

    /// The lifetime that `name` was given.
    pub fn lifetime(&self, name: &str) -> Option<Duration> {
        lock(&self.values).get(name)?.1
    }

    /// Puts `value` under `name`, whatever the fault.
    pub fn plant(&self, name: &str, value: Bytes) {
        lock(&self.values).insert(name.to_owned(), (value, None));
    }

    async fn suffer(&self) -> Result<(), StoreError> {
        let fault = *lock(&self.fault);
        match fault {
            Fault::None => Ok(()),
            Fault::Fail => Err(StoreError::new(ErrorKind::Unavailable, "told to fail")),
            Fault::Hang => future::pending().await,
            Fault::Gate => {
                self.arrived.add_permits(1);
                self.gate.acquire().await.expect("open").forget();
                Ok(())
            }
        }
    }
}

/// The cache calls nothing but `get` and `set`: anything else is refused.
fn unused<T>() -> Result<T, StoreError> {
    Err(StoreError::new(ErrorKind::Engine, "not part of this fake"))
}

#[async_trait]
impl Store for FakeStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.suffer().await?;
        Ok(self.peek(key))
    }

    async fn set(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.suffer().await?;
        lock(&self.values).insert(key.to_owned(), (value, lifetime));
        Ok(())
    }

    async fn set_if_absent(
        &self,
        _: &str,
        _: Bytes,
        _: Option<Duration>,
    ) -> Result<bool, StoreError> {
        unused()
    }

    async fn compare_and_set(
        &self,
        _: &str,
        _: Option<&[u8]>,
        _: Bytes,
        _: Option<Duration>,
    ) -> Result<bool, StoreError> {
        unused()
    }

    async fn counters(&self, _: &[&str]) -> Result<Vec<i64>, StoreError> {
        unused()
    }

    async fn add_all(&self, _: &[Addition<'_>]) -> Result<Added, StoreError> {
        unused()
    }

    async fn throttle(&self, _: &str, _: Rate, _: u32) -> Result<Throttled, StoreError> {
        unused()
    }

    async fn publish(&self, _: &str, _: Bytes) -> Result<(), StoreError> {
        unused()
    }

    async fn subscribe(&self, _: &str) -> Result<Subscription, StoreError> {
        unused()
    }

    async fn delete(&self, _: &str) -> Result<bool, StoreError> {
        unused()
    }

    async fn time_left(&self, _: &str) -> Result<TimeLeft, StoreError> {
        unused()
    }

    async fn expire(&self, _: &str, _: Duration) -> Result<bool, StoreError> {
        unused()
    }

    async fn increment(&self, _: &str, _: i64, _: Option<Duration>) -> Result<i64, StoreError> {
        unused()
    }

    async fn set_insert(&self, _: &str, _: &str, _: Option<Duration>) -> Result<bool, StoreError> {
        unused()
    }

    async fn set_remove(&self, _: &str, _: &str) -> Result<bool, StoreError> {
        unused()
    }

    async fn set_members(&self, _: &str, _: usize) -> Result<Vec<String>, StoreError> {
        unused()
    }

    async fn acquire_lease(&self, _: &str, _: &str, _: Duration) -> Result<Lease, StoreError> {
        unused()
    }

    async fn release_lease(&self, _: &str, _: &str) -> Result<bool, StoreError> {
        unused()
    }

    async fn health(&self) -> StoreHealth {
        let up = *lock(&self.fault) == Fault::None;
        StoreHealth::new(StoreKind::EmbeddedMemory, up, Duration::ZERO)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
