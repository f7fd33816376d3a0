//! An answer that is kept.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

/// An answer that is kept, with its times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Bytes,
    pub(crate) created_ms: u64,
    pub(crate) expires_ms: u64,
}

impl Entry {
    /// Whether it may still be served.
    pub(crate) fn is_alive(&self, now_ms: u64) -> bool {
        now_ms < self.expires_ms
    }

    /// How long ago it was computed. Zero if it is from the future: another replica's clock.
    pub(crate) fn age(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.created_ms))
    }

    /// How long it may still be served.
    pub(crate) fn remaining(&self, now_ms: u64) -> Duration {
        Duration::from_millis(self.expires_ms.saturating_sub(now_ms))
    }
}

/// A time of day in milliseconds since 1970; before that is 0.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
