//! Which day it is, for every request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A day begins with a quarter of an hour, whatever the zone and its clocks' changes.
const QUARTER: u64 = 15 * 60;

/// The day in one time zone. To work it out costs as much as to find a kept answer, so that it is
/// kept for its quarter of an hour.
#[derive(Debug)]
pub(crate) struct Today {
    zone: TimeZone,
    /// The quarter since 1970, and its day: together, so that no thread sees one without the
    /// other.
    known: AtomicU64,
}

impl Today {
    pub(crate) fn of(zone: TimeZone) -> Self {
        Self {
            zone,
            known: AtomicU64::new(0),
        }
    }

    /// The zone.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The day at this moment.
    pub(crate) fn at(&self, now: SystemTime) -> Date {
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let quarter = since_epoch.as_secs() / QUARTER;
        let known = self.known.load(Ordering::Relaxed);
        if known >> 32 == quarter
            && let Some(date) = unpacked(known)
        {
            return date;
        }
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let date = now.to_zoned(self.zone.clone()).date();
        self.known
            .store(quarter << 32 | packed(date), Ordering::Relaxed);
        date
    }
}

/// A date in 32 bits. One that doesn't fit is none that is unpacked again.
fn packed(date: Date) -> u64 {
    let part = |number: i8| u64::from(number.unsigned_abs());
    u64::from(date.year().unsigned_abs()) << 16 | part(date.month()) << 8 | part(date.day())
}

fn unpacked(packed: u64) -> Option<Date> {
    let year = i16::try_from(packed >> 16 & 0xffff).ok()?;
    let part = |shift: u32| i8::try_from(packed >> shift & 0xff).ok();
    Date::new(year, part(8)?, part(0)?).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_moment_has_the_day_that_it_would_have_if_nothing_were_kept() {
        let santiago = || TimeZone::get("America/Santiago").unwrap();
        let today = Today::of(santiago());
        // Over a year, with both changes of the clocks; every 7 minutes, forward and back.
        let begin = 1_767_225_600;
        let moments = (0..75_000).map(|step| begin + step * 420);
        for seconds in moments.clone().chain(moments.rev()) {
            let now = UNIX_EPOCH + Duration::from_secs(seconds);
            let fresh = Timestamp::try_from(now).unwrap().to_zoned(santiago());
            assert_eq!(today.at(now), fresh.date(), "{fresh}");
        }
    }

    #[test]
    fn the_first_quarter_of_all_has_a_day_too() {
        let today = Today::of(TimeZone::UTC);
        for _ in 0..2 {
            assert_eq!(today.at(UNIX_EPOCH), jiff::civil::date(1970, 1, 1));
        }
    }
}
