//! What calls teach about tokens, times and costs: taken in together, a moment after the callers
//! have their answers.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::Inner;
use crate::{CountMethod, Observed, Request, TokenEstimate, Usage};

/// Calls that are all counted by the tokenizer after they ended; later one in so many is.
const FIRST: u64 = 16;
const EVERY: u64 = 32;

/// For so long after the first of them lessons wait for each other: a task for each would wake
/// another thread while its caller still waits for the answer.
const TOGETHER: Duration = Duration::from_millis(10);

/// Lessons that wait. What comes beyond isn't learned from.
const MOST: usize = 4_096;

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

/// What wasn't taken in yet, and which calls the tokenizer counts for what their figures teach
/// about it.
#[derive(Debug, Default)]
pub(super) struct Lessons {
    calls: AtomicU64,
    waiting: Mutex<Vec<Lesson>>,
}

impl Lessons {
    /// Whether the tokenizer counts this call: the first ones all, then one in 32.
    pub(super) fn due(&self) -> bool {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        call < FIRST || call.is_multiple_of(EVERY)
    }

    /// Has a lesson taken in with the next.
    pub(super) fn add(meter: &Arc<Inner>, runtime: &Handle, lesson: Lesson) {
        let first = {
            let mut waiting = meter.lessons.waiting();
            if waiting.len() >= MOST {
                return;
            }
            waiting.push(lesson);
            waiting.len() == 1
        };
        if !first {
            return;
        }
        let taker = Arc::clone(meter);
        let work = async move {
            sleep(TOGETHER).await;
            let lessons = mem::take(&mut *taker.lessons.waiting());
            for lesson in lessons {
                lesson.take_in(&taker).await;
            }
        };
        if !meter.detached.run(runtime, work) {
            meter.lessons.waiting().clear();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Lesson>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lesson {
    async fn take_in(self, meter: &Arc<Inner>) {
        let model = self.model.as_str();
        meter.tokens.observe(model, &self.estimate, &self.usage);
        let predictor = &meter.predictor;
        predictor.observe(self.operation, model, &self.observed);
        let Some(request) = self.request else {
            return;
        };
        let (meter, model, usage) = (Arc::clone(meter), self.model, self.usage);
        let count = move || {
            let counted = meter.tokens.estimate(&model, &request);
            if counted.method != CountMethod::Characters {
                meter.tokens.observe(&model, &counted, &usage);
            }
        };
        // It doesn't panic, and a runtime that shuts down has no more use for it.
        let _ = tokio::task::spawn_blocking(count).await;
    }
}
