//! Sessions in the store: what was said, in the order in which it was accepted.
//!
//! A question is put into its session before it is answered, and the answer goes into the same
//! place afterwards: two at once are two pairs, whichever is answered first. Every change is a
//! compare-and-set, so that replicas can't overwrite each other. While the store can't be asked
//! for a session, its turns lie beside it (`aside`), and are taken in when it can.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::join;
use jiff::Timestamp;
use store::{Clock, ErrorKind, Store, StoreError, TimeLeft};
use tokio::sync::Mutex;
use tokio::time::timeout;
use uuid::Uuid;

use crate::aside::{Aside, Asides};
pub(crate) use record::{NewSession, Said, Turn};
use record::{Record, decode, encode, name};

mod record;
use crate::{ChatError, Config, Tenant, UserContext};

/// Tries of one change: each lost one means that another replica's went through.
const TRIES: usize = 32;
/// Questions of one session that wait for their answers at a time.
const MAX_OPEN: usize = 64;
/// Locks that keep this process's changes from racing each other.
const LOCKS: usize = 64;
/// The longest session that is remembered while its question is answered, in bytes: each stream
/// would hold it.
const REMEMBERED: usize = 2 * 1024;

/// What came before a question.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) summary: String,
    pub(crate) turns: Vec<Turn>,
    pub(crate) context: UserContext,
    /// What was said in the session isn't known: only what this process put aside.
    pub(crate) away: bool,
    /// The session as it was written with the question, if it is short: while nobody has changed
    /// it since, its answer needs no look at it.
    pub(crate) written: Option<Bytes>,
}

impl History {
    /// Whether it is the session's first question.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty() && self.summary.is_empty()
    }
}

/// One message of a session, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShownMessage {
    /// Whether the assistant says it, and not the user.
    pub from_assistant: bool,
    /// What is said.
    pub content: String,
    /// When it was accepted, or answered.
    pub timestamp: Timestamp,
    /// The module that an answer is of.
    pub plugin_used: Option<String>,
    /// Whether the answer broke off.
    pub partial: bool,
}

/// A session, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionView {
    /// Its id.
    pub session_id: Uuid,
    /// What it keeps, oldest first: at most [`Config::kept_messages`] and what is being answered.
    pub messages: Vec<ShownMessage>,
    /// How long it lives if nothing more is said.
    pub ttl_remaining: Duration,
}

