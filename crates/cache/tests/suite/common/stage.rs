//! Computations that wait for the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache::{Cache, CacheKey, Computed, Mode};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

use super::{Broken, Outcome, POLICY, World, kept};

/// A computation that tells when it has begun and waits until it may end.
#[derive(Clone)]
pub struct Stage {
    begun: Arc<Semaphore>,
    may_end: Arc<Semaphore>,
    pub runs: Arc<AtomicUsize>,
}

impl Stage {
    pub fn new() -> Self {
        Self {
            begun: Arc::new(Semaphore::new(0)),
            may_end: Arc::new(Semaphore::new(0)),
            runs: Arc::default(),
        }
    }

    pub async fn play(self, end: Result<Computed, Broken>) -> Result<Computed, Broken> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.begun.add_permits(1);
        self.may_end.acquire().await.unwrap().forget();
        end
    }

    /// Waits until a run has begun; a run that never begins fails the test.
    pub async fn has_begun(&self) {
        let begun = timeout(Duration::from_secs(60), self.begun.acquire()).await;
        begun.expect("a run begins").unwrap().forget();
    }

    pub fn end(&self) {
        self.may_end.add_permits(1);
    }

    pub fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    /// A call in a task of its own.
    pub fn call(&self, world: &World, key: CacheKey, mode: Mode) -> JoinHandle<Outcome> {
        self.call_of(&world.cache, key, mode)
    }

    pub fn call_of(&self, cache: &Cache, key: CacheKey, mode: Mode) -> JoinHandle<Outcome> {
        let (cache, stage) = (cache.clone(), self.clone());
        tokio::spawn(async move {
            cache
                .get_or_compute(&key, POLICY, mode, || stage.play(Ok(kept("staged"))))
                .await
        })
    }
}

/// Lets every task that is ready come as far as it can.
pub async fn let_others_run() {
    for _ in 0..20 {
        yield_now().await;
    }
}
