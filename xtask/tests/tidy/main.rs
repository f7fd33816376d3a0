//! The repository's own rules, kept by a test: they hold for everyone who changes something,
//! without a tool to install. Each message says which file to look at and what to do.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests: a file that can't be read is a failed test"
)]

mod docs;
mod files;
mod licences;
mod manifests;
mod metadata;
mod shared_data;
mod sources;
mod spdx;

/// Fails with every violation, not only the first.
fn report(rule: &str, violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{rule}:\n  {}",
        violations.join("\n  ")
    );
}
