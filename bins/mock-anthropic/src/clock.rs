//! The clock behind cache lifetimes and rate-limit windows: a value, so that no test waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Where a [`Clock::manual`] starts: 2026-01-01T00:00:00Z.
const MANUAL_START_MS: u64 = 1_767_225_600_000;

/// Tells the time since the Unix epoch. Cloning shares the same clock.
///
/// It ages prompt-cache entries and rate-limit windows. Latency is *not* taken from it: that
/// is `tokio::time`, which a test pauses with `tokio::time::pause`.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { epoch: Duration, started: Instant },
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's clock, read once and then advanced monotonically.
    #[must_use]
    pub fn system() -> Self {
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(Source::System {
            epoch,
            started: Instant::now(),
        })
    }

    /// A clock that stands still (at 2026-01-01) until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::new(AtomicU64::new(MANUAL_START_MS))))
    }

    /// Moves a manual clock forward; returns false, and does nothing, on the system's.
    pub fn advance(&self, by: Duration) -> bool {
        match &self.0 {
            Source::System { .. } => false,
            Source::Manual(now) => {
                let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
                now.fetch_add(by, Ordering::Relaxed);
                true
            }
        }
    }

    /// Time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        match &self.0 {
            Source::System { epoch, started } => *epoch + started.elapsed(),
            Source::Manual(now) => Duration::from_millis(now.load(Ordering::Relaxed)),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// `2026-01-01T00:00:00Z` for a time since the epoch, as the rate-limit headers write it.
pub(crate) fn rfc3339(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60
    )
}

/// Proleptic Gregorian date of a day count since 1970-01-01 (Howard Hinnant's
/// `civil_from_days`, for non-negative days).
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_the_api_writes_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual();
        let shared = clock.clone();
        let start = clock.now();
        assert!(shared.advance(Duration::from_secs(7)));
        assert_eq!(clock.now() - start, Duration::from_secs(7));
        assert!(!Clock::system().advance(Duration::from_secs(7)));
    }
}
