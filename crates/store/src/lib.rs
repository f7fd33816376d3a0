//! Shared state with lifetimes: values, counters, sets, leases, rate limits and channels.
//!
//! # When to use it
//!
//! A service needs a few things that outlive a request: an answer worth keeping for a quarter
//! of an hour, a counter per minute, "only one replica does this at a time". [`Store`] is the
//! contract for those, and nothing more. Three engines keep it:
//!
//! - [`EmbeddedStore`] in a file of the process's own, or in memory, with no server to run;
//! - [`RedisStore`] in Redis (one server, a master under sentinels, a cluster), shared by all
//!   replicas of a service;
//! - [`ResilientStore`] in Redis with an embedded engine as its stand-in: what a service wants
//!   that must not depend on Redis.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use store::{EmbeddedConfig, EmbeddedStore, Lease, Store, SystemClock};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("data/store.redb");
//! let store = EmbeddedStore::open(file, EmbeddedConfig::default(), Arc::new(SystemClock)).await?;
//!
//! let minute = Some(Duration::from_secs(60));
//! store.set("answer:33:1042", "aceptado".into(), minute).await?;
//! assert_eq!(store.get("answer:33:1042").await?.as_deref(), Some(&b"aceptado"[..]));
//!
//! assert_eq!(store.increment("calls:76192083-9", 1, minute).await?, 1);
//! assert_eq!(store.increment("calls:76192083-9", 1, minute).await?, 2);
//!
//! let lease = store.acquire_lease("monitor", "replica-1", Duration::from_secs(30)).await?;
//! assert!(matches!(lease, Lease::Granted { .. }));
//!
//! store.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Redis with a stand-in, where Redis isn't there at all:
//!
//! ```
//! # use std::sync::Arc;
//! # use store::{
//! #     EmbeddedConfig, EmbeddedStore, KeyClass, KeyClasses, RedisConfig, RedisStore,
//! #     ResilientConfig, ResilientStore, Store, SystemClock,
//! # };
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let redis = RedisStore::start(RedisConfig::from_url("redis://127.0.0.1:1")?)?;
//! let local = EmbeddedStore::in_memory(EmbeddedConfig::default(), Arc::new(SystemClock))?;
//! let classes = KeyClasses::new(KeyClass::Durable).with("cache:", KeyClass::Ephemeral);
//! let config = ResilientConfig::new(classes);
//! let store = ResilientStore::start(redis, Arc::new(local), config, Arc::new(SystemClock)).await?;
//!
//! // A cached answer is missed, a cost is counted and told to Redis later.
//! assert_eq!(store.get("cache:33:1042").await?, None);
//! assert_eq!(store.increment("cost:2026-11", 1_250, None).await?, 1_250);
//! let health = store.health().await;
//! assert!(!health.up && health.standby.is_some_and(|standby| standby.journal_len == 1));
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - Every operation is atomic, and visible to all once it is answered.
//! - No engine needs its server at the start, and none waits for it beyond its deadline.
//! - What the file engine has acknowledged is on the disk (`fsync`), also if the process is
//!   killed a moment later. Writes that queue up share one commit, so many at a time cost
//!   little more than one.
//! - Every call ends within its deadline; the queue of writes, the readers, the bytes held and
//!   the members of a set are bounded: see [`EmbeddedConfig`]. What gives way when the bound is
//!   met is written at [`EmbeddedStore`].
//! - An error says what it is, whose fault, and whether asking again may help: [`StoreError`].
//!   A file that can't be opened says why: [`OpenErrorKind`].
//! - Time is a [`Clock`] that you pass in, also across restarts; in Redis it is the server's.
//!
//! Writing your own engine? Feature `test-util` has `conformance`, which holds any [`Store`] to
//! the contract, `ManualClock`, and `test_util`: real Redis servers, sentinels and clusters, and a
//! network that breaks on demand. One hint for tests above it: tokio's paused time jumps ahead
//! while the embedded engine's thread works, so that calls seem to time out. Leave tokio's time
//! running and move a `ManualClock` instead.
//!
//! # Absent on purpose
//!
//! - Transactions over several keys, queries, key listings: this is no database.
//! - Retries: the caller knows whether a second try is worth it ([`StoreError::is_retryable`]).
//! - Metrics of the single engines: wrap the trait, as [`ResilientStore`] does. Logs are one
//!   `tracing` line where an engine handles a failure.
//! - Sharing one file between processes: the second gets [`OpenErrorKind::Locked`].
//! - Encryption of the file: it is readable by its owner alone, the disk's encryption is the
//!   operator's.

mod api;
mod checks;
mod clock;
#[cfg(feature = "test-util")]
pub mod conformance;
mod embedded;
mod error;
mod health;
mod once;
mod pubsub;
mod redis;
mod resilient;
#[cfg(feature = "test-util")]
pub mod test_util;
mod throttle;

pub use api::{
    Added, Addition, Lease, MAX_ADDITIONS, MAX_COUNTERS, MAX_KEY_BYTES, MAX_MEMBER_BYTES,
    MAX_MESSAGE_BYTES, MAX_VALUE_BYTES, Store, StoreHealth, StoreKind, TimeLeft,
};
#[cfg(any(test, feature = "test-util"))]
pub use clock::ManualClock;
pub use clock::{Clock, SystemClock};
pub use embedded::{EmbeddedConfig, EmbeddedStore, OpenError, OpenErrorKind};
pub use error::{ErrorKind, Fault, StoreError};
pub use health::{Problem, StandbyHealth, Topology};
pub use once::{Conclusion, ValueOrLease};
pub use pubsub::Subscription;
pub use redis::{
    Deployment, RedisConfig, RedisConfigError, RedisHost, RedisParameters, RedisStore, RedisTls,
};
pub use resilient::{KeyClass, KeyClasses, ResilientConfig, ResilientStore};
pub use throttle::{LocalLimit, Rate, Throttled};
