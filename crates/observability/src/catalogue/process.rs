//! The process and its runtime.

use super::{Area, Label, Metric, Unit, Values};

pub(super) const AREA: Area = Area {
    title: "Process and runtime",
    metrics: &[
        Metric::gauge(
            "ai_service_build_info",
            Unit::State,
            "Always 1; the label says which version runs",
        )
        .labels(&[Label {
            name: "version",
            values: Values::Bounded {
                what: "the running version",
                max: 1,
            },
        }])
        .always(),
        Metric::counter(
            "process_cpu_seconds_total",
            Unit::Seconds,
            "Processor time that the process has used",
        )
        .always(),
        Metric::gauge(
            "process_resident_memory_bytes",
            Unit::Bytes,
            "Resident memory of the process",
        )
        .always(),
        Metric::gauge(
            "process_virtual_memory_bytes",
            Unit::Bytes,
            "Virtual memory of the process",
        )
        .always(),
        Metric::gauge(
            "process_virtual_memory_max_bytes",
            Unit::Bytes,
            "The most virtual memory that the process may have",
        )
        .always(),
        Metric::gauge(
            "process_open_fds",
            Unit::Count,
            "File descriptors that the process has open",
        )
        .always(),
        Metric::gauge(
            "process_max_fds",
            Unit::Count,
            "The most file descriptors that the process may have open",
        )
        .always(),
        Metric::gauge("process_threads", Unit::Count, "Threads of the process").always(),
        Metric::gauge(
            "process_start_time_seconds",
            Unit::Seconds,
            "When the process started, in seconds since 1970",
        )
        .always(),
        Metric::gauge(
            "tokio_workers",
            Unit::Count,
            "Worker threads of the asynchronous runtime",
        )
        .always(),
        Metric::gauge(
            "tokio_alive_tasks",
            Unit::Count,
            "Tasks of the runtime that have not ended",
        )
        .always(),
        Metric::gauge(
            "tokio_global_queue_depth",
            Unit::Count,
            "Tasks that wait for any worker",
        )
        .always(),
        Metric::counter(
            "tokio_worker_busy_seconds_total",
            Unit::Seconds,
            "Time that the workers were busy, all of them together",
        )
        .always(),
        Metric::counter(
            "tokio_worker_parks_total",
            Unit::Count,
            "Times that a worker went to sleep for want of work",
        )
        .always(),
    ],
};
