//! Asking the model a question whose answer is JSON by a schema, with a word for every way in
//! which there may be no answer.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cache::{Cost, Status};
use llm_client::{
    CacheLifetime, Completion, ErrorKind, LanguageModel, Meter, Request, Schema, SystemBlock,
    Usage, Usd,
};
use serde::Serialize;

use crate::app::Shared;
use crate::auth::Caller;

/// A question.
#[derive(Debug)]
pub(crate) struct Question {
    /// What it is for, as costs are counted.
    pub(crate) operation: &'static str,
    /// What is the same in every question of its kind, made once.
    pub(crate) instructions: SystemBlock,
    /// What is asked, whatever comes from outside fenced as data.
    pub(crate) text: String,
    /// What the answer is called, and its shape.
    pub(crate) name: &'static str,
    pub(crate) schema: Schema,
    /// The longest answer.
    pub(crate) max_tokens: u32,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// No model is configured.
    Off,
    /// The call failed, or what came is no answer.
    Failed,
    /// It didn't come in time.
    TimedOut,
    /// It would have cost more than is allowed.
    OverBudget,
}

/// The code of the finding that says that no model looked.
pub(crate) const NOT_REVIEWED: &str = "SERVICIO-SIN-MODELO";

impl NoAnswer {
    /// What a person reads of it, where the rules answered alone.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Off => {
                "Revisión sólo con reglas: el servicio no tiene configurado un modelo de lenguaje."
            }
            Self::Failed => {
                "Revisión sólo con reglas: el modelo de lenguaje no está disponible en este momento."
            }
            Self::TimedOut => {
                "Revisión sólo con reglas: el modelo de lenguaje no respondió a tiempo."
            }
            Self::OverBudget => {
                "Revisión sólo con reglas: se alcanzó el presupuesto para el modelo de lenguaje."
            }
        }
    }
}

/// What the model said about itself.
#[derive(Debug)]
pub(crate) struct ModelCall {
    pub(crate) model: String,
    pub(crate) usage: Usage,
    pub(crate) cost: Cost,
}

/// The tokens of a call, on the wire.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
    cache_read_tokens: u64,
    cache_creation_tokens: u64,
}

impl From<&Usage> for WireUsage {
    fn from(usage: &Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            total_tokens: usage.total(),
            cache_read_tokens: usage.cache_read_input_tokens,
            cache_creation_tokens: usage
                .cache_creation_5m_input_tokens
                .saturating_add(usage.cache_creation_1h_input_tokens),
        }
    }
}

/// How long a model took, beside what it was predicted to take.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ModelTime {
    pub(crate) waited: Duration,
    /// `None` until calls like it are known.
    pub(crate) forecast: Option<Forecast>,
}

/// What calls like it before have taken, at the median; and what this one cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forecast {
    pub(crate) latency: Duration,
    pub(crate) cost: Usd,
    /// `None` where no answer came.
    pub(crate) spent: Option<Usd>,
}

/// Where a computation writes down what its model took, for whoever encodes the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopwatch(Arc<OnceLock<ModelTime>>);

impl Stopwatch {
    /// What an answer's model took that came from there, asked for at `begun`.
    pub(crate) fn of(&self, status: Status, begun: Instant) -> ModelTime {
        match status {
            Status::Hit => ModelTime::default(),
            // A follower only waited; the leader knows what of it was the model's time.
            Status::Coalesced => ModelTime {
                waited: begun.elapsed(),
                forecast: None,
            },
            _ => self.0.get().copied().unwrap_or_default(),
        }
    }
}

/// Asks, within the model's time-out.
pub(crate) async fn ask(
    shared: &Shared,
    caller: &Caller,
    question: Question,
    watch: &Stopwatch,
) -> Result<Completion, NoAnswer> {
    let begun = Instant::now();
    let mut forecast = None;
    let outcome = match &shared.deps.model {
        None => Err(NoAnswer::Off),
        Some(model) => {
            let limit = shared.config.limits.model_timeout;
            // The client holds its own deadlines; this one holds whatever client there is.
            let request = request(caller, question, limit);
            forecast = request.as_ref().ok().and_then(|request| {
                Forecast::of(&shared.deps.meter, model.client.model(), request)
            });
            let call = async { call(&*model.client, &request?).await };
            tokio::time::timeout(limit, call)
                .await
                .unwrap_or(Err(NoAnswer::TimedOut))
        }
    };
    match &outcome {
        Ok(_) => shared.model_watch.good(),
        Err(NoAnswer::Failed | NoAnswer::TimedOut) => shared.model_watch.bad(),
        // They say nothing of the model.
        Err(NoAnswer::Off | NoAnswer::OverBudget) => {}
    }
    if let (Some(forecast), Ok(completion)) = (&mut forecast, &outcome) {
        let prices = shared.deps.meter.prices().of(&completion.model).prices;
        forecast.spent = Some(prices.cost(&completion.usage));
    }
    watch.0.get_or_init(|| ModelTime {
        waited: begun.elapsed(),
        forecast,
    });
    outcome
}

impl Forecast {
    fn of(meter: &Meter, model: &str, request: &Request) -> Option<Self> {
        let predicted = meter.predict(model, request);
        Some(Self {
            latency: predicted.latency.p50?,
            cost: predicted.cost.p50?,
            spent: None,
        })
    }
}

/// A kind's instructions: the beginning of its prompts, that the provider should keep.
pub(crate) fn instructions(text: &'static str) -> SystemBlock {
    SystemBlock::new(text).cached(CacheLifetime::FiveMinutes)
}

fn request(caller: &Caller, question: Question, limit: Duration) -> Result<Request, NoAnswer> {
    let operation = question.operation;
    let request = Request::builder(question.max_tokens)
        .operation(operation)
        .account(caller.name())
        .system(question.instructions)
        .user(question.text)
        .json(question.name, question.schema)
        .deadline(tokio::time::Instant::now() + limit)
        .build();
    request.map_err(|error| {
        tracing::error!(%error, operation, "failed to build a request");
        NoAnswer::Failed
    })
}

async fn call(model: &dyn LanguageModel, request: &Request) -> Result<Completion, NoAnswer> {
    let operation = request.operation();
    model.complete(request).await.map_err(|error| {
        tracing::warn!(kind = error.kind().as_str(), %error, operation, "model call failed");
        match error.kind() {
            ErrorKind::Timeout { .. } => NoAnswer::TimedOut,
            ErrorKind::Budget => NoAnswer::OverBudget,
            _ => NoAnswer::Failed,
        }
    })
}
