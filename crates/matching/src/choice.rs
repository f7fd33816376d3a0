//! A choice among candidates or none of them, with probabilities.
//!
//! The conditional logit (McFadden, 1974): each candidate has a weighted sum of its features,
//! "none of them" has 0, and the probabilities are the softmax of all. So two equal candidates
//! share the probability, and one that resembles nothing takes none away from the others.

/// The largest sum that is told apart: beyond it a probability is 0 or 1 anyway.
const MAX_SUM: f64 = 40.0;

/// The weighted sum of some features.
pub(crate) fn weighted<const N: usize>(coefficients: &[f64; N], features: &[f64; N]) -> f64 {
    let sum: f64 = coefficients.iter().zip(features).map(|(c, f)| c * f).sum();
    if sum.is_finite() {
        sum.clamp(-MAX_SUM, MAX_SUM)
    } else {
        -MAX_SUM
    }
}

/// The probability of each candidate; what is missing to 1 is that of none.
pub(crate) fn probabilities(sums: &[f64]) -> Vec<f64> {
    let all: f64 = 1.0 + sums.iter().map(|sum| sum.exp()).sum::<f64>();
    sums.iter().map(|sum| sum.exp() / all).collect()
}

/// A probability as a whole number from 0 to 100. Never quite sure: at most 99.
pub(crate) fn percent(probability: f64) -> u8 {
    let rounded = (probability * 100.0).round().clamp(0.0, 99.0);
    // Between 0 and 99 by the line above, and 0 for what is no number.
    (0..=99)
        .rev()
        .find(|whole| f64::from(*whole) <= rounded)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_candidates_share_and_hopeless_ones_take_nothing() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        let two = probabilities(&[9.0, 9.0]);
        assert!(close(two[0], two[1]) && two[0] < 0.5 && two[0] > 0.49);
        let one = probabilities(&[9.0])[0];
        let beside = probabilities(&[9.0, -MAX_SUM])[0];
        assert!(close(one, beside) && one > 0.99);
        assert!(probabilities(&[]).is_empty());
    }

    #[test]
    fn figures_stay_within_bounds() {
        assert_eq!(
            [0.0, 0.004, 0.5, 0.994, 1.0, f64::NAN].map(percent),
            [0, 0, 50, 99, 99, 0]
        );
        assert_eq!(weighted(&[1.0], &[f64::NAN]), -MAX_SUM);
        assert_eq!(weighted(&[1e300, 1.0], &[1e300, 0.0]), -MAX_SUM);
    }
}
