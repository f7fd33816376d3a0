//! The door: who is in, who waits, and who is let in next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::adaptive::{Adaptive, Call};
use super::queue::{DeadlineQueue, Ticket};
use super::{ConcurrencyConfig, ConcurrencyStats, Ended};
use crate::{Error, ErrorKind, Provider};

/// Gauge: calls that may be under way at once. Labels `provider` and `model`, as all here.
pub const CONCURRENCY_LIMIT: &str = "llm_concurrency_limit";
/// Gauge: calls that are under way.
pub const CONCURRENCY_IN_FLIGHT: &str = "llm_concurrency_in_flight";
/// Gauge: calls that wait.
pub const CONCURRENCY_QUEUE: &str = "llm_concurrency_queue";
/// Histogram, seconds: how long calls waited that were let in.
pub const CONCURRENCY_WAIT: &str = "llm_concurrency_wait_seconds";
/// Counter: calls refused. Also labelled with the `reason`: `full`, `deadline` (it would not
/// be served in time) or `expired` (it waited in vain).
pub const CONCURRENCY_REFUSALS: &str = "llm_concurrency_refusals_total";

/// The longest pause, whatever the provider asks for, and the longest that a refused call is
/// told to stay away.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// The shortest that it is told.
const MIN_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A limit on calls to one model of one provider.
pub(super) struct Gate {
    state: Mutex<State>,
    max_wait: Duration,
    provider: &'static str,
    model: String,
}

struct State {
    limit: Adaptive,
    in_flight: usize,
    queue: DeadlineQueue<oneshot::Sender<Permit>>,
    paused_until: Option<Instant>,
    /// Whether a task waits for the end of a pause.
    waking: bool,
}

/// A place among the calls under way, until it is dropped.
pub(super) struct Permit {
    /// Gone once the place is given back.
    gate: Option<Arc<Gate>>,
    started: Instant,
    borne: bool,
}

/// A place in the queue, until it is dropped.
struct Waiting<'a> {
    gate: &'a Gate,
    ticket: Ticket,
}

/// What becomes of a call at the door.
enum Arrival {
    In(Permit),
    Wait(Ticket, oneshot::Receiver<Permit>),
    Refused(&'static str, Duration),
}

impl Gate {
    pub(super) fn new(config: ConcurrencyConfig, provider: Provider, model: &str) -> Arc<Self> {
        let capacity = usize::try_from(config.queue.max(1)).unwrap_or(usize::MAX);
        let gate = Self {
            state: Mutex::new(State {
                limit: Adaptive::new(&config),
                in_flight: 0,
                queue: DeadlineQueue::new(capacity),
                paused_until: None,
                waking: false,
            }),
            max_wait: config.max_wait,
            provider: provider.as_str(),
            model: model.to_owned(),
        };
        gate.publish(&gate.state());
        Arc::new(gate)
    }

    pub(super) fn stats(&self) -> ConcurrencyStats {
        self.state().stats()
    }

    /// Waits for a place, by a deadline where there is one.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        deadline: Option<Instant>,
    ) -> Result<Permit, Error> {
        let arrived = Instant::now();
        let longest = arrived.checked_add(self.max_wait).unwrap_or(arrived);
        let limit = deadline.map_or(longest, |at| at.min(longest));
        match self.arrive(arrived, limit, deadline) {
            Arrival::In(permit) => {
                self.waited(Duration::ZERO);
                Ok(permit)
            }
            Arrival::Refused(reason, wait) => Err(self.refuse(reason, wait)),
            Arrival::Wait(ticket, granted) => {
                let place = Waiting { gate: self, ticket };
                // The limit may have grown with time alone: a bound of the account's is over.
                self.let_in();
                let permit = timeout_at(limit, granted).await;
                drop(place);
                match permit {
                    Ok(Ok(permit)) => {
                        self.waited(arrived.elapsed());
                        Ok(permit)
                    }
                    // Nobody throws a place in the queue away, so that an error is a time-out.
                    Ok(Err(_)) | Err(_) => {
                        let wait = self.state().expected_wait(Instant::now(), usize::MAX);
                        Err(self.refuse("expired", wait))
                    }
                }
            }
        }
    }

    fn arrive(
        self: &Arc<Self>,
        now: Instant,
        limit: Instant,
        deadline: Option<Instant>,
    ) -> Arrival {
        let mut state = self.state();
        if state.queue.len() == 0 && state.has_room(now) {
            state.in_flight += 1;
            self.publish(&state);
            return Arrival::In(Permit::new(self, now));
        }
        let ahead = state.queue.ahead_of(limit);
        let wait = state.expected_wait(now, ahead);
        // One with a deadline has to be finished by then, not only begun.
        let service = deadline.map_or(Duration::ZERO, |_| state.limit.call_time());
        if state.queue.is_full() {
            return Arrival::Refused("full", state.expected_wait(now, usize::MAX));
        }
        if wait + service > limit.saturating_duration_since(now) {
            return Arrival::Refused("deadline", wait);
        }
        let (grant, granted) = oneshot::channel();
        match state.queue.push(limit, grant) {
            Ok(ticket) => {
                self.publish(&state);
                Arrival::Wait(ticket, granted)
            }
            Err(_) => Arrival::Refused("full", wait),
        }
    }

