//! Randomness that spreads waits, injected so that tests have none.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of numbers from 0 (included) to 1 (excluded). Clones share one sequence.
///
/// It is SplitMix64: good enough to spread waits, useless for secrets.
#[derive(Debug, Clone)]
pub struct Jitter(Option<Arc<AtomicU64>>);

impl Jitter {
    /// Another sequence in each process, and for each source.
    #[must_use]
    pub fn random() -> Self {
        Self::seeded(RandomState::new().hash_one(0_u8))
    }

    /// The same sequence for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(AtomicU64::new(seed))))
    }

    /// Always 0: for tests that assert waits.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// The next number.
    #[must_use]
    pub fn next(&self) -> f64 {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let Some(state) = &self.0 else {
            return 0.0;
        };
        let mut z = state
            .fetch_add(GOLDEN, Ordering::Relaxed)
            .wrapping_add(GOLDEN);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        // 32 bits are exact as a float, and plenty for a wait.
        f64::from(u32::try_from(z >> 32).unwrap_or(0)) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_over_their_range_and_repeat_by_seed() {
        let draw = |jitter: &Jitter| (0..1000).map(|_| jitter.next()).collect::<Vec<_>>();
        let numbers = draw(&Jitter::seeded(7));
        assert!(numbers.iter().all(|n| (0.0..1.0).contains(n)));
        let mean = numbers.iter().sum::<f64>() / 1000.0;
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
        assert_eq!(numbers, draw(&Jitter::seeded(7)));
        assert_ne!(numbers, draw(&Jitter::random()));
        assert_eq!(Jitter::none().next(), 0.0);
    }
}
