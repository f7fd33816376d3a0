//! A stream in flight: written by one, read by some, each at its own pace.
//!
//! All that was said is one text with the ends of its pieces: a reader has a position in it and
//! no buffer of its own, so that a slow one costs nothing and holds up nobody.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{Answer, ChatError, Config, Failure, Tenant};

/// The name of one event: its stream and its number, as `Last-Event-ID` carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId {
    /// The stream.
    pub stream: Uuid,
    /// The event's number in it, from 0.
    pub number: usize,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.stream, self.number)
    }
}

impl FromStr for EventId {
    type Err = ChatError;

    /// Reads what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    /// [`ChatError::StreamNotFound`]: no stream has such a name.
    fn from_str(text: &str) -> Result<Self, ChatError> {
        let (stream, number) = text.split_once(':').ok_or(ChatError::StreamNotFound)?;
        let stream = Uuid::try_parse(stream).map_err(|_| ChatError::StreamNotFound)?;
        let number = number.parse().map_err(|_| ChatError::StreamNotFound)?;
        Ok(Self { stream, number })
    }
}

/// One event of a stream.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// Its name.
    pub id: EventId,
    /// What it says.
    pub body: EventBody,
}

/// What an event says. The last one is `Done` or `Failed`.
#[derive(Debug, Clone)]
pub enum EventBody {
    /// The next piece of the answer.
    Text(String),
    /// The answer is complete.
    Done(Arc<Answer>),
    /// It ended without being.
    Failed(Failure),
}

/// How a stream ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Done(Arc<Answer>),
    Failed(Failure),
}

/// What one writes and others read.
#[derive(Debug)]
pub(crate) struct Log {
    id: Uuid,
    state: Mutex<State>,
    /// Somebody left, or said stop.
    changed: Notify,
    max_bytes: usize,
    max_readers: usize,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    /// Where each piece ends.
    ends: Vec<u32>,
    end: Option<End>,
    stop: Option<Failure>,
    plugin: Option<String>,
    waiting: Vec<(u64, Waker)>,
    readers: usize,
    next_reader: u64,
}

impl Log {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            id: Uuid::new_v4(),
            state: Mutex::default(),
            changed: Notify::new(),
            max_bytes: config.max_answer_bytes.min(u32::MAX as usize),
            max_readers: config.max_readers.max(1),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// Says a piece to all who read; whether there was room for it.
    pub(crate) fn push(&self, piece: &str) -> bool {
        let mut state = self.state();
        let end = state.text.len() + piece.len();
        if piece.is_empty() || state.end.is_some() {
            return true;
        }
        let Some(end) = u32::try_from(end)
            .ok()
            .filter(|end| *end as usize <= self.max_bytes)
        else {
            return false;
        };
        state.text.push_str(piece);
        state.ends.push(end);
        wake(state);
        true
    }

    /// The last word; a second one is not heard.
    pub(crate) fn finish(&self, end: End) {
        let mut state = self.state();
        if state.end.is_none() {
            state.end = Some(end);
            state.text.shrink_to_fit();
            state.ends.shrink_to_fit();
        }
        wake(state);
    }

    /// All that was said so far.
    pub(crate) fn text(&self) -> String {
        self.state().text.clone()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state().text.is_empty()
    }

    /// The module of the question, once it is known.
    pub(crate) fn plugin(&self) -> Option<String> {
        self.state().plugin.clone()
    }

    pub(crate) fn set_plugin(&self, plugin: Option<String>) {
        self.state().plugin = plugin;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state().end.is_some()
    }

    /// Asks the writer to stop, for this reason.
    pub(crate) fn stop(&self, why: Failure) {
        self.state().stop.get_or_insert(why);
        self.changed.notify_one();
    }

    /// Returns when the writer should stop: it was told to, or nobody has read for `grace`.
    pub(crate) async fn stopped(&self, grace: Duration) -> Failure {
        loop {
            let changed = self.changed.notified();
            let (stop, alone) = {
                let state = self.state();
                (state.stop, state.readers == 0)
            };
            if let Some(why) = stop {
                return why;
            }
            if !alone {
                changed.await;
                continue;
            }
            tokio::select! {
                () = sleep(grace) => {
                    if self.state().readers == 0 {
                        return Failure::Cancelled;
                    }
                }
                () = changed => {}
            }
        }
    }

    /// A reader of what comes from this event on.
    pub(crate) fn reader(self: &Arc<Self>, from: usize) -> Result<Reader, ChatError> {
        let mut state = self.state();
        if state.readers >= self.max_readers {
            return Err(ChatError::Busy);
        }
        state.readers += 1;
        state.next_reader += 1;
        Ok(Reader {
            log: Arc::clone(self),
            name: state.next_reader,
            position: from,
            over: false,
        })
    }
}

