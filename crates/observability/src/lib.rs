//! What the service tells of itself: metrics, latency quantiles, traces and logs.
//!
//! Libraries of this workspace speak only the `metrics` and `tracing` façades; this crate
//! chooses what stands behind them. A binary calls [`Metrics::install`], [`Traces::start`]
//! where there is a collector, and [`logs::init`], each once; it keeps what they return, and
//! serves [`Metrics::render`] where Prometheus asks. The [`catalogue`] has every metric.
//!
//! ```
//! use std::time::Duration;
//! use observability::{HttpMetrics, LatencyHistogram, Pace};
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
//! let http = HttpMetrics::new(&[("/live", Pace::Quick), ("/chat", Pace::Model)]);
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
//!   thread of their own, and what doesn't fit is counted, not waited for. Their level changes
//!   while the process runs ([`logs::Level`]).
//! - No body, key, RUT or address of mail gets into a line: what looks like the last two is
//!   masked wherever it comes from.
//! - Tracing never waits for the collector: what it doesn't take is dropped and counted. Where
//!   there is none, a span costs one check.
//!
//! # Absent on purpose
//!
//! No push gateway and no HTTP listener: the service serves its own figures. No logs or metrics
//! by OTLP: the lines carry the trace's id, and Prometheus asks. No content of prompts or answers
//! in a span.

pub mod catalogue;
mod http;
pub mod logs;
mod panics;
mod process;
mod prometheus;
mod quantiles;
mod text;
pub mod traces;

pub use http::{HttpMetrics, InFlight, Pace, REQUEST_BUCKETS, Written, method_label};
pub use panics::log_panics;
pub use prometheus::{HistogramBuckets, InstallError, Metrics};
pub use quantiles::{LatencyHistogram, Quantiles};
pub use traces::{Traces, TracesConfig, TracesError};
