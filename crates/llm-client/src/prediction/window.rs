//! The last calls' figures: a line through them, and the quantiles of what is left over.

use std::collections::VecDeque;

use super::QUANTILES;

/// Calls that are remembered.
const CALLS: usize = 256;
/// Up to so many calls each one changes the fit at once; then every eighth does, as one in
/// many hardly moves it.
const EAGER_CALLS: usize = 64;
const REFIT_EVERY: usize = 8;
/// Pulls the line flat while there is little to see a slope by: a spread of the inputs of one
/// call by e (2.7 times) weighs as much as this.
const FLATNESS: f64 = 2.0;
/// No answer grows faster than this power of its question, or shrinks with it.
const SLOPES: (f64, f64) = (0.0, 1.5);
/// Calls after which an old hit or miss weighs a third of a new one.
const SCORE_MEMORY: f64 = 128.0;

/// The last figures of one quantity, both axes in logarithms.
#[derive(Default)]
pub(super) struct Window {
    points: VecDeque<(f64, f64)>,
    fit: Fit,
    since_fit: usize,
    scores: [Score; 3],
}

/// A line, and how far above it each quantile lies.
#[derive(Default, Clone, Copy)]
struct Fit {
    slope: f64,
    centre: f64,
    above: [Option<f64>; 3],
}

/// How often one quantile held.
#[derive(Default, Clone, Copy)]
struct Score {
    seen: f64,
    held: f64,
}

impl Window {
    /// The quantiles for a call with input `x`.
    pub(super) fn quantiles_at(&self, x: f64) -> [Option<f64>; 3] {
        let fit = self.fit;
        fit.above
            .map(|above| above.map(|above| (above + fit.slope * (x - fit.centre)).max(0.0)))
    }

    /// Scores what would have been predicted for the call, then learns from it. Says whether
    /// the fit has changed.
    pub(super) fn observe(&mut self, x: f64, y: f64) -> bool {
        for (score, quantile) in self.scores.iter_mut().zip(self.fit.above) {
            if let Some(above) = quantile {
                let predicted = above + self.fit.slope * (x - self.fit.centre);
                score.add(y <= predicted);
            }
        }
        if self.points.len() == CALLS {
            self.points.pop_front();
        }
        self.points.push_back((x, y));
        self.since_fit += 1;
        let due = self.points.len() <= EAGER_CALLS || self.since_fit >= REFIT_EVERY;
        if due {
            self.since_fit = 0;
            self.fit = fit(&self.points);
        }
        due
    }

    /// How often each quantile held, less what it should have.
    pub(super) fn calibration_errors(&self) -> [Option<f64>; 3] {
        let mut errors = [None; 3];
        for ((error, score), (quantile, _)) in errors.iter_mut().zip(self.scores).zip(QUANTILES) {
            *error = (score.seen > 0.0).then_some(score.held - quantile);
        }
        errors
    }
}

impl Score {
    fn add(&mut self, held: bool) {
        self.seen = (self.seen + 1.0).min(SCORE_MEMORY);
        let held = if held { 1.0 } else { 0.0 };
        self.held += (held - self.held) / self.seen;
    }
}

/// Least squares with a pull towards a flat line, and the ranks of the residuals.
fn fit(points: &VecDeque<(f64, f64)>) -> Fit {
    let count = to_f64(points.len()).max(1.0);
    let mean = |axis: fn(&(f64, f64)) -> f64| points.iter().map(axis).sum::<f64>() / count;
    let (centre, level) = (mean(|point| point.0), mean(|point| point.1));
    let (mut together, mut across) = (0.0, FLATNESS);
    for (x, y) in points {
        together += (x - centre) * (y - level);
        across += (x - centre).powi(2);
    }
    let slope = (together / across).clamp(SLOPES.0, SLOPES.1);
    let mut above: Vec<f64> = points
        .iter()
        .map(|(x, y)| y - slope * (x - centre))
        .collect();
    above.sort_by(f64::total_cmp);
    Fit {
        slope,
        centre,
        above: QUANTILES.map(|(quantile, _)| ranked(&above, quantile)),
    }
}

/// The value of rank ⌈(n + 1)·τ⌉, where there are so many.
fn ranked(sorted: &[f64], quantile: f64) -> Option<f64> {
    let rank = (to_f64(sorted.len() + 1) * quantile).ceil();
    let mut at = 0;
    while to_f64(at + 1) < rank {
        at += 1;
    }
    sorted.get(at).copied()
}

#[expect(clippy::cast_precision_loss, reason = "at most some hundred")]
fn to_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_comes_with_enough_calls_and_not_before() {
        let mut window = Window::default();
        let mut first = [None; 3];
        for call in 1..=120 {
            window.observe(5.0, 3.0);
            for (first, found) in first.iter_mut().zip(window.quantiles_at(5.0)) {
                *first = first.or(found.map(|_| call));
            }
        }
        // p99 comes by the refit after the 99th call.
        assert_eq!(first, [Some(1), Some(19), Some(104)]);
        assert_eq!(window.quantiles_at(5.0), [Some(3.0); 3]);
    }

    #[test]
    fn a_rank_is_that_of_conformal_prediction() {
        let sorted: Vec<f64> = (1..=99).map(f64::from).collect();
        assert_eq!(ranked(&sorted, 0.5), Some(50.0));
        assert_eq!(ranked(&sorted, 0.95), Some(95.0));
        assert_eq!(ranked(&sorted, 0.99), Some(99.0));
        assert_eq!(ranked(&sorted[..98], 0.99), None);
        assert_eq!(ranked(&[], 0.5), None);
    }

    #[test]
    fn the_slope_is_found_and_bounded() {
        let mut window = Window::default();
        for call in 0..200 {
            let x = f64::from(call % 10);
            window.observe(x, 1.0 + 0.8 * x);
        }
        assert!(
            (window.fit.slope - 0.8).abs() < 0.01,
            "{}",
            window.fit.slope
        );
        let mut falling = Window::default();
        for call in 0..200 {
            let x = f64::from(call % 10);
            falling.observe(x, 20.0 - x);
        }
        assert_eq!(falling.fit.slope, 0.0);
    }

    #[test]
    fn it_forgets() {
        let mut window = Window::default();
        for y in [9.0, 4.0] {
            for _ in 0..CALLS + REFIT_EVERY {
                window.observe(5.0, y);
            }
            assert_eq!(window.quantiles_at(5.0)[1], Some(y));
        }
        assert_eq!(window.points.len(), CALLS);
    }
}
