//! What a call will take before it is made: output tokens, time and dollars, as quantiles.
//!
//! # How it predicts
//!
//! For each operation and model the last 256 calls are kept. Over them the logarithm of a
//! figure is fitted as a straight line over the logarithm of the input tokens (a long document
//! gets a long answer; how much longer, the calls say), and what is left over, sorted, gives
//! the quantiles. The quantile τ of n calls is the one of rank ⌈(n + 1)·τ⌉, as in conformal
//! prediction: whatever the distribution, the next call stays below it with a probability of
//! at least τ as long as calls go on being like the last ones. Where the rank is beyond n there
//! is no such quantile yet, and the answer is `None`: p95 needs 19 calls and p99 needs 99.
//!
//! The window is the memory: what is older than 256 calls is forgotten.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::gauge;

use crate::Usd;
use window::Window;

mod window;

/// Most pairs of operation and model that are kept apart; a pair beyond them isn't predicted.
pub const MAX_PREDICTED_SERIES: usize = 128;

/// Gauge: how often figures were at or below their predicted quantile lately, less the
/// quantile. Above 0 predictions are too high, below too low. Labels `operation`, `model`,
/// `quantity` (`output_tokens`, `latency`, `first_event`, `cost`) and `quantile`.
pub const PREDICTION_CALIBRATION_ERROR: &str = "llm_prediction_calibration_error";

/// The quantiles, and their labels.
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.95, "0.95"), (0.99, "0.99")];

/// Predicts calls from the calls before them.
pub struct Predictor {
    series: Mutex<HashMap<(&'static str, String), Series>>,
}

/// The quantiles of one figure; one is `None` while there are too few calls for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles<T> {
    /// As many calls are below as above.
    pub p50: Option<T>,
    /// One call in twenty is above.
    pub p95: Option<T>,
    /// One call in a hundred is above.
    pub p99: Option<T>,
}

impl<T> Default for Quantiles<T> {
    fn default() -> Self {
        Self {
            p50: None,
            p95: None,
            p99: None,
        }
    }
}

/// What a call is predicted to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Prediction {
    /// Output tokens, at most the request's `max_tokens`.
    pub output_tokens: Quantiles<u64>,
    /// From the call's start to its end.
    pub latency: Quantiles<Duration>,
    /// From a stream's start to its first event: a hint for that limit of time.
    pub first_event: Quantiles<Duration>,
    /// What it costs.
    pub cost: Quantiles<Usd>,
}

/// What a call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// The whole prompt's tokens, as they were estimated before the call: what predictions
    /// are asked by.
    pub input_tokens: u64,
    /// Output tokens, by the provider.
    pub output_tokens: u64,
    /// From the call's start to its end.
    pub latency: Duration,
    /// From a stream's start to its first event; `None` of a call that wasn't streamed.
    pub first_event: Option<Duration>,
    /// What it cost.
    pub cost: Usd,
}

impl Predictor {
    /// A predictor that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            series: Mutex::default(),
        }
    }

    /// Predicts a call of an operation to a model with so many input tokens (estimated) and
    /// at most `max_tokens` of output.
    #[must_use]
    pub fn predict(
        &self,
        operation: &'static str,
        model: &str,
        input_tokens: u64,
        max_tokens: u32,
    ) -> Prediction {
        let x = log_of(input_tokens);
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(series) = series.get(&(operation, model.to_owned())) else {
            return Prediction::default();
        };
        let most = u64::from(max_tokens);
        let tokens = |y| to_count(y).min(most);
        let micros = |y| Duration::from_micros(to_count(y));
        let cost = |y| Usd::from_pico(i64::try_from(to_count(y)).unwrap_or(i64::MAX));
        Prediction {
            output_tokens: series.output_tokens.predict(x, tokens),
            latency: series.latency.predict(x, micros),
            first_event: series.first_event.predict(x, micros),
            cost: series.cost.predict(x, cost),
        }
    }

    /// Learns from a call.
    pub fn observe(&self, operation: &'static str, model: &str, observed: &Observed) {
        let key = (operation, model.to_owned());
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(&key) && all.len() >= MAX_PREDICTED_SERIES {
            return;
        }
        let series = all.entry(key).or_default();
        let x = log_of(observed.input_tokens);
        let cost = u64::try_from(observed.cost.pico()).unwrap_or(0);
        let output = log_of(observed.output_tokens);
        let refitted = series.output_tokens.observe(x, output);
        series.latency.observe(x, log_of(micros(observed.latency)));
        if let Some(first_event) = observed.first_event {
            series.first_event.observe(x, log_of(micros(first_event)));
        }
        series.cost.observe(x, log_of(cost));
        // As often as the fits change is often enough for gauges.
        if !refitted {
            return;
        }
        let errors = series.calibration_errors();
        drop(all);
        for (quantity, errors) in errors {
            for ((_, quantile), error) in QUANTILES.iter().zip(errors) {
                if let Some(error) = error {
                    gauge!(PREDICTION_CALIBRATION_ERROR, "operation" => operation,
                        "model" => model.to_owned(), "quantity" => quantity,
                        "level" => *quantile)
                    .set(error);
                }
            }
        }
    }
}

impl Default for Predictor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Predictor")
            .field("series", &series.len())
            .finish_non_exhaustive()
    }
}

/// The calls of one operation to one model.
#[derive(Default)]
struct Series {
    output_tokens: Window,
    latency: Window,
    first_event: Window,
    cost: Window,
}

impl Series {
    fn calibration_errors(&self) -> [(&'static str, [Option<f64>; 3]); 4] {
        [
            ("output_tokens", self.output_tokens.calibration_errors()),
            ("latency", self.latency.calibration_errors()),
            ("first_event", self.first_event.calibration_errors()),
            ("cost", self.cost.calibration_errors()),
        ]
    }
}

impl Window {
    fn predict<T>(&self, x: f64, figure: impl Fn(f64) -> T) -> Quantiles<T> {
        let [p50, p95, p99] = self.quantiles_at(x).map(|y| y.map(&figure));
        Quantiles { p50, p95, p99 }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The scale that figures are fitted on; 0 is a figure too.
#[expect(
    clippy::cast_precision_loss,
    reason = "a statistic: figures above 2⁵³ needn't be told apart"
)]
fn log_of(count: u64) -> f64 {
    (count as f64).ln_1p()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float beyond the integers becomes the nearest one"
)]
fn to_count(log: f64) -> u64 {
    log.exp_m1().round() as u64
}

#[cfg(test)]
mod tests;
