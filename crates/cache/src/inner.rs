//! What a cache's handles and flights share: the tiers, the counters, and what becomes of a
//! computation.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use store::Clock;
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

use crate::early::Dice;
use crate::entry::{Entry, Shape, Use, as_millis, millis};
use crate::flight::{Flights, Landing};
use crate::flush::Marks;
use crate::l1::L1;
use crate::l2::{L2, Read};
use crate::metrics::{Ended, Metrics, Refused, Source};
use crate::replica::{MAX_FAILURES, Outcome};
use crate::spans;
use crate::stream::Streams;
use crate::totals::Totals;
use crate::{
    Answer, CacheConfig, CacheError, CacheKey, Classify, Computed, Cost, Keep, Lifetime, Mode,
    Policy, Sharing, Status,
};

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) l1: L1,
    pub(crate) l2: Option<Arc<L2>>,
    /// What was flushed.
    pub(crate) marks: Arc<Marks>,
    pub(crate) flights: Flights,
    pub(crate) streams: Streams,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) totals: Totals,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dice: Dice,
    pub(crate) config: CacheConfig,
    /// This cache's name among the replicas.
    pub(crate) name: String,
}

/// How long after a failed renewal the next one may be tried.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);

/// What a flight is to bring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) key: CacheKey,
    pub(crate) policy: Policy,
    /// Only an answer from after this moment will do: it renews the one from then.
    pub(crate) after_ms: Option<u64>,
    /// Computations that have failed already for those who wait.
    pub(crate) failures: u32,
}

/// What looking into the tiers gave.
pub(crate) enum Look {
    /// An answer that will do, and the tier that it is from.
    Found(Entry, Source),
    /// None, and whether the store said so.
    Nothing { store_answers: bool },
}

/// What becomes of a computation.
pub(crate) struct Settled<E> {
    /// For those who wait here.
    pub(crate) landing: Landing<E>,
    /// For the store.
    pub(crate) entry: Option<Entry>,
    /// For the other replicas.
    pub(crate) outcome: Outcome,
}

impl Order {
    /// Whether `entry` will do.
    fn is_met_by(&self, entry: &Entry, now_ms: u64) -> bool {
        match self.after_ms {
            Some(after_ms) => entry.created_ms > after_ms && entry.is_fresh(now_ms),
            None => matches!(entry.usable(&self.policy, now_ms), Use::Fresh | Use::Renew),
        }
    }
}

impl Inner {
    pub(crate) fn now_ms(&self) -> u64 {
        millis(self.clock.now())
    }

    /// The second tier, where there is one and this order goes there.
    pub(crate) fn l2_of(&self, order: &Order) -> Option<&Arc<L2>> {
        self.l2.as_ref().filter(|_| !order.policy.memory_only)
    }

    /// Looks once more into the first tier (the flight before this one may have landed after
    /// the caller looked), then into the second.
    pub(crate) async fn look(&self, order: &Order) -> Look {
        if let Some(found) = self.look_near(order) {
            return found;
        }
        let Some(l2) = self.l2_of(order) else {
            return Look::Nothing {
                store_answers: false,
            };
        };
        let (span, now_ms) = (spans::l2(&order.key), self.now_ms());
        let read = l2.read(&order.key, now_ms).instrument(span.clone());
        self.looked(order, read.await, &span)
    }

    /// What is found in the first tier.
    pub(crate) fn look_near(&self, order: &Order) -> Option<Look> {
        let now_ms = self.now_ms();
        let local = self.l1.get(&order.key, Shape::Whole, now_ms);
        let entry = local.filter(|entry| order.is_met_by(entry, now_ms))?;
        let source = tier(Source::L1, &entry, now_ms);
        Some(Look::Found(entry, source))
    }

    /// What was read from the second tier is to this order.
    pub(crate) fn looked(&self, order: &Order, read: Read, span: &Span) -> Look {
        let store_answers = !matches!(read, Read::Away);
        let Read::Found(entry) = read else {
            return Look::Nothing { store_answers };
        };
        match self.accept(order, entry) {
            Some(entry) => {
                span.record(spans::HIT, true);
                let source = tier(Source::L2, &entry, self.now_ms());
                Look::Found(entry, source)
            }
            None => Look::Nothing { store_answers },
        }
    }

