//! The one trait that callers hold: a language model that answers a request.

use std::fmt;

use async_trait::async_trait;

use crate::{Completion, CompletionStream, Error, Request};

/// A language model, whoever runs it.
///
/// Callers hold an `Arc<dyn LanguageModel>`; layers (retry, breaker, limits, metering)
/// implement the trait around an inner one, so they compose and each can be left out.
///
/// # Contract of an implementation
///
/// - `complete` and `stream` end by [`Request::deadline`] where there is one, and never wait
///   without a limit of their own where there is none.
/// - Dropping the future, or the stream, cancels the call upstream; nothing goes on in the
///   background.
/// - One call is one attempt: retries are a layer's decision, made on
///   [`Error::is_retryable`].
#[async_trait]
pub trait LanguageModel: fmt::Debug + Send + Sync + 'static {
    /// Who runs the model. Of a layer: who runs the one that it asks first.
    fn provider(&self) -> Provider;

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

    /// Makes one call whose answer comes in pieces. Resolves once the first event has
    /// arrived, so that a call which fails before it can still be made elsewhere.
    ///
    /// The default asks [`complete`](Self::complete) and yields its answer as one piece.
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete), for what fails before the first event; later failures
    /// are the stream's last item.
    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let completion = self.complete(request).await?;
        Ok(CompletionStream::whole(completion, request))
    }

    /// The exact input tokens of a request, by the provider's own endpoint: free, but a round
    /// trip with limits of its own. `None` where the provider has no such endpoint, which is
    /// the default.
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete).
    async fn count_tokens(&self, _request: &Request) -> Result<Option<u64>, Error> {
        Ok(None)
    }
}

/// Who runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Anthropic's Messages API, or what speaks it.
    Anthropic,
    /// An endpoint that speaks OpenAI's chat completions: vLLM, llama.cpp, Ollama.
    OpenAiCompatible,
    /// A script, in tests.
    Scripted,
}

impl Provider {
    /// A stable word, fit for a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAiCompatible => "openai_compatible",
            Self::Scripted => "scripted",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
