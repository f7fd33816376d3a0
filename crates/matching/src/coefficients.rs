//! The coefficients of the two choices.
//!
//! Fitted by `cargo xtask match-eval --fit` on synthetic purchases (seeds 1,000,001 to 1,000,006
//! of four of the nine product families), by maximum likelihood with a pull towards a prior and
//! with the signs held that the features' meaning gives. The report is made on other seeds and
//! on the other families; `docs/matching.md` has its figures.

/// Of an order, in the order of [`Features::values`](crate::Features::values); the first is
/// the constant.
pub(crate) const ORDER: [f64; 11] = [
    -7.67, 0.20, 0.48, 4.18, 3.10, 4.01, 4.25, -2.12, 2.20, -1.50, 1.63,
];

/// Of a project, in the order of
/// [`ProjectFeatures::values`](crate::projects::ProjectFeatures::values); the first is the
/// constant.
pub(crate) const PROJECT: [f64; 8] = [-0.95, 4.33, 0.16, 5.86, 5.98, 0.79, -2.59, -0.80];
