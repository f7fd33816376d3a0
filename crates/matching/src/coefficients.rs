//! The coefficients of the two choices.
//!
//! Fitted by `cargo xtask match-eval --fit` on synthetic invoices (seeds 101 to 104 of half of
//! the product families), by maximum likelihood with a small quadratic penalty and with the
//! signs held that the features' meaning gives. The report is made on other seeds and on the
//! other families; `docs/matching.md` has its figures.

/// Of an order, in the order of [`Features::values`](crate::Features::values); the first is
/// the constant.
pub(crate) const ORDER: [f64; 11] = [
    -7.73, 0.29, 0.45, 4.18, 3.11, 4.02, 4.28, -2.12, 2.18, -1.50, 1.65,
];

/// Of a project, in the order of
/// [`ProjectFeatures::values`](crate::projects::ProjectFeatures::values); the first is the
/// constant.
pub(crate) const PROJECT: [f64; 8] = [2.34, 4.18, 0.00, 6.10, 6.03, 0.30, -4.26, -0.24];
