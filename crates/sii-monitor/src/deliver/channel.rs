//! The ways to tell.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use thiserror::Error;

use super::post::Poster;
use super::{Notice, slack, webhook};

/// A way to tell notices.
///
/// A call ends within a limit of its own. One that fails has told none of its notices, as far
/// as it knows: they are told again, and whoever got them knows them by their ids.
#[async_trait]
pub trait Channel: fmt::Debug + Send + Sync + 'static {
    /// The most notices that one call takes.
    fn most(&self) -> usize;

    /// Tells them. `event` is the same at every retry of these notices.
    ///
    /// # Errors
    /// [`SendError`]: what went wrong, and whether trying again can help.
    async fn send(&self, event: &str, notices: &[Notice], now: Timestamp) -> Result<(), SendError>;
}

/// Why a channel couldn't tell. Its text holds no address: that of a webhook is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("failed to notify ({kind})")]
pub struct SendError {
    kind: SendErrorKind,
    retry_after: Option<Duration>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// The address or the key can't be used: the operator's to mend.
    #[error("its configuration can't be used")]
    Configuration,
    /// No connection, or one that broke.
    #[error("unreachable")]
    Unreachable,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The receiver asks for patience.
    #[error("busy")]
    Busy,
    /// The receiver failed.
    #[error("the receiver failed")]
    Failed,
    /// The receiver doesn't want it, and won't the next time either.
    #[error("refused by the receiver")]
    Refused,
}

impl SendError {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: SendErrorKind) -> Self {
        Self {
            kind,
            retry_after: None,
        }
    }

    /// The same, with the wait that the receiver asked for.
    #[must_use]
    pub const fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// How long the receiver asked to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same can succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !matches!(
            self.kind,
            SendErrorKind::Configuration | SendErrorKind::Refused
        )
    }
}

impl SendErrorKind {
    /// The stable English word for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

/// Slack, through an incoming webhook.
#[derive(Debug)]
pub struct Slack {
    poster: Poster,
}

impl Slack {
    /// The channel behind this webhook's address; `limit` is for a whole call.
    ///
    /// # Errors
    /// [`SendErrorKind::Configuration`], if the address is none.
    pub fn try_new(url: SecretString, limit: Duration) -> Result<Self, SendError> {
        let poster = Poster::try_new(url, limit)?;
        Ok(Self { poster })
    }
}

#[async_trait]
impl Channel for Slack {
    fn most(&self) -> usize {
        slack::MAX_NOTICES
    }

    async fn send(&self, _: &str, notices: &[Notice], _: Timestamp) -> Result<(), SendError> {
        let body = slack::message(notices).to_string().into_bytes();
        self.poster.post(body, &[]).await
    }
}

/// Any program, by a signed POST.
#[derive(Debug)]
pub struct Webhook {
    poster: Poster,
    secret: SecretString,
}

impl Webhook {
    /// The program at this address, with whom this secret is shared; `limit` is for a whole call.
    ///
    /// # Errors
    /// [`SendErrorKind::Configuration`], if the address is none.
    pub fn try_new(
        url: SecretString,
        secret: SecretString,
        limit: Duration,
    ) -> Result<Self, SendError> {
        let poster = Poster::try_new(url, limit)?;
        Ok(Self { poster, secret })
    }
}

#[async_trait]
impl Channel for Webhook {
    fn most(&self) -> usize {
        100
    }

    async fn send(&self, event: &str, notices: &[Notice], now: Timestamp) -> Result<(), SendError> {
        let body = webhook::body(event, notices);
        let signature = webhook::signature(&self.secret, now, &body);
        let headers = [
            (webhook::SIGNATURE_HEADER, signature),
            (webhook::EVENT_HEADER, event.to_owned()),
        ];
        self.poster.post(body, &headers).await
    }
}
