//! The clients that are compared: bare hyper, the provider's client alone, and the whole stack.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request as HttpRequest;
use hyper::header::CONTENT_TYPE;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use llm_client::{
    Anthropic, AnthropicConfig, Breaker, BreakerConfig, CacheLifetime, ConcurrencyConfig,
    ConcurrencyLimit, LanguageModel, Meter, MeterConfig, Metered, PrefixCache, PrefixCacheConfig,
    Request, RetryBudget, RetryPolicy, Retrying, SystemBlock, telemetry,
};
use observability::{HistogramBuckets, Metrics};
use serde_json::json;
use store::{EmbeddedConfig, EmbeddedStore, SystemClock};

use super::latency::Ask;
use crate::error::Error;

const MODEL: &str = "claude-sonnet-4-5";
const MAX_TOKENS: u32 = 256;
/// How often the recorder's raw observations are put into their buckets.
const UPKEEP: Duration = Duration::from_secs(1);

/// Somebody who can ask.
pub enum Client {
    /// hyper's own pooled client, which reads the answer's bytes and no more.
    Bare {
        client: Box<HyperClient<HttpConnector, Full<Bytes>>>,
        url: String,
        body: Bytes,
    },
    /// Anything of `llm-client`.
    Model {
        name: &'static str,
        model: Arc<dyn LanguageModel>,
    },
}

impl Client {
    /// The bare one first, the whole stack last. Metrics are recorded as in the service.
    pub async fn all(base_url: &str) -> Result<Vec<Arc<Self>>, Error> {
        record_metrics()?;
        let bare = Self::Bare {
            client: Box::new(
                HyperClient::builder(TokioExecutor::new()).build(HttpConnector::new()),
            ),
            url: format!("{base_url}/v1/messages"),
            body: body().into(),
        };
        let alone = Self::Model {
            name: "llm-anthropic-alone",
            model: provider(base_url)?,
        };
        let (meter, _) = meter().await?;
        let stack = Self::Model {
            name: "llm-full-stack",
            model: stack(provider(base_url)?, &meter, ConcurrencyConfig::default()),
        };
        Ok([bare, alone, stack].map(Arc::new).into())
    }

    /// Its name in the report.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bare { .. } => "llm-bare-hyper",
            Self::Model { name, .. } => name,
        }
    }
}

impl Ask for Client {
    async fn ask(&self) -> bool {
        match self {
            Self::Bare { client, url, body } => {
                let request = HttpRequest::post(url)
                    .header(CONTENT_TYPE, "application/json")
                    .header("x-api-key", "bench")
                    .header("anthropic-version", "2023-06-01")
                    .body(Full::new(body.clone()));
                let Ok(request) = request else { return false };
                let Ok(answer) = client.request(request).await else {
                    return false;
                };
                let status = answer.status();
                answer.into_body().collect().await.is_ok() && status.is_success()
            }
            Self::Model { model, .. } => match question(MAX_TOKENS) {
                Ok(question) => model.complete(&question).await.is_ok(),
                Err(_) => false,
            },
        }
    }
}

/// The stable part of the prompt, over the model's minimum for its prompt cache. Made once, as
/// the service does.
fn rules() -> &'static SystemBlock {
    static RULES: OnceLock<SystemBlock> = OnceLock::new();
    RULES.get_or_init(|| {
        let rule = "El IVA es el 19 % del neto, y el total es la suma de ambos. ";
        SystemBlock::new(rule.repeat(120)).cached(CacheLifetime::FiveMinutes)
    })
}

fn words() -> String {
    "{\"nombre\":\"Cemento 25 kg\",\"cantidad\":2,\"precio_unitario\":5000}, ".repeat(15)
}

/// A question as the service asks them.
///
/// # Errors
///
/// [`Error::Bench`]; it is always valid.
pub fn question(max_tokens: u32) -> Result<Request, Error> {
    Request::builder(max_tokens)
        .operation("bench")
        .account("bench")
        .system(rules().clone())
        .user(words())
        .build()
        .map_err(|error| Error::Bench(error.to_string()))
}

