//! The last sums that the shared store told, for answering while it is away.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The last sums of some counters; bounded, and any of them may be forgotten.
#[derive(Debug)]
pub(super) struct KnownCounters {
    max: usize,
    sums: Mutex<HashMap<String, (i64, Option<u64>)>>,
}

impl KnownCounters {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max: max.max(1),
            sums: Mutex::new(HashMap::new()),
        }
    }

    /// The counter stood at `sum`, and may be gone at `end` (Unix milliseconds).
    pub(super) fn learn(&self, key: &str, sum: i64, end: Option<u64>) {
        let mut sums = self.lock();
        if let Some(known) = sums.get_mut(key) {
            // Its end is that of the call that made it: the first that is known.
            known.0 = sum;
            return;
        }
        if sums.len() >= self.max
            && let Some(any) = sums.keys().next().cloned()
        {
            sums.remove(&any);
        }
        sums.insert(key.to_owned(), (sum, end));
    }

    /// Where the counter stood, if that is known and can't have ended.
    pub(super) fn sum(&self, key: &str, now: u64) -> Option<i64> {
        let mut sums = self.lock();
        let (sum, end) = *sums.get(key)?;
        if end.is_some_and(|end| end <= now) {
            sums.remove(key);
            return None;
        }
        Some(sum)
    }

    /// The counter may be something else by now.
    pub(super) fn forget(&self, key: &str) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (i64, Option<u64>)>> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_known_until_their_end_and_within_the_bound() {
        let known = KnownCounters::new(2);
        known.learn("a", 1, Some(100));
        known.learn("a", 2, Some(900));
        assert_eq!(known.sum("a", 99), Some(2));
        assert_eq!(known.sum("a", 100), None);
        known.learn("a", 1, None);
        known.learn("b", 1, None);
        known.learn("c", 1, None);
        let left = ["a", "b", "c"].map(|key| known.sum(key, 0).is_some());
        assert_eq!(left.iter().filter(|&&known| known).count(), 2);
        assert!(left[2]);
        known.forget("c");
        assert_eq!(known.sum("c", 0), None);
    }
}
