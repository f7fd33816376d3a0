//! Logs and traces themselves.

use super::words::words;
use super::{Area, Metric, Unit};

const PART: &str = "traces";

pub(super) const AREA: Area = Area {
    title: "Logs and traces",
    metrics: &[
        Metric::counter(
            "log_lines_dropped_total",
            Unit::Count,
            "Log lines that found the queue full",
        )
        .always(),
        Metric::counter(
            "trace_spans_exported_total",
            Unit::Count,
            "Spans that the collector took",
        )
        .with(PART),
        Metric::counter(
            "trace_spans_dropped_total",
            Unit::Count,
            "Spans that did not reach the collector, by why: their trace was not sampled, there \
             were too many at once, the queue was full, or the collector did not take them",
        )
        .labels(&[words(
            "reason",
            &["unsampled", "buffer_full", "queue_full", "export_failed"],
        )])
        .with(PART),
        Metric::counter(
            "trace_exports_total",
            Unit::Count,
            "Batches sent to the collector, by what came of it",
        )
        .labels(&[words("result", &["ok", "error", "timeout"])])
        .with(PART),
        Metric::gauge(
            "trace_queue_spans",
            Unit::Count,
            "Spans that wait for the collector",
        )
        .with(PART),
    ],
};
