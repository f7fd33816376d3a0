//! `cargo xtask bench`, its second half: what the service can do, beside a bare HTTP server on
//! the same machine.
//!
//! Everything runs on loopback and on the same cores, so the figures compare with each other;
//! they say little about another machine.

pub mod cache;
mod client;
mod generator;
pub mod hello;
mod invoice;
pub mod llm;
mod machine;
mod measure;
mod report;
mod rules;
mod server;
mod targets;
mod template;

pub use measure::measure;
