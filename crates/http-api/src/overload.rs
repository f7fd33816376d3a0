//! Refusing some requests when there is more to do than the cores can.
//!
//! The bound on requests in flight can't see that: what is answered without waiting is never
//! many at once, while those who are behind wait in their sockets. What they wait is seen by a
//! task that asks to be woken at a time and looks how late it is. Where even the least lateness
//! of the last tenth of a second (CoDel's standing delay, RFC 8289) is over [`TARGET`], a share of
//! requests is refused, which grows and shrinks with the delay as the drop probability of PIE
//! does (RFC 8033). One stall, however long, refuses nobody.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use metrics::Counter;
use observability::HttpMetrics;
use tokio::time::{Instant, sleep_until};

/// The delay that is borne.
const TARGET: Duration = Duration::from_millis(10);
/// Between two looks.
const EVERY: Duration = Duration::from_millis(20);
/// Looks whose least lateness counts: 100 ms of them.
const LOOKS: usize = 5;
/// What the share grows by at each look, for a second of delay over the target, and of growth of
/// the delay.
const OVER: f64 = 0.2;
const GROWTH: f64 = 4.0;
/// What is left of the share after a look that found less than half of the target.
const RELIEF: f64 = 0.8;
/// Some are always let in: who refuses everybody never learns that it is over.
const LARGEST: f64 = 0.95;
/// A share below this is none.
const SMALLEST: f64 = 0.005;
/// The whole, as the share is kept.
const WHOLE: u32 = 1 << 16;

/// The share of requests that is refused now.
#[derive(Debug)]
pub(crate) struct Overload {
    /// In parts of [`WHOLE`].
    share: AtomicU32,
    /// What the shares of all requests so far sum up to: each time it passes a whole, one is
    /// refused.
    owed: AtomicU32,
    refused: Counter,
}

impl Default for Overload {
    fn default() -> Self {
        Self {
            share: AtomicU32::new(0),
            owed: AtomicU32::new(0),
            refused: HttpMetrics::refused("overload"),
        }
    }
}

impl Overload {
    /// Whether this request is one of those that are refused.
    pub(crate) fn refuses(&self) -> bool {
        let share = self.share.load(Ordering::Relaxed);
        if share == 0 {
            return false;
        }
        let before = self.owed.fetch_add(share, Ordering::Relaxed);
        let after = before.wrapping_add(share);
        let refuses = before / WHOLE != after / WHOLE;
        if refuses {
            self.refused.increment(1);
        }
        refuses
    }

    /// Looks for ever.
    pub(crate) async fn watch(&self) {
        let mut controller = Controller::default();
        loop {
            let due = Instant::now() + EVERY;
            sleep_until(due).await;
            let share = controller.look(due.elapsed());
            // Within 0 and 1, and so within 0 and the whole.
            let parts = (share * f64::from(WHOLE)) as u32;
            self.share.store(parts, Ordering::Relaxed);
        }
    }
}

/// From delays to a share.
#[derive(Debug, Default)]
struct Controller {
    late: VecDeque<Duration>,
    delay: Duration,
    share: f64,
}

impl Controller {
    /// After a look that found this lateness.
    fn look(&mut self, late: Duration) -> f64 {
        if self.late.len() >= LOOKS {
            self.late.pop_front();
        }
        self.late.push_back(late);
        let least = self.late.iter().min().copied().unwrap_or_default();
        // Not before there is a tenth of a second of them.
        let standing = if self.late.len() < LOOKS {
            Duration::ZERO
        } else {
            least
        };
        let over = standing.as_secs_f64() - TARGET.as_secs_f64();
        let growth = standing.as_secs_f64() - self.delay.as_secs_f64();
        self.delay = standing;
        self.share = if standing < TARGET / 2 {
            self.share * RELIEF
        } else {
            self.share + OVER * over + GROWTH * growth
        };
        self.share = self.share.clamp(0.0, LARGEST);
        if self.share < SMALLEST && over <= 0.0 {
            self.share = 0.0;
        }
        self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that comes, in units of what the cores can in the same time, for so many looks; its
    /// delay after each, in milliseconds, and the share.
    fn served(
        controller: &mut Controller,
        waiting: &mut f64,
        rate: f64,
        looks: usize,
    ) -> Vec<(f64, f64)> {
        let one = EVERY.as_secs_f64();
        let mut seen = Vec::new();
        for _ in 0..looks {
            // A refusal costs a tenth of an answer.
            let cost = 1.0 - 0.9 * controller.share;
            // Who waits is one of 600 connections: no more than 60 ms of work can.
            *waiting = (*waiting + one * (rate * cost - 1.0)).clamp(0.0, 0.06);
            let share = controller.look(Duration::from_secs_f64(*waiting));
            seen.push((*waiting * 1e3, share));
        }
        seen
    }

    #[test]
    fn twice_of_what_can_be_is_brought_to_the_target_and_forgotten_after() {
        let (mut controller, mut waiting) = (Controller::default(), 0.0);
        let calm = served(&mut controller, &mut waiting, 0.6, 100);
        assert!(calm.iter().all(|(_, share)| *share == 0.0));
        let over = served(&mut controller, &mut waiting, 2.0, 500);
        let settled = &over[100..];
        let mean = settled.iter().map(|(delay, _)| delay).sum::<f64>() / settled.len() as f64;
        assert!((5.0..20.0).contains(&mean), "{mean} ms");
        let share = settled.iter().map(|(_, share)| share).sum::<f64>() / settled.len() as f64;
        // 2 (1 - 0.9 s) = 1 at a share of 0.56.
        assert!((0.45..0.70).contains(&share), "{share}");
        let back = served(&mut controller, &mut waiting, 0.6, 100);
        let last = back.iter().rposition(|(_, share)| *share > 0.0).unwrap();
        assert!(last < 50, "still refusing {last} looks, of 20 ms, after");
    }

    #[test]
    fn one_long_stall_refuses_nobody() {
        let mut controller = Controller::default();
        for look in 0..200 {
            let late = if look % LOOKS == 0 { 500 } else { 1 };
            assert_eq!(controller.look(Duration::from_millis(late)), 0.0);
        }
    }

    #[test]
    fn somebody_is_always_let_in() {
        let mut controller = Controller::default();
        let share = (0..1_000)
            .map(|_| controller.look(Duration::from_secs(60)))
            .fold(0.0, f64::max);
        assert_eq!(share, LARGEST);
    }

    #[test]
    fn exactly_the_share_is_refused() {
        let overload = Overload::default();
        assert!((0..1_000).all(|_| !overload.refuses()));
        overload.share.store(WHOLE / 4, Ordering::Relaxed);
        let refused = (0..4_000).filter(|_| overload.refuses()).count();
        assert_eq!(refused, 1_000);
        // The sum passes its type's end without a jump.
        overload.owed.store(u32::MAX - WHOLE / 8, Ordering::Relaxed);
        let refused = (0..4_000).filter(|_| overload.refuses()).count();
        assert_eq!(refused, 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn on_time_means_nobody_is_refused() {
        let overload = Overload::default();
        let watched = tokio::time::timeout(Duration::from_secs(10), overload.watch()).await;
        assert!(watched.is_err() && !overload.refuses());
    }
}
