//! The contract between the layers above and an engine below: what may be asked, what comes
//! back, and what every engine guarantees.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::once::{self, Conclusion, ValueOrLease};
use crate::{Problem, Rate, StandbyHealth, StoreError, Subscription, Throttled, Topology};

/// Longest key that an engine takes, in bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// Largest value that an engine takes, in bytes.
pub const MAX_VALUE_BYTES: usize = 8 * 1024 * 1024;

/// Longest member of a set, and longest name of a lease's owner, in bytes.
pub const MAX_MEMBER_BYTES: usize = 512;

/// Longest message of a channel, in bytes: a channel wakes people up, it carries no cargo.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Most counters that one call reads.
pub const MAX_COUNTERS: usize = 1_024;

/// Most counters that one call adds to.
pub const MAX_ADDITIONS: usize = 64;

/// Shared state with lifetimes.
///
/// Every operation is atomic, also against other processes on the same engine. A key holds
/// one kind of thing (a value, a counter, a set, a lease or a rate limit); asking for another kind is
/// [`crate::ErrorKind::WrongKind`]. A key whose lifetime is over is absent. A lifetime of
/// zero is refused.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The value under `key`, if it is there and alive.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// Puts `value` under `key`, whatever was there; `None` keeps it for good.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn set(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError>;

    /// Puts `value` under `key` only if nothing alive is there; says whether it did.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError>;

    /// Puts `value` under `key` only if what is there now is exactly `expected` (`None`: nothing
    /// alive); says whether it did. A lifetime of `None` keeps it for good, whatever lifetime
    /// was there.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError>;

    /// Removes `key`, whatever it holds; says whether something alive was there.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn delete(&self, key: &str) -> Result<bool, StoreError>;

    /// How long `key` still lives.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn time_left(&self, key: &str) -> Result<TimeLeft, StoreError>;

    /// Gives an existing `key` a new lifetime from now; says whether it was there.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn expire(&self, key: &str, lifetime: Duration) -> Result<bool, StoreError>;

    /// Adds `by` to the counter under `key` (absent counts as 0) and returns the sum. The
    /// lifetime is given only to a counter that this call creates, so that a window counter
    /// ends when its window does. A sum outside `i64` is refused and changes nothing.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn increment(
        &self,
        key: &str,
        by: i64,
        lifetime: Option<Duration>,
    ) -> Result<i64, StoreError>;

    /// The counters under `keys`, in their order; an absent one is 0. At most [`MAX_COUNTERS`].
    /// On a cluster they may be read one after the other.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn counters(&self, keys: &[&str]) -> Result<Vec<i64>, StoreError>;

    /// Adds to several counters at once, or to none: if one would exceed its limit, nothing
    /// changes. Reservation, settlement and ledger are all this. At most [`MAX_ADDITIONS`], each
    /// to another key; on a cluster the keys must share a hash tag `{…}`
    /// ([`crate::ErrorKind::InvalidArgument`] otherwise). A sum outside `i64` is refused and
    /// changes nothing.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn add_all(&self, additions: &[Addition<'_>]) -> Result<Added, StoreError>;

    /// Asks for `cost` permits of the rate limit under `key`, which all who share the store
    /// share: allowed and taken, or refused and nothing taken. A cost of 0 looks without taking;
    /// one over the burst could never be had and is refused as
    /// [`crate::ErrorKind::InvalidArgument`].
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn throttle(&self, key: &str, rate: Rate, cost: u32) -> Result<Throttled, StoreError>;

    /// Puts `member` into the set under `key`; says whether it is new. The lifetime, where
    /// given, is the whole set's and starts anew.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn set_insert(
        &self,
        key: &str,
        member: &str,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError>;

    /// Takes `member` out of the set under `key`; says whether it was in. An empty set is gone.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn set_remove(&self, key: &str, member: &str) -> Result<bool, StoreError>;

    /// Up to `limit` members of the set under `key`, in no promised order.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn set_members(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError>;

    /// Takes the lease under `key` for `owner` until `lifetime` is over, if nobody else has it.
    /// The owner who has it already gets it again, with the lifetime anew and the same fence.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn acquire_lease(
        &self,
        key: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<Lease, StoreError>;

    /// Gives up the lease under `key` if `owner` has it; says whether it had.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn release_lease(&self, key: &str, owner: &str) -> Result<bool, StoreError>;

    /// The value under `key` if it is there and alive; else the lease under `lease`, as
    /// [`Self::acquire_lease`] gives it. What is computed once for all begins with this: where the
    /// lease is granted, nothing was under `key` at a moment when the owner had it already. One trip
    /// where the engine can; this default is several, of which each is atomic.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn get_or_lease(
        &self,
        key: &str,
        lease: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<ValueOrLease, StoreError> {
        once::get_or_lease(self, key, lease, owner, lifetime).await
    }

    /// Ends what [`Self::get_or_lease`] began: puts the value, gives the lease up if the owner has
    /// it, and tells those who are subscribed to a channel of the lease's name. One trip where the
    /// engine can. A value that finds no room, or is too large, fails the call, and the rest happens
    /// nevertheless.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn conclude(&self, conclusion: Conclusion<'_>) -> Result<(), StoreError> {
        once::conclude(self, conclusion).await
    }

    /// Tells everyone who is subscribed to `channel` now; at most once, nothing is kept.
    /// Channels have a name space of their own beside the keys.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), StoreError>;

    /// Listens to `channel` from now on. Messages may be lost (a bounded buffer, a broken
    /// connection): whoever waits also polls.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn subscribe(&self, channel: &str) -> Result<Subscription, StoreError>;

    /// How the engine is, measured now with one small read. Never an error: that it is down
    /// is an answer.
    async fn health(&self) -> StoreHealth;

    /// Returns when everything written so far would survive the process.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn flush(&self) -> Result<(), StoreError>;
}

