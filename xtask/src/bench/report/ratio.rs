//! Cached validates beside hello-worlds.

use super::super::targets::Target;
use super::{Figures, median};

/// The median of the rounds' ratios.
pub(super) fn ratio(targets: &[Figures]) -> Option<f64> {
    median(&ratios(targets))
}

/// Cached validates by hello-worlds of each round, which measured both within seconds of each other.
pub(super) fn ratios(targets: &[Figures]) -> Vec<f64> {
    let rounds = |target: Target| {
        let figures = targets
            .iter()
            .find(|figures| figures.name == target.name())?;
        Some(&figures.rounds)
    };
    let (Some(cached), Some(hello)) = (rounds(Target::Cached), rounds(Target::Hello)) else {
        return Vec::new();
    };
    let pairs = cached.iter().zip(hello);
    pairs
        .filter(|(_, hello)| **hello > 0.0)
        .map(|(cached, hello)| cached / hello)
        .collect()
}
