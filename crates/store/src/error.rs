//! What can go wrong, whose fault it is, and whether asking again can help.

use std::error::Error as StdError;
use std::fmt;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The engine can't be reached or has been closed.
    Unavailable,
    /// No answer within the time given.
    Timeout,
    /// No room: the bound on size, the disk, or the queue of writes.
    Full,
    /// The key holds another kind of thing.
    WrongKind,
    /// The caller's argument is outside its domain (key, value or lifetime).
    InvalidArgument,
    /// What is stored can't be read back as what it should be.
    Corrupt,
    /// The engine failed in a way that none of the others names.
    Engine,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The code that called.
    Caller,
    /// The engine or what it stands on.
    Engine,
}

/// A failed operation of a store.
#[derive(Debug)]
pub struct StoreError {
    kind: ErrorKind,
    context: &'static str,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error of `kind`; `context` is a lower-case fragment that says what was tried.
    #[must_use]
    pub fn new(kind: ErrorKind, context: &'static str) -> Self {
        Self {
            kind,
            context,
            source: None,
        }
    }

    /// The same, caused by `source`.
    #[must_use]
    pub fn with_source(
        kind: ErrorKind,
        context: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            context,
            source: Some(source.into()),
        }
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::WrongKind | ErrorKind::InvalidArgument => Fault::Caller,
            _ => Fault::Engine,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Full
        )
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ErrorKind::Unavailable => "store unavailable",
            ErrorKind::Timeout => "store timed out",
            ErrorKind::Full => "store full",
            ErrorKind::WrongKind => "key holds another kind of value",
            ErrorKind::InvalidArgument => "invalid argument",
            ErrorKind::Corrupt => "stored data corrupt",
            ErrorKind::Engine => "store engine failed",
        };
        write!(f, "{} ({what})", self.context)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn StdError + 'static))
    }
}
