//! The provider's stream events as ours, and the whole answer that they add up to.

use std::collections::VecDeque;

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::usage::{Prompt, WireUsage};
use super::{classify, decode};
use crate::answer::check_text;
use crate::failure::bounded_id;
use crate::live::Assemble;
use crate::request::chars;
use crate::sse::Event;
use crate::transport::TooLong;
use crate::{
    Completion, Error, ErrorKind, Output, Provider, RateLimits, Request, StopReason, StreamEvent,
    StructuredOutput, Usage,
};

/// More blocks than this open at once is no answer of this API's.
const MAX_OPEN_BLOCKS: usize = 64;

/// Puts an answer together.
pub(super) struct Assembler {
    asked: Asked,
    status: StatusCode,
    /// Of the headers only what is told on: they hold the connection's first buffer.
    request_id: Option<String>,
    rate_limits: Option<Box<RateLimits>>,
    begun: Instant,
    started: bool,
    model: Option<String>,
    usage: WireUsage,
    /// The usage that ends the answer has come.
    final_usage: bool,
    stop_reason: Option<StopReason>,
    open: Vec<OpenBlock>,
    /// The answer, if any block that holds it has begun.
    text: Option<String>,
    /// Characters of all blocks, those that hold no answer included: they are billed too.
    chars: u64,
}

/// What matters of the request.
struct Asked {
    model: String,
    /// The tool whose input is the answer, where one was forced.
    tool: Option<String>,
    is_json: bool,
    prompt: Prompt,
    max_bytes: usize,
}

struct OpenBlock {
    index: u64,
    kind: BlockKind,
}

enum BlockKind {
    /// Its text is the answer, or a part of it.
    Answer,
    /// Its input is the answer; `whole` is what came at its start, for an input that doesn't
    /// come in pieces.
    Input { whole: Option<Box<RawValue>> },
    /// Thinking, another tool, or something new.
    Other,
}

#[derive(Deserialize)]
struct Typed {
    r#type: String,
}

#[derive(Deserialize)]
struct MessageStart {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    model: Option<String>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct BlockStart {
    index: u64,
    content_block: Block,
}

/// Any block. Of the kinds that aren't known here nothing need be as expected.
#[derive(Deserialize)]
struct Block {
    r#type: String,
    text: Option<Value>,
    name: Option<Value>,
    input: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct BlockDelta {
    index: u64,
    delta: Delta,
}

/// Any delta. Of the kinds that aren't known here nothing need be as expected.
#[derive(Deserialize)]
struct Delta {
    r#type: String,
    text: Option<Value>,
    partial_json: Option<Value>,
    thinking: Option<Value>,
}

#[derive(Deserialize)]
struct BlockStop {
    index: u64,
}

#[derive(Deserialize)]
struct MessageDelta {
    delta: Option<MessageEnd>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct MessageEnd {
    stop_reason: Option<String>,
}

type Out = VecDeque<StreamEvent>;

impl Assembler {
    /// For the answer to `request`, whose headers have come.
    pub(super) fn new(context: &decode::Context<'_>, begun: Instant, max_bytes: usize) -> Self {
        let request: &Request = context.request;
        let tool = match (request.output(), context.capabilities.structured_output) {
            (Output::Json { name, .. }, StructuredOutput::ForcedTool) => Some(name.to_string()),
            _ => None,
        };
        Self {
            asked: Asked {
                model: context.asked_model.to_owned(),
                tool,
                is_json: request.output().is_json(),
                prompt: Prompt::of(request),
                max_bytes,
            },
            status: context.status,
            request_id: classify::request_id(context.headers),
            rate_limits: RateLimits::of_anthropic(context.headers, Timestamp::now()),
            begun,
            started: false,
            model: None,
            usage: WireUsage::default(),
            final_usage: false,
            stop_reason: None,
            open: Vec::new(),
            text: None,
            chars: 0,
        }
    }

    fn start(&mut self, out: &mut Out) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        out.push_back(StreamEvent::Started {
            request_id: self.request_id.clone(),
            model: self.model().to_owned(),
            usage: self.usage_so_far(),
            rate_limits: self.rate_limits.clone(),
        });
    }

    fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(&self.asked.model)
    }

    fn message_start(&mut self, event: MessageStart, out: &mut Out) {
        self.model = event.message.model.as_deref().and_then(bounded_id);
        self.usage = event.message.usage.unwrap_or_default();
        self.start(out);
    }

    fn block_start(&mut self, event: BlockStart, out: &mut Out) -> Result<(), Error> {
        let block = event.content_block;
        let kind = match (&self.asked.tool, &*block.r#type) {
            (None, "text") => BlockKind::Answer,
            (Some(tool), "tool_use")
                if block.name.as_ref().and_then(Value::as_str) == Some(tool)
                    && self.text.is_none() =>
            {
                BlockKind::Input { whole: block.input }
            }
            _ => BlockKind::Other,
        };
        if self.open.len() == MAX_OPEN_BLOCKS {
            return Err(Error::new(ErrorKind::InvalidResponse));
        }
        let is_answer = matches!(kind, BlockKind::Answer);
        if !matches!(kind, BlockKind::Other) {
            self.text.get_or_insert_default();
        }
        self.open.push(OpenBlock {
            index: event.index,
            kind,
        });
        match text_of(block.text) {
            Some(text) if is_answer => self.say(text, out),
            _ => Ok(()),
        }
    }

