//! What can go wrong, with the file and line of it.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A defect in one file of a knowledge folder: whoever wrote the file can mend it, except for
/// [`LoadErrorKind::Io`].
#[derive(Debug)]
pub struct LoadError {
    file: PathBuf,
    line: Option<u32>,
    kind: LoadErrorKind,
}

/// What is wrong with a file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// It couldn't be read.
    #[error("read: {0}")]
    Io(#[source] std::io::Error),
    /// It isn't UTF-8.
    #[error("the text isn't UTF-8")]
    NotUtf8,
    /// It is larger than [`Config::max_file_bytes`](crate::Config::max_file_bytes).
    #[error("{bytes} bytes, over the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The folder holds more files than [`Config::max_documents`](crate::Config::max_documents),
    /// or is nested too deep.
    #[error("too many files, or folders too deep")]
    TooMany,
    /// A Markdown file doesn't begin with `---`, or the front matter doesn't end.
    #[error("no front matter between two lines of ---")]
    NoFrontMatter,
    /// The front matter is no YAML of the fields that a document has.
    #[error("front matter: {0}")]
    FrontMatter(String),
    /// The document breaks a rule of its own.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A line of the synonyms has no meaning.
    #[error("synonyms: {0}")]
    Synonyms(&'static str),
    /// A module's file is no TOML of the fields that a module has.
    #[error("module: {0}")]
    Module(String),
}

impl LoadError {
    pub(crate) fn new(file: &Path, line: Option<u32>, kind: LoadErrorKind) -> Self {
        let file = file.to_path_buf();
        Self { file, line, kind }
    }

    /// The file, as it was found.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line, from 1, where it is known.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &LoadErrorKind {
        &self.kind
    }

    /// Whether the same file may be read later without anybody changing it.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(self.kind, LoadErrorKind::Io(_))
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(out, ":{line}")?;
        }
        write!(out, ": {}", self.kind)
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.kind)
    }
}

/// A document that can't be taken in: the caller's mistake, never worth a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The id is empty, longer than 200 bytes, or has a `#` or a control character in it.
    #[error("the id {0:?} is empty, too long, or has # or control characters")]
    Id(String),
    /// A field that must say something is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A field is longer than it may be.
    #[error("{field} has {bytes} bytes, over the limit of {limit}")]
    TooLong {
        /// Which.
        field: &'static str,
        /// Its size in UTF-8.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// `url` is neither `http://` nor `https://`.
    #[error("the url {0:?} isn't http or https")]
    Url(String),
    /// It ends before it begins to be valid.
    #[error("valid_to is before valid_from")]
    Validity,
    /// Two documents have one id.
    #[error("the id {0:?} is there twice")]
    Duplicate(String),
}

/// A failed operation of a [`KnowledgeBase`](crate::KnowledgeBase).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KnowledgeError {
    /// Files of the folder are wrong; all of them, not only the first.
    #[error("{} file(s) can't be used; the first: {}", .0.len(), first(.0))]
    Load(Vec<LoadError>),
    /// A document given by the caller is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// No room: more documents, passages or text than the configuration allows.
    #[error("{what}: {count} is over the limit of {limit}")]
    Capacity {
        /// Of what.
        what: &'static str,
        /// How many there would be.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// This knowledge base has no folder to reload.
    #[error("there is no folder to reload")]
    NoFolder,
    /// The runtime is shutting down, or the work was lost to a defect of ours.
    #[error("the work off the runtime didn't end")]
    Interrupted,
}

impl KnowledgeError {
    /// Whether the same call may succeed later as it is.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Load(errors) => errors.iter().any(LoadError::retryable),
            Self::Interrupted => true,
            Self::Document(_) | Self::Capacity { .. } | Self::NoFolder => false,
        }
    }
}

fn first(errors: &[LoadError]) -> String {
    errors.first().map(LoadError::to_string).unwrap_or_default()
}
