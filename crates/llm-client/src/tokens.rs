//! How many tokens a request has, before it is sent: an estimate that learns.
//!
//! Claude's tokenizer isn't public. A public one (o200k) counts instead, and its count is
//! corrected by the ratio that the provider's own figures have had to it, model by model.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use metrics::gauge;

use crate::{Capabilities, Output, Request, StructuredOutput, Usage, estimate_tokens};
use calibration::Calibration;

mod calibration;
mod sample;
mod vocabulary;

/// Most models that are calibrated apart; a model beyond them is estimated uncorrected.
pub const MAX_CALIBRATED_MODELS: usize = 32;

/// Gauge: what an estimate is multiplied with, learned from the provider's figures. Label
/// `model`.
pub const TOKEN_CORRECTION: &str = "llm_token_estimate_correction";
/// Gauge: how far corrected estimates have been from the provider's figures lately, as a
/// share of these (0.03 is 3 %). Label `model`.
pub const TOKEN_ERROR: &str = "llm_token_estimate_error";

/// What a request's envelope adds to its text: roles and turns.
const TOKENS_PER_MESSAGE: u64 = 4;
const TOKENS_PER_REQUEST: u64 = 8;
/// What the provider's own instructions for a forced tool add (Anthropic, tool use, pricing:
/// 313 to 346 tokens for the models of the table).
const FORCED_TOOL_TOKENS: u64 = 346;
/// Characters of a token as they are on average (rather than at least) in Spanish and JSON.
const MEAN_CHARS_PER_TOKEN: u64 = 3;

/// Counts tokens before a call, and learns from what the call says afterwards.
///
/// # How it counts
///
/// Up to 6 KiB of text are counted whole; of a longer text, 12 windows spread over it, so
/// that a count takes 2 ms at most. The vocabulary (3.6 MB in the program, about
/// 46 MB in memory once loaded) is read in a thread of its own when the first request comes,
/// or when [`preload`](Self::preload) is called. Until then, which takes a fraction of a
/// second, an upper bound by characters stands in.
///
/// Where no limit is near, [`by_characters`](Self::by_characters) says enough: it takes
/// nanoseconds, since a request knows its characters.
///
/// # How it learns
///
/// [`observe`](Self::observe) takes the provider's figure. The logarithm of its ratio to the
/// raw count is averaged with decay (the last 32 calls weigh most); the spread around that
/// mean makes the upper bound, three standard deviations up. Counts by the tokenizer and by
/// characters are corrected apart.
pub struct TokenCounter {
    models: Mutex<HashMap<String, Learned>>,
}

/// What is known of one model.
#[derive(Debug, Clone, Copy)]
struct Learned {
    tokenizer: Calibration,
    characters: Calibration,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            tokenizer: Calibration::default(),
            characters: Calibration::unbiased(),
        }
    }
}

/// What a request is thought to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenEstimate {
    /// The count before any correction: what [`TokenCounter::observe`] compares with.
    raw: u64,
    /// The whole prompt's tokens, as they are likely to be.
    pub expected: u64,
    /// The whole prompt's tokens, as they hardly ever exceed.
    pub upper: u64,
    /// How it was counted.
    pub method: CountMethod,
}

/// How tokens were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CountMethod {
    /// By characters: no limit is near, or the vocabulary isn't loaded yet.
    Characters,
    /// By the public tokenizer, over the whole text.
    Tokenizer,
    /// By the public tokenizer, over a sample of a long text.
    Sample,
}

