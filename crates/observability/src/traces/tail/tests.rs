//! What of a trace is kept, and what its bounds are.

use std::time::SystemTime;

use opentelemetry::trace::{
    SpanBuilder, SpanContext, TraceContextExt as _, TraceFlags, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::sync::mpsc;

use super::super::export::Queue;
use super::super::sampler::KeepTrack;
use super::*;

struct Setup {
    tracer: SdkTracer,
    kept: mpsc::Receiver<Vec<SpanData>>,
}

fn setup(ratio: f64) -> Setup {
    let (queue, kept) = Queue::unattended(8);
    let provider = SdkTracerProvider::builder()
        .with_sampler(KeepTrack::new(ratio))
        .with_span_processor(Tail::new(Duration::from_secs(1), Arc::new(queue)))
        .build();
    Setup {
        tracer: provider.tracer("test"),
        kept,
    }
}

impl Setup {
    fn span(&self, name: &'static str, parent: &Context) -> Context {
        let span = self.tracer.start_with_context(name, parent);
        parent.with_span(span)
    }

    /// The names of a kept trace, in the order of their ends.
    fn kept(&mut self) -> Option<Vec<String>> {
        let trace = self.kept.try_recv().ok()?;
        Some(trace.iter().map(|span| span.name.to_string()).collect())
    }
}

fn caller(sampled: bool) -> Context {
    let flags = TraceFlags::default().with_sampled(sampled);
    let context = SpanContext::new(
        TraceId::from(7_u128),
        SpanId::from(9_u64),
        flags,
        true,
        TraceState::default(),
    );
    Context::new().with_remote_span_context(context)
}

#[test]
fn a_sampled_trace_is_handed_over_whole_when_its_root_ends() {
    let mut setup = setup(1.0);
    let root = setup.span("root", &Context::new());
    let child = setup.span("child", &root);
    setup.span("grandchild", &child).span().end();
    child.span().end();
    assert_eq!(setup.kept(), None);
    root.span().end();
    assert_eq!(setup.kept().unwrap(), ["grandchild", "child", "root"]);
    assert_eq!(setup.kept(), None);
}

#[test]
fn of_the_others_only_failed_and_slow_ones_are_kept() {
    let mut setup = setup(0.0);
    let run = |setup: &Setup, work: &dyn Fn(&Context)| {
        let root = setup.span("root", &Context::new());
        let child = setup.span("child", &root);
        work(&child);
        child.span().end();
        root.span().end();
    };
    run(&setup, &|_| {});
    assert_eq!(setup.kept(), None);
    run(&setup, &|child| child.span().set_status(Status::error("x")));
    assert_eq!(setup.kept().unwrap(), ["child", "root"]);
    run(&setup, &|child| {
        child
            .span()
            .set_attribute(KeyValue::new("error.type", "overloaded"));
    });
    let trace = setup.kept.try_recv().unwrap();
    assert_eq!(trace[0].status, Status::error("overloaded"));
    let begun = SystemTime::now() - Duration::from_secs(2);
    let slow = SpanBuilder::from_name("slow").with_start_time(begun);
    setup.tracer.build_with_context(slow, &Context::new());
    assert_eq!(setup.kept().unwrap(), ["slow"]);
}

#[test]
fn a_callers_word_goes_before_the_ratio() {
    for (ratio, sampled) in [(0.0, true), (1.0, false)] {
        let mut setup = setup(ratio);
        let root = setup.span("root", &caller(sampled));
        let child = setup.span("child", &root);
        let context = child.span().span_context().clone();
        assert_eq!(context.is_sampled(), sampled);
        assert_eq!(context.trace_id(), TraceId::from(7_u128));
        child.span().end();
        root.span().end();
        assert_eq!(setup.kept().is_some(), sampled);
    }
}

#[test]
fn a_share_of_the_traces_is_kept() {
    let mut setup = setup(0.25);
    let mut kept = 0;
    for _ in 0..2_000 {
        setup.span("root", &Context::new()).span().end();
        kept += usize::from(setup.kept().is_some());
    }
    assert!((350..=650).contains(&kept), "{kept}");
}

#[test]
fn a_trace_with_too_many_spans_keeps_the_first_ones_and_its_root() {
    let mut setup = setup(1.0);
    let root = setup.span("root", &Context::new());
    for _ in 0..MAX_SPANS_PER_TRACE + 10 {
        setup.span("child", &root).span().end();
    }
    root.span().end();
    let kept = setup.kept().unwrap();
    assert_eq!(kept.len(), MAX_SPANS_PER_TRACE + 1);
    assert_eq!(kept.last().unwrap(), "root");
}

#[test]
fn traces_that_never_end_give_way_to_newer_ones() {
    let (queue, _kept) = Queue::unattended(8);
    let tail = Tail::new(Duration::from_secs(1), Arc::new(queue));
    let span = {
        let setup = setup(1.0);
        let root = setup.span("root", &Context::new());
        setup.span("child", &root).span().end();
        root.span().end();
        let mut setup = setup;
        setup.kept.try_recv().unwrap().remove(0)
    };
    let of = |trace: u128| {
        let mut span = span.clone();
        let context = &span.span_context;
        span.span_context = SpanContext::new(
            TraceId::from(trace),
            context.span_id(),
            context.trace_flags(),
            false,
            TraceState::default(),
        );
        span
    };
    let many = MAX_TRACES as u128 * 5;
    for trace in 1..=many {
        tail.on_end(of(trace));
    }
    let open = tail.open();
    assert_eq!(open.traces.len(), MAX_TRACES);
    assert_eq!(open.spans, MAX_TRACES);
    assert!(open.order.len() <= 2 * MAX_TRACES);
    assert!(open.traces.contains_key(&TraceId::from(many)));
    assert!(!open.traces.contains_key(&TraceId::from(1_u128)));
    drop(open);
    // And by their number of spans.
    for _ in 0..9 {
        for trace in many - 3_000..many {
            tail.on_end(of(trace));
        }
    }
    for trace in many - 3_000..many {
        for _ in 0..9 {
            tail.on_end(of(trace));
        }
    }
    let open = tail.open();
    let counted: usize = open.traces.values().map(|trace| trace.spans.len()).sum();
    assert!(counted <= MAX_SPANS && counted == open.spans, "{counted}");
}
