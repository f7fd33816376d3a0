//! x
mod assignment;
mod input;
mod reference;
mod text;
mod units;
pub use input::*;
