//! When the next run is due.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Every so often, on a fixed grid, a little shifted so that not everybody asks at the full hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    every: i64,
    jitter: i64,
    seed: String,
}

/// What is wrong with a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// Less than a minute or more than 31 days from run to run.
    #[error("runs are 1 minute to 31 days apart")]
    Every,
    /// A shift as long as the time between runs.
    #[error("the jitter must be shorter than the time between runs")]
    Jitter,
}

impl Default for Schedule {
    /// Every 6 hours, shifted by up to 10 minutes.
    fn default() -> Self {
        Self {
            every: 6 * 3_600,
            jitter: 600,
            seed: String::new(),
        }
    }
}

impl Schedule {
    /// A run every `every`, each shifted by less than `jitter`. Replicas with one `seed` agree on
    /// the shifts; another installation has others.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn try_new(every: Duration, jitter: Duration, seed: &str) -> Result<Self, ScheduleError> {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let (every, jitter) = (seconds(every), seconds(jitter));
        if !(60..=31 * 86_400).contains(&every) {
            return Err(ScheduleError::Every);
        }
        if jitter >= every {
            return Err(ScheduleError::Jitter);
        }
        Ok(Self {
            every,
            jitter,
            seed: seed.to_owned(),
        })
    }

    /// When the run after the one that was begun at `last` is due; at once where there was
    /// none. A moment that is past means "now": however many were missed, one run makes up for
    /// them.
    #[must_use]
    pub fn next(&self, last: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let Some(last) = last else {
            return now;
        };
        // A clock that was set back mustn't hold the next run up for longer than one interval.
        let last = last.min(now).as_second();
        let slot = last.div_euclid(self.every);
        let next = [slot, slot + 1]
            .into_iter()
            .map(|slot| self.at(slot))
            .find(|at| *at > last)
            .unwrap_or(last + self.every);
        Timestamp::from_second(next).unwrap_or(now)
    }

    /// Whether a run is due.
    #[must_use]
    pub fn is_due(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        self.next(last, now) <= now
    }

    /// The time from run to run, without the shifts.
    #[must_use]
    pub const fn every(&self) -> SignedDuration {
        SignedDuration::from_secs(self.every)
    }

    fn at(&self, slot: i64) -> i64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.seed.as_bytes());
        hasher.update(&slot.to_le_bytes());
        let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
        let random = i64::from(u32::from_le_bytes([a, b, c, d]));
        slot * self.every + random % self.jitter.max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    #[test]
    fn first_now_then_by_the_grid_and_one_run_for_all_that_were_missed() {
        let schedule = Schedule::default();
        assert_eq!(schedule.next(None, at(0)), at(0));
        let next = schedule.next(Some(at(0)), at(0));
        assert!(next > at(0) && next <= at(6 * 3_600 + 600), "{next}");
        // A week later: due, once.
        let week = at(7 * 86_400);
        assert!(schedule.is_due(Some(at(0)), week));
        assert!(!schedule.is_due(Some(week), week));
    }

    #[test]
    fn a_clock_that_was_set_back_doesnt_stop_it() {
        let schedule = Schedule::default();
        let next = schedule.next(Some(at(999_999)), at(0));
        assert!(next <= at(6 * 3_600 + 600));
    }

    #[test]
    fn what_is_no_schedule() {
        let of = |every, jitter| {
            Schedule::try_new(Duration::from_secs(every), Duration::from_secs(jitter), "")
        };
        assert_eq!(of(59, 0), Err(ScheduleError::Every));
        assert_eq!(of(u64::MAX, 0), Err(ScheduleError::Every));
        assert_eq!(of(60, 60), Err(ScheduleError::Jitter));
        assert!(of(60, 0).is_ok());
    }

    proptest! {
        #[test]
        fn runs_are_about_as_far_apart_as_asked(
            every in 60_u64..10_000_000, part in 0_u64..100, start in 0_i64..1_000_000, seed in "[a-z]{0,5}",
        ) {
            let every = every.min(31 * 86_400);
            let jitter = every * part / 101;
            let schedule = Schedule::try_new(
                Duration::from_secs(every), Duration::from_secs(jitter), &seed,
            ).unwrap();
            let mut last = at(start);
            let span = i64::try_from(every + jitter).unwrap();
            for _ in 0..5 {
                let next = schedule.next(Some(last), last);
                let wait = next.as_second() - last.as_second();
                prop_assert!(wait > 0 && wait <= span);
                last = next;
            }
        }
    }
}
