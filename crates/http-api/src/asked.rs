//! Asking the model a question whose answer is JSON by a schema, with a word for every way in
//! which there may be no answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use llm_client::{CacheLifetime, Completion, ErrorKind, LanguageModel, Request, SystemBlock};
use serde_json::Value;

use crate::app::Shared;
use crate::auth::Caller;

/// A question.
#[derive(Debug)]
pub(crate) struct Question {
    /// What it is for, as costs are counted.
    pub(crate) operation: &'static str,
    /// What is the same in every question of its kind.
    pub(crate) instructions: &'static str,
    /// What is asked, whatever comes from outside fenced as data.
    pub(crate) text: String,
    /// What the answer is called, and its shape.
    pub(crate) name: &'static str,
    pub(crate) schema: Arc<Value>,
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

/// An answer, or why there is none; and how long it took.
pub(crate) struct Asked {
    pub(crate) outcome: Result<Completion, NoAnswer>,
    pub(crate) waited: Duration,
}

/// Asks, within the model's time-out.
pub(crate) async fn ask(shared: &Shared, caller: &Caller, question: Question) -> Asked {
    let begun = Instant::now();
    let outcome = match &shared.deps.model {
        None => Err(NoAnswer::Off),
        Some(model) => {
            let limit = shared.config.limits.model_timeout;
            // The client holds its own deadlines; this one holds whatever client there is.
            let call = call(&*model.client, caller, question, limit);
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
    Asked {
        outcome,
        waited: begun.elapsed(),
    }
}

async fn call(
    model: &dyn LanguageModel,
    caller: &Caller,
    question: Question,
    limit: Duration,
) -> Result<Completion, NoAnswer> {
    let operation = question.operation;
    let prefix = SystemBlock::new(question.instructions).cached(CacheLifetime::FiveMinutes);
    let request = Request::builder(question.max_tokens)
        .operation(operation)
        .account(caller.name())
        .system(prefix)
        .user(question.text)
        .json(question.name, question.schema)
        .deadline(tokio::time::Instant::now() + limit)
        .build();
    let request = request.map_err(|error| {
        tracing::error!(%error, operation, "failed to build a request");
        NoAnswer::Failed
    })?;
    model.complete(&request).await.map_err(|error| {
        tracing::warn!(kind = error.kind().as_str(), %error, operation, "model call failed");
        match error.kind() {
            ErrorKind::Timeout { .. } => NoAnswer::TimedOut,
            ErrorKind::Budget => NoAnswer::OverBudget,
            _ => NoAnswer::Failed,
        }
    })
}
