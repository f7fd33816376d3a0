//! What calls have cost: exact dollars by operation, model, account and day, in the store.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use metrics::counter;
use store::{Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::budget::book::{Book, Entry};
use crate::budget::day::Day;
use crate::budget::keys::{Purse, TAG, escape};
use crate::detached::Detached;
use crate::{Usage, Usd};
use saved::Savings;

pub use report::{CostPeriod, CostReport, CostSummary};
pub use saved::Saved;

mod report;
mod saved;

/// Counter: bookings that the store didn't take and that are lost. Label `what`: `call` or
/// `saved`.
pub const LEDGER_LOST: &str = "llm_ledger_lost_total";

/// Most rows (pairs of operation and model) that a report reads for one period and account.
pub const MAX_LEDGER_ROWS: usize = 512;

/// How long the rows of a day and of a month are kept; those of all time are kept for good.
const KEEP_DAY: Duration = Duration::from_secs(8 * 86_400);
const KEEP_MONTH: Duration = Duration::from_secs(400 * 86_400);
/// Rows that this process remembers to have listed; beyond them it forgets and lists anew.
const MAX_LISTED: usize = 8_192;

/// The ledger of calls. Clones share one.
///
/// Each call is one atomic write of counters: for its day, its month and all time, and in
/// each for everybody and for its account. Operations are words of the program and models
/// come from the configuration, so that the rows are bounded; accounts should be few as well.
///
/// A booking is made once, after the call, in a task of its own: one that the store doesn't
/// take, or that a dying process hadn't written, is lost (counted by [`LEDGER_LOST`]), and
/// none is made twice.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    book: Arc<Book>,
    store: Arc<dyn Store>,
    detached: Detached,
    listed: Mutex<HashSet<String>>,
    savings: Savings,
    write_now: Notify,
}

/// Why a report can't be made.
#[derive(Debug, thiserror::Error)]
#[error("read the ledger")]
pub struct LedgerError(#[from] StoreError);

impl LedgerError {
    /// Whether asking again may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.is_retryable()
    }
}

/// A call to be booked.
#[derive(Debug, Clone)]
pub(crate) struct Booking {
    pub(crate) operation: &'static str,
    pub(crate) model: String,
    pub(crate) account: Option<Arc<str>>,
    pub(crate) usage: Usage,
    pub(crate) cost: Usd,
    /// What the provider's prompt cache saved; below nothing where it cost more.
    pub(crate) prompt_saved: Usd,
}

impl Ledger {
    pub(crate) fn new(book: Arc<Book>, store: Arc<dyn Store>, detached: Detached) -> Self {
        Self(Arc::new(Inner {
            book,
            store,
            detached,
            listed: Mutex::default(),
            savings: Savings::default(),
            write_now: Notify::new(),
        }))
    }

    /// Books that an answer came from a cache and cost nothing: what the call that made it
    /// had cost is what was saved.
    ///
    /// It is cheap enough for every hit: hits are added up in memory and written a second
    /// later. Must be called within a tokio runtime; elsewhere the booking is lost, and
    /// counted as such.
    pub fn record_saved(&self, saved: &Saved<'_>) {
        let begin = self.0.savings.add(self.0.book.today(), saved);
        if !begin {
            return;
        }
        let ledger = self.clone();
        let work = async move {
            let _ = timeout(saved::WRITE_AFTER, ledger.0.write_now.notified()).await;
            ledger.write_savings().await;
        };
        let running =
            Handle::try_current().is_ok_and(|runtime| self.0.detached.run(&runtime, work));
        if !running {
            let lost = self.0.savings.take().len();
            lost_bookings("saved", lost);
        }
    }

    /// Writes what is still in memory, and waits for the bookings that are under way. For
    /// the end of the process.
    pub async fn flush(&self) {
        self.0.write_now.notify_one();
        self.write_savings().await;
        self.0.detached.idle().await;
    }

    pub(crate) fn report_parts(&self) -> (&Book, &dyn Store) {
        (&self.0.book, &*self.0.store)
    }

    async fn write_savings(&self) {
        for (day, row) in self.0.savings.take() {
            let account = row.account.as_deref();
            self.list(&day, account, &row.row).await;
            let entries = entries(&day, account, &row.row, &row.figures());
            if self.0.book.enter(&entries).await.is_err() {
                lost_bookings("saved", 1);
            }
        }
    }