    /// What the store has that will do.
    pub(crate) async fn find(&self, order: &Order) -> Option<Entry> {
        match self.l2.as_ref()?.read(&order.key, self.now_ms()).await {
            Read::Found(entry) => self.accept(order, entry),
            Read::Nothing | Read::Away => None,
        }
    }

    /// The entry if it will do. If it won't but may save a caller who gets nothing else, it is
    /// put where that caller looks.
    fn accept(&self, order: &Order, entry: Entry) -> Option<Entry> {
        let now_ms = self.now_ms();
        if entry.shape != Shape::Whole {
            return None;
        }
        if order.is_met_by(&entry, now_ms) {
            return Some(entry);
        }
        let rescue = entry.usable(&order.policy, now_ms) == Use::Rescue;
        if rescue && self.l1.get(&order.key, Shape::Whole, now_ms).is_none() {
            self.l1.insert(&order.key, entry);
        }
        None
    }

    /// A renewal has failed: the next one waits a little, however often it is asked for.
    pub(crate) fn postpone(&self, order: &Order) {
        let now_ms = self.now_ms();
        let old = self.l1.get(&order.key, Shape::Whole, now_ms);
        if let Some(old) = old.filter(|old| order.after_ms == Some(old.created_ms)) {
            let renew_from_ms = now_ms.saturating_add(as_millis(RENEWAL_PAUSE));
            let entry = Entry {
                renew_from_ms,
                ..old
            };
            self.l1.insert(&order.key, entry);
        }
    }

    /// One computation within its limit. Whatever it does, it gives a result.
    pub(crate) async fn run<E, F, Fut>(
        &self,
        key: &CacheKey,
        limit: Duration,
        compute: F,
    ) -> Result<Computed, CacheError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Computed, E>>,
    {
        // A panic leaves nothing half done that anybody sees: the computation owns its state.
        let computation = AssertUnwindSafe(async move { compute().await }).catch_unwind();
        let (ended, error) = match timeout(limit, computation).await {
            Ok(Ok(Ok(computed))) => return Ok(computed),
            Ok(Ok(Err(error))) => (Ended::Failed, CacheError::Compute(Arc::new(error))),
            Ok(Err(_panic)) => (Ended::Panicked, CacheError::Panicked),
            Err(_elapsed) => (Ended::Timeout, CacheError::ComputeTimeout),
        };
        self.metrics.computation(key.operation(), ended);
        Err(error)
    }

    /// Sees to what was computed in `taken`: what is to be kept is in the first tier when this
    /// returns, the rest is told.
    pub(crate) fn settle<E>(
        &self,
        order: &Order,
        ran: Result<Computed, CacheError<E>>,
        taken: Duration,
        classify: Classify<E>,
    ) -> Settled<E> {
        match ran {
            Ok(computed) => {
                let cost = computed.cost;
                let (entry, kept) = self.keep(order, computed, Shape::Whole, taken);
                let landing = Landing::Computed(entry.value.clone(), cost);
                if kept {
                    Settled {
                        landing,
                        entry: Some(entry.clone()),
                        outcome: Outcome::Kept(entry),
                    }
                } else {
                    Settled {
                        landing,
                        entry: None,
                        outcome: Outcome::Passing(entry),
                    }
                }
            }
            Err(error) => {
                let sharing = error.compute_error().map_or(Sharing::Process, classify);
                let failures = order.failures + 1;
                let retry = sharing == Sharing::Nobody && failures < MAX_FAILURES;
                let outcome = match sharing {
                    Sharing::Everywhere(code) => Outcome::Final(code),
                    Sharing::Nobody | Sharing::Process => Outcome::Failed,
                };
                Settled {
                    landing: Landing::Failed { error, retry },
                    entry: None,
                    outcome,
                }
            }
        }
    }

    /// Gives what was computed to the one who waits, and keeps nothing.
    pub(crate) fn give<E>(
        &self,
        key: &CacheKey,
        ran: Result<Computed, CacheError<E>>,
    ) -> Landing<E> {
        match ran {
            Ok(computed) => {
                self.metrics.computation(key.operation(), Ended::NotKept);
                Landing::Computed(computed.value, computed.cost)
            }
            Err(error) => Landing::failed(error),
        }
    }

