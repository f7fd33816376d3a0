//! `cargo xtask bench`, its second half: what the service can do, beside a bare HTTP server on
//! the same machine.
//!
//! Everything runs on loopback, the servers on one half of the cores and the generator on the other
//! unless told, so the figures compare with each other; they say little about another machine.

pub mod cache;
pub mod client;
pub mod cores;
pub mod generator;
pub mod hello;
pub mod invoice;
pub mod llm;
pub mod machine;
mod measure;
#[cfg(feature = "load")]
pub mod proxy;
mod report;
mod rules;
pub mod server;
pub mod targets;
pub mod template;

pub use measure::measure;
