//! Everything that can go wrong upstream, by name, and when it does.

mod table;

use std::{fmt, str::FromStr, time::Duration};

use http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER};

use crate::error::{ApiError, SPEND_LIMIT, status_of};

pub use table::FaultRule;
pub(crate) use table::{FaultTable, TableError};

/// What goes wrong. Its text form, `name` or `name=parameter`, is the same on the command
/// line, in the `x-mock-fault` header and in the control API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `rate_limit`: 429 without `Retry-After`; `rate_limit=30`: with that value, passed on as
    /// it is (seconds, a date, nonsense); `rate_limit=1500ms`: with `retry-after-ms: 1500`.
    RateLimit(Option<String>),
    /// `spend_limit[=CODE]`: 429 whose `error.details.error_code` is the code, by default
    /// `enforced_spend_limit_reached`. A client must not retry it.
    SpendLimit(Option<String>),
    /// `overloaded`: 529.
    Overloaded,
    /// `server_error`: 500.
    ServerError,
    /// `status=NNN`: any status from 400 to 599, with the error type that goes with it.
    Status(StatusCode),
    /// `should_retry=NNN,true` or `=NNN,false`: that status, with `x-should-retry` saying so.
    ShouldRetry(StatusCode, bool),
    /// `hang`: takes the request and never answers (until the server's hang limit).
    Hang,
    /// `hang_stream[=N]`: falls silent after N events (default: half of them); in an answer
    /// that isn't streamed, after the headers and half of the body.
    HangStream(Option<usize>),
    /// `cut`: resets the connection instead of answering.
    Cut,
    /// `cut_stream[=N]`: resets the connection after N events (default: half of them); in an
    /// answer that isn't streamed, after half of the body.
    CutStream(Option<usize>),
    /// `cut_body`: resets the connection after half of the body's bytes.
    CutBody,
    /// `malformed_json`: a complete 200 answer that isn't JSON; in a stream, one event.
    MalformedJson,
    /// `error_event[=TYPE]`: the stream starts well and ends with an `error` event of this
    /// type (default `overloaded_error`); not streamed, an error answer of that type.
    ErrorEvent(Option<String>),
    /// `trickle[=MS]`: the answer comes 16 bytes at a time, with this pause in between
    /// (default 20 ms).
    Trickle(Duration),
    /// `bytes`: the answer comes one byte a chunk, which cuts every character that has two.
    Bytes,
    /// `pings[=N]`: N pings (default 10,000) in the middle of the stream; not streamed, nothing
    /// is different.
    Pings(usize),
    /// `big_event[=N]`: one more piece of text in the middle of the stream, of N bytes (default
    /// 10,000,000); not streamed, nothing is different.
    BigEvent(usize),
    /// `no_usage`: the answer doesn't tell its tokens.
    NoUsage,
}

/// Most pings, and most bytes of an event: what a fault makes is held in memory.
const MAX_PINGS: usize = 1_000_000;
const MAX_EVENT: usize = 100_000_000;

/// The names of [`Fault`]s, in the order of the documentation.
pub const FAULT_NAMES: [&str; 18] = [
    "rate_limit",
    "spend_limit",
    "overloaded",
    "server_error",
    "status",
    "should_retry",
    "hang",
    "hang_stream",
    "cut",
    "cut_stream",
    "cut_body",
    "malformed_json",
    "error_event",
    "trickle",
    "bytes",
    "pings",
    "big_event",
    "no_usage",
];

impl Fault {
    /// The name without the parameter: bounded, for counting.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RateLimit(_) => "rate_limit",
            Self::SpendLimit(_) => "spend_limit",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::Status(_) => "status",
            Self::ShouldRetry(..) => "should_retry",
            Self::Hang => "hang",
            Self::HangStream(_) => "hang_stream",
            Self::Cut => "cut",
            Self::CutStream(_) => "cut_stream",
            Self::CutBody => "cut_body",
            Self::MalformedJson => "malformed_json",
            Self::ErrorEvent(_) => "error_event",
            Self::Trickle(_) => "trickle",
            Self::Bytes => "bytes",
            Self::Pings(_) => "pings",
            Self::BigEvent(_) => "big_event",
            Self::NoUsage => "no_usage",
        }
    }

    fn parameter(&self) -> Option<String> {
        match self {
            Self::RateLimit(text) | Self::SpendLimit(text) | Self::ErrorEvent(text) => text.clone(),
            Self::Status(status) => Some(status.as_str().to_owned()),
            Self::ShouldRetry(status, retry) => Some(format!("{},{retry}", status.as_str())),
            Self::HangStream(after) | Self::CutStream(after) => after.map(|n| n.to_string()),
            Self::Trickle(pause) => Some(pause.as_millis().to_string()),
            Self::Pings(count) | Self::BigEvent(count) => Some(count.to_string()),
            _ => None,
        }
    }

    /// The error answer of a fault that is one; `streamed` tells how the answer would come.
    pub(crate) fn refusal(&self, streamed: bool) -> Option<ApiError> {
        const LIMITED: &str = "This request would exceed your account's rate limit. Please try \
                               again later.";
        const SPENT: &str = "You have reached your API usage limits.";
        match self {
            Self::RateLimit(wait) => {
                let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, LIMITED);
                Some(match wait {
                    None => error,
                    Some(wait) => with_wait(error, wait),
                })
            }
            Self::SpendLimit(code) => Some(
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, SPENT)
                    .with_code(code.as_deref().unwrap_or(SPEND_LIMIT)),
            ),
            Self::Overloaded => status_of("overloaded_error").map(of_status),
            Self::ServerError => Some(of_status(StatusCode::INTERNAL_SERVER_ERROR)),
            Self::Status(status) => Some(of_status(*status)),
            Self::ShouldRetry(status, retry) => {
                let word = HeaderValue::from_static(if *retry { "true" } else { "false" });
                let name = HeaderName::from_static("x-should-retry");
                Some(of_status(*status).with_header(name, word))
            }
            Self::ErrorEvent(kind) if !streamed => Some(event_error(kind.as_deref())),
            _ => None,
        }
    }
}

