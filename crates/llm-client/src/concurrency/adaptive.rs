//! The limit itself: additive increase, multiplicative decrease, bounded by what the provider
//! tells. No clock, no lock: a value that is told what happened and when.

use std::time::Duration;

use tokio::time::Instant;

use super::{ConcurrencyConfig, Signal};
use crate::{RateLimit, RateLimits, Usage};

/// What is left of the limit after an overload.
const DECREASE: f64 = 0.75;
/// Weight of a new call in the means of time and tokens.
const MEAN_WEIGHT: f64 = 0.1;

/// How many calls may be under way.
#[derive(Debug)]
pub(super) struct Adaptive {
    limit: f64,
    min: f64,
    max: f64,
    last_cut: Option<Instant>,
    bound: Option<Bound>,
    seconds: Mean,
    input: Mean,
    output: Mean,
}

/// The calls that the account has left, until its limits are whole again.
#[derive(Debug, Clone, Copy)]
struct Bound {
    calls: f64,
    until: Instant,
}

/// A mean with decay.
#[derive(Debug, Clone, Copy, Default)]
struct Mean(Option<f64>);

/// A call that has ended.
pub(super) struct Call {
    pub(super) started: Instant,
    pub(super) signal: Signal,
    pub(super) usage: Option<Usage>,
    /// Calls under way when it ended, itself included.
    pub(super) in_flight: usize,
    /// It was told already, while it went on, that the provider bears it.
    pub(super) borne: bool,
}

impl Adaptive {
    pub(super) fn new(config: &ConcurrencyConfig) -> Self {
        let min = f64::from(config.min.max(1));
        let max = f64::from(config.max).max(min);
        Self {
            limit: f64::from(config.initial).clamp(min, max),
            min,
            max,
            last_cut: None,
            bound: None,
            seconds: Mean::default(),
            input: Mean::default(),
            output: Mean::default(),
        }
    }

    /// The calls that may be under way now, at least one.
    pub(super) fn current(&self, now: Instant) -> usize {
        let bound = self.bound.filter(|bound| now < bound.until);
        let limit = bound.map_or(self.limit, |bound| self.limit.min(bound.calls));
        to_count(limit).max(1)
    }

    /// How long a call takes on the average.
    pub(super) fn call_time(&self) -> Duration {
        Duration::try_from_secs_f64(self.seconds.0.unwrap_or(0.0)).unwrap_or_default()
    }

    /// The provider bears one more call: grows the limit, if so many under way use it.
    pub(super) fn borne(&mut self, in_flight: usize) {
        if to_f64(to_u64(in_flight)) >= self.limit / 2.0 {
            let step = match self.last_cut {
                None => 1.0,
                Some(_) => 1.0 / self.limit,
            };
            self.limit = (self.limit + step).min(self.max);
        }
    }

    /// Learns from a call's end.
    pub(super) fn ended(&mut self, call: &Call, now: Instant) {
        match call.signal {
            Signal::Nothing => {}
            Signal::Well => {
                self.seconds.add((now - call.started).as_secs_f64());
                if let Some(usage) = call.usage {
                    // Cached reads don't count towards the account's limits.
                    let read = usage.cache_read_input_tokens;
                    let input = usage.prompt_tokens().saturating_sub(read);
                    self.input.add(to_f64(input));
                    self.output.add(to_f64(usage.output_tokens));
                }
                if !call.borne {
                    self.borne(call.in_flight);
                }
            }
            // Calls that began before the last cut complain of what was cut already.
            Signal::Overload if self.last_cut.is_none_or(|cut| call.started >= cut) => {
                self.limit = (self.limit * DECREASE).max(self.min);
                self.last_cut = Some(now);
            }
            Signal::Overload => {}
        }
    }

    /// Takes over what the provider tells; gives a pause where not even one call is left.
    pub(super) fn told(&mut self, limits: &RateLimits, now: Instant) -> Option<Duration> {
        let (input, output) = (self.input.0.unwrap_or(1.0), self.output.0.unwrap_or(1.0));
        let left = [
            (limits.requests, 1.0),
            (limits.tokens, input + output),
            (limits.input_tokens, input),
            (limits.output_tokens, output),
        ];
        let calls_left = |(limit, cost): (Option<RateLimit>, f64)| {
            let (limit, cost) = (limit?, cost.max(1.0));
            let whole = limit.reset_after.filter(|wait| !wait.is_zero())?;
            let calls = to_f64(limit.remaining) / cost;
            Some((calls, whole, refill(&limit, cost, whole)))
        };
        let tightest = left.into_iter().filter_map(calls_left);
        let (calls, whole, refill) = tightest.min_by(|a, b| a.0.total_cmp(&b.0))?;
        self.bound = now.checked_add(whole).map(|until| Bound { calls, until });
        (calls < 1.0).then_some(refill)
    }
}

