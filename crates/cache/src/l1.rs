//! The first tier: answers in this process's memory, bounded by bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::quality::RandomState;
use moka::notification::RemovalCause;
use store::Clock;

use crate::CacheKey;
use crate::entry::{Entry, Shape, millis};
use crate::flush::Marks;
use crate::metrics::{Evicted, Metrics};

/// What an entry costs beyond its value: key, handles, the cache's own books and the
/// allocator's rounding.
pub(crate) const ENTRY_OVERHEAD: u32 = 512;

#[derive(Debug)]
pub(crate) struct L1 {
    entries: moka::sync::Cache<[u8; 32], Entry, RandomState>,
    marks: Arc<Marks>,
}

impl L1 {
    /// Room for `bytes`, overhead included. `metrics` counts what has to go; what `marks` cover
    /// isn't there.
    pub(crate) fn new(
        bytes: u64,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        marks: Arc<Marks>,
    ) -> Self {
        let entries = moka::sync::Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, entry: &Entry| weight(entry))
            .expire_after(FreeEarly(clock))
            .eviction_listener(move |_, _, cause| match cause {
                RemovalCause::Size => metrics.evicted(Evicted::Size),
                RemovalCause::Expired => metrics.evicted(Evicted::Expired),
                RemovalCause::Explicit | RemovalCause::Replaced => {}
            })
            .build_with_hasher(RandomState::default());
        Self { entries, marks }
    }

    /// The entry under `key`, if it is still of any use.
    pub(crate) fn get(&self, key: &CacheKey, shape: Shape, now_ms: u64) -> Option<Entry> {
        self.entries
            .get(key.hash())
            .filter(|entry| entry.shape == shape && entry.is_alive(now_ms))
            .filter(|entry| !self.marks.cover(key, entry))
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.entries.invalidate_all();
    }

    /// Keeps `entry`, if it fits: what doesn't is not admitted.
    pub(crate) fn insert(&self, key: &CacheKey, entry: Entry) {
        self.entries.insert(*key.hash(), entry);
    }

    /// Entries held, as of the last housekeeping.
    pub(crate) fn entries(&self) -> u64 {
        self.entries.entry_count()
    }

    /// Bytes held, as of the last housekeeping.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.weighted_size()
    }

    /// Evicts and frees what is due. It happens by itself, but only with traffic.
    pub(crate) fn run_housekeeping(&self) {
        self.entries.run_pending_tasks();
    }
}

fn weight(entry: &Entry) -> u32 {
    u32::try_from(entry.value.len())
        .unwrap_or(u32::MAX)
        .saturating_add(ENTRY_OVERHEAD)
}

/// Frees the memory of what has expired by real time. Whether an entry may be served is
/// decided on every read by the injected clock, never by this.
#[derive(Debug)]
struct FreeEarly(Arc<dyn Clock>);

impl FreeEarly {
    fn remaining(&self, entry: &Entry) -> Option<Duration> {
        Some(entry.remaining(millis(self.0.now())))
    }
}

impl moka::Expiry<[u8; 32], Entry> for FreeEarly {
    fn expire_after_create(&self, _: &[u8; 32], entry: &Entry, _: Instant) -> Option<Duration> {
        self.remaining(entry)
    }

    fn expire_after_update(
        &self,
        _: &[u8; 32],
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.remaining(entry)
    }
}
