//! The endpoint's failures as kinds, in the several forms that such endpoints give them.

use http::{HeaderMap, HeaderName, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::{bounded_id, is_retryable, kind_of_class, kind_of_status, retry_after};
use crate::{Error, ErrorKind, RateLimits};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// `{"error": {...}}` (OpenAI, vLLM, llama.cpp), `{"error": "..."}` (Ollama), or the error's
/// fields at the top (older vLLM).
#[derive(Deserialize)]
struct Body {
    error: Option<Value>,
    message: Option<String>,
    code: Option<Value>,
}

/// What is read of any of the forms.
#[derive(Default)]
struct Detail {
    message: Option<String>,
    code: Option<String>,
    status: Option<StatusCode>,
}

impl Detail {
    fn read(bytes: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Body>(bytes) else {
            return Self::default();
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        match body.error {
            Some(Value::String(message)) => Self {
                message: Some(message),
                ..Self::default()
            },
            Some(error) => Self {
                message: text(error.get("message")),
                code: text(error.get("code")).or_else(|| text(error.get("type"))),
                status: error.get("code").and_then(status_of),
            },
            None => Self {
                message: body.message,
                code: text(body.code.as_ref()),
                status: body.code.as_ref().and_then(status_of),
            },
        }
    }
}

/// Some endpoints put the status that they mean into `code`, as a number or as its digits.
fn status_of(code: &Value) -> Option<StatusCode> {
    let number = match code {
        Value::Number(number) => number.as_u64(),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    }?;
    let status = StatusCode::from_u16(u16::try_from(number).ok()?).ok()?;
    (status.is_client_error() || status.is_server_error()).then_some(status)
}

/// A kind that the code tells better than the status.
fn kind_of_code(code: Option<&str>) -> Option<ErrorKind> {
    Some(match code? {
        "insufficient_quota" | "billing_hard_limit_reached" => ErrorKind::SpendLimit,
        "context_length_exceeded" => ErrorKind::TooLarge,
        _ => return None,
    })
}

/// The error that an answer with a status of failure amounts to.
pub(super) fn failure(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Error {
    let detail = Detail::read(body);
    let kind = kind_of_code(detail.code.as_deref())
        .or_else(|| kind_of_status(status))
        .unwrap_or_else(|| kind_of_class(status));
    let error = Error::new(kind)
        .with_retry_after(retry_after(headers, now))
        .with_rate_limits(RateLimits::of_openai(headers))
        .with_retryable(is_retryable(status, headers));
    finish(error, status, request_id(headers), detail)
}

/// The error inside an answer, or a stream, with a status of success.
pub(super) fn failure_in_success(
    status: StatusCode,
    request_id: Option<String>,
    body: &[u8],
) -> Error {
    let detail = Detail::read(body);
    let by_status = |status| kind_of_status(status).unwrap_or_else(|| kind_of_class(status));
    let kind = kind_of_code(detail.code.as_deref())
        .or_else(|| detail.status.map(by_status))
        .unwrap_or(ErrorKind::Upstream);
    finish(Error::new(kind), status, request_id, detail)
}

fn finish(error: Error, status: StatusCode, request_id: Option<String>, detail: Detail) -> Error {
    let error = error.with_status(status).with_request_id(request_id);
    match detail.message {
        Some(message) => error.with_upstream_message(&message),
        None => error,
    }
}

/// The endpoint's id of the call, where its headers have one.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    bounded_id(headers.get(REQUEST_ID)?.to_str().ok()?)
}