/// How long until a limit holds one more call. Limits fill up evenly until they are whole
/// (Anthropic's and OpenAI's are token buckets, and tell when they will be full).
fn refill(limit: &RateLimit, cost: f64, whole: Duration) -> Duration {
    let remaining = to_f64(limit.remaining);
    match limit.limit.map(to_f64) {
        Some(full) if full > remaining => {
            whole.mul_f64(((cost - remaining) / (full - remaining)).clamp(0.0, 1.0))
        }
        _ => whole,
    }
}

impl Mean {
    fn add(&mut self, value: f64) {
        let mean = self.0.unwrap_or(value);
        self.0 = Some(mean + (value - mean) * MEAN_WEIGHT);
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "limits and means are small")]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a limit of 32 bits"
)]
fn to_count(limit: f64) -> usize {
    limit.floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adaptive(initial: u32) -> Adaptive {
        Adaptive::new(&ConcurrencyConfig {
            initial,
            ..ConcurrencyConfig::default()
        })
    }

    fn call(started: Instant, signal: Signal, in_flight: usize) -> Call {
        Call {
            started,
            signal,
            usage: None,
            in_flight,
            borne: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_burst_of_overload_cuts_once() {
        let (mut limit, start) = (adaptive(16), Instant::now());
        let later = start + Duration::from_secs(1);
        for _ in 0..16 {
            limit.ended(&call(start, Signal::Overload, 16), later);
        }
        assert_eq!(limit.current(later), 12);
        let end = later + Duration::from_secs(1);
        limit.ended(&call(later, Signal::Overload, 12), end);
        assert_eq!(limit.current(end), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn it_grows_only_while_it_is_in_use_and_keeps_its_ends() {
        let (mut limit, now) = (adaptive(8), Instant::now());
        limit.ended(&call(now, Signal::Well, 3), now);
        assert_eq!(limit.current(now), 8);
        for _ in 0..1_000 {
            limit.ended(&call(now, Signal::Well, 400), now);
        }
        assert_eq!(limit.current(now), 256);
        for second in 1..100 {
            let now = now + Duration::from_secs(second);
            limit.ended(&call(now, Signal::Overload, 1), now);
        }
        assert_eq!(limit.current(now), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_account_has_left_bounds_it_until_the_reset() {
        let (mut limit, now) = (adaptive(50), Instant::now());
        let left = |remaining| RateLimit {
            limit: Some(100),
            remaining,
            reset_after: Some(Duration::from_secs(10)),
        };
        let requests = RateLimits {
            requests: Some(left(7)),
            ..RateLimits::default()
        };
        assert_eq!(limit.told(&requests, now), None);
        assert_eq!(limit.current(now), 7);
        assert_eq!(limit.current(now + Duration::from_secs(10)), 50);
        let mut well = call(now, Signal::Well, 1);
        well.usage = Some(Usage {
            input_tokens: 1_000,
            ..Usage::default()
        });
        limit.ended(&well, now);
        let tokens = RateLimits {
            requests: Some(left(90)),
            input_tokens: Some(left(500)),
            ..RateLimits::default()
        };
        assert_eq!(limit.told(&tokens, now), Some(Duration::from_secs(10)));
        assert_eq!(limit.current(now), 1);
        assert_eq!(limit.told(&RateLimits::default(), now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_fills_up_evenly_is_waited_for_until_one_call_fits() {
        let wait = |full, remaining, cost| {
            let limit = RateLimit {
                limit: full,
                remaining,
                reset_after: None,
            };
            refill(&limit, cost, Duration::from_secs(60))
        };
        assert_eq!(wait(Some(60), 0, 1.0), Duration::from_secs(1));
        assert_eq!(wait(Some(2_000), 500, 1_000.0), Duration::from_secs(20));
        assert_eq!(wait(Some(100), 0, 500.0), Duration::from_secs(60));
        assert_eq!(wait(Some(100), 200, 500.0), Duration::from_secs(60));
        assert_eq!(wait(None, 0, 1.0), Duration::from_secs(60));
    }
}
