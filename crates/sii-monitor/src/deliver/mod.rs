//! Telling: to whom, when, and in which form.

pub mod email;
mod notice;
mod policy;
pub mod slack;
pub mod webhook;

pub use notice::Notice;
pub use policy::{Digest, Policy, PolicyError, Quiet};