    fn block_delta(&mut self, event: BlockDelta, out: &mut Out) -> Result<(), Error> {
        let Delta {
            r#type: kind,
            text,
            partial_json,
            thinking,
        } = event.delta;
        let block = self
            .open
            .iter_mut()
            .find(|block| block.index == event.index);
        let piece = match (block.map(|block| &mut block.kind), &*kind) {
            (Some(BlockKind::Answer), "text_delta") => text,
            (Some(BlockKind::Input { whole }), "input_json_delta") => {
                *whole = None;
                partial_json
            }
            _ => {
                let unread = text_of(text.or(partial_json).or(thinking)).unwrap_or_default();
                self.chars = self.chars.saturating_add(chars(&unread));
                return Ok(());
            }
        };
        self.say(text_of(piece).unwrap_or_default(), out)
    }

    fn block_stop(&mut self, event: BlockStop, out: &mut Out) -> Result<(), Error> {
        let place = self
            .open
            .iter()
            .position(|block| block.index == event.index);
        let block = place.map(|place| self.open.swap_remove(place));
        match block.map(|block| block.kind) {
            Some(BlockKind::Input { whole: Some(whole) }) => self.say(whole.get().to_owned(), out),
            _ => Ok(()),
        }
    }

    fn say(&mut self, piece: String, out: &mut Out) -> Result<(), Error> {
        if piece.is_empty() {
            return Ok(());
        }
        self.chars = self.chars.saturating_add(chars(&piece));
        let text = self.text.get_or_insert_default();
        if text.len().saturating_add(piece.len()) > self.asked.max_bytes {
            return Err(Error::new(ErrorKind::InvalidResponse).with_source(TooLong));
        }
        text.push_str(&piece);
        self.start(out);
        out.push_back(StreamEvent::Text(piece));
        Ok(())
    }

    fn message_delta(&mut self, event: MessageDelta, out: &mut Out) {
        if let Some(reason) = event.delta.and_then(|delta| delta.stop_reason) {
            self.stop_reason = Some(StopReason::parse(&reason));
        }
        if let Some(usage) = event.usage {
            self.final_usage |= usage.has_output();
            self.usage.replace(usage);
            self.start(out);
            out.push_back(StreamEvent::Usage(self.usage_so_far()));
        }
    }

    fn finish(&mut self, out: &mut Out) -> Result<(), Error> {
        self.start(out);
        let usage = self.usage_so_far();
        let stop_reason = self.stop_reason.unwrap_or(StopReason::Unknown);
        let text = check_text(self.text.take(), self.asked.is_json, stop_reason)
            .map_err(|kind| Error::new(kind).with_usage(usage))?;
        out.push_back(StreamEvent::Finished(Completion {
            text,
            stop_reason,
            usage,
            provider: Provider::Anthropic,
            model: self.model().to_owned(),
            request_id: self.request_id.clone(),
            rate_limits: self.rate_limits.clone(),
            elapsed: self.begun.elapsed(),
        }));
        Ok(())
    }

    fn failure(&self, data: &[u8]) -> Error {
        classify::failure_in_success(self.status, self.request_id.clone(), data)
    }
}

impl Assemble for Assembler {
    fn take(&mut self, event: &Event, out: &mut Out) -> Result<(), Error> {
        let typed;
        let name = if event.name.is_empty() {
            typed = read::<Typed>(&event.data)?;
            typed.r#type.as_bytes()
        } else {
            &event.name
        };
        match name {
            b"message_start" => self.message_start(read(&event.data)?, out),
            b"content_block_start" => self.block_start(read(&event.data)?, out)?,
            b"content_block_delta" => self.block_delta(read(&event.data)?, out)?,
            b"content_block_stop" => self.block_stop(read(&event.data)?, out)?,
            b"message_delta" => self.message_delta(read(&event.data)?, out),
            b"message_stop" => self.finish(out)?,
            b"error" => return Err(self.failure(&event.data)),
            // `ping`, and whatever the provider comes to send.
            _ => {}
        }
        Ok(())
    }

    /// Some gateways leave the last event out; an answer that has told why it stopped is whole.
    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        if self.stop_reason.is_none() {
            return Err(Error::new(ErrorKind::Connection));
        }
        self.finish(out)
    }

    fn usage_so_far(&self) -> Usage {
        let usage = self.usage.resolve(&self.asked.prompt, self.chars);
        if self.final_usage {
            return usage;
        }
        // What came at the start counts next to nothing of the answer.
        let said = self.asked.prompt.output_tokens(self.chars);
        // Some gateways begin with a prompt of nothing and tell its tokens at the end.
        let input_tokens = match usage.prompt_tokens() {
            0 => self.asked.prompt.input_tokens(),
            _ => usage.input_tokens,
        };
        Usage {
            input_tokens,
            output_tokens: usage.output_tokens.max(said),
            estimated: true,
            ..usage
        }
    }
}

fn text_of(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn read<T: DeserializeOwned>(data: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(data)
        .map_err(|error| Error::new(ErrorKind::InvalidResponse).with_source(error))
}

#[cfg(test)]
mod tests;
