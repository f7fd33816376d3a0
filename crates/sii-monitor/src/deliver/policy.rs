//! When a channel may tell a notice: pure functions of the notice's priority and the clock.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;
use thiserror::Error;

/// From this priority on quiet hours and digests don't hold a notice back.
const DEFAULT_URGENT_FROM: u8 = 5;

/// What a channel is told, and when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Notices of a lower priority aren't told (1).
    pub min_priority: u8,
    /// Hours, Chilean time, in which nothing is told.
    pub quiet: Option<Quiet>,
    /// Whether notices are told one by one or together.
    pub digest: Digest,
    /// From this priority on a notice waits for nothing (5; 6: every one waits).
    pub urgent_from: u8,
}

/// Hours of the day in which nothing is told; over midnight where `from` is later than `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// The first quiet minute.
    pub from: Time,
    /// The first minute that isn't quiet any more.
    pub to: Time,
}

/// Whether notices are told one by one or together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// One by one, at once.
    #[default]
    Immediate,
    /// Together, at the next full hour.
    Hourly,
    /// Together, once a day at this time.
    Daily {
        /// Chilean time.
        at: Time,
    },
}

/// A policy that can't be: the configuration's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Priorities are 1 to 5.
    #[error("min_priority must be 1 to 5")]
    MinPriority,
    /// 6 means none.
    #[error("urgent_from must be 1 to 6")]
    UrgentFrom,
    /// From an hour to itself is no stretch of time.
    #[error("quiet hours begin and end at the same time")]
    QuietAllDay,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            min_priority: 1,
            quiet: None,
            digest: Digest::Immediate,
            urgent_from: DEFAULT_URGENT_FROM,
        }
    }
}

impl Policy {
    /// Checks every field.
    ///
    /// # Errors
    /// [`PolicyError`] with the first one that is outside its domain.
    pub fn check(&self) -> Result<(), PolicyError> {
        if !(1..=5).contains(&self.min_priority) {
            return Err(PolicyError::MinPriority);
        }
        if !(1..=6).contains(&self.urgent_from) {
            return Err(PolicyError::UrgentFrom);
        }
        match self.quiet {
            Some(Quiet { from, to }) if from == to => Err(PolicyError::QuietAllDay),
            _ => Ok(()),
        }
    }

    /// Whether a notice of this priority is told at all.
    #[must_use]
    pub fn wants(&self, priority: u8) -> bool {
        priority >= self.min_priority
    }

    /// When a notice that came at `now` may be told: never before `now`, and at a moment that
    /// isn't quiet. `zone` is Chile's.
    #[must_use]
    pub fn due(&self, priority: u8, now: Timestamp, zone: &TimeZone) -> Timestamp {
        if priority >= self.urgent_from {
            return now;
        }
        let due = match self.digest {
            Digest::Immediate => now,
            Digest::Hourly => next_hour(now, zone),
            Digest::Daily { at } => next(now, at, zone),
        };
        self.after_quiet(due, zone)
    }

    /// The first moment from `due` on that isn't quiet.
    fn after_quiet(&self, due: Timestamp, zone: &TimeZone) -> Timestamp {
        let Some(quiet) = self.quiet else {
            return due;
        };
        let local = due.to_zoned(zone.clone());
        if quiet.has(local.time()) {
            next(due, quiet.to, zone)
        } else {
            due
        }
    }
}

impl Quiet {
    fn has(self, time: Time) -> bool {
        if self.from <= self.to {
            self.from <= time && time < self.to
        } else {
            time >= self.from || time < self.to
        }
    }
}

/// The next full hour after `now`.
fn next_hour(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let local = now.to_zoned(zone.clone());
    let into = i64::from(local.minute()) * 60 + i64::from(local.second());
    let whole = Timestamp::from_second(now.as_second() + 3_600 - into);
    whole.unwrap_or(now)
}

