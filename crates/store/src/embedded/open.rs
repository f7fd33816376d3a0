//! Opens a home of the embedded engine, and says clearly why it can't.

use std::error::Error as StdError;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::{fmt, panic};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, TableError};

use super::fault::Fault;
use super::tables::{FORMAT, FORMAT_NAME, Limits, META, Tables};

/// Most memory for pages of an engine that lies in memory anyway.
const MEMORY_CACHE_BYTES: usize = 1024 * 1024;

/// Why an embedded store could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpenErrorKind {
    /// Another process (or another store of this one) has the file open.
    Locked,
    /// The file is damaged, or is no store at all.
    Corrupt,
    /// The file is a store of an older or newer format than this version reads.
    Format,
    /// The operating system doesn't let this user read and write the file or make its folder.
    Permission,
    /// The path can't hold a file: it is a folder, or something in it is a file.
    Path,
    /// No room left where the file lies.
    DiskFull,
    /// The disk failed in another way.
    Disk,
    /// The system gave no thread for the writer.
    Thread,
}

/// An embedded store that could not be opened.
#[derive(Debug)]
pub struct OpenError {
    kind: OpenErrorKind,
    path: Option<PathBuf>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl OpenError {
    pub(super) fn new(
        kind: OpenErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            path: None,
            source: Some(source.into()),
        }
    }

    /// Why, as a thing to decide by.
    #[must_use]
    pub fn kind(&self) -> OpenErrorKind {
        self.kind
    }

    /// The file that was to be opened; none for a store in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    fn at(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            OpenErrorKind::Locked => "in use by another process",
            OpenErrorKind::Corrupt => "damaged, or not a store",
            OpenErrorKind::Format => "of a format that this version doesn't read",
            OpenErrorKind::Permission => "not permitted to this user",
            OpenErrorKind::Path => "at a path that can't hold a file",
            OpenErrorKind::DiskFull => "on a full disk",
            OpenErrorKind::Disk => "on a disk that failed",
            OpenErrorKind::Thread => "without a thread to write it",
        };
        match &self.path {
            Some(path) => write!(f, "open store {}: it is {what}", path.display()),
            None => write!(f, "open store in memory: it is {what}"),
        }
    }
}

impl StdError for OpenError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn StdError + 'static))
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as E;
        let kind = match error.kind() {
            E::PermissionDenied | E::ReadOnlyFilesystem => OpenErrorKind::Permission,
            E::IsADirectory
            | E::NotADirectory
            | E::AlreadyExists
            | E::NotFound
            | E::InvalidInput
            | E::InvalidFilename => OpenErrorKind::Path,
            E::StorageFull | E::QuotaExceeded | E::FileTooLarge => OpenErrorKind::DiskFull,
            E::InvalidData | E::UnexpectedEof => OpenErrorKind::Corrupt,
            _ => OpenErrorKind::Disk,
        };
        Self::new(kind, error)
    }
}

impl From<DatabaseError> for OpenError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                Self::new(OpenErrorKind::Locked, error)
            }
            DatabaseError::UpgradeRequired(_) => Self::new(OpenErrorKind::Format, error),
            DatabaseError::Storage(redb::StorageError::Io(error)) => error.into(),
            DatabaseError::Storage(redb::StorageError::Corrupted(_))
            | DatabaseError::RepairAborted => Self::new(OpenErrorKind::Corrupt, error),
            other => Self::new(OpenErrorKind::Disk, other),
        }
    }
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        let kind = match fault.kind {
            crate::ErrorKind::Corrupt => OpenErrorKind::Corrupt,
            crate::ErrorKind::Full => OpenErrorKind::DiskFull,
            _ => OpenErrorKind::Disk,
        };
        Self::new(kind, fault.source)
    }
}

/// Opens the file, with its folder (mode 0700) and itself (mode 0600) made where missing. Walks
/// the whole file if the last process that had it was killed. Blocks.
pub(super) fn open_file(path: &Path, cache_bytes: usize) -> Result<Database, OpenError> {
    // redb trusts the pages of a file that was closed well, and may panic on damaged ones.
    panic::catch_unwind(|| {
        make_parent(path)?;
        let backend = FileBackend::new(open_private(path)?)?;
        open_backend(backend, cache_bytes)
    })
    .unwrap_or_else(|_| {
        Err(OpenError::new(
            OpenErrorKind::Corrupt,
            "its pages make no sense",
        ))
    })
    .map_err(|error| error.at(path))
}

/// An engine that dies with the process.
pub(super) fn open_memory() -> Result<Database, OpenError> {
    open_backend(InMemoryBackend::new(), MEMORY_CACHE_BYTES)
}

/// Opens what `backend` holds, and makes sure that it is ours.
pub(super) fn open_backend(
    backend: impl StorageBackend,
    cache_bytes: usize,
) -> Result<Database, OpenError> {
    let database = Builder::new()
        .set_cache_size(cache_bytes)
        .create_with_backend(backend)?;
    match stored_format(&database)? {
        Some(FORMAT) => {}
        Some(other) => {
            return Err(OpenError::new(
                OpenErrorKind::Format,
                format!("the store's format is {other}, this version reads {FORMAT}"),
            ));
        }
        None => initialise(&database)?,
    }
    Ok(database)
}

/// The format that a file says it has; none if it is new.
fn stored_format(database: &Database) -> Result<Option<u64>, OpenError> {
    let transaction = database.begin_read().map_err(Fault::from)?;
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error @ TableError::TableTypeMismatch { .. }) => {
            return Err(OpenError::new(OpenErrorKind::Format, error));
        }
        Err(error) => return Err(Fault::from(error).into()),
    };
    let format = meta.get(FORMAT_NAME).map_err(Fault::from)?;
    // A table of this name without the number is somebody else's.
    Ok(Some(format.map_or(0, |number| number.value())))
}

/// Makes the tables, so that a reader finds them.
fn initialise(database: &Database) -> Result<(), OpenError> {
    let transaction = database.begin_write().map_err(Fault::from)?;
    let none = Limits {
        max_bytes: 0,
        max_set_members: 0,
    };
    let mut tables = Tables::open(&transaction, none, 0)?;
    tables.stamp()?;
    tables.finish()?;
    transaction.commit().map_err(Fault::from)?;
    Ok(())
}

fn make_parent(path: &Path) -> io::Result<()> {
    let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    else {
        return Ok(());
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(parent)
}

/// Opens the file for reading and writing; a new one is this user's alone.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
