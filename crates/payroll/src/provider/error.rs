//! Why a month's indicators can't be had.

use thiserror::Error;

use crate::previred::PreviredError;

/// Why a source has nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{doing} ({kind})")]
pub struct SourceError {
    kind: SourceErrorKind,
    doing: &'static str,
}

/// Why a source has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// The month isn't published.
    #[error("not published")]
    NotPublished,
    /// It can't be reached, or answers with a failure.
    #[error("unreachable")]
    Unreachable,
    /// It was too slow.
    #[error("timed out")]
    Timeout,
    /// What it sent is too large.
    #[error("too large")]
    TooLarge,
    /// It may not be asked now: a budget, a limit.
    #[error("not allowed now")]
    Limited,
}

impl SourceError {
    /// An error; `doing` is a lower-case fragment that says what was tried.
    #[must_use]
    pub const fn new(kind: SourceErrorKind, doing: &'static str) -> Self {
        Self { kind, doing }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> SourceErrorKind {
        self.kind
    }
}

/// Why a month's indicators can't be had. Never the caller's fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("get indicators ({kind})")]
pub struct ProviderError {
    kind: ProviderErrorKind,
}

/// Why a month's indicators can't be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProviderErrorKind {
    /// The month isn't published yet.
    #[error("not published yet")]
    NotPublished,
    /// The month isn't known, and there is no source to ask.
    #[error("no source")]
    NoSource,
    /// The source, or the model that was to read it, gave nothing.
    #[error("{0}")]
    Source(#[source] SourceError),
    /// What the source gave isn't the month's indicators.
    #[error("{0}")]
    Refused(#[source] PreviredError),
    /// It took too long.
    #[error("timed out")]
    Timeout,
    /// It failed a few minutes ago, and isn't tried again yet.
    #[error("failed a short while ago")]
    FailedLately,
    /// The reader itself failed.
    #[error("internal failure")]
    Internal,
}

impl ProviderError {
    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> &ProviderErrorKind {
        &self.kind
    }

    /// A stable code in English, for a machine.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match &self.kind {
            ProviderErrorKind::NotPublished => "not_published",
            ProviderErrorKind::NoSource => "no_source",
            ProviderErrorKind::Source(_) => "source_failed",
            ProviderErrorKind::Refused(error) => error.code(),
            ProviderErrorKind::Timeout => "source_timeout",
            ProviderErrorKind::FailedLately => "source_failed_lately",
            ProviderErrorKind::Internal => "internal",
        }
    }

    /// Whether the month doesn't exist yet or nobody can be asked for it, rather than that the
    /// asking failed.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(
            self.kind,
            ProviderErrorKind::NotPublished | ProviderErrorKind::NoSource
        )
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !matches!(self.kind, ProviderErrorKind::NoSource)
    }

    /// One plain Spanish sentence for the ERP's user.
    #[must_use]
    pub const fn user_message(&self) -> &'static str {
        match &self.kind {
            ProviderErrorKind::NotPublished => "Los indicadores de ese mes aún no se publican.",
            ProviderErrorKind::NoSource => {
                "No se conocen los indicadores de ese mes y no hay una fuente configurada."
            }
            ProviderErrorKind::Refused(_) => {
                "Los indicadores que publicó la fuente no son coherentes y no se aceptaron."
            }
            ProviderErrorKind::Source(_)
            | ProviderErrorKind::Timeout
            | ProviderErrorKind::FailedLately
            | ProviderErrorKind::Internal => {
                "No se pudieron obtener los indicadores de ese mes; intente más tarde."
            }
        }
    }
}

impl From<ProviderErrorKind> for ProviderError {
    fn from(kind: ProviderErrorKind) -> Self {
        Self { kind }
    }
}

impl From<SourceError> for ProviderError {
    fn from(error: SourceError) -> Self {
        match error.kind {
            SourceErrorKind::NotPublished => ProviderErrorKind::NotPublished.into(),
            SourceErrorKind::Timeout => ProviderErrorKind::Timeout.into(),
            _ => ProviderErrorKind::Source(error).into(),
        }
    }
}
