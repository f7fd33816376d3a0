//! What the mock has seen, and a way to wait for it to see something.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use tokio::sync::Notify;

use crate::prompt_cache::PromptUsage;

/// Headers that are kept of a request: never one with a key in it.
const KEPT_HEADERS: [&str; 8] = [
    "anthropic-version",
    "anthropic-beta",
    "content-type",
    "user-agent",
    "x-request-id",
    "traceparent",
    "tracestate",
    "x-stainless-retry-count",
];

/// How much of a body is kept.
const KEPT_BODY_BYTES: usize = 64 * 1024;

/// Token sums over all answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsageTotals {
    /// Uncached prompt tokens.
    pub input_tokens: u64,
    /// Prompt tokens read from the prefix cache.
    pub cache_read_input_tokens: u64,
    /// Prompt tokens written to the prefix cache.
    pub cache_creation_input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
}

/// Counters since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests by path, counted when they arrive: every attempt of a client that retries.
    /// Unknown paths are `other`.
    pub requests: BTreeMap<&'static str, u64>,
    /// Answers by path and status, counted when their headers are sent.
    pub responses: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// Faults that struck, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Requests under `/v1/` that are not finished.
    pub in_flight: u64,
    /// Those of them whose answer is a stream that has begun.
    pub open_streams: u64,
    /// Requests whose client left before the end of the answer.
    pub cancelled_by_client: u64,
    /// Prefixes held by the prompt cache.
    pub cached_prefixes: usize,
    /// Token sums.
    pub usage: UsageTotals,
}

impl Stats {
    /// Requests to `path`.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> u64 {
        self.requests.get(path).copied().unwrap_or(0)
    }

    /// Answers with `status` on `path`.
    #[must_use]
    pub fn responses_of(&self, path: &str, status: u16) -> u64 {
        self.responses
            .get(path)
            .and_then(|by| by.get(&status))
            .copied()
            .unwrap_or(0)
    }
}

/// A request as it came. Only a few harmless headers are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// Its path.
    pub path: String,
    /// `anthropic-version`, `anthropic-beta`, `content-type`, `user-agent`, `x-request-id`,
    /// `traceparent`, `tracestate`, `x-stainless-retry-count`.
    pub headers: BTreeMap<String, String>,
    /// The first 64 KiB of its body.
    pub body: Bytes,
}

#[derive(Debug, Default)]
struct Inner {
    stats: Stats,
    recent: VecDeque<RecordedRequest>,
}

/// The counters, shared by all connections.
#[derive(Debug)]
pub(crate) struct Counters {
    inner: Mutex<Inner>,
    changed: Notify,
    kept: usize,
}

impl Counters {
    pub(crate) fn new(kept: usize) -> Self {
        Self {
            inner: Mutex::default(),
            changed: Notify::new(),
            kept,
        }
    }

    pub(crate) fn snapshot(&self) -> Stats {
        self.lock().stats.clone()
    }

    pub(crate) fn recent(&self) -> Vec<RecordedRequest> {
        self.lock().recent.iter().cloned().collect()
    }

    /// Zeroes what counts up; what is under way stays.
    pub(crate) fn reset(&self) {
        self.change(|inner| {
            let (in_flight, open_streams) = (inner.stats.in_flight, inner.stats.open_streams);
            inner.stats = Stats {
                in_flight,
                open_streams,
                ..Stats::default()
            };
            inner.recent.clear();
        });
    }

    pub(crate) fn arrived(&self, path: &'static str) {
        self.change(|inner| *inner.stats.requests.entry(path).or_default() += 1);
    }

    pub(crate) fn answered(&self, path: &'static str, status: StatusCode) {
        self.change(|inner| {
            let by_status = inner.stats.responses.entry(path).or_default();
            *by_status.entry(status.as_u16()).or_default() += 1;
        });
    }

    pub(crate) fn struck(&self, fault: &'static str) {
        self.change(|inner| *inner.stats.faults.entry(fault).or_default() += 1);
    }

    pub(crate) fn used(&self, prompt: PromptUsage, output: u32) {
        self.change(|inner| {
            let usage = &mut inner.stats.usage;
            usage.input_tokens += u64::from(prompt.input);
            usage.cache_read_input_tokens += u64::from(prompt.read);
            usage.cache_creation_input_tokens +=
                u64::from(prompt.written_5m) + u64::from(prompt.written_1h);
            usage.output_tokens += u64::from(output);
        });
    }

    pub(crate) fn record(&self, path: &'static str, headers: &HeaderMap, body: &Bytes) {
        if self.kept == 0 {
            return;
        }
        let kept = |name: &str| {
            Some((
                name.to_owned(),
                headers.get(name)?.to_str().ok()?.to_owned(),
            ))
        };
        let headers = KEPT_HEADERS.into_iter().filter_map(kept).collect();
        // A copy where only a part is kept, so that the rest is let go.
        let body = match body.get(..KEPT_BODY_BYTES) {
            Some(part) => Bytes::copy_from_slice(part),
            None => body.clone(),
        };
        let request = RecordedRequest {
            path: path.to_owned(),
            headers,
            body,
        };
        self.change(|inner| {
            if inner.recent.len() >= self.kept {
                inner.recent.pop_front();
            }
            inner.recent.push_back(request);
        });
    }

    /// The first snapshot for which `seen` holds, or the last one at the deadline.
    pub(crate) async fn wait_for(
        &self,
        deadline: Duration,
        seen: impl Fn(&Stats) -> bool,
    ) -> Result<Stats, Stats> {
        let found = async {
            loop {
                // Registered before the look, so that no change is missed in between.
                let mut changed = std::pin::pin!(self.changed.notified());
                changed.as_mut().enable();
                let stats = self.snapshot();
                if seen(&stats) {
                    return stats;
                }
                changed.await;
            }
        };
        tokio::time::timeout(deadline, found)
            .await
            .map_err(|_| self.snapshot())
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.lock());
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counters stay usable whatever panicked beside them.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered. Dropped unfinished, its client has left.
#[derive(Debug)]
pub(crate) struct InFlight {
    counters: Arc<Counters>,
    streaming: bool,
    finished: bool,
}

impl InFlight {
    pub(crate) fn begin(counters: &Arc<Counters>) -> Self {
        counters.change(|inner| inner.stats.in_flight += 1);
        Self {
            counters: Arc::clone(counters),
            streaming: false,
            finished: false,
        }
    }

    /// The answer is a stream, and it begins.
    pub(crate) fn stream(&mut self) {
        self.streaming = true;
        self.counters.change(|inner| inner.stats.open_streams += 1);
    }

    /// Nothing is left to send.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.counters.change(|inner| {
            inner.stats.in_flight = inner.stats.in_flight.saturating_sub(1);
            if self.streaming {
                inner.stats.open_streams = inner.stats.open_streams.saturating_sub(1);
            }
            inner.stats.cancelled_by_client += u64::from(!self.finished);
        });
    }
}
