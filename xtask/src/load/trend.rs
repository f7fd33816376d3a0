//! Whether a figure stays flat: a straight line through its samples after the warm-up.

use serde::Serialize;

/// A figure that must not grow.
#[derive(Clone, Debug, Serialize)]
pub struct Trend {
    /// What it is, with its unit.
    pub name: &'static str,
    /// Samples after the warm-up.
    pub samples: usize,
    /// The first third's mean of them, and the last third's.
    pub early: f64,
    /// See above.
    pub late: f64,
    /// The slope of the line of least squares, per minute.
    pub per_minute: f64,
    /// What the line may rise from the end of the warm-up to the end of the run.
    pub bound: f64,
    /// What it rises.
    pub rise: f64,
}

impl Trend {
    /// Through `(seconds, value)` samples, without those of the warm-up. `None` with fewer
    /// than three.
    pub fn new(
        name: &'static str,
        samples: &[(f64, f64)],
        warm_up: f64,
        bound: Bound,
    ) -> Option<Self> {
        let samples: Vec<(f64, f64)> = samples
            .iter()
            .copied()
            .filter(|(at, _)| *at >= warm_up)
            .collect();
        let (first, last) = (samples.first()?.0, samples.last()?.0);
        let slope = slope(&samples)?;
        let third = samples.len() / 3;
        let early = mean(samples.get(..third)?)?;
        let late = mean(samples.get(samples.len() - third..)?)?;
        Some(Self {
            name,
            samples: samples.len(),
            early,
            late,
            per_minute: slope * 60.0,
            bound: bound.part * early + bound.whole,
            rise: slope * (last - first),
        })
    }

    /// Whether it is flat.
    pub fn is_flat(&self) -> bool {
        self.rise <= self.bound
    }
}

/// What a figure may rise: a part of itself, and so much.
#[derive(Clone, Copy)]
pub struct Bound {
    /// Of its early mean.
    pub part: f64,
    /// In its own unit.
    pub whole: f64,
}

fn mean(samples: &[(f64, f64)]) -> Option<f64> {
    let sum: f64 = samples.iter().map(|(_, value)| value).sum();
    (!samples.is_empty()).then(|| sum / samples.len() as f64)
}

/// By least squares, in units a second.
fn slope(samples: &[(f64, f64)]) -> Option<f64> {
    if samples.len() < 3 {
        return None;
    }
    let count = samples.len() as f64;
    let at = samples.iter().map(|(at, _)| at).sum::<f64>() / count;
    let value = mean(samples)?;
    let (mut products, mut squares) = (0.0, 0.0);
    for (sample_at, sample) in samples {
        products += (sample_at - at) * (sample - value);
        squares += (sample_at - at).powi(2);
    }
    (squares > 0.0).then(|| products / squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound {
        part: 0.05,
        whole: 1.0,
    };

    fn line(base: f64, slope: f64) -> Vec<(f64, f64)> {
        let noise = |at: i32| if at % 2 == 0 { 0.5 } else { -0.5 };
        let sample = |at: i32| (f64::from(at), base + slope * f64::from(at) + noise(at));
        (0..600).map(sample).collect()
    }

    #[test]
    fn a_slope_is_told_from_noise() {
        let flat = Trend::new("rss", &line(100.0, 0.0), 60.0, BOUND).unwrap();
        assert!(flat.is_flat() && flat.per_minute.abs() < 0.01, "{flat:?}");
        let rising = Trend::new("rss", &line(100.0, 0.1), 60.0, BOUND).unwrap();
        assert!(!rising.is_flat(), "{rising:?}");
        assert!((rising.per_minute - 6.0).abs() < 0.01, "{rising:?}");
        assert!((rising.rise - 53.9).abs() < 0.2, "{rising:?}");
        assert!(rising.late > rising.early);
        let falling = Trend::new("rss", &line(100.0, -0.1), 60.0, BOUND).unwrap();
        assert!(falling.is_flat());
    }

    #[test]
    fn the_warm_up_does_not_count_and_too_little_is_no_trend() {
        let mut samples = line(100.0, 0.0);
        for sample in samples.iter_mut().take(60) {
            sample.1 = 10.0;
        }
        assert!(Trend::new("rss", &samples, 60.0, BOUND).unwrap().is_flat());
        assert!(!Trend::new("rss", &samples, 0.0, BOUND).unwrap().is_flat());
        assert!(Trend::new("rss", &samples, 598.5, BOUND).is_none());
        assert!(Trend::new("rss", &[], 0.0, BOUND).is_none());
        assert!(Trend::new("rss", &[(1.0, 1.0); 9], 0.0, BOUND).is_none());
    }
}
