//! The metrics and the span of a call: the one place that knows their names.
//!
//! Names follow OpenTelemetry's GenAI conventions, which are still in development. They go
//! through the `metrics` and `tracing` façades; the binary chooses the exporters and should
//! give the histograms the buckets below. Labels are bounded: the provider and the operation
//! are constants, the model comes from the configuration, the error is a kind.

use std::sync::Arc;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tokio::time::Instant;
use tracing::{Span, field};

use crate::{Completion, Error, ErrorKind, Provider, Request, Usage};

mod content;
mod instruments;
mod names;

pub(crate) use instruments::Instruments;
pub use names::{
    BREAKER_STATE, BREAKER_TRANSITIONS, ERROR_TYPE, FALLBACKS, MODEL, OPERATION,
    OPERATION_DURATION, OPERATION_DURATION_BUCKETS, PROMPT_TOKENS, PROVIDER, RETRIES,
    RETRIES_GIVEN_UP, TIME_PER_OUTPUT_CHUNK, TIME_PER_OUTPUT_CHUNK_BUCKETS, TIME_TO_FIRST_CHUNK,
    TIME_TO_FIRST_CHUNK_BUCKETS, TOKEN_TYPE, TOKEN_USAGE, TOKEN_USAGE_BUCKETS,
};

const CHAT: &str = "chat";
const COUNT_TOKENS: &str = "count_tokens";

/// Describes the metrics to the installed recorder. Call it once, after installing one.
pub fn describe() {
    crate::layers::describe();
    describe_histogram!(
        OPERATION_DURATION,
        Unit::Seconds,
        "Duration of calls to a language model"
    );
    describe_histogram!(
        TOKEN_USAGE,
        Unit::Count,
        "Input and output tokens of a call to a language model"
    );
    describe_histogram!(
        TIME_TO_FIRST_CHUNK,
        Unit::Seconds,
        "From the start of a streamed call to its first text"
    );
    describe_histogram!(
        TIME_PER_OUTPUT_CHUNK,
        Unit::Seconds,
        "From one piece of a streamed text to the next"
    );
    describe_counter!(
        PROMPT_TOKENS,
        Unit::Count,
        "Prompt tokens by what the provider's prompt cache did with them"
    );
    describe_counter!(RETRIES, Unit::Count, "Calls that were made again");
    describe_counter!(
        RETRIES_GIVEN_UP,
        Unit::Count,
        "Failed calls that might have passed but weren't made again"
    );
    describe_counter!(
        BREAKER_TRANSITIONS,
        Unit::Count,
        "Changes of the breaker in front of a model"
    );
    describe_gauge!(
        BREAKER_STATE,
        Unit::Count,
        "Breaker in front of a model: 0 closed, 1 half-open, 2 open"
    );
    describe_counter!(
        FALLBACKS,
        Unit::Count,
        "Calls for which the second model was asked"
    );
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// One call finds out.
    HalfOpen,
    /// No call goes through.
    Open,
}

impl BreakerState {
    /// A stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }

    const fn level(self) -> f64 {
        match self {
            Self::Closed => 0.0,
            Self::HalfOpen => 1.0,
            Self::Open => 2.0,
        }
    }
}

/// Counts a change of a breaker.
pub(crate) fn breaker_changed(
    provider: Provider,
    model: &str,
    to: &'static str,
    cause: &'static str,
    state: Option<BreakerState>,
) {
    counter!(BREAKER_TRANSITIONS, PROVIDER => provider.as_str(), MODEL => model.to_owned(),
        "to" => to, "cause" => cause)
    .increment(1);
    if let Some(state) = state {
        gauge!(BREAKER_STATE, PROVIDER => provider.as_str(), MODEL => model.to_owned())
            .set(state.level());
    }
}

/// Why a failed call isn't made again that might have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenUp {
    Attempts,
    Deadline,
    Budget,
}

/// Counts a retry.
pub(crate) fn retried(provider: Provider, model: &str, kind: ErrorKind) {
    counter!(RETRIES, PROVIDER => provider.as_str(), MODEL => model.to_owned(),
        ERROR_TYPE => kind.as_str())
    .increment(1);
}

/// Counts a retry that wasn't made.
pub(crate) fn gave_up(provider: Provider, model: &str, why: GivenUp) {
    let reason = match why {
        GivenUp::Attempts => "attempts",
        GivenUp::Deadline => "deadline",
        GivenUp::Budget => "budget",
    };
    counter!(RETRIES_GIVEN_UP, PROVIDER => provider.as_str(), MODEL => model.to_owned(),
        "reason" => reason)
    .increment(1);
}

/// Counts a call that the second model gets.
pub(crate) fn fell_back(provider: Provider, model: &str, kind: ErrorKind) {
    counter!(FALLBACKS, PROVIDER => provider.as_str(), MODEL => model.to_owned(),
        ERROR_TYPE => kind.as_str())
    .increment(1);
}

/// One call being measured. Dropped without [`finish`](Self::finish), it counts as cancelled.
pub(crate) struct Call {
    operation: &'static str,
    instruments: Arc<Instruments>,
    started: Instant,
    last_chunk: Option<Instant>,
    span: Span,
    finished: bool,
}

