//! More calls at once than one HTTP/2 connection takes.
//!
//! The pool below keeps one HTTP/2 connection for all calls to a host, and a call beyond what the
//! server allows on it waits unsent until another ends: a thousand streams would run into their
//! time-outs a hundred at a time. So there are several pools, each with its own connection and
//! no more calls than any server is expected to allow.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// Calls at once on one connection. RFC 9113, 6.5.2: servers should allow no fewer than this.
const CALLS: usize = 100;

/// Pools of connections, as many as the calls at once have ever needed.
pub(super) struct Lanes<P> {
    lanes: Mutex<Vec<Lane<P>>>,
    open: Box<dyn Fn() -> P + Send + Sync>,
}

struct Lane<P> {
    pool: P,
    calls: Arc<AtomicUsize>,
}

impl<P: Clone> Lanes<P> {
    /// No pool yet; `open` makes each.
    pub(super) fn new(open: impl Fn() -> P + Send + Sync + 'static) -> Self {
        Self {
            lanes: Mutex::new(Vec::new()),
            open: Box::new(open),
        }
    }

    /// The first pool that has room for a call, and its place there. The first ones are preferred,
    /// so that few calls at once share few connections, and the others' close for idleness.
    pub(super) fn enter(&self) -> (P, Place) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        // Places are taken under the lock, so that none is taken twice; they are left without it.
        let free = lanes
            .iter()
            .find(|lane| lane.calls.load(Ordering::Acquire) < CALLS);
        if let Some(lane) = free {
            return (lane.pool.clone(), Place::take(&lane.calls));
        }
        let (pool, calls) = ((self.open)(), Arc::default());
        let place = Place::take(&calls);
        lanes.push(Lane {
            pool: pool.clone(),
            calls,
        });
        (pool, place)
    }
}

/// A call's place on a connection, until it is dropped.
pub(super) struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(calls: &Arc<AtomicUsize>) -> Self {
        calls.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(calls))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of an answer, which has its place on the connection until it is dropped.
pub(crate) struct Answering {
    incoming: Incoming,
    _place: Place,
}

impl Answering {
    pub(super) fn new(incoming: Incoming, place: Place) -> Self {
        Self {
            incoming,
            _place: place,
        }
    }
}

impl Body for Answering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_opened_as_needed_and_the_first_with_room_is_taken() {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let lanes = Lanes::new(move || count.fetch_add(1, Ordering::Relaxed));
        let mut held: Vec<_> = (0..CALLS * 2 + 1).map(|_| lanes.enter()).collect();
        assert_eq!(opened.load(Ordering::Relaxed), 3);
        for (lane, calls) in [(0, CALLS), (1, CALLS), (2, 1)] {
            assert_eq!(held.iter().filter(|(pool, _)| *pool == lane).count(), calls);
        }
        held.retain(|(pool, _)| *pool != 1);
        held.swap_remove(0);
        assert_eq!(lanes.enter().0, 0);
        held.push(lanes.enter());
        held.push(lanes.enter());
        assert_eq!(held.last().map(|(pool, _)| *pool), Some(1));
        drop(held);
        assert_eq!(lanes.enter().0, 0);
        assert_eq!(opened.load(Ordering::Relaxed), 3);
    }
}
