//! The Anthropic Messages API, one call at a time.

mod assemble;
mod classify;
mod decode;
mod encode;
mod usage;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument;

use crate::config::Checked;
use crate::live;
use crate::telemetry::{Call, Instruments};
use crate::transport::{self, Answer, Limits, Transport};
use crate::{
    AnthropicConfig, Capabilities, Completion, CompletionStream, ConfigError, Error, ErrorKind,
    LanguageModel, Provider, Request,
};
use assemble::Assembler;
use encode::Ask;

const API_VERSION: &str = "2023-06-01";
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
    messages: Uri,
    count_tokens: Uri,
    api_key: HeaderValue,
    transport: Transport,
    instruments: Arc<Instruments>,
}

impl Anthropic {
    /// Checks the settings and makes a client. It opens no connection.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the first setting which can't be used.
    pub fn try_new(config: AnthropicConfig) -> Result<Self, ConfigError> {
        let Checked {
            messages,
            count_tokens,
            is_https,
            api_key,
        } = config.check()?;
        let tls = is_https.then_some(&config.trust_roots);
        let transport = Transport::try_new(tls, config.timeouts.connect())?;
        Ok(Self {
            instruments: Arc::new(Instruments::new(
                Provider::Anthropic,
                &config.model,
                config.content_in_spans,
            )),
            config,
            messages,
            count_tokens,
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
        let outgoing = self.post(&self.messages, request, Ask::Whole)?;
        let limits = Limits::new(started, &self.config.timeouts, request);
        let answer = self
            .transport
            .exchange(outgoing, &limits, self.config.max_response_bytes)
            .await?;
        self.read(&answer, request, started)
    }

    /// Reads an answer that came whole.
    fn read(
        &self,
        answer: &Answer,
        request: &Request,
        begun: Instant,
    ) -> Result<Completion, Error> {
        let Answer {
            status,
            headers,
            body,
        } = answer;
        if !status.is_success() {
            return Err(classify::failure(*status, headers, body, Timestamp::now()));
        }
        decode::decode(body, &self.context(request, *status, headers, begun))
    }

    fn context<'a>(
        &'a self,
        request: &'a Request,
        status: StatusCode,
        headers: &'a HeaderMap,
        begun: Instant,
    ) -> decode::Context<'a> {
        decode::Context {
            asked_model: &self.config.model,
            capabilities: &self.config.capabilities,
            request,
            headers,
            status,
            elapsed: begun.elapsed(),
        }
    }

    /// Makes the call up to the answer's headers.
    async fn begin(&self, request: &Request) -> Result<Begun, Error> {
        let begun = Instant::now();
        let outgoing = self.post(&self.messages, request, Ask::Stream)?;
        let limits = Limits::new(begun, &self.config.timeouts, request);
        let (response, first_event) = self.transport.open(outgoing, &limits).await?;
        if !(response.status().is_success() && transport::is_event_stream(response.headers())) {
            // A failure, or a gateway that can't stream.
            let max_bytes = self.config.max_response_bytes;
            let answer = transport::read_whole(response, &limits, max_bytes).await?;
            return self.read(&answer, request, begun).map(Begun::Whole);
        }
        let (parts, body) = response.into_parts();
        let context = self.context(request, parts.status, &parts.headers, begun);
        let assembler = Assembler::new(&context, begun, self.config.max_response_bytes);
        let incoming = live::Incoming {
            status: parts.status,
            request_id: classify::request_id(&parts.headers),
            body,
            limits: live::StreamLimits {
                whole: limits.whole(),
                first_event,
                idle: self.config.timeouts.idle(),
            },
            max_bytes: self.config.max_response_bytes,
        };
        Ok(Begun::Live(Box::new((incoming, assembler))))
    }

    async fn count(&self, request: &Request) -> Result<Option<u64>, Error> {
        let outgoing = self.post(&self.count_tokens, request, Ask::Count)?;
        let limits = Limits::new(Instant::now(), &self.config.timeouts, request);
        let answer = self
            .transport
            .exchange(outgoing, &limits, self.config.max_response_bytes)
            .await?;
        match answer.status.as_u16() {
            404 | 405 | 501 => Ok(None),
            _ if answer.status.is_success() => decode::decode_count(&answer).map(Some),
            _ => Err(classify::failure(
                answer.status,
                &answer.headers,
                &answer.body,
                Timestamp::now(),
            )),
        }
    }

    fn post(&self, to: &Uri, request: &Request, ask: Ask) -> Result<transport::Outgoing, Error> {
        let body = encode::encode(&self.config.model, &self.config.capabilities, request, ask)?;
        let accept = match ask {
            Ask::Stream => "text/event-stream, application/json",
            Ask::Whole | Ask::Count => "application/json",
        };
        let mut outgoing = http::Request::post(to.clone())
            .header(X_API_KEY, self.api_key.clone())
            .header(ANTHROPIC_VERSION, HeaderValue::from_static(API_VERSION))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static(accept))
            .header(USER_AGENT, HeaderValue::from_static(transport::USER_AGENT))
            .body(body.into())
            .map_err(|error| Error::new(ErrorKind::InvalidRequest).with_source(error))?;
        if let Some(propagate) = self.config.propagate {
            propagate(outgoing.headers_mut());
        }
        Ok(outgoing)
    }
}

/// A streamed call whose headers have come.
enum Begun {
    Live(Box<(live::Incoming, Assembler)>),
    Whole(Completion),
}

impl fmt::Debug for Anthropic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anthropic")
            .field("model", &self.config.model)
            .field("endpoint", &self.messages)
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
        let call = Call::start(&self.instruments, request);
        let span = call.span().clone();
        let result = self.call(request).instrument(span).await;
        call.finish(result.as_ref());
        result
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let call = Call::start(&self.instruments, request);
        let span = call.span().clone();
        async {
            match self.begin(request).await {
                Ok(Begun::Live(parts)) => live::open(parts.0, parts.1, call, request).await,
                Ok(Begun::Whole(completion)) => {
                    call.finish(Ok(&completion));
                    Ok(CompletionStream::whole(completion, request))
                }
                Err(error) => {
                    call.finish(Err(&error));
                    Err(error)
                }
            }
        }
        .instrument(span)
        .await
    }

    /// `None` where a gateway at the base URL doesn't have the endpoint (404, 405, 501).
    async fn count_tokens(&self, request: &Request) -> Result<Option<u64>, Error> {
        let call = Call::counting(&self.instruments);
        let span = call.span().clone();
        let result = self.count(request).instrument(span).await;
        call.finish_count(&result);
        result
    }
}
