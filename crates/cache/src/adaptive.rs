//! How long an answer lives, learnt from how often its like is asked for again.
//!
//! Keeping costs memory and freshness; it pays where questions come back. So each class of keys
//! of an operation counts hits and lookups, both halving with time, and the rate picks a step.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::ConfigError;

/// Which hit rate earns which lifetime. Every field has a default; an unknown one is an error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptiveConfig {
    /// The steps, the highest rate first (above 50 %: 1 hour; above 20 %: 15 minutes). At most
    /// 16.
    pub steps: Vec<AdaptiveStep>,
    /// The lifetime below all steps, and where too little is known, in seconds (300).
    pub otherwise_seconds: u64,
    /// After how long a lookup counts half, in seconds (1,800).
    pub half_life_seconds: u64,
    /// How many lookups a rate must stand on, decayed as they are, to be believed (10).
    pub min_lookups: u32,
}

/// One step of [`AdaptiveConfig::steps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveStep {
    /// The hit rate must be above this, in percent (0 to 99).
    pub above_percent: u8,
    /// The lifetime that this earns, in seconds.
    pub lifetime_seconds: u64,
}

impl Default for AdaptiveConfig {
    fn default() -> Self {
        let step = |above_percent, lifetime_seconds| AdaptiveStep {
            above_percent,
            lifetime_seconds,
        };
        Self {
            steps: vec![step(50, 60 * 60), step(20, 15 * 60)],
            otherwise_seconds: 5 * 60,
            half_life_seconds: 30 * 60,
            min_lookups: 10,
        }
    }
}

const MAX_STEPS: usize = 16;

impl AdaptiveConfig {
    /// The lifetime that a hit rate earns: `rate` from 0 to 1, over `lookups` (decayed).
    #[must_use]
    pub fn lifetime(&self, rate: f64, lookups: f64) -> Duration {
        let believed = lookups >= f64::from(self.min_lookups);
        let above = |step: &&AdaptiveStep| rate * 100.0 > f64::from(step.above_percent);
        let step = self.steps.iter().find(above).filter(|_| believed);
        let seconds = step.map_or(self.otherwise_seconds, |step| step.lifetime_seconds);
        Duration::from_secs(seconds)
    }

    pub(crate) fn check(&self, max_seconds: u64) -> Result<(), ConfigError> {
        let refuse = |field, problem| Err(ConfigError::new(field, problem));
        let within = |seconds: u64| (1..=max_seconds).contains(&seconds);
        if self.steps.len() > MAX_STEPS {
            return refuse("adaptive.steps", "has more than 16 steps");
        }
        let falling = |two: &[AdaptiveStep]| two[0].above_percent > two[1].above_percent;
        if !self.steps.windows(2).all(falling) {
            return refuse("adaptive.steps", "must have falling rates");
        }
        let valid = |step: &AdaptiveStep| step.above_percent < 100 && within(step.lifetime_seconds);
        if !self.steps.iter().all(valid) {
            return refuse("adaptive.steps", "has a rate or a lifetime out of bounds");
        }
        if !within(self.otherwise_seconds) {
            return refuse("adaptive.otherwise_seconds", "is out of bounds");
        }
        if !within(self.half_life_seconds) {
            return refuse("adaptive.half_life_seconds", "is out of bounds");
        }
        Ok(())
    }
}

/// How long lookups are only counted before they are put to the decaying sums.
const FOLD_MS: u64 = 60_000;

/// Hits and lookups of one class, halving with time.
#[derive(Debug, Default)]
pub(crate) struct HitRate {
    hits: AtomicU64,
    lookups: AtomicU64,
    /// When the counts were last put to the sums.
    folded_ms: AtomicU64,
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    hits: f64,
    lookups: f64,
    at_ms: u64,
}

/// What is known about a class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    pub(crate) rate: f64,
    pub(crate) lookups: f64,
}

impl HitRate {
    /// Counts one lookup. Says whether it is time to look at [`HitRate::rate`].
    pub(crate) fn record(&self, hit: bool, now_ms: u64) -> bool {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        if hit {
            self.hits.fetch_add(1, Ordering::Relaxed);
        }
        now_ms.saturating_sub(self.folded_ms.load(Ordering::Relaxed)) >= FOLD_MS
    }

