//! What each model can do and what it costs: one small table, checked on 2026-11-22.
//!
//! Sources: Anthropic's model, prompt-caching and pricing pages. A model that isn't in the
//! table gets defaults that work with any recent one ([`Capabilities::of_unknown`]) and is
//! flagged, so that the service can warn that its cost is unknown.

use crate::Usage;

/// Characters that one token stands for at the very least, over a text of some length.
///
/// Claude's tokenizer isn't public. Public ones give about 4.5 characters a token on Spanish
/// prose and about 2.5 on dense JSON; newer Claude tokenizers make up to a third more tokens.
/// Two is therefore low on purpose: it overestimates tokens. For a cache mark that errs on
/// the cheap side, because a mark under the model's minimum costs nothing while a missing one
/// costs the whole prefix in each call.
pub const MIN_CHARS_PER_TOKEN: u64 = 2;

/// An upper estimate of the tokens of a text with so many characters.
#[must_use]
pub const fn estimate_tokens(chars: u64) -> u64 {
    chars.div_ceil(MIN_CHARS_PER_TOKEN)
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether the model is in the table.
    pub known: bool,
    /// Whether `temperature` may be sent; newer models refuse it with a 400.
    pub temperature: bool,
    /// How JSON is asked for.
    pub structured_output: StructuredOutput,
    /// The shortest prefix, in tokens, that the provider caches; a shorter one is silently
    /// not cached.
    pub min_cache_tokens: u32,
    /// Prices, where the table has them.
    pub prices: Option<Prices>,
}

/// How a model is made to answer in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StructuredOutput {
    /// `output_config.format`: the provider holds the model to the schema.
    Native,
    /// One tool with the schema as its input, and `tool_choice` forces the call.
    ForcedTool,
}

/// Prices in micro-dollars (10⁻⁶ USD) per million tokens, which is the same number as
/// pico-dollars (10⁻¹² USD) per token: 3 USD per million tokens is 3,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prices {
    /// Uncached input.
    pub input: u64,
    /// Input written to the cache for five minutes.
    pub cache_write_5m: u64,
    /// Input written to the cache for one hour.
    pub cache_write_1h: u64,
    /// Input read from the cache.
    pub cache_read: u64,
    /// Output.
    pub output: u64,
}

impl Prices {
    /// What a call costs, in pico-dollars (10⁻¹² USD), exactly.
    #[must_use]
    pub fn cost_pico_usd(&self, usage: &Usage) -> u128 {
        [
            (usage.input_tokens, self.input),
            (usage.cache_creation_5m_input_tokens, self.cache_write_5m),
            (usage.cache_creation_1h_input_tokens, self.cache_write_1h),
            (usage.cache_read_input_tokens, self.cache_read),
            (usage.output_tokens, self.output),
        ]
        .into_iter()
        .map(|(tokens, price)| u128::from(tokens) * u128::from(price))
        .fold(0, u128::saturating_add)
    }
}

impl Capabilities {
    /// What the table says of a model, by its name or its name with a date
    /// (`claude-sonnet-4-5`, `claude-sonnet-4-5-20250929`).
    #[must_use]
    pub fn of(model: &str) -> Self {
        let name = without_date(model);
        TABLE
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(|| Self::of_unknown(name), |(_, capabilities)| *capabilities)
    }

    /// Defaults for a model that isn't in the table: no temperature (a model that refuses it
    /// would fail every call), the largest minimum for caching, no price. JSON is asked for
    /// natively, as every model since Sonnet 4.5 can and as models that always think refuse a
    /// forced tool; the `claude-3` family knows only the tool.
    #[must_use]
    pub fn of_unknown(model: &str) -> Self {
        Self {
            known: false,
            temperature: false,
            structured_output: if model.starts_with("claude-3-") {
                StructuredOutput::ForcedTool
            } else {
                StructuredOutput::Native
            },
            min_cache_tokens: 4096,
            prices: None,
        }
    }

    /// Whether a prefix of so many characters may reach the model's minimum for caching.
    #[must_use]
    pub fn may_cache(&self, prefix_chars: u64) -> bool {
        estimate_tokens(prefix_chars) >= u64::from(self.min_cache_tokens)
    }
}

/// Cuts off a trailing `-YYYYMMDD`.
fn without_date(model: &str) -> &str {
    match model.rsplit_once('-') {
        Some((name, date)) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => model,
    }
}

