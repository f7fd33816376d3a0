//! What each operation means, written once over a transaction's tables, for every home of the
//! embedded engine. Each function checks first and changes after, so that one that fails has
//! changed nothing.

mod counting;

use std::time::Duration;

use bytes::Bytes;
use redb::{ReadTransaction, ReadableTableMetadata};

use super::fault::{Failure, Fault};
use super::record::{Holder, Kind, NEVER, Record, SetSize};
use super::tables::{MEMBERS, RECORDS, Tables, entry_cost, member_cost};
use crate::{ErrorKind, Lease, StoreError, TimeLeft};

pub(super) use self::counting::{Add, add_all, counters, increment, throttle};

/// Bytes of a counter's payload, and of a lease's before the owner's name.
const NUMBER_LEN: usize = 8;

/// See [`crate::Store::get`].
pub(super) fn get(
    transaction: &ReadTransaction,
    now: u64,
    key: &str,
) -> Result<Option<Bytes>, Failure> {
    let records = transaction.open_table(RECORDS)?;
    let Some(guard) = records.get(key)? else {
        return Ok(None);
    };
    let record = Record::decode(guard.value())?;
    if record.expires_at <= now {
        return Ok(None);
    }
    if record.kind != Kind::Value {
        return Err(StoreError::new(ErrorKind::WrongKind, "getting a value").into());
    }
    Ok(Some(Bytes::copy_from_slice(record.payload)))
}

/// See [`crate::Store::time_left`].
pub(super) fn time_left(
    transaction: &ReadTransaction,
    now: u64,
    key: &str,
) -> Result<TimeLeft, Failure> {
    let records = transaction.open_table(RECORDS)?;
    let Some(guard) = records.get(key)? else {
        return Ok(TimeLeft::Absent);
    };
    let record = Record::decode(guard.value())?;
    Ok(match record.expires_at {
        NEVER => TimeLeft::Forever,
        end if end <= now => TimeLeft::Absent,
        end => TimeLeft::For(Duration::from_millis(end - now)),
    })
}

/// See [`crate::Store::set_members`].
pub(super) fn set_members(
    transaction: &ReadTransaction,
    now: u64,
    key: &str,
    limit: usize,
) -> Result<Vec<String>, Failure> {
    let records = transaction.open_table(RECORDS)?;
    let Some(guard) = records.get(key)? else {
        return Ok(Vec::new());
    };
    let record = Record::decode(guard.value())?;
    if record.expires_at <= now {
        return Ok(Vec::new());
    }
    if record.kind != Kind::Set {
        return Err(StoreError::new(ErrorKind::WrongKind, "listing a set").into());
    }
    let members = transaction.open_table(MEMBERS)?;
    let mut found = Vec::new();
    for entry in members.range((key, "")..)?.take(limit) {
        let (entry, _) = entry?;
        let (set, member) = entry.value();
        if set != key {
            break;
        }
        found.push(member.to_owned());
    }
    Ok(found)
}

/// How many keys there are, dead and not yet swept ones included.
pub(super) fn count(transaction: &ReadTransaction) -> Result<u64, Failure> {
    Ok(transaction.open_table(RECORDS)?.len()?)
}

/// See [`crate::Store::set`].
pub(super) fn set(
    tables: &mut Tables<'_>,
    key: &str,
    value: &[u8],
    lifetime: Option<Duration>,
) -> Result<(), Failure> {
    let need = entry_cost(key, value.len());
    tables.reserve(need, Some(key), "setting a value")?;
    // Not only the record: what was there may be a set with members.
    tables.remove(key)?;
    tables.put(key, Kind::Value, end(tables.now, lifetime), value)
}

/// See [`crate::Store::set_if_absent`].
pub(super) fn set_if_absent(
    tables: &mut Tables<'_>,
    key: &str,
    value: &[u8],
    lifetime: Option<Duration>,
) -> Result<bool, Failure> {
    if tables.live(key)?.is_some() {
        return Ok(false);
    }
    tables.reserve(
        entry_cost(key, value.len()),
        None,
        "setting an absent value",
    )?;
    tables.put(key, Kind::Value, end(tables.now, lifetime), value)?;
    Ok(true)
}

/// See [`crate::Store::compare_and_set`].
pub(super) fn compare_and_set(
    tables: &mut Tables<'_>,
    key: &str,
    expected: Option<&[u8]>,
    value: &[u8],
    lifetime: Option<Duration>,
) -> Result<bool, Failure> {
    const CONTEXT: &str = "comparing and setting a value";
    tables.live_as(key, Kind::Value, CONTEXT)?;
    if !tables.holds(key, expected)? {
        return Ok(false);
    }
    tables.reserve(entry_cost(key, value.len()), Some(key), CONTEXT)?;
    tables.put(key, Kind::Value, end(tables.now, lifetime), value)?;
    Ok(true)
}

