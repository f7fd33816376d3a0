//! The metrics of one model's calls, looked up once: a lookup costs more than a record.

use std::sync::OnceLock;

use metrics::{Counter, Histogram, counter, histogram};

use super::{
    CHAT, MODEL, OPERATION, OPERATION_DURATION, PROMPT_TOKENS, PROVIDER, TIME_PER_OUTPUT_CHUNK,
    TIME_TO_FIRST_CHUNK, TOKEN_TYPE, TOKEN_USAGE, approximate,
};
use crate::{Provider, Usage};

/// What is recorded of one model's calls, with the recorder that is installed at the first of
/// each kind.
pub(crate) struct Instruments {
    pub(super) provider: &'static str,
    pub(super) model: String,
    /// Whether spans hold what was asked and answered.
    pub(super) content: bool,
    answered: OnceLock<Histogram>,
    tokens: OnceLock<Tokens>,
    chunks: OnceLock<[Histogram; 2]>,
}

struct Tokens {
    /// Input, output.
    of_call: [Histogram; 2],
    /// By what the prompt cache did: nothing, read, written for 5 minutes, for an hour.
    of_prompt: [Counter; 4],
}

impl Instruments {
    pub(crate) fn new(provider: Provider, model: &str, content: bool) -> Self {
        Self {
            provider: provider.as_str(),
            model: model.to_owned(),
            content,
            answered: OnceLock::new(),
            tokens: OnceLock::new(),
            chunks: OnceLock::new(),
        }
    }

    /// The duration of a call that was answered.
    pub(super) fn answered(&self, seconds: f64) {
        let histogram = self.answered.get_or_init(|| {
            histogram!(OPERATION_DURATION, OPERATION => CHAT, PROVIDER => self.provider,
                MODEL => self.model.clone())
        });
        histogram.record(seconds);
    }

    /// The tokens of a call.
    pub(super) fn used(&self, usage: &Usage) {
        let Tokens { of_call, of_prompt } = self.tokens.get_or_init(|| self.look_up_tokens());
        let call = [usage.prompt_tokens(), usage.output_tokens];
        for (histogram, tokens) in of_call.iter().zip(call) {
            histogram.record(approximate(tokens));
        }
        let prompt = [
            usage.input_tokens,
            usage.cache_read_input_tokens,
            usage.cache_creation_5m_input_tokens,
            usage.cache_creation_1h_input_tokens,
        ];
        for (counter, tokens) in of_prompt.iter().zip(prompt) {
            counter.increment(tokens);
        }
    }

    fn look_up_tokens(&self) -> Tokens {
        Tokens {
            of_call: ["input", "output"].map(|kind| {
                histogram!(TOKEN_USAGE, OPERATION => CHAT, PROVIDER => self.provider,
                    MODEL => self.model.clone(), TOKEN_TYPE => kind)
            }),
            of_prompt: ["none", "read", "write_5m", "write_1h"].map(|cache| {
                counter!(PROMPT_TOKENS, PROVIDER => self.provider, MODEL => self.model.clone(),
                    "cache" => cache)
            }),
        }
    }

    /// The time to a stream's first piece of text, and from one piece to the next.
    pub(super) fn chunks(&self) -> &[Histogram; 2] {
        self.chunks.get_or_init(|| {
            [TIME_TO_FIRST_CHUNK, TIME_PER_OUTPUT_CHUNK].map(|name| {
                histogram!(name, OPERATION => CHAT, PROVIDER => self.provider,
                    MODEL => self.model.clone())
            })
        })
    }
}
