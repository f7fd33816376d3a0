//! The tables of one write transaction, with the account of the bytes in them.

mod room;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::fault::{Failure, Fault};
use super::record::{Kind, NEVER, Record, SetSize};
use crate::{ErrorKind, StoreError};

/// Key to encoded [`Record`].
pub(super) const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");
/// (set's key, member).
pub(super) const MEMBERS: TableDefinition<'_, (&str, &str), ()> = TableDefinition::new("members");
/// (class, end, key) of all that has an end.
pub(super) const ENDS: TableDefinition<'_, (u8, u64, &str), ()> = TableDefinition::new("ends");
/// Named numbers of the whole engine.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Name in [`META`] of the layout's version.
pub(super) const FORMAT_NAME: &str = "format";
/// The layout of tables that this code makes and reads.
pub(super) const FORMAT: u64 = 1;

const BYTES_NAME: &str = "bytes";
const EVICTABLE_NAME: &str = "evictable_bytes";
const FENCE_NAME: &str = "fence";

/// What a record or a member costs beyond its own bytes: its place in trees and indexes. It
/// keeps many tiny keys within the bound too.
const ENTRY_COST: u64 = 64;

/// Values with an end: the only ones that may be evicted.
const EVICTABLE: u8 = 0;
/// Counters, sets, leases and rate limits with an end: swept when it comes, never before.
const PINNED: u8 = 1;

/// The bounds that a transaction keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_bytes: u64,
    pub(super) max_set_members: u64,
}

/// The header of a live record, with the payload of every kind but a value's.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) kind: Kind,
    pub(super) expires_at: u64,
    pub(super) small: Vec<u8>,
}

/// One write transaction's tables. Its methods change nothing when they return
/// [`Failure::Operation`], save that things whose lifetime is over may be gone.
pub(super) struct Tables<'t> {
    records: Table<'t, &'static str, &'static [u8]>,
    members: Table<'t, (&'static str, &'static str), ()>,
    ends: Table<'t, (u8, u64, &'static str), ()>,
    meta: Table<'t, &'static str, u64>,
    /// Now, in Unix milliseconds.
    pub(super) now: u64,
    /// The same in microseconds.
    pub(super) micros: u64,
    pub(super) limits: Limits,
    bytes: u64,
    evictable: u64,
    fence: u64,
    dirty: bool,
}

