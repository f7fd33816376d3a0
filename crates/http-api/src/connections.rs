//! The connections that are held: how many, whose, and which of them goes first when there are
//! too many.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

use crate::peers::{TrustedProxies, household};

/// A connection that has asked something isn't taken from its client before it was idle for so
/// long: the next request may be on its way.
const KEPT: Duration = Duration::from_secs(5);

/// All connections of a server.
///
/// Where there are as many as there may be, a new one takes the place of one that does nothing:
/// first the oldest of those that have never asked anything (a client that means it asks at
/// once), then the one that has been idle for longest. So thousands of idle or slow connections
/// cost a place each until somebody else needs it, and nobody else anything.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    most_of_a_peer: usize,
    proxies: TrustedProxies,
    began: Instant,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    live: HashMap<u64, Held>,
    /// Those that hadn't asked anything when last looked at, oldest first.
    silent: VecDeque<u64>,
    /// By household.
    peers: HashMap<u128, usize>,
}

#[derive(Debug)]
struct Held {
    peer: u128,
    link: Arc<Link>,
}

/// Why a connection is to end before its client ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismissal {
    /// The process ends.
    Stopping,
    /// Its place is somebody else's now.
    Evicted,
}

/// What a connection does.
#[derive(Debug)]
pub(crate) struct Link {
    asked: AtomicBool,
    busy: AtomicU32,
    /// When it last ended a request, in milliseconds since the server began.
    idle_since: AtomicU64,
    began: Instant,
    dismissal: OnceLock<Dismissal>,
    /// Of the task that serves it.
    waker: AtomicWaker,
}

/// A connection's place, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    id: u64,
    pub(crate) link: Arc<Link>,
}

/// A request being worked on.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Link>);

impl Connections {
    /// At most so many, and so many of one address (of IPv6: a /64); a trusted proxy's are not counted as one peer's.
    pub(crate) fn new(
        most: NonZeroUsize,
        of_a_peer: NonZeroUsize,
        proxies: TrustedProxies,
    ) -> Self {
        Self {
            most: most.get(),
            most_of_a_peer: of_a_peer.get(),
            proxies,
            began: Instant::now(),
            table: Mutex::default(),
        }
    }

    /// A place for a connection from `peer`; none where all are busy.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut table = self.lock();
        let proxy = self.proxies.contains(peer);
        let peer = household(peer);
        let many = table.peers.get(&peer).copied().unwrap_or(0) >= self.most_of_a_peer;
        let many = many && !proxy;
        if many && !table.evict_idle(self.now(), |held| held.peer == peer) {
            return None;
        }
        if table.live.len() >= self.most
            && !table.evict_silent()
            && !table.evict_idle(self.now(), |_| true)
        {
            return None;
        }
        let link = Arc::new(Link {
            asked: AtomicBool::new(false),
            busy: AtomicU32::new(0),
            idle_since: AtomicU64::new(self.now()),
            began: self.began,
            dismissal: OnceLock::new(),
            waker: AtomicWaker::new(),
        });
        let id = table.insert(Held {
            peer,
            link: Arc::clone(&link),
        });
        Some(Place {
            connections: Arc::clone(self),
            id,
            link,
        })
    }

    /// Tells all of them that the process ends.
    pub(crate) fn stop(&self) {
        for held in self.lock().live.values() {
            held.link.dismiss(Dismissal::Stopping);
        }
    }

    fn now(&self) -> u64 {
        millis(self.began)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, held: Held) -> u64 {
        let id = self.next;
        self.next += 1;
        *self.peers.entry(held.peer).or_default() += 1;
        self.live.insert(id, held);
        // Ids of connections that have gone or asked are thrown out now and then.
        if self.silent.len() > 2 * self.live.len() {
            let live = &self.live;
            let silent = |id: &u64| live.get(id).is_some_and(|held| !held.link.has_asked());
            self.silent.retain(silent);
        }
        self.silent.push_back(id);
        id
    }

    fn remove(&mut self, id: u64) -> Option<Held> {
        let held = self.live.remove(&id)?;
        if let Some(count) = self.peers.get_mut(&held.peer) {
            *count -= 1;
            if *count == 0 {
                self.peers.remove(&held.peer);
            }
        }
        Some(held)
    }

    /// Sends away the oldest that has never asked anything; says whether there was one.
    fn evict_silent(&mut self) -> bool {
        while let Some(id) = self.silent.pop_front() {
            let silent = self
                .live
                .get(&id)
                .is_some_and(|held| !held.link.has_asked());
            if silent {
                return self.evict(id);
            }
        }
        false
    }

    /// Sends away the one of these that has done nothing for longest; says whether there was one.
    fn evict_idle(&mut self, now: u64, of: impl Fn(&Held) -> bool) -> bool {
        let kept = u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX);
        let idle = self.live.iter().filter(|(_, held)| of(held));
        let idle = idle.filter_map(|(id, held)| {
            let since = held.link.idle_since()?;
            let may_go = !held.link.has_asked() || now.saturating_sub(since) >= kept;
            may_go.then_some((held.link.has_asked(), since, *id))
        });
        match idle.min() {
            Some((_, _, id)) => self.evict(id),
            None => false,
        }
    }

    fn evict(&mut self, id: u64) -> bool {
        let Some(held) = self.remove(id) else {
            return false;
        };
        metrics::counter!("http_connections_evicted_total").increment(1);
        held.link.dismiss(Dismissal::Evicted);
        true
    }
}