    /// The counters of a call. Lists its row before, so that the report finds them.
    pub(crate) async fn entries(&self, day: &Day, booking: &Booking) -> Vec<Entry> {
        let row = row_of(booking.operation, &booking.model);
        let account = booking.account.as_deref();
        self.list(day, account, &row).await;
        let usage = &booking.usage;
        entries(
            day,
            account,
            &row,
            &[
                (Field::Calls, i64::from(usage.total() > 0)),
                (Field::Input, count(usage.prompt_tokens())),
                (Field::Output, count(usage.output_tokens)),
                (Field::Cost, booking.cost.pico()),
                (Field::CacheRead, count(usage.cache_read_input_tokens)),
                (
                    Field::CacheWrite,
                    count(usage.cache_creation_input_tokens()),
                ),
                (Field::CacheSaved, booking.prompt_saved.pico()),
            ],
        )
    }

    /// Puts a row on the lists of its periods, where this process hasn't yet. A failure shows
    /// in the report of this period only, and the next call tries again.
    async fn list(&self, day: &Day, account: Option<&str>, row: &str) {
        for purse in purses(account) {
            for (period, keep) in periods(day) {
                let list = list_key(&period, &purse);
                let memo = format!("{list} {row}");
                if self.listed().contains(&memo) {
                    continue;
                }
                if self.0.store.set_insert(&list, row, keep).await.is_ok() {
                    let mut listed = self.listed();
                    if listed.len() >= MAX_LISTED {
                        listed.clear();
                    }
                    listed.insert(memo);
                }
            }
        }
    }

    fn listed(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("under_way", &self.0.detached.under_way())
            .finish_non_exhaustive()
    }
}

/// Counts bookings that are lost, and says so.
pub(crate) fn lost_bookings(what: &'static str, count: usize) {
    if count > 0 {
        let bookings = u64::try_from(count).unwrap_or(u64::MAX);
        counter!(LEDGER_LOST, "what" => what).increment(bookings);
        tracing::warn!(what, count, "bookings are lost: the store didn't take them");
    }
}

/// The figures of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Calls,
    Input,
    Output,
    Cost,
    CacheRead,
    CacheWrite,
    CacheSaved,
    SavedCalls,
    SavedTokens,
    SavedCost,
}

impl Field {
    const ALL: [Self; 10] = [
        Self::Calls,
        Self::Input,
        Self::Output,
        Self::Cost,
        Self::CacheRead,
        Self::CacheWrite,
        Self::CacheSaved,
        Self::SavedCalls,
        Self::SavedTokens,
        Self::SavedCost,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Input => "input",
            Self::Output => "output",
            Self::Cost => "cost",
            Self::CacheRead => "cache-read",
            Self::CacheWrite => "cache-write",
            Self::CacheSaved => "cache-saved",
            Self::SavedCalls => "saved-calls",
            Self::SavedTokens => "saved-tokens",
            Self::SavedCost => "saved-cost",
        }
    }
}

/// A row's name: the operation, a space (which no escaped name has), the model.
fn row_of(operation: &str, model: &str) -> String {
    format!("{} {}", escape(operation), escape(model))
}

fn purses(account: Option<&str>) -> impl Iterator<Item = Purse> {
    std::iter::once(Purse::Total).chain(account.map(Purse::of_account))
}

fn periods(day: &Day) -> [(String, Option<Duration>); 3] {
    [
        (day_period(day.date()), Some(KEEP_DAY)),
        (month_period(day), Some(KEEP_MONTH)),
        (ALL_TIME.to_owned(), None),
    ]
}

const ALL_TIME: &str = "all";

fn day_period(date: Date) -> String {
    format!("d{date}")
}

fn month_period(day: &Day) -> String {
    format!("m{}", day.month())
}

fn list_key(period: &str, purse: &Purse) -> String {
    format!("{TAG}:cost-rows:{period}:{}", purse.name())
}

fn figure_key(period: &str, purse: &Purse, field: Field, row: &str) -> String {
    format!(
        "{TAG}:cost:{period}:{}:{}:{row}",
        purse.name(),
        field.as_str()
    )
}

/// The counters of some figures in every period, for everybody and for the account.
fn entries(day: &Day, account: Option<&str>, row: &str, figures: &[(Field, i64)]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for purse in purses(account) {
        for (period, lifetime) in periods(day) {
            for (field, by) in figures.iter().filter(|(_, by)| *by != 0) {
                entries.push(Entry {
                    key: figure_key(&period, &purse, *field, row),
                    by: *by,
                    lifetime,
                });
            }
        }
    }
    entries
}

fn count(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
