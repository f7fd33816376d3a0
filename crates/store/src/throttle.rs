//! A rate limit as the generic cell rate algorithm (GCRA): one instant per key says all.
//!
//! The instant is the theoretical arrival time of the next permit: each permit moves it on by
//! one interval, and it may be ahead of the clock by the burst at most. No window to straddle,
//! no list of past calls.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::{ErrorKind, StoreError};

/// Longest that a full burst may take to come back, and longest period.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How many permits there are in a time, and how many of them at once.
///
/// ```
/// use std::time::Duration;
/// use store::Rate;
///
/// let rate = Rate::per(60, Duration::from_secs(60))?.burst(10)?;
/// assert_eq!(rate.interval(), Duration::from_secs(1));
/// assert!(Rate::per(0, Duration::from_secs(60)).is_err());
/// # Ok::<(), store::StoreError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    burst: u32,
    interval_micros: u64,
}

impl Rate {
    /// `permits` in every `period`, all of them at once if unused: [`Self::burst`] lowers or
    /// raises that. The time from one permit to the next is rounded up to a whole microsecond.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for no permits, more than one a microsecond, or a period
    /// that is zero or longer than 366 days.
    pub fn per(permits: u32, period: Duration) -> Result<Self, StoreError> {
        let nanos = period.as_nanos();
        if permits == 0 || nanos < u128::from(permits) * 1_000 || period > LONGEST {
            return Err(refused());
        }
        let micros = nanos.div_ceil(1_000 * u128::from(permits));
        let interval_micros = u64::try_from(micros).map_err(|_| refused())?;
        Self {
            burst: 1,
            interval_micros,
        }
        .burst(permits)
    }

    /// The same rate, with `burst` permits at once after a rest.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for 0, or for more than come back in 366 days.
    pub fn burst(self, burst: u32) -> Result<Self, StoreError> {
        let whole = u128::from(burst) * u128::from(self.interval_micros);
        // A rounded-up interval may carry the longest period a little over.
        if burst == 0 || whole > LONGEST.as_micros() + u128::from(burst) {
            return Err(refused());
        }
        Ok(Self { burst, ..self })
    }

    /// The time from one permit to the next.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_micros(self.interval_micros)
    }

    /// Most permits at once.
    #[must_use]
    pub fn max_burst(&self) -> u32 {
        self.burst
    }

    /// [`Self::interval`] in microseconds.
    #[cfg(test)]
    pub(crate) fn interval_micros(&self) -> u64 {
        self.interval_micros
    }

    /// The answer, where the permits out take `outstanding` microseconds to come back (those of
    /// this call included, if it was allowed) and this call was short by `wait`.
    pub(crate) fn answer(&self, allowed: bool, outstanding: u64, wait: u64) -> Throttled {
        let whole = self.interval_micros.saturating_mul(self.burst.into());
        let left = whole.saturating_sub(outstanding) / self.interval_micros.max(1);
        Throttled {
            allowed,
            remaining: u32::try_from(left).unwrap_or(u32::MAX),
            retry_after: Duration::from_micros(wait),
            reset_after: Duration::from_micros(outstanding),
        }
    }

    /// One request at `now`, where `arrival` is what the last one left (both in microseconds of
    /// one clock): the answer, and the arrival to keep where something was taken.
    pub(crate) fn decide(&self, arrival: Option<u64>, now: u64, cost: u32) -> Decision {
        let whole = self.interval_micros.saturating_mul(self.burst.into());
        // Never further ahead than a full burst: a clock that was set back, or a rate that was
        // made smaller, must not lock anybody out for longer.
        let ahead = arrival
            .map_or(0, |arrival| arrival.saturating_sub(now))
            .min(whole);
        let asked = self.interval_micros.saturating_mul(cost.into());
        let then = ahead.saturating_add(asked);
        if then > whole {
            return Decision {
                answer: self.answer(false, ahead, then - whole),
                keep: None,
            };
        }
        Decision {
            answer: self.answer(true, then, 0),
            keep: (cost > 0).then(|| now.saturating_add(then)),
        }
    }
}

/// See [`Rate::decide`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) answer: Throttled,
    pub(crate) keep: Option<u64>,
}

/// The answer to a request for permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// Whether the permits were there, and are taken.
    pub allowed: bool,
    /// Permits that could be had at once after this.
    pub remaining: u32,
    /// When the same request could succeed; zero if it did.
    pub retry_after: Duration,
    /// When all permits are back.
    pub reset_after: Duration,
}

/// What this process knows of one key's limit, for the time when the store doesn't say: the
/// limit goes on from where the store last saw it, for this process alone.
///
/// ```
/// use std::time::{Duration, Instant};
/// use store::{LocalLimit, Rate};
///
/// let (limit, now) = (LocalLimit::new(), Instant::now());
/// let rate = Rate::per(1, Duration::from_secs(60))?;
/// assert!(limit.take(rate, 1, now).allowed);
/// assert!(!limit.take(rate, 1, now).allowed);
/// # Ok::<(), store::StoreError>(())
/// ```
#[derive(Debug)]
pub struct LocalLimit {
    began: Instant,
    /// Theoretical arrival time of the next permit, in microseconds since it began.
    arrival: AtomicU64,
}

