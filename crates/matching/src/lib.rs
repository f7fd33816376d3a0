//! x
mod assignment;
mod compare;
mod corpus;
mod input;
mod reference;
mod text;
mod units;
pub use input::*;
