//! What came of the requests: by kind and phase as a whole, by kind and window over time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::bench::client::{Failure, Kept};
use crate::bench::generator::{histogram, nanoseconds};

/// How one request ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// An answer as it should be.
    Accepted {
        /// To the first byte of the body.
        first: Duration,
        /// To its end.
        whole: Duration,
        /// What `X-Cache` said.
        kept: Kept,
    },
    /// 429 or 503.
    Shed {
        /// To its end.
        whole: Duration,
        /// Whether it said when to come again.
        told: bool,
    },
    /// Anything else.
    Failed(Failure),
}

/// One kind of request within one phase.
#[derive(Clone)]
pub struct Sum {
    /// Latencies of what was accepted, from the intended time, in nanoseconds.
    pub latency: Histogram<u64>,
    /// The same to the first byte of the body.
    pub first: Histogram<u64>,
    /// Latencies of refusals.
    pub refusals: Histogram<u64>,
    /// Refusals that didn't say when to come again.
    pub untold: u64,
    /// Failures by kind.
    pub failures: BTreeMap<Failure, u64>,
    /// Answers by what `X-Cache` said.
    pub kept: BTreeMap<Kept, u64>,
}

impl Sum {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            latency: histogram(),
            first: histogram(),
            refusals: histogram(),
            untold: 0,
            failures: BTreeMap::new(),
            kept: BTreeMap::new(),
        }
    }

    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Accepted { first, whole, kept } => {
                self.latency.saturating_record(nanoseconds(whole));
                self.first.saturating_record(nanoseconds(first));
                *self.kept.entry(kept).or_default() += 1;
            }
            Outcome::Shed { whole, told } => {
                self.refusals.saturating_record(nanoseconds(whole));
                self.untold += u64::from(!told);
            }
            Outcome::Failed(failure) => *self.failures.entry(failure).or_default() += 1,
        }
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        // The bounds of all histograms are the same, so that none can fail.
        let _ = self.latency.add(&other.latency);
        let _ = self.first.add(&other.first);
        let _ = self.refusals.add(&other.refusals);
        self.untold += other.untold;
        for (failure, count) in &other.failures {
            *self.failures.entry(*failure).or_default() += count;
        }
        for (kept, count) in &other.kept {
            *self.kept.entry(*kept).or_default() += count;
        }
    }

    /// Failures of all kinds.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// One kind of request within one window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Which window.
    pub window: usize,
    /// Accepted, shed and failed.
    pub accepted: u64,
    /// See above.
    pub shed: u64,
    /// See above.
    pub failed: u64,
    /// Answers with `X-Cache`, and those of them that are hits.
    pub kept: u64,
    /// See above.
    pub hits: u64,
    /// The median of what was accepted, in milliseconds, and one of a hundred.
    pub p50_ms: f64,
    /// See above.
    pub p99_ms: f64,
}

struct Kind {
    phases: Vec<Sum>,
    points: Vec<Point>,
    now: Point,
    latency: Histogram<u64>,
}

impl Kind {
    fn close(&mut self) {
        let Point {
            accepted,
            shed,
            failed,
            ..
        } = self.now;
        if accepted + shed + failed > 0 {
            self.now.p50_ms = millis(self.latency.value_at_quantile(0.5));
            self.now.p99_ms = millis(self.latency.value_at_quantile(0.99));
            self.points.push(self.now);
        }
        self.latency.reset();
    }
}

/// Counts of all kinds. Each kind has a lock of its own, held for a fraction of a microsecond.
pub struct Recorder {
    kinds: Vec<Mutex<Kind>>,
    window: Duration,
}

impl Recorder {
    /// For so many kinds and phases, over time in windows of this length.
    pub fn new(kinds: usize, phases: usize, window: Duration) -> Self {
        let kind = || {
            Mutex::new(Kind {
                phases: (0..phases).map(|_| Sum::new()).collect(),
                points: Vec::new(),
                now: Point::default(),
                latency: histogram(),
            })
        };
        Self {
            kinds: (0..kinds).map(|_| kind()).collect(),
            window,
        }
    }

    /// The length of a window.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// Counts what ended at `at` from the start. What ends late is counted in the window of the
    /// moment.
    pub fn count(&self, kind: usize, phase: usize, at: Duration, outcome: Outcome) {
        let Some(mut kind) = self.kinds.get(kind).map(locked) else {
            return;
        };
        let window = at.as_nanos() / self.window.as_nanos().max(1);
        let window = usize::try_from(window).unwrap_or(usize::MAX);
        if window > kind.now.window {
            kind.close();
            kind.now = Point {
                window,
                ..Point::default()
            };
        }
        match outcome {
            Outcome::Accepted { whole, kept, .. } => {
                kind.now.accepted += 1;
                kind.now.kept += u64::from(kept != Kept::Silent);
                kind.now.hits += u64::from(kept == Kept::Hit);
                kind.latency.saturating_record(nanoseconds(whole));
            }
            Outcome::Shed { .. } => kind.now.shed += 1,
            Outcome::Failed(_) => kind.now.failed += 1,
        }
        if let Some(sum) = kind.phases.get_mut(phase) {
            sum.count(outcome);
        }
    }

    /// What a kind came to, by phase and by window.
    pub fn take(&self, kind: usize) -> (Vec<Sum>, Vec<Point>) {
        let Some(mut kind) = self.kinds.get(kind).map(locked) else {
            return (Vec::new(), Vec::new());
        };
        kind.close();
        kind.now.accepted = 0;
        (kind.phases.clone(), kind.points.clone())
    }
}

fn locked(kind: &Mutex<Kind>) -> MutexGuard<'_, Kind> {
    kind.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds as milliseconds.
pub fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_phases_are_kept_apart() {
        let recorder = Recorder::new(2, 2, Duration::from_secs(1));
        let accepted = |whole| Outcome::Accepted {
            first: Duration::from_millis(1),
            whole: Duration::from_millis(whole),
            kept: Kept::Hit,
        };
        recorder.count(1, 0, Duration::from_millis(100), accepted(10));
        recorder.count(1, 0, Duration::from_millis(900), accepted(10));
        recorder.count(1, 1, Duration::from_millis(2_100), accepted(30));
        let shed = Outcome::Shed {
            whole: Duration::from_millis(2),
            told: false,
        };
        recorder.count(1, 1, Duration::from_millis(2_200), shed);
        let failed = Outcome::Failed(Failure::Status(500));
        recorder.count(1, 1, Duration::from_millis(2_300), failed);
        recorder.count(9, 9, Duration::ZERO, failed);
        let (phases, points) = recorder.take(1);
        assert_eq!(phases[0].latency.len(), 2);
        assert_eq!((phases[1].untold, phases[1].failed()), (1, 1));
        assert_eq!(phases[1].kept[&Kept::Hit], 1);
        let [first, third] = points[..] else {
            panic!("{points:?}")
        };
        assert_eq!((first.window, first.accepted, first.hits), (0, 2, 2));
        assert!((first.p99_ms - 10.0).abs() < 0.1, "{first:?}");
        assert_eq!((third.window, third.shed, third.failed), (2, 1, 1));
        assert!((third.p50_ms - 30.0).abs() < 0.1, "{third:?}");
        assert!(recorder.take(0).1.is_empty());
    }
}
