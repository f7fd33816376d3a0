//! Durable keys while the shared store is away: changed in the local engine, and in the journal.
//!
//! Each change runs in a task of its own, so that a caller who goes away leaves nothing half
//! done.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::entry::Change;
use super::journal::Number;
use super::{Shared, unavailable};
use crate::{Added, Addition, ErrorKind, StoreError};

/// An addition that owns its key.
#[derive(Debug, Clone)]
pub(super) struct Add {
    pub(super) key: String,
    pub(super) by: i64,
    pub(super) limit: Option<i64>,
    pub(super) lifetime: Option<Duration>,
}

impl Add {
    pub(super) fn of(addition: &Addition<'_>) -> Self {
        Self {
            key: addition.key.to_owned(),
            by: addition.by,
            limit: addition.limit,
            lifetime: addition.lifetime,
        }
    }

    fn borrowed(&self) -> Addition<'_> {
        Addition {
            key: &self.key,
            by: self.by,
            limit: self.limit,
            lifetime: self.lifetime,
        }
    }
}

/// Runs `change` to its end, whatever becomes of the caller.
async fn detached<T: Send + 'static>(
    context: &'static str,
    change: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(change)
        .await
        .unwrap_or_else(|error| Err(StoreError::with_source(ErrorKind::Engine, context, error)))
}

impl Shared {
    /// Whether `key` was changed here, so that the local engine is asked before the shared one.
    pub(super) fn is_touched(&self, key: &str) -> bool {
        self.journal.touched(key).is_some()
    }

    /// Whether the local engine knows all of `key`.
    pub(super) fn is_whole(&self, key: &str) -> bool {
        self.journal
            .touched(key)
            .is_some_and(|touched| touched.whole)
    }

    pub(super) async fn set_here(
        self: &Arc<Self>,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        const CONTEXT: &str = "setting a value";
        let (shared, key) = (Arc::clone(self), key.to_owned());
        detached(CONTEXT, async move {
            let _overlay = shared.overlay.read().await;
            let end = shared.end(lifetime);
            let change = Change::Set(key.clone(), value.clone(), end);
            shared.keep(&key, change, CONTEXT).await?;
            let set = shared.local.set(&key, value, lifetime).await;
            shared.know(&key, set);
            Ok(())
        })
        .await
    }

