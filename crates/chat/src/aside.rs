//! Turns that can't be put into their session, because the store can't be asked for it: they lie
//! beside it until it can.
//!
//! Nothing of the session is read or written blindly. Each turn is a value of its own, and its
//! name goes into a set: both are writes that a store over Redis keeps in its journal and tells
//! later, whatever others have said in the session meanwhile. Whoever next reads the session
//! takes them in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError};

use crate::session::Turn;
use crate::{Tenant, UserContext, metrics_names};

/// Turns of one session that may lie beside it.
pub(crate) const MAX_TURNS: usize = 32;
/// Names that are read of one session: those of several replicas' turns.
const MAX_NAMES: usize = MAX_TURNS * 8;
/// What all turns that this process has put aside may take.
const MAX_BYTES: usize = 16 << 20;

/// A turn beside its session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Aside {
    /// The company that it was said for; the session may turn out to be another one's.
    pub(crate) company: Option<u64>,
    pub(crate) context: Option<UserContext>,
    pub(crate) turn: Turn,
}

/// What this process has put aside, by the session's key: what goes on answering from, and what
/// a deletion finds before the store has been told of it.
#[derive(Debug, Default)]
struct Here {
    sessions: HashMap<String, Vec<Aside>>,
    bytes: usize,
}

/// The turns beside their sessions.
pub(crate) struct Asides {
    store: Arc<dyn Store>,
    lifetime: Duration,
    here: Mutex<Here>,
}

impl Asides {
    pub(crate) fn new(store: Arc<dyn Store>, lifetime: Duration) -> Self {
        Self {
            store,
            lifetime,
            here: Mutex::default(),
        }
    }

    /// Puts a turn aside and gives what this process said there before. A turn without its answer
    /// only takes its place in the queue: it is a part of the session once it is answered.
    ///
    /// # Errors
    /// Where there is no room for it, here or in the store's own queue.
    pub(crate) async fn put(&self, session: &str, aside: Aside) -> Result<Vec<Aside>, StoreError> {
        let Ok(bytes) = serde_json::to_vec(&aside) else {
            return Err(full());
        };
        let (id, complete) = (aside.turn.id.clone(), aside.turn.answer.is_some());
        let before = self.here().put(session, aside, self.lifetime)?;
        let kept = self.write(session, &id, bytes, complete).await;
        match kept {
            Ok(()) if complete => metrics::counter!(metrics_names::ASIDE).increment(1),
            Ok(()) => {}
            Err(_) => self.here().remove(session, &id),
        }
        kept.map(|()| before)
    }

    async fn write(
        &self,
        session: &str,
        id: &str,
        bytes: Vec<u8>,
        complete: bool,
    ) -> Result<(), StoreError> {
        let (key, lifetime) = (place(session, id), Some(self.lifetime));
        self.store.set(&key, bytes.into(), lifetime).await?;
        if complete {
            // Last, so that whoever finds its name finds its answer.
            let names = names(session);
            self.store.set_insert(&names, id, lifetime).await?;
        }
        Ok(())
    }

    /// The answered turns beside a session, in the order in which they were asked. What can't be
    /// read now stays where it is.
    pub(crate) async fn of(&self, session: &str) -> Vec<Aside> {
        let mut found = self.here().of(session);
        found.retain(|aside| aside.turn.answer.is_some());
        let ids = self.names(session).await;
        let others = ids
            .iter()
            .filter(|id| found.iter().all(|aside| aside.turn.id != **id));
        let keys: Vec<String> = others.map(|id| place(session, id)).collect();
        for read in join_all(keys.iter().map(|key| self.store.get(key))).await {
            let bytes = read.ok().flatten();
            let aside = bytes.and_then(|bytes| serde_json::from_slice::<Aside>(&bytes).ok());
            found.extend(aside);
        }
        found.sort_by_key(|aside| aside.turn.asked);
        found
    }

    /// They are in their session now.
    pub(crate) async fn taken(&self, session: &str, ids: &[String]) {
        let names = names(session);
        for id in ids {
            self.here().remove(session, id);
            let gone = self.store.set_remove(&names, id).await;
            if gone.is_err() || self.store.delete(&place(session, id)).await.is_err() {
                // The session knows that it has taken them, and they end by themselves.
                return;
            }
        }
    }

    /// Deletes all that lies beside a session.
    ///
    /// # Errors
    /// Where that can't be told the store, nor kept for it.
    pub(crate) async fn delete(&self, session: &str) -> Result<(), StoreError> {
        // What can't be listed can't be deleted: that is an error, and no half of a deletion.
        let mut ids = self.store.set_members(&names(session), MAX_NAMES).await?;
        ids.extend(
            self.here()
                .of(session)
                .into_iter()
                .map(|aside| aside.turn.id),
        );
        for id in &ids {
            self.store.delete(&place(session, id)).await?;
        }
        self.store.delete(&names(session)).await?;
        self.here().forget(session);
        Ok(())
    }

    async fn names(&self, session: &str) -> Vec<String> {
        let names = names(session);
        let ids = self.store.set_members(&names, MAX_NAMES).await;
        ids.unwrap_or_default()
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Here {
    /// Puts it in, or in the place of itself without its answer; gives those before it.
    fn put(
        &mut self,
        session: &str,
        aside: Aside,
        lifetime: Duration,
    ) -> Result<Vec<Aside>, StoreError> {
        self.expire(aside.turn.asked, lifetime);
        self.remove(session, &aside.turn.id);
        let size = aside.turn.size();
        let turns = self.sessions.get(session).map_or(0, Vec::len);
        if turns >= MAX_TURNS || self.bytes.saturating_add(size) > MAX_BYTES {
            return Err(full());
        }
        self.bytes += size;
        let turns = self.sessions.entry(session.to_owned()).or_default();
        let before = turns.clone();
        turns.push(aside);
        Ok(before)
    }

    fn of(&self, session: &str) -> Vec<Aside> {
        self.sessions.get(session).cloned().unwrap_or_default()
    }

    fn remove(&mut self, session: &str, id: &str) {
        self.retain(|of, aside| of != session || aside.turn.id != id);
    }

    fn forget(&mut self, session: &str) {
        self.retain(|of, _| of != session);
    }

    /// The store has forgotten these too.
    fn expire(&mut self, now: Timestamp, lifetime: Duration) {
        self.retain(|_, aside| now.duration_since(aside.turn.asked).unsigned_abs() < lifetime);
    }

    fn retain(&mut self, keep: impl Fn(&str, &Aside) -> bool) {
        let mut bytes = 0;
        self.sessions.retain(|session, turns| {
            turns.retain(|aside| keep(session, aside));
            bytes += turns.iter().map(|aside| aside.turn.size()).sum::<usize>();
            !turns.is_empty()
        });
        self.bytes = bytes;
    }
}

impl Aside {
    /// Whether it was said for the company that this tenant speaks for.
    pub(crate) fn is_of(&self, tenant: &Tenant) -> bool {
        self.company == tenant.company
    }
}

fn names(session: &str) -> String {
    format!("{session}:aside")
}

fn place(session: &str, id: &str) -> String {
    format!("{session}:aside:{id}")
}

fn full() -> StoreError {
    StoreError::new(store::ErrorKind::Full, "putting a turn aside")
}
