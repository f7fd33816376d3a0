//! A snapshot of the counters, for a health page.

/// What a cache has done since it was built, and what it holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheStats {
    /// Calls answered from the process's memory.
    pub l1_hits: u64,
    /// Calls answered from the store.
    pub l2_hits: u64,
    /// Calls that found nothing and began a computation, whether or not it succeeded.
    pub misses: u64,
    /// Calls that found nothing but a computation under way, and waited for it.
    pub coalesced: u64,
    /// Calls that began a computation without looking ([`crate::Mode::Refresh`]).
    pub refreshes: u64,
    /// Calls that had nothing to do with the cache ([`crate::Mode::Bypass`]).
    pub bypasses: u64,
    /// Answers in the process's memory, as of the last housekeeping.
    pub entries: u64,
    /// Bytes that they take, with their overhead, as of the last housekeeping.
    pub bytes: u64,
    /// Computations under way that others can join.
    pub flights: u64,
}

impl CacheStats {
    /// Calls answered from either tier.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.l1_hits + self.l2_hits
    }

    /// Calls that looked for an answer: hits, misses and those that joined a computation.
    #[must_use]
    pub fn lookups(&self) -> u64 {
        self.hits() + self.misses + self.coalesced
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
