//! Which stream under way belongs to which key.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Source;
use crate::{CacheError, CacheKey};

use super::log::Log;

/// Callers whose errors are of different types can't share a stream, so they don't meet.
type SlotKey = (TypeId, [u8; 32]);

/// An `Arc<Log<E>>`, E being the type in the slot's key.
type Slots = HashMap<SlotKey, Box<dyn Any + Send>>;

/// The streams of one cache.
pub(crate) struct Streams {
    slots: Arc<Mutex<Slots>>,
    permits: Arc<Semaphore>,
    max: usize,
}

impl Streams {
    /// Room for `max` streams that can be joined.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            slots: Arc::default(),
            permits: Arc::new(Semaphore::new(max)),
            max,
        }
    }

    /// The stream under way for `key`, with one more reader, or a new one: then there is a
    /// guard for its task. Over the bound the new one can't be joined.
    pub(crate) fn join<E: Send + Sync + 'static>(
        &self,
        key: &CacheKey,
        refresh: bool,
        max_bytes: usize,
    ) -> (Arc<Log<E>>, Source, Option<Guard<E>>) {
        let slot_key = (TypeId::of::<E>(), *key.hash());
        let mut slots = lock(&self.slots);
        let under_way = slots.get(&slot_key);
        if let Some(log) = under_way.and_then(|log| log.downcast_ref::<Arc<Log<E>>>())
            && log.attach(refresh)
        {
            return (Arc::clone(log), Source::Coalesced, None);
        }
        let log = Arc::new(Log::new(max_bytes, refresh));
        log.attach(refresh);
        let guard = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => {
                slots.insert(slot_key, Box::new(Arc::clone(&log)));
                Guard {
                    log: Arc::clone(&log),
                    slot: Some((Arc::clone(&self.slots), slot_key, permit)),
                }
            }
            Err(_full) => Guard {
                log: Arc::clone(&log),
                slot: None,
            },
        };
        (log, Source::Miss, Some(guard))
    }

    /// How many are under way.
    pub(crate) fn count(&self) -> usize {
        lock(&self.slots).len()
    }

    /// Returns when none is under way.
    pub(crate) async fn drained(&self) {
        // The semaphore is never closed.
        let _all = self.permits.acquire_many(self.max as u32).await;
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams")
            .field("count", &self.count())
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

/// A stream's task's hold on its slot. However the task ends, dropping the guard frees the
/// key, and readers who were told nothing learn that it is lost.
pub(crate) struct Guard<E: 'static> {
    log: Arc<Log<E>>,
    slot: Option<(Arc<Mutex<Slots>>, SlotKey, OwnedSemaphorePermit)>,
}

impl<E> Guard<E> {
    /// For a stream that nobody joins; it has its one reader already.
    pub(crate) fn alone(log: Arc<Log<E>>) -> Self {
        log.attach(true);
        Self { log, slot: None }
    }

    pub(crate) fn log(&self) -> &Arc<Log<E>> {
        &self.log
    }

    /// Whether others can join it.
    pub(crate) fn is_shared(&self) -> bool {
        self.slot.is_some()
    }
}

impl<E> Drop for Guard<E> {
    fn drop(&mut self) {
        if let Some((slots, slot_key, _permit)) = self.slot.take() {
            let mut slots = lock(&slots);
            let mine = slots
                .get(&slot_key)
                .and_then(|log| log.downcast_ref::<Arc<Log<E>>>())
                .is_some_and(|log| Arc::ptr_eq(log, &self.log));
            if mine {
                slots.remove(&slot_key);
            }
        }
        // Nothing if it has ended as it should.
        self.log.fail(CacheError::Lost);
    }
}

/// No code that can panic runs under the lock.
fn lock(slots: &Mutex<Slots>) -> MutexGuard<'_, Slots> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}
