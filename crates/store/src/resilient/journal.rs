//! Writes that wait for the shared store to come back: in order, bounded, and in the local
//! engine, so that they outlive the process where that is a file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::entry::{Change, Entry};
use crate::{ErrorKind, MAX_VALUE_BYTES, Store, StoreError};

/// Where the number of the oldest entry lies.
const HEAD: &str = "resilient:journal:head";
/// Appends that may be under way at the same time, and so the widest gap that a crash leaves.
const GAP: u64 = 1_024;
/// A number that belongs to its entry now; never given out.
const KEPT: u64 = u64::MAX;
/// What an entry takes beside its keys and values.
const ENTRY_BYTES: usize = 256;

/// What is known here of a key that the journal has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touched {
    /// Whether the local engine knows all of it, rather than only what was added here.
    pub(super) whole: bool,
}

/// The writes that wait.
#[derive(Debug)]
pub(super) struct Journal {
    local: Arc<dyn Store>,
    /// This process's name at the shared store.
    pub(super) writer: String,
    max_len: usize,
    max_bytes: usize,
    state: Mutex<State>,
    appended: Notify,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Entries that wait.
    pending: BTreeMap<u64, (Entry, usize)>,
    /// Numbers given out and not done with: entries, and additions under way.
    open: BTreeSet<u64>,
    touched: HashMap<String, Touched>,
    /// Of what waits and of what is about to.
    bytes: usize,
    /// Entries that are about to wait.
    reserved: usize,
}

impl Journal {
    /// The journal in `local`, with what an earlier process left there.
    pub(super) async fn open(
        local: Arc<dyn Store>,
        max_len: usize,
        max_bytes: usize,
    ) -> Result<Self, StoreError> {
        let head = local.get(HEAD).await?;
        let first = head.and_then(|head| <[u8; 8]>::try_from(&*head).ok());
        let mut state = State {
            next: first.map_or(0, u64::from_be_bytes),
            ..State::default()
        };
        let mut missing = 0;
        while missing < GAP {
            let number = state.next.saturating_add(missing);
            let Some(bytes) = local.get(&name(number)).await? else {
                missing += 1;
                continue;
            };
            match Entry::decode(&bytes) {
                Some(entry) => state.inherit(number, entry),
                None => tracing::error!(number, "an entry of the store's journal is unreadable"),
            }
            state.next = number.saturating_add(1);
            missing = 0;
        }
        if !state.pending.is_empty() {
            let entries = state.pending.len();
            tracing::warn!(
                entries,
                "writes of an earlier process wait for the shared store"
            );
        }
        Ok(Self {
            local,
            writer: uuid::Uuid::now_v7().to_string(),
            max_len: max_len.max(1),
            max_bytes,
            state: Mutex::new(state),
            appended: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for a write that is about to be sent or kept.
    pub(super) fn number(self: &Arc<Self>) -> Number {
        let mut state = self.state();
        let number = state.next;
        state.next = state.next.saturating_add(1);
        state.open.insert(number);
        Number {
            journal: Arc::clone(self),
            number,
        }
    }

    /// The lowest number that may still be sent.
    pub(super) fn open_from(&self) -> u64 {
        let state = self.state();
        state.open.first().copied().unwrap_or(state.next)
    }

    /// Remembers that `key` is changed here from now on.
    ///
    /// # Errors
    /// [`ErrorKind::Full`], where too many have been.
    pub(super) fn touch(&self, key: &str, context: &'static str) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.touched.len() >= self.max_len && !state.touched.contains_key(key) {
            return Err(StoreError::new(ErrorKind::Full, context));
        }
        state.touch(key, false);
        Ok(())
    }

    /// The local engine no longer knows all of `key`.
    pub(super) fn doubt(&self, key: &str) {
        if let Some(touched) = self.state().touched.get_mut(key) {
            touched.whole = false;
        }
    }

    /// The local engine knows all of `key`, which has been touched.
    pub(super) fn trust(&self, key: &str) {
        if let Some(touched) = self.state().touched.get_mut(key) {
            touched.whole = true;
        }
    }

    /// Keeps `change` under `number`; afterwards it survives what the local engine survives.
    /// Must not be cancelled.
    ///
    /// # Errors
    /// [`ErrorKind::Full`], where too much waits already, or the change is too large for the
    /// local engine; and those of the local engine.
    pub(super) async fn append(
        &self,
        number: Number,
        change: Change,
        context: &'static str,
    ) -> Result<(), StoreError> {
        let bytes = weight(&change);
        {
            let mut state = self.state();
            let len = state.pending.len() + state.reserved;
            let too_large = bytes > MAX_VALUE_BYTES;
            if len >= self.max_len
                || too_large
                || state.bytes.saturating_add(bytes) > self.max_bytes
            {
                return Err(StoreError::new(ErrorKind::Full, context));
            }
            state.reserved += 1;
            state.bytes = state.bytes.saturating_add(bytes);
        }
        let entry = Entry {
            writer: self.writer.clone(),
            number: number.number,
            change,
        };
        let seq = number.number;
        let kept = self.local.set(&name(seq), entry.encode(), None).await;
        let mut state = self.state();
        state.reserved = state.reserved.saturating_sub(1);
        match kept {
            Ok(()) => {
                state.pending.insert(seq, (entry, bytes));
                drop(state);
                number.keep();
                self.appended.notify_one();
                Ok(())
            }
            Err(error) => {
                state.bytes = state.bytes.saturating_sub(bytes);
                drop(state);
                Err(error)
            }
        }
    }

    /// What is known here of `key`, if the journal has changed it.
    pub(super) fn touched(&self, key: &str) -> Option<Touched> {
        self.state().touched.get(key).copied()
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        self.state().pending.len()
    }

    /// Whether nothing waits, and nothing is known here that the shared store doesn't know.
    #[cfg(test)]
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state();
        state.pending.is_empty() && state.touched.is_empty()
    }

    /// Most that may wait.
    pub(super) fn max_len(&self) -> usize {
        self.max_len
    }

    /// Returns when something waits.
    pub(super) async fn waits(&self) {
        while self.len() == 0 {
            self.appended.notified().await;
        }
    }

    /// Up to `limit` of the oldest entries.
    pub(super) fn oldest(&self, limit: usize) -> Vec<(u64, Entry)> {
        let state = self.state();
        let entries = state.pending.iter().take(limit);
        entries
            .map(|(seq, (entry, _))| (*seq, entry.clone()))
            .collect()
    }

    /// These entries have been told: takes them out, first of the local engine.
    pub(super) async fn done(&self, told: &[u64]) -> Result<(), StoreError> {
        let gone = told
            .iter()
            .map(|&seq| async move { self.local.delete(&name(seq)).await });
        futures_util::future::try_join_all(gone).await?;
        let head = {
            let mut state = self.state();
            for &seq in told {
                state.forget(seq);
            }
            let first = state.pending.keys().next().copied();
            first.unwrap_or(state.next)
        };
        let head = Bytes::copy_from_slice(&head.to_be_bytes());
        self.local.set(HEAD, head, None).await
    }

    /// The keys that were changed here, where nothing waits any more; forgets them.
    pub(super) fn settle(&self) -> Vec<String> {
        let mut state = self.state();
        if !state.pending.is_empty() {
            return Vec::new();
        }
        state.touched.drain().map(|(key, _)| key).collect()
    }
}

impl State {
    fn touch(&mut self, key: &str, whole: bool) {
        let touched = self.touched.entry(key.to_owned());
        touched.or_insert(Touched { whole }).whole |= whole;
    }

