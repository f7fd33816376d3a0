//! The provider's answer as a [`Completion`], or the error that it amounts to.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::classify;
use super::usage::{Prompt, WireUsage};
use crate::answer::check_text;
use crate::failure::bounded_id;
use crate::request::chars;
use crate::transport::Answer;
use crate::{
    Capabilities, Completion, Error, ErrorKind, Output, Provider, RateLimits, Request, StopReason,
    StructuredOutput,
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
            classify::request_id(context.headers),
            bytes,
        ));
    }
    let content = body.content.take().ok_or_else(invalid)?;
    let usage = body
        .usage
        .unwrap_or_default()
        .resolve(&Prompt::of(context.request), answer_chars(&content));
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
        model: body
            .model
            .as_deref()
            .and_then(bounded_id)
            .unwrap_or_else(|| context.asked_model.to_owned()),
        request_id: classify::request_id(context.headers),
        rate_limits: RateLimits::of_anthropic(context.headers, Timestamp::now()),
        elapsed: context.elapsed,
    })
}

/// Reads the body of a count.
pub(super) fn decode_count(answer: &Answer) -> Result<u64, Error> {
    #[derive(Deserialize)]
    struct Count {
        input_tokens: u64,
    }
    serde_json::from_slice(&answer.body)
        .map(|count: Count| count.input_tokens)
        .map_err(|error| {
            Error::new(ErrorKind::InvalidResponse)
                .with_status(answer.status)
                .with_request_id(classify::request_id(&answer.headers))
                .with_source(error)
        })
}

fn answer_text(
    content: &[Block],
    stop_reason: StopReason,
    context: &Context<'_>,
) -> Result<String, ErrorKind> {
    let how = context.capabilities.structured_output;
    let raw = match (context.request.output(), how) {
        (Output::Json { name, .. }, StructuredOutput::ForcedTool) => tool_input(content, name),
        _ => Some(joined_text(content)),
    };
    let is_json = context.request.output().is_json();
    check_text(raw, is_json, stop_reason)
}

fn joined_text(content: &[Block]) -> String {
    content
        .iter()
        .filter(|block| block.r#type == "text")
        .filter_map(|block| block.text.as_deref())
        .collect()
}

fn tool_input(content: &[Block], name: &str) -> Option<String> {
    content
        .iter()
        .find(|block| block.r#type == "tool_use" && block.name.as_deref() == Some(name))
        .and_then(|block| block.input.as_deref())
        .map(|input| input.get().to_owned())
}

fn answer_chars(content: &[Block]) -> u64 {
    content
        .iter()
        .map(|block| {
            let text = block.text.as_deref().map_or(0, chars);
            let input = block.input.as_deref().map_or(0, |input| chars(input.get()));
            text.saturating_add(input)
        })
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
