//! Why a call failed: what, whose fault, and whether another attempt may help.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::{InvalidRequest, RateLimits, Usage};

mod kind;

pub use kind::{ErrorKind, Fault, Stage};

/// The most characters of the provider's own message that an error keeps.
const MAX_UPSTREAM_MESSAGE_CHARS: usize = 500;

/// A failed call.
///
/// The text ([`Display`](fmt::Display)) is a lower-case fragment made of this crate's own
/// words: it never holds a key, a prompt, or anything that the provider sent. Decide by
/// [`kind`](Self::kind), never by the text. Cloning is cheap, so that one failure can be
/// told to everyone who waited for the same call.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    retryable: bool,
    status: Option<StatusCode>,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    upstream_message: Option<String>,
    usage: Option<Usage>,
    rate_limits: Option<Box<RateLimits>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of a kind, retryable if its kind is by nature.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            retryable: kind.is_transient(),
            status: None,
            retry_after: None,
            request_id: None,
            upstream_message: None,
            usage: None,
            rate_limits: None,
            source: None,
        }))
    }

    /// The same error as another kind, with the facts that it has and the nature of that kind.
    #[must_use]
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self.0.retryable = kind.is_transient();
        self
    }

    /// Adds the HTTP status that the provider answered with.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Overrides whether another attempt may help: the provider said so.
    ///
    /// It has no effect on [`ErrorKind::SpendLimit`], which is never retried.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable && self.0.kind != ErrorKind::SpendLimit;
        self
    }

    /// Adds the wait that the provider asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Adds the provider's id of the call.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    /// Adds the provider's own message, cut to 500 characters and without control characters.
    #[must_use]
    pub fn with_upstream_message(mut self, message: &str) -> Self {
        let kept = message
            .chars()
            .take(MAX_UPSTREAM_MESSAGE_CHARS)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.0.upstream_message = Some(kept);
        self
    }

    /// Adds the tokens that the failed call has used.
    #[must_use]
    pub fn with_usage(mut self, usage: Usage) -> Self {
        self.0.usage = Some(usage);
        self
    }

    /// Adds what the provider said of the account's limits.
    #[must_use]
    pub fn with_rate_limits(mut self, limits: Option<Box<RateLimits>>) -> Self {
        self.0.rate_limits = limits;
        self
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whose fault it was.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.0.kind.fault()
    }

    /// Whether the same call may succeed when it is made again.
    ///
    /// It says nothing about whether to do so: that is for a retry layer with a budget.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// How long the provider asked to wait, as it was sent: whoever waits clamps it.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The provider's id of the call, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The provider's own message, bounded. For logs only: it may repeat parts of the
    /// prompt, so it is neither in the text of the error nor in its `Debug`.
    #[must_use]
    pub fn upstream_message(&self) -> Option<&str> {
        self.0.upstream_message.as_deref()
    }

    /// The tokens that the failed call has used, where that is known: a refused, truncated
    /// or unusable answer is billed like a good one.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.0.usage
    }

    /// What the provider said of the account's limits, if it did.
    #[must_use]
    pub fn rate_limits(&self) -> Option<&RateLimits> {
        self.0.rate_limits.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind)?;
        match self.0.status {
            Some(status) => write!(f, " (status {})", status.as_u16()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("retryable", &self.0.retryable)
            .field("status", &self.0.status)
            .field("retry_after", &self.0.retry_after)
            .field("request_id", &self.0.request_id)
            .field("usage", &self.0.usage)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        Self::new(ErrorKind::InvalidRequest).with_source(error)
    }
}

#[cfg(test)]
mod tests;
