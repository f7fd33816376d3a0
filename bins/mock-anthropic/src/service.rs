//! One request: which route, may it, is it right, what goes wrong, what is the answer.

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, AUTHORIZATION, CONTENT_ENCODING},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::{Duration, sleep, timeout};

use crate::{
    answer::compose,
    body::{MockBody, Reset},
    chat, control,
    delivery::{Delivery, json_response},
    error::ApiError,
    faults::Fault,
    request::{self, Route},
    state::{Manner, State},
    stats::InFlight,
    wire::{Reply, json_bytes},
};

/// Longest wait for a request's body.
const BODY_DEADLINE: Duration = Duration::from_secs(60);

const MESSAGES: &str = "/v1/messages";
const COUNT_TOKENS: &str = "/v1/messages/count_tokens";
const CHAT: &str = "/v1/chat/completions";

/// Answers a request; an error closes the connection without an answer.
pub(crate) async fn handle(
    state: Arc<State>,
    reset: Arc<Reset>,
    request: Request<Incoming>,
) -> io::Result<Response<MockBody>> {
    let route = match request.uri().path() {
        MESSAGES => Some((MESSAGES, Route::Messages)),
        COUNT_TOKENS => Some((COUNT_TOKENS, Route::CountTokens)),
        CHAT => Some((CHAT, Route::Chat)),
        path if path.starts_with("/mock/") => return Ok(control::handle(&state, request).await),
        _ => None,
    };
    let path = route.map_or("other", |(path, _)| path);
    state.counters.arrived(path);
    let request_id = state.random.id("req_");
    let outcome = match route {
        None => Err(ApiError::new(StatusCode::NOT_FOUND, "Not found").into()),
        Some((path, route)) => {
            let exchange = Exchange {
                state: &state,
                reset,
                path,
                route,
                id: &request_id,
            };
            exchange.answer(request).await
        }
    };
    let mut response = match outcome {
        Ok(response) => response,
        Err(Failure::Refused(error)) => refuse(&error, &request_id),
        Err(Failure::Cut) => return Err(io::ErrorKind::ConnectionReset.into()),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("request-id"), id);
    }
    state.counters.answered(path, response.status());
    Ok(response)
}

/// Why there is no proper answer.
enum Failure {
    Refused(Box<ApiError>),
    Cut,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(Box::new(error))
    }
}

