//! What a model answers, and what it cost in tokens.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Provider, RateLimits};

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The answer's text; exactly one JSON value where JSON was asked for.
    pub text: String,
    /// Why the model stopped.
    pub stop_reason: StopReason,
    /// The tokens that were used.
    pub usage: Usage,
    /// Who answered: with a fallback it needn't be the one that was asked first.
    pub provider: Provider,
    /// The model that answered, as the provider names it; may be a dated version of the
    /// one that was asked. At most 128 visible ASCII characters.
    pub model: String,
    /// The provider's id for the call, for its support.
    pub request_id: Option<String>,
    /// What the provider said of the account's limits, if it did.
    pub rate_limits: Option<Box<RateLimits>>,
    /// Time from the start of the call to the last byte.
    pub elapsed: Duration,
}

impl Completion {
    /// Decodes the text as JSON into a type.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOutput`] where the text isn't JSON or doesn't fit the type. The
    /// error carries the usage, because the tokens are spent all the same.
    pub fn decode_json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.text).map_err(|error| {
            Error::new(ErrorKind::InvalidOutput)
                .with_source(error)
                .with_usage(self.usage)
                .with_request_id(self.request_id.clone())
        })
    }
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// It had said all.
    EndTurn,
    /// The answer reached the request's `max_tokens`.
    MaxTokens,
    /// A stop sequence came up.
    StopSequence,
    /// It called a tool.
    ToolUse,
    /// The provider paused a long turn.
    PauseTurn,
    /// It refused for safety's sake.
    Refusal,
    /// The context window was full.
    ContextWindowExceeded,
    /// A reason that this version doesn't know, or none was given.
    Unknown,
}

impl StopReason {
    /// Reads the provider's word; what it doesn't know becomes [`Unknown`](Self::Unknown).
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "end_turn" => Self::EndTurn,
            "max_tokens" => Self::MaxTokens,
            "stop_sequence" => Self::StopSequence,
            "tool_use" => Self::ToolUse,
            "pause_turn" => Self::PauseTurn,
            "refusal" => Self::Refusal,
            "model_context_window_exceeded" => Self::ContextWindowExceeded,
            _ => Self::Unknown,
        }
    }

    /// The provider's word; `unknown` for what it doesn't know.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::MaxTokens => "max_tokens",
            Self::StopSequence => "stop_sequence",
            Self::ToolUse => "tool_use",
            Self::PauseTurn => "pause_turn",
            Self::Refusal => "refusal",
            Self::ContextWindowExceeded => "model_context_window_exceeded",
            Self::Unknown => "unknown",
        }
    }
}

/// Tokens of one call. The four input figures don't overlap: their sum is the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Usage {
    /// Input tokens that were neither read from nor written to the provider's cache.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Input tokens read from the provider's cache.
    pub cache_read_input_tokens: u64,
    /// Input tokens written to the provider's cache for five minutes.
    pub cache_creation_5m_input_tokens: u64,
    /// Input tokens written to the provider's cache for one hour.
    pub cache_creation_1h_input_tokens: u64,
    /// The provider sent no usage: the figures are this crate's own upper estimate, so that
    /// a call is never booked as free.
    pub estimated: bool,
}

impl Usage {
    /// Tokens written to the provider's cache, whatever their lifetime.
    #[must_use]
    pub const fn cache_creation_input_tokens(&self) -> u64 {
        self.cache_creation_5m_input_tokens
            .saturating_add(self.cache_creation_1h_input_tokens)
    }

    /// The whole prompt: uncached, read and written.
    #[must_use]
    pub const fn prompt_tokens(&self) -> u64 {
        self.input_tokens
            .saturating_add(self.cache_read_input_tokens)
            .saturating_add(self.cache_creation_input_tokens())
    }

    /// Prompt and answer together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.prompt_tokens().saturating_add(self.output_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_prompt_add_up_without_overlap() {
        let usage = Usage {
            input_tokens: 10,
            output_tokens: 7,
            cache_read_input_tokens: 100,
            cache_creation_5m_input_tokens: 20,
            cache_creation_1h_input_tokens: 30,
            estimated: false,
        };
        assert_eq!(usage.cache_creation_input_tokens(), 50);
        assert_eq!(usage.prompt_tokens(), 160);
        assert_eq!(usage.total(), 167);
    }

    #[test]
    fn absurd_figures_saturate() {
        let usage = Usage {
            input_tokens: u64::MAX,
            output_tokens: u64::MAX,
            cache_read_input_tokens: u64::MAX,
            ..Usage::default()
        };
        assert_eq!(usage.total(), u64::MAX);
    }

    #[test]
    fn every_known_stop_reason_reads_back() {
        let words = [
            "end_turn",
            "max_tokens",
            "stop_sequence",
            "tool_use",
            "pause_turn",
            "refusal",
            "model_context_window_exceeded",
        ];
        for word in words {
            assert_eq!(StopReason::parse(word).as_str(), word);
        }
        assert_eq!(StopReason::parse("something_new"), StopReason::Unknown);
    }
}
