//! The prefix cache, with the real one's rules.
//!
//! - A prefix is everything up to a `cache_control` mark, in the order tools, system,
//!   messages; a change of model, account or any byte before the mark is another prefix.
//! - The longest living prefix is read: at a mark, or at one of the 20 blocks before it.
//! - What lies between the prefix that was read and the last mark is written, split by the
//!   lifetime of the mark that ends each piece. A prefix under the model's minimum is silently
//!   neither read nor written.
//! - An entry lives 5 minutes or 1 hour from its last use.
//! - An entry can be read once the answer that wrote it has begun: [`PromptCache::commit`].

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::prompt::{Boundary, Ttl};

/// What a request's prompt costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PromptUsage {
    /// Neither read nor written.
    pub(crate) input: u32,
    pub(crate) read: u32,
    pub(crate) written_5m: u32,
    pub(crate) written_1h: u32,
}

/// Prefixes to be written once the answer begins.
#[derive(Debug, Default)]
pub(crate) struct Pending(Vec<([u8; 32], Ttl)>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    ttl: Ttl,
    expires: Duration,
}

/// Living prefixes, at most as many as it was made for.
#[derive(Debug)]
pub(crate) struct PromptCache {
    entries: Mutex<HashMap<[u8; 32], Entry>>,
    most: usize,
}

impl PromptCache {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            entries: Mutex::new(HashMap::new()),
            most,
        }
    }

    /// Reads the longest living prefix and works out what the request will write.
    pub(crate) fn look_up(
        &self,
        boundaries: &[Boundary],
        prompt_tokens: u32,
        min_cacheable: u32,
        now: Duration,
    ) -> (PromptUsage, Pending) {
        let eligible = |boundary: &&Boundary| boundary.tokens >= min_cacheable;
        let read = self.read_longest(boundaries.iter().rev().filter(eligible), now);
        let (mut usage, mut pending) = (PromptUsage::default(), Pending::default());
        usage.read = read.unwrap_or(0);
        let mut done = usage.read;
        for boundary in boundaries.iter().filter(eligible) {
            let Some(ttl) = boundary.mark else { continue };
            if read.is_some_and(|read| boundary.tokens <= read) {
                continue;
            }
            let written = boundary.tokens - done;
            match ttl {
                Ttl::FiveMinutes => usage.written_5m += written,
                Ttl::OneHour => usage.written_1h += written,
            }
            done = boundary.tokens;
            pending.0.push((boundary.key, ttl));
        }
        usage.input = prompt_tokens.saturating_sub(done);
        (usage, pending)
    }

    /// The answer has begun: what the request wrote can be read from now on.
    pub(crate) fn commit(&self, pending: Pending, now: Duration) {
        if pending.0.is_empty() {
            return;
        }
        let mut entries = self.lock();
        for (key, ttl) in pending.0 {
            if entries.len() >= self.most && !entries.contains_key(&key) {
                make_room(&mut entries, self.most, now);
            }
            if self.most > 0 {
                entries.insert(
                    key,
                    Entry {
                        ttl,
                        expires: now + ttl.duration(),
                    },
                );
            }
        }
    }

    /// Entries held, living or not yet swept.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The tokens of the first of these (longest first) that is alive; refreshes it.
    fn read_longest<'a>(
        &self,
        boundaries: impl Iterator<Item = &'a Boundary>,
        now: Duration,
    ) -> Option<u32> {
        let mut entries = self.lock();
        for boundary in boundaries {
            if let Some(entry) = entries.get_mut(&boundary.key)
                && entry.expires > now
            {
                entry.expires = now + entry.ttl.duration();
                return Some(boundary.tokens);
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Entry>> {
        // A map of plain values stays usable whatever panicked beside it.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops what has expired; if that frees too little, the tenth that would expire first.
fn make_room(entries: &mut HashMap<[u8; 32], Entry>, most: usize, now: Duration) {
    entries.retain(|_, entry| entry.expires > now);
    if entries.len() < most || entries.is_empty() {
        return;
    }
    let mut ends: Vec<Duration> = entries.values().map(|entry| entry.expires).collect();
    let nth = (ends.len() / 10).min(ends.len() - 1);
    let (_, cutoff, _) = ends.select_nth_unstable(nth);
    let cutoff = *cutoff;
    let mut surplus = nth + 1;
    entries.retain(|_, entry| {
        let drop = entry.expires <= cutoff && surplus > 0;
        surplus -= usize::from(drop);
        !drop
    });
}

#[cfg(test)]
mod tests;
