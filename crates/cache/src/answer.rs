//! What goes into a call and what comes out.

use std::time::Duration;

use bytes::Bytes;

use crate::entry::Entry;

/// What a computation gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// The answer's bytes, encoded once; later hits get the same bytes.
    pub value: Bytes,
    /// Whether to keep it.
    pub keep: Keep,
}

/// Whether an answer is worth keeping. Only complete, undegraded, successful ones are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For so long from now, or the configured maximum if that is shorter. Zero keeps nothing.
    For(Duration),
    /// It goes to those who wait for it and to nobody after them.
    No,
}

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long the caller waits for an answer, whoever computes it.
    pub wait: Duration,
    /// How long one computation may run before it is dropped. It is apart from `wait`: a
    /// computation outlives callers that gave up, but it can't hold its key for ever.
    pub compute_limit: Duration,
}

impl Policy {
    /// What [`Policy::new`] gives a computation.
    pub const DEFAULT_COMPUTE_LIMIT: Duration = Duration::from_secs(120);

    /// Waits for `wait`; computations may take [`Policy::DEFAULT_COMPUTE_LIMIT`].
    #[must_use]
    pub const fn new(wait: Duration) -> Self {
        Self {
            wait,
            compute_limit: Self::DEFAULT_COMPUTE_LIMIT,
        }
    }

    /// The same with another limit for the computation.
    #[must_use]
    pub const fn compute_limit(mut self, limit: Duration) -> Self {
        self.compute_limit = limit;
        self
    }
}

/// What a call may do with what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Read, else compute and keep.
    #[default]
    Normal,
    /// Don't read; compute and keep (`Cache-Control: no-cache`). It joins a computation that
    /// is running, since that reads nothing either, and makes a flight that is still reading
    /// compute instead: an answer from before the call is never returned, and there is still
    /// one computation per key at a time.
    Refresh,
    /// Neither read nor keep (`Cache-Control: no-store`). Nobody joins it, it joins nobody,
    /// and it ends with its caller.
    Bypass,
}

/// An answer and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The bytes that the computation gave, now or once.
    pub value: Bytes,
    /// Where it is from.
    pub status: Status,
    /// How long ago it was computed; zero unless it is a [`Status::Hit`].
    pub age: Duration,
}

impl Answer {
    /// An answer that was kept.
    pub(crate) fn hit(entry: Entry, now_ms: u64) -> Self {
        let age = entry.age(now_ms);
        Self {
            value: entry.value,
            status: Status::Hit,
            age,
        }
    }
}

/// Where an answer is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// It was kept, in the process or in the store.
    Hit,
    /// It was computed for this call.
    Miss,
    /// It was computed for another call that was under way.
    Coalesced,
    /// It was computed for this call alone, as asked.
    Bypass,
}

impl Status {
    /// As the `X-Cache` header has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Coalesced => "coalesced",
            Self::Bypass => "bypass",
        }
    }
}
