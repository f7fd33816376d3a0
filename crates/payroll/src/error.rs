//! What the reader of payslips refuses, and how to say it to a person.

use findings::ShapeError;
use thiserror::Error;

/// Why a text is no payslip that can be read.
///
/// It is always the sender's fault and asking again with the same input never helps.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("read payslip ({})", .kind.code())]
pub struct ReadError {
    kind: ReadErrorKind,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// It is larger than [`MAX_JSON_BYTES`](crate::MAX_JSON_BYTES).
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// It is no JSON.
    Syntax {
        /// The line where it was noticed, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is JSON, but not of the contract's shape; holds every place where it isn't.
    Shape(Vec<ShapeError>),
}

impl ReadErrorKind {
    const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "payslip_too_large",
            Self::Syntax { .. } => "not_json",
            Self::Shape(_) => "invalid_shape",
        }
    }
}

impl ReadError {
    pub(crate) const fn new(kind: ReadErrorKind) -> Self {
        Self { kind }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// A stable code in English, for a machine.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The places where the body hasn't the contract's shape; empty for other kinds.
    #[must_use]
    pub fn shape_errors(&self) -> &[ShapeError] {
        match &self.kind {
            ReadErrorKind::Shape(errors) => errors,
            _ => &[],
        }
    }

    /// One plain Spanish sentence for the ERP's user.
    #[must_use]
    pub fn user_message(&self) -> String {
        match &self.kind {
            ReadErrorKind::TooLarge { bytes, limit } => {
                format!("La liquidación tiene {bytes} bytes y el máximo es {limit}.")
            }
            ReadErrorKind::Syntax { line, column } => {
                format!("La liquidación no es un JSON válido (línea {line}, columna {column}).")
            }
            ReadErrorKind::Shape(errors) => match errors.as_slice() {
                [uno] => uno.msg.clone(),
                varios => format!(
                    "La liquidación tiene {} datos que faltan o no tienen la forma esperada.",
                    varios.len()
                ),
            },
        }
    }
}
