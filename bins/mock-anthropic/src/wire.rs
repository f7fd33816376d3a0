//! The answer's JSON, whole and as stream events.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use crate::{
    answer::{Block, Composed},
    pace::Pace,
    prompt_cache::PromptUsage,
    tokens::truncate,
};
use std::time::Duration;

/// Everything that an answer says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Reply<'a> {
    pub(crate) id: &'a str,
    pub(crate) model: &'a str,
    pub(crate) composed: &'a Composed,
    pub(crate) usage: PromptUsage,
}

/// A stream event and when it is sent, counted from the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) after: Duration,
    pub(crate) bytes: Bytes,
}

#[derive(Serialize)]
struct MessageBody<'a> {
    id: &'a str,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<BlockBody<'a>>,
    stop_reason: Option<&'a str>,
    stop_sequence: Option<&'a str>,
    usage: UsageBody,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum BlockBody<'a> {
    Text {
        text: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: &'a RawValue,
    },
}

#[derive(Serialize)]
struct UsageBody {
    input_tokens: u32,
    cache_creation_input_tokens: u32,
    cache_read_input_tokens: u32,
    cache_creation: CreationBody,
    output_tokens: u32,
    service_tier: &'static str,
}

#[derive(Serialize)]
struct CreationBody {
    ephemeral_5m_input_tokens: u32,
    ephemeral_1h_input_tokens: u32,
}

#[derive(Serialize)]
struct MessageStart<'a> {
    r#type: &'static str,
    message: MessageBody<'a>,
}

#[derive(Serialize)]
struct BlockDelta<'a> {
    r#type: &'static str,
    index: u8,
    delta: Delta<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta<'a> {
    TextDelta { text: &'a str },
    InputJsonDelta { partial_json: &'a str },
}

impl Reply<'_> {
    /// The body of an answer that isn't streamed.
    pub(crate) fn body(&self) -> Bytes {
        let empty = RawValue::from_string("{}".to_owned()).ok();
        // An input that `max_tokens` cut off is no JSON: as the real one, none is given then.
        let input = match &self.composed.block {
            Some(Block::Tool { json, .. }) => RawValue::from_string(json.clone())
                .ok()
                .or_else(|| empty.clone()),
            _ => None,
        };
        let content = match (&self.composed.block, &input) {
            (Some(Block::Text(text)), _) => vec![BlockBody::Text { text }],
            (Some(Block::Tool { id, name, .. }), Some(input)) => {
                vec![BlockBody::ToolUse { id, name, input }]
            }
            _ => Vec::new(),
        };
        let stop = Some(self.composed.stop_reason.as_str());
        json_bytes(&self.message(content, stop, self.composed.output_tokens))
    }

    /// The events of a streamed answer at this pace: pings after the block's start and in
    /// the middle of the text, where the real one sends them at any time.
    pub(crate) fn events(&self, pace: Pace) -> Vec<Event> {
        let mut events = Events::default();
        let start = self.message(Vec::new(), None, u32::from(self.composed.output_tokens > 0));
        events.push(
            "message_start",
            &MessageStart {
                r#type: "message_start",
                message: start,
            },
        );
        if let Some(block) = &self.composed.block {
            events.block(block, pace);
        }
        events.now = pace.after_tokens(self.composed.output_tokens);
        events.push("message_delta", &self.message_delta());
        events.push("message_stop", &serde_json::json!({"type": "message_stop"}));
        events.list
    }

    fn message<'b>(
        &'b self,
        content: Vec<BlockBody<'b>>,
        stop_reason: Option<&'b str>,
        output_tokens: u32,
    ) -> MessageBody<'b> {
        MessageBody {
            id: self.id,
            r#type: "message",
            role: "assistant",
            model: self.model,
            content,
            stop_reason,
            stop_sequence: stop_reason.and(self.composed.stop_sequence.as_deref()),
            usage: UsageBody {
                input_tokens: self.usage.input,
                cache_creation_input_tokens: self.usage.written_5m + self.usage.written_1h,
                cache_read_input_tokens: self.usage.read,
                cache_creation: CreationBody {
                    ephemeral_5m_input_tokens: self.usage.written_5m,
                    ephemeral_1h_input_tokens: self.usage.written_1h,
                },
                output_tokens,
                service_tier: "standard",
            },
        }
    }

    /// Usage here is cumulative: it replaces what `message_start` said.
    fn message_delta(&self) -> Value {
        serde_json::json!({
            "type": "message_delta",
            "delta": {
                "stop_reason": self.composed.stop_reason,
                "stop_sequence": self.composed.stop_sequence,
            },
            "usage": {
                "input_tokens": self.usage.input,
                "cache_creation_input_tokens": self.usage.written_5m + self.usage.written_1h,
                "cache_read_input_tokens": self.usage.read,
                "output_tokens": self.composed.output_tokens,
            },
        })
    }
}

/// Events in the making.
#[derive(Default)]
struct Events {
    list: Vec<Event>,
    now: Duration,
}

impl Events {
    fn push(&mut self, name: &str, data: &impl Serialize) {
        self.list.push(Event {
            after: self.now,
            bytes: event(name, &json_bytes(data)),
        });
    }

    fn ping(&mut self) {
        self.push("ping", &serde_json::json!({"type": "ping"}));
    }

    fn block(&mut self, block: &Block, pace: Pace) {
        let opening = match block {
            Block::Text(_) => serde_json::json!({"type": "text", "text": ""}),
            Block::Tool { id, name, .. } => {
                serde_json::json!({"type": "tool_use", "id": id, "name": name, "input": {}})
            }
        };
        let start = serde_json::json!({
            "type": "content_block_start", "index": 0, "content_block": opening,
        });
        self.push("content_block_start", &start);
        self.ping();
        let mut rest = block.payload();
        let half = rest.len() / 2;
        let (mut sent, mut pinged) = (0, false);
        while !rest.is_empty() {
            let piece = next_piece(rest, pace.tokens_per_event());
            rest = &rest[piece.len()..];
            sent += pace.tokens_per_event();
            self.now = pace.after_tokens(sent);
            let delta = match block {
                Block::Text(_) => Delta::TextDelta { text: piece },
                Block::Tool { .. } => Delta::InputJsonDelta {
                    partial_json: piece,
                },
            };
            let data = BlockDelta {
                r#type: "content_block_delta",
                index: 0,
                delta,
            };
            self.push("content_block_delta", &data);
            if !pinged && rest.len() <= half && !rest.is_empty() {
                self.ping();
                pinged = true;
            }
        }
        let stop = serde_json::json!({"type": "content_block_stop", "index": 0});
        self.push("content_block_stop", &stop);
    }
}

/// The next piece of this many tokens, and never nothing.
pub(crate) fn next_piece(text: &str, tokens: u32) -> &str {
    match truncate(text, tokens) {
        "" => &text[..text.chars().next().map_or(0, char::len_utf8)],
        piece => piece,
    }
}

/// One event as the stream carries it.
pub(crate) fn event(name: &str, data: &[u8]) -> Bytes {
    let parts: [&[u8]; 5] = [b"event: ", name.as_bytes(), b"\ndata: ", data, b"\n\n"];
    Bytes::from(parts.concat())
}

/// Serialises what has only string keys and finite numbers, and so can't fail.
pub(crate) fn json_bytes(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
