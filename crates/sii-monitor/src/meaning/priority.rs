//! From 1 (to know some day) to 5 (act today), from what is known of a change.

use jiff::civil::Date;

use super::impact::Level;

/// How near what must be done is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Nothing is dated, or all of it is past or more than 90 days away.
    None,
    /// Within 90 days.
    Soon,
    /// Within 30 days.
    Now,
}

impl Urgency {
    /// The urgency of the nearest of `dates` that is not before `today`.
    #[must_use]
    pub fn of(today: Date, dates: impl IntoIterator<Item = Date>) -> Self {
        let days = dates
            .into_iter()
            .filter_map(|date| u32::try_from((date - today).get_days()).ok())
            .min();
        match days {
            Some(0..=30) => Self::Now,
            Some(31..=90) => Self::Soon,
            _ => Self::None,
        }
    }
}

/// The priority of a change:
///
/// | impact | no date near | within 90 days | within 30 days |
/// |---|---|---|---|
/// | low | 1 | 1 | 2 |
/// | medium | 2 | 3 | 4 |
/// | high | 3 | 4 | 5 |
///
/// One more (5 at most) for what makes documents wrong that were right, if its impact is medium
/// or high. More of anything never lowers it.
#[must_use]
pub fn priority(level: Level, urgency: Urgency, breaking: bool) -> u8 {
    let base = match (level, urgency) {
        (Level::Bajo, Urgency::None | Urgency::Soon) => 1,
        (Level::Bajo, Urgency::Now) | (Level::Medio, Urgency::None) => 2,
        (Level::Medio, Urgency::Soon) | (Level::Alto, Urgency::None) => 3,
        (Level::Medio, Urgency::Now) | (Level::Alto, Urgency::Soon) => 4,
        (Level::Alto, Urgency::Now) => 5,
    };
    let more = u8::from(breaking && level > Level::Bajo);
    (base + more).min(5)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_table() {
        use Level::{Alto, Bajo, Medio};
        use Urgency::{None, Now, Soon};
        for (level, urgency, plain, breaking) in [
            (Bajo, None, 1, 1),
            (Bajo, Soon, 1, 1),
            (Bajo, Now, 2, 2),
            (Medio, None, 2, 3),
            (Medio, Soon, 3, 4),
            (Medio, Now, 4, 5),
            (Alto, None, 3, 4),
            (Alto, Soon, 4, 5),
            (Alto, Now, 5, 5),
        ] {
            assert_eq!(priority(level, urgency, false), plain);
            assert_eq!(priority(level, urgency, true), breaking);
        }
    }

    #[test]
    fn more_never_lowers_it() {
        let levels = [Level::Bajo, Level::Medio, Level::Alto];
        let urgencies = [Urgency::None, Urgency::Soon, Urgency::Now];
        for (i, low) in levels.iter().enumerate() {
            for high in &levels[i..] {
                for (j, far) in urgencies.iter().enumerate() {
                    for near in &urgencies[j..] {
                        assert!(priority(*high, *near, true) >= priority(*low, *far, false));
                    }
                }
            }
        }
    }

    #[test]
    fn the_nearest_date_that_is_not_past_counts() {
        let today = date(2026, 11, 22);
        for (dates, expected) in [
            (vec![], Urgency::None),
            (vec![date(2026, 11, 21)], Urgency::None),
            (vec![date(2026, 11, 22)], Urgency::Now),
            (vec![date(2026, 12, 22)], Urgency::Now),
            (vec![date(2026, 12, 23)], Urgency::Soon),
            (vec![date(2027, 2, 20), date(2026, 1, 1)], Urgency::Soon),
            (vec![date(2027, 2, 21)], Urgency::None),
        ] {
            assert_eq!(Urgency::of(today, dates.clone()), expected, "{dates:?}");
        }
    }
}