    /// Reads what the local engine knows all of; none where it doesn't.
    pub(super) async fn read_here<T>(
        &self,
        key: &str,
        read: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Option<Result<T, StoreError>> {
        if !self.is_touched(key) {
            return None;
        }
        // Else what is asked could be forgotten in between, and seem absent.
        let _overlay = self.overlay.read().await;
        match self.is_whole(key) {
            true => Some(read.await),
            false => None,
        }
    }

    /// None where the local engine doesn't know all of `key`.
    pub(super) async fn compare_and_set_here(
        self: &Arc<Self>,
        key: &str,
        expected: Option<&[u8]>,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<Option<bool>, StoreError> {
        const CONTEXT: &str = "comparing and setting a value";
        if !self.is_touched(key) {
            return Ok(None);
        }
        let (shared, key) = (Arc::clone(self), key.to_owned());
        let expected = expected.map(Bytes::copy_from_slice);
        detached(CONTEXT, async move {
            let _overlay = shared.overlay.read().await;
            if !shared.is_whole(&key) {
                return Ok(None);
            }
            let end = shared.end(lifetime);
            let local = &shared.local;
            let set = local
                .compare_and_set(&key, expected.as_deref(), value.clone(), lifetime)
                .await?;
            if set {
                let change = Change::CompareAndSet(key.clone(), expected, value, end);
                let kept = shared.keep(&key, change, CONTEXT).await;
                shared.undone(&key, kept)?;
            }
            Ok(Some(set))
        })
        .await
    }

    pub(super) async fn delete_here(self: &Arc<Self>, key: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "deleting a key";
        let (shared, key) = (Arc::clone(self), key.to_owned());
        detached(CONTEXT, async move {
            let _overlay = shared.overlay.read().await;
            shared
                .keep(&key, Change::Delete(key.clone()), CONTEXT)
                .await?;
            let known = shared.known.sum(&key, shared.now()).is_some();
            shared.known.forget(&key);
            let deleted = shared.local.delete(&key).await;
            let was = *deleted.as_ref().unwrap_or(&false);
            shared.know(&key, deleted.map(drop));
            Ok(was || known)
        })
        .await
    }

    pub(super) async fn expire_here(
        self: &Arc<Self>,
        key: &str,
        lifetime: Duration,
    ) -> Result<Option<bool>, StoreError> {
        const CONTEXT: &str = "giving a lifetime";
        if !self.is_touched(key) {
            return Ok(None);
        }
        let (shared, key) = (Arc::clone(self), key.to_owned());
        detached(CONTEXT, async move {
            let _overlay = shared.overlay.read().await;
            if !shared.is_touched(&key) {
                return Ok(None);
            }
            let there = shared.local.expire(&key, lifetime).await?;
            if let Some(end) = shared.end(Some(lifetime)).filter(|_| there) {
                let change = Change::Expire(key.clone(), end);
                let kept = shared.keep(&key, change, CONTEXT).await;
                shared.undone(&key, kept)?;
            }
            Ok(Some(there))
        })
        .await
    }

    /// Adds here what the shared store may have added already under the same number.
    pub(super) async fn add_here(
        self: &Arc<Self>,
        additions: Vec<Add>,
        number: Number,
    ) -> Result<Added, StoreError> {
        const CONTEXT: &str = "adding to counters";
        let shared = Arc::clone(self);
        detached(CONTEXT, async move {
            let _overlay = shared.overlay.read().await;
            for add in &additions {
                shared.begin_counter(add, CONTEXT).await?;
            }
            let borrowed: Vec<Addition<'_>> = additions.iter().map(Add::borrowed).collect();
            let added = shared.local.add_all(&borrowed).await?;
            if let Added::Over { .. } = added {
                return Ok(added);
            }
            let items = additions
                .iter()
                .map(|add| (add.key.clone(), add.by, shared.end(add.lifetime)));
            let change = Change::Add(items.collect());
            if let Err(error) = shared.journal.append(number, change, CONTEXT).await {
                shared.take_back(&additions).await;
                return Err(error);
            }
            Ok(added)
        })
        .await
    }

    /// Puts a change of `key` into the journal: from then on it isn't lost.
    async fn keep(
        &self,
        key: &str,
        change: Change,
        context: &'static str,
    ) -> Result<(), StoreError> {
        self.journal.touch(key, context)?;
        self.journal
            .append(self.journal.number(), change, context)
            .await
    }

    /// All of `key` was written here, or, where that failed, is only in the journal.
    fn know(&self, key: &str, written: Result<(), StoreError>) {
        match written {
            Ok(()) => self.journal.trust(key),
            Err(error) => {
                tracing::warn!(%error, "a write is in the journal only");
                self.journal.doubt(key);
            }
        }
    }

    /// Journal and local engine differ over `key` where one of them failed: from then on the
    /// local engine isn't asked for it.
    fn undone<T>(&self, key: &str, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if done.is_err() {
            self.journal.doubt(key);
        }
        done
    }

    /// Begins a counter here at its last known sum.
    async fn begin_counter(&self, add: &Add, context: &'static str) -> Result<(), StoreError> {
        if self.is_touched(&add.key) {
            return Ok(());
        }
        // One at a time, and the first one only: a sum must not be begun with twice.
        let _alone = self.beginning.lock().await;
        if self.is_touched(&add.key) {
            return Ok(());
        }
        let known = self.known.sum(&add.key, self.now());
        // What an earlier outage may have left must not be counted twice.
        self.local.delete(&add.key).await?;
        if let Some(sum) = known {
            self.local.increment(&add.key, sum, add.lifetime).await?;
            // From here on the local engine knows better.
            self.known.forget(&add.key);
        }
        self.journal.touch(&add.key, context)?;
        if known.is_some() {
            self.journal.trust(&add.key);
        }
        Ok(())
    }

    /// Undoes additions that could not be kept.
    async fn take_back(&self, additions: &[Add]) {
        for add in additions {
            let back = add.by.checked_neg().unwrap_or(i64::MAX);
            if let Err(error) = self.local.increment(&add.key, back, None).await {
                tracing::warn!(%error, "a refused addition stays in the local counter");
            }
        }
    }

    pub(super) async fn set_insert_here(
        self: &Arc<Self>,
        key: &str,
        member: &str,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "inserting into a set";
        let (shared, key, member) = (Arc::clone(self), key.to_owned(), member.to_owned());
        detached(CONTEXT, async move {
            let _overlay = shared.overlay.read().await;
            let end = shared.end(lifetime);
            let change = Change::Insert(key.clone(), member.clone(), end);
            shared.keep(&key, change, CONTEXT).await?;
            let inserted = shared.local.set_insert(&key, &member, lifetime).await;
            shared.undone(&key, inserted)
        })
        .await
    }

    pub(super) async fn set_remove_here(
        self: &Arc<Self>,
        key: &str,
        member: &str,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "removing from a set";
        let (shared, key, member) = (Arc::clone(self), key.to_owned(), member.to_owned());
        detached(CONTEXT, async move {
            let _overlay = shared.overlay.read().await;
            let change = Change::Remove(key.clone(), member.clone());
            shared.keep(&key, change, CONTEXT).await?;
            let removed = shared.local.set_remove(&key, &member).await;
            shared.undone(&key, removed)
        })
        .await
    }

    /// The sum of a counter, as far as it is known here.
    pub(super) async fn counter_here(&self, key: &str) -> Result<i64, StoreError> {
        let keys = [key];
        if let Some(sums) = self.read_here(key, self.local.counters(&keys)).await {
            return Ok(sums?.first().copied().unwrap_or(0));
        }
        match self.known.sum(key, self.now()) {
            Some(sum) if !self.is_touched(key) => Ok(sum),
            _ => Err(unavailable("reading counters")),
        }
    }
}
