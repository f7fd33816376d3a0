//! A stream under way: what has gone by, who reads, how it ended.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::metrics::Source;
use crate::{CacheError, Cost};

/// What an event takes beyond its bytes.
const EVENT_OVERHEAD: usize = size_of::<u32>();

/// Events one after the other, the oldest of which can go. Streams are many and their events
/// small: one piece of memory for each would take several times what it holds.
#[derive(Debug, Default)]
pub(crate) struct Events {
    text: BytesMut,
    /// Where each ends, counted from the first byte that ever was, around and around: what is held
    /// at once is far less than a round.
    ends: VecDeque<u32>,
    /// Bytes that have gone.
    gone: u32,
}

impl Events {
    fn push(&mut self, event: &[u8]) {
        self.text.extend_from_slice(event);
        self.ends
            .push_back(self.gone.wrapping_add(self.text.len() as u32));
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        let end = self.ends.get(at)?;
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let place = |end: u32| end.wrapping_sub(self.gone) as usize;
        let from = before.map_or(0, |end| place(*end));
        self.text.get(from..place(*end))
    }

    /// Takes the oldest away.
    pub(crate) fn pop_front(&mut self) -> Option<Bytes> {
        let end = self.ends.pop_front()?;
        let length = end.wrapping_sub(self.gone) as usize;
        let oldest = self.text.get(..length).map(Bytes::copy_from_slice);
        self.text.advance(length.min(self.text.len()));
        self.gone = end;
        oldest
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * EVENT_OVERHEAD
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).filter_map(|at| self.get(at))
    }
}

/// Events as one value, each after its length, so that a replay has the same ones.
fn join(events: &Events) -> Bytes {
    let length = events.text.len() + 4 * events.ends.len();
    let mut value = BytesMut::with_capacity(length);
    for event in events.iter() {
        // A log's bytes are bounded far below this.
        value.put_u32_le(event.len() as u32);
        value.put_slice(event);
    }
    value.freeze()
}

/// The events in a value made by [`join`], or nothing if it isn't one.
pub(crate) fn split(value: &[u8]) -> Option<Events> {
    let (mut events, mut at) = (Events::default(), 0);
    while at < value.len() {
        let length = value.get(at..at + 4)?.try_into().ok()?;
        let end = (at + 4).checked_add(u32::from_le_bytes(length) as usize)?;
        if end > value.len() {
            return None;
        }
        events.push(value.get(at + 4..end)?);
        at = end;
    }
    Some(events)
}

/// A stream under way.
///
/// Everything that has gone by is held until the stream ends, for those who join and those
/// who read slowly, up to a bound; beyond it the oldest goes and the stream can't be joined.
pub(crate) struct Log<E> {
    state: Mutex<State<E>>,
    changed: watch::Sender<()>,
    readers: watch::Sender<usize>,
    max_bytes: usize,
}

struct State<E> {
    opening: Option<Opening>,
    /// A Refresh waits for it: what is kept doesn't count any more.
    refresh: bool,
    events: Events,
    /// The number of the first event that is still held.
    first: u64,
    /// Whether a new reader may still come: it would miss nothing, and somebody produces.
    joinable: bool,
    /// Readers who joined somebody else's computation.
    joined: u64,
    end: Option<End<E>>,
}

/// Where a stream's events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) source: Source,
    /// When they were computed, if they were kept.
    pub(crate) created_ms: Option<u64>,
}

/// How a stream ended.
enum End<E> {
    Complete(Cost),
    Failed(CacheError<E>),
}

/// What a reader finds.
pub(crate) enum Next<E> {
    Event(Bytes),
    /// Nothing yet.
    Wait,
    Complete(Cost),
    Failed(CacheError<E>),
}

impl<E> Log<E> {
    pub(crate) fn new(max_bytes: usize, refresh: bool) -> Self {
        let state = State {
            opening: None,
            refresh,
            events: Events::default(),
            first: 0,
            joinable: true,
            joined: 0,
            end: None,
        };
        Self {
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
            readers: watch::Sender::new(0),
            max_bytes,
        }
    }

