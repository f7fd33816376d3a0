//! The handles that the hot path uses, resolved once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::adaptive::HitRate;
use crate::{AdaptiveConfig, CacheError, CacheKey, Cost};

use super::labels::{
    Ended, Evicted, FAILURE_KINDS, Refused, Renewal, ReplicaCourse, Source, StoreCall, StoreFailure,
};
use super::{
    ADAPTIVE_LIFETIME_SECONDS, BYTES, COMPUTATIONS, ENTRIES, EVICTIONS, FAILURES, FLIGHTS,
    HIT_RATE, LOOKUP_SECONDS, OTHER_OPERATION, REJECTED_VALUES, RENEWALS, REPLICA_FLIGHTS,
    REQUESTS, SAVED_PICO_USD, SAVED_TOKENS, STORE_ERRORS, STORED_BYTES, UNCOALESCED, describe,
};

/// One in so many hits in memory is timed.
const TIMED_HITS: u64 = 16;

/// Classes of keys that an operation's hit rates are kept apart for, `default` and `other`
/// among them; more count to `other`.
const MAX_CLASSES: usize = 32;

/// Handles, resolved once.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// The last one is [`OTHER_OPERATION`].
    operations: Vec<Operation>,
    adaptive: AdaptiveConfig,
    totals: [AtomicU64; Source::COUNT],
    saved_pico_usd: AtomicU64,
    saved_tokens: AtomicU64,
    size_evictions: AtomicU64,
    rejected: [Counter; Refused::LABELS.len()],
    evictions: [Counter; Evicted::LABELS.len()],
    replica_flights: [Counter; ReplicaCourse::LABELS.len()],
    store_errors: [[Counter; StoreFailure::LABELS.len()]; StoreCall::LABELS.len()],
    stored_bytes: [Counter; 2],
    pub(crate) l1_seconds: Histogram,
    pub(crate) l2_seconds: Histogram,
    pub(crate) entries: Gauge,
    pub(crate) bytes: Gauge,
    pub(crate) flights: Gauge,
}

#[derive(Debug)]
struct Operation {
    name: &'static str,
    requests: [Counter; Source::COUNT],
    computations: [Counter; Ended::LABELS.len()],
    failures: [Counter; FAILURE_KINDS.len()],
    renewals: [Counter; Renewal::LABELS.len()],
    uncoalesced: Counter,
    saved_pico_usd: Counter,
    saved_tokens: Counter,
    /// Bounded; the first one is for keys without a class, the second one for too many.
    classes: RwLock<Vec<Class>>,
}

/// A class of keys.
#[derive(Debug)]
struct Class {
    name: &'static str,
    seen: HitRate,
    hit_rate: Gauge,
    lifetime: Gauge,
}

impl Class {
    fn new(operation: &'static str, name: &'static str) -> Self {
        let label = if name.is_empty() { "default" } else { name };
        Self {
            name,
            seen: HitRate::default(),
            hit_rate: gauge!(HIT_RATE, "operation" => operation, "class" => label),
            lifetime: gauge!(ADAPTIVE_LIFETIME_SECONDS, "operation" => operation, "class" => label),
        }
    }

    /// The lifetime that this class has earned; sets its gauges.
    fn lifetime(&self, config: &AdaptiveConfig, now_ms: u64) -> Duration {
        let half_life = Duration::from_secs(config.half_life_seconds);
        let seen = self.seen.rate(now_ms, half_life);
        let lifetime = config.lifetime(seen.rate, seen.lookups);
        self.hit_rate.set(seen.rate);
        self.lifetime.set(lifetime.as_secs_f64());
        lifetime
    }
}

