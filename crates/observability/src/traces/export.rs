//! The way from a kept trace to the collector: a bounded queue, and a task that empties it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{Counter, Gauge, counter, gauge};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// Spans that may wait for the collector, and traces; what comes on top is dropped.
const MAX_WAITING_SPANS: usize = 16_384;
const MAX_WAITING_TRACES: usize = 4_096;
/// Spans that are sent at a time, give or take a trace.
const BATCH: usize = 512;
/// How long a batch waits for more.
const GATHER: Duration = Duration::from_millis(500);

/// A counter of dropped spans.
pub(super) fn dropped(reason: &'static str) -> Counter {
    counter!("trace_spans_dropped_total", "reason" => reason)
}

/// The queue's end for those who have a trace.
pub(super) struct Queue {
    sender: mpsc::Sender<Vec<SpanData>>,
    waiting: Arc<AtomicUsize>,
    full: Counter,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// A queue that nobody empties but the test.
    #[cfg(test)]
    pub(super) fn unattended(traces: usize) -> (Self, mpsc::Receiver<Vec<SpanData>>) {
        let (sender, receiver) = mpsc::channel(traces);
        let queue = Self {
            sender,
            waiting: Arc::default(),
            full: dropped("queue_full"),
        };
        (queue, receiver)
    }

    /// Takes a trace in, unless there is no room. Waits for nothing.
    pub(super) fn offer(&self, trace: Vec<SpanData>) {
        let spans = trace.len();
        let waiting = self.waiting.fetch_add(spans, Ordering::Relaxed);
        if waiting + spans > MAX_WAITING_SPANS || self.sender.try_send(trace).is_err() {
            self.waiting.fetch_sub(spans, Ordering::Relaxed);
            self.full.increment(spans as u64);
        }
    }
}

/// The task that sends.
#[derive(Debug)]
pub(super) struct Exports {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Exports {
    /// Sends what waits, for at most `limit`.
    pub(super) async fn finish(self, limit: Duration) {
        let _ = self.stop.send(());
        let stopped = self.task.abort_handle();
        if timeout(limit, self.task).await.is_err() {
            stopped.abort();
        }
    }
}

/// What is sent with; the collector behind it may be down, slow or silent.
pub(super) trait Sender: Send + 'static {
    fn send(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send;
}

impl Sender for opentelemetry_otlp::SpanExporter {
    async fn send(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.export(batch).await
    }
}

/// Starts the task. One batch at a time is under way, for at most `limit`.
pub(super) fn start(sender: impl Sender + Sync, limit: Duration) -> (Queue, Exports) {
    let (queue_in, queue_out) = mpsc::channel(MAX_WAITING_TRACES);
    let (stop, stopped) = oneshot::channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let queue = Queue {
        sender: queue_in,
        waiting: Arc::clone(&waiting),
        full: dropped("queue_full"),
    };
    let worker = Worker {
        sender,
        limit,
        queue: queue_out,
        waiting,
        figures: Figures::new(),
        reachable: true,
    };
    let task = tokio::spawn(worker.run(stopped));
    (queue, Exports { stop, task })
}

struct Worker<S> {
    sender: S,
    limit: Duration,
    queue: mpsc::Receiver<Vec<SpanData>>,
    waiting: Arc<AtomicUsize>,
    figures: Figures,
    /// Whether the last batch went through: only a change of it is logged.
    reachable: bool,
}

struct Figures {
    exported: Counter,
    failed: Counter,
    ok: Counter,
    error: Counter,
    timeout: Counter,
    waiting: Gauge,
}

impl Figures {
    fn new() -> Self {
        let result = |result: &'static str| counter!("trace_exports_total", "result" => result);
        Self {
            exported: counter!("trace_spans_exported_total"),
            failed: dropped("export_failed"),
            ok: result("ok"),
            error: result("error"),
            timeout: result("timeout"),
            waiting: gauge!("trace_queue_spans"),
        }
    }
}

impl<S: Sender + Sync> Worker<S> {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            let first = tokio::select! {
                biased;
                _ = &mut stopped => break,
                first = self.queue.recv() => first,
            };
            let Some(first) = first else { return };
            let batch = Self::gather(&mut self.queue, first).await;
            self.send(batch).await;
        }
        self.queue.close();
        while let Some(first) = self.queue.recv().await {
            let batch = Self::gather(&mut self.queue, first).await;
            self.send(batch).await;
        }
    }

    /// One batch: what comes within a moment.
    async fn gather(
        queue: &mut mpsc::Receiver<Vec<SpanData>>,
        first: Vec<SpanData>,
    ) -> Vec<SpanData> {
        let mut batch = first;
        let end = Instant::now() + GATHER;
        while batch.len() < BATCH {
            match timeout_at(end, queue.recv()).await {
                Ok(Some(trace)) => batch.extend(trace),
                Ok(None) | Err(_) => break,
            }
        }
        batch
    }

    async fn send(&mut self, batch: Vec<SpanData>) {
        let spans = batch.len();
        let outcome = timeout(self.limit, self.sender.send(batch)).await;
        let left = self.waiting.fetch_sub(spans, Ordering::Relaxed) - spans;
        self.figures.waiting.set(left as f64);
        let (result, reached) = match outcome {
            Ok(Ok(())) => (&self.figures.ok, true),
            Ok(Err(_)) => (&self.figures.error, false),
            Err(_) => (&self.figures.timeout, false),
        };
        result.increment(1);
        let spans = spans as u64;
        if reached {
            self.figures.exported.increment(spans);
        } else {
            self.figures.failed.increment(spans);
        }
        if reached != self.reachable {
            self.reachable = reached;
            if reached {
                tracing::info!("the traces' collector is back");
            } else {
                tracing::warn!("the traces' collector takes nothing: spans are dropped");
            }
        }
    }
}

#[cfg(test)]
mod tests;
