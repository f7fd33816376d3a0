//! The names of the cache's metrics, in one place, and the handles that the hot path uses.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`REQUESTS`] | counter | `operation`, `tier`, `result`: `l1`/`hit`, `l2`/`hit`, and with tier `none`: `miss`, `coalesced`, `refresh`, `bypass`; one per call |
//! | [`COMPUTATIONS`] | counter | `operation`, `result`: `stored`, `not_kept`, `failed`, `panicked`, `timeout`; one per computation |
//! | [`FAILURES`] | counter | `operation`, `kind`: `compute`, `wait_timeout`, `compute_timeout`, `panicked`, `lost`; one per call without an answer |
//! | [`LOOKUP_SECONDS`] | histogram | `tier`: `l1` (one hit in 16), `l2` (all reads) |
//! | [`ENTRIES`], [`BYTES`], [`FLIGHTS`] | gauge | none; set by [`crate::Cache::stats`] |
//! | [`REJECTED_VALUES`] | counter | `reason`: `truncated`, `trailing`, `foreign`, `version`, `checksum` (read from the store), `too_large` (not kept) |
//! | [`STORE_ERRORS`] | counter | `call`: `read`, `write`; `result`: `error`, `timeout`, `dropped` |
//! | [`UNCOALESCED`] | counter | `operation`; misses over the bound on flights |
//!
//! An operation that the cache wasn't told of when it was built counts as `other`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::CacheError;
use crate::frame::Rejection;

/// Calls by where their answer was from.
pub const REQUESTS: &str = "cache_requests_total";
/// Computations by how they ended.
pub const COMPUTATIONS: &str = "cache_computations_total";
/// Calls that got no answer.
pub const FAILURES: &str = "cache_failures_total";
/// Seconds that a look into a tier took.
pub const LOOKUP_SECONDS: &str = "cache_lookup_seconds";
/// Answers in the process's memory.
pub const ENTRIES: &str = "cache_entries";
/// Bytes that they take.
pub const BYTES: &str = "cache_bytes";
/// Computations under way that others can join.
pub const FLIGHTS: &str = "cache_flights";
/// Values that were not taken from, or not put into, a tier.
pub const REJECTED_VALUES: &str = "cache_rejected_values_total";
/// Calls of the store that failed.
pub const STORE_ERRORS: &str = "cache_store_errors_total";
/// Calls that computed on their own, since too many computations were under way.
pub const UNCOALESCED: &str = "cache_uncoalesced_total";

/// The label of an operation that the cache wasn't told of.
pub const OTHER_OPERATION: &str = "other";

/// Tells the installed recorder what the metrics mean. [`crate::Cache::new`] does it.
fn describe() {
    describe_counter!(
        REQUESTS,
        Unit::Count,
        "Calls by where their answer was from"
    );
    describe_counter!(COMPUTATIONS, Unit::Count, "Computations by how they ended");
    describe_counter!(FAILURES, Unit::Count, "Calls that got no answer, by why");
    describe_histogram!(
        LOOKUP_SECONDS,
        Unit::Seconds,
        "Time that a look into a tier took"
    );
    describe_gauge!(ENTRIES, Unit::Count, "Answers in the process's memory");
    describe_gauge!(BYTES, Unit::Bytes, "Memory that the kept answers take");
    describe_gauge!(
        FLIGHTS,
        Unit::Count,
        "Computations under way that others can join"
    );
    describe_counter!(
        REJECTED_VALUES,
        Unit::Count,
        "Values not taken from or not put into a tier, by why"
    );
    describe_counter!(
        STORE_ERRORS,
        Unit::Count,
        "Calls of the store that failed or were dropped"
    );
    describe_counter!(
        UNCOALESCED,
        Unit::Count,
        "Calls that computed on their own, over the bound on computations"
    );
}

/// One in so many hits in memory is timed.
const TIMED_HITS: u64 = 16;

/// Where a call's answer was from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    L1,
    L2,
    Miss,
    Coalesced,
    Refresh,
    Bypass,
}

impl Source {
    const ALL: [(&'static str, &'static str); 6] = [
        ("l1", "hit"),
        ("l2", "hit"),
        ("none", "miss"),
        ("none", "coalesced"),
        ("none", "refresh"),
        ("none", "bypass"),
    ];
}

