//! What tokens cost: the built-in table with what the operator knows better.

use std::collections::BTreeMap;

use jiff::civil::Date;
use metrics::gauge;

use crate::{Capabilities, Prices, Usage, Usd};

/// The day on which the built-in table was compared with the providers' pages.
pub const BUILT_IN_PRICES_AS_OF: Date = jiff::civil::date(2026, 11, 22);

/// Gauge, seconds since 1970: the date of the price table, so that an old one can be alerted on.
pub const PRICE_TABLE_DATE: &str = "llm_price_table_date_seconds";
/// Gauge, 0 or 1: whether the price of a model in use is known. Label `model`.
pub const PRICE_KNOWN: &str = "llm_price_known";

/// The prices that costs are computed with: the built-in ones ([`Capabilities`]), and over
/// them those that were set.
///
/// A model that is in neither is booked at [`DEAREST`]: a budget then errs on the safe side,
/// [`known`](Priced::known) is false, and the gauge [`PRICE_KNOWN`] is 0. A model that costs
/// nothing (one's own vLLM or Ollama) is set to [`Prices::FREE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTable {
    own: BTreeMap<String, Prices>,
    as_of: Date,
}

/// The dearest prices of the built-in table (Claude Opus 4.1).
pub const DEAREST: Prices = Prices {
    input: 15_000_000,
    cache_write_5m: 18_750_000,
    cache_write_1h: 30_000_000,
    cache_read: 1_500_000,
    output: 75_000_000,
};

/// The prices of one model, and whether they are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// What its tokens cost.
    pub prices: Prices,
    /// False where the model is in no table and [`DEAREST`] stands in.
    pub known: bool,
}

impl PriceTable {
    /// The built-in prices, of [`BUILT_IN_PRICES_AS_OF`].
    #[must_use]
    pub const fn built_in() -> Self {
        Self {
            own: BTreeMap::new(),
            as_of: BUILT_IN_PRICES_AS_OF,
        }
    }

    /// Sets the prices of one model, by the name that it is asked by.
    #[must_use]
    pub fn with(mut self, model: impl Into<String>, prices: Prices) -> Self {
        self.own.insert(model.into(), prices);
        self
    }

    /// Sets the day of the prices, where the operator has checked them later.
    #[must_use]
    pub const fn as_of(mut self, day: Date) -> Self {
        self.as_of = day;
        self
    }

    /// The day of the prices.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.as_of
    }

    /// The prices of a model.
    #[must_use]
    pub fn of(&self, model: &str) -> Priced {
        let own = self.own.get(model).copied();
        match own.or_else(|| Capabilities::of(model).prices) {
            Some(prices) => Priced {
                prices,
                known: true,
            },
            None => Priced {
                prices: DEAREST,
                known: false,
            },
        }
    }

    /// Sets the gauges for a model that is about to be used, and warns loudly, once for each
    /// call of this function, where its price isn't known.
    pub fn announce(&self, model: &str) -> Priced {
        let priced = self.of(model);
        let known = if priced.known { 1.0 } else { 0.0 };
        gauge!(PRICE_KNOWN, "model" => model.to_owned()).set(known);
        let since_1970 = self
            .as_of
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_or(0, |midnight| midnight.timestamp().as_second());
        gauge!(PRICE_TABLE_DATE).set(f64::from(i32::try_from(since_1970).unwrap_or(i32::MAX)));
        if !priced.known {
            tracing::warn!(
                model,
                "the model's price isn't known: its calls are booked at the dearest prices; \
                 set its prices in the configuration"
            );
        }
        priced
    }
}

impl Default for PriceTable {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Prices {
    /// A model that costs nothing: one's own machine.
    pub const FREE: Self = Self {
        input: 0,
        cache_write_5m: 0,
        cache_write_1h: 0,
        cache_read: 0,
        output: 0,
    };

    /// What a call costs, exactly.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Usd {
        Usd::from_pico_u128(self.cost_pico_usd(usage))
    }

    /// The most that so many tokens can cost: every input token at its dearest rate, which
    /// is a cache write where the request has marks of that lifetime.
    #[must_use]
    pub fn most(&self, input: u64, output: u64, marks: Option<crate::CacheLifetime>) -> Usd {
        let write = match marks {
            None => 0,
            Some(crate::CacheLifetime::FiveMinutes) => self.cache_write_5m,
            Some(crate::CacheLifetime::OneHour) => self.cache_write_1h.max(self.cache_write_5m),
        };
        let input = u128::from(input) * u128::from(self.input.max(write).max(self.cache_read));
        let output = u128::from(output) * u128::from(self.output);
        Usd::from_pico_u128(input.saturating_add(output))
    }

    /// What the provider's cache saved: reads at the input's price less what they cost, less
    /// the surcharge on writes. Below nothing where writes were never read.
    #[must_use]
    pub fn cache_savings(&self, usage: &Usage) -> Usd {
        let uncached = Usage {
            input_tokens: usage.prompt_tokens(),
            output_tokens: usage.output_tokens,
            ..Usage::default()
        };
        self.cost(&uncached).minus(self.cost(usage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CacheLifetime;

    const SONNET: &str = "claude-sonnet-4-5";

    #[test]
    fn own_prices_go_before_the_built_in_ones_and_unknown_ones_are_the_dearest() {
        let table = PriceTable::built_in().with("vllm-7b", Prices::FREE);
        assert_eq!(table.of("vllm-7b").prices, Prices::FREE);
        assert_eq!(table.of(SONNET).prices.output, 15_000_000);
        assert!(table.of(SONNET).known);
        let unknown = table.announce("claude-future-9");
        assert!(!unknown.known);
        assert_eq!(unknown.prices, DEAREST);
        assert_eq!(
            DEAREST,
            Capabilities::of("claude-opus-4-1").prices.unwrap(),
            "the dearest of the table"
        );
    }

    #[test]
    fn the_most_is_never_less_than_any_split_of_the_same_tokens() {
        let prices = PriceTable::built_in().of(SONNET).prices;
        for marks in [
            None,
            Some(CacheLifetime::FiveMinutes),
            Some(CacheLifetime::OneHour),
        ] {
            let usage = Usage {
                input_tokens: 400,
                cache_read_input_tokens: 300,
                cache_creation_5m_input_tokens: if marks.is_some() { 200 } else { 0 },
                cache_creation_1h_input_tokens: if marks == Some(CacheLifetime::OneHour) {
                    100
                } else {
                    0
                },
                output_tokens: 50,
                estimated: false,
            };
            assert!(prices.most(usage.prompt_tokens(), 50, marks) >= prices.cost(&usage));
        }
        assert_eq!(prices.most(1_000_000, 0, None), Usd::from_cents(300));
        assert_eq!(prices.most(u64::MAX, u64::MAX, None), Usd::MAX);
    }

    #[test]
    fn a_write_costs_and_a_read_saves() {
        let prices = PriceTable::built_in().of(SONNET).prices;
        let write = Usage {
            cache_creation_5m_input_tokens: 1_000_000,
            ..Usage::default()
        };
        let read = Usage {
            cache_read_input_tokens: 1_000_000,
            ..Usage::default()
        };
        assert_eq!(prices.cache_savings(&write), Usd::from_cents(-75));
        assert_eq!(prices.cache_savings(&read), Usd::from_cents(270));
    }
}
