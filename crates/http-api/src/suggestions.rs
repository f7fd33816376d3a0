//! How often projects were suggested, counted by tenant: off the answer's path, and together with
//! what others are suggested at the same time.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use matching::analytics::Stats;
use matching::projects::Suggestion;
use store::{ErrorKind, Store, StoreError};
use tokio::sync::RwLock;

use crate::auth::Tenant;

/// For so long after the first of them suggestions are counted together.
const TOGETHER: Duration = Duration::from_millis(100);

/// Until a store that was away is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// How often counting is tried again when another replica counted at the same moment.
const ATTEMPTS: usize = 8;

/// Tenants whose suggestions may wait, and whose figures are known: who asks for ever new ones
/// takes no memory.
const MOST: usize = 512;

/// What was suggested. A clone is another handle of the same.
#[derive(Debug, Clone)]
pub(crate) struct Suggestions {
    store: Arc<dyn Store>,
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    /// Held for writing while what waited is on its way into the store, so that who reads the
    /// store finds it there or among what waits, once.
    moving: RwLock<()>,
}

#[derive(Debug, Default)]
struct State {
    /// What isn't in the store yet.
    waiting: HashMap<Tenant, Stats>,
    /// Whether a task is under way that will write it.
    at_work: bool,
    /// What was read last, for as long as the store is away.
    known: HashMap<Tenant, Stats>,
}

/// Why something wasn't counted.
struct Uncounted {
    error: StoreError,
    /// Whether it may have been, after all: to count it again could count it twice.
    perhaps: bool,
}

impl Suggestions {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            inner: Arc::default(),
        }
    }

    /// Counts a suggestion, for its company and for the key.
    pub(crate) fn count(&self, tenant: &Tenant, suggestion: &Suggestion) {
        let mut counted = Stats::default();
        counted.add(suggestion);
        let mut state = self.state();
        let caller = tenant.of_caller();
        let both = [
            Some(tenant),
            Some(&caller).filter(|caller| *caller != tenant),
        ];
        for tenant in both.into_iter().flatten() {
            state.wait(tenant.clone(), counted.clone());
        }
        if !mem::replace(&mut state.at_work, true) {
            drop(state);
            tokio::spawn(self.clone().work());
        }
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// That of the store, if something still waits because of it.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        let _moving = self.inner.moving.write().await;
        let waiting = mem::take(&mut self.state().waiting);
        let mut failed = None;
        for (tenant, counted) in waiting {
            match self.add(&tenant, &counted).await {
                Ok(()) => {}
                Err(Uncounted {
                    error,
                    perhaps: true,
                }) => {
                    tracing::warn!(%error, "whether suggestions were counted isn't known");
                }
                Err(Uncounted { error, .. }) => {
                    self.state().wait(tenant, counted);
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// The figures of a tenant, with all that this process has counted; and whether they are
    /// older ones, as the store is away.
    ///
    /// # Errors
    /// That of the store, where nothing was read before.
    pub(crate) async fn of(&self, tenant: &Tenant) -> Result<(Stats, bool), StoreError> {
        let _still = self.inner.moving.read().await;
        let loaded = self.load(tenant).await;
        let mut state = self.state();
        let (stats, old) = match loaded {
            Ok((stats, _)) => {
                state.know(tenant, &stats);
                (stats, false)
            }
            Err(error) => (state.known.get(tenant).cloned().ok_or(error)?, true),
        };
        Ok((state.with_waiting(tenant, stats), old))
    }

    /// Writes until nothing waits.
    async fn work(self) {
        loop {
            tokio::time::sleep(TOGETHER).await;
            if let Err(error) = self.flush().await {
                tracing::warn!(%error, "suggestions wait to be counted");
                tokio::time::sleep(AGAIN).await;
            }
            let mut state = self.state();
            if state.waiting.is_empty() {
                state.at_work = false;
                return;
            }
        }
    }

    /// What was counted of a tenant, and the bytes that say so.
    async fn load(&self, tenant: &Tenant) -> Result<(Stats, Option<Bytes>), StoreError> {
        let bytes = self.store.get(&key(tenant)).await?;
        let stats = bytes
            .as_deref()
            .and_then(|bytes| serde_json::from_slice(bytes).ok())
            .unwrap_or_default();
        Ok((stats, bytes))
    }

    async fn add(&self, tenant: &Tenant, counted: &Stats) -> Result<(), Uncounted> {
        let key = key(tenant);
        for _ in 0..ATTEMPTS {
            let loaded = self.load(tenant).await;
            let (mut stats, before) = loaded.map_err(|error| Uncounted {
                error,
                perhaps: false,
            })?;
            stats.merge(counted.clone());
            // Numbers and names: it can't fail to encode.
            let after = Bytes::from(serde_json::to_vec(&stats).unwrap_or_default());
            let set = self
                .store
                .compare_and_set(&key, before.as_deref(), after, None);
            match set.await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    let perhaps = error.kind() == ErrorKind::Timeout;
                    return Err(Uncounted { error, perhaps });
                }
            }
        }
        // Many replicas count for this tenant just now.
        let error = StoreError::new(ErrorKind::Unavailable, "counting suggestions");
        Err(Uncounted {
            error,
            perhaps: false,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.inner.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self, tenant: Tenant, counted: Stats) {
        let room = self.waiting.len() < MOST;
        match self.waiting.get_mut(&tenant) {
            Some(waiting) => waiting.merge(counted),
            None if room => {
                self.waiting.insert(tenant, counted);
            }
            None => tracing::warn!("a suggestion isn't counted: too many wait for the store"),
        }
    }

    fn know(&mut self, tenant: &Tenant, stats: &Stats) {
        if self.known.len() < MOST || self.known.contains_key(tenant) {
            self.known.insert(tenant.clone(), stats.clone());
        }
    }

    /// With what waits of a tenant.
    fn with_waiting(&self, tenant: &Tenant, mut stats: Stats) -> Stats {
        if let Some(waiting) = self.waiting.get(tenant) {
            stats.merge(waiting.clone());
        }
        stats
    }
}

fn key(tenant: &Tenant) -> String {
    format!("analytics:v1:{}", tenant.as_str())
}

#[cfg(test)]
mod tests;