impl Operation {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            requests: Source::LABELS.map(|(tier, result)| {
                counter!(REQUESTS, "operation" => name, "tier" => tier, "result" => result)
            }),
            computations: Ended::LABELS
                .map(|result| counter!(COMPUTATIONS, "operation" => name, "result" => result)),
            failures: FAILURE_KINDS
                .map(|kind| counter!(FAILURES, "operation" => name, "kind" => kind)),
            renewals: Renewal::LABELS
                .map(|reason| counter!(RENEWALS, "operation" => name, "reason" => reason)),
            uncoalesced: counter!(UNCOALESCED, "operation" => name),
            saved_pico_usd: counter!(SAVED_PICO_USD, "operation" => name),
            saved_tokens: counter!(SAVED_TOKENS, "operation" => name),
            classes: RwLock::new(vec![Class::new(name, ""), Class::new(name, OTHER_OPERATION)]),
        }
    }

    /// Does `work` with the class of that name, which is made if there is room for it.
    fn with_class<T>(&self, name: &'static str, work: impl FnOnce(&Class) -> T) -> T {
        {
            let classes = self.classes.read().unwrap_or_else(PoisonError::into_inner);
            let full = classes.len() >= MAX_CLASSES;
            let known = classes.iter().find(|class| class.name == name);
            if let Some(class) = known.or(classes.get(1).filter(|_| full)) {
                return work(class);
            }
        }
        let mut classes = self.classes.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have made it meanwhile; one over the bound does no harm.
        let at = classes.iter().position(|class| class.name == name);
        let at = at.unwrap_or_else(|| {
            classes.push(Class::new(self.name, name));
            classes.len() - 1
        });
        work(&classes[at])
    }
}

