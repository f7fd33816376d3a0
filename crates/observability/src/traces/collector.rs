//! The collector's address, and HTTP towards it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter as _;
use rustls::crypto::ring;
use tokio::time::timeout;

use super::{TracesConfig, TracesError};

/// The longest answer that is read: a collector says little.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(3);

/// Where spans are posted: the base URL with the path of OTLP.
pub(super) fn address(endpoint: &str) -> Result<Uri, TracesError> {
    let base = endpoint.trim().trim_end_matches('/');
    let uri: Uri = format!("{base}/v1/traces")
        .parse()
        .map_err(|_| TracesError::Endpoint)?;
    let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    // A password belongs into the headers, which are never shown.
    if !has_scheme || !has_host || base.contains(['?', '#', '@']) {
        return Err(TracesError::Endpoint);
    }
    Ok(uri)
}

/// A pool of connections to the collector.
#[derive(Debug, Clone)]
pub(super) struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    limit: Duration,
}

impl Collector {
    pub(super) fn try_new(config: &TracesConfig) -> Result<Self, TracesError> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT));
        // It names its crypto provider, so that nothing depends on a process-wide default.
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(Arc::new(ring::default_provider()))
            .map_err(TracesError::Tls)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(1)
            .build(connector);
        Ok(Self {
            client,
            limit: config.timeout,
        })
    }

    /// What encodes spans, and posts them through this.
    pub(super) fn exporter(
        self,
        config: &TracesConfig,
        resource: &Resource,
    ) -> Result<SpanExporter, TracesError> {
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(self)
            .with_endpoint(address(&config.endpoint)?.to_string())
            .with_timeout(config.timeout)
            .build()
            .map_err(TracesError::Exporter)?;
        exporter.set_resource(resource);
        Ok(exporter)
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let exchange = async {
            let response = self.client.request(request.map(Full::new)).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await?;
            Ok::<_, HttpError>(Response::from_parts(parts, body.to_bytes()))
        };
        timeout(self.limit, exchange).await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_comes_after_whatever_base_there_is() {
        for (endpoint, uri) in [
            ("http://otel:4318", "http://otel:4318/v1/traces"),
            (" https://otel.cl/in/ ", "https://otel.cl/in/v1/traces"),
            ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
        ] {
            assert_eq!(address(endpoint).unwrap().to_string(), uri);
        }
        for endpoint in [
            "",
            "otel:4318",
            "grpc://otel:4317",
            "http://",
            "/v1",
            "http://otel/?a=b",
            "http://otel/#x",
            "http://a b",
            "http://me:secret@otel:4318",
        ] {
            assert!(address(endpoint).is_err(), "{endpoint}");
        }
    }
}
