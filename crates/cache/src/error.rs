//! What can go wrong: with an input that a key is made of, with a call, with a configuration.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Why an input can't be made into a key.
///
/// It is always the caller's input, and asking again with the same input never helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyError {
    kind: KeyErrorKind,
    offset: usize,
}

/// What is wrong with the input of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// Not JSON as RFC 8259 has it; a lone surrogate in an escape counts as that.
    Syntax,
    /// An object has two members of one name: readers disagree on which one counts.
    DuplicateMember,
    /// Arrays and objects are nested deeper than [`crate::MAX_JSON_DEPTH`].
    TooDeep,
    /// The text is longer than [`crate::MAX_JSON_BYTES`].
    TooLarge,
    /// A number other than zero whose exponent, as an integer times a power of ten without
    /// zeros at its end, is beyond 64 bits.
    NumberRange,
}

impl KeyError {
    pub(crate) fn new(kind: KeyErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }

    /// Where, in bytes from the beginning of the JSON text; for a member that is there twice,
    /// the end of its object.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            KeyErrorKind::Syntax => "malformed JSON",
            KeyErrorKind::DuplicateMember => "an object has two members of one name",
            KeyErrorKind::TooDeep => "JSON nested too deep",
            KeyErrorKind::TooLarge => "JSON text too long",
            KeyErrorKind::NumberRange => "a number's exponent is out of range",
        };
        write!(
            f,
            "derive a cache key ({what}, offset {offset})",
            offset = self.offset
        )
    }
}

impl StdError for KeyError {}

/// Why a call got no answer. Shared by every caller that waited for one computation.
#[non_exhaustive]
pub enum CacheError<E> {
    /// The computation itself failed. The error is shared and never stored.
    Compute(Arc<E>),
    /// The caller's time ([`crate::Policy::wait`]) was over first. The computation goes on
    /// and its answer is stored, unless it ran in the caller's own task.
    WaitTimeout,
    /// The computation took longer than [`crate::Policy::compute_limit`] and was dropped.
    ComputeTimeout,
    /// The computation panicked. The key is free again.
    Panicked,
    /// The computation's task was ended from outside, as by the runtime's shutdown.
    Lost,
    /// The computation failed in another replica, which says that asking again can't help
    /// (its [`crate::Sharing::Everywhere`] code), or failed in two others (no code).
    Elsewhere(Option<u16>),
    /// The reader of a stream lies so far behind that what comes next is no longer there.
    Lagged,
}

/// Whose fault a failed call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The computation failed, panicked or was too slow.
    Computation,
    /// The process is ending.
    Process,
    /// Whoever called: it didn't read in time.
    Caller,
}

impl<E> CacheError<E> {
    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Lost => Fault::Process,
            Self::Lagged => Fault::Caller,
            _ => Fault::Computation,
        }
    }

    /// Whether the same call may succeed later. For [`CacheError::Compute`] the error within
    /// knows better; here the answer is no.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::WaitTimeout | Self::ComputeTimeout | Self::Lost | Self::Elsewhere(None)
        )
    }

    /// The computation's own error, if that is what failed.
    #[must_use]
    pub fn compute_error(&self) -> Option<&E> {
        match self {
            Self::Compute(error) => Some(error),
            _ => None,
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Compute(_) => "compute the answer",
            Self::WaitTimeout => "get the answer (the caller's time is over)",
            Self::ComputeTimeout => "compute the answer (it took too long)",
            Self::Panicked => "compute the answer (the computation panicked)",
            Self::Lost => "compute the answer (its task was ended)",
            Self::Elsewhere(_) => "compute the answer (it failed in another replica)",
            Self::Lagged => "read the stream (it was read too slowly)",
        }
    }
}

impl<E> Clone for CacheError<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Compute(error) => Self::Compute(Arc::clone(error)),
            Self::WaitTimeout => Self::WaitTimeout,
            Self::ComputeTimeout => Self::ComputeTimeout,
            Self::Panicked => Self::Panicked,
            Self::Lost => Self::Lost,
            Self::Elsewhere(code) => Self::Elsewhere(*code),
            Self::Lagged => Self::Lagged,
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for CacheError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compute(error) => f.debug_tuple("Compute").field(error).finish(),
            Self::WaitTimeout => f.write_str("WaitTimeout"),
            Self::ComputeTimeout => f.write_str("ComputeTimeout"),
            Self::Panicked => f.write_str("Panicked"),
            Self::Lost => f.write_str("Lost"),
            Self::Elsewhere(code) => f.debug_tuple("Elsewhere").field(code).finish(),
            Self::Lagged => f.write_str("Lagged"),
        }
    }
}

impl<E> fmt::Display for CacheError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl<E: StdError + 'static> StdError for CacheError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.compute_error().map(|error| error as _)
    }
}

/// A configuration value outside its domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use the cache configuration ({field}: {problem})")]
pub struct ConfigError {
    field: &'static str,
    problem: &'static str,
}

impl ConfigError {
    pub(crate) fn new(field: &'static str, problem: &'static str) -> Self {
        Self { field, problem }
    }

    /// The configuration's field.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_the_computation_is_the_source() {
        let inner = Arc::new(KeyError::new(KeyErrorKind::TooDeep, 7));
        let error = CacheError::Compute(Arc::clone(&inner));
        let source = error.clone().source().map(ToString::to_string);
        assert_eq!(source, Some(inner.to_string()));
        assert_eq!(error.to_string(), "compute the answer");
        assert!(!error.is_retryable());
        assert!(CacheError::<KeyError>::WaitTimeout.source().is_none());
    }
}
