//! What the HTTP side of a failure says, whoever the provider is.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::{ErrorKind, Stage};

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The longest request id that is kept, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// The kind of a status that has a meaning of its own.
pub(crate) fn kind_of_status(status: StatusCode) -> Option<ErrorKind> {
    Some(match status.as_u16() {
        400 | 422 => ErrorKind::InvalidRequest,
        401 => ErrorKind::Authentication,
        402 => ErrorKind::Billing,
        403 => ErrorKind::Permission,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout {
            stage: Stage::Provider,
        },
        409 => ErrorKind::Conflict,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        529 => ErrorKind::Overloaded,
        _ => return None,
    })
}

/// The kind of any other status.
pub(crate) fn kind_of_class(status: StatusCode) -> ErrorKind {
    if status.is_server_error() {
        ErrorKind::Upstream
    } else if status.is_client_error() {
        ErrorKind::InvalidRequest
    } else {
        // A redirect, or a status that no final answer may have.
        ErrorKind::InvalidResponse
    }
}

/// Whether to try again, as the official clients decide: by the header, else by the status
/// alone. A spend limit stays out of it ([`crate::Error::with_retryable`]).
pub(crate) fn is_retryable(status: StatusCode, headers: &HeaderMap) -> bool {
    let by_status = matches!(status.as_u16(), 408 | 409 | 429) || status.is_server_error();
    match headers.get(X_SHOULD_RETRY).map(|value| value.as_bytes()) {
        Some(b"true") => true,
        Some(b"false") => false,
        _ => by_status,
    }
}

/// An id from outside, if it is one.
pub(crate) fn bounded_id(id: &str) -> Option<String> {
    let fits =
        !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| id.to_owned())
}

/// The wait that the provider asks for: `retry-after-ms`, else `retry-after` in seconds or as
/// an HTTP date. A date counts from the answer's own `Date`, so that a clock which is wrong
/// here doesn't matter; without one, from `now`. One that is past means no wait.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(ms) = number(headers, &RETRY_AFTER_MS) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    if let Some(seconds) = number(headers, &RETRY_AFTER) {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = date(headers, &RETRY_AFTER)?;
    let now = answered_at(headers, now);
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// When the answer was given, by the provider's own clock where it tells.
pub(crate) fn answered_at(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    date(headers, &DATE).unwrap_or(now)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<f64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(headers.get(name)?.to_str().ok()?.trim())
        .ok()
}
