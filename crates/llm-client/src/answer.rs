//! An answer's text, held against what was asked for.

use serde::de::IgnoredAny;

use crate::{ErrorKind, StopReason};

/// The answer's text as it was asked for, or what is wrong with it; `None` stands for an
/// answer without the part that was to hold it.
pub(crate) fn check_text(
    raw: Option<String>,
    is_json: bool,
    stop_reason: StopReason,
) -> Result<String, ErrorKind> {
    if !is_json {
        return Ok(raw.unwrap_or_default());
    }
    match stop_reason {
        StopReason::MaxTokens | StopReason::ContextWindowExceeded => Err(ErrorKind::Truncated),
        StopReason::Refusal => Err(ErrorKind::Refused),
        _ => one_json_value(&raw.ok_or(ErrorKind::InvalidOutput)?),
    }
}

/// The text without the white space around it, if it is exactly one JSON value.
fn one_json_value(text: &str) -> Result<String, ErrorKind> {
    serde_json::from_str::<IgnoredAny>(text)
        .map(|_| text.trim().to_owned())
        .map_err(|_| ErrorKind::InvalidOutput)
}
