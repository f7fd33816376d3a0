//! Amounts of dollars, exact: whole pico-dollars.

use std::fmt;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Pico-dollars in a dollar.
const PICO_PER_USD: i64 = 1_000_000_000_000;

/// An amount of US dollars in whole pico-dollars (10⁻¹² USD): one token at 3 USD a million
/// is 3,000,000 of them. It reaches to 9.2 million dollars; arithmetic stops there
/// (saturates) and never wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(i64);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount of so many pico-dollars (10⁻¹² USD).
    #[must_use]
    pub const fn from_pico(pico: i64) -> Self {
        Self(pico)
    }

    /// An amount of so many micro-dollars (10⁻⁶ USD).
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros.saturating_mul(1_000_000))
    }

    /// An amount of so many cents.
    #[must_use]
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents.saturating_mul(PICO_PER_USD / 100))
    }

    /// The amount in pico-dollars (10⁻¹² USD).
    #[must_use]
    pub const fn pico(self) -> i64 {
        self.0
    }

    /// An unsigned amount of pico-dollars, as [`Prices`](crate::Prices) compute it.
    #[must_use]
    pub fn from_pico_u128(pico: u128) -> Self {
        Self(i64::try_from(pico).unwrap_or(i64::MAX))
    }

    /// The sum, at most [`MAX`](Self::MAX).
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; it may be below nothing.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The amount shared out among `parts`, rounded half away from zero to a pico-dollar;
    /// nothing where there are no parts.
    #[must_use]
    pub fn divided_by(self, parts: u64) -> Self {
        if parts == 0 {
            return Self::ZERO;
        }
        let (amount, parts) = (i128::from(self.0), i128::from(parts));
        let half = if amount < 0 { -parts / 2 } else { parts / 2 };
        // |amount + half| / parts is at most |amount| + 1, and that only for parts = 1, half = 0.
        Self(i64::try_from((amount + half) / parts).unwrap_or(i64::MAX))
    }

    /// The amount as a metric's sample: dollars, rounded as floats are.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a metric's sample; the ledger has the exact amount"
    )]
    pub fn approximate(self) -> f64 {
        self.0 as f64 / PICO_PER_USD as f64
    }
}

/// Dollars as a plain decimal without trailing zeros: `0.0105`.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (
            self.0.unsigned_abs() / PICO_PER_USD.unsigned_abs(),
            self.0.unsigned_abs() % PICO_PER_USD.unsigned_abs(),
        );
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{part:012}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// A JSON number with every digit; with serde_json only.
impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_with_every_digit_and_no_more() {
        for (pico, text) in [
            (0, "0"),
            (1, "0.000000000001"),
            (10_500_000_000, "0.0105"),
            (3 * PICO_PER_USD, "3"),
            (-1_500_000_000_000, "-1.5"),
            (i64::MAX, "9223372.036854775807"),
            (i64::MIN, "-9223372.036854775808"),
        ] {
            let amount = Usd::from_pico(pico);
            assert_eq!(amount.to_string(), text);
            assert_eq!(serde_json::to_string(&amount).unwrap(), text);
        }
    }

    #[test]
    fn it_stops_at_its_ends() {
        assert_eq!(Usd::MAX.plus(Usd::from_pico(1)), Usd::MAX);
        assert_eq!(Usd::from_micros(i64::MAX), Usd::MAX);
        assert_eq!(Usd::from_pico_u128(u128::MAX), Usd::MAX);
        assert_eq!(Usd::from_cents(100).pico(), PICO_PER_USD);
    }

    #[test]
    fn a_mean_is_rounded_half_away_from_zero() {
        assert_eq!(Usd::from_pico(5).divided_by(2), Usd::from_pico(3));
        assert_eq!(Usd::from_pico(-5).divided_by(2), Usd::from_pico(-3));
        assert_eq!(Usd::from_pico(5).divided_by(0), Usd::ZERO);
        assert_eq!(Usd::MAX.divided_by(1), Usd::MAX);
        assert_eq!(Usd::from_pico(7).divided_by(u64::MAX), Usd::ZERO);
    }
}
