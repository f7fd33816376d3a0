//! The routes under `/api/payroll`: payslips checked before they are paid, and the indicators of
//! a month.

mod answer;
mod extractor;
mod indicators;
mod judge;
mod months;
mod source;

pub use extractor::PageReader;
pub use source::{PageError, PreviredPage};

pub(crate) use indicators::indicators;
pub(crate) use judge::validate;
pub(crate) use months::Months;

/// The cache's name for checking a payslip, also its metric label.
pub const OPERATION: &str = "payroll_validate";
