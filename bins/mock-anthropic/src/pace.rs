//! How fast an answer comes: the wait for its first byte, then its tokens per second.

use std::{str::FromStr, time::Duration};

use crate::random::{mix, unit};

/// No wait is longer than this, whatever was asked for: every wait has a deadline.
const LONGEST: Duration = Duration::from_secs(600);

/// A token pace slower than this is taken as this, for the same reason.
const SLOWEST_TOKENS_PER_SECOND: f64 = 0.1;

/// The standard normal's 95th percentile: ties a lognormal's p95 to its median.
const Z95: f64 = 1.644_853_626_951_472_2;

/// The wait for the first byte of an answer, at most 600 s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Always the same.
    Fixed(Duration),
    /// Lognormal with this median and 95th percentile, drawn from the server's seed. Real
    /// models' latency has such a long right tail.
    LogNormal {
        /// Half of the waits are shorter.
        p50: Duration,
        /// 95 of 100 waits are shorter; a value under `p50` is taken as `p50`.
        p95: Duration,
    },
}

impl Delay {
    /// No wait.
    pub const NONE: Self = Self::Fixed(Duration::ZERO);

    /// The wait that these random bits stand for.
    pub(crate) fn sample(self, bits: u64) -> Duration {
        match self {
            Self::Fixed(wait) => wait.min(LONGEST),
            Self::LogNormal { p50, p95 } => {
                let median = p50.as_secs_f64();
                if median <= 0.0 {
                    return Duration::ZERO;
                }
                let sigma = (p95.max(p50).as_secs_f64() / median).ln() / Z95;
                let seconds = median * (sigma * standard_normal(bits)).exp();
                Duration::try_from_secs_f64(seconds).map_or(LONGEST, |wait| wait.min(LONGEST))
            }
        }
    }
}

impl std::fmt::Display for Delay {
    /// The form that is read back: milliseconds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(wait) => write!(f, "{}", wait.as_millis()),
            Self::LogNormal { p50, p95 } => {
                write!(f, "lognormal:{},{}", p50.as_millis(), p95.as_millis())
            }
        }
    }
}

/// Box–Muller over two numbers made from the same bits.
fn standard_normal(bits: u64) -> f64 {
    let (a, b) = (
        unit(bits),
        unit(mix(bits.wrapping_add(0x9E37_79B9_7F4A_7C15))),
    );
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// Why a [`Delay`] or a pace could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaceError {
    /// A delay is neither `800` (milliseconds) nor `lognormal:800,2500`.
    Delay,
    /// Tokens per second is not a finite number of zero or more.
    Rate,
}

impl std::fmt::Display for PaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Delay => {
                "a delay is milliseconds, or `lognormal:P50,P95` with both in milliseconds"
            }
            Self::Rate => "tokens per second is a number of zero (no pacing) or more",
        })
    }
}

impl std::error::Error for PaceError {}

impl FromStr for Delay {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let millis = |part: &str| {
            part.trim()
                .parse()
                .map(Duration::from_millis)
                .map_err(|_| PaceError::Delay)
        };
        match text.trim().strip_prefix("lognormal:") {
            None => millis(text).map(Self::Fixed),
            Some(parts) => {
                let (p50, p95) = parts.split_once(',').ok_or(PaceError::Delay)?;
                Ok(Self::LogNormal {
                    p50: millis(p50)?,
                    p95: millis(p95)?,
                })
            }
        }
    }
}

/// The speed of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    pub(crate) first_byte: Delay,
    tokens_per_second: Option<f64>,
}

impl Pace {
    /// As fast as the machine can.
    pub const INSTANT: Self = Self {
        first_byte: Delay::NONE,
        tokens_per_second: None,
    };

    /// First byte after `first_byte`, then `tokens_per_second`; 0, or what is no finite
    /// positive number, means no pacing.
    #[must_use]
    pub fn new(first_byte: Delay, tokens_per_second: f64) -> Self {
        Self {
            first_byte,
            ..Self::INSTANT
        }
        .with_rate(tokens_per_second)
    }

