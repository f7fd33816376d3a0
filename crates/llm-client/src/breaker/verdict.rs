//! What the end of a call says of the provider.

use std::time::Duration;

use super::BreakerConfig;
use crate::{Error, ErrorKind, Stage};

/// A limit of the account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Rate,
    Spend,
}

impl Limit {
    pub(super) const fn kind(self) -> ErrorKind {
        match self {
            Self::Rate => ErrorKind::RateLimited,
            Self::Spend => ErrorKind::SpendLimit,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        self.kind().as_str()
    }

    pub(super) fn parse(word: &[u8]) -> Option<Self> {
        [Self::Rate, Self::Spend]
            .into_iter()
            .find(|limit| limit.as_str().as_bytes() == word)
    }
}

/// What the end of a call says of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It works.
    Answered,
    /// It doesn't.
    Broken,
    /// It works, but the account is at a limit for so long.
    Limited { limit: Limit, wait: Duration },
    /// Nothing: the call never reached it.
    Unknown,
}

impl Verdict {
    /// A failure after the provider had so long.
    pub(super) fn of(error: &Error, had: Duration, config: &BreakerConfig) -> Self {
        match error.kind() {
            ErrorKind::Connect
            | ErrorKind::Connection
            | ErrorKind::Interrupted
            | ErrorKind::Overloaded
            | ErrorKind::Upstream
            | ErrorKind::InvalidResponse => Self::Broken,
            ErrorKind::Timeout {
                stage: Stage::Deadline,
            } => Self::given_up(had, config),
            ErrorKind::Timeout { .. } => Self::Broken,
            ErrorKind::RateLimited => Self::limited(Limit::Rate, error, Duration::ZERO),
            // It lasts until somebody pays or a month ends; one call a while finds out.
            ErrorKind::SpendLimit => Self::limited(Limit::Spend, error, config.longest_gate),
            _ if error.status().is_some() => Self::Answered,
            _ => Self::Unknown,
        }
    }

    pub(super) fn given_up(had: Duration, config: &BreakerConfig) -> Self {
        if had >= config.patience {
            Self::Broken
        } else {
            Self::Unknown
        }
    }

    /// Until the provider's own time; without one, for `otherwise` (zero holds nobody back:
    /// whoever retries waits by itself).
    fn limited(limit: Limit, error: &Error, otherwise: Duration) -> Self {
        let exhausted = error.rate_limits().and_then(|limits| {
            [
                limits.requests,
                limits.tokens,
                limits.input_tokens,
                limits.output_tokens,
            ]
            .into_iter()
            .flatten()
            .filter(|limit| limit.remaining == 0)
            .filter_map(|limit| limit.reset_after)
            .max()
        });
        let wait = error.retry_after().or(exhausted).unwrap_or(otherwise);
        Self::Limited { limit, wait }
    }
}
