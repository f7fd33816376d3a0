//! Why a document couldn't be fetched.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// Why a document couldn't be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("failed to fetch ({kind})")]
pub struct FetchError {
    kind: FetchErrorKind,
    retry_after: Option<Duration>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The address is none that is fetched: not http or https, or with a password in it.
    #[error("not an address to fetch")]
    Address,
    /// The host is, or resolves to, an address that isn't public.
    #[error("not a public address")]
    PrivateAddress,
    /// robots.txt asks to stay away.
    #[error("refused by robots.txt")]
    Robots,
    /// robots.txt can't be had for now, which means the same.
    #[error("robots.txt unavailable")]
    RobotsUnavailable,
    /// No connection, or one that broke.
    #[error("unreachable")]
    Unreachable,
    /// It took too long.
    #[error("over the time limit: {0}")]
    Timeout(Limit),
    /// It is larger than is read.
    #[error("over the size limit")]
    TooLarge,
    /// What it is packed with is unknown or broken.
    #[error("not decodable")]
    Encoding,
    /// One redirect too many, or one that leads nowhere.
    #[error("redirects without end")]
    Redirects,
    /// It isn't there (404, 410).
    #[error("not found")]
    NotFound,
    /// The server asks for patience (429).
    #[error("too many requests")]
    Busy,
    /// The server failed (5xx).
    #[error("status {0}")]
    Server(u16),
    /// The server doesn't want to (any other status).
    #[error("status {0}")]
    Refused(u16),
}

/// A limit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// To connect and get the answer's head.
    FirstByte,
    /// Between two pieces of the body.
    Idle,
    /// One attempt from its beginning to its end.
    Whole,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstByte => "first byte",
            Self::Idle => "between pieces",
            Self::Whole => "whole",
        })
    }
}

impl FetchError {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: FetchErrorKind) -> Self {
        Self {
            kind,
            retry_after: None,
        }
    }

    /// The same, with the wait that the server asked for.
    #[must_use]
    pub const fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> FetchErrorKind {
        self.kind
    }

    /// How long the server asked to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            FetchErrorKind::Unreachable
                | FetchErrorKind::Timeout(Limit::FirstByte | Limit::Idle)
                | FetchErrorKind::Busy
                | FetchErrorKind::Server(_)
        )
    }
}

impl FetchErrorKind {
    /// What an operator reads.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::Address => "la dirección no es http ni https".to_owned(),
            Self::PrivateAddress => {
                "la dirección lleva a una red privada y no se consulta".to_owned()
            }
            Self::Robots => "robots.txt del sitio pide no consultarla".to_owned(),
            Self::RobotsUnavailable => "robots.txt del sitio no se puede leer por ahora".to_owned(),
            Self::Unreachable => "no hubo conexión, o se cortó".to_owned(),
            Self::Timeout(Limit::FirstByte) => "el sitio no respondió a tiempo".to_owned(),
            Self::Timeout(Limit::Idle) => "el sitio dejó de enviar datos".to_owned(),
            Self::Timeout(Limit::Whole) => "la descarga no terminó a tiempo".to_owned(),
            Self::TooLarge => "el documento supera el tamaño máximo".to_owned(),
            Self::Encoding => "el contenido comprimido no se puede leer".to_owned(),
            Self::Redirects => "demasiadas redirecciones".to_owned(),
            Self::NotFound => "la página no existe en esa dirección".to_owned(),
            Self::Busy => "el sitio pide esperar".to_owned(),
            Self::Server(status) => format!("el sitio falló (estado {status})"),
            Self::Refused(status) => format!("el sitio no la entrega (estado {status})"),
        }
    }

    /// The stable English word for metrics and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "bad_address",
            Self::PrivateAddress => "private_address",
            Self::Robots => "robots",
            Self::RobotsUnavailable => "robots_unavailable",
            Self::Unreachable => "unreachable",
            Self::Timeout(_) => "timeout",
            Self::TooLarge => "too_large",
            Self::Encoding => "encoding",
            Self::Redirects => "redirects",
            Self::NotFound => "not_found",
            Self::Busy => "busy",
            Self::Server(_) => "server_error",
            Self::Refused(_) => "refused",
        }
    }
}
