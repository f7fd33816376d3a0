//! What the service tells of itself: metrics, latency quantiles and logs.
//!
//! Libraries of this workspace speak only the `metrics` and `tracing` façades; this crate
//! chooses what stands behind them. A binary calls [`Metrics::install`] and [`logs::init`]
//! once, keeps what they return, and serves [`Metrics::render`] where Prometheus asks.
//!
//! ```
//! use std::time::Duration;
//! use observability::{HttpMetrics, LatencyHistogram};
//!
//! // Quantiles from the very buckets that Prometheus sees.
//! let histogram = LatencyHistogram::new(observability::REQUEST_BUCKETS);
//! for _ in 0..99 {
//!     histogram.observe(Duration::from_millis(2));
//! }
//! histogram.observe(Duration::from_secs(3));
//! let quantiles = histogram.quantiles().expect("it has observations");
//! assert!(quantiles.p50 > 0.001 && quantiles.p50 <= 0.0025);
//!
//! // A server's own table: route templates are the only label values there can be.
//! let http = HttpMetrics::new(&["/live", "/health"]);
//! http.observe(0, "GET", 200, Duration::from_micros(80), Duration::ZERO);
//! assert_eq!(http.total_requests(), 1);
//! ```
//!
//! # Guarantees
//!
//! - Labels are bounded: a route that isn't in the table has no series of its own.
//! - Observing allocates nothing after a series' first time, and takes no lock that is held
//!   over more than a look-up.
//! - Logging never waits for the terminal or the pipe: lines go through a bounded queue to a
//!   thread of their own, and what doesn't fit is counted, not waited for.
//!
//! # Absent on purpose
//!
//! No push gateway and no HTTP listener: the service serves its own figures.

pub mod catalogue;
mod http;
pub mod logs;
mod panics;
mod prometheus;
mod quantiles;
pub mod traces;

pub use http::{HttpMetrics, InFlight, REQUEST_BUCKETS, method_label};
pub use panics::log_panics;
pub use prometheus::{HistogramBuckets, InstallError, Metrics};
pub use quantiles::{LatencyHistogram, Quantiles};
pub use traces::{Traces, TracesConfig, TracesError};