    pub(crate) fn with_rate(self, tokens_per_second: f64) -> Self {
        let paced = tokens_per_second.is_finite() && tokens_per_second > 0.0;
        let rate = paced.then(|| tokens_per_second.max(SLOWEST_TOKENS_PER_SECOND));
        Self {
            tokens_per_second: rate,
            ..self
        }
    }

    /// Tokens per second, 0 for no pacing.
    pub(crate) fn rate(self) -> f64 {
        self.tokens_per_second.unwrap_or(0.0)
    }

    /// When the `tokens`-th token is out, counted from the first byte.
    pub(crate) fn after_tokens(self, tokens: u32) -> Duration {
        self.tokens_per_second.map_or(Duration::ZERO, |rate| {
            Duration::try_from_secs_f64(f64::from(tokens) / rate)
                .map_or(LONGEST, |wait| wait.min(LONGEST))
        })
    }

    /// Tokens in one stream event: one sixteenth of a second's worth, or 16 when not paced.
    pub(crate) fn tokens_per_event(self) -> u32 {
        self.tokens_per_second.map_or(16, |rate| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to 1..=4096 first"
            )]
            let tokens = (rate / 16.0).clamp(1.0, 4096.0) as u32;
            tokens
        })
    }
}

/// Reads a token pace.
pub(crate) fn parse_rate(text: &str) -> Result<f64, PaceError> {
    let rate: f64 = text.trim().parse().map_err(|_| PaceError::Rate)?;
    if rate.is_finite() && rate >= 0.0 {
        Ok(rate)
    } else {
        Err(PaceError::Rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Sequence;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn delays_are_read() {
        assert_eq!("800".parse(), Ok(Delay::Fixed(ms(800))));
        assert_eq!(
            "lognormal:800, 2500".parse(),
            Ok(Delay::LogNormal {
                p50: ms(800),
                p95: ms(2500)
            })
        );
        for bad in ["", "-1", "fast", "lognormal:800", "lognormal:a,b"] {
            assert_eq!(bad.parse::<Delay>(), Err(PaceError::Delay), "{bad}");
        }
        for bad in ["", "-1", "NaN", "inf"] {
            assert_eq!(parse_rate(bad), Err(PaceError::Rate), "{bad}");
        }
    }

    #[test]
    fn a_lognormal_has_the_quantiles_that_were_asked_for() {
        let sequence = Sequence::new(1);
        let delay = Delay::LogNormal {
            p50: ms(800),
            p95: ms(2500),
        };
        let mut waits: Vec<_> = (0..10_000).map(|_| delay.sample(sequence.next())).collect();
        waits.sort();
        let (p50, p95) = (waits[5_000], waits[9_500]);
        assert!(p50 > ms(770) && p50 < ms(830), "{p50:?}");
        assert!(p95 > ms(2350) && p95 < ms(2650), "{p95:?}");
    }

    #[test]
    fn no_wait_is_endless() {
        assert_eq!(Delay::Fixed(Duration::MAX).sample(0), LONGEST);
        assert_eq!(
            Delay::LogNormal {
                p50: Duration::MAX,
                p95: ms(1)
            }
            .sample(9),
            LONGEST
        );
        assert_eq!(
            Pace::new(Delay::NONE, 1e-300).after_tokens(u32::MAX),
            LONGEST
        );
    }

    #[test]
    fn tokens_come_at_the_pace() {
        assert_eq!(
            Pace::new(Delay::NONE, 60.0).after_tokens(120),
            Duration::from_secs(2)
        );
        assert_eq!(Pace::new(Delay::NONE, f64::NAN), Pace::INSTANT);
        assert_eq!(Pace::INSTANT.after_tokens(120), Duration::ZERO);
        assert_eq!(Pace::new(Delay::NONE, 160.0).tokens_per_event(), 10);
    }
}
