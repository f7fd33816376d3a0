//! Bookings that aren't in the store yet: added up in memory, row by row, and written together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Field, lost_bookings};
use crate::Usd;
use crate::budget::day::Day;

/// How long bookings stay in memory: what a process that is killed loses of them.
pub(super) const WRITE_AFTER: Duration = Duration::from_millis(100);
/// Most rows in memory; a booking of one more is written by itself.
const MAX_ROWS: usize = 256;

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
pub(super) struct Pending(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    /// Few enough to be looked through.
    rows: Vec<Row>,
    /// Somebody is on the way who will take them.
    awaited: bool,
}

/// A moment to the quarter of an hour: a day begins with one in every time zone, so that what
/// is booked within one goes to the same day, which then needn't be worked out each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quarter(u64);

/// Whose a booking is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) quarter: Quarter,
    pub(super) account: Option<&'a str>,
    pub(super) operation: &'a str,
    pub(super) model: &'a str,
}

/// Bookings of one account, operation and model on one day.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) day: Day,
    quarter: Quarter,
    pub(super) account: Option<Arc<str>>,
    pub(super) operation: String,
    pub(super) model: String,
    /// In the order of [`Field::ALL`].
    figures: Figures,
}

type Figures = [i64; Field::ALL.len()];

/// What is to be done about a booking.
pub(super) enum Next {
    /// Nothing: somebody comes for it.
    Wait,
    /// Nobody comes yet.
    Send,
    /// There is no room for it.
    Write(Row),
}

impl Pending {
    /// Adds a booking to those of its row. `day` is the day of its quarter.
    pub(super) fn add(
        &self,
        whose: &Whose<'_>,
        figures: &[(Field, i64)],
        day: impl FnOnce() -> Day,
    ) -> Next {
        let mut held = self.held();
        let known = held.rows.iter_mut().find(|row| row.is_of(whose));
        if let Some(row) = known {
            row.add(figures);
        } else {
            let row = Row::new(whose, figures, day());
            if held.rows.len() >= MAX_ROWS {
                return Next::Write(row);
            }
            held.rows.push(row);
        }
        if std::mem::replace(&mut held.awaited, true) {
            Next::Wait
        } else {
            Next::Send
        }
    }

    /// Whoever was on the way has come, or never will.
    pub(super) fn not_awaited(&self) {
        self.held().awaited = false;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held().rows.is_empty()
    }

    /// Takes everything.
    pub(super) fn take(&self) -> Vec<Unwritten> {
        let rows = std::mem::take(&mut self.held().rows);
        rows.into_iter().map(Unwritten::new).collect()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Quarter {
    /// That of a moment.
    pub(super) fn at(moment: SystemTime) -> Self {
        let since_epoch = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since_epoch.as_secs() / 900)
    }

    /// That of a day's moment.
    pub(super) fn of(day: &Day) -> Self {
        Self(u64::try_from(day.seconds()).unwrap_or(0) / 900)
    }
}

impl Row {
    fn new(whose: &Whose<'_>, figures: &[(Field, i64)], day: Day) -> Self {
        let mut row = Self {
            day,
            quarter: whose.quarter,
            account: whose.account.map(Arc::from),
            operation: whose.operation.to_owned(),
            model: whose.model.to_owned(),
            figures: [0; Field::ALL.len()],
        };
        row.add(figures);
        row
    }

    fn is_of(&self, whose: &Whose<'_>) -> bool {
        self.quarter == whose.quarter
            && self.operation == whose.operation
            && self.account.as_deref() == whose.account
            && self.model == whose.model
    }

    fn add(&mut self, figures: &[(Field, i64)]) {
        for (field, by) in figures {
            let sum = &mut self.figures[*field as usize];
            *sum = sum.saturating_add(*by);
        }
    }

    pub(super) fn figures(&self) -> [(Field, i64); Field::ALL.len()] {
        let mut named = Field::ALL.map(|field| (field, 0));
        for ((_, by), figure) in named.iter_mut().zip(self.figures) {
            *by = figure;
        }
        named
    }

    /// Counts its bookings as lost.
    fn lose(&self) {
        for (field, bookings) in self.figures() {
            let what = match field {
                Field::Calls => "call",
                Field::SavedCalls => "saved",
                _ => continue,
            };
            lost_bookings(what, u64::try_from(bookings).unwrap_or(0));
        }
    }
}

/// A row on its way to the store. Dropped before it is written it is lost, and counted.
#[derive(Debug)]
pub(super) struct Unwritten(Option<Row>);

impl Unwritten {
    pub(super) fn new(row: Row) -> Self {
        Self(Some(row))
    }

    pub(super) fn row(&self) -> Option<&Row> {
        self.0.as_ref()
    }

    /// It is in the store.
    pub(super) fn written(mut self) {
        self.0 = None;
    }
}

impl Drop for Unwritten {
    fn drop(&mut self) {
        if let Some(row) = &self.0 {
            row.lose();
        }
    }
}
