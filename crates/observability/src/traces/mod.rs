//! Traces: spans of the `tracing` façade, sent to a collector by OTLP over HTTP (protobuf).
//!
//! Every span is recorded, and what becomes of a trace is decided when its root ends: it is
//! kept if it was sampled by ratio or by the caller (`traceparent`), if something in it failed,
//! or if it was slow. The way to the collector is bounded at every place and nobody waits on
//! it: what finds no room is dropped and counted.
//!
//! Without a collector nothing of this is there, and a span costs the check that nobody wants it.

mod collector;
mod context;
mod export;
mod sampler;
mod tail;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use thiserror::Error;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

pub(crate) use context::ids;
pub use context::{adopt, inject, mark_failed};

use collector::Collector;
use export::{Exports, Queue};
use sampler::KeepTrack;
use tail::Tail;

/// Where traces go, and which.
#[derive(Debug, Clone)]
pub struct TracesConfig {
    /// The collector's base URL, `http` or `https`; `/v1/traces` is added.
    pub endpoint: String,
    /// The share of traces to keep, 0 to 1, of those that neither failed nor were slow.
    pub ratio: f64,
    /// A trace whose root takes so long is always kept.
    pub slow: Duration,
    /// The longest that the collector may take for one batch.
    pub timeout: Duration,
    /// `service.name`.
    pub service: String,
    /// `service.version`.
    pub version: String,
    /// `service.instance.id`: another one for each process.
    pub instance: String,
}

impl TracesConfig {
    /// Everything is kept; the collector has 10 s for a batch.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, version: &str) -> Self {
        let instance = format!("{:032x}", instance());
        Self {
            endpoint: endpoint.into(),
            ratio: 1.0,
            slow: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            service: "ai-service".to_owned(),
            version: version.to_owned(),
            instance,
        }
    }

    /// Whether traces could be sent so.
    ///
    /// # Errors
    /// [`TracesError`], with what makes no sense.
    pub fn check(&self) -> Result<(), TracesError> {
        if !(0.0..=1.0).contains(&self.ratio) {
            return Err(TracesError::Ratio);
        }
        collector::address(&self.endpoint).map(drop)
    }
}

/// A random number, from the identifiers' own source.
fn instance() -> u128 {
    use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};
    u128::from_be_bytes(RandomIdGenerator::default().new_trace_id().to_bytes())
}

/// Why traces can't be sent. The configuration's fault; trying again changes nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TracesError {
    /// The endpoint is no URL of HTTP.
    #[error(
        "the collector's endpoint must be an http:// or https:// URL without query or password"
    )]
    Endpoint,
    /// The share of traces to keep is none.
    #[error("the share of traces to keep must be from 0 to 1")]
    Ratio,
    /// The cryptography for `https` could not be set up.
    #[error("set up TLS towards the collector")]
    Tls(#[source] rustls::Error),
    /// The exporter refused its configuration.
    #[error("set up the exporter")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
}

/// Traces on their way to a collector. It is handed to [`crate::logs::init`], and
/// [shut down](Self::shut_down) when the process ends.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    exports: Exports,
}

impl Traces {
    /// Starts to send. Call it inside a tokio runtime, after the metrics recorder is installed.
    /// Nobody is connected to before there is something to send.
    ///
    /// # Errors
    /// [`TracesError`], when the configuration makes no sense.
    pub fn start(config: &TracesConfig) -> Result<Self, TracesError> {
        config.check()?;
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", config.service.clone()),
                KeyValue::new("service.version", config.version.clone()),
                KeyValue::new("service.instance.id", config.instance.clone()),
            ])
            .build();
        let collector = Collector::try_new(config)?;
        let exporter = collector.exporter(config, &resource)?;
        let (queue, exports) = export::start(exporter, config.timeout);
        Ok(Self {
            provider: provider(config, resource, Arc::new(queue)),
            exports,
        })
    }

    /// The layer that turns this workspace's spans, and the events in them, into traces.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let scope = InstrumentationScope::builder("ai-service").build();
        let tracer = self.provider.tracer_with_scope(scope);
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(true)
            .with_tracked_inactivity(false)
            .with_filter(Ours(targets()))
    }

    /// Sends what waits, for at most `limit`.
    pub async fn shut_down(self, limit: Duration) {
        // No span is recorded any more; then what waits is sent.
        let _ = self.provider.shutdown_with_timeout(Duration::ZERO);
        self.exports.finish(limit).await;
    }
}

fn provider(config: &TracesConfig, resource: Resource, queue: Arc<Queue>) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(KeepTrack::new(config.ratio))
        .with_span_processor(Tail::new(config.slow, queue))
        // A stream's events are counted, not listed.
        .with_max_events_per_span(32)
        .with_max_attributes_per_span(64)
        .build()
}

/// The crates whose spans make up a trace. What others record (HTTP, TLS, Redis) would double
/// it, and the exporter's own calls would trace themselves.
const CRATES: [&str; 9] = [
    "ai_service",
    "cache",
    "chat",
    "http_api",
    "knowledge_base",
    "llm_client",
    "payroll",
    "sii_monitor",
    "store",
];

fn targets() -> Targets {
    Targets::new().with_targets(CRATES.map(|name| (name, LevelFilter::INFO)))
}

/// [`CRATES`] alone.
struct Ours(Targets);

impl<S> tracing_subscriber::layer::Filter<S> for Ours {
    fn enabled(
        &self,
        metadata: &Metadata<'_>,
        _: &tracing_subscriber::layer::Context<'_, S>,
    ) -> bool {
        self.0.would_enable(metadata.target(), metadata.level())
    }

    fn callsite_enabled(
        &self,
        metadata: &'static Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        if self.0.would_enable(metadata.target(), metadata.level()) {
            tracing::subscriber::Interest::always()
        } else {
            tracing::subscriber::Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }
}
