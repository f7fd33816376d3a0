//! A [`Request`] as the body of `POST /chat/completions`.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::config::{MaxTokensField, OpenAiConfig, ResponseFormat};
use crate::{Error, ErrorKind, Output, Request};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Own(String),
    Borrowed(&'a str),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'a> {
    JsonSchema { json_schema: Named<'a> },
    JsonObject,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    schema: &'a RawValue,
    strict: bool,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// Writes the body.
pub(super) fn encode(
    config: &OpenAiConfig,
    request: &Request,
    stream: bool,
) -> Result<Bytes, Error> {
    let max_tokens = |field| (config.max_tokens_field == field).then(|| request.max_tokens());
    let body = Body {
        model: &config.model,
        messages: turns(config, request),
        max_tokens: max_tokens(MaxTokensField::MaxTokens),
        max_completion_tokens: max_tokens(MaxTokensField::MaxCompletionTokens),
        temperature: request
            .temperature()
            .filter(|_| config.temperature)
            .map(|temperature| temperature.as_f64()),
        response_format: response_format(config, request),
        stream: stream.then_some(true),
        stream_options: (stream && config.stream_usage).then_some(StreamOptions {
            include_usage: true,
        }),
    };
    serde_json::to_vec(&body)
        .map(Bytes::from)
        .map_err(|error| Error::new(ErrorKind::InvalidRequest).with_source(error))
}

/// The system blocks as one message, because many chat templates take only one and only at
/// the start, and then the turns.
fn turns<'a>(config: &OpenAiConfig, request: &'a Request) -> Vec<Turn<'a>> {
    let mut parts: Vec<String> = request
        .system()
        .iter()
        .map(|block| block.text().to_owned())
        .collect();
    if let (Output::Json { schema, .. }, ResponseFormat::JsonObject) =
        (request.output(), config.response_format)
    {
        parts.push(format!(
            "Answer with exactly one JSON value, and nothing else, that fits this JSON \
             Schema:\n{}",
            schema.text()
        ));
    }
    let system = (!parts.is_empty()).then(|| Turn {
        role: "system",
        content: Content::Own(parts.join("\n\n")),
    });
    let turns = request.messages().iter().map(|message| Turn {
        role: message.role().as_str(),
        content: Content::Borrowed(message.text()),
    });
    system.into_iter().chain(turns).collect()
}

fn response_format<'a>(config: &OpenAiConfig, request: &'a Request) -> Option<Format<'a>> {
    let Output::Json { name, schema } = request.output() else {
        return None;
    };
    Some(match config.response_format {
        ResponseFormat::JsonSchema => Format::JsonSchema {
            json_schema: Named {
                name,
                schema: schema.json(),
                strict: true,
            },
        },
        ResponseFormat::JsonObject => Format::JsonObject,
    })
}