/// How a computation ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ended {
    Stored,
    NotKept,
    Failed,
    Panicked,
    Timeout,
}

impl Ended {
    const ALL: [&'static str; 5] = ["stored", "not_kept", "failed", "panicked", "timeout"];
}

const FAILURE_KINDS: [&str; 5] = [
    "compute",
    "wait_timeout",
    "compute_timeout",
    "panicked",
    "lost",
];

/// Why a value was refused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refused {
    Truncated,
    Trailing,
    Foreign,
    Version,
    Checksum,
    TooLarge,
}

impl Refused {
    const ALL: [&'static str; 6] = [
        "truncated",
        "trailing",
        "foreign",
        "version",
        "checksum",
        "too_large",
    ];
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Truncated => Self::Truncated,
            Rejection::Trailing => Self::Trailing,
            Rejection::Foreign => Self::Foreign,
            Rejection::Version => Self::Version,
            Rejection::Checksum => Self::Checksum,
        }
    }
}

/// A call of the store.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StoreCall {
    Read,
    Write,
}

impl StoreCall {
    const ALL: [Self; 2] = [Self::Read, Self::Write];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// How a call of the store failed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StoreFailure {
    Error,
    Timeout,
    Dropped,
}

impl StoreFailure {
    const ALL: [&'static str; 3] = ["error", "timeout", "dropped"];
}

/// Handles, resolved once.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// The last one is [`OTHER_OPERATION`].
    operations: Vec<Operation>,
    totals: [AtomicU64; Source::ALL.len()],
    rejected: [Counter; Refused::ALL.len()],
    store_errors: [[Counter; StoreFailure::ALL.len()]; StoreCall::ALL.len()],
    pub(crate) l1_seconds: Histogram,
    pub(crate) l2_seconds: Histogram,
    pub(crate) entries: Gauge,
    pub(crate) bytes: Gauge,
    pub(crate) flights: Gauge,
}

#[derive(Debug)]
struct Operation {
    name: &'static str,
    requests: [Counter; Source::ALL.len()],
    computations: [Counter; Ended::ALL.len()],
    failures: [Counter; FAILURE_KINDS.len()],
    uncoalesced: Counter,
}

impl Operation {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            requests: Source::ALL.map(|(tier, result)| {
                counter!(REQUESTS, "operation" => name, "tier" => tier, "result" => result)
            }),
            computations: Ended::ALL
                .map(|result| counter!(COMPUTATIONS, "operation" => name, "result" => result)),
            failures: FAILURE_KINDS
                .map(|kind| counter!(FAILURES, "operation" => name, "kind" => kind)),
            uncoalesced: counter!(UNCOALESCED, "operation" => name),
        }
    }
}

impl Metrics {
    /// Handles of the recorder that is installed now.
    pub(crate) fn new(operations: &[&'static str]) -> Self {
        describe();
        let names = operations.iter().copied().chain([OTHER_OPERATION]);
        Self {
            operations: names.map(Operation::new).collect(),
            totals: Default::default(),
            rejected: Refused::ALL.map(|reason| counter!(REJECTED_VALUES, "reason" => reason)),
            store_errors: StoreCall::ALL.map(|call| {
                StoreFailure::ALL.map(
                    |result| counter!(STORE_ERRORS, "call" => call.label(), "result" => result),
                )
            }),
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

    pub(crate) fn request(&self, operation: &str, source: Source) {
        self.totals[source as usize].fetch_add(1, Ordering::Relaxed);
        if let Some(of) = self.operation(operation) {
            of.requests[source as usize].increment(1);
        }
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
        };
        if let Some(of) = self.operation(operation) {
            of.failures[kind].increment(1);
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

    pub(crate) fn store_failed(&self, call: StoreCall, failure: StoreFailure) {
        self.store_errors[call as usize][failure as usize].increment(1);
    }

    /// Calls so far that got their answer from `source`.
    pub(crate) fn total(&self, source: Source) -> u64 {
        self.totals[source as usize].load(Ordering::Relaxed)
    }

    /// A handful of names: comparing them is cheaper than hashing one.
    fn operation(&self, name: &str) -> Option<&Operation> {
        let known = self.operations.iter().find(|of| of.name == name);
        known.or(self.operations.last())
    }
}