/// One counter's part of [`Store::add_all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addition<'a> {
    /// The counter; absent counts as 0.
    pub key: &'a str,
    /// What is added; negative takes off.
    pub by: i64,
    /// Most that the sum may be. Only an addition above 0 can exceed it: what takes off (or
    /// adds nothing) always may, also from a counter that is over.
    pub limit: Option<i64>,
    /// Given only to a counter that this call creates; `None` keeps it for good.
    pub lifetime: Option<Duration>,
}

/// What [`Store::add_all`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// All of it: the sums, in the order of the additions.
    All(Vec<i64>),
    /// Nothing, as this one (the first of them) would exceed its limit.
    Over {
        /// Which addition.
        index: usize,
        /// What its counter stands at.
        current: i64,
    },
}

/// How long a key still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLeft {
    /// Nothing alive is there.
    Absent,
    /// It has no end.
    Forever,
    /// It ends after this.
    For(Duration),
}

/// The answer to a request for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// It is yours. `fence` grows with every new holder of this key while the key's history
    /// is kept, so that a late writer can be told from the present one.
    Granted {
        /// Grows with every new holder.
        fence: u64,
        /// Whether nobody had this key before, neither now nor as long as its history reaches
        /// (at least five minutes after a lease). `false` also where an engine can't tell.
        first: bool,
    },
    /// Somebody else has it.
    Held {
        /// Who has it.
        owner: String,
        /// When it ends by itself.
        remaining: Duration,
    },
}

/// What kind of engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreKind {
    /// A file of this process's own.
    EmbeddedFile,
    /// This process's memory.
    EmbeddedMemory,
    /// One Redis server.
    RedisStandalone,
    /// A Redis master that sentinels watch over.
    RedisSentinel,
    /// A Redis cluster.
    RedisCluster,
}

/// How an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreHealth {
    /// What answered.
    pub kind: StoreKind,
    /// Whether a read came back.
    pub up: bool,
    /// How long that read took.
    pub latency: Duration,
    /// What is wrong, as a thing to decide by.
    pub problem: Option<Problem>,
    /// Why it is down, for an operator's eyes; never a secret.
    pub reason: Option<String>,
    /// Keys held, where the engine can count them for nothing.
    pub keys: Option<u64>,
    /// The servers behind it, where there are any.
    pub topology: Option<Topology>,
    /// What stands in while the engine is away, where something does.
    pub standby: Option<StandbyHealth>,
}

impl StoreHealth {
    /// An engine of `kind` that answered, or didn't, after `latency`.
    #[must_use]
    pub fn new(kind: StoreKind, up: bool, latency: Duration) -> Self {
        Self {
            kind,
            up,
            latency,
            problem: None,
            reason: None,
            keys: None,
            topology: None,
            standby: None,
        }
    }
}
