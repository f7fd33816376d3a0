//! Answers that are not to be served any more, whatever their lifetime.
//!
//! Nothing is searched and removed: a flush is a mark which says "what was begun before this
//! moment doesn't count", by operation and by tenant. Both tiers ask the marks on every hit, so a
//! flush takes effect at once here, and on every other replica when it next looks into the store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;

use crate::CacheKey;
use crate::cache::Cache;
use crate::entry::Entry;
use crate::l2::L2;

/// Where the marks lie in the store.
const NAME: &str = "flush:cache:v1";

/// Most marks; one more than that makes them into a single one for everything.
const MAX_MARKS: usize = 64;

/// Longest name of an operation or a tenant, in bytes.
const MAX_NAME: usize = 256;

/// Tries to add to the marks in the store beside other replicas.
const TRIES: usize = 4;

/// What is to be flushed: everything, or what fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlushScope {
    /// Answers of this operation only.
    pub operation: Option<String>,
    /// Answers of this tenant only: its whole name (`erp/7`), or the part before the first `/`
    /// (`erp`), which stands for all that begin so.
    pub tenant: Option<String>,
}

/// How a flush ended. Here it is in force in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushed {
    /// Every replica will know within seconds, and those that start later as well.
    Everywhere,
    /// The store didn't take it yet; it is told again with the next totals
    /// ([`Cache::spawn_sharing`]).
    OnlyHere,
}

/// A flush.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    at_ms: u64,
    operation: Option<String>,
    tenant: Option<u64>,
}

/// The flushes that still matter.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Almost always false: then a hit pays for one load.
    any: AtomicBool,
    list: RwLock<Arc<[Mark]>>,
    /// The store lacks some of them.
    untold: AtomicBool,
}

/// A tenant's name as marks and keys have it: two that collide are flushed together, which costs
/// a computation.
pub(crate) fn tag(tenant: &str) -> u64 {
    // FNV-1a: the same on every replica and in every version.
    tenant.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Mark {
    fn covers(&self, key: &CacheKey, begun_ms: u64) -> bool {
        begun_ms <= self.at_ms
            && self
                .operation
                .as_deref()
                .is_none_or(|name| name == key.operation())
            && self.tenant.is_none_or(|tenant| key.is_of(tenant))
    }

    /// `TIME OPERATION TENANT`, with `*` for every one.
    fn line(&self) -> String {
        let operation = self.operation.as_deref().unwrap_or("*");
        let tenant = self.tenant.map_or("*".to_owned(), |tag| format!("{tag:x}"));
        format!("{} {operation} {tenant}\n", self.at_ms)
    }

    fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let at_ms = words.next()?.parse().ok()?;
        let some = |word: &str| (word != "*").then(|| word.to_owned());
        let operation = some(words.next()?);
        let tenant = match some(words.next()?) {
            Some(tag) => Some(u64::from_str_radix(&tag, 16).ok()?),
            None => None,
        };
        Some(Self {
            at_ms,
            operation,
            tenant,
        })
    }
}

impl Marks {
    /// Whether an entry was begun before a flush that is about it.
    pub(crate) fn cover(&self, key: &CacheKey, entry: &Entry) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let begun_ms = entry.created_ms.saturating_sub(entry.compute_ms.into());
        self.list().iter().any(|mark| mark.covers(key, begun_ms))
    }

    fn list(&self) -> Arc<[Mark]> {
        Arc::clone(&self.list.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds those that are new; forgets those that no living entry can be older than.
    fn join(&self, more: &[Mark], oldest_ms: u64) {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let joined = merged(&list, more, oldest_ms);
        self.any.store(!joined.is_empty(), Ordering::Release);
        *list = joined.into();
    }
}

/// Both lists as one, each scope once with its latest moment, bounded.
fn merged(some: &[Mark], more: &[Mark], oldest_ms: u64) -> Vec<Mark> {
    let mut all: Vec<Mark> = Vec::new();
    for mark in some
        .iter()
        .chain(more)
        .filter(|mark| mark.at_ms >= oldest_ms)
    {
        let same =
            |known: &&mut Mark| known.operation == mark.operation && known.tenant == mark.tenant;
        match all.iter_mut().find(same) {
            Some(known) => known.at_ms = known.at_ms.max(mark.at_ms),
            None => all.push(mark.clone()),
        }
    }
    if all.len() > MAX_MARKS {
        let at_ms = all.iter().map(|mark| mark.at_ms).max().unwrap_or(0);
        all = vec![Mark {
            at_ms,
            operation: None,
            tenant: None,
        }];
    }
    all.sort_by_key(|mark| mark.at_ms);
    all
}

fn encode(marks: &[Mark]) -> Bytes {
    marks.iter().map(Mark::line).collect::<String>().into()
}

/// What isn't understood is none: another version's.
fn decode(text: &[u8]) -> Vec<Mark> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.lines()
        .take(MAX_MARKS)
        .filter_map(Mark::of_line)
        .collect()
}

