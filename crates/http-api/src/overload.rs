//! Refusing requests while there is more to do than the cores can.
//!
//! The bound on requests in flight can't see that: what is answered without waiting is never
//! many at once, while those who are behind wait in their sockets. What they wait is seen by a
//! task that asks to be woken at a time and looks how late it is, and how long the first waits whose
//! turn it isn't yet ([`Turns`]).
//!
//! One stall, however long, refuses nobody: only a delay that stands for [`STANDING`] without
//! ebbing away is too much (as in CoDel, RFC 8289), and only where the workers were busy meanwhile:
//! on a machine that gives them no processor an idle service is late as well. Time for which the
//! machine did something else says nothing, as long as there isn't too much of it, and where many stand in
//! line it is the line's length that ebbs. From then on far less is borne, and whoever comes while the
//! runtime is late is refused: that costs little, and the line is short again at once. It is over when
//! hardly any look is late. One that comes back soon after is the same one, which was only held down: it
//! is known much sooner, and lasts longer.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use metrics::Counter;
use observability::HttpMetrics;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::offload::Offload;
use crate::turns::Turns;

/// Between two looks where nothing is late, and where something is.
const CALM: Duration = Duration::from_millis(20);
const CLOSE: Duration = Duration::from_millis(1);
/// How long a delay is borne that doesn't ebb away: all who come meanwhile are let in, and make one of
/// a hundred answers of the seconds after.
const STANDING: Duration = Duration::from_millis(40);
/// The same where an overload has ended lately.
const STANDING_AGAIN: Duration = Duration::from_millis(20);
/// What of the past counts as lately.
const LATELY: Duration = Duration::from_secs(2);
/// What is left of a delay after that time counts as ebbing below this part: of 200 ms, at 60 % of what
/// the cores can, 92 % are left.
const EBB: f64 = 0.94;
/// A delay that has fallen by this part of the time that passed ebbs as well: of 500 ms hardly anything
/// is gone after [`STANDING`], at 60 % of what the cores can 0.4 of it.
const FALL: f64 = 0.2;
/// The part of a time that the process must have run for, by the system's account, to say anything.
const RAN: f64 = 0.8;
/// So much in a row may say nothing. More isn't a stall but a machine that is too small, or shared.
const UNSAID: Duration = Duration::from_millis(500);
/// The part of that time that the workers must have been busy.
const BUSY: f64 = 0.7;
/// Tasks in the common queue from which on the runtime counts as late as well. They are there when a
/// worker's own queue is full, and wait behind the look, which has a place in that one.
const CROWD: usize = 16;
/// What part of the bound is borne while there is an overload: an answer waits in line several times
/// until it is whole.
const STRICT: u32 = 5;
/// So many times that is borne of waiting for a turn: that is done once, standing in the runtime's
/// line at each of an answer's steps.
const ONCE: u32 = 3;
/// No less: the runtime's timers are late by up to a millisecond by themselves.
const FINEST: Duration = Duration::from_millis(2);
/// Where of all looks in this time fewer than one of so many was late, the overload is over.
const RELIEVED: Duration = Duration::from_millis(250);
/// The same of one that has come back.
const RELIEVED_AGAIN: Duration = Duration::from_secs(1);
const HARDLY_ANY: u32 = 10;
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
    pub(crate) async fn watch(&self, offload: &Offload, turns: &Turns) {
        self.watch_with(|| Load::of_runtime(offload, turns)).await;
    }

    async fn watch_with(&self, load: impl Fn() -> Load) {
        let Some(bound) = self.bound else { return };
        let mut controller = Controller::new(bound);
        let mut pause = CALM;
        loop {
            let due = Instant::now() + pause;
            sleep_until(due).await;
            let at = Instant::now();
            let load = load();
            let look = Look {
                at,
                late: at.saturating_duration_since(due).max(load.waited / ONCE),
                load,
            };
            let refuses = controller.look(look);
            self.refusing.store(refuses, Ordering::Relaxed);
            pause = controller.pause();
        }
    }
}

/// What the runtime says of itself.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    /// How long a worker has been busy since the start, on the average.
    busy: Duration,
    /// What the process had of the processor since the start, for each worker; nothing where the system
    /// doesn't tell.
    ran: Option<Duration>,
    /// Tasks in the workers' common queue, and work that waits for another thread.
    queued: usize,
    /// How many wait for their turn to compute, and how long the first has.
    waiting: usize,
    waited: Duration,
}

impl Load {
    fn of_runtime(offload: &Offload, turns: &Turns) -> Self {
        let metrics = Handle::current().metrics();
        let workers = metrics.num_workers();
        let busy: Duration = (0..workers)
            .map(|worker| metrics.worker_total_busy_duration(worker))
            .sum();
        let count = u32::try_from(workers.max(1)).unwrap_or(u32::MAX);
        Self {
            busy: busy / count,
            ran: Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))
                .ok()
                .map(|ran| ran / count),
            queued: metrics.global_queue_depth() + offload.waiting(),
            waiting: turns.waiting(),
            waited: turns.waited(),
        }
    }

    /// All who are known to stand in some line.
    fn backlog(&self) -> usize {
        self.queued + self.waiting
    }
}

