//! A collector that is good, and ones that are not. Time is tokio's, paused.

use std::sync::Mutex;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceState};
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
use tokio::sync::Notify;

use super::*;

#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Good,
    Refuses,
    Hangs,
}

#[derive(Clone)]
struct Collector {
    mood: Arc<Mutex<Mood>>,
    batches: Arc<Mutex<Vec<usize>>>,
    asked: Arc<Notify>,
}

impl Collector {
    fn new(mood: Mood) -> Self {
        Self {
            mood: Arc::new(Mutex::new(mood)),
            batches: Arc::default(),
            asked: Arc::default(),
        }
    }

    fn taken(&self) -> Vec<usize> {
        self.batches.lock().unwrap().clone()
    }
}

impl Sender for Collector {
    async fn send(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.asked.notify_one();
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Good => {
                self.batches.lock().unwrap().push(batch.len());
                Ok(())
            }
            Mood::Refuses => Err(OTelSdkError::InternalFailure("no".to_owned())),
            Mood::Hangs => std::future::pending().await,
        }
    }
}

fn trace(spans: usize) -> Vec<SpanData> {
    let now = std::time::SystemTime::now();
    let span = SpanData {
        span_context: SpanContext::new(
            opentelemetry::TraceId::from(1_u128),
            SpanId::from(1_u64),
            opentelemetry::TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "span".into(),
        start_time: now,
        end_time: now,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: opentelemetry::InstrumentationScope::default(),
    };
    vec![span; spans]
}

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn what_comes_within_a_moment_goes_as_one_batch() {
    let collector = Collector::new(Mood::Good);
    let (queue, exports) = start(collector.clone(), LIMIT);
    let begun = Instant::now();
    for _ in 0..3 {
        queue.offer(trace(2));
    }
    collector.asked.notified().await;
    assert_eq!(begun.elapsed(), GATHER);
    assert_eq!(collector.taken(), [6]);
    for _ in 0..BATCH {
        queue.offer(trace(2));
    }
    collector.asked.notified().await;
    assert_eq!(collector.taken(), [6, BATCH]);
    exports.finish(LIMIT).await;
    assert_eq!(collector.taken(), [6, BATCH, BATCH]);
    assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_hangs_is_left_and_nobody_waits_for_it() {
    let collector = Collector::new(Mood::Hangs);
    let (queue, exports) = start(collector.clone(), LIMIT);
    queue.offer(trace(1));
    collector.asked.notified().await;
    let begun = Instant::now();
    // More than may wait: what doesn't fit is gone at once.
    for _ in 0..MAX_WAITING_SPANS + 1_000 {
        queue.offer(trace(1));
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let waiting = queue.waiting.load(Ordering::Relaxed);
    assert!(waiting <= MAX_WAITING_SPANS, "{waiting}");
    // The batch is given up in time, and the next one finds the collector well again.
    *collector.mood.lock().unwrap() = Mood::Good;
    collector.asked.notified().await;
    assert_eq!(begun.elapsed(), LIMIT);
    exports.finish(LIMIT).await;
    assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
    assert_eq!(collector.taken().iter().sum::<usize>(), MAX_WAITING_TRACES);
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_refuses_costs_its_batch_alone() {
    let collector = Collector::new(Mood::Refuses);
    let (queue, exports) = start(collector.clone(), LIMIT);
    queue.offer(trace(5));
    collector.asked.notified().await;
    *collector.mood.lock().unwrap() = Mood::Good;
    queue.offer(trace(3));
    exports.finish(LIMIT).await;
    assert_eq!(collector.taken(), [3]);
    assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_process_waits_for_a_collector_only_so_long() {
    let collector = Collector::new(Mood::Hangs);
    let (queue, exports) = start(collector, LIMIT);
    queue.offer(trace(1));
    let begun = Instant::now();
    exports.finish(Duration::from_secs(2)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    // Nobody takes it any more, and nobody minds.
    queue.offer(trace(1));
}
