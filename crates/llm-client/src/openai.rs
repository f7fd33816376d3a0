//! Any endpoint that speaks OpenAI's chat completions, one call at a time.

mod assemble;
mod classify;
mod config;
mod encode;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Uri};
use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument;

use crate::live;
use crate::telemetry::{Call, Instruments};
use crate::transport::{self, Answer, Limits, Transport};
use crate::{
    Completion, CompletionStream, ConfigError, Error, ErrorKind, LanguageModel, Provider, Request,
};
use assemble::Assembler;
use config::Checked;

pub use config::{MaxTokensField, OpenAiConfig, ResponseFormat};

/// A client of one model behind `POST /chat/completions`: vLLM, llama.cpp, Ollama, LiteLLM, or
/// OpenAI itself.
///
/// It makes the same promises as [`Anthropic`](crate::Anthropic), with the same errors. Cache
/// marks aren't sent, as such endpoints cache prefixes by themselves or not at all. Tokens
/// that the endpoint doesn't tell are estimated upwards and flagged. It doesn't count tokens.
pub struct OpenAiCompatible {
    config: OpenAiConfig,
    endpoint: Uri,
    authorization: Option<HeaderValue>,
    transport: Transport,
    instruments: Arc<Instruments>,
}

impl OpenAiCompatible {
    /// Checks the settings and makes a client. It opens no connection.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the first setting which can't be used.
    pub fn try_new(config: OpenAiConfig) -> Result<Self, ConfigError> {
        let Checked {
            endpoint,
            is_https,
            authorization,
        } = config.check()?;
        let tls = is_https.then_some(&config.trust_roots);
        let transport = Transport::try_new(tls, config.timeouts.connect())?;
        Ok(Self {
            instruments: Arc::new(Instruments::new(
                Provider::OpenAiCompatible,
                &config.model,
                config.content_in_spans,
            )),
            config,
            endpoint,
            authorization,
            transport,
        })
    }

    async fn call(&self, request: &Request) -> Result<Completion, Error> {
        let begun = Instant::now();
        let outgoing = self.post(request, false)?;
        let limits = Limits::new(begun, &self.config.timeouts, request);
        let answer = self
            .transport
            .exchange(outgoing, &limits, self.config.max_response_bytes)
            .await?;
        self.read(answer, request, begun)
    }

    /// Reads an answer that came whole.
    fn read(&self, answer: Answer, request: &Request, begun: Instant) -> Result<Completion, Error> {
        let Answer {
            status,
            headers,
            body,
        } = answer;
        if !status.is_success() {
            return Err(classify::failure(status, &headers, &body, Timestamp::now()));
        }
        self.assembler(request, status, &headers, begun)
            .whole(&body)
    }

    fn assembler(
        &self,
        request: &Request,
        status: http::StatusCode,
        headers: &http::HeaderMap,
        begun: Instant,
    ) -> Assembler {
        let max_bytes = self.config.max_response_bytes;
        Assembler::new(
            &self.config.model,
            request,
            status,
            headers,
            begun,
            max_bytes,
        )
    }

    /// Makes the call up to the answer's headers.
    async fn begin(&self, request: &Request) -> Result<Begun, Error> {
        let begun = Instant::now();
        let outgoing = self.post(request, true)?;
        let limits = Limits::new(begun, &self.config.timeouts, request);
        let (response, first_event) = self.transport.open(outgoing, &limits).await?;
        let max_bytes = self.config.max_response_bytes;
        if !(response.status().is_success() && transport::is_event_stream(response.headers())) {
            // A failure, or an endpoint that can't stream.
            let answer = transport::read_whole(response, &limits, max_bytes).await?;
            return self.read(answer, request, begun).map(Begun::Whole);
        }
        let (parts, body) = response.into_parts();
        let incoming = live::Incoming {
            status: parts.status,
            request_id: classify::request_id(&parts.headers),
            body,
            limits: live::StreamLimits {
                whole: limits.whole(),
                first_event,
                idle: self.config.timeouts.idle(),
            },
            max_bytes,
        };
        let assembler = self.assembler(request, parts.status, &parts.headers, begun);
        Ok(Begun::Live(Box::new((incoming, assembler))))
    }

    fn post(&self, request: &Request, stream: bool) -> Result<transport::Outgoing, Error> {
        let body = encode::encode(&self.config, request, stream)?;
        let accept = if stream {
            "text/event-stream, application/json"
        } else {
            "application/json"
        };
        let mut outgoing = http::Request::post(self.endpoint.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static(accept))
            .header(USER_AGENT, HeaderValue::from_static(transport::USER_AGENT))
            .body(body.into())
            .map_err(|error| Error::new(ErrorKind::InvalidRequest).with_source(error))?;
        if let Some(value) = &self.authorization {
            outgoing.headers_mut().insert(AUTHORIZATION, value.clone());
        }
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

impl fmt::Debug for OpenAiCompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiCompatible")
            .field("model", &self.config.model)
            .field("endpoint", &self.endpoint)
            .field("timeouts", &self.config.timeouts)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LanguageModel for OpenAiCompatible {
    fn provider(&self) -> Provider {
        Provider::OpenAiCompatible
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
}