/// What was found at a time.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    late: Duration,
    load: Load,
}

impl Look {
    /// Whether an earlier delay is going away by itself.
    fn is_ebb_of(&self, earlier: &Self) -> bool {
        // Who came in a stall all began to wait when it was over: the line gets shorter, and
        // whoever is its first has waited for longer, until the last of them is through.
        let (now, then) = (self.load.backlog(), earlier.load.backlog());
        if then > CROWD {
            return now as f64 <= then as f64 * EBB;
        }
        let fall = self.at.duration_since(earlier.at).mul_f64(FALL);
        let falls = self.late <= earlier.late.mul_f64(EBB) || self.late + fall <= earlier.late;
        falls && now <= then
    }

    /// Whether the machine did something else for a good part of the time since.
    fn is_after_a_stall_since(&self, earlier: &Self) -> bool {
        let span = self.at.duration_since(earlier.at);
        let ran = self.load.ran.zip(earlier.load.ran);
        ran.is_some_and(|(now, then)| now.saturating_sub(then) < span.mul_f64(RAN))
    }
}

/// From delays to whether requests are refused.
#[derive(Debug)]
struct Controller {
    bound: Duration,
    /// The first of those looks in a row that were late, and are judged together.
    since: Option<Look>,
    /// How much of the delay's time has said nothing.
    unsaid: Duration,
    overloaded: bool,
    /// The latest looks of an overload.
    recent: Option<Recent>,
    /// When the last overload ended.
    ended: Option<Instant>,
    /// Whether this one has come back.
    again: bool,
}

/// Looks that are counted together.
#[derive(Debug)]
struct Recent {
    since: Instant,
    looks: u32,
    late: u32,
}

impl Recent {
    fn since(at: Instant) -> Self {
        Self {
            since: at,
            looks: 0,
            late: 0,
        }
    }
}

impl Controller {
    fn new(bound: Duration) -> Self {
        Self {
            bound,
            since: None,
            unsaid: Duration::ZERO,
            overloaded: false,
            recent: None,
            ended: None,
            again: false,
        }
    }

    /// Whether requests are refused until the next look.
    fn look(&mut self, look: Look) -> bool {
        let borne = match self.overloaded {
            true => (self.bound / STRICT).max(FINEST),
            false => self.bound,
        };
        let late = look.late > borne || look.load.queued > CROWD;
        if late {
            let first = self.since.get_or_insert(look);
            // Right after a stall hardly anybody has come yet.
            if look.load.backlog() > first.load.backlog() {
                (first.load.queued, first.load.waiting) = (look.load.queued, look.load.waiting);
            }
            let first = *first;
            let span = look.at.duration_since(first.at);
            let lately = self.ended.is_some_and(|ended| look.at - ended < LATELY);
            let standing = match !self.overloaded && lately {
                true => STANDING_AGAIN,
                false => STANDING,
            };
            let stalled = !self.overloaded && !lately && look.is_after_a_stall_since(&first);
            if span >= standing && stalled && self.unsaid < UNSAID {
                self.unsaid += span;
                self.since = Some(look);
            } else if span >= standing {
                let busy = look.load.busy.saturating_sub(first.load.busy) >= span.mul_f64(BUSY);
                let overloaded = busy && (self.overloaded || !look.is_ebb_of(&first));
                self.turn(overloaded, look.at, lately);
                self.since = Some(look);
            }
        } else {
            self.since = None;
            self.unsaid = Duration::ZERO;
        }
        self.relieve(look.at, late);
        self.overloaded && late
    }

    /// Counts a look, and ends an overload in which hardly any was late any more.
    fn relieve(&mut self, at: Instant, late: bool) {
        let Some(recent) = self.recent.as_mut().filter(|_| self.overloaded) else {
            self.recent = self.overloaded.then(|| Recent::since(at));
            return;
        };
        recent.looks += 1;
        recent.late += u32::from(late);
        let relieved = match self.again {
            true => RELIEVED_AGAIN,
            false => RELIEVED,
        };
        if at.duration_since(recent.since) >= relieved {
            let overloaded = recent.late * HARDLY_ANY > recent.looks;
            self.turn(overloaded, at, false);
            self.recent = self.overloaded.then(|| Recent::since(at));
        }
    }

    /// Remembers when an overload ends, and whether one that begins was there lately.
    fn turn(&mut self, overloaded: bool, at: Instant, lately: bool) {
        match (self.overloaded, overloaded) {
            (true, false) => self.ended = Some(at),
            (false, true) => self.again = lately,
            _ => {}
        }
        self.overloaded = overloaded;
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
