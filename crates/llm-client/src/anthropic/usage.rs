//! The provider's token counts as [`Usage`].

use serde::Deserialize;

use crate::{CacheLifetime, Request, Usage, estimate_tokens};

/// Counts as they come. In a stream they come several times, each time from the start of the
/// call and not from the last time: later ones replace earlier ones, field by field.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct WireUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Debug, Clone, Deserialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

impl WireUsage {
    /// Takes every field that the later counts have.
    pub(super) fn replace(&mut self, later: Self) {
        let Self {
            input_tokens,
            output_tokens,
            cache_read_input_tokens,
            cache_creation_input_tokens,
            cache_creation,
        } = later;
        keep_later(&mut self.input_tokens, input_tokens);
        keep_later(&mut self.output_tokens, output_tokens);
        keep_later(&mut self.cache_read_input_tokens, cache_read_input_tokens);
        keep_later(
            &mut self.cache_creation_input_tokens,
            cache_creation_input_tokens,
        );
        keep_later(&mut self.cache_creation, cache_creation);
    }

    /// Whether it tells the output.
    pub(super) fn has_output(&self) -> bool {
        self.output_tokens.is_some()
    }

    /// The counts, with an estimate (flagged) for what they don't tell of prompt or answer.
    pub(super) fn resolve(&self, prompt: &Prompt, answer_chars: u64) -> Usage {
        let split = self.cache_creation.as_ref();
        let mut five_minutes = split.and_then(|s| s.ephemeral_5m_input_tokens).unwrap_or(0);
        let mut one_hour = split.and_then(|s| s.ephemeral_1h_input_tokens).unwrap_or(0);
        // Written tokens whose lifetime the provider doesn't tell are booked at the dearest
        // rate that this request can have caused.
        let unsplit = self
            .cache_creation_input_tokens
            .unwrap_or(0)
            .saturating_sub(five_minutes.saturating_add(one_hour));
        if prompt.asks_for_one_hour {
            one_hour = one_hour.saturating_add(unsplit);
        } else {
            five_minutes = five_minutes.saturating_add(unsplit);
        }
        Usage {
            input_tokens: self.input_tokens.unwrap_or_else(|| prompt.input_tokens()),
            output_tokens: self
                .output_tokens
                .unwrap_or_else(|| prompt.output_tokens(answer_chars)),
            cache_read_input_tokens: self.cache_read_input_tokens.unwrap_or(0),
            cache_creation_5m_input_tokens: five_minutes,
            cache_creation_1h_input_tokens: one_hour,
            estimated: self.input_tokens.is_none() || self.output_tokens.is_none(),
        }
    }
}

fn keep_later<T>(kept: &mut Option<T>, later: Option<T>) {
    if later.is_some() {
        *kept = later;
    }
}

/// What an estimate needs of the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompt {
    chars: u64,
    max_tokens: u64,
    asks_for_one_hour: bool,
}

impl Prompt {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            chars: request.prompt_chars(),
            max_tokens: u64::from(request.max_tokens()),
            asks_for_one_hour: request
                .system()
                .iter()
                .any(|block| block.cache() == Some(CacheLifetime::OneHour)),
        }
    }

    /// The most tokens that the prompt has.
    pub(super) fn input_tokens(&self) -> u64 {
        estimate_tokens(self.chars)
    }

    /// The most output tokens that an answer of so many characters has.
    pub(super) fn output_tokens(&self, answer_chars: u64) -> u64 {
        estimate_tokens(answer_chars).min(self.max_tokens)
    }
}
