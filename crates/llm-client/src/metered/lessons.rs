//! What calls teach about tokens, times and costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::Inner;
use crate::{CountMethod, Observed, Request, TokenEstimate, Usage};

/// Calls that are all counted by the tokenizer after they ended; later one in so many is.
const FIRST: u64 = 16;
const EVERY: u64 = 32;

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
pub(super) struct Lessons(AtomicU64);

impl Lessons {
    /// The first ones all, then one in 32.
    pub(super) fn due(&self) -> bool {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        call < FIRST || call.is_multiple_of(EVERY)
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
