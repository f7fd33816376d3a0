//! An answer that is kept.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::{Cost, Policy};

/// An answer that is kept, with its times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Bytes,
    pub(crate) shape: Shape,
    /// When its computation ended.
    pub(crate) created_ms: u64,
    /// When its lifetime ends.
    pub(crate) fresh_until_ms: u64,
    /// When it is of no use at all any more, not even as a stale one.
    pub(crate) expires_ms: u64,
    /// How long its computation took.
    pub(crate) compute_ms: u32,
    pub(crate) cost: Cost,
    /// Not to be renewed before this: a renewal has failed. Only in this process.
    pub(crate) renew_from_ms: u64,
}

/// What an entry's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The answer itself.
    Whole,
    /// A stream's events, each with its length.
    Events,
}

/// What may be served of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is what was asked for.
    Fresh,
    /// It may be served while it is renewed.
    Renew,
    /// It may be served if nothing else can be had.
    Rescue,
    /// Not at all.
    None,
}

impl Entry {
    /// Whether it is of any use.
    pub(crate) fn is_alive(&self, now_ms: u64) -> bool {
        now_ms < self.expires_ms
    }

    /// Whether its lifetime isn't over.
    pub(crate) fn is_fresh(&self, now_ms: u64) -> bool {
        now_ms < self.fresh_until_ms
    }

    /// Whether a renewal may be tried.
    pub(crate) fn may_renew(&self, now_ms: u64) -> bool {
        now_ms >= self.renew_from_ms
    }

    /// What `policy` allows with it.
    pub(crate) fn usable(&self, policy: &Policy, now_ms: u64) -> Use {
        if self.is_fresh(now_ms) {
            return Use::Fresh;
        }
        let within = |window| {
            let until = self.fresh_until_ms.saturating_add(as_millis(window));
            self.is_alive(now_ms) && now_ms < until
        };
        if within(policy.stale_while_revalidate) {
            Use::Renew
        } else if within(policy.stale_if_error) {
            Use::Rescue
        } else {
            Use::None
        }
    }

    /// How long ago it was computed. Zero if it is from the future: another replica's clock.
    pub(crate) fn age(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.created_ms))
    }

    /// How long it is still of any use.
    pub(crate) fn remaining(&self, now_ms: u64) -> Duration {
        Duration::from_millis(self.expires_ms.saturating_sub(now_ms))
    }
}

/// A time of day in milliseconds since 1970; before that is 0.
pub(crate) fn millis(time: SystemTime) -> u64 {
    as_millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A duration in whole milliseconds, up to the largest number there is.
pub(crate) fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
