//! Refusing requests while there is more to do than the cores can.
//!
//! The bound on requests in flight can't see that: what is answered without waiting is never
//! many at once, while those who are behind wait in their sockets. What they wait is seen by a
//! task that asks to be woken at a time and looks how late it is.
//!
//! One stall, however long, refuses nobody: only a delay that stands for [`STANDING`] without
//! ebbing away is too much (CoDel, RFC 8289), and only where the workers were busy meanwhile: on
//! a machine that gives them no processor an idle service is late as well. From then on whoever
//! comes while the runtime is late is refused, which is soon over as a refusal costs little, until
//! nobody was late for [`RELIEVED`].

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use metrics::Counter;
use observability::HttpMetrics;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

/// Between two looks where nothing is late, and where something is.
const CALM: Duration = Duration::from_millis(20);
const CLOSE: Duration = Duration::from_millis(5);
/// How long a delay is borne that doesn't ebb away.
const STANDING: Duration = Duration::from_millis(100);
/// What is left of a delay after that time counts as ebbing below this part.
const EBB: f64 = 0.85;
/// The part of that time that the workers must have been busy.
const BUSY: f64 = 0.7;
/// After so long without a delay there is no overload any more.
const RELIEVED: Duration = Duration::from_millis(250);
/// One of so many is let in also then: where refusing alone takes all there is, somebody still
/// gets an answer.
const LET_IN: u32 = 32;

/// Whether requests are refused now.
#[derive(Debug)]
pub(crate) struct Overload {
    /// The delay that is borne; none where all are.
    bound: Option<Duration>,
    refusing: AtomicBool,
    asked: AtomicU32,
    refused: Counter,
}

impl Overload {
    /// Bears so much delay; zero: whatever it is.
    pub(crate) fn new(bound: Duration) -> Self {
        Self {
            bound: (!bound.is_zero()).then_some(bound),
            refusing: AtomicBool::new(false),
            asked: AtomicU32::new(0),
            refused: HttpMetrics::refused("overload"),
        }
    }

    /// Whether this request is one of those that are refused.
    pub(crate) fn refuses(&self) -> bool {
        if !self.refusing.load(Ordering::Relaxed) {
            return false;
        }
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let refuses = !asked.is_multiple_of(LET_IN);
        if refuses {
            self.refused.increment(1);
        }
        refuses
    }

    /// Looks for ever, where delays are bounded.
    pub(crate) async fn watch(&self) {
        self.watch_with(busy).await;
    }

    async fn watch_with(&self, busy: impl Fn() -> Duration) {
        let Some(bound) = self.bound else { return };
        let mut controller = Controller::new(bound);
        let mut pause = CALM;
        loop {
            let due = Instant::now() + pause;
            sleep_until(due).await;
            let at = Instant::now();
            let look = Look {
                at,
                late: at.saturating_duration_since(due),
                busy: busy(),
            };
            let refuses = controller.look(look);
            self.refusing.store(refuses, Ordering::Relaxed);
            pause = controller.pause();
        }
    }
}

/// The time that a worker of this runtime has been busy since its start, on the average.
fn busy() -> Duration {
    let metrics = Handle::current().metrics();
    let workers = metrics.num_workers();
    let all: Duration = (0..workers)
        .map(|worker| metrics.worker_total_busy_duration(worker))
        .sum();
    all / u32::try_from(workers.max(1)).unwrap_or(u32::MAX)
}

/// What was found at a time.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    late: Duration,
    busy: Duration,
}

/// From delays to whether requests are refused.
#[derive(Debug)]
struct Controller {
    bound: Duration,
    /// The first of those looks in a row that were late, and are judged together.
    since: Option<Look>,
    last_late: Option<Instant>,
    overloaded: bool,
}

impl Controller {
    fn new(bound: Duration) -> Self {
        Self {
            bound,
            since: None,
            last_late: None,
            overloaded: false,
        }
    }

    /// Whether requests are refused until the next look.
    fn look(&mut self, look: Look) -> bool {
        let late = look.late > self.bound;
        if late {
            self.last_late = Some(look.at);
            let first = *self.since.get_or_insert(look);
            let span = look.at.duration_since(first.at);
            if span >= STANDING {
                let ebbs = look.late < first.late.mul_f64(EBB);
                let busy = look.busy.saturating_sub(first.busy) >= span.mul_f64(BUSY);
                self.overloaded = busy && (self.overloaded || !ebbs);
                self.since = Some(look);
            }
        } else {
            self.since = None;
            let last = self.last_late.filter(|_| self.overloaded);
            self.overloaded = last.is_some_and(|last| look.at.duration_since(last) < RELIEVED);
        }
        self.overloaded && late
    }

    /// How long to wait for the next look.
    fn pause(&self) -> Duration {
        match self.overloaded || self.since.is_some() {
            true => CLOSE,
            false => CALM,
        }
    }
}

#[cfg(test)]
mod tests;
