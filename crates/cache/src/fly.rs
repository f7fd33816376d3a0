//! A flight's task: look, agree with the other replicas, compute, keep, tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use store::{Conclusion, Lease, Subscription};
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use crate::entry::Entry;
use crate::flight::{Guard, Join, Landing, Role};
use crate::inner::{Inner, Look, Order};
use crate::l2::L2;
use crate::metrics::{Renewal, ReplicaCourse, Source};
use crate::replica::{self, Claim, Course, Outcome, Peers};
use crate::spans;
use crate::{CacheError, Classify, Computed};

/// A flight's task.
pub(crate) async fn fly<E, F, Fut>(
    inner: Arc<Inner>,
    order: Order,
    guard: Guard<E>,
    classify: Classify<E>,
    compute: F,
) where
    E: Send + Sync + 'static,
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Computed, E>> + Send + 'static,
{
    let post = match inner.l2_of(&order) {
        Some(l2) if l2.has_replicas().await => Some(Post::new(&inner, l2, &order)),
        _ => None,
    };
    let (guard, begun) = match look(&inner, &order, guard, post.as_ref()).await {
        Looked::Landed(None) => return,
        Looked::Landed(Some(stale)) => {
            renew(&inner, order, &stale, Renewal::Stale, classify, compute);
            return;
        }
        Looked::On(guard, begun) => (guard, begun),
    };
    let (post, claimed) = match begun {
        Begun::Away => (None, None),
        Begun::Unclaimed => (post, None),
        Begun::Claimed(claimed) => (post, Some(claimed)),
    };
    let mut order = order;
    let agreed = agree(&inner, &mut order, guard, post.as_ref(), claimed).await;
    let Some((guard, leading)) = agreed else {
        return;
    };
    guard.computing();
    let begun = Instant::now();
    let work = inner.run(&order.key, order.policy.compute_limit, compute);
    let ran = match &post {
        Some(post) if leading => {
            let crew = Crew::new(post, &guard, &order);
            replica::lead(&crew, work).await
        }
        _ => work.await,
    };
    let failed = ran.is_err();
    let settled = inner.settle(&order, ran, begun.elapsed(), classify);
    if failed {
        inner.postpone(&order);
    }
    match post {
        Some(post) if leading => {
            // Taken before the landing, so that draining waits for what follows it.
            let permit = post.l2.write_permit();
            guard.land(settled.landing);
            if permit.is_some() {
                post.conclude(settled.outcome).await;
            }
        }
        _ => {
            if let (Some(l2), Some(entry)) = (inner.l2_of(&order), settled.entry) {
                l2.write(&order.key, entry, inner.now_ms());
            }
            guard.land(settled.landing);
        }
    }
}

/// Begins to renew `old` while it is served, unless its key is computed or renewed already.
pub(crate) fn renew<E, F, Fut>(
    inner: &Arc<Inner>,
    order: Order,
    old: &Entry,
    reason: Renewal,
    classify: Classify<E>,
    compute: F,
) where
    E: Send + Sync + 'static,
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Computed, E>> + Send + 'static,
{
    // Whoever is under way already, or too many flights, will do; the next hit asks again.
    if let Role::Lead(guard, _nobody_waits) = inner.flights.join::<E>(&order.key, Join::Normal) {
        inner.metrics.renewal(order.key.operation(), reason);
        let after_ms = Some(old.created_ms);
        let order = Order { after_ms, ..order };
        let flight = fly(Arc::clone(inner), order, guard, classify, compute);
        tokio::spawn(flight.in_current_span());
    }
}

enum Looked<E> {
    /// It landed; if with an answer past its lifetime, here it is.
    Landed(Option<Entry>),
    /// It goes on.
    On(Guard<E>, Begun),
}

/// How far the agreement with the other replicas is after the look.
enum Begun {
    /// The store gives no answer: there is nothing to agree on.
    Away,
    /// Nothing was asked yet.
    Unclaimed,
    /// The lease was claimed where the look found nothing.
    Claimed(Claim),
}

