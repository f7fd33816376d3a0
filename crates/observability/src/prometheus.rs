//! The recorder behind the `metrics` façade, and its text for Prometheus.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use thiserror::Error;

use crate::http::{DURATION, OVERHEAD, OVERHEAD_BUCKETS, REQUEST_BUCKETS};

/// The bounds of one histogram. Without bounds the exporter would make it a summary, which
/// can't be added up over replicas.
#[derive(Debug, Clone, Copy)]
pub struct HistogramBuckets {
    /// The metric's whole name.
    pub name: &'static str,
    /// Upper bounds, rising, in the metric's own unit.
    pub bounds: &'static [f64],
}

/// The installed recorder.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Collector,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// Why the recorder could not be installed. The caller's fault both times; trying again
/// changes nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A histogram was given no bounds.
    #[error("histogram {name} has no buckets")]
    NoBuckets {
        /// Which one.
        name: &'static str,
    },
    /// This process has a recorder already.
    #[error("a metrics recorder is installed already")]
    Installed(#[source] Box<BuildError>),
}

impl Metrics {
    /// Installs the process's recorder: the request histograms, and `buckets` for those of
    /// the libraries in use.
    ///
    /// # Errors
    /// [`InstallError`], when bounds are missing or a recorder is there already.
    pub fn install(buckets: &[HistogramBuckets]) -> Result<Self, InstallError> {
        let own = [
            HistogramBuckets {
                name: DURATION,
                bounds: REQUEST_BUCKETS,
            },
            HistogramBuckets {
                name: OVERHEAD,
                bounds: OVERHEAD_BUCKETS,
            },
        ];
        let mut builder = PrometheusBuilder::new();
        for HistogramBuckets { name, bounds } in own.iter().chain(buckets) {
            builder = builder
                .set_buckets_for_metric(Matcher::Full((*name).to_owned()), bounds)
                .map_err(|_| InstallError::NoBuckets { name })?;
        }
        let handle = builder
            .install_recorder()
            .map_err(|error| InstallError::Installed(Box::new(error)))?;
        let process = Collector::default();
        process.describe();
        Ok(Self { handle, process })
    }

    /// The text that Prometheus reads. It formats every series and reads `/proc`: call it off
    /// the runtime's worker threads.
    #[must_use]
    pub fn render(&self) -> String {
        self.process.collect();
        self.handle.render()
    }

    /// Moves raw observations into their buckets. Without it, a histogram that nobody scrapes
    /// grows without bound: call it every few seconds, off the runtime's worker threads.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn request_durations_come_out_as_a_histogram_and_a_second_recorder_is_refused() {
        let metrics = Metrics::install(&[]).unwrap();
        let http = crate::HttpMetrics::new(&["/live"]);
        let in_flight = http.enter();
        http.observe(
            0,
            "GET",
            200,
            Duration::from_millis(3),
            Duration::from_millis(1),
        );
        metrics.upkeep();
        http.publish();
        let text = metrics.render();
        for line in [
            "# TYPE http_request_duration_seconds histogram",
            r#"http_request_duration_seconds_bucket{method="GET",endpoint="/live",status="200",le="0.005"} 1"#,
            r#"http_request_overhead_seconds_bucket{endpoint="/live",le="0.0025"} 1"#,
            "http_requests_in_flight 1",
            "process_resident_memory_bytes",
        ] {
            assert!(text.contains(line), "no {line} in\n{text}");
        }
        drop(in_flight);
        http.publish();
        assert!(metrics.render().contains("http_requests_in_flight 0"));
        assert!(matches!(
            Metrics::install(&[]),
            Err(InstallError::Installed(_))
        ));
    }

    #[test]
    fn a_histogram_without_bounds_is_refused_by_name() {
        let nothing = HistogramBuckets {
            name: "lookup_seconds",
            bounds: &[],
        };
        let error = Metrics::install(&[nothing]).unwrap_err();
        assert!(matches!(
            error,
            InstallError::NoBuckets {
                name: "lookup_seconds"
            }
        ));
    }
}
