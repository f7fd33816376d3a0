//! Counters, one and many, and rate limits.

use std::time::Duration;

use redb::ReadTransaction;

use super::{NUMBER_LEN, end};
use crate::embedded::fault::Failure;
use crate::embedded::record::{Kind, Record, decode_arrival, decode_counter};
use crate::embedded::tables::{RECORDS, Tables, entry_cost};
use crate::{Added, Addition, ErrorKind, Rate, StoreError, Throttled};

/// See [`crate::Store::increment`].
pub(in crate::embedded) fn increment(
    tables: &mut Tables<'_>,
    key: &str,
    by: i64,
    lifetime: Option<Duration>,
) -> Result<i64, Failure> {
    const CONTEXT: &str = "incrementing a counter";
    let change = Change::plan(tables, key, by, lifetime, CONTEXT)?;
    make_room(tables, change.cost, CONTEXT)?;
    change.make(tables)
}

/// An [`Addition`] that owns its key.
#[derive(Debug)]
pub(in crate::embedded) struct Add {
    key: String,
    by: i64,
    limit: Option<i64>,
    lifetime: Option<Duration>,
}

impl From<&Addition<'_>> for Add {
    fn from(addition: &Addition<'_>) -> Self {
        Self {
            key: addition.key.to_owned(),
            by: addition.by,
            limit: addition.limit,
            lifetime: addition.lifetime,
        }
    }
}

/// See [`crate::Store::add_all`].
pub(in crate::embedded) fn add_all(
    tables: &mut Tables<'_>,
    additions: &[Add],
) -> Result<Added, Failure> {
    const CONTEXT: &str = "adding to counters";
    let mut changes = Vec::with_capacity(additions.len());
    for (index, add) in additions.iter().enumerate() {
        let change = Change::plan(tables, &add.key, add.by, add.lifetime, CONTEXT)?;
        if add.by > 0 && add.limit.is_some_and(|limit| change.sum > limit) {
            let current = change.before;
            return Ok(Added::Over { index, current });
        }
        changes.push(change);
    }
    let cost = changes.iter().map(|change| change.cost).sum();
    make_room(tables, cost, CONTEXT)?;
    let sums: Result<_, _> = changes.iter().map(|change| change.make(tables)).collect();
    Ok(Added::All(sums?))
}

/// Room for new records; a change of old ones needs none, also where the bound was made smaller.
fn make_room(tables: &mut Tables<'_>, cost: u64, context: &'static str) -> Result<(), Failure> {
    match cost {
        0 => Ok(()),
        cost => tables.reserve(cost, None, context),
    }
}

/// What is to become of a counter.
struct Change<'a> {
    key: &'a str,
    before: i64,
    sum: i64,
    expires_at: u64,
    /// Room that it needs.
    cost: u64,
}

impl<'a> Change<'a> {
    fn plan(
        tables: &mut Tables<'_>,
        key: &'a str,
        by: i64,
        lifetime: Option<Duration>,
        context: &'static str,
    ) -> Result<Self, Failure> {
        let (before, expires_at, cost) = match tables.live_as(key, Kind::Counter, context)? {
            Some(live) => (decode_counter(&live.small)?, live.expires_at, 0),
            None => (0, end(tables.now, lifetime), entry_cost(key, NUMBER_LEN)),
        };
        let sum = before
            .checked_add(by)
            .ok_or(StoreError::new(ErrorKind::InvalidArgument, context))?;
        Ok(Self {
            key,
            before,
            sum,
            expires_at,
            cost,
        })
    }

    fn make(&self, tables: &mut Tables<'_>) -> Result<i64, Failure> {
        let payload = self.sum.to_be_bytes();
        tables.put(self.key, Kind::Counter, self.expires_at, &payload)?;
        Ok(self.sum)
    }
}

/// See [`crate::Store::counters`].
pub(in crate::embedded) fn counters(
    transaction: &ReadTransaction,
    now: u64,
    keys: &[String],
) -> Result<Vec<i64>, Failure> {
    let records = transaction.open_table(RECORDS)?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let Some(guard) = records.get(key.as_str())? else {
            found.push(0);
            continue;
        };
        let record = Record::decode(guard.value())?;
        if record.expires_at <= now {
            found.push(0);
        } else if record.kind == Kind::Counter {
            found.push(decode_counter(record.payload)?);
        } else {
            return Err(StoreError::new(ErrorKind::WrongKind, "reading counters").into());
        }
    }
    Ok(found)
}

/// See [`crate::Store::throttle`].
pub(in crate::embedded) fn throttle(
    tables: &mut Tables<'_>,
    key: &str,
    rate: Rate,
    cost: u32,
) -> Result<Throttled, Failure> {
    const CONTEXT: &str = "asking a rate limit";
    let live = tables.live_as(key, Kind::Throttle, CONTEXT)?;
    let arrival = live
        .as_ref()
        .map(|live| decode_arrival(&live.small))
        .transpose()?;
    let decision = rate.decide(arrival, tables.micros, cost);
    if let Some(keep) = decision.keep {
        if live.is_none() {
            tables.reserve(entry_cost(key, NUMBER_LEN), None, CONTEXT)?;
        }
        // When the arrival has come, nothing is the same as what is kept.
        let expires_at = keep.div_ceil(1_000);
        tables.put(key, Kind::Throttle, expires_at, &keep.to_be_bytes())?;
    }
    Ok(decision.answer)
}
