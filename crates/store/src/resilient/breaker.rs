//! A breaker: after a time-out or a few refusals nobody waits any more, until a look in the
//! background finds the shared store well again.
//!
//! ```text
//!           time-out                    looks fail, with the
//!  closed ───────────▶ suspected ──── failures before: limit ────▶ open
//!    ▲ ▲                   │                                        │
//!    │ └─── a look works ──┘ (as if nothing had been)               │
//!    └───────────────────────────── a look works ───────────────────┘
//! ```
//!
//! One time-out may be a moment's stumble of a busy machine, and is no outage; but a second
//! caller, or the next call of the same caller, would wait as long again to find out. While it
//! is suspected, only the background waits.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;

const CLOSED: u8 = 0;
const SUSPECTED: u8 = 1;
const OPEN: u8 = 2;

/// What a time-out led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It was suspected or open already.
    NoNews,
    /// It is suspected from now on.
    Suspected,
    /// It is open from now on.
    Opened,
}

/// Closed while the shared store is well.
#[derive(Debug)]
pub(super) struct Breaker {
    limit: u32,
    state: AtomicU8,
    failures: AtomicU32,
    outages: AtomicU64,
    /// Told when it is closed no longer.
    left: Notify,
}

impl Breaker {
    /// A closed one, that opens after `limit` failures one after the other.
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(1),
            state: AtomicU8::new(CLOSED),
            failures: AtomicU32::new(0),
            outages: AtomicU64::new(0),
            left: Notify::new(),
        }
    }

    /// Whether the shared store may be asked.
    pub(super) fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) == CLOSED
    }

    /// Whether the shared store is away for sure.
    pub(super) fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    /// It answered.
    pub(super) fn success(&self) {
        // Read first: this is on the path of every call, and almost always 0.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// It refused, or a look failed. True if that opened the breaker.
    pub(super) fn failure(&self) -> bool {
        let failures = self
            .failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        let opens = failures >= self.limit && self.state.swap(OPEN, Ordering::AcqRel) != OPEN;
        if opens {
            self.outages.fetch_add(1, Ordering::Relaxed);
            self.left.notify_one();
        }
        opens
    }

    /// It was silent.
    pub(super) fn silence(&self) -> Silence {
        let suspects = self
            .state
            .compare_exchange(CLOSED, SUSPECTED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if !suspects {
            // Those who waited at the same time as the first one say nothing new.
            Silence::NoNews
        } else if self.failure() {
            Silence::Opened
        } else {
            self.left.notify_one();
            Silence::Suspected
        }
    }

    /// It is well again. True if it was away for sure.
    pub(super) fn close(&self) -> bool {
        self.failures.store(0, Ordering::Relaxed);
        self.state.swap(CLOSED, Ordering::AcqRel) == OPEN
    }

    /// Returns when the breaker isn't closed.
    pub(super) async fn left(&self) {
        while self.is_closed() {
            self.left.notified().await;
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
        assert_eq!(breaker.silence(), Silence::NoNews);
        breaker.left().await;
        assert!(breaker.is_open());
        assert!(breaker.close());
        assert!(breaker.is_closed());
        assert_eq!(breaker.outages(), 1);
        assert!(!breaker.failure());
        assert!(breaker.failure());
        breaker.left().await;
        assert_eq!(breaker.outages(), 2);
    }

    #[tokio::test]
    async fn one_silence_makes_nobody_else_wait_and_is_no_outage() {
        let breaker = Breaker::new(3);
        assert_eq!(breaker.silence(), Silence::Suspected);
        // Ten who waited at the same time are no ten failures.
        for _ in 0..10 {
            assert_eq!(breaker.silence(), Silence::NoNews);
        }
        breaker.left().await;
        assert!(!breaker.is_closed() && !breaker.is_open());
        assert!(!breaker.close(), "it wasn't away for sure");
        assert!(breaker.is_closed());
        assert_eq!(breaker.outages(), 0);
        // The looks that fail after it are.
        assert_eq!(breaker.silence(), Silence::Suspected);
        assert!(!breaker.failure());
        assert!(breaker.failure());
        assert_eq!((breaker.is_open(), breaker.outages()), (true, 1));
        // Where one failure is enough, so is one silence.
        assert_eq!(Breaker::new(1).silence(), Silence::Opened);
    }
}
