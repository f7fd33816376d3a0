//! The load generator: a closed loop that finds the capacity, an open loop that measures latency.
//!
//! The open loop has a plan of intended send times, made before the first request, and
//! measures each latency from the intended time. A server that stalls is therefore charged for
//! every request that should have gone out meanwhile ("coordinated omission" isn't possible).

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::client::{Connection, Expectation, Failure};
use super::template::Template;
use crate::error::Error;

/// How long after its plan a phase may take to end before it counts as hung.
const GRACE: Duration = Duration::from_secs(15);
/// Latencies are kept up to this one, in nanoseconds.
const MAX_LATENCY: u64 = 60_000_000_000;

/// What is sent where, and what must come back.
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// The request.
    pub template: Template,
    /// The answer.
    pub expected: Expectation,
    /// Connections that share the work.
    pub connections: usize,
}

/// What a phase of load came to.
pub struct Tally {
    /// Answers that were as expected, within the phase.
    pub completed: u64,
    /// Failures by kind.
    pub failures: BTreeMap<Failure, u64>,
    /// Latencies in nanoseconds.
    pub latency: Histogram<u64>,
    /// How late the generator itself let requests go, in nanoseconds; a part of the latency.
    pub lag: Histogram<u64>,
}

impl Tally {
    fn new() -> Self {
        Self {
            completed: 0,
            failures: BTreeMap::new(),
            latency: histogram(),
            lag: histogram(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        for (failure, count) in &other.failures {
            *self.failures.entry(*failure).or_default() += count;
        }
        // The bounds of all histograms are the same, so neither can fail.
        let _ = self.latency.add(&other.latency);
        let _ = self.lag.add(&other.lag);
    }

    fn complete(&mut self, latency: Duration) {
        self.completed += 1;
        self.latency.saturating_record(nanoseconds(latency));
    }

    fn fail(&mut self, failure: Failure) {
        *self.failures.entry(failure).or_default() += 1;
    }
}

/// An empty histogram of nanoseconds up to a minute, three digits precise.
#[expect(
    clippy::expect_used,
    reason = "constant bounds that the constructor accepts"
)]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_LATENCY, 3).expect("valid bounds")
}

/// A duration as a histogram keeps it.
pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Requests a second, from every connection sending its next request as soon as it has its
/// answer.
///
/// # Errors
///
/// [`Error::Bench`] when the server can't be reached or the phase doesn't end.
pub async fn saturate(load: &Arc<Load>, span: Duration) -> Result<Tally, Error> {
    let connections = connect(load).await?;
    let deadline = Instant::now() + span;
    let workers = connections.into_iter().map(|connection| {
        let worker = Worker::new(load, connection);
        worker.until(deadline)
    });
    gather(workers, span).await
}

/// Latencies while requests are let go at an even rate, whatever the answers do.
///
/// # Errors
///
/// [`Error::Bench`] when the server can't be reached or the phase doesn't end.
pub async fn pace(load: &Arc<Load>, plan: Plan) -> Result<Tally, Error> {
    let connections = connect(load).await?;
    pace_from(Instant::now(), load, connections, plan).await
}

async fn pace_from(
    start: Instant,
    load: &Arc<Load>,
    connections: Vec<Connection>,
    plan: Plan,
) -> Result<Tally, Error> {
    let (released, taken) = (Semaphore::new(0), AtomicU64::new(0));
    let pacer = Arc::new(Pacer {
        plan,
        start,
        released,
        taken,
    });
    let releasing = {
        let (pacer, surplus) = (Arc::clone(&pacer), load.connections);
        thread::spawn(move || pacer.release_all(surplus))
    };
    let workers = connections.into_iter().map(|connection| {
        let worker = Worker::new(load, connection);
        worker.paced(Arc::clone(&pacer))
    });
    let mut tally = gather(workers, plan.span).await?;
    // The workers have ended, so the releasing thread has let everything go.
    if let Ok(lag) = releasing.join() {
        tally.lag = lag;
    }
    Ok(tally)
}

/// Evenly spaced requests.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    total: u64,
    span: Duration,
}

impl Plan {
    /// `rate` requests a second for `span`; at least one.
    pub fn new(rate: f64, span: Duration) -> Self {
        let total = (rate * span.as_secs_f64()) as u64;
        Self {
            total: total.max(1),
            span,
        }
    }

    /// How many requests there are.
    pub fn total(self) -> u64 {
        self.total
    }

