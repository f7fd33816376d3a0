//! The monitor of the tax service's pages.

use super::words::{CHANNEL, SOURCE, words};
use super::{Area, Label, Metric, Unit, Values};

const PART: &str = "the monitor";

const VISIT_STATUS: Label = Label {
    name: "status",
    values: Values::Bounded {
        what: "how a visit ended (docs/sii-monitor.md)",
        max: 40,
    },
};

pub(super) const AREA: Area = Area {
    title: "Tax service monitor",
    metrics: &[
        Metric::counter(
            "sii_monitor_runs_total",
            Unit::Count,
            "Runs by how they ended",
        )
        .labels(&[words("status", &["success", "partial", "error", "running"])])
        .with(PART),
        Metric::counter(
            "sii_monitor_visits_total",
            Unit::Count,
            "Visits of a page by how they ended",
        )
        .labels(&[SOURCE, VISIT_STATUS])
        .with(PART),
        Metric::histogram(
            "sii_monitor_visit_duration_seconds",
            Unit::Seconds,
            &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0],
            "Time that a visit of a page took",
        )
        .labels(&[SOURCE])
        .with(PART),
        Metric::counter(
            "sii_monitor_bytes_total",
            Unit::Bytes,
            "Bytes fetched from a page",
        )
        .labels(&[SOURCE])
        .with(PART),
        Metric::counter(
            "sii_monitor_changes_total",
            Unit::Count,
            "Changes of content found on a page",
        )
        .labels(&[SOURCE])
        .with(PART),
        Metric::gauge(
            "sii_monitor_last_success_age_seconds",
            Unit::Seconds,
            "Time since a page was last read with success, as of the end of the last run",
        )
        .labels(&[SOURCE])
        .with(PART),
        Metric::counter(
            "sii_monitor_model_failures_total",
            Unit::Count,
            "News that the rules judged alone, by why the model didn't",
        )
        .labels(&[words("reason", &["failed", "timeout", "invalid"])])
        .with(PART),
        Metric::counter(
            "sii_monitor_notices_total",
            Unit::Count,
            "Notices by channel and what came of them",
        )
        .labels(&[CHANNEL, words("result", &["sent", "failed", "dead"])])
        .with(PART),
        Metric::gauge(
            "sii_monitor_notices_waiting",
            Unit::Count,
            "Notices that wait for a channel",
        )
        .labels(&[CHANNEL])
        .with(PART),
        Metric::counter(
            "sii_monitor_sink_total",
            Unit::Count,
            "News handed to the knowledge base, by what it did with them",
        )
        .labels(&[words(
            "result",
            &["accepted", "refused", "unavailable", "timeout"],
        )])
        .with(PART),
    ],
};