impl Call {
    /// Starts the clock and opens the span `chat {model}`.
    pub(crate) fn start(instruments: &Arc<Instruments>, request: &Request) -> Self {
        let call = Self::begin(CHAT, instruments);
        if instruments.content {
            let (instructions, input) = (content::instructions(request), content::input(request));
            call.span
                .record("gen_ai.system_instructions", instructions.as_str())
                .record("gen_ai.input.messages", input.as_str());
        }
        call
    }

    /// The same for a count of tokens by the provider.
    pub(crate) fn counting(instruments: &Arc<Instruments>) -> Self {
        Self::begin(COUNT_TOKENS, instruments)
    }

    fn begin(operation: &'static str, instruments: &Arc<Instruments>) -> Self {
        let (provider, model) = (instruments.provider, instruments.model.as_str());
        let span = tracing::info_span!(
            "llm call",
            otel.name = format_args!("{operation} {model}"),
            otel.kind = "client",
            gen_ai.operation.name = operation,
            gen_ai.provider.name = provider,
            gen_ai.request.model = model,
            gen_ai.response.model = field::Empty,
            gen_ai.response.id = field::Empty,
            gen_ai.response.finish_reasons = field::Empty,
            gen_ai.usage.input_tokens = field::Empty,
            gen_ai.usage.output_tokens = field::Empty,
            gen_ai.usage.cache_read.input_tokens = field::Empty,
            gen_ai.usage.cache_creation.input_tokens = field::Empty,
            gen_ai.system_instructions = field::Empty,
            gen_ai.input.messages = field::Empty,
            gen_ai.output.messages = field::Empty,
            error.r#type = field::Empty,
        );
        Self {
            operation,
            instruments: Arc::clone(instruments),
            started: Instant::now(),
            last_chunk: None,
            span,
            finished: false,
        }
    }

    /// The call's span.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Records that a piece of the answer has come.
    pub(crate) fn chunk(&mut self) {
        let now = Instant::now();
        let [first, next] = self.instruments.chunks();
        match self.last_chunk.replace(now) {
            Some(last) => next.record(now.duration_since(last).as_secs_f64()),
            None => first.record(now.duration_since(self.started).as_secs_f64()),
        }
    }

    /// Records that a call was given up which has used this much.
    pub(crate) fn cancel(self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            self.record_usage(&usage);
        }
    }

    /// Records how a count ended: it uses nothing.
    pub(crate) fn finish_count<T>(mut self, result: &Result<T, Error>) {
        self.finished = true;
        self.record_duration(result.as_ref().err().map(Error::kind));
    }

    /// Records how the call ended.
    pub(crate) fn finish(mut self, result: Result<&Completion, &Error>) {
        self.finished = true;
        match result {
            Ok(completion) => {
                self.record_answer(completion);
                self.record_duration(None);
            }
            Err(error) => {
                if let Some(usage) = error.usage() {
                    self.record_usage(&usage);
                }
                if let Some(id) = error.request_id() {
                    self.span.record("gen_ai.response.id", id);
                }
                self.record_duration(Some(error.kind()));
            }
        }
    }

    fn record_answer(&self, completion: &Completion) {
        self.span
            .record("gen_ai.response.model", completion.model.as_str())
            .record(
                "gen_ai.response.finish_reasons",
                completion.stop_reason.as_str(),
            );
        if let Some(id) = &completion.request_id {
            self.span.record("gen_ai.response.id", id.as_str());
        }
        if self.instruments.content {
            let output = content::output(completion);
            self.span.record("gen_ai.output.messages", output.as_str());
        }
        self.record_usage(&completion.usage);
    }

    fn record_usage(&self, usage: &Usage) {
        self.span
            .record("gen_ai.usage.input_tokens", signed(usage.prompt_tokens()))
            .record("gen_ai.usage.output_tokens", signed(usage.output_tokens))
            .record(
                "gen_ai.usage.cache_read.input_tokens",
                signed(usage.cache_read_input_tokens),
            )
            .record(
                "gen_ai.usage.cache_creation.input_tokens",
                signed(usage.cache_creation_input_tokens()),
            );
        self.instruments.used(usage);
    }

    fn record_duration(&self, failure: Option<ErrorKind>) {
        let seconds = self.started.elapsed().as_secs_f64();
        let Instruments {
            provider, model, ..
        } = &*self.instruments;
        match failure {
            None if self.operation == CHAT => self.instruments.answered(seconds),
            None => {
                histogram!(OPERATION_DURATION, OPERATION => self.operation, PROVIDER => *provider,
                    MODEL => model.clone())
                .record(seconds);
            }
            Some(kind) => {
                self.span.record("error.type", kind.as_str());
                histogram!(OPERATION_DURATION, OPERATION => self.operation, PROVIDER => *provider,
                    MODEL => model.clone(), ERROR_TYPE => kind.as_str())
                .record(seconds);
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.finished {
            self.record_duration(Some(ErrorKind::Cancelled));
        }
    }
}

/// A count as an attribute: OpenTelemetry's whole numbers have a sign.
fn signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// A count as a histogram's sample: exact up to 2³² tokens, which no call reaches.
fn approximate(tokens: u64) -> f64 {
    f64::from(u32::try_from(tokens).unwrap_or(u32::MAX))
}

#[cfg(test)]
pub(crate) mod tests;
