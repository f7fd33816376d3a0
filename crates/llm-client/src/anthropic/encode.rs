//! A [`Request`] as the body of `POST /v1/messages`, or of its `count_tokens`.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::request::chars;
use crate::{
    CacheLifetime, Capabilities, Error, ErrorKind, Output, Request, Schema, StructuredOutput,
};

/// What the forced tool says of itself.
const TOOL_DESCRIPTION: &str = "Gives the answer. Call it exactly once.";

/// About what a body has beside the prompt's characters.
const ENVELOPE_BYTES: usize = 1024;

/// What the body asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The whole answer at once.
    Whole,
    /// The answer as it comes.
    Stream,
    /// Only the prompt's tokens.
    Count,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tool<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoice<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<TextBlock<'a>>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    description: &'static str,
    input_schema: &'a RawValue,
}

#[derive(Serialize)]
struct ToolChoice<'a> {
    r#type: &'static str,
    name: &'a str,
    disable_parallel_tool_use: bool,
}

#[derive(Serialize)]
struct TextBlock<'a> {
    r#type: &'static str,
    text: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
struct CacheControl {
    r#type: &'static str,
    ttl: &'static str,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    format: Format<'a>,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    schema: &'a RawValue,
}

/// Writes the body.
pub(super) fn encode(
    model: &str,
    capabilities: &Capabilities,
    request: &Request,
    ask: Ask,
) -> Result<Bytes, Error> {
    let (output_config, tool) = match request.output() {
        Output::Text => (None, None),
        Output::Json { name, schema } => match capabilities.structured_output {
            StructuredOutput::Native => (Some(native_output(schema.json())), None),
            StructuredOutput::ForcedTool => (None, Some((&**name, schema))),
        },
    };
    let tool_chars = tool.map_or(0, |(name, schema)| tool_chars(name, schema));
    let invalid = |error| Error::new(ErrorKind::InvalidRequest).with_source(error);
    let body = Body {
        model,
        max_tokens: (ask != Ask::Count).then(|| request.max_tokens()),
        stream: (ask == Ask::Stream).then_some(true),
        temperature: request
            .temperature()
            .filter(|_| capabilities.temperature && ask != Ask::Count)
            .map(|temperature| temperature.as_f64()),
        tools: tool.map(|(name, schema)| {
            [Tool {
                name,
                description: TOOL_DESCRIPTION,
                input_schema: schema.json(),
            }]
        }),
        tool_choice: tool.map(|(name, _)| ToolChoice {
            r#type: "tool",
            name,
            disable_parallel_tool_use: true,
        }),
        system: system_blocks(request, capabilities, tool_chars).map_err(invalid)?,
        messages: request
            .messages()
            .iter()
            .map(|message| Turn {
                role: message.role().as_str(),
                content: message.text(),
            })
            .collect(),
        output_config,
    };
    // Room for nearly all of it at once: a long prompt is written without moving it.
    let chars = usize::try_from(request.prompt_chars()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(chars + chars / 8 + ENVELOPE_BYTES);
    serde_json::to_writer(&mut bytes, &body).map_err(invalid)?;
    Ok(Bytes::from(bytes))
}

fn native_output(schema: &RawValue) -> OutputConfig<'_> {
    OutputConfig {
        format: Format {
            r#type: "json_schema",
            schema,
        },
    }
}

/// The blocks with their cache marks; a mark whose prefix can't reach the model's minimum is
/// left out. The prefix is all that the provider puts before the mark: tools, then system.
fn system_blocks<'a>(
    request: &'a Request,
    capabilities: &Capabilities,
    tool_chars: u64,
) -> Result<Vec<TextBlock<'a>>, serde_json::Error> {
    let mut prefix_chars = tool_chars;
    request
        .system()
        .iter()
        .map(|block| {
            prefix_chars = prefix_chars.saturating_add(block.chars());
            Ok(TextBlock {
                r#type: "text",
                text: block.json()?,
                cache_control: block
                    .cache()
                    .filter(|_| capabilities.may_cache(prefix_chars))
                    .map(cache_control),
            })
        })
        .collect()
}

fn cache_control(lifetime: CacheLifetime) -> CacheControl {
    CacheControl {
        r#type: "ephemeral",
        ttl: lifetime.as_str(),
    }
}

fn tool_chars(name: &str, schema: &Schema) -> u64 {
    chars(name) + chars(TOOL_DESCRIPTION) + schema.chars()
}

#[cfg(test)]
mod tests;
