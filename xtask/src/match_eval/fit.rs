//! Coefficients by maximum likelihood: the conditional logit of the `matching` crate.

/// One choice: the features of each candidate, and which of them are right. None right means
/// that "none of them" is.
pub struct Choice<const N: usize> {
    /// The candidates.
    pub candidates: Vec<([f64; N], bool)>,
}

/// Steps of the ascent.
const STEPS: u32 = 4_000;
/// The rate of the steps (Adam's).
const RATE: f64 = 0.03;
/// The penalty of a coefficient's distance from its prior, for each choice.
const PENALTY: f64 = 5e-4;

/// Fits. `signs` holds for each coefficient 1 where it may not be negative, -1 where it may not
/// be positive, 0 where it is free. `prior` is what is believed before any choice is seen: what
/// the synthetic choices say nothing about, or too much, stays near it.
pub fn fit<const N: usize>(choices: &[Choice<N>], signs: [i8; N], prior: [f64; N]) -> [f64; N] {
    let mut coefficients = prior;
    let (mut mean, mut square) = ([0.0; N], [0.0; N]);
    for step in 1..=STEPS {
        let gradient = gradient(choices, &coefficients, &prior);
        for at in 0..N {
            mean[at] = 0.9 * mean[at] + 0.1 * gradient[at];
            square[at] = 0.999 * square[at] + 0.001 * gradient[at] * gradient[at];
            let moved = mean[at] / (1.0 - 0.9_f64.powi(step.cast_signed()));
            let spread = square[at] / (1.0 - 0.999_f64.powi(step.cast_signed()));
            coefficients[at] += RATE * moved / (spread.sqrt() + 1e-8);
            match signs[at] {
                1 => coefficients[at] = coefficients[at].max(0.0),
                -1 => coefficients[at] = coefficients[at].min(0.0),
                _ => {}
            }
        }
    }
    coefficients
}

/// Of the mean logarithm of the probability of what is right.
fn gradient<const N: usize>(
    choices: &[Choice<N>],
    coefficients: &[f64; N],
    prior: &[f64; N],
) -> [f64; N] {
    let mut sum = [0.0; N];
    for choice in choices {
        let weights: Vec<f64> = choice
            .candidates
            .iter()
            .map(|(features, _)| dot(coefficients, features).clamp(-40.0, 40.0).exp())
            .collect();
        let all = 1.0 + weights.iter().sum::<f64>();
        let pairs = || choice.candidates.iter().zip(&weights);
        let right: f64 = pairs()
            .filter(|((_, right), _)| *right)
            .map(|(_, weight)| weight)
            .sum();
        for ((features, is_right), weight) in pairs() {
            let share = if *is_right && right > 0.0 {
                weight / right
            } else {
                0.0
            };
            for (sum, feature) in sum.iter_mut().zip(features) {
                *sum += (share - weight / all) * feature;
            }
        }
    }
    let count = choices.len().max(1) as f64;
    for ((sum, coefficient), prior) in sum.iter_mut().zip(coefficients).zip(prior) {
        *sum = *sum / count - 2.0 * PENALTY * (coefficient - prior);
    }
    sum
}

fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_made_the_choices_is_found_again() {
        // With one candidate and no feature but the constant, the probability is the share.
        let choice = |right| Choice {
            candidates: vec![([1.0], right)],
        };
        let choices: Vec<Choice<1>> = (0..100).map(|at| choice(at < 80)).collect();
        let [constant] = fit(&choices, [0], [0.0]);
        assert!((constant - 4.0_f64.ln()).abs() < 0.01, "{constant}");
        assert_eq!(fit(&choices, [-1], [0.0]), [0.0]);
    }
}
