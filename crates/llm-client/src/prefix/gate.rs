//! One writer for each cold prefix; the others wait at the door until it has begun.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::marks::PrefixKey;
use crate::CacheLifetime;

/// How long a prefix that the provider doesn't cache is let alone.
const USELESS_FOR: Duration = Duration::from_secs(600);
/// An entry is taken to be gone a little before the provider drops it.
const SAFETY: Duration = Duration::from_secs(10);

/// The prefixes and how they are.
#[derive(Debug)]
pub(super) struct Gate {
    prefixes: Mutex<HashMap<PrefixKey, State>>,
    capacity: usize,
}

#[derive(Debug)]
enum State {
    /// Somebody's call is on its way to write it.
    Writing(watch::Receiver<()>),
    /// It can be read, or needn't be waited for.
    Open { until: Instant },
}

/// What a call is to do.
pub(super) enum Entrance {
    /// Go ahead: it is warm, or nobody knows it.
    Free,
    /// Go ahead and write it.
    Lead(Lead),
    /// Wait until this changes or closes, and ask again.
    Follow(watch::Receiver<()>),
}

/// The right to write a prefix. Dropped before the answer has begun, it passes on.
#[derive(Debug)]
pub(super) struct Lead {
    gate: Arc<Gate>,
    key: PrefixKey,
    begun: bool,
    /// Closes when the lead is dropped, which wakes those who wait.
    _ended: watch::Sender<()>,
}

impl Gate {
    pub(super) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            prefixes: Mutex::default(),
            capacity,
        })
    }

    /// Decides for a call that comes with a prefix now.
    pub(super) fn enter(self: &Arc<Self>, key: &PrefixKey, now: Instant) -> Entrance {
        let mut prefixes = self.prefixes();
        match prefixes.get(key) {
            Some(State::Writing(ended)) => return Entrance::Follow(ended.clone()),
            Some(State::Open { until }) if now < *until => return Entrance::Free,
            _ => {}
        }
        if prefixes.len() >= self.capacity {
            prefixes.retain(|_, state| match state {
                State::Writing(_) => true,
                State::Open { until } => now < *until,
            });
        }
        if prefixes.len() >= self.capacity && !prefixes.contains_key(key) {
            return Entrance::Free;
        }
        let (sender, ended) = watch::channel(());
        prefixes.insert(key.clone(), State::Writing(ended));
        Entrance::Lead(Lead {
            gate: Arc::clone(self),
            key: key.clone(),
            begun: false,
            _ended: sender,
        })
    }

    /// A call with this prefix has ended, and the provider had or hadn't cached it.
    pub(super) fn learned(&self, key: &PrefixKey, cached: bool, now: Instant) {
        let lifetime = if cached {
            lifetime_of(key.lifetime()).saturating_sub(SAFETY)
        } else {
            USELESS_FOR
        };
        if let Some(State::Open { until }) = self.prefixes().get_mut(key) {
            *until = now + lifetime;
        }
    }

    /// Prefixes that somebody is writing.
    pub(super) fn writing(&self) -> usize {
        let prefixes = self.prefixes();
        let writing = |state: &&State| matches!(state, State::Writing(_));
        prefixes.values().filter(writing).count()
    }

    fn prefixes(&self) -> MutexGuard<'_, HashMap<PrefixKey, State>> {
        self.prefixes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead {
    /// The answer has begun: the prefix can be read from now on.
    pub(super) fn begun(mut self, now: Instant) {
        self.begun = true;
        let until = now + lifetime_of(self.key.lifetime()).saturating_sub(SAFETY);
        let mut prefixes = self.gate.prefixes();
        prefixes.insert(self.key.clone(), State::Open { until });
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if !self.begun {
            self.gate.prefixes().remove(&self.key);
        }
        // The sender goes last: who wakes finds the new state.
    }
}

/// How long the provider keeps an entry.
pub(super) fn lifetime_of(lifetime: CacheLifetime) -> Duration {
    match lifetime {
        CacheLifetime::FiveMinutes => Duration::from_secs(300),
        CacheLifetime::OneHour => Duration::from_secs(3_600),
    }
}