async fn look<E>(inner: &Inner, order: &Order, guard: Guard<E>, post: Option<&Post>) -> Looked<E> {
    if !guard.may_look() {
        return Looked::On(guard, Begun::Unclaimed);
    }
    let (look, claimed) = match (inner.look_near(order), post) {
        (Some(found), _) => (found, None),
        (None, Some(post)) => post.look(order).await,
        (None, None) => (inner.look(order).await, None),
    };
    match (look, claimed) {
        (Look::Nothing { .. }, Some(claimed)) => Looked::On(guard, Begun::Claimed(claimed)),
        (Look::Nothing { store_answers }, None) => match store_answers {
            true => Looked::On(guard, Begun::Unclaimed),
            false => Looked::On(guard, Begun::Away),
        },
        (Look::Found(entry, source), _) => {
            let stale = (!entry.is_fresh(inner.now_ms())).then(|| entry.clone());
            let landing = Landing::Found(entry.clone(), source);
            match guard.land_found(landing, || inner.l1.insert(&order.key, entry)) {
                Ok(()) => Looked::Landed(stale),
                Err(guard) => Looked::On(guard, Begun::Unclaimed),
            }
        }
    }
}

/// Agrees with the other replicas who computes. Gives the guard back if it is us, and whether
/// we hold the lease; else the flight has landed.
async fn agree<E>(
    inner: &Inner,
    order: &mut Order,
    guard: Guard<E>,
    post: Option<&Post>,
    claimed: Option<Claim>,
) -> Option<(Guard<E>, bool)>
where
    E: Send + Sync + 'static,
{
    let Some(post) = post else {
        return Some((guard, false));
    };
    let crew = Crew::new(post, &guard, order);
    let course = replica::course(&crew, claimed, order.failures).await;
    inner.metrics.replica_flight(label(&course));
    match course {
        Course::Lead { failures } => {
            order.failures = failures;
            Some((guard, true))
        }
        Course::Alone => Some((guard, false)),
        Course::Found { entry, followed } => {
            let landing = if followed {
                Landing::Told(entry.value.clone(), entry.cost)
            } else {
                Landing::Found(entry.clone(), Source::L2)
            };
            match guard.land_found(landing, || inner.l1.insert(&order.key, entry)) {
                Ok(()) => {
                    post.l2.release(&post.name, &post.owner).await;
                    None
                }
                // A Refresh has joined: the lease is ours, so we compute.
                Err(guard) => Some((guard, true)),
            }
        }
        Course::Told(outcome) => {
            guard.land(told(inner, order, outcome));
            None
        }
        Course::Late => {
            guard.land(Landing::failed(CacheError::ComputeTimeout));
            None
        }
    }
}

/// What another replica's outcome is for those who wait here.
fn told<E>(inner: &Inner, order: &Order, outcome: Outcome) -> Landing<E> {
    match outcome {
        Outcome::Kept(entry) => {
            inner.l1.insert(&order.key, entry.clone());
            Landing::Told(entry.value, entry.cost)
        }
        Outcome::Passing(entry) => Landing::Told(entry.value, entry.cost),
        Outcome::Final(code) => Landing::failed(CacheError::Elsewhere(Some(code))),
        Outcome::InStore | Outcome::Failed => Landing::failed(CacheError::Elsewhere(None)),
    }
}

fn label(course: &Course) -> ReplicaCourse {
    match course {
        Course::Lead { .. } => ReplicaCourse::Led,
        Course::Alone => ReplicaCourse::Alone,
        Course::Found { .. } => ReplicaCourse::Found,
        Course::Told(_) => ReplicaCourse::Told,
        Course::Late => ReplicaCourse::Late,
    }
}

/// Flights of this process so far: each is an owner of its own.
static FLIGHTS: AtomicU64 = AtomicU64::new(0);

/// A flight's place among the replicas.
struct Post {
    inner: Arc<Inner>,
    l2: Arc<L2>,
    order: Order,
    /// The lease's key and the channel.
    name: String,
    owner: String,
}

impl Post {
    fn new(inner: &Arc<Inner>, l2: &Arc<L2>, order: &Order) -> Self {
        let number = FLIGHTS.fetch_add(1, Ordering::Relaxed);
        Self {
            inner: Arc::clone(inner),
            l2: Arc::clone(l2),
            order: *order,
            name: order.key.flight_name(),
            owner: format!("{}-{number}", inner.name),
        }
    }

