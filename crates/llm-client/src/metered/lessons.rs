//! What calls teach about tokens, times and costs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::Inner;
use crate::{CountMethod, Observed, Request, TokenEstimate, Usage};

/// Calls that are all counted by the tokenizer after they ended; later one in so many is.
const FIRST: u64 = 16;
const EVERY: u64 = 32;
/// At least so long lies between two of the later ones: a count takes a core for milliseconds, in
/// which those who are answered there wait.
const PAUSE: Duration = Duration::from_secs(5);

/// What a call teaches.
#[derive(Debug)]
pub(super) struct Lesson {
    pub(super) operation: &'static str,
    pub(super) model: String,
    pub(super) estimate: TokenEstimate,
    /// The request, where the tokenizer's count of it is to be compared with the figures.
    pub(super) request: Option<Request>,
    pub(super) usage: Usage,
    pub(super) observed: Observed,
}

/// Which calls the tokenizer counts for what their figures teach about it.
#[derive(Debug, Default)]
pub(super) struct Lessons(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// Calls so far.
    calls: u64,
    /// The first call that may be counted again, and when at the earliest.
    next: Option<(u64, Instant)>,
}

impl Lessons {
    /// The first ones all, then one in 32, but none within five seconds of another.
    pub(super) fn due(&self, now: Instant) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let call = counted.calls;
        counted.calls += 1;
        let due = call < FIRST
            || counted
                .next
                .is_none_or(|(from, at)| call >= from && now >= at);
        if due {
            counted.next = Some((call + EVERY, now + PAUSE));
        }
        due
    }
}

impl Lesson {
    /// Takes it in: the figures here and now, which takes microseconds, while a task for them
    /// would wake another thread before the caller has its answer; the tokenizer counts elsewhere.
    pub(super) fn take_in(self, meter: &Arc<Inner>, runtime: &Handle) {
        let model = self.model.as_str();
        meter.tokens.observe(model, &self.estimate, &self.usage);
        let predictor = &meter.predictor;
        predictor.observe(self.operation, model, &self.observed);
        let Some(request) = self.request else {
            return;
        };
        let (learner, model, usage) = (Arc::clone(meter), self.model, self.usage);
        let count = move || {
            let counted = learner.tokens.estimate(&model, &request);
            if counted.method != CountMethod::Characters {
                learner.tokens.observe(&model, &counted, &usage);
            }
        };
        // It doesn't panic, and a runtime that shuts down has no more use for it; where too much
        // is under way it isn't counted.
        let counted = async { spawn_blocking(count).await.unwrap_or_default() };
        let _ = meter.detached.run(runtime, counted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_calls_teach_then_one_in_32_and_none_within_five_seconds_of_another() {
        let (lessons, start) = (Lessons::default(), Instant::now());
        let due = |calls: u64, at: Duration| {
            let due = |_: &u64| lessons.due(start + at);
            (0..calls).filter(due).count()
        };
        assert_eq!(due(FIRST, Duration::ZERO), 16);
        // Many at once: none of them, until the time has come.
        assert_eq!(due(10_000, PAUSE - Duration::from_millis(1)), 0);
        assert_eq!(due(10_000, PAUSE), 1);
        // Few: one in 32, whatever the time between them.
        let minutes = |minute: u64| Duration::from_secs(60 * minute);
        let counted: usize = (1..=320).map(|minute| due(1, minutes(minute))).sum();
        assert_eq!(counted, 10);
    }
}
