//! What keeps the tables within their bound: the sweep of the dead, and eviction.

use redb::ReadableTable;

use super::{EVICTABLE, PINNED, Removed, Tables, entry_cost, is_evictable};
use crate::embedded::fault::{Failure, Fault};
use crate::embedded::record::{NEVER, Record};
use crate::{ErrorKind, StoreError};

/// Records and members that one step of a search for room removes at most.
const SWEEP_STEP: u64 = 256;

impl Tables<'_> {
    /// Removes what is dead, soonest ended first, until `limit` records and members are gone.
    /// Returns how many records went.
    pub(in crate::embedded) fn sweep(&mut self, limit: u64) -> Result<u64, Fault> {
        let (mut records, mut spent) = (0, 0);
        for class in [EVICTABLE, PINNED] {
            while spent < limit {
                let Some((end, key)) = self.first_end(class, self.now)? else {
                    break;
                };
                let members = self.remove_ended(class, end, &key)?;
                records += 1;
                spent += 1 + members;
            }
        }
        Ok(records)
    }

    /// Makes room for `need` bytes more, without what `replaced` holds: first what is dead
    /// goes, then the values that would end soonest. Nothing is evicted if that can't suffice.
    pub(in crate::embedded) fn reserve(
        &mut self,
        need: u64,
        replaced: Option<&str>,
        context: &'static str,
    ) -> Result<(), Failure> {
        while !self.fits(need, replaced)? {
            if self.sweep(SWEEP_STEP)? == 0 {
                break;
            }
        }
        if self.fits(need, replaced)? {
            return Ok(());
        }
        let pinned = self.bytes.saturating_sub(self.evictable);
        let freed = self.pinned_cost(replaced)?;
        if pinned.saturating_sub(freed).saturating_add(need) > self.limits.max_bytes {
            return Err(StoreError::new(ErrorKind::Full, context).into());
        }
        if let Some(key) = replaced {
            self.remove(key)?;
        }
        while self.bytes.saturating_add(need) > self.limits.max_bytes {
            let Some((end, key)) = self.first_end(EVICTABLE, NEVER)? else {
                return Err(StoreError::new(ErrorKind::Full, context).into());
            };
            self.remove_ended(EVICTABLE, end, &key)?;
        }
        Ok(())
    }

    fn fits(&self, need: u64, replaced: Option<&str>) -> Result<bool, Fault> {
        let (cost, _) = self.cost_of(replaced)?;
        let rest = self.bytes.saturating_sub(cost);
        Ok(rest.saturating_add(need) <= self.limits.max_bytes)
    }

    /// What `key` holds of the bytes that can't be evicted.
    fn pinned_cost(&self, key: Option<&str>) -> Result<u64, Fault> {
        let (cost, evictable) = self.cost_of(key)?;
        Ok(if evictable { 0 } else { cost })
    }

    /// What `key` with all its members costs, and whether it may be evicted.
    fn cost_of(&self, key: Option<&str>) -> Result<(u64, bool), Fault> {
        let Some(key) = key else {
            return Ok((0, false));
        };
        Ok(self.records.get(key)?.map_or((0, false), |guard| {
            let bytes = guard.value();
            let removed = Removed::of(bytes);
            let evictable = removed
                .kind
                .is_some_and(|kind| is_evictable(kind, removed.expires_at));
            let cost = entry_cost(key, Record::payload_len(bytes.len()));
            (cost.saturating_add(removed.set.bytes), evictable)
        }))
    }

    /// The soonest end of `class` that is not after `latest`.
    fn first_end(&self, class: u8, latest: u64) -> Result<Option<(u64, String)>, Fault> {
        let mut range = self.ends.range((class, 0, "")..)?;
        let Some(entry) = range.next().transpose()? else {
            return Ok(None);
        };
        let (found, end, key) = entry.0.value();
        Ok((found == class && end <= latest).then(|| (end, key.to_owned())))
    }

    /// Removes what the index says ends at `end`; returns how many members went with it.
    fn remove_ended(&mut self, class: u8, end: u64, key: &str) -> Result<u64, Fault> {
        self.dirty = true;
        // Out first: an entry that a damaged record left behind must not be met again.
        self.ends.remove((class, end, key))?;
        let is_its = self
            .records
            .get(key)?
            .is_some_and(|guard| Removed::of(guard.value()).expires_at == end);
        if !is_its {
            return Ok(0);
        }
        Ok(self.remove(key)?.map_or(0, |removed| removed.set.members))
    }
}