impl TokenCounter {
    /// A counter that has learned nothing yet. It loads nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            models: Mutex::default(),
        }
    }

    /// Begins to load the vocabulary in a thread of its own, if nobody has yet.
    pub fn preload(&self) {
        vocabulary::begin_loading();
    }

    /// Waits until the vocabulary is loaded. For tests and for a start that may take its time.
    pub async fn ready(&self) {
        // The thread of the blocking pool only waits where the loading is under way already.
        let _ = tokio::task::spawn_blocking(vocabulary::load).await;
    }

    /// Estimates the tokens of a request's prompt for a model. Takes 0.4 to 2 ms of a core,
    /// whatever the request's size.
    #[must_use]
    pub fn estimate(&self, model: &str, request: &Request) -> TokenEstimate {
        let Some(vocabulary) = vocabulary::get() else {
            return self.by_characters(model, request);
        };
        let envelope = envelope_tokens(model, request);
        let schema = match request.output() {
            Output::Text => None,
            Output::Json { schema, .. } => Some(schema.text()),
        };
        let system = request.system().iter().map(|block| block.text());
        let messages = request.messages().iter().map(|message| message.text());
        let parts: Vec<&str> = system.chain(messages).chain(schema).collect();
        let counted = sample::count(vocabulary, &parts);
        let raw = counted.tokens.saturating_add(envelope);
        let (expected, upper) = self.learned(model).tokenizer.correct(raw);
        TokenEstimate {
            raw,
            expected,
            upper: upper.saturating_add(counted.margin),
            method: if counted.whole {
                CountMethod::Tokenizer
            } else {
                CountMethod::Sample
            },
        }
    }

    /// Bounds the tokens of a request's prompt by its characters alone. Takes nanoseconds,
    /// whatever the request's size; the bound is up to twice what [`estimate`](Self::estimate)
    /// says.
    #[must_use]
    pub fn by_characters(&self, model: &str, request: &Request) -> TokenEstimate {
        let chars = request.prompt_chars();
        let envelope = envelope_tokens(model, request);
        let raw = (chars / MEAN_CHARS_PER_TOKEN).saturating_add(envelope);
        let upper = estimate_tokens(chars).saturating_add(envelope);
        let (expected, _) = self.learned(model).characters.correct(raw);
        TokenEstimate {
            raw,
            expected: expected.min(upper),
            upper,
            method: CountMethod::Characters,
        }
    }

    /// Learns from the provider's figure for a request that was estimated before. Figures
    /// that are estimates themselves teach nothing.
    pub fn observe(&self, model: &str, estimate: &TokenEstimate, usage: &Usage) {
        let actual = usage.prompt_tokens();
        if usage.estimated || actual == 0 {
            return;
        }
        let mut models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if !models.contains_key(model) && models.len() >= MAX_CALIBRATED_MODELS {
            return;
        }
        let learned = models.entry(model.to_owned()).or_default();
        if estimate.method == CountMethod::Characters {
            let characters = &mut learned.characters;
            characters.observe(estimate.raw, estimate.expected, actual);
            return;
        }
        let calibration = &mut learned.tokenizer;
        calibration.observe(estimate.raw, estimate.expected, actual);
        let (correction, error) = (calibration.correction(), calibration.error());
        drop(models);
        gauge!(TOKEN_CORRECTION, "model" => model.to_owned()).set(correction);
        gauge!(TOKEN_ERROR, "model" => model.to_owned()).set(error);
    }

    /// What has been learned of the tokenizer's counts for a model: the correction, and the
    /// error that is left with it as a share of the provider's figures. `None` where nothing
    /// has.
    #[must_use]
    pub fn calibration(&self, model: &str) -> Option<(f64, f64)> {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let calibration = models.get(model)?.tokenizer;
        calibration
            .has_seen()
            .then(|| (calibration.correction(), calibration.error()))
    }

    fn learned(&self, model: &str) -> Learned {
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        models.get(model).copied().unwrap_or_default()
    }
}

impl Default for TokenCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TokenCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCounter")
            .field("loaded", &vocabulary::get().is_some())
            .finish_non_exhaustive()
    }
}

/// What is counted beside the text.
fn envelope_tokens(model: &str, request: &Request) -> u64 {
    let turns = u64::try_from(request.messages().len()).unwrap_or(u64::MAX);
    let tool = match Capabilities::of(model).structured_output {
        StructuredOutput::ForcedTool if request.output().is_json() => FORCED_TOOL_TOKENS,
        _ => 0,
    };
    turns
        .saturating_mul(TOKENS_PER_MESSAGE)
        .saturating_add(TOKENS_PER_REQUEST + tool)
}

#[cfg(test)]
mod tests;
