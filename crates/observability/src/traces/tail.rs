//! Deciding on a trace when its root ends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::Counter;
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, Status, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::export::{Queue, dropped};

/// Traces whose root hasn't ended yet; over that, the oldest one is given up.
const MAX_TRACES: usize = 4_096;
/// Spans of one of them, beside its root.
const MAX_SPANS_PER_TRACE: usize = 256;
/// Spans of all of them.
const MAX_SPANS: usize = 32_768;

/// Holds the spans of a trace until its root has ended, and then keeps all of them or none.
///
/// The root ends last: `tracing` closes a span only after those below it.
#[derive(Debug)]
pub(super) struct Tail {
    slow: Duration,
    queue: Arc<Queue>,
    open: Mutex<Open>,
    unsampled: Dropped,
    buffer_full: Dropped,
}

/// A counter, which has no `Debug` of its own.
struct Dropped(Counter);

impl std::fmt::Debug for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dropped")
    }
}

impl Dropped {
    fn count(&self, spans: usize) {
        self.0.increment(spans as u64);
    }
}

#[derive(Debug, Default)]
struct Open {
    traces: HashMap<TraceId, Trace>,
    /// In the order that they began in; ended ones are cleared away now and then.
    order: VecDeque<TraceId>,
    spans: usize,
}

#[derive(Debug, Default)]
struct Trace {
    spans: Vec<SpanData>,
    failed: bool,
}

impl Open {
    /// Takes a span in; says how many spans found no place.
    fn add(&mut self, span: SpanData, failed: bool) -> usize {
        let id = span.span_context.trace_id();
        let mut lost = 0;
        if !self.traces.contains_key(&id) {
            while self.traces.len() >= MAX_TRACES {
                lost += self.give_up_oldest();
            }
            if self.order.len() >= 2 * MAX_TRACES {
                let traces = &self.traces;
                self.order.retain(|id| traces.contains_key(id));
            }
            self.order.push_back(id);
        }
        while self.spans >= MAX_SPANS {
            lost += self.give_up_oldest();
        }
        let trace = self.traces.entry(id).or_default();
        trace.failed |= failed;
        if trace.spans.len() >= MAX_SPANS_PER_TRACE {
            return lost + 1;
        }
        trace.spans.push(span);
        self.spans += 1;
        lost
    }

    fn give_up_oldest(&mut self) -> usize {
        match self.order.pop_front() {
            Some(id) => self.take(id).spans.len(),
            None => {
                // Every trace is in the order; without one there is nothing left.
                self.traces.clear();
                std::mem::take(&mut self.spans)
            }
        }
    }

    fn take(&mut self, id: TraceId) -> Trace {
        let trace = self.traces.remove(&id).unwrap_or_default();
        self.spans -= trace.spans.len();
        trace
    }
}

impl Tail {
    pub(super) fn new(slow: Duration, queue: Arc<Queue>) -> Self {
        Self {
            slow,
            queue,
            open: Mutex::default(),
            unsampled: Dropped(dropped("unsampled")),
            buffer_full: Dropped(dropped("buffer_full")),
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, root: SpanData, failed: bool) {
        let mut trace = self.open().take(root.span_context.trace_id());
        let took = root.end_time.duration_since(root.start_time);
        let slow = took.is_ok_and(|took| took >= self.slow);
        let keep = root.span_context.is_sampled() || failed || trace.failed || slow;
        trace.spans.push(root);
        if keep {
            self.queue.offer(trace.spans);
        } else {
            self.unsampled.count(trace.spans.len());
        }
    }
}

/// Whether a span failed: by its status, or, as the conventions have it, by its `error.type`.
fn failed(span: &mut SpanData) -> bool {
    if matches!(span.status, Status::Error { .. }) {
        return true;
    }
    let kind = span
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == "error.type");
    let Some(kind) = kind else { return false };
    span.status = Status::error(kind.value.to_string());
    true
}

impl SpanProcessor for Tail {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        let failed = failed(&mut span);
        if span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote {
            self.end(span, failed);
            return;
        }
        let lost = self.open().add(span, failed);
        if lost > 0 {
            self.buffer_full.count(lost);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
