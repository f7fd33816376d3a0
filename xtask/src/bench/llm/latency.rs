//! Calls let go at an even rate, whatever the answers do; latency counts from the intended time.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use crate::bench::generator::{Plan, histogram, nanoseconds};
use crate::error::Error;

/// How long after its plan a round may take to end.
const GRACE: Duration = Duration::from_secs(30);

/// What a round came to.
pub struct Round {
    pub p50_us: f64,
    pub p99_us: f64,
    pub answered: u64,
    pub failed: u64,
}

/// Somebody who is asked again and again.
pub trait Ask: Send + Sync + 'static {
    /// Asks once; whether it was answered.
    fn ask(&self) -> impl Future<Output = bool> + Send;
}

/// One round.
///
/// # Errors
///
/// [`Error::Bench`] when answers are missing long after its end.
pub async fn pace<A: Ask>(client: &Arc<A>, rate: f64, span: Duration) -> Result<Round, Error> {
    let plan = Plan::new(rate, span);
    let (client, handle) = (Arc::clone(client), Handle::current());
    let failed = |error| Error::Bench(format!("a round failed: {error}"));
    let mut calls = spawn_blocking(move || let_go(&client, plan, &handle))
        .await
        .map_err(failed)?;
    let (mut times, mut unanswered) = (histogram(), 0);
    let all = async {
        while let Some(call) = calls.join_next().await {
            match call.map_err(failed)? {
                Some(time) => times.saturating_record(nanoseconds(time)),
                None => unanswered += 1,
            }
        }
        Ok(())
    };
    let hung = |_| Error::Bench(format!("answers are missing {GRACE:?} after a round's end"));
    timeout(GRACE, all).await.map_err(hung)??;
    let micros = |quantile| times.value_at_quantile(quantile) as f64 / 1e3;
    Ok(Round {
        p50_us: micros(0.5),
        p99_us: micros(0.99),
        answered: times.len(),
        failed: unanswered,
    })
}

/// Starts the calls by their plan. Its thread sleeps with the system's clock, because the
/// runtime's timer counts whole milliseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread of its own, outside the runtime"
)]
fn let_go<A: Ask>(client: &Arc<A>, plan: Plan, handle: &Handle) -> JoinSet<Option<Duration>> {
    let mut calls = JoinSet::new();
    let start = Instant::now();
    for index in 0..plan.total() {
        let intended = start + plan.intended(index);
        let wait = intended.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            thread::sleep(wait);
        }
        let client = Arc::clone(client);
        let call = async move { client.ask().await.then(|| intended.elapsed()) };
        calls.spawn_on(call, handle);
    }
    calls
}