impl FlushScope {
    /// Whether the names could be those of an operation and a tenant; another scope flushes
    /// nothing.
    #[must_use]
    pub fn is_plausible(&self) -> bool {
        let plain = |name: &String| {
            let visible = name.bytes().all(|byte| byte.is_ascii_graphic());
            (1..=MAX_NAME).contains(&name.len()) && visible && name != "*"
        };
        self.operation.as_ref().is_none_or(plain) && self.tenant.as_ref().is_none_or(plain)
    }
}

impl Cache {
    /// From now on nothing is served that was begun before this moment and is within `scope`:
    /// neither from this process's memory nor from the store, here at once, on other replicas
    /// when they next share their totals ([`Cache::spawn_sharing`]). Who waits for a computation
    /// that is under way still gets its answer, which isn't served to anybody later.
    pub async fn flush(&self, scope: &FlushScope) -> Flushed {
        if !scope.is_plausible() {
            return Flushed::Everywhere;
        }
        let mark = Mark {
            at_ms: self.inner.now_ms(),
            operation: scope.operation.clone(),
            tenant: scope.tenant.as_deref().map(tag),
        };
        let marks = &self.inner.marks;
        marks.join(std::slice::from_ref(&mark), self.oldest_ms());
        if *scope == FlushScope::default() {
            self.inner.l1.clear();
        }
        marks.untold.store(true, Ordering::Release);
        self.share_flushes().await
    }

    /// Learns what other replicas have flushed and tells what this one has. Once at the start of
    /// a process, before it serves; afterwards [`Cache::spawn_sharing`] does it.
    pub async fn share_flushes(&self) -> Flushed {
        let (marks, oldest_ms) = (&self.inner.marks, self.oldest_ms());
        let Some(l2) = &self.inner.l2 else {
            marks.untold.store(false, Ordering::Release);
            return Flushed::Everywhere;
        };
        let lifetime = self.inner.config.max_lifetime();
        for _ in 0..TRIES {
            match exchange(l2, marks, oldest_ms, lifetime).await {
                Exchange::Done => return Flushed::Everywhere,
                Exchange::Raced => {}
                Exchange::Away => break,
            }
        }
        if marks.untold.load(Ordering::Acquire) {
            Flushed::OnlyHere
        } else {
            Flushed::Everywhere
        }
    }

    /// No entry that is alive can be older.
    fn oldest_ms(&self) -> u64 {
        let longest = crate::entry::as_millis(self.inner.config.max_lifetime());
        self.inner.now_ms().saturating_sub(longest)
    }
}

enum Exchange {
    Done,
    /// Another replica has written meanwhile.
    Raced,
    Away,
}

async fn exchange(l2: &L2, marks: &Marks, oldest_ms: u64, lifetime: Duration) -> Exchange {
    // Before the look: what is flushed meanwhile is told by its own call.
    let untold = marks.untold.swap(false, Ordering::AcqRel);
    let back = |exchange| {
        marks.untold.fetch_or(untold, Ordering::AcqRel);
        exchange
    };
    let Some(there) = l2.note(NAME).await else {
        return back(Exchange::Away);
    };
    marks.join(&decode(there.as_deref().unwrap_or_default()), oldest_ms);
    let list = marks.list();
    if !untold {
        return Exchange::Done;
    }
    match l2
        .replace_note(NAME, there.as_deref(), encode(&list), lifetime)
        .await
    {
        Some(true) => Exchange::Done,
        Some(false) => back(Exchange::Raced),
        None => back(Exchange::Away),
    }
}

#[cfg(test)]
mod tests;
