//! What the provider's cache has done: tokens, hit rate, dollars.

use std::sync::{Mutex, OnceLock, PoisonError};

use metrics::{Gauge, gauge};
use serde::Serialize;

use crate::{Prices, Provider, Usage, Usd};

/// Gauge, 0 to 1: the share of prompt tokens that the provider read from its cache, since the
/// process began. Labels `provider` and `model`.
pub const PROMPT_CACHE_HIT_RATE: &str = "llm_prompt_cache_hit_rate";
/// Gauge, dollars: what the provider's cache has saved since the process began, its surcharge
/// on writes taken off. Labels `provider` and `model`.
pub const PROMPT_CACHE_SAVED: &str = "llm_prompt_cache_saved_usd";

/// What the provider's prompt cache has done since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PromptCacheStats {
    /// Prompt tokens that were read from the cache.
    pub read_tokens: u64,
    /// Prompt tokens that were written to it.
    pub written_tokens: u64,
    /// Prompt tokens that were neither.
    pub uncached_tokens: u64,
    /// What it saved, the surcharge on writes taken off; below nothing while writes have not
    /// been read.
    pub saved_usd: Usd,
}

impl PromptCacheStats {
    /// The share of prompt tokens that were read from the cache, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn hit_rate(&self) -> f64 {
        let all = self
            .read_tokens
            .saturating_add(self.written_tokens)
            .saturating_add(self.uncached_tokens);
        self.read_tokens as f64 / all.max(1) as f64
    }
}

/// The figures of one model, and their metrics.
pub(super) struct Counted {
    stats: Mutex<PromptCacheStats>,
    prices: Prices,
    provider: &'static str,
    model: String,
    /// The hit rate and the dollars saved, looked up with the first call.
    gauges: OnceLock<[Gauge; 2]>,
}

impl Counted {
    pub(super) fn new(provider: Provider, model: &str, prices: Prices) -> Self {
        Self {
            stats: Mutex::default(),
            prices,
            provider: provider.as_str(),
            model: model.to_owned(),
            gauges: OnceLock::new(),
        }
    }

    pub(super) fn stats(&self) -> PromptCacheStats {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, usage: &Usage) {
        let now = {
            let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
            let plus = |sum: &mut u64, tokens| *sum = sum.saturating_add(tokens);
            plus(&mut stats.read_tokens, usage.cache_read_input_tokens);
            plus(
                &mut stats.written_tokens,
                usage.cache_creation_input_tokens(),
            );
            plus(&mut stats.uncached_tokens, usage.input_tokens);
            stats.saved_usd = stats.saved_usd.plus(self.prices.cache_savings(usage));
            *stats
        };
        let [rate, saved] = self.gauges.get_or_init(|| {
            [PROMPT_CACHE_HIT_RATE, PROMPT_CACHE_SAVED].map(
                |name| gauge!(name, "provider" => self.provider, "model" => self.model.clone()),
            )
        });
        rate.set(now.hit_rate());
        saved.set(now.saved_usd.approximate());
    }
}
