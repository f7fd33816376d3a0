//! The names of the cache's metrics, in one place, and the handles that the hot path uses.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | [`REQUESTS`] | counter | `operation`, `tier`, `result`: `l1`/`hit`, `l2`/`hit`, `l1`/`stale`, `l2`/`stale`, `replica`/`coalesced`, and with tier `none`: `miss`, `coalesced`, `refresh`, `bypass`; one per call |
//! | [`COMPUTATIONS`] | counter | `operation`, `result`: `stored`, `not_kept`, `failed`, `panicked`, `timeout`, `abandoned` (a stream that nobody read any more); one per computation |
//! | [`FAILURES`] | counter | `operation`, `kind`: `compute`, `wait_timeout`, `compute_timeout`, `panicked`, `lost`, `elsewhere`, `lagged`; one per call without an answer |
//! | [`LOOKUP_SECONDS`] | histogram | `tier`: `l1` (one hit in 16), `l2` (all reads) |
//! | [`ENTRIES`], [`BYTES`], [`FLIGHTS`] | gauge | none; set by [`crate::Cache::stats`] |
//! | [`REJECTED_VALUES`] | counter | `reason`: `truncated`, `trailing`, `foreign`, `version`, `checksum`, `coding` (read from the store), `too_large` (not kept) |
//! | [`STORE_ERRORS`] | counter | `call`: `read`, `write`, `lease`, `channel`, `totals`; `result`: `error`, `timeout`, `dropped` |
//! | [`UNCOALESCED`] | counter | `operation`; misses over the bound on flights |
//! | [`RENEWALS`] | counter | `operation`, `reason`: `stale`, `early`; answers renewed while the old one was served |
//! | [`REPLICA_FLIGHTS`] | counter | `course`: `led`, `alone` (the store is away), `told` (another replica's outcome), `found`, `late`; one per flight that asked the other replicas |
//! | [`EVICTIONS`] | counter | `cause`: `size`, `expired` |
//! | [`SAVED_PICO_USD`], [`SAVED_TOKENS`] | counter | `operation`; what hits and joined computations would have cost |
//! | [`STORED_BYTES`] | counter | `form`: `raw`, `framed`; the values written to the store before and after coding |
//! | [`HIT_RATE`], [`ADAPTIVE_LIFETIME_SECONDS`] | gauge | `operation`, `class` (`default`, those of the keys, `other` beyond 30) |
//!
//! An operation that the cache wasn't told of when it was built counts as `other`.

mod handles;
mod labels;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(crate) use handles::Metrics;
pub(crate) use labels::{
    Ended, Evicted, Refused, Renewal, ReplicaCourse, Source, StoreCall, StoreFailure,
};

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

/// Answers renewed while the old one was served.
pub const RENEWALS: &str = "cache_renewals_total";
/// Flights that asked the other replicas, by what came of it.
pub const REPLICA_FLIGHTS: &str = "cache_replica_flights_total";
/// Answers that left the process's memory.
pub const EVICTIONS: &str = "cache_evictions_total";
/// What hits and joined computations would have cost, in 10⁻¹² US dollars.
pub const SAVED_PICO_USD: &str = "cache_saved_pico_usd_total";
/// The same in tokens.
pub const SAVED_TOKENS: &str = "cache_saved_tokens_total";
/// Bytes of the answers written to the store.
pub const STORED_BYTES: &str = "cache_stored_bytes_total";
/// The decayed hit rate of a class of keys, from 0 to 1.
pub const HIT_RATE: &str = "cache_hit_rate";
/// The lifetime that this rate earns.
pub const ADAPTIVE_LIFETIME_SECONDS: &str = "cache_adaptive_lifetime_seconds";

/// The label of an operation that the cache wasn't told of, and of classes over the bound.
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
    describe_rest();
}

fn describe_rest() {
    describe_counter!(
        RENEWALS,
        Unit::Count,
        "Answers renewed while the old one was served"
    );
    describe_counter!(
        REPLICA_FLIGHTS,
        Unit::Count,
        "Flights that asked the other replicas, by what came of it"
    );
    describe_counter!(
        EVICTIONS,
        Unit::Count,
        "Answers that left the process's memory, by why"
    );
    describe_counter!(
        SAVED_PICO_USD,
        Unit::Count,
        "What hits and joined computations would have cost, in 1e-12 US dollars"
    );
    describe_counter!(
        SAVED_TOKENS,
        Unit::Count,
        "Tokens that hits and joined computations would have cost"
    );
    describe_counter!(
        STORED_BYTES,
        Unit::Bytes,
        "Answers written to the store, before and after coding"
    );
    describe_gauge!(
        HIT_RATE,
        Unit::Count,
        "Decayed hit rate of a class of keys, from 0 to 1"
    );
    describe_gauge!(
        ADAPTIVE_LIFETIME_SECONDS,
        Unit::Seconds,
        "Lifetime that the hit rate of a class of keys earns"
    );
}
