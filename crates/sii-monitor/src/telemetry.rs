//! What the monitor's metrics are, for an exporter's help texts.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// How long a visit took: a histogram in seconds.
pub const VISIT_DURATION: &str = "sii_monitor_visit_duration_seconds";

/// Bounds that tell a 304 from a PDF of many pages, and a host that is slow from one that hangs.
pub const VISIT_DURATION_BUCKETS: [f64; 9] = [0.05, 0.2, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

/// Tells the recorder what each metric is.
pub fn describe() {
    describe_counter!("sii_monitor_runs_total", "Runs that came to their end.");
    describe_counter!(
        "sii_monitor_visits_total",
        "Visits of pages by how they ended."
    );
    describe_counter!("sii_monitor_errors_total", "Visits that failed, by reason.");
    describe_histogram!(VISIT_DURATION, "How long a visit took.");
    describe_counter!("sii_monitor_bytes_total", "Bytes of documents.");
    describe_counter!("sii_monitor_changes_total", "Changes that were found.");
    describe_gauge!(
        "sii_monitor_last_success_age_seconds",
        "Since a page was last visited with success."
    );
    describe_gauge!(
        "sii_monitor_stale_after_seconds",
        "The age from which a page is stale."
    );
    describe_counter!(
        "sii_monitor_model_failures_total",
        "Questions to the model that left the rules alone."
    );
    describe_counter!(
        "sii_monitor_sink_total",
        "Items offered to the knowledge base."
    );
    describe_counter!(
        "sii_monitor_notices_total",
        "Notices sent, failed and given up, by channel."
    );
    describe_gauge!(
        "sii_monitor_notices_waiting",
        "Notices that wait, by channel."
    );
}
