//! What the model may cost, and what its tokens do.

use std::collections::BTreeMap;

use llm_client::{BudgetLimits, MeterConfig, PriceTable, Prices, Usd};

use super::file::{self, Dollars};
use super::settings::{SettingsError, wrong};

/// Tokens that a price is written for.
const MILLION: u64 = 1_000_000;

/// The limits and the prices.
pub(super) fn meter(
    budget: &file::Budget,
    keys: &[file::Key],
    prices: &BTreeMap<String, file::Price>,
) -> Result<MeterConfig, SettingsError> {
    if budget.request_tokens == Some(0) {
        return Err(wrong("budget.request_tokens", "must be more than 0"));
    }
    let default = BudgetLimits::default();
    let dollars = |given: Option<Dollars>| given.map(|Dollars(usd)| usd);
    let accounts = keys
        .iter()
        .filter_map(|key| Some((key.name.clone(), dollars(key.day_usd)?)))
        .collect();
    let limits = BudgetLimits {
        request_tokens: budget.request_tokens.or(default.request_tokens),
        request_cost: dollars(budget.request_usd).or(default.request_cost),
        account_day: dollars(budget.key_day_usd),
        accounts,
        total_day: dollars(budget.day_usd),
    };
    let mut table = PriceTable::built_in();
    for (model, price) in prices {
        table = table.with(model.clone(), per_token(price)?);
    }
    Ok(MeterConfig {
        limits,
        prices: table,
        ..MeterConfig::default()
    })
}

fn per_token(price: &file::Price) -> Result<Prices, SettingsError> {
    Ok(Prices {
        input: pico(price.input)?,
        output: pico(price.output)?,
        cache_read: pico(price.cache_read)?,
        cache_write_5m: pico(price.cache_write_5m)?,
        cache_write_1h: pico(price.cache_write_1h)?,
    })
}

/// Dollars per million tokens, as pico-dollars a token.
fn pico(Dollars(usd): Dollars) -> Result<u64, SettingsError> {
    let token: Usd = usd.divided_by(MILLION);
    u64::try_from(token.pico()).map_err(|_| wrong("prices", "can't be below nothing"))
}
