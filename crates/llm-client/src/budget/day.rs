//! Days and months as they are in Chile.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Where the accounts are kept. The rules are compiled in.
static SANTIAGO: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::get("America/Santiago").unwrap_or_else(|error| {
        tracing::error!(%error, "no rules for America/Santiago: days are UTC days");
        TimeZone::UTC
    })
});

/// A Chilean day, and a moment of it.
#[derive(Debug, Clone)]
pub(crate) struct Day(Zoned);

impl Day {
    /// The day at a moment.
    pub(crate) fn at(now: SystemTime) -> Self {
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        Self(now.to_zoned(SANTIAGO.clone()))
    }

    pub(crate) fn date(&self) -> Date {
        self.0.date()
    }

    pub(crate) fn yesterday(&self) -> Date {
        self.0.date().saturating_sub(jiff::Span::new().days(1))
    }

    /// Its month, such as `2026-11`.
    pub(crate) fn month(&self) -> String {
        self.0.strftime("%Y-%m").to_string()
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> i64 {
        self.0.timestamp().as_second()
    }

    /// When it began, in seconds since 1970. Where clocks were put forward it was at one.
    pub(crate) fn began(&self) -> i64 {
        self.0.start_of_day().map_or_else(
            |_| self.seconds() - 86_400,
            |start| start.timestamp().as_second(),
        )
    }

    /// How long it still lasts.
    pub(crate) fn remaining(&self) -> Duration {
        let next = self.0.tomorrow().and_then(|next| next.start_of_day());
        next.ok()
            .and_then(|next| Duration::try_from(next.duration_since(&self.0)).ok())
            .unwrap_or(Duration::from_secs(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Day {
        Day::at(text.parse::<Timestamp>().unwrap().into())
    }

    #[test]
    fn a_day_ends_at_midnight_in_santiago() {
        let evening = at("2026-11-23T02:30:00Z");
        assert_eq!(evening.date().to_string(), "2026-11-22");
        assert_eq!(evening.yesterday().to_string(), "2026-11-21");
        assert_eq!(evening.month(), "2026-11");
        assert_eq!(evening.remaining(), Duration::from_secs(1_800));
        let night = at("2026-11-23T03:00:00Z");
        assert_eq!(night.date().to_string(), "2026-11-23");
        assert_eq!(night.seconds(), night.began());
    }

    #[test]
    fn a_day_without_midnight_and_one_of_25_hours_are_days_too() {
        // Clocks go forward at midnight from Saturday to Sunday: 2026-09-06 begins at one.
        let sunday = at("2026-09-06T04:00:00Z");
        assert_eq!(sunday.date().to_string(), "2026-09-06");
        assert_eq!(sunday.remaining(), Duration::from_secs(23 * 3_600));
        let saturday = at("2026-04-04T03:00:00Z");
        assert_eq!(saturday.remaining(), Duration::from_secs(25 * 3_600));
    }
}
