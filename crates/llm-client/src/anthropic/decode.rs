//! The provider's answer as a [`Completion`], or the error that it amounts to.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::classify;
use crate::request::chars;
use crate::{
    CacheLifetime, Capabilities, Completion, Error, ErrorKind, Output, Provider, RateLimits,
    Request, StopReason, StructuredOutput, Usage, estimate_tokens,
};

/// What is needed besides the body to read it.
pub(super) struct Context<'a> {
    pub(super) asked_model: &'a str,
    pub(super) capabilities: &'a Capabilities,
    pub(super) request: &'a Request,
    pub(super) headers: &'a HeaderMap,
    pub(super) status: StatusCode,
    pub(super) elapsed: Duration,
}

#[derive(Deserialize)]
struct Body {
    r#type: Option<String>,
    model: Option<String>,
    content: Option<Vec<Block>>,
    stop_reason: Option<String>,
    usage: Option<WireUsage>,
}

/// Any content block. `input` stays as it was written, so that numbers lose nothing.
#[derive(Deserialize)]
struct Block {
    r#type: String,
    text: Option<String>,
    name: Option<String>,
    input: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Deserialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

/// Reads the body of an answer with a status of success.
pub(super) fn decode(bytes: &[u8], context: &Context<'_>) -> Result<Completion, Error> {
    let invalid = || {
        Error::new(ErrorKind::InvalidResponse)
            .with_status(context.status)
            .with_request_id(classify::request_id(context.headers))
    };
    let mut body: Body =
        serde_json::from_slice(bytes).map_err(|error| invalid().with_source(error))?;
    if body.r#type.as_deref() == Some("error") {
        // Some proxies pass an error on with a status of success.
        return Err(classify::failure_in_success(
            context.status,
            context.headers,
            bytes,
        ));
    }
    let content = body.content.take().ok_or_else(invalid)?;
    let usage = usage(body.usage.as_ref(), &content, context);
    let stop_reason = StopReason::parse(body.stop_reason.as_deref().unwrap_or_default());
    let text = answer_text(&content, stop_reason, context).map_err(|kind| {
        Error::new(kind)
            .with_status(context.status)
            .with_request_id(classify::request_id(context.headers))
            .with_usage(usage)
    })?;
    Ok(Completion {
        text,
        stop_reason,
        usage,
        provider: Provider::Anthropic,
        model: body.model.unwrap_or_else(|| context.asked_model.to_owned()),
        request_id: classify::request_id(context.headers),
        rate_limits: RateLimits::of_anthropic(context.headers, Timestamp::now()),
        elapsed: context.elapsed,
    })
}

fn answer_text(
    content: &[Block],
    stop_reason: StopReason,
    context: &Context<'_>,
) -> Result<String, ErrorKind> {
    let Output::Json { name, .. } = context.request.output() else {
        return Ok(joined_text(content));
    };
    match stop_reason {
        StopReason::MaxTokens | StopReason::ContextWindowExceeded => {
            return Err(ErrorKind::Truncated);
        }
        StopReason::Refusal => return Err(ErrorKind::Refused),
        _ => {}
    }
    match context.capabilities.structured_output {
        StructuredOutput::Native => one_json_value(&joined_text(content)),
        StructuredOutput::ForcedTool => tool_input(content, name),
    }
}

fn joined_text(content: &[Block]) -> String {
    content
        .iter()
        .filter(|block| block.r#type == "text")
        .filter_map(|block| block.text.as_deref())
        .collect()
}

/// The text without the white space around it, if it is exactly one JSON value.
fn one_json_value(text: &str) -> Result<String, ErrorKind> {
    serde_json::from_str::<IgnoredAny>(text)
        .map(|_| text.trim().to_owned())
        .map_err(|_| ErrorKind::InvalidOutput)
}

fn tool_input(content: &[Block], name: &str) -> Result<String, ErrorKind> {
    content
        .iter()
        .find(|block| block.r#type == "tool_use" && block.name.as_deref() == Some(name))
        .and_then(|block| block.input.as_deref())
        .map(|input| input.get().to_owned())
        .ok_or(ErrorKind::InvalidOutput)
}

fn usage(wire: Option<&WireUsage>, content: &[Block], context: &Context<'_>) -> Usage {
    let Some(wire) = wire else {
        return estimated_usage(content, context);
    };
    let split = wire.cache_creation.as_ref();
    let mut five_minutes = split.and_then(|s| s.ephemeral_5m_input_tokens).unwrap_or(0);
    let mut one_hour = split.and_then(|s| s.ephemeral_1h_input_tokens).unwrap_or(0);
    // Written tokens whose lifetime the provider doesn't tell are booked at the dearest rate
    // that this request can have caused.
    let unsplit = wire
        .cache_creation_input_tokens
        .unwrap_or(0)
        .saturating_sub(five_minutes.saturating_add(one_hour));
    if asks_for_one_hour(context.request) {
        one_hour = one_hour.saturating_add(unsplit);
    } else {
        five_minutes = five_minutes.saturating_add(unsplit);
    }
    Usage {
        input_tokens: wire.input_tokens,
        output_tokens: wire.output_tokens,
        cache_read_input_tokens: wire.cache_read_input_tokens.unwrap_or(0),
        cache_creation_5m_input_tokens: five_minutes,
        cache_creation_1h_input_tokens: one_hour,
        estimated: false,
    }
}

fn asks_for_one_hour(request: &Request) -> bool {
    request
        .system()
        .iter()
        .any(|block| block.cache() == Some(CacheLifetime::OneHour))
}

fn estimated_usage(content: &[Block], context: &Context<'_>) -> Usage {
    let answer_chars = content
        .iter()
        .map(|block| {
            let text = block.text.as_deref().map_or(0, chars);
            let input = block.input.as_deref().map_or(0, |input| chars(input.get()));
            text.saturating_add(input)
        })
        .fold(0, u64::saturating_add);
    Usage {
        input_tokens: estimate_tokens(context.request.prompt_chars()),
        output_tokens: estimate_tokens(answer_chars).min(u64::from(context.request.max_tokens())),
        estimated: true,
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests;
