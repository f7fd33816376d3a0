//! Answers that came from a cache, added up in memory and written together.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Field, count, lost_bookings, row_of};
use crate::Usd;
use crate::budget::day::Day;

/// How long savings stay in memory: what a process that dies loses of them.
pub(super) const WRITE_AFTER: Duration = Duration::from_secs(1);
/// Most rows in memory; what doesn't fit is lost, and counted.
const MAX_ROWS: usize = 1_024;

/// An answer that came from a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved<'a> {
    /// What the answer is for, as the call that made it said.
    pub operation: &'a str,
    /// The model that made it.
    pub model: &'a str,
    /// Who got it.
    pub account: Option<&'a str>,
    /// The tokens of the call that made it: prompt and answer.
    pub tokens: u64,
    /// What the call that made it cost.
    pub cost: Usd,
}

/// What isn't written yet.
#[derive(Debug, Default)]
pub(super) struct Savings(Mutex<HashMap<Key, (Day, Row)>>);

type Key = (jiff::civil::Date, Option<String>, String);

/// The savings of one row on one day.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) account: Option<String>,
    pub(super) row: String,
    calls: u64,
    tokens: u64,
    cost: Usd,
}

impl Savings {
    /// Adds one; true where it is the first since everything was taken, so that somebody has
    /// to take it again.
    pub(super) fn add(&self, day: Day, saved: &Saved<'_>) -> bool {
        let account = saved.account.map(str::to_owned);
        let row = row_of(saved.operation, saved.model);
        let key = (day.date(), account.clone(), row.clone());
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = rows.is_empty();
        if rows.len() >= MAX_ROWS && !rows.contains_key(&key) {
            drop(rows);
            lost_bookings("saved", 1);
            return false;
        }
        let (_, sum) = rows.entry(key).or_insert_with(|| {
            let empty = Row {
                account,
                row,
                ..Row::default()
            };
            (day, empty)
        });
        sum.calls = sum.calls.saturating_add(1);
        sum.tokens = sum.tokens.saturating_add(saved.tokens);
        sum.cost = sum.cost.plus(saved.cost);
        first
    }

    /// Takes everything.
    pub(super) fn take(&self) -> Vec<(Day, Row)> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rows).into_values().collect()
    }
}

impl Row {
    pub(super) fn figures(&self) -> [(Field, i64); 3] {
        [
            (Field::SavedCalls, count(self.calls)),
            (Field::SavedTokens, count(self.tokens)),
            (Field::SavedCost, self.cost.pico()),
        ]
    }
}
