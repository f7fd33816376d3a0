//! The service over real Redis servers that die, freeze, fill up and fail over, and over several
//! processes that share one.
//!
//! Needs `redis-server`. The tests take turns: they measure times and load the machine.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]
#![expect(
    clippy::print_stdout,
    reason = "the figures are for whoever reads them"
)]

#[expect(
    dead_code,
    unused_imports,
    reason = "the end-to-end tests use the rest"
)]
mod support;

mod redis_asking;
mod redis_coalescing;
mod redis_failover;
mod redis_group;
mod redis_outages;
mod redis_sii;
mod redis_spared;

use tokio::sync::{Mutex, MutexGuard};

/// Waits for one's turn.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
