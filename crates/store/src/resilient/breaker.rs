//! A breaker: after a few failures nobody waits any more, until a look in the background finds
//! the shared store well again.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Closed while the shared store is well.
#[derive(Debug)]
pub(super) struct Breaker {
    limit: u32,
    open: AtomicBool,
    failures: AtomicU32,
    outages: AtomicU64,
    opened: Notify,
}

impl Breaker {
    /// A closed one, that opens after `limit` failures one after the other.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(1),
            open: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            outages: AtomicU64::new(0),
            opened: Notify::new(),
        }
    }

    /// Whether the shared store may be asked.
    pub(super) fn is_closed(&self) -> bool {
        !self.open.load(Ordering::Acquire)
    }

    /// It answered.
    pub(super) fn success(&self) {
        // Read first: this is on the path of every call, and almost always 0.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// It didn't. True if that opened the breaker.
    pub(super) fn failure(&self) -> bool {
        let failures = self
            .failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        let opens = failures >= self.limit && !self.open.swap(true, Ordering::AcqRel);
        if opens {
            self.outages.fetch_add(1, Ordering::Relaxed);
            self.opened.notify_one();
        }
        opens
    }

    /// It is well again.
    pub(super) fn close(&self) {
        self.failures.store(0, Ordering::Relaxed);
        self.open.store(false, Ordering::Release);
    }

    /// Returns when the breaker has opened since it closed last.
    pub(super) async fn opened(&self) {
        while self.is_closed() {
            self.opened.notified().await;
        }
    }

    /// How often it has opened.
    pub(super) fn outages(&self) -> u64 {
        self.outages.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_opens_after_failures_in_a_row_only() {
        let breaker = Breaker::new(2);
        assert!(!breaker.failure());
        breaker.success();
        assert!(!breaker.failure());
        assert!(breaker.is_closed());
        assert!(breaker.failure());
        // Those that were under way fail too, and open nothing anew.
        assert!(!breaker.failure());
        breaker.opened().await;
        assert!(!breaker.is_closed());
        breaker.close();
        assert!(breaker.is_closed());
        assert_eq!(breaker.outages(), 1);
        assert!(!breaker.failure());
        assert!(breaker.failure());
        breaker.opened().await;
        assert_eq!(breaker.outages(), 2);
    }
}