impl Link {
    /// A request begins.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.asked.store(true, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Whether anything was ever asked.
    pub(crate) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// For how long nothing has been worked on; none while something is.
    pub(crate) fn idle_for(&self) -> Option<Duration> {
        let since = self.idle_since()?;
        Some(Duration::from_millis(
            millis(self.began).saturating_sub(since),
        ))
    }

    /// Tells it to end. The first reason holds.
    fn dismiss(&self, why: Dismissal) {
        let _ = self.dismissal.set(why);
        self.waker.wake();
    }

    /// Why it is to end, once it is. For one task: each poll of a request comes by here, which a
    /// channel would make dearer than the request's own route.
    pub(crate) async fn dismissed(&self) -> Dismissal {
        poll_fn(|cx| self.poll_dismissed(cx)).await
    }

    fn poll_dismissed(&self, cx: &Context<'_>) -> Poll<Dismissal> {
        self.waker.register(cx.waker());
        // Looked at after, so that none that comes meanwhile is missed.
        self.dismissal
            .get()
            .map_or(Poll::Pending, |why| Poll::Ready(*why))
    }

    fn idle_since(&self) -> Option<u64> {
        let idle = self.busy.load(Ordering::Relaxed) == 0;
        idle.then(|| self.idle_since.load(Ordering::Relaxed))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0
            .idle_since
            .store(millis(self.0.began), Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().remove(self.id);
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(most: usize, of_a_peer: usize) -> Arc<Connections> {
        let count = |count| NonZeroUsize::new(count).unwrap();
        let proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
        Arc::new(Connections::new(count(most), count(of_a_peer), proxies))
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn is_evicted(place: &Place) -> bool {
        place.link.dismissal.get() == Some(&Dismissal::Evicted)
    }

    /// Makes it look as if it had been idle for so long.
    fn age(link: &Link, idle: Duration) {
        let since = millis(link.began).saturating_sub(u64::try_from(idle.as_millis()).unwrap());
        link.idle_since.store(since, Ordering::Relaxed);
    }

    #[test]
    fn the_oldest_that_never_asked_goes_first() {
        let all = connections(3, 3);
        let first = all.admit(ip(1)).unwrap();
        drop(first.link.begin());
        let second = all.admit(ip(2)).unwrap();
        let third = all.admit(ip(3)).unwrap();
        let _fourth = all.admit(ip(4)).unwrap();
        assert!(is_evicted(&second) && !is_evicted(&third));
        assert_eq!(all.lock().live.len(), 3);
    }

    #[test]
    fn those_who_ask_keep_their_place_and_idle_ones_lose_it_in_time() {
        let server = Arc::new(Connections {
            // As if it had begun long ago.
            began: Instant::now()
                .checked_sub(Duration::from_secs(100))
                .unwrap(),
            ..Arc::into_inner(connections(2, 2)).unwrap()
        });
        let one = server.admit(ip(1)).unwrap();
        let two = server.admit(ip(2)).unwrap();
        let busy = one.link.begin();
        drop(two.link.begin());
        assert!(
            server.admit(ip(3)).is_none(),
            "one is busy, one was just now"
        );
        age(&two.link, KEPT);
        assert!(server.admit(ip(3)).is_some());
        assert!(is_evicted(&two) && !is_evicted(&one));
        drop(busy);
        assert!(one.link.idle_for().is_some());
    }

    #[test]
    fn a_peer_has_its_own_bound_and_a_proxy_none() {
        let all = connections(100, 2);
        let one = all.admit(ip(1)).unwrap();
        let two = all.admit(ip(1)).unwrap();
        let held = [one.link.begin(), two.link.begin()];
        assert!(all.admit(ip(1)).is_none());
        assert!(all.admit(ip(2)).is_some());
        drop(held);
        assert!(all.admit(ip(1)).is_none(), "both have asked just now");
        drop(two);
        let silent = all.admit(ip(1)).unwrap();
        // Of its own, and not of somebody else.
        let _more = all.admit(ip(1)).unwrap();
        assert!(is_evicted(&silent) && !is_evicted(&one));
        let proxy = IpAddr::from([10, 1, 1, 1]);
        let held: Vec<_> = (0..10).filter_map(|_| all.admit(proxy)).collect();
        assert_eq!(held.len(), 10);
    }

    #[tokio::test]
    async fn all_hear_that_the_process_ends_also_those_who_were_waiting() {
        let all = connections(4, 4);
        let places = [1, 2].map(|last| all.admit(ip(last)).unwrap());
        let waiting = Arc::clone(&places[0].link);
        let waiting = tokio::spawn(async move { waiting.dismissed().await });
        tokio::task::yield_now().await;
        all.stop();
        assert_eq!(waiting.await.unwrap(), Dismissal::Stopping);
        assert_eq!(places[1].link.dismissed().await, Dismissal::Stopping);
    }

    #[test]
    fn places_and_books_are_given_back() {
        let all = connections(4, 4);
        for _ in 0..1_000 {
            let place = all.admit(ip(1)).unwrap();
            drop(place.link.begin());
        }
        let table = all.lock();
        assert!(table.live.is_empty() && table.peers.is_empty());
        assert!(table.silent.len() <= 3, "{}", table.silent.len());
    }
}
