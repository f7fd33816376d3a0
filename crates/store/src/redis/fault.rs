//! What a failure of the client or the server means: by kinds and by the code that begins a
//! Redis error reply, which is part of the protocol; never by the text after it.

use fred::error::{Error, ErrorKind as Kind};

use crate::{ErrorKind, Problem, StoreError};

/// A failed command.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ErrorKind,
    /// What is wrong with the server, where something is.
    pub(super) problem: Option<Problem>,
    source: Option<Error>,
}

impl Fault {
    pub(super) fn new(kind: ErrorKind, problem: Problem) -> Self {
        Self {
            kind,
            problem: Some(problem),
            source: None,
        }
    }

    /// The server is well, and refuses what was asked.
    pub(super) fn of_caller(kind: ErrorKind) -> Self {
        Self {
            kind,
            problem: None,
            source: None,
        }
    }

    /// Whether the server has never seen the script.
    pub(super) fn is_unknown_script(&self) -> bool {
        self.source
            .as_ref()
            .is_some_and(|source| code(source) == "NOSCRIPT")
    }

    /// The reply isn't what the command answers.
    pub(super) fn reply() -> Self {
        Self::new(ErrorKind::Corrupt, Problem::Protocol)
    }

    pub(super) fn into_error(self, context: &'static str) -> StoreError {
        match self.source {
            Some(source) => StoreError::with_source(self.kind, context, source),
            None => StoreError::new(self.kind, context),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (kind, problem) = classify(&error);
        Self {
            kind,
            problem,
            source: Some(error),
        }
    }
}

/// The code that begins a server's error reply.
fn code(error: &Error) -> &str {
    error.details().split(' ').next().unwrap_or_default()
}

/// What the failure is to the caller, and what it says of the server.
pub(super) fn classify(error: &Error) -> (ErrorKind, Option<Problem>) {
    use ErrorKind::{Engine, Full, InvalidArgument, Timeout, Unavailable, WrongKind};
    let (kind, problem) = match error.kind() {
        Kind::Timeout => (Timeout, Problem::Unresponsive),
        Kind::Backpressure => (Unavailable, Problem::Unresponsive),
        Kind::Auth => (Unavailable, Problem::WrongPassword),
        Kind::Tls => (Unavailable, Problem::Tls),
        Kind::IO | Kind::Canceled | Kind::Routing | Kind::Sentinel => {
            (Unavailable, Problem::Unreachable)
        }
        _ => match code(error) {
            "WRONGTYPE" => return (WrongKind, None),
            // Told, and sent again with its text.
            "NOSCRIPT" => return (Engine, None),
            "CROSSSLOT" => return (InvalidArgument, None),
            "OOM" => (Full, Problem::Full),
            "READONLY" | "NOREPLICAS" | "MISCONF" => (Unavailable, Problem::ReadOnly),
            "LOADING" | "MASTERDOWN" | "BUSY" => (Unavailable, Problem::Loading),
            "NOAUTH" | "WRONGPASS" => (Unavailable, Problem::WrongPassword),
            "NOPERM" => (Unavailable, Problem::NotPermitted),
            "CLUSTERDOWN" | "MOVED" | "ASK" | "TRYAGAIN" => (Unavailable, Problem::ClusterDown),
            "ERR" => (Engine, Problem::Protocol),
            _ => match error.kind() {
                // Without a code: the client's own, such as too many attempts.
                Kind::Unknown | Kind::Cluster => (Unavailable, Problem::Protocol),
                _ => (Engine, Problem::Protocol),
            },
        },
    };
    (kind, Some(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_apart_by_their_code() {
        for (kind, reply, expected, problem) in [
            (
                Kind::InvalidArgument,
                "WRONGTYPE x",
                ErrorKind::WrongKind,
                None,
            ),
            (Kind::Unknown, "OOM x", ErrorKind::Full, Some(Problem::Full)),
            (
                Kind::Unknown,
                "READONLY x",
                ErrorKind::Unavailable,
                Some(Problem::ReadOnly),
            ),
            (
                Kind::Unknown,
                "NOPERM x",
                ErrorKind::Unavailable,
                Some(Problem::NotPermitted),
            ),
            (
                Kind::Auth,
                "WRONGPASS x",
                ErrorKind::Unavailable,
                Some(Problem::WrongPassword),
            ),
            (
                Kind::Timeout,
                "OOM is only text here",
                ErrorKind::Timeout,
                Some(Problem::Unresponsive),
            ),
            (Kind::Parse, "", ErrorKind::Engine, Some(Problem::Protocol)),
        ] {
            let error = Error::new(kind, reply);
            assert_eq!(classify(&error), (expected, problem), "{reply}");
        }
    }
}