/// The next moment after `now` at which clocks in `zone` show `at`. On the day that skips it,
/// the moment at which the clocks have skipped it.
fn next(now: Timestamp, at: Time, zone: &TimeZone) -> Timestamp {
    let today: Date = now.to_zoned(zone.clone()).date();
    for days in 0..=2 {
        let Ok(day) = today.checked_add(days.days()) else {
            return now;
        };
        let moment = day.to_datetime(at).to_zoned(zone.clone());
        if let Ok(moment) = moment.map(|zoned| zoned.timestamp())
            && moment > now
        {
            return moment;
        }
    }
    now
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use proptest::prelude::*;

    use super::*;

    fn chile() -> TimeZone {
        TimeZone::get("America/Santiago").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.to_zoned(chile()).unwrap().timestamp()
    }

    fn nights() -> Option<Quiet> {
        Some(Quiet {
            from: time(21, 0, 0, 0),
            to: time(8, 0, 0, 0),
        })
    }

    #[test]
    fn the_table() {
        let daily = Digest::Daily {
            at: time(9, 30, 0, 0),
        };
        for (quiet, digest, priority, now, due) in [
            (
                None,
                Digest::Immediate,
                2,
                "2026-11-22T23:10:05",
                "2026-11-22T23:10:05",
            ),
            (
                nights(),
                Digest::Immediate,
                2,
                "2026-11-22T23:10:05",
                "2026-11-23T08:00:00",
            ),
            (
                nights(),
                Digest::Immediate,
                2,
                "2026-11-23T07:59:59",
                "2026-11-23T08:00:00",
            ),
            (
                nights(),
                Digest::Immediate,
                2,
                "2026-11-23T08:00:00",
                "2026-11-23T08:00:00",
            ),
            (
                nights(),
                Digest::Immediate,
                2,
                "2026-11-23T20:59:59",
                "2026-11-23T20:59:59",
            ),
            (
                nights(),
                Digest::Immediate,
                5,
                "2026-11-22T23:10:05",
                "2026-11-22T23:10:05",
            ),
            (
                None,
                Digest::Hourly,
                3,
                "2026-11-22T10:10:05",
                "2026-11-22T11:00:00",
            ),
            (
                None,
                Digest::Hourly,
                3,
                "2026-11-22T10:00:00",
                "2026-11-22T11:00:00",
            ),
            (
                nights(),
                Digest::Hourly,
                3,
                "2026-11-22T20:10:00",
                "2026-11-23T08:00:00",
            ),
            (None, daily, 4, "2026-11-22T09:29:00", "2026-11-22T09:30:00"),
            (None, daily, 4, "2026-11-22T09:30:00", "2026-11-23T09:30:00"),
            (
                nights(),
                daily,
                5,
                "2026-11-22T03:00:00",
                "2026-11-22T03:00:00",
            ),
            // The clocks go forward at midnight of 6 September 2026: 00:30 never shows.
            (
                None,
                Digest::Daily {
                    at: time(0, 30, 0, 0),
                },
                1,
                "2026-09-05T12:00:00",
                "2026-09-06T01:30:00",
            ),
        ] {
            let policy = Policy {
                quiet,
                digest,
                ..Policy::default()
            };
            assert_eq!(
                policy.due(priority, at(now), &chile()),
                at(due),
                "{now} {digest:?}"
            );
        }
    }

    #[test]
    fn what_is_wanted_and_what_can_not_be() {
        let policy = Policy {
            min_priority: 3,
            ..Policy::default()
        };
        assert!(policy.wants(3) && !policy.wants(2));
        for (min_priority, urgent_from, quiet, error) in [
            (0, 5, None, PolicyError::MinPriority),
            (6, 5, None, PolicyError::MinPriority),
            (1, 7, None, PolicyError::UrgentFrom),
            (
                1,
                5,
                Some(Quiet {
                    from: time(8, 0, 0, 0),
                    to: time(8, 0, 0, 0),
                }),
                PolicyError::QuietAllDay,
            ),
        ] {
            let policy = Policy {
                min_priority,
                urgent_from,
                quiet,
                ..Policy::default()
            };
            assert_eq!(policy.check(), Err(error));
        }
        assert_eq!(Policy::default().check(), Ok(()));
    }

    proptest! {
        #[test]
        fn never_early_never_in_quiet_hours_and_within_two_days(
            second in 1_760_000_000_i64..1_860_000_000,
            from in 0_i8..24, to in 0_i8..24, digest in 0..3_u8, hour in 0_i8..24, priority in 1_u8..5,
        ) {
            prop_assume!(from != to);
            let quiet = Quiet { from: time(from, 0, 0, 0), to: time(to, 0, 0, 0) };
            let digest = match digest {
                0 => Digest::Immediate,
                1 => Digest::Hourly,
                _ => Digest::Daily { at: time(hour, 15, 0, 0) },
            };
            let policy = Policy { quiet: Some(quiet), digest, ..Policy::default() };
            let now = Timestamp::from_second(second).unwrap();
            let due = policy.due(priority, now, &chile());
            prop_assert!(due >= now);
            prop_assert!(due.as_second() - now.as_second() <= 50 * 3_600);
            prop_assert!(!quiet.has(due.to_zoned(chile()).time()), "{due}");
        }
    }
}