/// Wakes whoever waits, when nobody holds the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waiting = std::mem::take(&mut state.waiting);
    drop(state);
    for (_, waker) in waiting {
        waker.wake();
    }
}

/// One reader's view of a stream: its events in order, `Done` or `Failed` last. Dropping the
/// last reader of an answer that isn't complete cancels it.
#[derive(Debug)]
pub struct Reader {
    log: Arc<Log>,
    name: u64,
    position: usize,
    over: bool,
}

impl Stream for Reader {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        if self.over {
            return Poll::Ready(None);
        }
        let mut state = self.log.state();
        let number = self.position;
        let id = EventId {
            stream: self.log.id,
            number,
        };
        let body = match (state.ends.get(number), &state.end) {
            (Some(end), _) => {
                let before = number
                    .checked_sub(1)
                    .and_then(|before| state.ends.get(before));
                let range = before.map_or(0, |begin| *begin as usize)..*end as usize;
                EventBody::Text(state.text.get(range).unwrap_or_default().to_owned())
            }
            (None, Some(End::Done(answer))) => EventBody::Done(Arc::clone(answer)),
            (None, Some(End::Failed(failure))) => EventBody::Failed(*failure),
            (None, None) => {
                let name = self.name;
                state.waiting.retain(|(other, _)| *other != name);
                state.waiting.push((name, cx.waker().clone()));
                return Poll::Pending;
            }
        };
        drop(state);
        self.position += 1;
        self.over = !matches!(body, EventBody::Text(_));
        Poll::Ready(Some(Event { id, body }))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.log.state();
        let name = self.name;
        state.waiting.retain(|(other, _)| *other != name);
        state.readers = state.readers.saturating_sub(1);
        drop(state);
        self.log.changed.notify_one();
    }
}

/// The streams of this process: those in flight, and the latest that ended.
#[derive(Debug)]
pub(crate) struct Streams {
    known: Mutex<Known>,
    retention: Duration,
    max_retained: usize,
}

#[derive(Debug, Default)]
struct Known {
    all: HashMap<Uuid, Entry>,
    ended: VecDeque<(Instant, Uuid)>,
    closed: bool,
}

#[derive(Debug)]
struct Entry {
    tenant: Tenant,
    session: Uuid,
    log: Arc<Log>,
}

impl Streams {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            known: Mutex::default(),
            retention: config.retention,
            max_retained: config.max_retained,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((when, id)) = known.ended.front().copied() {
            if when.elapsed() < self.retention && known.ended.len() <= self.max_retained {
                break;
            }
            known.ended.pop_front();
            known.all.remove(&id);
        }
        known
    }

    /// Makes a stream known under its id.
    pub(crate) fn insert(
        &self,
        tenant: &Tenant,
        session: Uuid,
        log: &Arc<Log>,
    ) -> Result<(), ChatError> {
        let mut known = self.known();
        if known.closed {
            return Err(ChatError::ShuttingDown);
        }
        let entry = Entry {
            tenant: tenant.clone(),
            session,
            log: Arc::clone(log),
        };
        known.all.insert(log.id, entry);
        Ok(())
    }

    /// It has ended: from now on its time runs.
    pub(crate) fn ended(&self, id: Uuid) {
        let mut known = self.known();
        if known.all.contains_key(&id) {
            known.ended.push_back((Instant::now(), id));
        }
    }

    /// A stream of this tenant, and of this session where one is given.
    pub(crate) fn find(
        &self,
        tenant: &Tenant,
        session: Option<Uuid>,
        id: Uuid,
    ) -> Result<Arc<Log>, ChatError> {
        let known = self.known();
        let entry = known.all.get(&id).filter(|entry| {
            entry.tenant == *tenant && session.is_none_or(|session| session == entry.session)
        });
        entry
            .map(|entry| Arc::clone(&entry.log))
            .ok_or(ChatError::StreamNotFound)
    }

    /// Forgets a session's streams and stops those in flight.
    pub(crate) fn forget(&self, key: &str, session: Uuid) {
        self.known().all.retain(|_, entry| {
            let of_it = entry.session == session && *entry.tenant.key == *key;
            if of_it {
                entry.log.stop(Failure::SessionDeleted);
            }
            !of_it
        });
    }

    /// Takes no more and stops those in flight: how many there were.
    pub(crate) fn close(&self) -> usize {
        let mut known = self.known();
        known.closed = true;
        let open = known.all.values().filter(|entry| !entry.log.has_ended());
        open.map(|entry| entry.log.stop(Failure::ShuttingDown))
            .count()
    }
}