fn refuse(error: &ApiError, request_id: &str) -> Response<MockBody> {
    let mut response = json_response(error.status, json_bytes(&error.body(request_id)));
    for (name, value) in &error.headers {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

/// One request under `/v1/` and its answer.
struct Exchange<'a> {
    state: &'a Arc<State>,
    reset: Arc<Reset>,
    path: &'static str,
    route: Route,
    id: &'a str,
}

impl Exchange<'_> {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<MockBody>, Failure> {
        let mut in_flight = InFlight::begin(&self.state.counters);
        let outcome = self.checked(request, &mut in_flight).await;
        let (headers, parsed, fault, account) = match outcome {
            Ok(parts) => parts,
            Err(failure) => {
                in_flight.finish();
                return Err(failure);
            }
        };
        match self.route {
            Route::CountTokens => Ok(self.count_tokens(&parsed, fault, in_flight)),
            Route::Messages | Route::Chat => {
                let manner = self.state.manner(&headers).map_err(ApiError::invalid);
                let manner = manner.inspect_err(|_| in_flight.finish())?;
                self.message(&parsed, manner, fault, &account, in_flight)
                    .await
            }
        }
    }

    /// Reads and checks the request, then lets a fault strike: a wrong request uses none up.
    async fn checked(
        &self,
        request: Request<Incoming>,
        in_flight: &mut InFlight,
    ) -> Result<(HeaderMap, request::Request, Option<Fault>, String), Failure> {
        let (parts, body) = request.into_parts();
        if parts.method != Method::POST {
            let allow = HeaderValue::from_static("POST");
            let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            return Err(error.with_header(ALLOW, allow).into());
        }
        let expected = self.state.config.api_key.as_deref();
        // One's own machine, which is what speaks chat completions, asks for no key.
        let account = match (self.route, expected) {
            (Route::Chat, None) => String::new(),
            _ => authenticate(&parts.headers, expected)?,
        };
        if self.route != Route::Chat {
            check_version(&parts.headers)?;
        }
        check_encoding(&parts.headers)?;
        let body = read_body(body, self.state.config.max_body_bytes).await?;
        self.state.counters.record(self.path, &parts.headers, &body);
        let strict = self.state.config.strict_schemas;
        let parsed = request::Request::parse(&body, self.route, strict)?;
        let fault = self.strike(&parts.headers)?;
        if let Some(fault) = &fault {
            let streamed = parsed.stream && self.route != Route::CountTokens;
            self.strike_before_headers(fault, streamed, in_flight)
                .await?;
        }
        Ok((parts.headers, parsed, fault, account))
    }

    fn strike(&self, headers: &HeaderMap) -> Result<Option<Fault>, Failure> {
        let header = headers
            .get("x-mock-fault")
            .map(|value| value.to_str().unwrap_or_default());
        let fault = self.state.strike(self.path, header);
        let fault = fault.map_err(|error| ApiError::invalid(format!("x-mock-fault: {error}")))?;
        if let Some(fault) = &fault {
            self.state.counters.struck(fault.name());
        }
        Ok(fault)
    }

    async fn strike_before_headers(
        &self,
        fault: &Fault,
        streamed: bool,
        in_flight: &mut InFlight,
    ) -> Result<(), Failure> {
        if let Some(error) = fault.refusal(streamed) {
            return Err(error.into());
        }
        if *fault == Fault::Hang {
            sleep(self.state.config.hang_limit).await;
        }
        if matches!(fault, Fault::Hang | Fault::Cut) {
            in_flight.finish();
            self.reset.ask();
            return Err(Failure::Cut);
        }
        Ok(())
    }

    fn count_tokens(
        self,
        parsed: &request::Request,
        fault: Option<Fault>,
        in_flight: InFlight,
    ) -> Response<MockBody> {
        let body = serde_json::json!({"input_tokens": parsed.prompt.tokens()});
        self.delivery(fault, in_flight).whole(json_bytes(&body))
    }

    async fn message(
        self,
        parsed: &request::Request,
        manner: Manner,
        fault: Option<Fault>,
        account: &str,
        mut in_flight: InFlight,
    ) -> Result<Response<MockBody>, Failure> {
        let state = self.state;
        let scripted = state.next_answer();
        let composed = compose(parsed, scripted, manner.answer_tokens, &state.random)
            .inspect_err(|_| in_flight.finish())?;
        let boundaries = parsed.prompt.boundaries(&parsed.model, account);
        let tokens = parsed.prompt.tokens();
        let now = state.config.clock.now();
        let (usage, pending) = state
            .cache
            .look_up(&boundaries, tokens, parsed.min_cacheable, now);
        wait(manner.pace.first_byte.sample(state.random.next())).await;
        // The answer begins: from here on, what it wrote can be read.
        state.cache.commit(pending, state.config.clock.now());
        state.counters.used(usage, composed.output_tokens);
        let id = state.random.id("msg_");
        let reply = Reply {
            id: &id,
            model: &parsed.model,
            composed: &composed,
            usage,
        };
        let chat = self.route == Route::Chat;
        let delivery = self.delivery(fault, in_flight);
        let mut response = if parsed.stream {
            let pace = manner.pace;
            delivery.stream(if chat {
                chat::events(&reply, pace)
            } else {
                reply.events(pace)
            })
        } else {
            wait(manner.pace.after_tokens(composed.output_tokens)).await;
            delivery.whole(if chat {
                chat::body(&reply)
            } else {
                reply.body()
            })
        };
        if state.config.rate_limit_headers {
            // Cached tokens don't count against the input limit.
            let input = usage.input + usage.written_5m + usage.written_1h;
            let headers = response.headers_mut();
            state
                .rate
                .count(now, input, composed.output_tokens, headers);
        }
        Ok(response)
    }

    fn delivery(&self, fault: Option<Fault>, in_flight: InFlight) -> Delivery {
        Delivery {
            fault,
            in_flight,
            reset: Arc::clone(&self.reset),
            hang_limit: self.state.config.hang_limit,
            request_id: self.id.to_owned(),
        }
    }
}

/// A timer rounds up to a millisecond, so none is set for no wait.
async fn wait(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// The key that was given, if it is the expected one (or any, where none is).
fn authenticate(headers: &HeaderMap, expected: Option<&str>) -> Result<String, ApiError> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let refuse = |message: &str| ApiError::new(StatusCode::UNAUTHORIZED, message);
    let key = text(&HeaderName::from_static("x-api-key"));
    let bearer = text(&AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let given = key.or(bearer).map(str::trim).filter(|key| !key.is_empty());
    let given = given.ok_or_else(|| refuse("x-api-key header is required"))?;
    if expected.is_some_and(|expected| expected != given) {
        let what = if key.is_some() {
            "invalid x-api-key"
        } else {
            "Invalid bearer token"
        };
        return Err(refuse(what));
    }
    Ok(given.to_owned())
}

/// Any date is a version: the service and the official clients send different ones.
fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    let version = headers
        .get("anthropic-version")
        .ok_or_else(|| ApiError::invalid("anthropic-version: header is required"))?;
    let version = version.to_str().unwrap_or_default();
    let shape: String = version
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    if shape == "0000-00-00" {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "anthropic-version: \"{version}\" is not a valid version"
    )))
}

fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(()),
        Some(_) => Err(
            ApiError::invalid("The request body's encoding is not supported")
                .with_code("request_body_encoding_unsupported"),
        ),
    }
}

/// A request's body, up to a size and within a deadline.
pub(crate) async fn read_body(body: Incoming, limit: usize) -> Result<Bytes, ApiError> {
    let read = timeout(BODY_DEADLINE, Limited::new(body, limit).collect()).await;
    let read = read.map_err(|_| {
        ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "The request body did not arrive in time",
        )
    })?;
    read.map(http_body_util::Collected::to_bytes)
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                ApiError::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "Request exceeds the maximum allowed number of bytes.",
                )
            } else {
                ApiError::invalid("The request body could not be read")
            }
        })
}
