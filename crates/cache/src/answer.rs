//! What comes out of a computation and of a call.

use std::ops::AddAssign;
use std::time::Duration;

use bytes::Bytes;

use crate::entry::Entry;

/// What a computation gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Computed {
    /// The answer's bytes, encoded once; later hits get the same bytes.
    pub value: Bytes,
    /// Whether to keep it.
    pub keep: Keep,
    /// What it cost; every call that is spared a computation counts it as saved.
    pub cost: Cost,
}

impl Computed {
    /// An answer that cost nothing.
    #[must_use]
    pub fn new(value: impl Into<Bytes>, keep: Keep) -> Self {
        Self {
            value: value.into(),
            keep,
            cost: Cost::FREE,
        }
    }

    /// The same, having cost something.
    #[must_use]
    pub fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }
}

/// What a computation cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Money, in 10⁻¹² US dollars.
    pub pico_usd: u64,
    /// A language model's tokens, of every kind together.
    pub tokens: u64,
}

impl Cost {
    /// Nothing.
    pub const FREE: Self = Self {
        pico_usd: 0,
        tokens: 0,
    };
}

impl AddAssign for Cost {
    /// Adds, up to the largest number there is.
    fn add_assign(&mut self, other: Self) {
        self.pico_usd = self.pico_usd.saturating_add(other.pico_usd);
        self.tokens = self.tokens.saturating_add(other.tokens);
    }
}

/// Whether an answer is worth keeping. Only complete, undegraded, successful ones are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For so long from now, or the configured maximum (or the adaptive lifetime, see
    /// [`crate::Lifetime`]) if that is shorter. Zero keeps nothing.
    For(Duration),
    /// It goes to those who wait for it and to nobody after them.
    No,
}

/// An answer and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The bytes that the computation gave, now or once.
    pub value: Bytes,
    /// Where it is from.
    pub status: Status,
    /// How long ago it was computed; zero unless it is a [`Status::Hit`] or [`Status::Stale`].
    pub age: Duration,
    /// What computing it cost, whoever paid: now if it is a [`Status::Miss`] or
    /// [`Status::Bypass`], else it was saved.
    pub cost: Cost,
}

impl Answer {
    /// An answer that was kept.
    pub(crate) fn hit(entry: Entry, now_ms: u64) -> Self {
        let age = entry.age(now_ms);
        let status = if entry.is_fresh(now_ms) {
            Status::Hit
        } else {
            Status::Stale
        };
        Self {
            value: entry.value,
            status,
            age,
            cost: entry.cost,
        }
    }
}

/// Where an answer is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// It was kept, in the process or in the store.
    Hit,
    /// It was kept and its lifetime is over: the policy allows it, while it is renewed or as
    /// no new one can be had.
    Stale,
    /// It was computed for this call.
    Miss,
    /// It was computed for another call that was under way, here or in another replica.
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
            Self::Stale => "stale",
            Self::Miss => "miss",
            Self::Coalesced => "coalesced",
            Self::Bypass => "bypass",
        }
    }
}