    /// When the request number `index` is to be sent, from the start.
    pub fn intended(self, index: u64) -> Duration {
        let nanos = self.span.as_nanos() * u128::from(index) / u128::from(self.total);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many requests are to have been sent at a time after the start.
    fn due(self, elapsed: Duration) -> u64 {
        let passed = elapsed.as_nanos() * u128::from(self.total) / self.span.as_nanos().max(1);
        u64::try_from(passed)
            .unwrap_or(u64::MAX)
            .saturating_add(1)
            .min(self.total)
    }
}

/// Lets requests go by their plan. Its thread sleeps with the system's clock, because the
/// runtime's timer counts whole milliseconds.
struct Pacer {
    plan: Plan,
    start: Instant,
    /// A permit for each request that may go.
    released: Semaphore,
    /// The number of the next request.
    taken: AtomicU64,
}

impl Pacer {
    /// Releases the plan's requests, then wakes up to `surplus` workers that wait for more.
    #[expect(
        clippy::disallowed_methods,
        reason = "a thread of its own, outside the runtime"
    )]
    fn release_all(&self, surplus: usize) -> Histogram<u64> {
        let mut lag = histogram();
        let mut released = 0;
        while released < self.plan.total {
            let elapsed = self.start.elapsed();
            let intended = self.plan.intended(released);
            if let Some(wait) = intended.checked_sub(elapsed).filter(|wait| !wait.is_zero()) {
                thread::sleep(wait);
                continue;
            }
            lag.saturating_record(nanoseconds(elapsed.saturating_sub(intended)));
            let due = self.plan.due(elapsed).max(released + 1);
            self.released
                .add_permits(usize::try_from(due - released).unwrap_or(1));
            released = due;
        }
        self.released.add_permits(surplus);
        lag
    }

    /// The intended time of the next request, once it may go; `None` when all have gone.
    async fn next(&self) -> Option<Instant> {
        self.released.acquire().await.ok()?.forget();
        let index = self.taken.fetch_add(1, Ordering::Relaxed);
        (index < self.plan.total).then(|| self.start + self.plan.intended(index))
    }
}

/// One connection's share of a phase.
struct Worker {
    load: Arc<Load>,
    connection: Connection,
    request: Vec<u8>,
    tally: Tally,
}

impl Worker {
    fn new(load: &Arc<Load>, connection: Connection) -> Self {
        let request = load.template.copy();
        Self {
            load: Arc::clone(load),
            connection,
            request,
            tally: Tally::new(),
        }
    }

    /// The closed loop: at least one exchange; only what ends within the phase is counted.
    async fn until(mut self, deadline: Instant) -> Tally {
        let mut sent = Instant::now();
        loop {
            let outcome = self.exchange().await;
            let now = Instant::now();
            match outcome {
                Ok(()) if now <= deadline => self.tally.complete(now - sent),
                Ok(()) => {}
                Err(failure) => {
                    if !self.survives(failure).await {
                        break;
                    }
                }
            }
            if now >= deadline {
                break;
            }
            sent = now;
        }
        self.tally
    }

    /// The open loop: latency counts from the intended time.
    async fn paced(mut self, pacer: Arc<Pacer>) -> Tally {
        while let Some(intended) = pacer.next().await {
            match self.exchange().await {
                Ok(()) => self.tally.complete(intended.elapsed()),
                Err(failure) => {
                    if !self.survives(failure).await {
                        break;
                    }
                }
            }
        }
        self.tally
    }

    async fn exchange(&mut self) -> Result<(), Failure> {
        self.load.template.renew(&mut self.request);
        self.connection
            .exchange(&self.request)
            .await?
            .check(self.load.expected)
    }

    /// Counts a failure; false when there is no connection to go on with.
    async fn survives(&mut self, failure: Failure) -> bool {
        self.tally.fail(failure);
        if !failure.breaks_connection() {
            return true;
        }
        match Connection::open(self.load.address).await {
            Ok(connection) => {
                self.connection = connection;
                true
            }
            Err(error) => {
                self.tally.fail(error.into());
                false
            }
        }
    }
}

async fn connect(load: &Load) -> Result<Vec<Connection>, Error> {
    let mut connections = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        let opened = timeout(GRACE, Connection::open(load.address)).await;
        let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        connections.push(opened.map_err(|error| {
            Error::Bench(format!("no connection to {}: {error}", load.address))
        })?);
    }
    Ok(connections)
}

/// Runs the workers as tasks and adds up what they counted.
async fn gather<F>(workers: impl Iterator<Item = F>, span: Duration) -> Result<Tally, Error>
where
    F: Future<Output = Tally> + Send + 'static,
{
    let mut tasks: JoinSet<Tally> = workers.collect();
    let all = async {
        let mut sum = Tally::new();
        while let Some(tally) = tasks.join_next().await {
            let tally = tally.map_err(|error| Error::Bench(format!("a worker failed: {error}")))?;
            sum.add(&tally);
        }
        Ok(sum)
    };
    let hung = |_| {
        Error::Bench(format!(
            "answers are missing {GRACE:?} after the phase's end"
        ))
    };
    timeout(span + GRACE, all).await.map_err(hung)?
}

#[cfg(test)]
mod tests;
