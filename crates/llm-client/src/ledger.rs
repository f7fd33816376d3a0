//! What calls have cost: exact dollars by operation, model, account and day, in the store.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use jiff::civil::Date;
use metrics::counter;
use store::{Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::budget::book::{Book, Entry};
use crate::budget::day::Day;
use crate::budget::keys::{Purse, TAG, escape};
use crate::detached::Detached;
use crate::{Usage, Usd};
use pending::{Next, Pending, Quarter, Unwritten, Whose};

pub use pending::Saved;
pub use report::{CostPeriod, CostReport, CostSummary};

mod pending;
mod report;

/// Counter: bookings that the store didn't take and that are lost. Label `what`: `call`,
/// `saved`, or `settlement` (a reservation that stays until it is old enough to be given back).
pub const LEDGER_LOST: &str = "llm_ledger_lost_total";

/// Most rows (pairs of operation and model) that a report reads for one period and account.
pub const MAX_LEDGER_ROWS: usize = 512;

/// How long the rows of a day and of a month are kept; those of all time are kept for good.
const KEEP_DAY: Duration = Duration::from_secs(8 * 86_400);
const KEEP_MONTH: Duration = Duration::from_secs(400 * 86_400);
/// Rows that are written at the same time.
const WRITES_AT_ONCE: usize = 16;
/// Rows that this process remembers to have listed; beyond them it forgets and lists anew.
const MAX_LISTED: usize = 8_192;

/// The ledger of calls. Clones share one.
///
/// A booking goes to the counters of its day, its month and all time, and in each to
/// everybody's and its account's. Operations are words of the program and models come from the
/// configuration, so that the rows are bounded; accounts should be few as well.
///
/// Bookings are added up in memory and written together, each row in one atomic write, at most
/// 100 ms after the first of them: a call doesn't wait for it, and a thousand calls a second are
/// some ten writes. A [`report`](Self::report) writes before it reads, so that it has all that
/// this process booked before; other processes see it with the delay. [`flush`](Self::flush)
/// writes the rest at the end of the process. What a killed process hadn't written, or the
/// store doesn't take, is lost (the latter counted by [`LEDGER_LOST`]), and nothing is booked
/// twice.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    book: Arc<Book>,
    store: Arc<dyn Store>,
    detached: Detached,
    listed: Mutex<HashSet<String>>,
    pending: Pending,
    write_now: Notify,
    /// Held by who writes: whoever gets it after finds written what was taken before.
    writing: tokio::sync::Mutex<()>,
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
            pending: Pending::default(),
            write_now: Notify::new(),
            writing: tokio::sync::Mutex::default(),
        }))
    }

    /// Books that an answer came from a cache and cost nothing: what the call that made it
    /// had cost is what was saved.
    ///
    /// It is cheap enough for every hit. Outside of a tokio runtime the booking waits in
    /// memory for the next one within, or for [`flush`](Self::flush).
    pub fn record_saved(&self, saved: &Saved<'_>) {
        let figures = [
            (Field::SavedCalls, 1),
            (Field::SavedTokens, count(saved.tokens)),
            (Field::SavedCost, saved.cost.pico()),
        ];
        let now = self.0.book.now();
        let whose = Whose {
            quarter: Quarter::at(now),
            account: saved.account,
            operation: saved.operation,
            model: saved.model,
        };
        match self.0.pending.add(&whose, &figures, || Day::at(now)) {
            // Of a thousand hits a second all but ten.
            Next::Wait => {}
            next => self.send(Handle::try_current().ok().as_ref(), next),
        }
    }

    /// Books a call that has ended.
    pub(crate) fn record(&self, runtime: &Handle, day: &Day, booking: &Booking) {
        let usage = &booking.usage;
        let figures = [
            (Field::Calls, 1),
            (Field::Input, count(usage.prompt_tokens())),
            (Field::Output, count(usage.output_tokens)),
            (Field::Cost, booking.cost.pico()),
            (Field::CacheRead, count(usage.cache_read_input_tokens)),
            (
                Field::CacheWrite,
                count(usage.cache_creation_input_tokens()),
            ),
            (Field::CacheSaved, booking.prompt_saved.pico()),
        ];
        let whose = Whose {
            quarter: Quarter::of(day),
            account: booking.account.as_deref(),
            operation: booking.operation,
            model: &booking.model,
        };
        let next = self.0.pending.add(&whose, &figures, || day.clone());
        self.send(Some(runtime), next);
    }

    /// Writes what is still in memory, and waits for the settlements that are under way. For
    /// the end of the process.
    pub async fn flush(&self) {
        self.0.write_now.notify_one();
        self.written().await;
        self.0.detached.idle().await;
    }

    /// Sees to it that a booking is written.
    fn send(&self, runtime: Option<&Handle>, next: Next) {
        match next {
            Next::Wait => {}
            Next::Send => {
                let awaited = Awaited(self.clone());
                let work = async move {
                    let ledger = awaited.0.clone();
                    let _ = timeout(pending::WRITE_AFTER, ledger.0.write_now.notified()).await;
                    drop(awaited);
                    ledger.write_pending().await;
                };
                // Where it can't run, the next booking sends somebody again.
                let _ = runtime.is_some_and(|runtime| self.0.detached.run(runtime, work));
            }
            Next::Write(row) => {
                self.0.write_now.notify_one();
                let (ledger, row) = (self.clone(), Unwritten::new(row));
                let work = async move { ledger.write(row).await };
                // Where it can't run, the row counts itself as lost.
                let _ = runtime.is_some_and(|runtime| self.0.detached.run(runtime, work));
            }
        }
    }

    /// Waits until what was booked before is in the store, or lost. In a task of its own,
    /// as what is taken to be written mustn't be dropped with who waits.
    async fn written(&self) {
        let nobody_writes = self.0.writing.try_lock().is_ok();
        if nobody_writes && self.0.pending.is_empty() {
            return;
        }
        let (done, end) = oneshot::channel();
        let ledger = self.clone();
        let work = async move {
            ledger.write_pending().await;
            let _ = done.send(());
        };
        if self.0.detached.run(&Handle::current(), work) {
            // It is lost only with the task, which is given up after its time.
            let _ = end.await;
        }
    }

    async fn write_pending(&self) {
        let _writing = self.0.writing.lock().await;
        let rows = stream::iter(self.0.pending.take());
        rows.for_each_concurrent(WRITES_AT_ONCE, |row| self.write(row))
            .await;
    }

    async fn write(&self, unwritten: Unwritten) {
        let Some(row) = unwritten.row() else {
            return;
        };
        let account = row.account.as_deref();
        let name = row_of(&row.operation, &row.model);
        self.list(&row.day, account, &name).await;
        let entries = entries(&row.day, account, &name, &row.figures());
        if self.0.book.enter(&entries).await.is_ok() {
            unwritten.written();
        }
    }

    pub(crate) fn report_parts(&self) -> (&Book, &dyn Store) {
        (&self.0.book, &*self.0.store)
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

/// Somebody is on the way to write what is pending, until it is dropped.
struct Awaited(Ledger);

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.0.pending.not_awaited();
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
pub(crate) fn lost_bookings(what: &'static str, count: u64) {
    if count > 0 {
        counter!(LEDGER_LOST, "what" => what).increment(count);
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
