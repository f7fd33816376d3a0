//! The months' indicators as the service gets them: built in, kept, and from Previred.

use std::sync::Arc;

use http_api::{Model, PageError, PageReader, PreviredPage};
use llm_client::Meter;
use payroll::provider::{Provider, ProviderConfig};
use store::{Clock, Store};

use crate::config::Settings;

/// Puts the provider together; with `indicators.fetch = false` it asks nobody.
pub(crate) fn build(
    settings: &Settings,
    store: &Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    model: Option<&Model>,
    meter: &Meter,
) -> Result<Provider, PageError> {
    let limit = settings.limits.model_timeout;
    let config = ProviderConfig {
        fetch_timeout: settings.indicators_timeout,
        extract_timeout: limit,
        ..ProviderConfig::default()
    };
    let provider = Provider::new(Arc::clone(store), clock, config);
    let Some(url) = &settings.indicators_url else {
        return Ok(provider);
    };
    let provider = provider.with_source(Arc::new(PreviredPage::try_new(url)?));
    Ok(match model {
        Some(model) => {
            let client = Arc::clone(&model.client);
            provider.with_extractor(Arc::new(PageReader::new(client, meter.clone(), limit)))
        }
        None => provider,
    })
}
