//! Computations under way that several callers wait for.
//!
//! A flight is a detached task and its callers' waiters. It goes through
//!
//! ```text
//! Looking ──(the store has it, or another replica told it)──▶ landed: found or told
//!    │ (neither, or a Refresh has joined)
//!    ▼
//! Computing ──(answer, error, panic, limit)─▶ landed: computed or failed
//! ```
//!
//! and every change happens under one lock. The task owns a [`Guard`]: however the task ends,
//! dropping the guard frees the key, and waiters that were told nothing see that it is lost.
//! Nothing runs in a waiter, so a waiter that goes away changes nothing.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::entry::Entry;
use crate::metrics::Source;
use crate::{CacheError, CacheKey, Cost};

/// How a flight ended.
pub(crate) enum Landing<E> {
    /// The answer had been kept, in this tier.
    Found(Entry, Source),
    /// It was computed.
    Computed(Bytes, Cost),
    /// It was computed in another replica.
    Told(Bytes, Cost),
    /// There is none.
    Failed {
        /// Why.
        error: CacheError<E>,
        /// Whether those who waited may try themselves.
        retry: bool,
    },
}

impl<E> Landing<E> {
    /// A failure that everybody who waited shares.
    pub(crate) fn failed(error: CacheError<E>) -> Self {
        let retry = false;
        Self::Failed { error, retry }
    }

    /// Whether those who waited may try themselves.
    pub(crate) fn may_retry(&self) -> bool {
        matches!(self, Self::Failed { retry: true, .. })
    }
}

impl<E> Clone for Landing<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Found(entry, tier) => Self::Found(entry.clone(), *tier),
            Self::Computed(value, cost) => Self::Computed(value.clone(), *cost),
            Self::Told(value, cost) => Self::Told(value.clone(), *cost),
            Self::Failed { error, retry } => Self::Failed {
                error: error.clone(),
                retry: *retry,
            },
        }
    }
}

/// Callers whose errors are of different types can't share an answer, so they don't meet.
type SlotKey = (TypeId, [u8; 32]);

/// The flights of one cache.
pub(crate) struct Flights {
    slots: Arc<Mutex<HashMap<SlotKey, Slot>>>,
    permits: Arc<Semaphore>,
    max: usize,
}

struct Slot {
    phase: Phase,
    /// A `watch::Receiver<Option<Landing<E>>>`, E being the type in the slot's key.
    waiter: Box<dyn Any + Send>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It reads what is kept.
    Looking {
        /// A Refresh waits for it: what it finds doesn't count any more.
        refresh: bool,
    },
    Computing,
}

/// How a caller comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// What is kept will do.
    Normal,
    /// It won't.
    Refresh,
}

/// What a caller becomes.
pub(crate) enum Role<E> {
    /// It has to start the flight's task with this guard, and waits like everybody.
    Lead(Guard<E>, Waiter<E>),
    /// It waits.
    Follow(Waiter<E>),
    /// Too many flights: it is on its own.
    Alone,
}

impl Flights {
    /// Room for `max` flights.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            slots: Arc::default(),
            permits: Arc::new(Semaphore::new(max)),
            max,
        }
    }

    /// Joins the flight for `key`, or begins it.
    pub(crate) fn join<E: Send + Sync + 'static>(&self, key: &CacheKey, join: Join) -> Role<E> {
        let slot_key = (TypeId::of::<E>(), *key.hash());
        let refresh = join == Join::Refresh;
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get_mut(&slot_key) {
            if refresh && matches!(slot.phase, Phase::Looking { .. }) {
                slot.phase = Phase::Looking { refresh: true };
            }
            // It is always of this type, since the type is in the slot's key.
            return match slot.waiter.downcast_ref::<watch::Receiver<_>>() {
                Some(receiver) => Role::Follow(Waiter(receiver.clone())),
                None => Role::Alone,
            };
        }
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return Role::Alone;
        };
        let (sender, receiver) = watch::channel(None);
        let phase = if refresh {
            Phase::Computing
        } else {
            Phase::Looking { refresh: false }
        };
        let waiter = Box::new(receiver.clone());
        slots.insert(slot_key, Slot { phase, waiter });
        let guard = Guard {
            slots: Arc::clone(&self.slots),
            slot_key,
            sender,
            _permit: permit,
        };
        Role::Lead(guard, Waiter(receiver))
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

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights")
            .field("count", &self.count())
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

/// Waits for a flight's end.
pub(crate) struct Waiter<E>(watch::Receiver<Option<Landing<E>>>);

impl<E> Waiter<E> {
    /// How the flight ended.
    pub(crate) async fn landed(mut self) -> Landing<E> {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(landing)) => landing.clone(),
            // Its task was ended from outside: whoever is still here may begin another one.
            Ok(None) | Err(_) => Landing::Failed {
                error: CacheError::Lost,
                retry: true,
            },
        }
    }
}

/// The flight's task's hold on its slot.
pub(crate) struct Guard<E> {
    slots: Arc<Mutex<HashMap<SlotKey, Slot>>>,
    slot_key: SlotKey,
    sender: watch::Sender<Option<Landing<E>>>,
    _permit: OwnedSemaphorePermit,
}

impl<E> Guard<E> {
    /// Whether it may still look for what is kept.
    pub(crate) fn may_look(&self) -> bool {
        lock(&self.slots)
            .get(&self.slot_key)
            .is_some_and(|slot| slot.phase == Phase::Looking { refresh: false })
    }

    /// Lands with what was kept, after `keep` has put it where the next caller finds it. Gives
    /// the guard back if a Refresh has joined meanwhile.
    pub(crate) fn land_found(self, landing: Landing<E>, keep: impl FnOnce()) -> Result<(), Self> {
        {
            let mut slots = lock(&self.slots);
            let refresh = slots
                .get(&self.slot_key)
                .is_some_and(|slot| slot.phase == Phase::Looking { refresh: true });
            if refresh {
                drop(slots);
                return Err(self);
            }
            keep();
            slots.remove(&self.slot_key);
        }
        self.sender.send_replace(Some(landing));
        Ok(())
    }

    /// From here on a Refresh may join as any other caller.
    pub(crate) fn computing(&self) {
        if let Some(slot) = lock(&self.slots).get_mut(&self.slot_key) {
            slot.phase = Phase::Computing;
        }
    }

    /// Lands. What is to be kept has been put away before, so that whoever comes after the
    /// slot is free finds it.
    pub(crate) fn land(self, landing: Landing<E>) {
        lock(&self.slots).remove(&self.slot_key);
        self.sender.send_replace(Some(landing));
    }
}

impl<E> Drop for Guard<E> {
    /// After a landing the slot is free, and may be the next flight's: only a flight that
    /// never landed (its task was dropped or panicked) frees it here.
    fn drop(&mut self) {
        if self.sender.borrow().is_none() {
            lock(&self.slots).remove(&self.slot_key);
        }
    }
}

/// No code that can panic runs under the lock but `keep`, which changes no slot.
fn lock(slots: &Mutex<HashMap<SlotKey, Slot>>) -> MutexGuard<'_, HashMap<SlotKey, Slot>> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}
