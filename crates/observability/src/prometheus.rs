//! The recorder behind the `metrics` façade, and its text for Prometheus.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;

use crate::catalogue::{self, Kind, Metric, Unit};
use crate::process;

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
    /// Installs the process's recorder, with the buckets and help texts of the
    /// [catalogue](crate::catalogue), and with `buckets` for histograms that it doesn't have.
    ///
    /// # Errors
    /// [`InstallError`], when bounds are missing or a recorder is there already.
    pub fn install(buckets: &[HistogramBuckets]) -> Result<Self, InstallError> {
        let catalogued = catalogue::metrics().filter(|metric| metric.kind == Kind::Histogram);
        let catalogued = catalogued.map(|metric| HistogramBuckets {
            name: metric.name,
            bounds: metric.buckets,
        });
        let mut builder = PrometheusBuilder::new();
        for HistogramBuckets { name, bounds } in catalogued.chain(buckets.iter().copied()) {
            builder = builder
                .set_buckets_for_metric(Matcher::Full(name.to_owned()), bounds)
                .map_err(|_| InstallError::NoBuckets { name })?;
        }
        let handle = builder
            .install_recorder()
            .map_err(|error| InstallError::Installed(Box::new(error)))?;
        catalogue::metrics().for_each(describe);
        // What a text has been made with stays: the libraries' own descriptions give way.
        drop(handle.render());
        Ok(Self { handle })
    }

    /// The text that Prometheus reads: what went through the façade, the process and, called
    /// inside a tokio runtime, the runtime. It formats every series and reads `/proc`: call it
    /// off the runtime's worker threads.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = self.handle.render();
        process::process(&mut text);
        process::runtime(&mut text);
        text
    }

    /// Moves raw observations into their buckets. Without it, a histogram that nobody scrapes
    /// grows without bound: call it every few seconds, off the runtime's worker threads.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

fn describe(metric: &Metric) {
    let unit = match metric.unit {
        Unit::Seconds => metrics::Unit::Seconds,
        Unit::Bytes => metrics::Unit::Bytes,
        _ => metrics::Unit::Count,
    };
    let (name, help) = (metric.name, metric.help);
    match metric.kind {
        Kind::Counter => metrics::describe_counter!(name, unit, help),
        Kind::Gauge => metrics::describe_gauge!(name, unit, help),
        Kind::Histogram => metrics::describe_histogram!(name, unit, help),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_gives_buckets_and_help_and_a_second_recorder_is_refused() {
        let metrics = Metrics::install(&[HistogramBuckets {
            name: "stranger_seconds",
            bounds: &[1.0],
        }])
        .unwrap();
        metrics::describe_gauge!("cache_entries", "Something else");
        metrics::gauge!("cache_entries").set(3.0);
        metrics::histogram!("gen_ai.client.operation.duration").record(0.015);
        metrics::histogram!("stranger_seconds").record(0.5);
        metrics.upkeep();
        let text = metrics.render();
        for line in [
            "# HELP cache_entries Answers in the process's memory",
            "cache_entries 3",
            "# TYPE gen_ai_client_operation_duration histogram",
            r#"gen_ai_client_operation_duration_bucket{le="0.01"} 0"#,
            r#"gen_ai_client_operation_duration_bucket{le="0.02"} 1"#,
            r#"stranger_seconds_bucket{le="1"} 1"#,
        ] {
            assert!(
                text.lines().any(|known| known == line),
                "no {line} in\n{text}"
            );
        }
        assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
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
