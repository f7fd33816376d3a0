//! How long an answer takes at the contract's bounds.

use std::hint::black_box;
use std::time::Instant;

use matching::{Invoice, Order, match_order};
use serde::Serialize;

use super::catalogue::families;
use super::generate::large;

/// 200 orders of 60 lines against an invoice of 60, at most.
const TARGET_MS: f64 = 20.0;
/// Answers that are timed.
const CALLS: usize = 31;

/// The figures, in milliseconds.
#[derive(Serialize)]
pub struct Speed {
    /// 200 orders of 60 lines of one supplier, an invoice of 60 lines: the fastest answer, which
    /// is what the code takes where the machine does nothing else.
    pub fastest_ms: f64,
    /// The same: the median, with whatever else the machine does.
    pub median_ms: f64,
    /// 200 orders of 1,000 lines, an invoice of 1,000: the bounds of the crate. One answer.
    pub bounds_ms: f64,
}

impl Speed {
    /// Measures.
    pub fn measure() -> Self {
        let families = families(false);
        let (invoice, orders) = large(&families, 200, 60);
        let mut times: Vec<f64> = (0..CALLS).map(|_| once(&invoice, &orders)).collect();
        times.sort_by(f64::total_cmp);
        let (invoice, orders) = large(&families, 200, 1_000);
        Self {
            fastest_ms: times.first().copied().unwrap_or(f64::INFINITY),
            median_ms: times.get(CALLS / 2).copied().unwrap_or(f64::INFINITY),
            bounds_ms: once(&invoice, &orders),
        }
    }

    /// What misses its target.
    pub fn missed(&self) -> Option<String> {
        let ms = self.fastest_ms;
        (ms > TARGET_MS).then(|| format!("200 orders of 60 lines: {ms:.1} ms, at most {TARGET_MS}"))
    }

    /// For a person.
    pub fn line(&self) -> String {
        format!(
            "speed: 200 orders x 60 lines against 60 lines in {:.1} ms (fastest of {CALLS}; median {:.1}); at the bounds, 200 x 1,000 against 1,000, in {:.0} ms",
            self.fastest_ms, self.median_ms, self.bounds_ms
        )
    }
}

fn once(invoice: &Invoice, orders: &[Order]) -> f64 {
    let began = Instant::now();
    black_box(match_order(
        black_box(invoice),
        black_box(orders),
        &matching::Options::default(),
    ));
    began.elapsed().as_secs_f64() * 1e3
}
