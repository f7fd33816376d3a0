//! Why a message couldn't be taken, whose fault it is, and whether asking again can help.

use store::StoreError;
use thiserror::Error;

/// What is refused before, or instead of, an answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The message is empty or too long.
    #[error("message of {chars} characters, not 1 to {}", crate::MAX_MESSAGE_CHARS)]
    InvalidMessage {
        /// Its length.
        chars: usize,
    },
    /// There is no such session of this tenant: never was, expired, deleted.
    #[error("no such session")]
    SessionNotFound,
    /// There is no such stream of this tenant in this process any more.
    #[error("no such stream")]
    StreamNotFound,
    /// Too much at once for one session or one stream.
    #[error("too many at once in one session")]
    Busy,
    /// The store of the sessions can't be reached now.
    #[error("the sessions aren't available")]
    Unavailable(#[source] Option<StoreError>),
    /// The process is ending.
    #[error("shutting down")]
    ShuttingDown,
    /// A defect of ours.
    #[error("internal error")]
    Internal,
}

impl ChatError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable(_) | Self::ShuttingDown)
    }

    /// Whether the caller asked for something that can't be.
    #[must_use]
    pub const fn is_callers_fault(&self) -> bool {
        matches!(
            self,
            Self::InvalidMessage { .. } | Self::SessionNotFound | Self::StreamNotFound
        )
    }
}

/// Why a stream ended without its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The model broke off after it had begun to answer.
    Interrupted,
    /// It took longer than [`crate::Config::stream_limit`].
    Timeout,
    /// Nobody read the stream any more.
    Cancelled,
    /// The session was deleted meanwhile.
    SessionDeleted,
    /// The process is ending.
    ShuttingDown,
    /// A defect of ours.
    Internal,
}

impl Failure {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Interrupted => "upstream_interrupted",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::SessionDeleted => "session_deleted",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal_error",
        }
    }

    /// What the ERP's user reads.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Interrupted => {
                "La respuesta se interrumpió. Intente de nuevo; lo recibido puede estar incompleto."
            }
            Self::Timeout => {
                "La respuesta tardó demasiado. Intente de nuevo con una pregunta más breve."
            }
            Self::Cancelled => "La respuesta se canceló porque nadie la estaba leyendo.",
            Self::SessionDeleted => "La sesión fue borrada mientras se respondía.",
            Self::ShuttingDown => {
                "El servicio se está reiniciando. Intente de nuevo en un momento."
            }
            Self::Internal => "El servicio tuvo un error interno. Intente de nuevo.",
        }
    }
}