    /// Takes in an entry of an earlier process, whose sums are no longer known.
    fn inherit(&mut self, seq: u64, entry: Entry) {
        let whole = matches!(
            entry.change,
            Change::Set(..) | Change::CompareAndSet(..) | Change::Delete(_)
        );
        for key in entry.change.keys() {
            self.touch(key, whole);
        }
        let bytes = weight(&entry.change);
        self.bytes = self.bytes.saturating_add(bytes);
        self.open.insert(seq);
        self.pending.insert(seq, (entry, bytes));
    }

    fn forget(&mut self, seq: u64) {
        self.open.remove(&seq);
        if let Some((_, bytes)) = self.pending.remove(&seq) {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}

/// A number that is given back when dropped, unless an entry keeps it.
#[derive(Debug)]
pub(super) struct Number {
    journal: Arc<Journal>,
    pub(super) number: u64,
}

impl Number {
    fn keep(mut self) {
        self.number = KEPT;
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        if self.number != KEPT {
            self.journal.state().open.remove(&self.number);
        }
    }
}

fn name(number: u64) -> String {
    format!("resilient:journal:{number:020}")
}

/// What a change takes of the bound on bytes.
fn weight(change: &Change) -> usize {
    let keys: usize = change.keys().iter().map(|key| key.len() + 32).sum();
    let values = match change {
        Change::Set(_, value, _) => value.len(),
        Change::CompareAndSet(_, expected, value, _) => {
            value.len() + expected.as_ref().map_or(0, Bytes::len)
        }
        Change::Insert(_, member, _) | Change::Remove(_, member) => member.len(),
        Change::Delete(_) | Change::Expire(..) | Change::Add(_) => 0,
    };
    ENTRY_BYTES + keys + values
}
