//! Answers worth keeping: found again, computed once, never mixed up.
//!
//! # When to use it
//!
//! When an answer takes long or costs money (a language model's, a remote service's) and the
//! same question comes again: from the same caller a minute later, or from a hundred callers
//! at once. Not for state that must not be lost: that belongs into a store.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use bytes::Bytes;
//! use cache::{Cache, CacheConfig, CacheKey, Computed, Keep, Mode, Policy, Status};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The second tier is any `Arc<dyn store::Store>`; without one the process's memory does.
//! let clock = Arc::new(store::SystemClock);
//! let cache = Cache::new(&CacheConfig::default(), &["validate"], None, clock)?;
//!
//! // Everything that the answer depends on is in the key; what isn't is listed.
//! let key = |body: &str| -> Result<CacheKey, cache::KeyError> {
//!     Ok(CacheKey::builder("validate", "tenant 1")
//!         .version("rules", "3")
//!         .model("claude-sonnet-4-5")
//!         .json(body, &["request_id"])?
//!         .finish())
//! };
//! let ask = |body| {
//!     let (cache, key) = (cache.clone(), key(body));
//!     async move {
//!         let compute = || async {
//!             let value = Bytes::from_static(b"{\"recommendation\":\"send\"}");
//!             let keep = Keep::For(Duration::from_secs(900));
//!             Ok::<_, std::io::Error>(Computed::new(value, keep))
//!         };
//!         let policy = Policy::new(Duration::from_secs(30));
//!         cache.get_or_compute(&key?, policy, Mode::Normal, compute).await
//! #           .map_err(Box::<dyn std::error::Error>::from)
//!     }
//! };
//!
//! let first = ask(r#"{"folio": 7, "monto_total": 1190, "request_id": "a"}"#).await?;
//! let again = ask(r#"{"monto_total": 1.19e3, "folio": 7, "request_id": "b"}"#).await?;
//! assert_eq!((first.status, again.status), (Status::Miss, Status::Hit));
//! assert_eq!(first.value, again.value);
//! assert_eq!(cache.stats().hit_rate(), 0.5);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/answers.rs` is a program to start from; `examples/measure.rs` prints what the
//! cache costs on a machine.
//!
//! # Guarantees
//!
//! - **Keys.** [`CacheKey`] is BLAKE3 over the operation, the tenant and every part given,
//!   each with its length. JSON counts by what it says: the order of members, white space,
//!   escapes and the spelling of numbers don't matter, everything else does. Numbers are
//!   exact decimals of any size, never floats. Strings are compared by their characters, and
//!   nothing is normalised: `é` in one piece and `é` in two are different. A member that is
//!   there twice, and nesting beyond [`MAX_JSON_DEPTH`], are errors.
//! - **Tiers.** First the process's memory, bounded by bytes; then the store, compressed over
//!   a threshold. Expiry is decided on every read by the clock that was given. What the store
//!   gives back is checked against the whole key: a damaged value, another version's or
//!   another key's is a miss.
//! - **The store can't hurt.** A read that fails or takes longer than its deadline is a miss;
//!   a write happens apart from the call, and is dropped when too many are under way. All of
//!   it is counted; the log has one line when it begins and one when it ends.
//! - **One computation.** Calls for one key at one time share one computation, which runs in
//!   its own task: it goes on, and its answer is kept, when the caller that began it, or all
//!   of them, go away. A panic or an error is never kept; who shares it is the caller's choice
//!   ([`Sharing`]). A caller's wait and a computation's time are bounded apart ([`Policy`]).
//! - **Over all replicas** that share a server as their store: one holds a lease, renews it
//!   while it computes, tells the others and gives it back. If it dies, another one takes over
//!   when the lease ends. With the store away each replica is on its own. The lease saves
//!   work; nothing is wrong if two compute ([`CacheConfig::replicas`]).
//! - **Streams** ([`Cache::stream_or_join`]): one computation for all who read, whenever they
//!   come, at a pace of their own; replayed event by event afterwards.
//! - **Late answers** only where the policy allows them, and named [`Status::Stale`].
//! - **[`Mode::Refresh`]** never returns an answer from before the call, and never makes a
//!   second computation beside one that is running.
//! - **Counted.** [`metrics`] names every metric; [`Cache::stats`] is a snapshot of them,
//!   [`Cache::shared_totals`] those of all replicas.
//!
//! Over [`CacheConfig::max_flights`] a call computes in its own task: it is answered and its
//! answer kept, but it can't be joined and ends with its caller. So does [`Mode::Bypass`].
//!
//! # Absent on purpose
//!
//! - No removal by key: a key has in it all that its answer depends on, so that a change asks
//!   for another key. `Refresh` replaces an answer that was wrong; [`Cache::flush`] is for an
//!   operator who wants all answers of an operation or a tenant made anew.
//! - Writes of one key to the store aren't ordered among each other: of two answers within a
//!   second either may stay, for its lifetime. Both are right.
//! - Streams under way aren't joined across replicas: the store's channels may lose events.
//! - No breaker: the store has one, and a flight asks a store that didn't answer nothing more.

mod adaptive;
mod answer;
mod cache;
mod canonical;
mod config;
mod early;
mod entry;
mod error;
mod flight;
mod flush;
mod fly;
mod frame;
mod inner;
mod key;
mod l1;
mod l2;
mod memo;
pub mod metrics;
mod policy;
mod replica;
mod spans;
mod stats;
mod stream;
mod totals;

pub use adaptive::{AdaptiveConfig, AdaptiveStep};
pub use answer::{Answer, Computed, Cost, Keep, Status};
pub use cache::Cache;
pub use canonical::{MAX_JSON_BYTES, MAX_JSON_DEPTH};
pub use config::{CacheConfig, Replicas};
pub use error::{CacheError, ConfigError, Fault, KeyError, KeyErrorKind};
pub use flush::{FlushScope, Flushed};
pub use key::{CacheKey, KeyBuilder};
pub use memo::KeyMemo;
pub use policy::{Classify, Lifetime, Mode, Policy, Sharing, WhenAlone};
pub use stats::{CacheStats, CacheTotals};
pub use stream::{StreamEnd, StreamReader, StreamWriter};
