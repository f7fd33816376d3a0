//! The contract between the layers above and an engine below: what may be asked, what comes
//! back, and what every engine guarantees.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::StoreError;

/// Longest key that an engine takes, in bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// Largest value that an engine takes, in bytes.
pub const MAX_VALUE_BYTES: usize = 8 * 1024 * 1024;

/// Longest member of a set, and longest name of a lease's owner, in bytes.
pub const MAX_MEMBER_BYTES: usize = 512;

/// Shared state with lifetimes.
///
/// Every operation is atomic, also against other processes on the same engine. A key holds
/// one kind of thing (a value, a counter, a set or a lease); asking for another kind is
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

    /// How the engine is, measured now with one small read. Never an error: that it is down
    /// is an answer.
    async fn health(&self) -> StoreHealth;

    /// Returns when everything written so far would survive the process.
    ///
    /// # Errors
    /// As every operation: see [`crate::ErrorKind`].
    async fn flush(&self) -> Result<(), StoreError>;
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
}

/// How an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreHealth {
    /// What answered.
    pub kind: StoreKind,
    /// Whether a read came back.
    pub up: bool,
    /// How long that read took.
    pub latency: Duration,
    /// Why it is down, for an operator's eyes; never a secret.
    pub reason: Option<String>,
    /// Keys held, where the engine can count them for nothing.
    pub keys: Option<u64>,
}