    /// Writes what is to be kept, tells the others, gives the lease back.
    async fn conclude(&self, outcome: Outcome) {
        let key = &self.order.key;
        let framed = match &outcome {
            Outcome::Kept(entry) | Outcome::Passing(entry) => {
                self.l2.frame(key, entry.clone()).await
            }
            _ => None,
        };
        let name = key.store_name();
        let (value, raw) = match (&outcome, &framed) {
            (Outcome::Kept(entry), Some(frame)) => {
                let lifetime = entry.remaining(self.inner.now_ms());
                // An answer whose time is over meanwhile is left out.
                let value = (!lifetime.is_zero()).then(|| (name.as_str(), frame.clone(), lifetime));
                (value, entry.value.len())
            }
            _ => (None, 0),
        };
        let conclusion = Conclusion {
            lease: &self.name,
            owner: &self.owner,
            value,
            message: replica::encode(key, &outcome, framed.as_ref()),
        };
        self.l2.conclude(conclusion, raw).await;
    }

    /// Looks into the store; where nothing is there, the lease is claimed in the same trip.
    async fn look(&self, order: &Order) -> (Look, Option<Claim>) {
        let (span, now_ms) = (spans::l2(&order.key), self.inner.now_ms());
        let (names, lifetime) = (
            (self.name.as_str(), self.owner.as_str()),
            self.config().lease(),
        );
        let read = self.l2.read_or_lease(&order.key, now_ms, names, lifetime);
        let (read, lease) = read.instrument(span.clone()).await;
        (self.inner.looked(order, read, &span), lease.map(claim))
    }

    fn config(&self) -> &crate::CacheConfig {
        &self.inner.config
    }
}

fn claim(lease: Lease) -> Claim {
    match lease {
        Lease::Granted { first, .. } => Claim::Granted { first },
        Lease::Held { remaining, .. } => Claim::Held(remaining),
    }
}

/// What the protocol sees of the world.
struct Crew<'a, E> {
    post: &'a Post,
    guard: &'a Guard<E>,
    late_at: Instant,
}

impl<'a, E> Crew<'a, E> {
    fn new(post: &'a Post, guard: &'a Guard<E>, order: &Order) -> Self {
        let late_at = Instant::now() + order.policy.compute_limit.min(FAR);
        Self {
            post,
            guard,
            late_at,
        }
    }

    fn moment(&self, lease_left: Duration) -> Duration {
        let draw = self.post.inner.dice.draw();
        let poll = self.post.config().poll().mul_f64(0.75 + draw / 2.0);
        // The store's clock decides when a lease ends: a little later is surely after it.
        let lease = lease_left + Duration::from_millis(1) + LEASE_JITTER.mul_f64(draw);
        let late = self.late_at.saturating_duration_since(Instant::now());
        poll.min(lease).min(late)
    }
}

/// A sum with any instant stays an instant.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Those who wait for a lease to end don't all ask in one moment.
const LEASE_JITTER: Duration = Duration::from_millis(20);

impl<E: Send + Sync> Peers for Crew<'_, E> {
    type Ear = Subscription;

    async fn claim(&self) -> Claim {
        let Post {
            l2, name, owner, ..
        } = self.post;
        let lease = l2.lease(name, owner, self.post.config().lease()).await;
        lease.map_or(Claim::Away, claim)
    }

    async fn listen(&self) -> Option<Subscription> {
        self.post.l2.listen(&self.post.name).await
    }

    async fn hear(&self, ear: &mut Option<Subscription>, lease_left: Duration) -> Option<Outcome> {
        let moment = self.moment(lease_left);
        let message = match ear {
            Some(subscription) => match timeout(moment, subscription.next()).await {
                Ok(Some(message)) => message,
                Ok(None) => {
                    *ear = None;
                    return None;
                }
                Err(_elapsed) => return None,
            },
            None => {
                sleep(moment).await;
                return None;
            }
        };
        // A message that isn't whole is none.
        replica::decode(&self.post.order.key, &message)
    }

    async fn find(&self) -> Option<Entry> {
        // For a Refresh that has joined, what was kept doesn't count.
        if !self.guard.may_look() {
            return None;
        }
        self.post.inner.find(&self.post.order).await
    }

    async fn beat(&self) {
        sleep(self.post.config().lease() / 4).await;
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.late_at
    }
}
