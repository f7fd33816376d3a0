//! What was asked and answered, as attributes of a call's span: only where it was opted into.
//! Names and shapes are those of OpenTelemetry's GenAI conventions.

use serde::Serialize;

use crate::{Completion, Request};

/// The most of one text that a span holds, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 16 * 1024;

#[derive(Serialize)]
struct Part<'a> {
    r#type: &'static str,
    content: &'a str,
}

impl<'a> Part<'a> {
    fn text(text: &'a str) -> Self {
        let end = text.floor_char_boundary(MAX_TEXT_BYTES);
        Self {
            r#type: "text",
            content: text.get(..end).unwrap_or_default(),
        }
    }
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'a str,
    parts: [Part<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'a str>,
}

/// The instructions, as `gen_ai.system_instructions`.
pub(super) fn instructions(request: &Request) -> String {
    let blocks = request.system().iter();
    json(
        &blocks
            .map(|block| Part::text(block.text()))
            .collect::<Vec<_>>(),
    )
}

/// The conversation, as `gen_ai.input.messages`.
pub(super) fn input(request: &Request) -> String {
    let messages = request.messages().iter().map(|message| Message {
        role: message.role().as_str(),
        parts: [Part::text(message.text())],
        finish_reason: None,
    });
    json(&messages.collect::<Vec<_>>())
}

/// The answer, as `gen_ai.output.messages`.
pub(super) fn output(completion: &Completion) -> String {
    let message = Message {
        role: "assistant",
        parts: [Part::text(&completion.text)],
        finish_reason: Some(completion.stop_reason.as_str()),
    };
    json(&[message])
}

/// Texts in structs: they can't fail to encode.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
