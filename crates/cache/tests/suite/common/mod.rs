//! What the tests stand on: a store that fails on demand, a recorder that can be asked, and a
//! cache with both.

mod recorder;
mod stage;
mod store;
mod wrapped;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::store::{Clock, ManualClock, Store};
use bytes::Bytes;
use cache::{Answer, Cache, CacheConfig, CacheError, CacheKey, Computed, Keep, Mode, Policy};

pub use recorder::Figures;
pub use stage::{Stage, let_others_run};
pub use store::{FakeStore, Fault};
pub use wrapped::SharedStore;

/// The error of the tests' computations.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken(pub u32);

pub type Outcome = Result<Answer, CacheError<Broken>>;

pub const LIFETIME: Duration = Duration::from_secs(900);
pub const POLICY: Policy = Policy::new(Duration::from_secs(30));

/// A cache, what it stands on and what it counted.
pub struct World {
    pub cache: Cache,
    pub store: Arc<FakeStore>,
    pub clock: Arc<ManualClock>,
    pub figures: Figures,
}

impl World {
    pub fn new() -> Self {
        Self::with(&CacheConfig::default())
    }

    pub fn with(config: &CacheConfig) -> Self {
        let clock = Arc::new(ManualClock::at(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        ));
        Self::over(config, Arc::new(FakeStore::default()), clock)
    }

    /// Another process over the same store and at the same time.
    pub fn replica(&self) -> Self {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        Self::over(&CacheConfig::default(), store, clock)
    }

    fn over(config: &CacheConfig, store: Arc<FakeStore>, clock: Arc<ManualClock>) -> Self {
        let figures = Figures::default();
        let cache = metrics::with_local_recorder(&figures, || {
            let store = Arc::clone(&store) as Arc<dyn Store>;
            let clock = Arc::clone(&clock) as Arc<dyn Clock>;
            Cache::new(config, &["validate"], Some(store), clock)
        });
        Self {
            cache: cache.expect("the configuration is valid"),
            store,
            clock,
            figures,
        }
    }

    /// Asks for `key` and would compute `value`.
    pub async fn ask(&self, key: &CacheKey, mode: Mode, value: &'static str) -> Outcome {
        self.cache
            .get_or_compute(key, POLICY, mode, move || async move { Ok(kept(value)) })
            .await
    }

    /// Asks for `key`, which must be kept.
    pub async fn kept(&self, key: &CacheKey) -> Answer {
        self.cache
            .get_or_compute(key, POLICY, Mode::Normal, || async { Err(Broken(0)) })
            .await
            .expect("it is kept")
    }

    /// Waits until everything under way is done.
    pub async fn settle(&self) {
        assert!(self.cache.drain(Duration::from_secs(3600)).await);
    }
}

/// A key for one input of one tenant.
pub fn key(input: &str) -> CacheKey {
    tenant_key("76000000-0", input)
}

pub fn tenant_key(tenant: &str, input: &str) -> CacheKey {
    CacheKey::builder("validate", tenant)
        .bytes("input", input.as_bytes())
        .finish()
}

/// An answer worth keeping.
pub fn kept(value: &'static str) -> Computed {
    Computed::new(Bytes::from_static(value.as_bytes()), Keep::For(LIFETIME))
}
