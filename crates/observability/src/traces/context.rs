//! The trace that a request belongs to, as headers and log lines know it.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{SpanId, TraceContextExt as _, TraceId};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// What W3C asks everybody to pass on; more is dropped, as it allows.
const MAX_TRACESTATE_BYTES: usize = 512;

/// Makes `span` a part of the trace that a request's `traceparent` and `tracestate` name. A
/// header that is malformed or there twice is as good as none. Call it before `span` is entered.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() {
        return;
    }
    let Some(traceparent) = only(headers, &TRACEPARENT) else {
        return;
    };
    let mut taken = HeaderMap::with_capacity(2);
    taken.insert(TRACEPARENT, traceparent.clone());
    let tracestate = only(headers, &TRACESTATE);
    if let Some(state) = tracestate.filter(|state| state.len() <= MAX_TRACESTATE_BYTES) {
        taken.insert(TRACESTATE, state.clone());
    }
    let context = TraceContextPropagator::new().extract(&HeaderExtractor(&taken));
    if context.span().span_context().is_valid() {
        // It fails only where nobody traces, or the span was entered: then it stays its own.
        let _ = span.set_parent(context);
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Writes the current span's `traceparent` and `tracestate` into the headers of a request to
/// another service. Does nothing where nobody traces.
pub fn inject(headers: &mut HeaderMap) {
    Context::map_current(|current| {
        if current.span().span_context().is_valid() {
            TraceContextPropagator::new().inject_context(current, &mut HeaderInjector(headers));
        }
    });
}

/// Marks `span` as failed, by a word that is one of few: it then keeps its whole trace.
pub fn mark_failed(span: &Span, kind: &'static str) {
    if !span.is_disabled() {
        span.set_attribute("error.type", kind);
        span.set_status(opentelemetry::trace::Status::error(kind));
    }
}

/// The current span, for log lines.
pub(crate) fn ids() -> Option<(TraceId, SpanId)> {
    Context::map_current(|current| {
        let span = current.span();
        let context = span.span_context();
        context
            .is_valid()
            .then(|| (context.trace_id(), context.span_id()))
    })
}
