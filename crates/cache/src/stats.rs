//! Snapshots of the counters, for a health page.

use std::ops::Deref;

use crate::Cost;

/// What a cache, or all replicas' together, have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheTotals {
    /// Calls answered from the process's memory.
    pub l1_hits: u64,
    /// Calls answered from the store.
    pub l2_hits: u64,
    /// Calls answered with what was kept and is past its lifetime, as their policy allows.
    pub stale: u64,
    /// Calls that found nothing and began a computation, whether or not it succeeded.
    pub misses: u64,
    /// Calls that found nothing but a computation under way, and waited for it.
    pub coalesced: u64,
    /// Those of them that waited for another replica's computation.
    pub coalesced_elsewhere: u64,
    /// Calls that began a computation without looking ([`crate::Mode::Refresh`]).
    pub refreshes: u64,
    /// Calls that had nothing to do with the cache ([`crate::Mode::Bypass`]).
    pub bypasses: u64,
    /// What the calls that found or joined an answer would have cost.
    pub saved: Cost,
}

impl CacheTotals {
    /// Calls answered from either tier, stale answers included.
    #[must_use]
    pub fn hits(&self) -> u64 {
        let hits = self.l1_hits.saturating_add(self.l2_hits);
        hits.saturating_add(self.stale)
    }

    /// Calls that looked for an answer: hits, misses and those that joined a computation.
    #[must_use]
    pub fn lookups(&self) -> u64 {
        let found_nothing = self.misses.saturating_add(self.coalesced);
        self.hits().saturating_add(found_nothing)
    }

    /// Hits in lookups, from 0 to 1; 0 before the first one. A call that joined a computation
    /// cost nothing, but found nothing kept: it is in the lookups and not in the hits.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        match self.lookups() {
            0 => 0.0,
            lookups => self.hits() as f64 / lookups as f64,
        }
    }
}

/// What a cache has done since it was built, and what it holds now. The figures of
/// [`CacheTotals`] are fields of it as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheStats {
    /// What it has done.
    pub totals: CacheTotals,
    /// Answers in the process's memory, as of the last housekeeping.
    pub entries: u64,
    /// Bytes that they take, with their overhead, as of the last housekeeping.
    pub bytes: u64,
    /// Computations under way that others can join.
    pub flights: u64,
    /// Answers thrown out of memory before their end, to make room.
    pub evictions: u64,
}

impl Deref for CacheStats {
    type Target = CacheTotals;

    fn deref(&self) -> &CacheTotals {
        &self.totals
    }
}
