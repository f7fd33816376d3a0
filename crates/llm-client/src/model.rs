//! The one trait that callers hold: a language model that answers a request.

use std::fmt;

use async_trait::async_trait;

use crate::{Completion, Error, Request};

/// A language model, whoever runs it.
///
/// Callers hold an `Arc<dyn LanguageModel>`; layers (retry, breaker, limits, metering)
/// implement the trait around an inner one, so they compose and each can be left out.
///
/// # Contract of an implementation
///
/// - `complete` ends by [`Request::deadline`] where there is one, and never waits without
///   a limit of its own where there is none.
/// - Dropping the future cancels the call upstream; nothing goes on in the background.
/// - One call is one attempt: retries are a layer's decision, made on
///   [`Error::is_retryable`].
///
/// # Where streaming will fit
///
/// A streaming call takes the same [`Request`] and fails with the same [`Error`]; it will
/// stand beside `complete` as a second method that resolves to a stream of typed events
/// once the first one has arrived, and its last event will carry what a [`Completion`]
/// carries here. It will have a default body that calls `complete` and yields the whole
/// answer as one event, so that existing implementations go on compiling.
#[async_trait]
pub trait LanguageModel: fmt::Debug + Send + Sync + 'static {
    /// The model's name as the provider knows it, such as `claude-sonnet-4-5`.
    ///
    /// It comes from the configuration, hence it is bounded and fit for a metric label.
    fn model(&self) -> &str;

    /// Where the model is asked, such as `https://api.anthropic.com`: a stand-in of the same
    /// name is another model. For keys of kept answers, not for metric labels.
    fn origin(&self) -> &str;

    /// Makes one call and waits for the whole answer.
    ///
    /// For [`Output::Json`](crate::Output::Json) the completion's text is exactly one JSON
    /// value; whether it fits the schema is for the caller to check by decoding it
    /// ([`Completion::decode_json`]).
    ///
    /// # Errors
    ///
    /// An [`Error`] of a kind that says what went wrong, whose fault it was, and whether
    /// another attempt may help.
    async fn complete(&self, request: &Request) -> Result<Completion, Error>;
}