const TABLE: &[(&str, Capabilities)] = &[
    (
        "claude-haiku-4-5",
        native(4096, Some(prices(1_000_000, 5_000_000))),
    ),
    ("claude-sonnet-4-6", native(1024, Some(SONNET))),
    ("claude-sonnet-4-5", native(1024, Some(SONNET))),
    ("claude-sonnet-4-0", older(Some(SONNET))),
    ("claude-sonnet-4", older(Some(SONNET))),
    ("claude-opus-4-8", without_temperature(native(1024, None))),
    (
        "claude-opus-4-7",
        without_temperature(native(2048, Some(OPUS))),
    ),
    ("claude-opus-4-6", native(4096, Some(OPUS))),
    ("claude-opus-4-5", native(4096, Some(OPUS))),
    ("claude-opus-4-1", older(Some(OLD_OPUS))),
    ("claude-opus-4-0", older(Some(OLD_OPUS))),
    ("claude-opus-4", older(Some(OLD_OPUS))),
];

const SONNET: Prices = prices(3_000_000, 15_000_000);
const OPUS: Prices = prices(5_000_000, 25_000_000);
const OLD_OPUS: Prices = prices(15_000_000, 75_000_000);

/// Prices of the models above, all of which write at 1.25 and 2 times and read at a tenth of
/// the input price. A model that doesn't is written out field by field.
const fn prices(input: u64, output: u64) -> Prices {
    Prices {
        input,
        cache_write_5m: input / 4 * 5,
        cache_write_1h: input * 2,
        cache_read: input / 10,
        output,
    }
}

const fn native(min_cache_tokens: u32, prices: Option<Prices>) -> Capabilities {
    Capabilities {
        known: true,
        temperature: true,
        structured_output: StructuredOutput::Native,
        min_cache_tokens,
        prices,
    }
}

const fn older(prices: Option<Prices>) -> Capabilities {
    Capabilities {
        structured_output: StructuredOutput::ForcedTool,
        ..native(1024, prices)
    }
}

const fn without_temperature(capabilities: Capabilities) -> Capabilities {
    Capabilities {
        temperature: false,
        ..capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_name_is_the_same_model() {
        let plain = Capabilities::of("claude-sonnet-4-5");
        assert!(plain.known);
        assert_eq!(Capabilities::of("claude-sonnet-4-5-20250929"), plain);
        assert_eq!(
            Capabilities::of("claude-sonnet-4-20250514"),
            Capabilities::of("claude-sonnet-4")
        );
        assert_ne!(Capabilities::of("claude-sonnet-4"), plain);
    }

    #[test]
    fn minima_and_prices_are_the_published_ones() {
        // Model, minimum in tokens, prices in cents of a dollar per million tokens.
        let rows = [
            ("claude-sonnet-4-5", 1024, [300, 375, 600, 30, 1500]),
            ("claude-haiku-4-5", 4096, [100, 125, 200, 10, 500]),
            ("claude-opus-4-5", 4096, [500, 625, 1000, 50, 2500]),
            ("claude-opus-4-1", 1024, [1500, 1875, 3000, 150, 7500]),
        ];
        for (model, minimum, cents) in rows {
            let found = Capabilities::of(model);
            let prices = found.prices.unwrap();
            assert_eq!(found.min_cache_tokens, minimum, "{model}");
            assert_eq!(
                [
                    prices.input,
                    prices.cache_write_5m,
                    prices.cache_write_1h,
                    prices.cache_read,
                    prices.output
                ],
                cents.map(|c| c * 10_000),
                "{model}"
            );
        }
    }

    #[test]
    fn newer_models_are_never_sent_a_temperature() {
        for model in ["claude-opus-4-7", "claude-opus-4-8", "claude-future-9"] {
            assert!(!Capabilities::of(model).temperature, "{model}");
        }
        assert!(Capabilities::of("claude-haiku-4-5").temperature);
    }

    #[test]
    fn an_unknown_model_is_flagged_and_has_no_price() {
        let found = Capabilities::of("claude-future-9");
        assert!(!found.known);
        assert_eq!(found.prices, None);
        assert_eq!(found.structured_output, StructuredOutput::Native);
        assert_eq!(
            Capabilities::of("claude-3-5-haiku-20241022").structured_output,
            StructuredOutput::ForcedTool
        );
    }

    #[test]
    fn the_cost_of_a_call_is_exact_and_prices_each_part_apart() {
        let usage = Usage {
            input_tokens: 1_000_000,
            output_tokens: 1,
            cache_read_input_tokens: 1_000_000,
            cache_creation_5m_input_tokens: 1_000_000,
            cache_creation_1h_input_tokens: 1_000_000,
            estimated: false,
        };
        let cost = Capabilities::of("claude-sonnet-4-5")
            .prices
            .unwrap()
            .cost_pico_usd(&usage);
        // 3 + 0.30 + 3.75 + 6 USD, and one output token at 15 USD a million.
        assert_eq!(cost, 13_050_000_000_000 + 15_000_000);
    }

    #[test]
    fn a_prefix_is_marked_only_from_the_minimum_on() {
        let sonnet = Capabilities::of("claude-sonnet-4-5");
        assert!(!sonnet.may_cache(2046));
        assert!(sonnet.may_cache(2047));
        assert!(!Capabilities::of("claude-haiku-4-5").may_cache(2047));
    }
}