impl Metrics {
    /// Handles of the recorder that is installed now.
    pub(crate) fn new(operations: &[&'static str], adaptive: AdaptiveConfig) -> Self {
        describe();
        let names = operations.iter().copied().chain([OTHER_OPERATION]);
        Self {
            operations: names.map(Operation::new).collect(),
            adaptive,
            totals: Default::default(),
            saved_pico_usd: AtomicU64::default(),
            saved_tokens: AtomicU64::default(),
            size_evictions: AtomicU64::default(),
            rejected: Refused::LABELS.map(|reason| counter!(REJECTED_VALUES, "reason" => reason)),
            evictions: Evicted::LABELS.map(|cause| counter!(EVICTIONS, "cause" => cause)),
            replica_flights: ReplicaCourse::LABELS
                .map(|course| counter!(REPLICA_FLIGHTS, "course" => course)),
            store_errors: StoreCall::LABELS.map(|call| {
                StoreFailure::LABELS
                    .map(|result| counter!(STORE_ERRORS, "call" => call, "result" => result))
            }),
            stored_bytes: ["raw", "framed"].map(|form| counter!(STORED_BYTES, "form" => form)),
            l1_seconds: histogram!(LOOKUP_SECONDS, "tier" => "l1"),
            l2_seconds: histogram!(LOOKUP_SECONDS, "tier" => "l2"),
            entries: gauge!(ENTRIES),
            bytes: gauge!(BYTES),
            flights: gauge!(FLIGHTS),
        }
    }

    /// When a look into memory begins, for one hit in [`TIMED_HITS`], the first one of them: to
    /// time each would cost as much as the look itself.
    pub(crate) fn time_hit(&self) -> Option<Instant> {
        let timed = self.total(Source::L1).is_multiple_of(TIMED_HITS);
        timed.then(Instant::now)
    }

    /// Counts a call that was answered from `source` with what had cost `cost`.
    pub(crate) fn request(&self, key: &CacheKey, source: Source, cost: Cost, now_ms: u64) {
        self.totals[source as usize].fetch_add(1, Ordering::Relaxed);
        let Some(of) = self.operation(key.operation()) else {
            return;
        };
        of.requests[source as usize].increment(1);
        if source.saves() {
            self.save(of, cost, 1);
        }
        if source.is_lookup() {
            of.with_class(key.class(), |class| {
                if class.seen.record(source.is_hit(), now_ms) {
                    class.lifetime(&self.adaptive, now_ms);
                }
            });
        }
    }

    /// Counts what so many calls were spared that had been counted before the cost was known.
    pub(crate) fn spared(&self, key: &CacheKey, cost: Cost, calls: u64) {
        if let Some(of) = self.operation(key.operation()) {
            self.save(of, cost, calls);
        }
    }

    fn save(&self, of: &Operation, cost: Cost, calls: u64) {
        if cost == Cost::FREE || calls == 0 {
            return;
        }
        let pico_usd = cost.pico_usd.saturating_mul(calls);
        let tokens = cost.tokens.saturating_mul(calls);
        saturating_add(&self.saved_pico_usd, pico_usd);
        saturating_add(&self.saved_tokens, tokens);
        of.saved_pico_usd.increment(pico_usd);
        of.saved_tokens.increment(tokens);
    }

    /// The lifetime that the key's operation and class have earned.
    pub(crate) fn adaptive_lifetime(&self, key: &CacheKey, now_ms: u64) -> Duration {
        let of = self.operation(key.operation());
        of.map_or(Duration::ZERO, |of| {
            of.with_class(key.class(), |class| class.lifetime(&self.adaptive, now_ms))
        })
    }

    pub(crate) fn computation(&self, operation: &str, ended: Ended) {
        if let Some(of) = self.operation(operation) {
            of.computations[ended as usize].increment(1);
        }
    }

    pub(crate) fn failure<E>(&self, operation: &str, error: &CacheError<E>) {
        let kind = match error {
            CacheError::Compute(_) => 0,
            CacheError::WaitTimeout => 1,
            CacheError::ComputeTimeout => 2,
            CacheError::Panicked => 3,
            CacheError::Lost => 4,
            CacheError::Elsewhere(_) => 5,
            CacheError::Lagged => 6,
        };
        if let Some(of) = self.operation(operation) {
            of.failures[kind].increment(1);
        }
    }

    pub(crate) fn renewal(&self, operation: &str, reason: Renewal) {
        if let Some(of) = self.operation(operation) {
            of.renewals[reason as usize].increment(1);
        }
    }

    pub(crate) fn uncoalesced(&self, operation: &str) {
        if let Some(of) = self.operation(operation) {
            of.uncoalesced.increment(1);
        }
    }

    pub(crate) fn rejected(&self, reason: Refused) {
        self.rejected[reason as usize].increment(1);
    }

    pub(crate) fn replica_flight(&self, course: ReplicaCourse) {
        self.replica_flights[course as usize].increment(1);
    }

    pub(crate) fn evicted(&self, cause: Evicted) {
        self.evictions[cause as usize].increment(1);
        if cause == Evicted::Size {
            self.size_evictions.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn store_failed(&self, call: StoreCall, failure: StoreFailure) {
        self.store_errors[call as usize][failure as usize].increment(1);
    }

    /// A value of `raw` bytes was put into a frame of `framed`.
    pub(crate) fn framed(&self, raw: usize, framed: usize) {
        self.stored_bytes[0].increment(raw as u64);
        self.stored_bytes[1].increment(framed as u64);
    }

    /// Calls so far that got their answer from `source`.
    pub(crate) fn total(&self, source: Source) -> u64 {
        self.totals[source as usize].load(Ordering::Relaxed)
    }

    /// What has been saved so far.
    pub(crate) fn saved(&self) -> Cost {
        Cost {
            pico_usd: self.saved_pico_usd.load(Ordering::Relaxed),
            tokens: self.saved_tokens.load(Ordering::Relaxed),
        }
    }

    /// Answers thrown out to make room so far.
    pub(crate) fn size_evictions(&self) -> u64 {
        self.size_evictions.load(Ordering::Relaxed)
    }

    /// A handful of names: comparing them is cheaper than hashing one.
    fn operation(&self, name: &str) -> Option<&Operation> {
        let known = self.operations.iter().find(|of| of.name == name);
        known.or(self.operations.last())
    }
}

/// Adds, up to the largest number there is.
fn saturating_add(sum: &AtomicU64, by: u64) {
    let add = |sum: u64| Some(sum.saturating_add(by));
    // The function never declines.
    let _before = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
}