    /// The rate as of now, and over how many lookups.
    pub(crate) fn rate(&self, now_ms: u64, half_life: Duration) -> Rate {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that goes back decays nothing.
        let passed_ms = now_ms.saturating_sub(sums.at_ms);
        let left = (-(passed_ms as f64) / (half_life.as_secs_f64() * 1000.0)).exp2();
        // A lookup counted between the two may bring its hit only the next time.
        let hits = self.hits.swap(0, Ordering::Relaxed) as f64;
        let lookups = self.lookups.swap(0, Ordering::Relaxed) as f64;
        sums.hits = sums.hits * left + hits;
        sums.lookups = sums.lookups * left + lookups;
        sums.at_ms = sums.at_ms.max(now_ms);
        self.folded_ms.store(now_ms, Ordering::Relaxed);
        let rate = if sums.lookups > 0.0 {
            (sums.hits / sums.lookups).min(1.0)
        } else {
            0.0
        };
        Rate {
            rate,
            lookups: sums.lookups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_LIFE: Duration = Duration::from_secs(1_800);
    const START_MS: u64 = 1_800_000_000_000;

    #[test]
    fn the_steps_as_a_table() {
        let config = AdaptiveConfig::default();
        let cases = [
            (1.0, 100.0, 3_600),
            (0.51, 100.0, 3_600),
            (0.5, 100.0, 900),
            (0.21, 100.0, 900),
            (0.2, 100.0, 300),
            (0.0, 100.0, 300),
            // Too little is known.
            (1.0, 9.9, 300),
            (1.0, 10.0, 3_600),
            (f64::NAN, 100.0, 300),
        ];
        for (rate, lookups, seconds) in cases {
            let lifetime = config.lifetime(rate, lookups);
            assert_eq!(lifetime.as_secs(), seconds, "{rate} over {lookups}");
        }
        let none = AdaptiveConfig {
            steps: Vec::new(),
            ..config
        };
        assert_eq!(none.lifetime(1.0, 100.0).as_secs(), 300);
    }

    #[test]
    fn a_class_earns_and_loses_its_lifetime_as_time_goes_by() {
        let (config, class) = (AdaptiveConfig::default(), HitRate::default());
        let mut now_ms = START_MS;
        let mut hour = |hits_of_ten: u64| {
            for second in 0..3_600 {
                now_ms += 1_000;
                class.record(second % 10 < hits_of_ten, now_ms);
                if second % 60 == 0 {
                    class.rate(now_ms, HALF_LIFE);
                }
            }
            let rate = class.rate(now_ms, HALF_LIFE);
            config.lifetime(rate.rate, rate.lookups).as_secs()
        };
        assert_eq!(hour(0), 300);
        assert_eq!(hour(9), 3_600);
        // What was learnt in the busy hour still counts a quarter after a bad one.
        assert_eq!(hour(1), 900);
        assert_eq!(hour(1), 300);
        assert_eq!(hour(4), 900);
    }

    #[test]
    fn what_was_counted_halves_and_is_forgotten() {
        let class = HitRate::default();
        for _ in 0..64 {
            assert!(class.record(true, START_MS));
        }
        let at = |half_lives: u64| {
            let now_ms = START_MS + half_lives * 1_800_000;
            class.rate(now_ms, HALF_LIFE)
        };
        assert_eq!(
            at(0),
            Rate {
                rate: 1.0,
                lookups: 64.0
            }
        );
        assert!(!class.record(false, START_MS + FOLD_MS - 1));
        class.rate(START_MS, HALF_LIFE);
        assert!((at(1).lookups - 32.5).abs() < 1e-6);
        assert!((at(6).lookups - 65.0 / 64.0).abs() < 1e-6);
        // The clock goes back: nothing is lost, nothing panics.
        assert!(at(0).lookups > 1.0);
        assert!(at(10_000).lookups.abs() < 1e-9);
    }
}
