//! The ledger read back, in the shape of `GET /metrics/costs`.

use std::collections::BTreeMap;

use serde::Serialize;
use store::{MAX_COUNTERS, StoreError};

use super::{
    ALL_TIME, Field, Ledger, LedgerError, MAX_LEDGER_ROWS, day_period, figure_key, list_key,
    month_period,
};
use crate::Usd;
use crate::budget::keys::{Purse, unescape};

/// The time that a report is of. Days and months are Chilean ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CostPeriod {
    /// The day that is under way.
    Today,
    /// The day before.
    Yesterday,
    /// The month that is under way.
    ThisMonth,
    /// Everything since the ledger began.
    AllTime,
}

impl CostPeriod {
    /// The word that the route takes and the report gives back.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Yesterday => "yesterday",
            Self::ThisMonth => "this_month",
            Self::AllTime => "all_time",
        }
    }

    /// Reads the route's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Today, Self::Yesterday, Self::ThisMonth, Self::AllTime]
            .into_iter()
            .find(|period| period.as_str() == word)
    }
}

/// What calls have cost in a period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostReport {
    /// The period's word ([`CostPeriod::as_str`]).
    pub period: &'static str,
    /// Everything together.
    pub summary: CostSummary,
    /// By what the calls were for.
    pub by_operation: BTreeMap<String, CostSummary>,
    /// By the model that was asked.
    pub by_model: BTreeMap<String, CostSummary>,
}

/// The figures of some calls. Dollars are exact JSON numbers; means are rounded, tokens to
/// hundredths and dollars to 10⁻¹².
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CostSummary {
    /// Calls that used tokens, every attempt counted.
    pub total_calls: u64,
    /// Input and output together.
    pub total_tokens: u64,
    /// The prompts' tokens, those of the provider's cache included.
    pub total_input_tokens: u64,
    /// The answers' tokens.
    pub total_output_tokens: u64,
    /// What they cost.
    pub total_cost_usd: Usd,
    /// Tokens of a call, on the average.
    pub avg_tokens_per_call: f64,
    /// Cost of a call, on the average.
    pub avg_cost_per_call: Usd,
    /// What answers from our own cache would have cost.
    pub saved_usd: Usd,
    /// The tokens that answers from our own cache would have used.
    pub saved_tokens: u64,
    /// Answers from our own cache.
    pub saved_calls: u64,
    /// Input tokens that the provider read from its prompt cache.
    pub prompt_cache_read_tokens: u64,
    /// Input tokens that the provider wrote to its prompt cache.
    pub prompt_cache_write_tokens: u64,
    /// The share of the input that was read from the provider's prompt cache, 0 to 1.
    pub prompt_cache_hit_rate: f64,
    /// What the provider's prompt cache saved, its surcharge on writes taken off.
    pub prompt_cache_saved_usd: Usd,
}

impl Ledger {
    /// Reads the ledger of a period, of everybody or of one account, with all that this
    /// process has booked before.
    ///
    /// # Errors
    ///
    /// A [`LedgerError`] where the store doesn't answer.
    pub async fn report(
        &self,
        period: CostPeriod,
        account: Option<&str>,
    ) -> Result<CostReport, LedgerError> {
        self.written().await;
        let (book, _) = self.report_parts();
        let today = book.today();
        let name = match period {
            CostPeriod::Today => day_period(today.date()),
            CostPeriod::Yesterday => day_period(today.yesterday()),
            CostPeriod::ThisMonth => month_period(&today),
            CostPeriod::AllTime => ALL_TIME.to_owned(),
        };
        let purse = account.map_or(Purse::Total, Purse::of_account);
        let rows = self.rows(&name, &purse).await?;
        let mut report = CostReport {
            period: period.as_str(),
            summary: CostSummary::default(),
            by_operation: BTreeMap::new(),
            by_model: BTreeMap::new(),
        };
        for (row, figures) in &rows {
            let (operation, model) = row.split_once(' ').unwrap_or((row, ""));
            let operation = report.by_operation.entry(unescape(operation)).or_default();
            operation.add(figures);
            report
                .by_model
                .entry(unescape(model))
                .or_default()
                .add(figures);
            report.summary.add(figures);
        }
        report.finish();
        Ok(report)
    }

    async fn rows(
        &self,
        period: &str,
        purse: &Purse,
    ) -> Result<Vec<(String, [i64; Field::ALL.len()])>, StoreError> {
        let (_, store) = self.report_parts();
        let list = list_key(period, purse);
        let rows = store.set_members(&list, MAX_LEDGER_ROWS).await?;
        let mut read = Vec::with_capacity(rows.len());
        for some in rows.chunks(MAX_COUNTERS / Field::ALL.len()) {
            let keys: Vec<String> = some
                .iter()
                .flat_map(|row| Field::ALL.map(|field| figure_key(period, purse, field, row)))
                .collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let figures = store.counters(&keys).await?;
            let (figures, _) = figures.as_chunks();
            read.extend(some.iter().cloned().zip(figures.iter().copied()));
        }
        Ok(read)
    }
}

impl CostReport {
    fn finish(&mut self) {
        let parts = self
            .by_operation
            .values_mut()
            .chain(self.by_model.values_mut());
        for summary in parts.chain(std::iter::once(&mut self.summary)) {
            summary.finish();
        }
    }
}

impl CostSummary {
    fn add(&mut self, figures: &[i64; Field::ALL.len()]) {
        // In the order of `Field::ALL`.
        let [
            calls,
            input,
            output,
            cost,
            read,
            write,
            cache_saved,
            saved_calls,
            saved_tokens,
            saved,
        ] = *figures;
        let plus = |sum: &mut u64, figure: i64| {
            *sum = sum.saturating_add(u64::try_from(figure).unwrap_or(0));
        };
        plus(&mut self.total_calls, calls);
        plus(&mut self.total_input_tokens, input);
        plus(&mut self.total_output_tokens, output);
        plus(&mut self.prompt_cache_read_tokens, read);
        plus(&mut self.prompt_cache_write_tokens, write);
        plus(&mut self.saved_calls, saved_calls);
        plus(&mut self.saved_tokens, saved_tokens);
        let add = |sum: &mut Usd, pico: i64| *sum = sum.plus(Usd::from_pico(pico));
        add(&mut self.total_cost_usd, cost);
        add(&mut self.prompt_cache_saved_usd, cache_saved);
        add(&mut self.saved_usd, saved);
    }

    /// Computes what follows from the sums.
    fn finish(&mut self) {
        self.total_tokens = self
            .total_input_tokens
            .saturating_add(self.total_output_tokens);
        self.avg_cost_per_call = self.total_cost_usd.divided_by(self.total_calls);
        let share = |part: u64, whole: u64| approximate(part) / approximate(whole.max(1));
        let mean = share(self.total_tokens, self.total_calls);
        self.avg_tokens_per_call = (mean * 100.0).round() / 100.0;
        let rate = share(self.prompt_cache_read_tokens, self.total_input_tokens);
        self.prompt_cache_hit_rate = (rate * 10_000.0).round() / 10_000.0;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean that is rounded anyway")]
fn approximate(count: u64) -> f64 {
    count as f64
}
