//! Redis for real: servers of every deployment, started by the tests, that are killed, frozen,
//! slowed, filled and demoted.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod common;
mod contract;
mod failover;
mod outages;
mod refusals;
mod resilient;
