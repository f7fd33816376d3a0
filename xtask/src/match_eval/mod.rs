//! `cargo xtask match-eval`, its second half: how often and how surely the `matching` crate
//! finds the order of an invoice, on synthetic purchases, and how fast.

#[cfg(feature = "match-eval")]
mod catalogue;
#[cfg(feature = "match-eval")]
mod figures;
#[cfg(feature = "match-eval")]
mod fit;
#[cfg(feature = "match-eval")]
mod generate;
pub mod launch;
#[cfg(feature = "match-eval")]
mod noise;
#[cfg(feature = "match-eval")]
mod projects;
#[cfg(feature = "match-eval")]
#[cfg(feature = "match-eval")]
mod report;
#[cfg(feature = "match-eval")]
mod speed;
#[cfg(feature = "match-eval")]
mod supply;

#[cfg(feature = "match-eval")]
pub use self::report::measure;
