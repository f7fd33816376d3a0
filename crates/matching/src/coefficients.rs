//! The coefficients of the two choices.
//!
//! Fitted by `cargo xtask match-eval --fit` on synthetic invoices (seeds 101 to 104 of half of
//! the product families), by maximum likelihood with a small quadratic penalty and with the
//! signs held that the features' meaning gives. The report is made on other seeds and on the
//! other families; `docs/matching.md` has its figures.

/// Of an order, in the order of [`Features::values`](crate::Features::values); the first is
/// the constant.
pub(crate) const ORDER: [f64; 11] = [
    -7.80, 0.28, 0.44, 4.20, 3.09, 4.04, 4.21, -2.11, 2.30, -1.50, 1.58,
];

/// Of a project, in the order of
/// [`ProjectFeatures::values`](crate::projects::ProjectFeatures::values); the first is the
/// constant.
pub(crate) const PROJECT: [f64; 8] = [-3.0, 4.0, 3.0, 4.0, 2.0, 2.0, -3.0, -2.0];
