//! How many retries are affordable: a share of the calls, so that retries can't multiply the
//! load on a provider that is already in trouble.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A retry, in the bucket's unit.
const RETRY: u64 = 1000;

/// A token bucket that calls fill and retries empty. Make one per provider and share it in an
/// `Arc` among all that retry there.
///
/// Each call earns `percent` hundredths of a retry. Below `floor` retries the bucket also
/// fills by one a second, so that a service with few calls can retry at all. It starts at the
/// floor and never holds more than `floor` + 100.
#[derive(Debug)]
pub struct RetryBudget {
    per_call: u64,
    floor: u64,
    capacity: u64,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: u64,
    filled_at: Instant,
}

impl RetryBudget {
    /// A budget of so many retries per 100 calls, and of `floor` retries in any case. More
    /// than 100 percent counts as 100.
    #[must_use]
    pub fn new(percent: u8, floor: u32) -> Self {
        let floor = u64::from(floor) * RETRY;
        Self {
            per_call: u64::from(percent.min(100)) * RETRY / 100,
            floor,
            capacity: floor + 100 * RETRY,
            bucket: Mutex::new(Bucket {
                tokens: floor,
                filled_at: Instant::now(),
            }),
        }
    }

    /// Whole retries that are affordable now.
    #[must_use]
    pub fn available(&self) -> u64 {
        self.filled().tokens / RETRY
    }

    /// A call was made.
    pub(super) fn earn(&self) {
        let mut bucket = self.filled();
        bucket.tokens = (bucket.tokens + self.per_call).min(self.capacity);
    }

    /// Takes a retry, if it is affordable.
    pub(super) fn spend(&self) -> bool {
        let mut bucket = self.filled();
        match bucket.tokens.checked_sub(RETRY) {
            Some(rest) => {
                bucket.tokens = rest;
                true
            }
            None => false,
        }
    }

    /// The bucket with what time has added. Below the floor only, and only whole thousandths,
    /// so that nothing is lost by looking often.
    fn filled(&self) -> MutexGuard<'_, Bucket> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let thousandths = now.duration_since(bucket.filled_at).as_millis();
        let added = u64::try_from(thousandths).unwrap_or(u64::MAX);
        if bucket.tokens >= self.floor {
            bucket.filled_at = now;
        } else if added > 0 {
            bucket.tokens = bucket.tokens.saturating_add(added).min(self.floor);
            bucket.filled_at += Duration::from_millis(added);
        }
        bucket
    }
}

impl Default for RetryBudget {
    /// One retry per ten calls, and ten in any case.
    fn default() -> Self {
        Self::new(10, 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spendable(budget: &RetryBudget) -> usize {
        (0..10_000).take_while(|_| budget.spend()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_a_share_of_the_calls_over_a_floor() {
        let budget = RetryBudget::new(10, 3);
        assert_eq!(spendable(&budget), 3, "the floor");
        for _ in 0..100 {
            budget.earn();
        }
        assert_eq!(spendable(&budget), 10, "a tenth of the calls");
        for _ in 0..1_000_000 {
            budget.earn();
        }
        assert_eq!(spendable(&budget), 103, "what it holds at most");
    }

    #[tokio::test(start_paused = true)]
    async fn time_fills_up_to_the_floor_and_no_further() {
        let budget = RetryBudget::new(0, 3);
        assert_eq!(spendable(&budget), 3);
        for _ in 0..40 {
            // Looking often loses nothing.
            tokio::time::advance(Duration::from_millis(50)).await;
            assert!(budget.available() <= 2);
        }
        assert_eq!(spendable(&budget), 2, "two seconds");
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(spendable(&budget), 3);
        let none = RetryBudget::new(0, 0);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(spendable(&none), 0);
    }
}