    /// The entry of what was computed, and whether it is worth keeping. If so it is in the
    /// first tier.
    pub(crate) fn keep(
        &self,
        order: &Order,
        computed: Computed,
        shape: Shape,
        taken: Duration,
    ) -> (Entry, bool) {
        let Computed { value, keep, cost } = computed;
        let created_ms = self.now_ms();
        let lifetime = match keep {
            Keep::For(lifetime) => self.lifetime(order, lifetime, created_ms),
            Keep::No => Duration::ZERO,
        };
        let too_large = value.len() > self.config.max_value_bytes;
        if too_large && !lifetime.is_zero() {
            self.metrics.rejected(Refused::TooLarge);
        }
        let kept = !too_large && as_millis(lifetime) > 0;
        let useful = lifetime.saturating_add(order.policy.stale_window());
        let useful = useful.min(self.config.max_lifetime());
        let until =
            |duration| created_ms.saturating_add(if kept { as_millis(duration) } else { 0 });
        let entry = Entry {
            // A copy in one piece, so that a small answer can't hold on to the large buffer
            // that it was cut from.
            value: if kept {
                Bytes::copy_from_slice(&value)
            } else {
                value
            },
            shape,
            created_ms,
            fresh_until_ms: until(lifetime),
            expires_ms: until(useful),
            compute_ms: u32::try_from(taken.as_millis()).unwrap_or(u32::MAX),
            cost,
            renew_from_ms: 0,
        };
        let ended = if kept { Ended::Stored } else { Ended::NotKept };
        self.metrics.computation(order.key.operation(), ended);
        if kept {
            self.l1.insert(&order.key, entry.clone());
        }
        (entry, kept)
    }

    fn lifetime(&self, order: &Order, computed: Duration, now_ms: u64) -> Duration {
        let lifetime = computed.min(self.config.max_lifetime());
        match order.policy.lifetime {
            Lifetime::Fixed => lifetime,
            Lifetime::Adaptive { max } => {
                let earned = self.metrics.adaptive_lifetime(&order.key, now_ms);
                lifetime.min(max).min(earned)
            }
        }
    }

    /// What a caller gets of a landing, counted.
    pub(crate) fn answer<E>(
        &self,
        order: &Order,
        mode: Mode,
        landing: Landing<E>,
        source: Source,
    ) -> Result<Answer, CacheError<E>> {
        let now_ms = self.now_ms();
        let count = |source, cost| self.metrics.request(&order.key, source, cost, now_ms);
        let given = |value, cost, source| {
            count(source, cost);
            let status = match source {
                Source::Coalesced | Source::Elsewhere => Status::Coalesced,
                Source::Bypass => Status::Bypass,
                _ => Status::Miss,
            };
            let age = Duration::ZERO;
            Ok(Answer {
                value,
                status,
                age,
                cost,
            })
        };
        match landing {
            Landing::Found(entry, tier) => {
                count(tier, entry.cost);
                Ok(Answer::hit(entry, now_ms))
            }
            Landing::Computed(value, cost) => given(value, cost, source),
            Landing::Told(value, cost) => given(value, cost, Source::Elsewhere),
            Landing::Failed { error, .. } => {
                if let Some(entry) = self.rescue(order, mode, now_ms) {
                    count(tier(Source::L1, &entry, now_ms), entry.cost);
                    return Ok(Answer::hit(entry, now_ms));
                }
                count(source, Cost::FREE);
                self.metrics.failure(order.key.operation(), &error);
                Err(error)
            }
        }
    }

    /// An answer past its lifetime for a caller who would get none.
    fn rescue(&self, order: &Order, mode: Mode, now_ms: u64) -> Option<Entry> {
        if mode != Mode::Normal || order.policy.stale_if_error.is_zero() {
            return None;
        }
        let entry = self.l1.get(&order.key, Shape::Whole, now_ms)?;
        (entry.usable(&order.policy, now_ms) != Use::None).then_some(entry)
    }
}

/// How an entry of that tier is counted.
pub(crate) fn tier(tier: Source, entry: &Entry, now_ms: u64) -> Source {
    if entry.is_fresh(now_ms) {
        tier
    } else {
        tier.stale()
    }
}
