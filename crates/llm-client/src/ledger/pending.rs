//! Bookings that aren't in the store yet: added up in memory, row by row, and written together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;

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
    rows: HashMap<Key, Row>,
    /// Somebody is on the way who will take them.
    awaited: bool,
}

type Key = (Date, Option<Arc<str>>, String);

/// Bookings of one account, operation and model on one day.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) day: Day,
    pub(super) account: Option<Arc<str>>,
    /// Operation and model.
    pub(super) name: String,
    /// In the order of [`Field::ALL`].
    figures: [i64; Field::ALL.len()],
}

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
    /// Adds a booking to those of its row.
    pub(super) fn add(&self, row: Row) -> Next {
        let mut held = self.held();
        let full = held.rows.len() >= MAX_ROWS;
        match held.rows.entry(row.key()) {
            Entry::Occupied(mut sum) => sum.get_mut().add(&row),
            Entry::Vacant(_) if full => return Next::Write(row),
            Entry::Vacant(place) => {
                place.insert(row);
            }
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
        rows.into_values().map(Unwritten::new).collect()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Row {
    /// A row of one booking.
    pub(super) fn new(
        day: Day,
        account: Option<Arc<str>>,
        name: String,
        figures: &[(Field, i64)],
    ) -> Self {
        let figure = |field| {
            let of_field = figures.iter().filter(|(named, _)| *named == field);
            of_field.map(|(_, by)| *by).fold(0, i64::saturating_add)
        };
        Self {
            day,
            account,
            name,
            figures: Field::ALL.map(figure),
        }
    }

    pub(super) fn figures(&self) -> [(Field, i64); Field::ALL.len()] {
        let mut named = Field::ALL.map(|field| (field, 0));
        for ((_, by), figure) in named.iter_mut().zip(self.figures) {
            *by = figure;
        }
        named
    }

    fn key(&self) -> Key {
        (self.day.date(), self.account.clone(), self.name.clone())
    }

    fn add(&mut self, other: &Self) {
        for (sum, by) in self.figures.iter_mut().zip(other.figures) {
            *sum = sum.saturating_add(by);
        }
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