impl<'t> Tables<'t> {
    pub(super) fn open(
        transaction: &'t WriteTransaction,
        limits: Limits,
        micros: u64,
    ) -> Result<Self, Fault> {
        let meta = transaction.open_table(META)?;
        let read =
            |name| -> Result<u64, Fault> { Ok(meta.get(name)?.map_or(0, |number| number.value())) };
        let (bytes, evictable) = (read(BYTES_NAME)?, read(EVICTABLE_NAME)?);
        let fence = read(FENCE_NAME)?;
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            members: transaction.open_table(MEMBERS)?,
            ends: transaction.open_table(ENDS)?,
            meta,
            now: micros / 1_000,
            micros,
            limits,
            bytes,
            evictable,
            fence,
            dirty: false,
        })
    }

    /// Sets the time, in Unix microseconds.
    pub(super) fn set_time(&mut self, micros: u64) {
        self.micros = micros;
        self.now = micros / 1_000;
    }

    /// Marks a new file as ours.
    pub(super) fn stamp(&mut self) -> Result<(), Fault> {
        self.meta.insert(FORMAT_NAME, FORMAT)?;
        self.dirty = true;
        Ok(())
    }

    /// Writes the account back; says whether there is anything to commit.
    pub(super) fn finish(mut self) -> Result<bool, Fault> {
        if self.dirty {
            self.meta.insert(BYTES_NAME, self.bytes)?;
            self.meta.insert(EVICTABLE_NAME, self.evictable)?;
            self.meta.insert(FENCE_NAME, self.fence)?;
        }
        Ok(self.dirty)
    }

    /// A number larger than every one given before, over all keys and restarts.
    pub(super) fn next_fence(&mut self) -> u64 {
        self.dirty = true;
        // At a billion leases a second this saturates in 584 years.
        self.fence = self.fence.saturating_add(1);
        self.fence
    }

    /// What `key` holds, if it is alive; a dead record is removed on the way.
    pub(super) fn live(&mut self, key: &str) -> Result<Option<Live>, Failure> {
        let (live, dead) = match self.records.get(key)? {
            None => return Ok(None),
            Some(guard) => {
                let record = Record::decode(guard.value())?;
                let small = match record.kind {
                    Kind::Value => Vec::new(),
                    _ => record.payload.to_vec(),
                };
                let live = Live {
                    kind: record.kind,
                    expires_at: record.expires_at,
                    small,
                };
                (live, record.expires_at <= self.now)
            }
        };
        if dead {
            self.remove(key)?;
            return Ok(None);
        }
        Ok(Some(live))
    }

    /// What `key` holds, if it is alive and of `kind`.
    pub(super) fn live_as(
        &mut self,
        key: &str,
        kind: Kind,
        context: &'static str,
    ) -> Result<Option<Live>, Failure> {
        match self.live(key)? {
            Some(live) if live.kind != kind => {
                Err(StoreError::new(ErrorKind::WrongKind, context).into())
            }
            live => Ok(live),
        }
    }

    /// Whether the record of `key` has exactly this payload; `None`: whether there is none.
    pub(super) fn holds(&self, key: &str, payload: Option<&[u8]>) -> Result<bool, Failure> {
        Ok(match self.records.get(key)? {
            None => payload.is_none(),
            Some(guard) => Some(Record::decode(guard.value())?.payload) == payload,
        })
    }

    /// Gives an existing `key` another end.
    pub(super) fn set_end(&mut self, key: &str, expires_at: u64) -> Result<(), Failure> {
        let (kind, payload) = match self.records.get(key)? {
            None => return Ok(()),
            Some(guard) => {
                let record = Record::decode(guard.value())?;
                if record.expires_at == expires_at {
                    return Ok(());
                }
                (record.kind, record.payload.to_vec())
            }
        };
        self.put(key, kind, expires_at, &payload)
    }

    /// Puts a record where there is none, or in the place of one of the same kind. The room
    /// must have been made by [`Self::reserve`] or have been there.
    pub(super) fn put(
        &mut self,
        key: &str,
        kind: Kind,
        expires_at: u64,
        payload: &[u8],
    ) -> Result<(), Failure> {
        self.unlink(key)?;
        let cost = entry_cost(key, payload.len());
        self.bytes = self.bytes.saturating_add(cost);
        if is_evictable(kind, expires_at) {
            self.evictable = self.evictable.saturating_add(cost);
        }
        if expires_at != NEVER {
            self.ends.insert((class(kind), expires_at, key), ())?;
        }
        let record = Record {
            kind,
            expires_at,
            payload,
        };
        self.records.insert(key, record.encode().as_slice())?;
        self.dirty = true;
        Ok(())
    }

    /// Removes `key` with all that belongs to it, readable or not; says what it was.
    pub(super) fn remove(&mut self, key: &str) -> Result<Option<Removed>, Fault> {
        let Some(removed) = self.unlink(key)? else {
            return Ok(None);
        };
        // Members of an unreadable record are looked for too: it may have been a set.
        if matches!(removed.kind, None | Some(Kind::Set)) {
            let after = format!("{key}\0");
            self.members
                .retain_in((key, "")..(after.as_str(), ""), |_, ()| false)?;
            self.bytes = self.bytes.saturating_sub(removed.set.bytes);
        }
        Ok(Some(removed))
    }

    /// Takes the record out, with its index entry and its place in the account, but leaves a
    /// set's members.
    fn unlink(&mut self, key: &str) -> Result<Option<Removed>, Fault> {
        let (cost, removed) = match self.records.remove(key)? {
            None => return Ok(None),
            Some(guard) => {
                let bytes = guard.value();
                let cost = entry_cost(key, Record::payload_len(bytes.len()));
                (cost, Removed::of(bytes))
            }
        };
        self.dirty = true;
        self.bytes = self.bytes.saturating_sub(cost);
        if let Some(kind) = removed.kind {
            if is_evictable(kind, removed.expires_at) {
                self.evictable = self.evictable.saturating_sub(cost);
            }
            if removed.expires_at != NEVER {
                self.ends.remove((class(kind), removed.expires_at, key))?;
            }
        }
        Ok(Some(removed))
    }

    /// Puts a new `member` into the set under `key`.
    pub(super) fn add_member(&mut self, key: &str, member: &str) -> Result<(), Fault> {
        self.members.insert((key, member), ())?;
        self.bytes = self.bytes.saturating_add(member_cost(key, member));
        self.dirty = true;
        Ok(())
    }

    /// Takes `member` out of the set under `key`; says whether it was in.
    pub(super) fn remove_member(&mut self, key: &str, member: &str) -> Result<bool, Fault> {
        if self.members.remove((key, member))?.is_none() {
            return Ok(false);
        }
        self.bytes = self.bytes.saturating_sub(member_cost(key, member));
        self.dirty = true;
        Ok(true)
    }

    /// Whether `member` is in the set under `key`.
    pub(super) fn has_member(&self, key: &str, member: &str) -> Result<bool, Fault> {
        Ok(self.members.get((key, member))?.is_some())
    }
}

/// What a removed record was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Removed {
    /// `None` if it could not be read.
    kind: Option<Kind>,
    /// Its end; [`NEVER`] if it could not be read.
    pub(super) expires_at: u64,
    /// Empty for all but a set.
    set: SetSize,
}

impl Removed {
    fn of(bytes: &[u8]) -> Self {
        let Ok(record) = Record::decode(bytes) else {
            return Self {
                kind: None,
                expires_at: NEVER,
                set: SetSize::default(),
            };
        };
        let set = match record.kind {
            Kind::Set => SetSize::decode(record.payload).unwrap_or_default(),
            _ => SetSize::default(),
        };
        Self {
            kind: Some(record.kind),
            expires_at: record.expires_at,
            set,
        }
    }
}

/// What a record costs against [`Limits::max_bytes`].
pub(super) fn entry_cost(key: &str, payload_len: usize) -> u64 {
    ENTRY_COST + key.len() as u64 + payload_len as u64
}

/// What a member costs against [`Limits::max_bytes`]: its set's key is stored with it.
pub(super) fn member_cost(key: &str, member: &str) -> u64 {
    ENTRY_COST + key.len() as u64 + member.len() as u64
}

fn is_evictable(kind: Kind, expires_at: u64) -> bool {
    class(kind) == EVICTABLE && expires_at != NEVER
}

fn class(kind: Kind) -> u8 {
    match kind {
        Kind::Value => EVICTABLE,
        Kind::Counter | Kind::Set | Kind::Lease | Kind::Throttle => PINNED,
    }
}