/// The sessions of all tenants.
pub(crate) struct Sessions {
    store: Arc<dyn Store>,
    asides: Asides,
    clock: Arc<dyn Clock>,
    lifetime: Duration,
    limit: Duration,
    kept_turns: usize,
    locks: Vec<Mutex<()>>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Sessions {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: &Config) -> Self {
        let lifetime = config.session_lifetime.max(Duration::from_secs(1));
        Self {
            asides: Asides::new(Arc::clone(&store), lifetime),
            store,
            clock,
            lifetime,
            limit: config.store_limit,
            kept_turns: (config.kept_messages / 2).max(1),
            locks: (0..LOCKS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Begins a session.
    pub(crate) async fn create(
        &self,
        tenant: &Tenant,
        context: UserContext,
    ) -> Result<Uuid, ChatError> {
        let new = NewSession::of(&Record::new(tenant, context))?;
        self.keep(tenant, &new).await?;
        Ok(new.id)
    }

    /// A session with its first question, which is yet to be [kept](Self::keep).
    pub(crate) fn begin(
        &self,
        tenant: &Tenant,
        question: &str,
        context: UserContext,
    ) -> Result<(NewSession, Turn, History), ChatError> {
        let mut record = Record::new(tenant, context.clone());
        let turn = record.push(Turn::asked(question, self.now()));
        let new = NewSession::of(&record)?;
        let history = History {
            context,
            written: short(new.bytes.clone()),
            ..History::default()
        };
        Ok((new, turn, history))
    }

    /// Keeps a new session, which is one write.
    pub(crate) async fn keep(&self, tenant: &Tenant, new: &NewSession) -> Result<(), ChatError> {
        let key = name(tenant, new.id);
        let bytes = new.bytes.clone();
        let set = self.store.set(&key, bytes, Some(self.lifetime));
        self.within(set).await?;
        metrics::counter!(crate::metrics_names::SESSIONS).increment(1);
        Ok(())
    }

    /// Accepts a question: its turn, and what came before it. Where the store can't be asked for
    /// the session, the turn is put aside.
    pub(crate) async fn accept(
        &self,
        tenant: &Tenant,
        id: Uuid,
        question: &str,
        context: Option<&UserContext>,
    ) -> Result<(Turn, History), ChatError> {
        let now = self.now();
        let turn = Turn::asked(question, now);
        let accepted = self.change(tenant, id, None, |record| {
            record.forget_lost(now);
            let open = record
                .turns
                .iter()
                .filter(|turn| turn.answer.is_none())
                .count();
            if open >= MAX_OPEN {
                return Err(ChatError::Busy);
            }
            if let Some(context) = context {
                record.context = context.clone();
            }
            let history = History {
                summary: record.summary.join("\n"),
                turns: record.turns.clone(),
                context: record.context.clone(),
                ..History::default()
            };
            Ok((record.push(turn.clone()), history))
        });
        match accepted.await {
            Ok(((turn, mut history), written)) => {
                history.written = short(written);
                Ok((turn, history))
            }
            Err(error) if is_away(&error) => self.accept_aside(tenant, id, turn, context).await,
            Err(refused) => Err(refused),
        }
    }

    async fn accept_aside(
        &self,
        tenant: &Tenant,
        id: Uuid,
        turn: Turn,
        context: Option<&UserContext>,
    ) -> Result<(Turn, History), ChatError> {
        let mut before = self.put_aside(tenant, id, &turn, context).await?;
        before.retain(|aside| aside.is_of(tenant));
        let known = before.iter().rev().find_map(|aside| aside.context.clone());
        let history = History {
            context: context.cloned().or(known).unwrap_or_default(),
            turns: before.into_iter().map(|aside| aside.turn).collect(),
            summary: String::new(),
            away: true,
            written: None,
        };
        Ok((turn, history))
    }

    /// Puts an answer beside its question, and renews the session. `before` is what came before
    /// the question.
    pub(crate) async fn answer(
        &self,
        tenant: &Tenant,
        id: Uuid,
        turn: &Turn,
        said: Said,
        before: &History,
    ) -> Result<(), ChatError> {
        let away = before.away;
        // For a session that can't be asked.
        let context = Some(&before.context).filter(|context| **context != UserContext::default());
        let turn = Turn {
            answer: Some(said),
            ..turn.clone()
        };
        let done = self.change(tenant, id, before.written.clone(), |record| {
            if !record.complete(&turn) && away {
                record.take(turn.clone());
            }
            record.trim(self.kept_turns);
            Ok(())
        });
        match done.await {
            Ok(((), _)) => {
                if away {
                    let key = name(tenant, id);
                    self.asides
                        .taken(&key, std::slice::from_ref(&turn.id))
                        .await;
                }
                Ok(())
            }
            Err(error) if is_away(&error) => {
                let put = self.put_aside(tenant, id, &turn, context).await;
                put.map(drop)
            }
            Err(failed) => Err(failed),
        }
    }

    async fn put_aside(
        &self,
        tenant: &Tenant,
        id: Uuid,
        turn: &Turn,
        context: Option<&UserContext>,
    ) -> Result<Vec<Aside>, ChatError> {
        let aside = Aside {
            company: tenant.company,
            context: context.cloned(),
            turn: turn.clone(),
        };
        let key = name(tenant, id);
        self.within(self.asides.put(&key, aside)).await
    }

    /// What a session has in it. Looking doesn't renew it.
    pub(crate) async fn view(&self, tenant: &Tenant, id: Uuid) -> Result<SessionView, ChatError> {
        let key = name(tenant, id);
        let (_, mut record, asides) = self.read(tenant, &key).await?;
        record.take_in(&asides, self.kept_turns);
        let ttl_remaining = match self.within(self.store.time_left(&key)).await? {
            TimeLeft::For(left) => left,
            TimeLeft::Forever => self.lifetime,
            TimeLeft::Absent => return Err(ChatError::SessionNotFound),
        };
        let messages = record.turns.into_iter().flat_map(Turn::shown).collect();
        Ok(SessionView {
            session_id: id,
            messages,
            ttl_remaining,
        })
    }

    /// Ends a session for good.
    pub(crate) async fn delete(&self, tenant: &Tenant, id: Uuid) -> Result<(), ChatError> {
        let key = name(tenant, id);
        let bytes = self.within(self.store.get(&key)).await?;
        decode(tenant, bytes.as_deref())?;
        // The session last: while it is there, who was refused can ask again.
        self.within(self.asides.delete(&key)).await?;
        let gone = self.within(self.store.delete(&key)).await?;
        gone.then_some(()).ok_or(ChatError::SessionNotFound)
    }

    /// One change of a record, against what it is at this moment, or against how it was written
    /// last as far as is known here; and how it is written now.
    async fn change<T>(
        &self,
        tenant: &Tenant,
        id: Uuid,
        mut written: Option<Bytes>,
        mut change: impl FnMut(&mut Record) -> Result<T, ChatError>,
    ) -> Result<(T, Bytes), ChatError> {
        let key = name(tenant, id);
        let slot = usize::from(id.as_bytes()[15]) % LOCKS;
        // Held for a read and a write of the store, each within its limit.
        let _lock = match self.locks.get(slot) {
            Some(lock) => Some(lock.lock().await),
            None => None,
        };
        for _ in 0..TRIES {
            let (before, mut record, asides) = match written.take() {
                Some(written) => {
                    let record = decode(tenant, Some(&written))?;
                    (written, record, Vec::new())
                }
                None => self.read(tenant, &key).await?,
            };
            let taken = record.take_in(&asides, self.kept_turns);
            let done = change(&mut record)?;
            let after = Bytes::from(encode(&record)?);
            let lifetime = Some(self.lifetime);
            let set = self
                .store
                .compare_and_set(&key, Some(&before), after.clone(), lifetime);
            if self.within(set).await? {
                self.asides.taken(&key, &taken).await;
                return Ok((done, after));
            }
        }
        Err(ChatError::Busy)
    }

    /// A session, and the turns that lie beside it.
    async fn read(
        &self,
        tenant: &Tenant,
        key: &str,
    ) -> Result<(Bytes, Record, Vec<Aside>), ChatError> {
        // What lies beside it costs no time of its own; where it can't be read it stays there.
        let asides = timeout(self.limit, self.asides.of(key));
        let (bytes, asides) = join(self.within(self.store.get(key)), asides).await;
        let bytes = bytes?.ok_or(ChatError::SessionNotFound)?;
        let record = decode(tenant, Some(&bytes))?;
        Ok((bytes, record, asides.unwrap_or_default()))
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, ChatError> {
        match timeout(self.limit, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(ChatError::Unavailable(Some(error))),
            Err(_) => Err(ChatError::Unavailable(None)),
        }
    }

    fn now(&self) -> Timestamp {
        timestamp(self.clock.now())
    }
}

/// Bytes that a question may hold until it is answered.
fn short(written: Bytes) -> Option<Bytes> {
    (written.len() <= REMEMBERED).then_some(written)
}

/// A time of day; what can't be one is the epoch.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whether the store can't be asked now, rather than having refused.
fn is_away(error: &ChatError) -> bool {
    match error {
        ChatError::Unavailable(None) => true,
        ChatError::Unavailable(Some(error)) => {
            matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout)
        }
        _ => false,
    }
}
