//! The provider's failures as kinds, and its headers as facts.

use http::{HeaderMap, HeaderName, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;

use crate::failure::{bounded_id, is_retryable, kind_of_class, kind_of_status, retry_after};
use crate::{Error, ErrorKind, RateLimits, Stage};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// `error.details.error_code` of a 429 that no wait will cure.
const SPEND_LIMIT_CODE: &str = "enforced_spend_limit_reached";

#[derive(Deserialize)]
struct Body {
    error: Detail,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    r#type: Option<String>,
    message: Option<String>,
    details: Option<Extra>,
}

#[derive(Deserialize)]
struct Extra {
    error_code: Option<String>,
}

/// The error that an answer with a status of failure amounts to. A body that can't be read
/// costs the details, not the classification.
pub(super) fn failure(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Error {
    let body: Option<Body> = serde_json::from_slice(body).ok();
    let kind = kind_of_status(status)
        .or_else(|| kind_of_type(body.as_ref()))
        .unwrap_or_else(|| kind_of_class(status));
    let kind = or_spend_limit(kind, body.as_ref());
    let error = Error::new(kind)
        .with_retry_after(retry_after(headers, now))
        .with_rate_limits(RateLimits::of_anthropic(headers, now));
    let error = error.with_retryable(is_retryable(status, headers));
    finish(error, status, request_id(headers), body)
}

/// The error inside an answer with a status of success, which says `"type": "error"`.
pub(super) fn failure_in_success(
    status: StatusCode,
    request_id: Option<String>,
    body: &[u8],
) -> Error {
    let body: Option<Body> = serde_json::from_slice(body).ok();
    let kind = kind_of_type(body.as_ref()).unwrap_or(ErrorKind::InvalidResponse);
    let kind = or_spend_limit(kind, body.as_ref());
    finish(Error::new(kind), status, request_id, body)
}

fn finish(
    error: Error,
    status: StatusCode,
    request_id: Option<String>,
    body: Option<Body>,
) -> Error {
    let error = error.with_status(status);
    let Some(Body {
        error: detail,
        request_id: id,
    }) = body
    else {
        return error.with_request_id(request_id);
    };
    let id = request_id.or_else(|| id.and_then(|id| bounded_id(&id)));
    let error = error.with_request_id(id);
    match detail.message {
        Some(message) => error.with_upstream_message(&message),
        None => error,
    }
}

/// For statuses with no meaning of their own here, and for errors without one.
fn kind_of_type(body: Option<&Body>) -> Option<ErrorKind> {
    Some(match body?.error.r#type.as_deref()? {
        "invalid_request_error" => ErrorKind::InvalidRequest,
        "authentication_error" => ErrorKind::Authentication,
        "billing_error" => ErrorKind::Billing,
        "permission_error" => ErrorKind::Permission,
        "not_found_error" => ErrorKind::NotFound,
        "conflict_error" => ErrorKind::Conflict,
        "request_too_large" => ErrorKind::TooLarge,
        "rate_limit_error" => ErrorKind::RateLimited,
        "timeout_error" => ErrorKind::Timeout {
            stage: Stage::Provider,
        },
        "overloaded_error" => ErrorKind::Overloaded,
        "api_error" => ErrorKind::Upstream,
        _ => return None,
    })
}

/// A rate limit that is really the account's spend limit is told apart by its code.
fn or_spend_limit(kind: ErrorKind, body: Option<&Body>) -> ErrorKind {
    let code = body
        .and_then(|body| body.error.details.as_ref())
        .and_then(|details| details.error_code.as_deref());
    if kind == ErrorKind::RateLimited && code == Some(SPEND_LIMIT_CODE) {
        ErrorKind::SpendLimit
    } else {
        kind
    }
}

/// The provider's id of the call, if it is one.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    bounded_id(headers.get(REQUEST_ID)?.to_str().ok()?)
}

#[cfg(test)]
mod tests;
