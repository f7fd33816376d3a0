//! The model as a reader of pages whose labels nobody knows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use llm_client::{CacheLifetime, ErrorKind, LanguageModel, Meter, Request, SystemBlock};
use payroll::provider::{Ask, Extracted, IndicatorExtractor, SourceError, SourceErrorKind};
use rust_decimal::Decimal;

/// How it is called in what calls cost.
const OPERATION: &str = "payroll_indicators";

/// The longest answer, in tokens: every figure of a month with its name.
const MAX_TOKENS: u32 = 4_000;

/// A dollar has 10¹² of the units that costs are counted in.
const PICO_DECIMALS: u32 = 12;

/// Reads pages by asking the model; what it says passes the same checks as any page.
#[derive(Debug)]
pub struct PageReader {
    model: Arc<dyn LanguageModel>,
    meter: Meter,
    limit: Duration,
}

impl PageReader {
    /// A reader that asks this model, and waits at most this long for it.
    #[must_use]
    pub const fn new(model: Arc<dyn LanguageModel>, meter: Meter, limit: Duration) -> Self {
        Self {
            model,
            meter,
            limit,
        }
    }
}

#[async_trait]
impl IndicatorExtractor for PageReader {
    async fn extract(&self, ask: Ask<'_>) -> Result<Extracted, SourceError> {
        let prefix = SystemBlock::new(ask.instructions).cached(CacheLifetime::FiveMinutes);
        let request = Request::builder(MAX_TOKENS)
            .operation(OPERATION)
            .system(prefix)
            .user(ask.question)
            .json("indicadores", ask.schema.clone())
            .deadline(tokio::time::Instant::now() + self.limit)
            .build();
        let request = request.map_err(|error| {
            tracing::error!(%error, operation = OPERATION, "failed to build a request");
            SourceError::new(SourceErrorKind::Unreachable, "build a request")
        })?;
        let completion = self.model.complete(&request).await.map_err(|error| {
            tracing::warn!(kind = error.kind().as_str(), %error, operation = OPERATION, "model call failed");
            let kind = match error.kind() {
                ErrorKind::Timeout { .. } => SourceErrorKind::Timeout,
                ErrorKind::Budget => SourceErrorKind::Limited,
                _ => SourceErrorKind::Unreachable,
            };
            SourceError::new(kind, "ask the model")
        })?;
        let prices = self.meter.prices().of(&completion.model).prices;
        let cost = prices.cost(&completion.usage).pico();
        Ok(Extracted {
            text: completion.text,
            model: completion.model,
            cost_usd: Decimal::try_new(cost, PICO_DECIMALS)
                .ok()
                .map(|usd| usd.normalize()),
        })
    }
}
