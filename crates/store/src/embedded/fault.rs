//! Tells a failure of one operation from a failure of the engine under it.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use crate::{ErrorKind, StoreError};

/// Why an operation didn't happen.
#[derive(Debug)]
pub(super) enum Failure {
    /// Only this operation, which has changed nothing.
    Operation(StoreError),
    /// The transaction it ran in, with everything else in it.
    Engine(Fault),
}

/// A failure of the engine, shared by all the operations that it spoiled.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) kind: ErrorKind,
    pub(super) source: Arc<dyn StdError + Send + Sync>,
}

impl Fault {
    pub(super) fn new(kind: ErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Arc::from(source.into()),
        }
    }

    /// The engine has been closed, or could not be opened again.
    pub(super) fn closed() -> Self {
        Self::new(ErrorKind::Unavailable, "the engine is closed")
    }

    /// What the caller of one operation sees of it.
    pub(super) fn to_error(&self, context: &'static str) -> StoreError {
        StoreError::with_source(self.kind, context, Arc::clone(&self.source))
    }
}

impl Failure {
    pub(super) fn into_error(self, context: &'static str) -> StoreError {
        match self {
            Self::Operation(error) => error,
            Self::Engine(fault) => fault.to_error(context),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Operation(error)
    }
}

impl<E: Into<Fault>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

impl From<redb::StorageError> for Fault {
    fn from(error: redb::StorageError) -> Self {
        use redb::StorageError as E;
        let kind = match &error {
            E::Corrupted(_) => ErrorKind::Corrupt,
            E::Io(source) => io_kind(source.kind()),
            E::PreviousIo | E::DatabaseClosed => ErrorKind::Unavailable,
            _ => ErrorKind::Engine,
        };
        Self::new(kind, error)
    }
}

/// What an error of the operating system means to a caller of the store.
fn io_kind(kind: io::ErrorKind) -> ErrorKind {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ErrorKind::Full
        }
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => ErrorKind::Corrupt,
        _ => ErrorKind::Engine,
    }
}

impl From<redb::TableError> for Fault {
    fn from(error: redb::TableError) -> Self {
        match error {
            redb::TableError::Storage(error) => error.into(),
            // The file has other tables than this engine makes.
            other => Self::new(ErrorKind::Corrupt, other),
        }
    }
}

impl From<redb::TransactionError> for Fault {
    fn from(error: redb::TransactionError) -> Self {
        match error {
            redb::TransactionError::Storage(error) => error.into(),
            other => Self::new(ErrorKind::Engine, other.to_string()),
        }
    }
}

impl From<redb::CommitError> for Fault {
    fn from(error: redb::CommitError) -> Self {
        match error {
            redb::CommitError::Storage(error) => error.into(),
            other => Self::new(ErrorKind::Engine, other),
        }
    }
}
