//! The open loop: a thread lets arrivals go at their times, connections answer for them.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::arrivals::{Arrival, Arrivals, Phase, length};
use super::record::{Outcome, Recorder};
use super::traffic::{Kind, Lane};
use crate::bench::client::{Answer, Connection, Failure};
use crate::bench::generator::{histogram, nanoseconds};
use crate::error::Error;

/// How long after the last arrival its answer may come.
const GRACE: Duration = Duration::from_secs(40);
/// The longest that one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(35);
/// A connection that was idle for longer is opened anew: the server is about to close it.
const IDLE_LIMIT: Duration = Duration::from_secs(10);
/// Arrivals that may wait for a connection in one lane; one more is a failure.
const QUEUE: usize = 200_000;

/// What the generator itself has to say.
pub struct Pressed {
    /// How late it let arrivals go, in nanoseconds; a part of every latency.
    pub lag: Histogram<u64>,
    /// Arrivals that found no place to wait for a connection.
    pub unsent: u64,
}

/// Requests on their way from the plan to a connection.
struct Queue {
    waiting: Mutex<VecDeque<Arrival>>,
    released: Semaphore,
}

struct Shared {
    kinds: Arc<Vec<Kind>>,
    recorder: Arc<Recorder>,
    start: Instant,
    queues: Vec<Queue>,
    unsent: AtomicU64,
}

/// Presses with all kinds through all phases, and counts what comes of it.
///
/// # Errors
///
/// [`Error::Bench`] when answers are missing long after the end.
pub async fn press(
    kinds: &Arc<Vec<Kind>>,
    phases: &[Phase],
    seed: u64,
    recorder: &Arc<Recorder>,
) -> Result<Pressed, Error> {
    let queue = |_| Queue {
        waiting: Mutex::default(),
        released: Semaphore::new(0),
    };
    let shared = Arc::new(Shared {
        kinds: Arc::clone(kinds),
        recorder: Arc::clone(recorder),
        start: Instant::now(),
        queues: Lane::ALL.iter().map(queue).collect(),
        unsent: AtomicU64::new(0),
    });
    let shares: Vec<f64> = kinds.iter().map(|kind| kind.share).collect();
    let arrivals = Arrivals::new(phases, &shares, seed);
    let releasing = {
        let shared = Arc::clone(&shared);
        thread::spawn(move || shared.release(arrivals))
    };
    let mut workers = JoinSet::new();
    for lane in Lane::ALL {
        for _ in 0..lane.connections() {
            workers.spawn(Worker::new(&shared, lane).work());
        }
    }
    let all = async { while workers.join_next().await.is_some() {} };
    let limit = length(phases) + GRACE;
    timeout(limit, all)
        .await
        .map_err(|_| Error::Bench(format!("answers are missing {GRACE:?} after the end")))?;
    // The workers have ended, so the thread has let everything go.
    let lag = releasing.join().unwrap_or_else(|_| histogram());
    Ok(Pressed {
        lag,
        unsent: shared.unsent.load(Ordering::Relaxed),
    })
}

