//! What `deploy/` holds, kept true: dashboards and rules name metrics that exist, alerts have
//! runbooks and cases, manifests refer to what is there, and the linters of others find nothing.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests: a file that can't be read is a failed test; one says that it skips"
)]

mod compose;
mod dashboards;
mod files;
mod kubernetes;
mod linters;
mod metrics;
mod promql;
mod rules;
mod systemd;

/// Fails with every violation, not only the first.
fn report(rule: &str, violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{rule}:\n  {}",
        violations.join("\n  ")
    );
}
