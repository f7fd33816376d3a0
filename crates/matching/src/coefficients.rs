//! The coefficients of the two choices.
//!
//! Fitted by `cargo xtask match-eval --fit` on synthetic invoices (seeds 101 to 104 of half of
//! the product families), by maximum likelihood with a small quadratic penalty and with the
//! signs held that the features' meaning gives. The report is made on other seeds and on the
//! other families; `docs/matching.md` has its figures.

/// Of an order, in the order of [`Features::values`](crate::Features::values); the first is
/// the constant.
pub(crate) const ORDER: [f64; 11] = [
    -4.07, 0.00, 0.39, 3.88, 2.63, 3.34, 2.89, -1.98, 0.00, 0.00, 0.55,
];

/// Of a project, in the order of
/// [`ProjectFeatures::values`](crate::projects::ProjectFeatures::values); the first is the
/// constant.
pub(crate) const PROJECT: [f64; 8] = [-3.0, 4.0, 3.0, 4.0, 2.0, 2.0, -3.0, -2.0];
