//! The Anthropic Messages API, one call at a time.

mod classify;
mod decode;
mod encode;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Uri};
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument;

use crate::config::Checked;
use crate::telemetry::Call;
use crate::transport::{self, Answer, Limits, Transport};
use crate::{
    AnthropicConfig, Capabilities, Completion, ConfigError, Error, ErrorKind, LanguageModel,
    Provider, Request,
};

const API_VERSION: &str = "2023-06-01";
const USER_AGENT_VALUE: &str = concat!("llm-client/", env!("CARGO_PKG_VERSION"));
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// A client of Anthropic's Messages API for one model.
///
/// It keeps a pool of connections: make one and share it in an `Arc`. Over https it speaks
/// HTTP/2 or HTTP/1.1, as the server prefers; over plain http, HTTP/1.1. TLS (rustls with
/// ring) is set up only where the base URL is https. It uses no process-wide state.
///
/// One call is one attempt; dropping its future closes the exchange. Redirects aren't
/// followed, as they would carry the key elsewhere, and proxies in the environment are
/// ignored: set the base URL.
pub struct Anthropic {
    config: AnthropicConfig,
    endpoint: Uri,
    api_key: HeaderValue,
    transport: Transport,
}

impl Anthropic {
    /// Checks the settings and makes a client. It opens no connection.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the first setting which can't be used.
    pub fn try_new(config: AnthropicConfig) -> Result<Self, ConfigError> {
        let Checked {
            endpoint,
            is_https,
            api_key,
        } = config.check()?;
        let tls = is_https.then_some(&config.trust_roots);
        let transport = Transport::try_new(tls, config.timeouts.connect())?;
        Ok(Self {
            config,
            endpoint,
            api_key,
            transport,
        })
    }

    /// What the client takes its model to be capable of; `known` is false where the model
    /// isn't in the table, which deserves a warning at start-up.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.config.capabilities
    }

    async fn call(&self, request: &Request) -> Result<Completion, Error> {
        let started = Instant::now();
        let body = encode::encode(&self.config.model, &self.config.capabilities, request)?;
        let limits = Limits::new(started, &self.config.timeouts, request.deadline());
        let answer = self
            .transport
            .exchange(self.post(body)?, &limits, self.config.max_response_bytes)
            .await?;
        let Answer {
            status,
            headers,
            body,
        } = answer;
        if !status.is_success() {
            return Err(classify::failure(status, &headers, &body, Timestamp::now()));
        }
        let context = decode::Context {
            asked_model: &self.config.model,
            capabilities: &self.config.capabilities,
            request,
            headers: &headers,
            status,
            elapsed: started.elapsed(),
        };
        decode::decode(&body, &context)
    }

    fn post(&self, body: Bytes) -> Result<transport::Outgoing, Error> {
        http::Request::post(self.endpoint.clone())
            .header(X_API_KEY, self.api_key.clone())
            .header(ANTHROPIC_VERSION, HeaderValue::from_static(API_VERSION))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE))
            .body(body.into())
            .map_err(|error| Error::new(ErrorKind::InvalidRequest).with_source(error))
    }
}

impl fmt::Debug for Anthropic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anthropic")
            .field("model", &self.config.model)
            .field("endpoint", &self.endpoint)
            .field("timeouts", &self.config.timeouts)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LanguageModel for Anthropic {
    fn provider(&self) -> Provider {
        Provider::Anthropic
    }

    fn model(&self) -> &str {
        &self.config.model
    }

    fn origin(&self) -> &str {
        &self.config.base_url
    }

    async fn complete(&self, request: &Request) -> Result<Completion, Error> {
        let call = Call::start(Provider::Anthropic, &self.config.model);
        let span = call.span().clone();
        let result = self.call(request).instrument(span).await;
        call.finish(&result);
        result
    }
}
