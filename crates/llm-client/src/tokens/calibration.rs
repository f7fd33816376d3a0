//! The ratio of the provider's figures to our own counts, learned with decay.

/// Calls after which an old one weighs a third of a new one.
const MEMORY: f64 = 32.0;
/// Before anything is learned: newer Claude tokenizers make up to a third more tokens than
/// the public one, so that the mean is put at a sixth and the spread so that a half is held.
const PRIOR_LOG_RATIO: f64 = 0.15;
const PRIOR_VARIANCE: f64 = 0.0144;
/// Observations that the prior weighs as much as.
const PRIOR_WEIGHT: f64 = 2.0;
/// Never sure to less than a hundredth.
const MIN_DEVIATION: f64 = 0.01;
/// The upper bound lies so many standard deviations above the mean.
const DEVIATIONS: f64 = 3.0;
/// A ratio outside of e^±1.6 (a fifth, fivefold) is a mistake rather than a tokenizer.
const MAX_LOG_RATIO: f64 = 1.6;

/// What is known of one model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calibration {
    seen: f64,
    log_ratio: f64,
    variance: f64,
    error: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            seen: 0.0,
            log_ratio: PRIOR_LOG_RATIO,
            variance: PRIOR_VARIANCE,
            error: 0.0,
        }
    }
}

impl Calibration {
    /// One for counts that have no known lean: wide until something is learned.
    pub(super) fn unbiased() -> Self {
        Self {
            log_ratio: 0.0,
            ..Self::default()
        }
    }

    /// Whether anything has been learned.
    pub(super) fn has_seen(&self) -> bool {
        self.seen > 0.0
    }

    /// Learns from one call: its raw count, what was expected of it, and the figure.
    pub(super) fn observe(&mut self, raw: u64, expected: u64, actual: u64) {
        if raw == 0 || actual == 0 {
            return;
        }
        let (raw, expected, actual) = (to_f64(raw), to_f64(expected), to_f64(actual));
        let ratio = (actual / raw).ln().clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO);
        self.seen = (self.seen + 1.0).min(MEMORY);
        let weight = 1.0 / (self.seen + PRIOR_WEIGHT).min(MEMORY);
        let off = ratio - self.log_ratio;
        self.log_ratio += weight * off;
        self.variance = (1.0 - weight) * (self.variance + weight * off * off);
        let error = ((actual - expected) / actual).abs().min(1.0);
        self.error += (error - self.error) / self.seen;
    }

    /// A raw count as it is likely to be, and as it hardly ever exceeds.
    pub(super) fn correct(&self, raw: u64) -> (u64, u64) {
        let raw = to_f64(raw);
        let deviation = self.variance.sqrt().max(MIN_DEVIATION);
        (
            to_tokens(raw * self.log_ratio.exp()),
            to_tokens(raw * (self.log_ratio + DEVIATIONS * deviation).exp()),
        )
    }

    /// What a raw count is multiplied with.
    pub(super) fn correction(&self) -> f64 {
        self.log_ratio.exp()
    }

    /// The decayed mean of |figure − expected| / figure.
    pub(super) fn error(&self) -> f64 {
        self.error
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate, and no prompt has 2⁵³ tokens"
)]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that isn't a count becomes the nearest one"
)]
fn to_tokens(tokens: f64) -> u64 {
    tokens.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_a_constant_ratio_and_narrows_its_bound() {
        let mut calibration = Calibration::default();
        for _ in 0..100 {
            let (expected, _) = calibration.correct(1_000);
            calibration.observe(1_000, expected, 1_300);
        }
        let (expected, upper) = calibration.correct(10_000);
        assert!((12_950..=13_050).contains(&expected), "{expected}");
        assert!(upper > expected && upper < 13_700, "{upper}");
        assert!(calibration.error() < 0.01);
    }

    #[test]
    fn it_follows_a_model_that_changes() {
        let mut calibration = Calibration::default();
        for actual in [1_300, 900] {
            for _ in 0..150 {
                let (expected, _) = calibration.correct(1_000);
                calibration.observe(1_000, expected, actual);
            }
            let (expected, _) = calibration.correct(1_000);
            assert!(expected.abs_diff(actual) <= 10, "{expected} for {actual}");
        }
    }

    #[test]
    fn nonsense_moves_it_by_a_bounded_step() {
        let mut calibration = Calibration::default();
        calibration.observe(0, 0, 10);
        calibration.observe(10, 10, 0);
        calibration.observe(1, 1, u64::MAX);
        let (expected, upper) = calibration.correct(1_000);
        assert!(expected < 5_000 && upper < 40_000, "{expected} {upper}");
        assert_eq!(calibration.correct(0), (0, 0));
    }
}