    /// One more reader, if it would miss nothing.
    pub(crate) fn attach(&self, refresh: bool) -> bool {
        let mut state = self.lock();
        // What has been found in a tier is from before a Refresh that comes now.
        let found = state
            .opening
            .is_some_and(|opening| opening.created_ms.is_some());
        if !state.joinable || (refresh && found) {
            return false;
        }
        state.refresh |= refresh;
        self.readers.send_modify(|readers| *readers += 1);
        true
    }

    /// One reader less.
    pub(crate) fn detach(&self) {
        self.readers.send_modify(|readers| *readers -= 1);
    }

    /// Hears of every change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Where the events come from, once it is known, or how it ended before.
    pub(crate) fn opening(&self) -> Option<Result<Opening, CacheError<E>>> {
        let state = self.lock();
        match (&state.opening, &state.end) {
            (Some(opening), _) => Some(Ok(*opening)),
            (None, Some(End::Failed(error))) => Some(Err(error.clone())),
            (None, _) => None,
        }
    }

    /// A reader has joined; the cost that it is spared if that is known already.
    pub(crate) fn count_joined(&self) -> Option<Cost> {
        let mut state = self.lock();
        if let Some(End::Complete(cost)) = &state.end {
            return Some(*cost);
        }
        state.joined += 1;
        None
    }

    /// Whether what is kept may be looked for.
    pub(crate) fn may_look(&self) -> bool {
        !self.lock().refresh
    }

    /// It is what was kept, unless a Refresh has come meanwhile; says whether it is.
    pub(crate) fn found(&self, opening: Opening, events: Events, cost: Cost) -> bool {
        {
            let mut state = self.lock();
            if state.refresh {
                return false;
            }
            state.opening = Some(opening);
            state.events = events;
            state.end = Some(End::Complete(cost));
        }
        self.changed.send_replace(());
        true
    }

    /// It is computed.
    pub(crate) fn computing(&self, source: Source) {
        self.lock().opening = Some(Opening {
            source,
            created_ms: None,
        });
        self.changed.send_replace(());
    }

    /// One more event; after the end it is too late, and nothing happens.
    pub(crate) fn push(&self, event: &[u8]) {
        {
            let mut state = self.lock();
            if state.end.is_some() {
                return;
            }
            // A copy: an event may be a piece of a large network buffer.
            state.events.push(event);
            while state.events.bytes() > self.max_bytes {
                if state.events.pop_front().is_none() {
                    break;
                }
                state.first += 1;
                state.joinable = false;
            }
        }
        self.changed.send_replace(());
    }

    /// The events that are held.
    pub(crate) fn held(&self) -> Vec<Bytes> {
        self.lock()
            .events
            .iter()
            .map(Bytes::copy_from_slice)
            .collect()
    }

    /// Its events as one value; nothing if they aren't all held any more.
    pub(crate) fn whole(&self) -> Option<Bytes> {
        let state = self.lock();
        (state.first == 0).then(|| join(&state.events))
    }

    /// It is complete. Gives how many readers had joined by then.
    pub(crate) fn complete(&self, cost: Cost) -> u64 {
        self.end(End::Complete(cost))
    }

    /// It failed, unless it has ended already.
    pub(crate) fn fail(&self, error: CacheError<E>) {
        self.end(End::Failed(error));
    }

    fn end(&self, end: End<E>) -> u64 {
        let joined = {
            let mut state = self.lock();
            state.end.get_or_insert(end);
            if matches!(state.end, Some(End::Failed(_))) {
                state.joinable = false;
            }
            state.joined
        };
        self.changed.send_replace(());
        joined
    }