    /// Lets in who may come in. Grants are handed over after the lock is let go: one that
    /// nobody takes any more comes back here by its drop.
    fn let_in(self: &Arc<Self>) {
        let now = Instant::now();
        let mut grants = Vec::new();
        {
            let mut state = self.state();
            while state.has_room(now)
                && let Some(grant) = state.queue.pop()
            {
                state.in_flight += 1;
                grants.push(grant);
            }
            self.publish(&state);
        }
        for grant in grants {
            let _ = grant.send(Permit::new(self, now));
        }
    }

    /// A call goes on, and the provider bears it.
    fn borne(self: &Arc<Self>) {
        {
            let mut state = self.state();
            let in_flight = state.in_flight;
            state.limit.borne(in_flight);
        }
        self.let_in();
    }

    /// Takes a permit back and learns from its call.
    fn release(self: &Arc<Self>, started: Instant, borne: bool, ended: &Ended) {
        let now = Instant::now();
        {
            let mut state = self.state();
            let call = Call {
                started,
                signal: ended.signal,
                usage: ended.tokens,
                in_flight: state.in_flight,
                borne,
            };
            state.in_flight = state.in_flight.saturating_sub(1);
            state.limit.ended(&call, now);
            let told = ended
                .limits
                .and_then(|limits| state.limit.told(&limits, now));
            if let Some(pause) = ended.pause.max(told) {
                self.pause(&mut state, now, pause);
            }
        }
        self.let_in();
    }

    /// Lets nobody in for a while, and has somebody look when it is over.
    fn pause(self: &Arc<Self>, state: &mut State, now: Instant, pause: Duration) {
        let until = now + pause.min(MAX_PAUSE);
        state.paused_until = state.paused_until.max(Some(until));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if !state.waking {
            state.waking = true;
            runtime.spawn(wake(Arc::downgrade(self)));
        }
    }

    fn refuse(&self, reason: &'static str, wait: Duration) -> Error {
        counter!(CONCURRENCY_REFUSALS, "provider" => self.provider, "model" => self.model.clone(),
            "reason" => reason)
        .increment(1);
        let wait = wait.clamp(MIN_RETRY_AFTER, MAX_PAUSE);
        Error::new(ErrorKind::Saturated).with_retry_after(Some(wait))
    }

    fn waited(&self, time: Duration) {
        histogram!(CONCURRENCY_WAIT, "provider" => self.provider, "model" => self.model.clone())
            .record(time.as_secs_f64());
    }

    fn publish(&self, state: &State) {
        let stats = state.stats();
        for (name, value) in [
            (CONCURRENCY_LIMIT, stats.limit),
            (CONCURRENCY_IN_FLIGHT, stats.in_flight),
            (CONCURRENCY_QUEUE, stats.queued),
        ] {
            gauge!(name, "provider" => self.provider, "model" => self.model.clone())
                .set(f64::from(u32::try_from(value).unwrap_or(u32::MAX)));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stats(&self) -> ConcurrencyStats {
        ConcurrencyStats {
            limit: self.limit.current(Instant::now()),
            in_flight: self.in_flight,
            queued: self.queue.len(),
        }
    }

    fn has_room(&self, now: Instant) -> bool {
        let paused = self.paused_until.is_some_and(|until| now < until);
        !paused && self.in_flight < self.limit.current(now)
    }

    /// How long one waits with so many ahead (at most as many as there are): the rest of a
    /// pause, and a share of a call's time for each.
    fn expected_wait(&self, now: Instant, ahead: usize) -> Duration {
        let pause = self
            .paused_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let ahead = u32::try_from(ahead.min(self.queue.len())).unwrap_or(u32::MAX);
        let limit = u32::try_from(self.limit.current(now)).unwrap_or(u32::MAX);
        let turns = self
            .limit
            .call_time()
            .saturating_mul(ahead.saturating_add(1));
        pause.saturating_add(turns / limit.max(1))
    }
}

/// Waits for the end of the pause, also of one that was made longer, and lets in who waits.
async fn wake(gate: Weak<Gate>) {
    loop {
        let until = match gate.upgrade() {
            None => return,
            Some(gate) => {
                let mut state = gate.state();
                match state.paused_until {
                    Some(until) if Instant::now() < until => until,
                    _ => {
                        state.waking = false;
                        state.paused_until = None;
                        drop(state);
                        gate.let_in();
                        return;
                    }
                }
            }
        };
        sleep_until(until).await;
    }
}

impl Permit {
    fn new(gate: &Arc<Gate>, started: Instant) -> Self {
        Self {
            gate: Some(Arc::clone(gate)),
            started,
            borne: false,
        }
    }

    /// Tells, while the call goes on, that the provider bears it.
    pub(super) fn borne(&mut self) {
        self.borne = true;
        if let Some(gate) = &self.gate {
            gate.borne();
        }
    }

    /// Gives the place back with what the call's end says.
    pub(super) fn finish(mut self, ended: &Ended) {
        self.give_back(ended);
    }

    fn give_back(&mut self, ended: &Ended) {
        if let Some(gate) = self.gate.take() {
            gate.release(self.started, self.borne, ended);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(&Ended::default());
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        if state.queue.remove(&self.ticket).is_some() {
            self.gate.publish(&state);
        }
    }
}
