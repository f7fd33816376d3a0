//! Why a page isn't the month's indicators.

use thiserror::Error;

use super::prueba::Fallo;
use crate::indicadores::Campo;
use crate::periodo::Periodo;

/// Why a source's bytes aren't taken as a month's indicators. The source's fault; the same bytes
/// fail again, but another fetch may give others.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("read indicators ({kind})")]
pub struct PreviredError {
    kind: PreviredErrorKind,
}

/// What is wrong with a page.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PreviredErrorKind {
    /// There is nothing in it.
    #[error("empty")]
    Empty,
    /// It is larger than [`MAX_BYTES`](super::MAX_BYTES).
    #[error("too large: {bytes} bytes")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// It is no text: a PDF, an image. A PDF's text must be taken out first.
    #[error("no text")]
    NotText,
    /// It is JSON that can't be read.
    #[error("no valid JSON")]
    Json,
    /// It says of no month that it is for it.
    #[error("no month in it")]
    NoMonth,
    /// It is for another month.
    #[error("it is for {found}, not {asked}")]
    OtherMonth {
        /// The month that it is for.
        found: Periodo,
        /// The month that was asked for.
        asked: Periodo,
    },
    /// Its shape has changed: the labels or keys that are known aren't there.
    #[error("the shape has changed: only {known} known figures")]
    ShapeDrift {
        /// How many figures were found.
        known: usize,
    },
    /// A figure is there twice, with different values.
    #[error("two values of {}", .0.nombre())]
    Conflict(Campo),
    /// The columns of a row don't belong together: one was added, removed or moved.
    #[error("the columns of {} have moved", .0.nombre())]
    ColumnShift(Campo),
    /// A figure can't be read as a number, or is none that is possible.
    #[error("{} is no possible figure", .0.nombre())]
    Figure(Campo),
    /// It was read, but the figures can't be those of the month; holds every check that failed.
    #[error("implausible: {}", nombres(.0))]
    Implausible(Vec<Fallo>),
}

fn nombres(fallos: &[Fallo]) -> String {
    let nombres: Vec<&str> = fallos.iter().map(|fallo| fallo.prueba.nombre()).collect();
    nombres.join(", ")
}

impl PreviredError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &PreviredErrorKind {
        &self.kind
    }

    /// A stable code in English, for a machine.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.kind {
            PreviredErrorKind::Empty => "empty_source",
            PreviredErrorKind::TooLarge { .. } => "source_too_large",
            PreviredErrorKind::NotText => "source_not_text",
            PreviredErrorKind::Json => "source_not_json",
            PreviredErrorKind::NoMonth => "source_without_month",
            PreviredErrorKind::OtherMonth { .. } => "other_month",
            PreviredErrorKind::ShapeDrift { .. } => "shape_drift",
            PreviredErrorKind::Conflict(_) => "conflicting_figures",
            PreviredErrorKind::ColumnShift(_) => "column_shift",
            PreviredErrorKind::Figure(_) => "impossible_figure",
            PreviredErrorKind::Implausible(_) => "implausible_figures",
        }
    }

    /// Whether a model that reads the same text may do better: the text is there, but the
    /// reader doesn't know its labels.
    #[must_use]
    pub const fn may_be_extracted(&self) -> bool {
        matches!(
            self.kind,
            PreviredErrorKind::ShapeDrift { .. }
                | PreviredErrorKind::NoMonth
                | PreviredErrorKind::ColumnShift(_)
                | PreviredErrorKind::Conflict(_)
                | PreviredErrorKind::Figure(_)
        )
    }
}

impl From<PreviredErrorKind> for PreviredError {
    fn from(kind: PreviredErrorKind) -> Self {
        Self { kind }
    }
}
