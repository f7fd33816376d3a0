//! Kept answers.

use super::words::{CLASS, OPERATION, words};
use super::{Area, Metric, Unit};

pub(super) const AREA: Area = Area {
    title: "Cache",
    metrics: &[
        Metric::counter(
            "cache_requests_total",
            Unit::Count,
            "Calls by where their answer was from",
        )
        .labels(&[
            OPERATION,
            words("tier", &["l1", "l2", "replica", "none"]),
            words(
                "result",
                &["hit", "stale", "miss", "coalesced", "refresh", "bypass"],
            ),
        ])
        .always(),
        Metric::counter(
            "cache_computations_total",
            Unit::Count,
            "Computations by how they ended",
        )
        .labels(&[
            OPERATION,
            words(
                "result",
                &[
                    "stored",
                    "not_kept",
                    "failed",
                    "panicked",
                    "timeout",
                    "abandoned",
                ],
            ),
        ])
        .always(),
        Metric::counter(
            "cache_failures_total",
            Unit::Count,
            "Calls that got no answer, by why",
        )
        .labels(&[
            OPERATION,
            words(
                "kind",
                &[
                    "compute",
                    "wait_timeout",
                    "compute_timeout",
                    "panicked",
                    "lost",
                    "elsewhere",
                    "lagged",
                ],
            ),
        ])
        .always(),
        Metric::histogram(
            "cache_lookup_seconds",
            Unit::Seconds,
            // A look into memory takes microseconds, one into the store up to its deadline.
            &[
                0.000_001, 0.000_005, 0.000_02, 0.000_1, 0.000_5, 0.002, 0.01, 0.05, 0.25, 1.0,
            ],
            "Time that a look into a tier took; one hit in memory of 16 is timed",
        )
        .labels(&[words("tier", &["l1", "l2"])])
        .always(),
        Metric::gauge(
            "cache_entries",
            Unit::Count,
            "Answers in the process's memory",
        )
        .always(),
        Metric::gauge(
            "cache_bytes",
            Unit::Bytes,
            "Memory that the kept answers take",
        )
        .always(),
        Metric::gauge(
            "cache_flights",
            Unit::Count,
            "Computations under way that others can join",
        )
        .always(),
        Metric::counter(
            "cache_rejected_values_total",
            Unit::Count,
            "Values not taken from or not put into a tier, by why",
        )
        .labels(&[words(
            "reason",
            &[
                "truncated",
                "trailing",
                "foreign",
                "version",
                "checksum",
                "coding",
                "too_large",
            ],
        )])
        .always(),
        Metric::counter(
            "cache_store_errors_total",
            Unit::Count,
            "Calls of the store that failed or were dropped",
        )
        .labels(&[
            words("call", &["read", "write", "lease", "channel", "totals"]),
            words("result", &["error", "timeout", "dropped"]),
        ])
        .always(),
        Metric::counter(
            "cache_uncoalesced_total",
            Unit::Count,
            "Calls that computed on their own, over the bound on computations",
        )
        .labels(&[OPERATION])
        .always(),
        Metric::counter(
            "cache_renewals_total",
            Unit::Count,
            "Answers renewed while the old one was served",
        )
        .labels(&[OPERATION, words("reason", &["stale", "early"])])
        .always(),
        Metric::counter(
            "cache_replica_flights_total",
            Unit::Count,
            "Flights that asked the other replicas, by what came of it",
        )
        .labels(&[words("course", &["led", "alone", "told", "found", "late"])])
        .always(),
        Metric::counter(
            "cache_evictions_total",
            Unit::Count,
            "Answers that left the process's memory, by why",
        )
        .labels(&[words("cause", &["size", "expired"])])
        .always(),
        Metric::counter(
            "cache_saved_pico_usd_total",
            Unit::PicoDollars,
            "What hits and joined computations would have cost, in 1e-12 US dollars",
        )
        .labels(&[OPERATION])
        .always(),
        Metric::counter(
            "cache_saved_tokens_total",
            Unit::Tokens,
            "Tokens that hits and joined computations would have cost",
        )
        .labels(&[OPERATION])
        .always(),
        Metric::counter(
            "cache_stored_bytes_total",
            Unit::Bytes,
            "Answers written to the store, before and after coding",
        )
        .labels(&[words("form", &["raw", "framed"])])
        .always(),
        Metric::gauge(
            "cache_hit_rate",
            Unit::Ratio,
            "Decayed hit rate of a class of keys, from 0 to 1",
        )
        .labels(&[OPERATION, CLASS])
        .always(),
        Metric::gauge(
            "cache_adaptive_lifetime_seconds",
            Unit::Seconds,
            "Lifetime that the hit rate of a class of keys earns",
        )
        .labels(&[OPERATION, CLASS])
        .always(),
    ],
};
