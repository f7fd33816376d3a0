//! One POST to an address that the operator configured.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use super::channel::{SendError, SendErrorKind};

/// How the service names itself.
const AGENT: &str = concat!("ai-service-sii-monitor/", env!("CARGO_PKG_VERSION"));

/// An answer is read only to keep the connection: what it says doesn't matter.
const MAX_ANSWER: usize = 64 * 1024;

/// The longest wait that a receiver's `Retry-After` may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Posts to one address. Redirects aren't followed: the address is the operator's word.
#[derive(Clone)]
pub(super) struct Poster {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Arc<SecretString>,
    limit: Duration,
}

impl Poster {
    /// Checks the address. It may lead into the operator's own network: they wrote it.
    pub(super) fn try_new(url: SecretString, limit: Duration) -> Result<Self, SendError> {
        let uri: Uri = url
            .expose_secret()
            .parse()
            .map_err(|_| SendError::new(SendErrorKind::Configuration))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(SendError::new(SendErrorKind::Configuration));
        }
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(limit / 2));
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(Arc::new(ring::default_provider()))
            .map_err(|_| SendError::new(SendErrorKind::Configuration))?
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(1)
            .build(https);
        Ok(Self {
            client,
            url: Arc::new(url),
            limit,
        })
    }

    /// Posts a JSON body with these headers, within the limit of time.
    pub(super) async fn post(
        &self,
        body: Vec<u8>,
        headers: &[(&'static str, String)],
    ) -> Result<(), SendError> {
        let mut request = Request::post(self.url.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| SendError::new(SendErrorKind::Configuration))?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| SendError::new(SendErrorKind::Configuration))?;
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        timeout(self.limit, self.exchange(request))
            .await
            .unwrap_or_else(|_| Err(SendError::new(SendErrorKind::Timeout)))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(), SendError> {
        let response = self
            .client
            .request(request)
            .await
            .map_err(|_| SendError::new(SendErrorKind::Unreachable))?;
        let status = response.status();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok())
            .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
        // Read to the end, so that the connection can be used again; a body that breaks off
        // changes nothing of what the status said.
        let _ = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await;
        if status.is_success() {
            return Ok(());
        }
        Err(SendError::new(kind_of(status)).with_retry_after(wait))
    }
}

/// What a status says of trying again.
fn kind_of(status: StatusCode) -> SendErrorKind {
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT => {
            SendErrorKind::Busy
        }
        status if status.is_server_error() => SendErrorKind::Failed,
        _ => SendErrorKind::Refused,
    }
}

impl std::fmt::Debug for Poster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poster").finish_non_exhaustive()
    }
}