/// The error that an `error` event carries.
pub(crate) fn event_error(kind: Option<&str>) -> ApiError {
    let kind = kind.unwrap_or("overloaded_error");
    let mut error = of_status(status_of(kind).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    kind.clone_into(&mut error.kind);
    error
}

fn of_status(status: StatusCode) -> ApiError {
    let message = match status.as_u16() {
        529 => "Overloaded",
        500 => "Internal server error",
        _ => status.canonical_reason().unwrap_or("Error"),
    };
    ApiError::new(status, message)
}

fn with_wait(error: ApiError, wait: &str) -> ApiError {
    let millis = wait
        .strip_suffix("ms")
        .filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let (name, text) = match millis {
        Some(millis) => (HeaderName::from_static("retry-after-ms"), millis),
        None => (RETRY_AFTER, wait),
    };
    match HeaderValue::from_str(text) {
        Ok(value) => error.with_header(name, value),
        Err(_) => error,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.parameter() {
            Some(parameter) => write!(f, "={parameter}"),
            None => Ok(()),
        }
    }
}

/// Why a text names no [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultError {
    /// No fault has this name.
    Unknown(String),
    /// The fault takes another parameter, or none.
    Parameter(&'static str),
    /// `times=` is no count, or `probability=` is not between 0 and 1, or another option.
    Option(String),
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(
                    f,
                    "no fault is called `{name}`; there are {}",
                    FAULT_NAMES.join(", ")
                )
            }
            Self::Parameter(name) => write!(f, "fault `{name}` has a parameter that doesn't fit"),
            Self::Option(option) => write!(
                f,
                "`{option}` is none of `times=COUNT`, `probability=0..1` and `path=/v1/...`"
            ),
        }
    }
}

impl std::error::Error for FaultError {}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, parameter) = match text.trim().split_once('=') {
            Some((name, parameter)) => (name.trim(), Some(parameter.trim())),
            None => (text.trim(), None),
        };
        let own = || {
            parameter
                .map(|text| HeaderValue::from_str(text).map(|_| text.to_owned()))
                .transpose()
        };
        let number = || parameter.map(str::parse::<usize>).transpose();
        let fault = match name {
            "rate_limit" => own().ok().map(Self::RateLimit),
            "spend_limit" => own().ok().map(Self::SpendLimit),
            "error_event" => own().ok().map(Self::ErrorEvent),
            "status" => parameter.and_then(error_status).map(Self::Status),
            "should_retry" => parameter.and_then(should_retry),
            "hang_stream" => number().ok().map(Self::HangStream),
            "cut_stream" => number().ok().map(Self::CutStream),
            "pings" => number()
                .ok()
                .map(|count| Self::Pings(count.unwrap_or(10_000).min(MAX_PINGS))),
            "big_event" => number()
                .ok()
                .map(|size| Self::BigEvent(size.unwrap_or(10_000_000).min(MAX_EVENT))),
            "trickle" => number().ok().map(|ms| {
                Self::Trickle(Duration::from_millis(
                    ms.map_or(20, |ms| ms.min(60_000) as u64),
                ))
            }),
            _ => simple(name)
                .ok_or_else(|| FaultError::Unknown(name.to_owned()))
                .map(|fault| parameter.is_none().then_some(fault))?,
        };
        fault.ok_or_else(|| FaultError::Parameter(known(name)))
    }
}

/// Faults without a parameter.
fn simple(name: &str) -> Option<Fault> {
    Some(match name {
        "overloaded" => Fault::Overloaded,
        "server_error" => Fault::ServerError,
        "hang" => Fault::Hang,
        "cut" => Fault::Cut,
        "cut_body" => Fault::CutBody,
        "bytes" => Fault::Bytes,
        "no_usage" => Fault::NoUsage,
        "malformed_json" => Fault::MalformedJson,
        _ => return None,
    })
}

fn should_retry(text: &str) -> Option<Fault> {
    let (status, retry) = text.split_once(',')?;
    let status = error_status(status.trim())?;
    Some(Fault::ShouldRetry(status, retry.trim().parse().ok()?))
}

fn known(name: &str) -> &'static str {
    FAULT_NAMES
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("?")
}

fn error_status(text: &str) -> Option<StatusCode> {
    let status = text
        .parse::<u16>()
        .ok()
        .and_then(|code| StatusCode::from_u16(code).ok())?;
    (status.is_client_error() || status.is_server_error()).then_some(status)
}

#[cfg(test)]
mod tests;
