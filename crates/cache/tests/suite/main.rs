//! The cache from outside: keys, tiers, coalescing, and a real store beneath.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod coalescing;
mod common;
mod embedded;
mod isolation;
mod keys;
mod replicas;
mod stale;
mod streams;
mod tiers;
mod totals;
