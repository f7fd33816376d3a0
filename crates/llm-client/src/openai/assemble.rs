//! Chunks, and the whole answer, as ours. A whole answer is read as the only chunk of a
//! stream, so that both are judged alike.

use std::collections::VecDeque;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;

use super::classify;
use crate::answer::check_text;
use crate::failure::bounded_id;
use crate::live::Assemble;
use crate::request::chars;
use crate::sse::Event;
use crate::transport::TooLong;
use crate::{
    Completion, Error, ErrorKind, Provider, RateLimits, Request, StopReason, StreamEvent, Usage,
    estimate_tokens,
};

const DONE: &[u8] = b"[DONE]";

/// Puts an answer together.
pub(super) struct Assembler {
    asked_model: String,
    is_json: bool,
    prompt_chars: u64,
    max_tokens: u64,
    max_bytes: usize,
    status: StatusCode,
    /// Of the headers only what is told on: they hold the connection's first buffer.
    request_id: Option<String>,
    rate_limits: Option<Box<RateLimits>>,
    begun: Instant,
    started: bool,
    id: Option<String>,
    model: Option<String>,
    usage: Option<Usage>,
    stop_reason: Option<StopReason>,
    refused: bool,
    text: Option<String>,
    /// Characters of everything that was generated, reasoning included.
    chars: u64,
}

/// A chunk of a stream, or a whole answer: they differ in the name of a choice's content.
#[derive(Deserialize)]
struct Chunk {
    error: Option<serde_json::Value>,
    id: Option<String>,
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(alias = "message")]
    delta: Option<Said>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
    #[serde(alias = "reasoning")]
    reasoning_content: Option<String>,
}

#[derive(Deserialize)]
struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

impl WireUsage {
    /// `None` where it doesn't tell both. The prompt's tokens include the cached ones here.
    fn usage(&self) -> Option<Usage> {
        let (prompt, output_tokens) = (self.prompt_tokens?, self.completion_tokens?);
        let details = self.prompt_tokens_details.as_ref();
        let cached = details.and_then(|details| details.cached_tokens);
        let cached = cached.unwrap_or(0).min(prompt);
        Some(Usage {
            input_tokens: prompt - cached,
            output_tokens,
            cache_read_input_tokens: cached,
            ..Usage::default()
        })
    }
}

type Out = VecDeque<StreamEvent>;

impl Assembler {
    /// For the answer to `request`, whose headers have come.
    pub(super) fn new(
        asked_model: &str,
        request: &Request,
        status: StatusCode,
        headers: &HeaderMap,
        begun: Instant,
        max_bytes: usize,
    ) -> Self {
        Self {
            asked_model: asked_model.to_owned(),
            is_json: request.output().is_json(),
            prompt_chars: request.prompt_chars(),
            max_tokens: u64::from(request.max_tokens()),
            max_bytes,
            status,
            request_id: classify::request_id(headers),
            rate_limits: RateLimits::of_openai(headers),
            begun,
            started: false,
            id: None,
            model: None,
            usage: None,
            stop_reason: None,
            refused: false,
            text: None,
            chars: 0,
        }
    }

    /// Reads an answer that came whole.
    pub(super) fn whole(mut self, body: &[u8]) -> Result<Completion, Error> {
        let mut out = Out::new();
        self.chunk(body, &mut out)
            .and_then(|()| match self.started {
                // Some JSON without a choice in it.
                false => Err(Error::new(ErrorKind::InvalidResponse)),
                true => self.finish(),
            })
            .map_err(|error| {
                let error = error.with_status(self.status);
                match error.request_id() {
                    None => error.with_request_id(self.request_id()),
                    Some(_) => error,
                }
            })
    }

    fn request_id(&self) -> Option<String> {
        self.request_id.clone().or_else(|| self.id.clone())
    }

    fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(&self.asked_model)
    }

    fn chunk(&mut self, data: &[u8], out: &mut Out) -> Result<(), Error> {
        let chunk: Chunk = serde_json::from_slice(data)
            .map_err(|error| Error::new(ErrorKind::InvalidResponse).with_source(error))?;
        if chunk.error.is_some() {
            return Err(classify::failure_in_success(
                self.status,
                self.request_id.clone(),
                data,
            ));
        }
        self.id = self.id.take().or(chunk.id.as_deref().and_then(bounded_id));
        self.model = self
            .model
            .take()
            .or(chunk.model.as_deref().and_then(bounded_id));
        let usage = chunk.usage.as_ref().and_then(WireUsage::usage);
        self.usage = usage.or(self.usage);
        // Others than the first choice aren't asked for.
        if let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) {
            self.start(out);
            self.choice(choice, out)?;
        }
        if let Some(usage) = usage.filter(|_| self.started) {
            out.push_back(StreamEvent::Usage(usage));
        }
        Ok(())
    }

    fn start(&mut self, out: &mut Out) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        out.push_back(StreamEvent::Started {
            request_id: self.request_id(),
            model: self.model().to_owned(),
            usage: self.usage_so_far(),
            rate_limits: self.rate_limits.clone(),
        });
    }

    fn choice(&mut self, choice: Choice, out: &mut Out) -> Result<(), Error> {
        if let Some(said) = choice.delta {
            let refusal = said.refusal.unwrap_or_default();
            self.refused |= !refusal.is_empty();
            let reasoning = said.reasoning_content.unwrap_or_default();
            let unread = chars(&refusal).saturating_add(chars(&reasoning));
            self.chars = self.chars.saturating_add(unread);
            self.say(said.content, out)?;
        }
        if let Some(reason) = choice.finish_reason {
            self.stop_reason = Some(match &*reason {
                "stop" => StopReason::EndTurn,
                "length" => StopReason::MaxTokens,
                "content_filter" => StopReason::Refusal,
                "tool_calls" | "function_call" => StopReason::ToolUse,
                _ => StopReason::Unknown,
            });
        }
        Ok(())
    }

    fn say(&mut self, piece: Option<String>, out: &mut Out) -> Result<(), Error> {
        let Some(piece) = piece else {
            return Ok(());
        };
        let text = self.text.get_or_insert_default();
        if text.len().saturating_add(piece.len()) > self.max_bytes {
            return Err(Error::new(ErrorKind::InvalidResponse).with_source(TooLong));
        }
        text.push_str(&piece);
        self.chars = self.chars.saturating_add(chars(&piece));
        if !piece.is_empty() {
            out.push_back(StreamEvent::Text(piece));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Completion, Error> {
        let usage = self.usage_so_far();
        let stop_reason = match self.stop_reason {
            _ if self.refused => StopReason::Refusal,
            known => known.unwrap_or(StopReason::Unknown),
        };
        let text = check_text(self.text.take(), self.is_json, stop_reason)
            .map_err(|kind| Error::new(kind).with_usage(usage))?;
        Ok(Completion {
            text,
            stop_reason,
            usage,
            provider: Provider::OpenAiCompatible,
            model: self.model().to_owned(),
            request_id: self.request_id(),
            rate_limits: self.rate_limits.clone(),
            elapsed: self.begun.elapsed(),
        })
    }
}

impl Assemble for Assembler {
    fn take(&mut self, event: &Event, out: &mut Out) -> Result<(), Error> {
        if event.data.trim_ascii() != DONE {
            return self.chunk(&event.data, out);
        }
        self.start(out);
        let completion = self.finish()?;
        out.push_back(StreamEvent::Finished(completion));
        Ok(())
    }

    /// Without `[DONE]`, an answer that has told why it stopped is whole.
    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        if self.stop_reason.is_none() {
            return Err(Error::new(ErrorKind::Connection));
        }
        let completion = self.finish()?;
        out.push_back(StreamEvent::Finished(completion));
        Ok(())
    }

    /// What the endpoint told, or an estimate. Usage that comes with every chunk is as of that
    /// chunk, so the last one before the end is taken with what was said since.
    fn usage_so_far(&self) -> Usage {
        if let Some(usage) = self.usage.filter(|_| self.stop_reason.is_some()) {
            return usage;
        }
        let said = estimate_tokens(self.chars).min(self.max_tokens);
        let told = self.usage.unwrap_or(Usage {
            input_tokens: estimate_tokens(self.prompt_chars),
            ..Usage::default()
        });
        Usage {
            output_tokens: told.output_tokens.max(said),
            estimated: true,
            ..told
        }
    }
}
