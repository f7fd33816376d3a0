//! # llm-client
//!
//! One call to a language model done right: Anthropic's Messages API over hyper, or any
//! endpoint that speaks OpenAI's chat completions, whole or streamed, with limits of time that
//! are told apart, errors that say whose fault they are and whether another attempt may help,
//! a cached prompt prefix, JSON by schema, retries, a breaker, a second model, and telemetry by
//! convention.
//!
//! ## When to use it
//!
//! In a Rust service that asks a model and must go on when the model doesn't answer. Hold an
//! `Arc<dyn LanguageModel>`: [`Anthropic`] or [`OpenAiCompatible`] in production, the
//! `test-util` feature's `ScriptedModel` in tests, and layers around either: [`Retrying`],
//! [`Breaker`], [`Fallback`], [`ConcurrencyLimit`], [`PrefixCache`], [`Metered`].
//!
//! ## Example
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use llm_client::{
//!     Anthropic, AnthropicConfig, CacheLifetime, LanguageModel, Request, SystemBlock,
//! };
//! use serde_json::json;
//! use tokio::time::Instant;
//!
//! #[derive(serde::Deserialize)]
//! struct Verdict {
//!     ok: bool,
//! }
//!
//! # use mock_anthropic::{Answer, Config, MockServer};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = MockServer::start(Config::default()).await?;
//! # mock.answer_with(Answer::once(r#"{"ok": true}"#));
//! # let base_url = mock.base_url();
//! # let key = "sk-ant-mock";
//! let mut config = AnthropicConfig::new(key.into(), "claude-sonnet-4-5");
//! config.base_url = base_url; // left as it is: https://api.anthropic.com
//! let model: Arc<dyn LanguageModel> = Arc::new(Anthropic::try_new(config)?);
//!
//! let schema = json!({
//!     "type": "object",
//!     "properties": {"ok": {"type": "boolean"}},
//!     "required": ["ok"],
//!     "additionalProperties": false
//! });
//! let request = Request::builder(256)
//!     .system(SystemBlock::new("Revisas facturas chilenas.").cached(CacheLifetime::FiveMinutes))
//!     .user("Neto 1000, IVA 190, total 1190. ¿Cuadra?")
//!     .json("verdict", schema)
//!     .deadline(Instant::now() + Duration::from_secs(20))
//!     .build()?;
//!
//! match model.complete(&request).await {
//!     Ok(completion) => {
//!         let verdict: Verdict = completion.decode_json()?;
//!         assert!(verdict.ok);
//!         assert!(completion.usage.total() > 0);
//!     }
//!     Err(error) => eprintln!(
//!         "failed to {error}; fault: {:?}, retryable: {}, wait: {:?}",
//!         error.fault(),
//!         error.is_retryable(),
//!         error.retry_after(),
//!     ),
//! }
//! # assert_eq!(mock.stats().requests_to("/v1/messages"), 1);
//! # Ok(())
//! # }
//! ```
//!
//! A stream, with retries until its first text:
//!
//! ```
//! use std::sync::Arc;
//!
//! use futures_util::StreamExt;
//! use llm_client::{
//!     Anthropic, AnthropicConfig, Breaker, BreakerConfig, LanguageModel, Request, RetryBudget,
//!     RetryPolicy, Retrying, StreamEvent,
//! };
//!
//! # use mock_anthropic::{Answer, Config, Fault, MockServer};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = MockServer::start(Config::default()).await?;
//! # mock.answer_with(Answer::always("Cuadra."));
//! # mock.inject(Fault::RateLimit(Some("10ms".to_owned())), 1);
//! # let mut config = AnthropicConfig::new("sk-ant-mock".into(), "claude-sonnet-4-5");
//! # config.base_url = mock.base_url();
//! let provider = Arc::new(Anthropic::try_new(config)?);
//! let breaker = Arc::new(Breaker::new(provider, BreakerConfig::default()));
//! let budget = Arc::new(RetryBudget::default());
//! let model = Retrying::new(breaker, RetryPolicy::default(), budget);
//!
//! let request = Request::builder(64).user("¿Cuadra?").operation("demo").build()?;
//! let mut stream = model.stream(&request).await?;
//! let mut said = String::new();
//! while let Some(event) = stream.next().await {
//!     match event? {
//!         StreamEvent::Text(piece) => said.push_str(&piece),
//!         StreamEvent::Finished(completion) => assert_eq!(completion.text, said),
//!         _ => {}
//!     }
//! }
//! assert_eq!(said, "Cuadra.");
//! # Ok(())
//! # }
//! ```
//!
//! Within a budget, and with a ledger, in a store that replicas share:
//!
//! ```
//! use std::sync::Arc;
//!
//! use llm_client::{
//!     BudgetLimits, CostPeriod, ErrorKind, LanguageModel, Meter, MeterConfig, Metered, Request, Usd,
//! };
//! use store::{EmbeddedConfig, EmbeddedStore, SystemClock};
//!
//! # use mock_anthropic::{Config, MockServer};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mock = MockServer::start(Config::default()).await?;
//! # let mut config = llm_client::AnthropicConfig::new("sk-ant-mock".into(), "claude-sonnet-4-5");
//! # config.base_url = mock.base_url();
//! # let provider = Arc::new(llm_client::Anthropic::try_new(config)?);
//! let clock = Arc::new(SystemClock);
//! let store = Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone())?);
//! let limits = BudgetLimits {
//!     account_day: Some(Usd::from_cents(500)),
//!     ..BudgetLimits::default()
//! };
//! let config = MeterConfig { limits, ..MeterConfig::default() };
//! let meter = Meter::new(config, store, clock);
//! let model = Metered::new(provider, meter.clone());
//!
//! let request = Request::builder(64)
//!     .operation("demo")
//!     .account("erp-sur")
//!     .user("¿Cuadra?")
//!     .build()?;
//! match model.complete(&request).await {
//!     Ok(completion) => println!("{}", completion.text),
//!     Err(error) if error.kind() == ErrorKind::Budget => println!("{:?}", error.over_limit()),
//!     Err(error) => return Err(error.into()),
//! }
//! meter.settled().await;
//! let report = meter.ledger().report(CostPeriod::Today, Some("erp-sur")).await?;
//! assert_eq!(report.summary.total_calls, 1);
//! assert!(report.by_operation["demo"].total_cost_usd > Usd::ZERO);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/ask.rs` is a whole program.
//!
//! ## Guarantees
//!
//! - **Every call ends**: connecting, the first byte, the wait between events and the whole
//!   call have limits of their own ([`Timeouts`]), and [`Request::deadline`] ends it earlier. An
//!   answer is read up to a size.
//! - **Dropping a call or a stream cancels it** upstream, and counts it as cancelled, with what
//!   it had used ([`CompletionStream::usage_so_far`]).
//! - **A stream is never read ahead**: a reader that stops stops the provider.
//! - **Nothing is said twice**: no layer makes a call again once text has gone out.
//! - **Retries can't multiply an outage**: each is paid from a [`RetryBudget`], and none begins
//!   a wait that can't end in time.
//! - **Errors are typed** ([`ErrorKind`], [`Fault`], [`Error::is_retryable`]); nothing is
//!   decided by a text. What isn't known to pass by itself isn't called retryable.
//! - **JSON is JSON**: where it was asked for, a completion holds exactly one value, or the
//!   call fails as [`ErrorKind::InvalidOutput`], [`Truncated`](ErrorKind::Truncated) or
//!   [`Refused`](ErrorKind::Refused), with the tokens it cost ([`Error::usage`]).
//! - **Tokens are counted once**: the parts of [`Usage`] don't overlap, cache writes are
//!   split by lifetime, and an answer without usage is estimated upwards and flagged.
//! - **Money is exact and counted once**: reserved atomically before a call, settled after it
//!   however it ends, in whole pico-dollars ([`Usd`], [`Metered`]).
//! - **Secrets stay in**: the key is in one header marked sensitive; neither it, nor a
//!   prompt, nor the provider's text is in any `Debug`, `Display`, metric or span.
//! - **A request can't be wrong by form**: [`RequestBuilder::build`] checks what the API
//!   would refuse, and what a model doesn't take (a temperature, a cache mark under its
//!   minimum) isn't sent ([`Capabilities`]).
//!
//! ## Absent on purpose
//!
//! Images, documents, thinking and tools beyond the forced one for JSON. HTTP
//! proxies and h2c: set [`AnthropicConfig::base_url`]. Compressed answers: none is asked for.
//! Checking JSON against its schema: decode it into a type.

mod answer;
mod anthropic;
mod breaker;
mod budget;
mod capabilities;
mod completion;
mod concurrency;
mod config;
mod detached;
mod error;
mod failure;
mod fallback;
mod jitter;
mod layers;
mod ledger;
mod live;
mod metered;
mod model;
mod money;
mod openai;
mod prediction;
mod prefix;
mod pricing;
mod rate_limits;
mod request;
mod retry;
mod sse;
mod stream;
pub mod telemetry;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
mod tokens;
mod transport;

pub use anthropic::Anthropic;
pub use breaker::{Breaker, BreakerConfig, Sharing};
pub use budget::{
    Amount, BUDGET_ABANDONED, BUDGET_LOCAL, BUDGET_REFUSALS, BudgetLimits, LimitScope, OverLimit,
};
pub use capabilities::{
    Capabilities, MIN_CHARS_PER_TOKEN, Prices, StructuredOutput, estimate_tokens,
};
pub use completion::{Completion, StopReason, Usage};
pub use concurrency::{
    CONCURRENCY_IN_FLIGHT, CONCURRENCY_LIMIT, CONCURRENCY_QUEUE, CONCURRENCY_REFUSALS,
    CONCURRENCY_WAIT, ConcurrencyConfig, ConcurrencyLimit, ConcurrencyStats,
};
pub use config::{AnthropicConfig, ConfigError, DEFAULT_BASE_URL, Propagate, Timeouts, TrustRoots};
pub use error::{Error, ErrorKind, Fault, Stage};
pub use fallback::Fallback;
pub use jitter::Jitter;
pub use ledger::{
    CostPeriod, CostReport, CostSummary, LEDGER_LOST, Ledger, LedgerError, MAX_LEDGER_ROWS, Saved,
};
pub use metered::{COST, Meter, MeterConfig, Metered, RESERVATIONS_OPEN, Reserve};
pub use model::{LanguageModel, Provider};
pub use money::Usd;
pub use openai::{MaxTokensField, OpenAiCompatible, OpenAiConfig, ResponseFormat};
pub use prediction::{
    MAX_PREDICTED_SERIES, Observed, PREDICTION_CALIBRATION_ERROR, Prediction, Predictor, Quantiles,
};
pub use prefix::{
    PROMPT_CACHE_HIT_RATE, PROMPT_CACHE_SAVED, PROMPT_CACHE_WAITS, PrefixCache, PrefixCacheConfig,
    PromptCacheStats,
};
pub use pricing::{
    BUILT_IN_PRICES_AS_OF, DEAREST, PRICE_KNOWN, PRICE_TABLE_DATE, PriceTable, Priced,
};
pub use rate_limits::{RateLimit, RateLimits};
pub use request::{
    CacheLifetime, DEFAULT_OPERATION, InvalidRequest, MAX_CACHE_MARKS, Message, Output, Request,
    RequestBuilder, Role, Schema, SystemBlock, Temperature,
};
pub use retry::{RetryBudget, RetryPolicy, Retrying};
pub use stream::{CompletionStream, StreamEvent};
pub use telemetry::BreakerState;
pub use tokens::{
    CountMethod, MAX_CALIBRATED_MODELS, TOKEN_CORRECTION, TOKEN_ERROR, TokenCounter, TokenEstimate,
};
