//! Why a JSON text isn't what is asked for.

use std::fmt;

use dte::ShapeError;

/// Why a JSON text can't be read as an invoice, as orders or as a project question. Always the
/// sender's fault; asking again with the same text never helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    kind: InputErrorKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputErrorKind {
    /// It is no JSON.
    Syntax,
    /// It hasn't the contract's shape; holds every place where it hasn't, at most a hundred.
    Shape(Vec<ShapeError>),
}

impl InputError {
    pub(crate) const fn new(kind: InputErrorKind) -> Self {
        Self { kind }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &InputErrorKind {
        &self.kind
    }

    /// The places that are wrong, in Spanish, from the value that was read on.
    #[must_use]
    pub fn shape_errors(&self) -> &[ShapeError] {
        match &self.kind {
            InputErrorKind::Syntax => &[],
            InputErrorKind::Shape(errors) => errors,
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            InputErrorKind::Syntax => f.write_str("read input: not JSON"),
            InputErrorKind::Shape(errors) => {
                write!(f, "read input: wrong shape in {} places", errors.len())
            }
        }
    }
}

impl std::error::Error for InputError {}
