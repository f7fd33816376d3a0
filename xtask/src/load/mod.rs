//! `cargo xtask load`: presses the service with what ERPs send, and holds what comes of it
//! against objectives.
//!
//! The generator is open: a plan of arrivals is drawn before and kept whatever the answers do,
//! and latency counts from the intended time, so that a stall is charged to every request that
//! it holds up. Service and generator get a half of the cores each where there are two or more.

pub mod launch;

#[cfg(feature = "load")]
mod arrivals;
#[cfg(feature = "load")]
mod bodies;
#[cfg(feature = "load")]
mod faults;
#[cfg(feature = "load")]
mod figures;
#[cfg(feature = "load")]
mod html;
#[cfg(feature = "load")]
mod objectives;
#[cfg(feature = "load")]
mod press;
#[cfg(feature = "load")]
mod prometheus;
#[cfg(feature = "load")]
mod record;
#[cfg(feature = "load")]
mod run;
#[cfg(feature = "load")]
mod saturation;
#[cfg(feature = "load")]
mod service_times;
#[cfg(feature = "load")]
mod stage;
#[cfg(feature = "load")]
mod svg;
#[cfg(feature = "load")]
mod table;
#[cfg(feature = "load")]
mod traffic;
#[cfg(feature = "load")]
mod trend;
#[cfg(feature = "load")]
mod watch;

#[cfg(feature = "load")]
pub use run::measure;