/// See [`crate::Store::delete`]. A record that can't be read is removed as well.
pub(super) fn delete(tables: &mut Tables<'_>, key: &str) -> Result<bool, Failure> {
    let now = tables.now;
    let removed = tables.remove(key)?;
    Ok(removed.is_some_and(|removed| removed.expires_at > now))
}

/// See [`crate::Store::expire`].
pub(super) fn expire(
    tables: &mut Tables<'_>,
    key: &str,
    lifetime: Duration,
) -> Result<bool, Failure> {
    if tables.live(key)?.is_none() {
        return Ok(false);
    }
    tables.set_end(key, end(tables.now, Some(lifetime)))?;
    Ok(true)
}

/// See [`crate::Store::set_insert`].
pub(super) fn set_insert(
    tables: &mut Tables<'_>,
    key: &str,
    member: &str,
    lifetime: Option<Duration>,
) -> Result<bool, Failure> {
    const CONTEXT: &str = "inserting into a set";
    let live = tables.live_as(key, Kind::Set, CONTEXT)?;
    let mut size = live
        .as_ref()
        .map(|live| SetSize::decode(&live.small))
        .transpose()?
        .unwrap_or_default();
    let expires_at = match (&live, lifetime) {
        (Some(live), None) => live.expires_at,
        _ => end(tables.now, lifetime),
    };
    if live.is_some() && tables.has_member(key, member)? {
        tables.set_end(key, expires_at)?;
        return Ok(false);
    }
    if size.members >= tables.limits.max_set_members {
        return Err(StoreError::new(ErrorKind::Full, CONTEXT).into());
    }
    let cost = member_cost(key, member);
    let new_set = match live {
        Some(_) => 0,
        None => entry_cost(key, size.encode().len()),
    };
    tables.reserve(cost + new_set, None, CONTEXT)?;
    size.members += 1;
    size.bytes = size.bytes.saturating_add(cost);
    tables.put(key, Kind::Set, expires_at, &size.encode())?;
    tables.add_member(key, member)?;
    Ok(true)
}

/// See [`crate::Store::set_remove`].
pub(super) fn set_remove(
    tables: &mut Tables<'_>,
    key: &str,
    member: &str,
) -> Result<bool, Failure> {
    let Some(live) = tables.live_as(key, Kind::Set, "removing from a set")? else {
        return Ok(false);
    };
    let mut size = SetSize::decode(&live.small)?;
    if !tables.remove_member(key, member)? {
        return Ok(false);
    }
    size.members = size.members.saturating_sub(1);
    size.bytes = size.bytes.saturating_sub(member_cost(key, member));
    tables.put(key, Kind::Set, live.expires_at, &size.encode())?;
    if size.members == 0 {
        tables.remove(key)?;
    }
    Ok(true)
}

/// See [`crate::Store::acquire_lease`].
pub(super) fn acquire_lease(
    tables: &mut Tables<'_>,
    key: &str,
    owner: &str,
    lifetime: Duration,
) -> Result<Lease, Failure> {
    const CONTEXT: &str = "acquiring a lease";
    if let Some(live) = tables.live_as(key, Kind::Lease, CONTEXT)? {
        let holder = Holder::decode(&live.small)?;
        if holder.owner != owner {
            return Ok(Lease::Held {
                owner: holder.owner.to_owned(),
                remaining: Duration::from_millis(live.expires_at.saturating_sub(tables.now)),
            });
        }
        tables.set_end(key, end(tables.now, Some(lifetime)))?;
        return Ok(Lease::Granted {
            fence: holder.fence,
            first: false,
        });
    }
    let cost = entry_cost(key, NUMBER_LEN + owner.len());
    tables.reserve(cost, None, CONTEXT)?;
    let fence = tables.next_fence();
    let payload = Holder { fence, owner }.encode();
    tables.put(key, Kind::Lease, end(tables.now, Some(lifetime)), &payload)?;
    // Fences are drawn from one counter: no key has a history of its own.
    let first = false;
    Ok(Lease::Granted { fence, first })
}

/// See [`crate::Store::release_lease`].
pub(super) fn release_lease(
    tables: &mut Tables<'_>,
    key: &str,
    owner: &str,
) -> Result<bool, Failure> {
    let Some(live) = tables.live_as(key, Kind::Lease, "releasing a lease")? else {
        return Ok(false);
    };
    if Holder::decode(&live.small)?.owner != owner {
        return Ok(false);
    }
    tables.remove(key)?;
    Ok(true)
}

/// Removes up to `limit` of what is dead; returns how many keys went.
pub(super) fn sweep(tables: &mut Tables<'_>, limit: u64) -> Result<u64, Fault> {
    tables.sweep(limit)
}

/// The end of a `lifetime` from `now`. A part of a millisecond counts as a whole one, so that
/// nothing ends before its time; what would end after the year 584 million has no end.
fn end(now: u64, lifetime: Option<Duration>) -> u64 {
    let Some(lifetime) = lifetime else {
        return NEVER;
    };
    let millis = lifetime.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).map_or(NEVER, |millis| now.saturating_add(millis))
}