impl Default for LocalLimit {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalLimit {
    /// A limit of which nothing was used.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            arrival: AtomicU64::new(0),
        }
    }

    /// Takes `cost` permits, if they are there: all of them or none.
    pub fn take(&self, rate: Rate, cost: u32, now: Instant) -> Throttled {
        let now = self.micros(now);
        let decide = |arrival| rate.decide(Some(arrival), now, cost);
        let order = (Ordering::AcqRel, Ordering::Acquire);
        let before = self
            .arrival
            .fetch_update(order.0, order.1, |arrival| decide(arrival).keep);
        // Either way it is the arrival that was decided on.
        decide(before.unwrap_or_else(|unchanged| unchanged)).answer
    }

    /// Takes over what the store answered. What was taken here since isn't forgotten: answers
    /// may come in another order than they were given in.
    pub fn learn(&self, told: &Throttled, now: Instant) {
        let reset = u64::try_from(told.reset_after.as_micros()).unwrap_or(u64::MAX);
        let arrival = self.micros(now).saturating_add(reset);
        self.arrival.fetch_max(arrival, Ordering::AcqRel);
    }

    fn micros(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.began);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

fn refused() -> StoreError {
    StoreError::new(ErrorKind::InvalidArgument, "making a rate")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_then_one_an_interval() {
        let rate = Rate::per(2, Duration::from_secs(2)).unwrap();
        let first = rate.decide(None, 1_000_000, 1);
        assert_eq!(first.answer, rate.answer(true, 1_000_000, 0));
        assert_eq!(first.answer.remaining, 1);
        let second = rate.decide(first.keep, 1_000_000, 1);
        assert!(second.answer.allowed && second.answer.remaining == 0);
        let third = rate.decide(second.keep, 1_250_000, 1);
        assert!(!third.answer.allowed && third.keep.is_none());
        assert_eq!(third.answer.retry_after, Duration::from_millis(750));
        assert_eq!(third.answer.reset_after, Duration::from_millis(1_750));
        assert!(rate.decide(second.keep, 2_000_000, 1).answer.allowed);
    }

    #[test]
    fn looking_takes_nothing_and_a_clock_set_back_locks_nobody_out() {
        let rate = Rate::per(1, Duration::from_secs(1)).unwrap();
        let look = rate.decide(Some(5_000_000), 4_500_000, 0);
        assert!(look.answer.allowed && look.keep.is_none() && look.answer.remaining == 0);
        let back = rate.decide(Some(900_000_000), 1_000_000, 1);
        assert_eq!(back.answer.retry_after, Duration::from_secs(1));
    }

    #[test]
    fn rates_outside_their_domain_are_refused() {
        let day = Duration::from_secs(86_400);
        assert!(Rate::per(0, day).is_err());
        assert!(Rate::per(1, Duration::ZERO).is_err());
        assert!(Rate::per(1_001, Duration::from_millis(1)).is_err());
        assert!(Rate::per(1_000, Duration::from_millis(1)).is_ok());
        assert!(Rate::per(1, LONGEST + day).is_err());
        assert!(Rate::per(7, LONGEST).is_ok());
        let daily = Rate::per(1, day).unwrap();
        assert!(daily.burst(0).is_err());
        assert!(daily.burst(366).is_ok());
        assert!(daily.burst(367).is_err());
        assert!(daily.burst(u32::MAX).is_err());
    }

    #[test]
    fn a_local_limit_goes_on_from_what_the_store_said() {
        let rate = Rate::per(6, Duration::from_secs(60)).unwrap();
        let rate = rate.burst(3).unwrap();
        let limit = LocalLimit::new();
        let now = Instant::now();
        // Another replica took one of the two that are out.
        limit.learn(&rate.answer(true, 20_000_000, 0), now);
        let third = limit.take(rate, 1, now);
        assert_eq!(third, rate.answer(true, 30_000_000, 0));
        let refused = limit.take(rate, 1, now);
        assert_eq!(refused, rate.answer(false, 30_000_000, 10_000_000));
        // An older answer that comes late gives nothing back.
        limit.learn(&rate.answer(true, 10_000_000, 0), now);
        assert!(!limit.take(rate, 1, now).allowed);
        let later = now + Duration::from_secs(10);
        assert_eq!(limit.take(rate, 1, later), third);
    }

    #[test]
    fn a_local_limit_gives_each_permit_once() {
        let rate = Rate::per(1, Duration::from_secs(86_400)).unwrap();
        let rate = rate.burst(100).unwrap();
        let (limit, now) = (LocalLimit::new(), Instant::now());
        let taken = || (0..80).filter(|_| limit.take(rate, 1, now).allowed).count();
        let [a, b] = std::thread::scope(|scope| {
            [scope.spawn(taken), scope.spawn(taken)].map(|thread| thread.join().unwrap())
        });
        assert_eq!(a + b, 100);
    }

    proptest! {
        /// Over any time, no more goes through than the burst and what came back.
        #[test]
        fn no_more_than_the_rate_goes_through(
            permits in 1_u32..50,
            period in 1_u64..10_000,
            burst in 1_u32..50,
            steps in prop::collection::vec((0_u64..3_000, 1_u32..5), 1..200),
        ) {
            let rate = Rate::per(permits, Duration::from_millis(period))
                .and_then(|rate| rate.burst(burst))
                .unwrap();
            let (mut arrival, mut now, mut taken) = (None, 1_795_000_000_000_000, 0_u64);
            let start = now;
            for (pause, cost) in steps {
                now += pause * 1_000;
                let decision = rate.decide(arrival, now, cost);
                if decision.answer.allowed {
                    taken += u64::from(cost);
                    arrival = decision.keep;
                } else {
                    let later = now + u64::try_from(decision.answer.retry_after.as_micros()).unwrap();
                    prop_assert_eq!(rate.decide(arrival, later, cost).answer.allowed, cost <= burst);
                    prop_assert!(!rate.decide(arrival, later - 1, cost).answer.allowed);
                }
                let come_back = (now - start) / rate.interval_micros();
                prop_assert!(taken <= u64::from(burst) + come_back);
            }
        }
    }
}
