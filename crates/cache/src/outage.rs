//! Which failures of the store are worth a line in the log: the first of a row, and the first
//! success after it, each kind of call by itself, and not again too soon.
//!
//! A store with a stand-in answers some calls while it is away (a read: nothing there) and refuses
//! others (a lease). Taken together they would begin and end an outage with every request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Least time between two lines about the beginning of a row of failures of one kind of call.
pub(crate) const QUIET: Duration = Duration::from_secs(30);

/// What became of one kind of call so far.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// Whether the last call failed: looked at by every call that went well.
    failing: AtomicBool,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    /// Whether the beginning of the present row was told, so that its end is too.
    began: bool,
    /// When a beginning was told last.
    at: Option<Instant>,
    /// Beginnings since then that weren't.
    unsaid: u64,
}

impl Outage {
    /// A call failed. If that is to be told: how many rows of failures weren't, since the last
    /// one that was.
    pub(crate) fn failed(&self, now: Instant) -> Option<u64> {
        if self.failing.swap(true, Ordering::Relaxed) {
            return None;
        }
        let mut told = self.told();
        let is_soon = told
            .at
            .is_some_and(|at| now.saturating_duration_since(at) < QUIET);
        if is_soon {
            told.unsaid += 1;
            return None;
        }
        told.began = true;
        told.at = Some(now);
        Some(std::mem::take(&mut told.unsaid))
    }

    /// A call went well. True if that is to be told.
    pub(crate) fn went_well(&self) -> bool {
        // Read first: this is on the path of every call, and almost always false.
        if !self.failing.load(Ordering::Relaxed) || !self.failing.swap(false, Ordering::Relaxed) {
            return false;
        }
        std::mem::take(&mut self.told().began)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_told() {
        let (outage, now) = (Outage::default(), Instant::now());
        assert!(!outage.went_well());
        assert_eq!(outage.failed(now), Some(0));
        for _ in 0..1_000 {
            assert_eq!(outage.failed(now + QUIET * 2), None);
        }
        assert!(outage.went_well());
        assert!(!outage.went_well());
        assert_eq!(outage.failed(now + QUIET), Some(0));
    }

    #[test]
    fn what_comes_and_goes_is_told_once_in_a_while() {
        let (outage, begin) = (Outage::default(), Instant::now());
        let (mut beginnings, mut ends, mut unsaid) = (0, 0, 0);
        // A failure and a success a second, for ten minutes.
        for second in 0..600 {
            if let Some(more) = outage.failed(begin + Duration::from_secs(second)) {
                beginnings += 1;
                unsaid += more;
            }
            ends += u64::from(outage.went_well());
        }
        assert_eq!((beginnings, ends), (20, 20));
        // All but those told, and those after the last one told.
        assert_eq!(unsaid, 600 - 20 - 29);
    }
}
