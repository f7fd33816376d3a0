//! A rolling window of how calls ended.

use std::time::Duration;

use tokio::time::Instant;

const SLOTS: usize = 10;

/// Good and bad ends of the last while, in ten slots that are forgotten one by one.
#[derive(Debug)]
pub(super) struct Window {
    slot: Duration,
    /// When the newest slot began.
    began: Instant,
    newest: usize,
    slots: [Counts; SLOTS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) good: u64,
    pub(super) bad: u64,
}

impl Window {
    pub(super) fn new(length: Duration, now: Instant) -> Self {
        Self {
            slot: (length / 10).max(Duration::from_millis(1)),
            began: now,
            newest: 0,
            slots: [Counts::default(); SLOTS],
        }
    }

    pub(super) fn record(&mut self, good: bool, now: Instant) {
        self.roll(now);
        if let Some(slot) = self.slots.get_mut(self.newest) {
            if good {
                slot.good += 1;
            } else {
                slot.bad += 1;
            }
        }
    }

    pub(super) fn counts(&mut self, now: Instant) -> Counts {
        self.roll(now);
        self.slots
            .iter()
            .fold(Counts::default(), |sum, slot| Counts {
                good: sum.good + slot.good,
                bad: sum.bad + slot.bad,
            })
    }

    pub(super) fn clear(&mut self) {
        self.slots = [Counts::default(); SLOTS];
    }

    fn roll(&mut self, now: Instant) {
        let mut steps = 0;
        while now.saturating_duration_since(self.began) >= self.slot && steps < SLOTS {
            self.newest = (self.newest + 1) % SLOTS;
            if let Some(slot) = self.slots.get_mut(self.newest) {
                *slot = Counts::default();
            }
            self.began += self.slot;
            steps += 1;
        }
        if steps == SLOTS {
            // All is forgotten: there is nothing left to step through.
            self.began = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_forgotten_slot_by_slot() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut window = Window::new(Duration::from_secs(10), start);
        window.record(false, at(0));
        window.record(true, at(5_500));
        let counts = |window: &mut Window, ms| {
            let Counts { good, bad } = window.counts(at(ms));
            (good, bad)
        };
        assert_eq!(counts(&mut window, 9_999), (1, 1));
        assert_eq!(counts(&mut window, 10_000), (1, 0));
        assert_eq!(counts(&mut window, 15_000), (0, 0));
        window.record(false, at(9_000_000));
        assert_eq!(counts(&mut window, 9_000_001), (0, 1));
        // A clock that seems to go back changes nothing.
        assert_eq!(counts(&mut window, 0), (0, 1));
    }
}
