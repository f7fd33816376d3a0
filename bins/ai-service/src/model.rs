//! The language model as the service asks it: providers, and the layers around them.

use std::sync::Arc;
use std::time::Duration;

use http_api::Model;
use llm_client::{
    Anthropic, Breaker, BreakerConfig, ConcurrencyConfig, ConcurrencyLimit, ConfigError, Fallback,
    LanguageModel, Meter, Metered, OpenAiCompatible, PrefixCache, PrefixCacheConfig, RetryBudget,
    RetryPolicy, Retrying, Sharing,
};
use store::Store;

use crate::config::Settings;

/// Retries, in percent of the calls, and those that are allowed however few calls there are.
const RETRIES: (u8, u32) = (10, 5);

/// How often replicas tell each other of an open breaker.
const SHARE_EVERY: Duration = Duration::from_secs(1);

/// The model and what must be held for as long as it is asked.
pub(crate) struct Stack {
    pub(crate) model: Model,
    pub(crate) sharing: Vec<Sharing>,
    /// Of each provider, the first one's first.
    pub(crate) breakers: Vec<Arc<Breaker>>,
}

/// Puts the configured providers together; none where none is configured.
pub(crate) fn build(
    settings: &Settings,
    meter: &Meter,
    store: &Arc<dyn Store>,
) -> Result<Option<Stack>, ConfigError> {
    let (mut sharing, mut breakers) = (Vec::new(), Vec::new());
    let mut wrap = |provider: Arc<dyn LanguageModel>| {
        let layers = wrapped(provider, meter, settings.concurrency);
        sharing.push(layers.breaker.share(Arc::clone(store), SHARE_EVERY));
        breakers.push(Arc::clone(&layers.breaker));
        layers
    };
    let first = settings.model.clone().map(Anthropic::try_new).transpose()?;
    let first = first.map(|provider| wrap(Arc::new(provider)));
    let second = settings
        .second_model
        .clone()
        .map(OpenAiCompatible::try_new)
        .transpose()?;
    let second = second.map(|provider| wrap(Arc::new(provider)));
    let model = match (first, second) {
        (None, None) => return Ok(None),
        (Some(layers), None) | (None, Some(layers)) => layers.model(),
        (Some(first), Some(second)) => {
            let client = Fallback::new(Arc::clone(&first.outermost), second.outermost);
            Model {
                client: Arc::new(client),
                ..first.model()
            }
        }
    };
    Ok(Some(Stack {
        model,
        sharing,
        breakers,
    }))
}

/// One provider with its layers.
struct Layers {
    outermost: Arc<dyn LanguageModel>,
    breaker: Arc<Breaker>,
    prefix: PrefixCache,
}

impl Layers {
    fn model(self) -> Model {
        Model {
            client: self.outermost,
            breaker: Some(self.breaker),
            prompt_cache: Some(self.prefix),
        }
    }
}

/// From the inside out: every attempt is metered; siblings of a cold prompt wait for the first;
/// calls at once are limited; a breaker spares a provider in trouble; failures are tried again.
fn wrapped(
    provider: Arc<dyn LanguageModel>,
    meter: &Meter,
    concurrency: ConcurrencyConfig,
) -> Layers {
    let prices = meter.prices();
    prices.announce(provider.model());
    let metered = Arc::new(Metered::new(provider, meter.clone()));
    let prefix = PrefixCache::new(metered, prices, PrefixCacheConfig::default());
    let limited = ConcurrencyLimit::new(Arc::new(prefix.clone()), concurrency);
    let breaker = Arc::new(Breaker::new(Arc::new(limited), BreakerConfig::default()));
    let (percent, floor) = RETRIES;
    let budget = Arc::new(RetryBudget::new(percent, floor));
    let inner: Arc<dyn LanguageModel> = breaker.clone();
    let retrying = Retrying::new(inner, RetryPolicy::default(), budget);
    Layers {
        outermost: Arc::new(retrying),
        breaker,
        prefix,
    }
}