impl Shared {
    /// Lets everything go at its time, then wakes the workers to their end.
    #[expect(
        clippy::disallowed_methods,
        reason = "a thread of its own, outside the runtime"
    )]
    fn release(&self, arrivals: Arrivals) -> Histogram<u64> {
        let mut lag = histogram();
        for arrival in arrivals {
            loop {
                let elapsed = self.start.elapsed();
                match arrival.at.checked_sub(elapsed) {
                    Some(wait) if !wait.is_zero() => thread::sleep(wait),
                    _ => {
                        lag.saturating_record(nanoseconds(elapsed.saturating_sub(arrival.at)));
                        break;
                    }
                }
            }
            self.let_go(arrival);
        }
        for (queue, lane) in self.queues.iter().zip(Lane::ALL) {
            queue.released.add_permits(lane.connections());
        }
        lag
    }

    fn let_go(&self, arrival: Arrival) {
        let lane = self.kinds.get(arrival.route).map(|kind| kind.lane);
        let Some(queue) = lane.and_then(|lane| self.queues.get(lane as usize)) else {
            return;
        };
        let mut waiting = queue.waiting();
        if waiting.len() >= QUEUE {
            self.unsent.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.push_back(arrival);
        drop(waiting);
        queue.released.add_permits(1);
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Arrival>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next arrival, once it may go; `None` when all have gone.
    async fn next(&self) -> Option<Arrival> {
        self.released.acquire().await.ok()?.forget();
        self.waiting().pop_front()
    }
}

/// A connection to each server, and who uses it.
struct Worker {
    shared: Arc<Shared>,
    lane: Lane,
    request: Vec<u8>,
    open: Vec<(SocketAddr, Connection, Instant)>,
}

impl Worker {
    fn new(shared: &Arc<Shared>, lane: Lane) -> Self {
        Self {
            shared: Arc::clone(shared),
            lane,
            request: Vec::new(),
            open: Vec::new(),
        }
    }

    async fn work(mut self) {
        let shared = Arc::clone(&self.shared);
        let Some(queue) = shared.queues.get(self.lane as usize) else {
            return;
        };
        while let Some(arrival) = queue.next().await {
            let Some(kind) = shared.kinds.get(arrival.route) else {
                continue;
            };
            let intended = shared.start + arrival.at;
            let ask = timeout(ANSWER_LIMIT, self.ask(kind, intended));
            let outcome = match ask.await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(failure)) => {
                    self.open.retain(|(address, ..)| *address != kind.address);
                    Outcome::Failed(failure)
                }
                Err(_) => {
                    self.open.retain(|(address, ..)| *address != kind.address);
                    Outcome::Failed(Failure::Io(io::ErrorKind::TimedOut))
                }
            };
            let at = shared.start.elapsed();
            shared
                .recorder
                .count(arrival.route, arrival.phase, at, outcome);
        }
    }

    async fn ask(&mut self, kind: &Kind, intended: Instant) -> Result<Outcome, Failure> {
        kind.source.write(&mut self.request);
        let place = self.connection(kind.address).await?;
        let Some((_, connection, used)) = self.open.get_mut(place) else {
            return Err(Failure::Io(io::ErrorKind::NotConnected));
        };
        let mut first = None;
        let answer = if kind.lane == Lane::Stream {
            let begun = || first = Some(intended.elapsed());
            connection.stream(&self.request, begun).await?
        } else {
            connection.exchange(&self.request).await?
        };
        let whole = intended.elapsed();
        *used = Instant::now();
        let outcome = judge(kind, &answer, first.unwrap_or(whole), whole);
        if answer.closes {
            self.open.remove(place);
        }
        Ok(outcome)
    }

    /// The place of an open connection to this server.
    async fn connection(&mut self, address: SocketAddr) -> Result<usize, Failure> {
        let known = self.open.iter().position(|(open, ..)| *open == address);
        if let Some(place) = known {
            let fresh = |(.., used): &(_, _, Instant)| used.elapsed() < IDLE_LIMIT;
            if self.open.get(place).is_some_and(fresh) {
                return Ok(place);
            }
            self.open.remove(place);
        }
        let connection = Connection::open(address).await?;
        self.open.push((address, connection, Instant::now()));
        Ok(self.open.len() - 1)
    }
}

fn judge(kind: &Kind, answer: &Answer<'_>, first: Duration, whole: Duration) -> Outcome {
    match answer.status {
        // A probe says so where a dependency is away, and that is a good answer.
        200 | 207 if kind.is_whole(answer.body) => Outcome::Accepted {
            first,
            whole,
            kept: answer.kept,
        },
        429 | 503 => Outcome::Shed {
            whole,
            told: answer.retry_after,
        },
        200 | 207 => Outcome::Failed(Failure::Malformed("its end is missing")),
        status => Outcome::Failed(Failure::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::hello;
    use crate::bench::targets::get;
    use crate::load::traffic::Source;
    use tokio::net::TcpListener;

    fn kind(address: SocketAddr, lane: Lane, end: &'static str) -> Kind {
        Kind {
            name: "hello",
            share: 1.0,
            lane,
            source: Source::fixed(vec![get("/")]),
            address,
            end,
            yardstick: false,
        }
    }

    async fn pressed(kinds: Vec<Kind>, span: Duration) -> (Arc<Recorder>, Pressed) {
        let phases = [Phase {
            name: "all",
            rate: 2_000.0,
            span,
        }];
        let recorder = Arc::new(Recorder::new(kinds.len(), 1, Duration::from_secs(1)));
        let pressed = press(&Arc::new(kinds), &phases, 3, &recorder).await;
        (recorder, pressed.unwrap())
    }

    #[tokio::test]
    async fn every_arrival_is_answered_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(hello::serve(listener, 16));
        let kinds = vec![
            kind(address, Lane::Quick, ""),
            kind(address, Lane::Stream, ""),
            kind(address, Lane::Slow, "what isn't there"),
        ];
        let span = Duration::from_millis(100);
        let (recorder, pressed) = pressed(kinds, span).await;
        let counts = [0, 1, 2].map(|place| recorder.take(place).0.remove(0));
        let sum: u64 = counts
            .iter()
            .map(|sum| sum.latency.len() + sum.failed())
            .sum();
        let phases = [Phase {
            name: "all",
            rate: 2_000.0,
            span,
        }];
        let planned = Arrivals::new(&phases, &[1.0; 3], 3).count();
        assert_eq!(sum, planned as u64);
        assert_eq!(pressed.lag.len(), planned as u64);
        assert!(counts[0].latency.len() > 30 && counts[0].failed() == 0);
        assert!(counts[1].first.max() <= counts[1].latency.max());
        assert_eq!(counts[2].latency.len(), 0);
        assert_eq!(pressed.unsent, 0);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_fails_every_request_and_nothing_hangs() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let kinds = vec![kind(address, Lane::Quick, "")];
        let (recorder, _) = pressed(kinds, Duration::from_millis(20)).await;
        let sum = recorder.take(0).0.remove(0);
        assert!(sum.failed() > 10 && sum.latency.is_empty());
    }
}