/// The same question as the bare client sends it.
fn body() -> String {
    json!({
        "model": MODEL,
        "max_tokens": MAX_TOKENS,
        "system": [{
            "type": "text",
            "text": rules().text(),
            "cache_control": {"type": "ephemeral", "ttl": "5m"},
        }],
        "messages": [{"role": "user", "content": words()}],
    })
    .to_string()
}

/// The provider's client.
///
/// # Errors
///
/// [`Error::Bench`] when the address is none.
pub fn provider(base_url: &str) -> Result<Arc<dyn LanguageModel>, Error> {
    let mut config = AnthropicConfig::new("bench".into(), MODEL);
    config.base_url = base_url.to_owned();
    let provider = Anthropic::try_new(config);
    let provider = provider.map_err(|error| Error::Bench(error.to_string()))?;
    Ok(Arc::new(provider))
}

/// A meter that keeps its ledger in memory, its vocabulary loaded.
///
/// # Errors
///
/// [`Error::Bench`] when there is no store in memory.
pub async fn meter() -> Result<(Meter, Arc<EmbeddedStore>), Error> {
    let clock = Arc::new(SystemClock);
    let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone());
    let store = store.map_err(|error| Error::Bench(error.to_string()))?;
    let store = Arc::new(store);
    let meter = Meter::new(MeterConfig::default(), store.clone(), clock);
    meter.tokens().ready().await;
    Ok((meter, store))
}

/// The layers as `bins/ai-service/src/model.rs` puts them together.
pub fn stack(
    provider: Arc<dyn LanguageModel>,
    meter: &Meter,
    concurrency: ConcurrencyConfig,
) -> Arc<dyn LanguageModel> {
    let metered = Arc::new(Metered::new(provider, meter.clone()));
    let prefix = PrefixCache::new(metered, meter.prices(), PrefixCacheConfig::default());
    let limited = ConcurrencyLimit::new(Arc::new(prefix), concurrency);
    let breaker = Breaker::new(Arc::new(limited), BreakerConfig::default());
    let budget = Arc::new(RetryBudget::new(10, 5));
    Arc::new(Retrying::new(
        Arc::new(breaker),
        RetryPolicy::default(),
        budget,
    ))
}

/// Installs a recorder with the service's buckets, and keeps it up, unless this process has one.
/// Within a runtime.
///
/// # Errors
///
/// [`Error::Bench`] when there is one already.
pub fn record_metrics() -> Result<(), Error> {
    static RECORDS: OnceLock<()> = OnceLock::new();
    if RECORDS.set(()).is_err() {
        return Ok(());
    }
    let buckets = |name, bounds| HistogramBuckets { name, bounds };
    let metrics = Metrics::install(&[
        buckets(
            telemetry::TIME_TO_FIRST_CHUNK,
            &telemetry::TIME_TO_FIRST_CHUNK_BUCKETS,
        ),
        buckets(
            telemetry::TIME_PER_OUTPUT_CHUNK,
            &telemetry::TIME_PER_OUTPUT_CHUNK_BUCKETS,
        ),
        buckets(
            telemetry::OPERATION_DURATION,
            &telemetry::OPERATION_DURATION_BUCKETS,
        ),
        buckets(telemetry::TOKEN_USAGE, &telemetry::TOKEN_USAGE_BUCKETS),
    ]);
    let metrics = metrics.map_err(|error| Error::Bench(error.to_string()))?;
    telemetry::describe();
    tokio::spawn(async move {
        let metrics = Arc::new(metrics);
        loop {
            tokio::time::sleep(UPKEEP).await;
            let metrics = Arc::clone(&metrics);
            // It ends with the runtime.
            let _ = tokio::task::spawn_blocking(move || metrics.upkeep()).await;
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_measured_after_another_finds_the_recorder() {
        record_metrics().unwrap();
        record_metrics().unwrap();
    }

    #[test]
    fn both_ask_the_same() {
        let question = question(MAX_TOKENS).unwrap();
        let body: serde_json::Value = serde_json::from_str(&body()).unwrap();
        assert_eq!(body["system"][0]["text"], question.system()[0].text());
        assert_eq!(
            body["messages"][0]["content"],
            question.messages()[0].text()
        );
        assert_eq!(body["max_tokens"], question.max_tokens());
    }
}