    /// What comes at a reader's position.
    pub(crate) fn next(&self, position: u64) -> Next<E> {
        let state = self.lock();
        let Some(at) = position.checked_sub(state.first) else {
            return Next::Failed(CacheError::Lagged);
        };
        let event = usize::try_from(at).ok().and_then(|at| state.events.get(at));
        match (event, &state.end) {
            (Some(event), _) => Next::Event(Bytes::copy_from_slice(event)),
            (None, None) => Next::Wait,
            (None, Some(End::Complete(cost))) => Next::Complete(*cost),
            (None, Some(End::Failed(error))) => Next::Failed(error.clone()),
        }
    }

    /// Returns when nobody has read for `grace`, and nobody can join any more.
    pub(crate) async fn abandoned(&self, grace: Duration) {
        let mut readers = self.readers.subscribe();
        loop {
            // The sender lives as long as `self`: neither wait ends otherwise. What they give
            // holds a lock, so it goes at once.
            drop(readers.wait_for(|readers| *readers == 0).await);
            let joined = timeout(grace, readers.wait_for(|readers| *readers > 0));
            let abandoned = joined.await.is_err();
            if abandoned {
                let mut state = self.lock();
                if *self.readers.borrow() == 0 {
                    state.joinable = false;
                    return;
                }
            }
        }
    }

    /// No code that can panic runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn events_come_back_as_they_were(
            events in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut log = Events::default();
            events.iter().for_each(|event| log.push(event));
            let value = join(&log);
            let back = split(&value).unwrap();
            prop_assert!(back.iter().eq(events.iter().map(Vec::as_slice)));
            // A piece of it gives a beginning of them or nothing.
            if let Some(fewer) = split(value.get(..cut.index(value.len() + 1)).unwrap()) {
                prop_assert!(fewer.iter().zip(&events).all(|(one, other)| one == other));
                prop_assert!(fewer.ends.len() <= events.len());
            }
        }

        #[test]
        fn the_oldest_go_and_the_others_stay_as_they_were(
            events in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20),
            gone in 0_usize..25,
        ) {
            let mut log = Events::default();
            for event in &events {
                log.push(event);
            }
            for number in 0..gone {
                prop_assert_eq!(log.pop_front(), events.get(number).cloned().map(Bytes::from));
            }
            log.push(b"more");
            let left = events.iter().skip(gone).map(Vec::as_slice).chain([&b"more"[..]]);
            prop_assert!(log.iter().eq(left));
        }

        #[test]
        fn bytes_from_anywhere_are_split_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(events) = split(&bytes) {
                prop_assert_eq!(join(&events), bytes);
            }
        }
    }

    #[test]
    fn beyond_its_bound_the_oldest_goes_and_nobody_can_join() {
        let log = Log::<()>::new(3 * (10 + EVENT_OVERHEAD), false);
        assert!(log.attach(false));
        for _ in 0..3 {
            log.push(&[0; 10]);
        }
        assert!(log.attach(false));
        assert!(log.whole().is_some());
        log.push(&[1; 10]);
        assert!(!log.attach(false));
        assert!(log.whole().is_none());
        assert!(matches!(log.next(0), Next::Failed(CacheError::Lagged)));
        assert!(matches!(log.next(1), Next::Event(_)));
        assert!(matches!(log.next(4), Next::Wait));
        // One event over the bound on its own.
        log.push(&[2; 1_000]);
        assert!(matches!(log.next(4), Next::Failed(CacheError::Lagged)));
        assert!(matches!(log.next(5), Next::Wait));
        log.complete(Cost::FREE);
        assert!(matches!(log.next(5), Next::Complete(_)));
    }

    #[test]
    fn the_first_end_counts_and_nothing_comes_after_it() {
        let log = Log::<()>::new(1_000, false);
        log.push(b"one");
        log.complete(Cost::FREE);
        log.push(b"two");
        log.fail(CacheError::Lost);
        assert!(matches!(log.next(0), Next::Event(_)));
        assert!(matches!(log.next(1), Next::Complete(_)));
    }
}
