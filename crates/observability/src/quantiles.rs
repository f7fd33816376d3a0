//! A histogram with fixed bounds that answers quantiles as Prometheus would.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

/// Counts of durations between fixed bounds.
#[derive(Debug)]
pub struct LatencyHistogram {
    /// Upper bounds in seconds, rising.
    bounds: &'static [f64],
    /// One more than the bounds: the last counts what is over all of them.
    counts: Box<[AtomicU64]>,
    /// Their sum; it would take centuries to overflow.
    nanos: AtomicU64,
}

/// Three quantiles of the same moment, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half of the observations are at most this.
    pub p50: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
}

impl LatencyHistogram {
    /// An empty histogram over `bounds`: upper bounds in seconds, rising.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        debug_assert!(
            bounds.windows(2).all(|pair| pair[0] < pair[1]),
            "bounds must rise"
        );
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            nanos: AtomicU64::new(0),
        }
    }

    /// Counts one duration.
    pub fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = self.bounds.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    /// P50, P95 and P99 in seconds, or `None` while nothing was counted.
    ///
    /// As Prometheus' `histogram_quantile`: linear inside the bucket that holds the rank, and
    /// the highest bound for what lies over all of them.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        Quantiles::of(self.bounds, &self.counts())
    }

    /// The counts of the buckets, not added up; the last is what is over every bound.
    pub(crate) fn counts(&self) -> Vec<u64> {
        let counts = self.counts.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// All durations added up, in seconds.
    pub(crate) fn sum(&self) -> f64 {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed)).as_secs_f64()
    }
}

impl Quantiles {
    /// Those of so many observations in each bucket.
    pub(crate) fn of(bounds: &[f64], counts: &[u64]) -> Option<Self> {
        let total: u64 = counts.iter().sum();
        (total > 0).then(|| Self {
            p50: quantile(bounds, counts, total, 0.50),
            p95: quantile(bounds, counts, total, 0.95),
            p99: quantile(bounds, counts, total, 0.99),
        })
    }
}

fn quantile(bounds: &[f64], counts: &[u64], total: u64, q: f64) -> f64 {
    // Counts are far below 2^52, where a float still holds every integer.
    let rank = q * total as f64;
    let (mut below, mut lower) = (0_u64, 0.0);
    for (&upper, &count) in bounds.iter().zip(counts) {
        let upto = below + count;
        if count > 0 && upto as f64 >= rank {
            return lower + (upper - lower) * ((rank - below as f64) / count as f64);
        }
        (below, lower) = (upto, upper);
    }
    bounds.last().copied().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: &[f64] = &[0.001, 0.01, 0.1, 1.0];

    fn of(millis: &[u64]) -> LatencyHistogram {
        let histogram = LatencyHistogram::new(BOUNDS);
        for &ms in millis {
            histogram.observe(Duration::from_millis(ms));
        }
        histogram
    }

    #[test]
    fn nothing_counted_has_no_quantiles() {
        assert_eq!(of(&[]).quantiles(), None);
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let histogram = of(&[1, 10, 100, 1_000]);
        assert_eq!(histogram.counts(), [1, 1, 1, 1, 0]);
        assert!((histogram.sum() - 1.111).abs() < 1e-9);
    }

    #[test]
    fn quantiles_are_linear_inside_a_bucket() {
        // Ten observations in (0.001, 0.01]: the fifth is half way through the bucket.
        let quantiles = of(&[5; 10]).quantiles().unwrap();
        assert!((quantiles.p50 - 0.0055).abs() < 1e-9, "{quantiles:?}");
        assert!(
            (quantiles.p99 - (0.001 + 0.009 * 0.99)).abs() < 1e-9,
            "{quantiles:?}"
        );
    }

    #[test]
    fn a_slow_tail_moves_only_the_high_quantiles() {
        let mut millis = vec![5; 97];
        millis.extend([500; 3]);
        let quantiles = of(&millis).quantiles().unwrap();
        assert!(
            quantiles.p50 < 0.01 && quantiles.p95 < 0.01,
            "{quantiles:?}"
        );
        assert!(quantiles.p99 > 0.1, "{quantiles:?}");
    }

    #[test]
    fn what_is_over_every_bound_reads_as_the_highest_bound() {
        assert_eq!(of(&[60_000]).quantiles().unwrap().p99, 1.0);
    }
}
