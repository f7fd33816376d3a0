//! Shared state.

use super::words::{STORE_OPERATION, words};
use super::{Area, Metric, Unit};

const WITH_REDIS: &str = "Redis";

pub(super) const AREA: Area = Area {
    title: "Store",
    metrics: &[
        Metric::histogram(
            "store_operation_seconds",
            Unit::Seconds,
            &[
                0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                0.5, 1.0,
            ],
            "Time of calls of the shared store, by what answered them",
        )
        .labels(&[
            STORE_OPERATION,
            words("outcome", &["shared", "local", "error"]),
        ])
        .with(WITH_REDIS),
        Metric::gauge(
            "store_shared_up",
            Unit::State,
            "Whether the shared store answers: 1, or 0 while the process goes on without it",
        )
        .with(WITH_REDIS),
        Metric::gauge(
            "store_journal_entries",
            Unit::Count,
            "Writes that wait for the shared store to come back",
        )
        .with(WITH_REDIS),
        Metric::counter(
            "store_outages_total",
            Unit::Count,
            "Times that the shared store went away",
        )
        .with(WITH_REDIS),
        Metric::counter(
            "store_away_total",
            Unit::Count,
            "Calls answered without the shared store while it was away",
        )
        .labels(&[STORE_OPERATION])
        .with(WITH_REDIS),
        Metric::counter(
            "store_dropped_total",
            Unit::Count,
            "Writes of short-lived values that were dropped while the shared store was away",
        )
        .labels(&[STORE_OPERATION])
        .with(WITH_REDIS),
        Metric::counter(
            "store_journal_conflicts_total",
            Unit::Count,
            "Waiting writes that were given up, as the shared store refused them",
        )
        .with(WITH_REDIS),
    ],
};
