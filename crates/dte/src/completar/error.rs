//! Why a document can't be completed.

use std::fmt;

use jiff::civil::Date;

use crate::context::Context;
use crate::model::Documento;
use crate::rules::caso::Caso;

/// Why a document can't be completed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletarError {
    path: String,
    kind: CompletarErrorKind,
}

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompletarErrorKind {
    /// Something that is calculated with is missing.
    Falta,
    /// Something that is calculated with can't be read.
    Ilegible,
    /// The type is none that exists.
    TipoDesconocido,
    /// The tax has no usual rate and the document gives none, or it isn't in the table.
    ImpuestoSinTasa {
        /// The tax's code.
        codigo: i64,
    },
    /// More digits than can be calculated exactly.
    Desborde,
}

impl CompletarError {
    pub(super) fn new(documento: &Documento, campo: &str, kind: CompletarErrorKind) -> Self {
        Self {
            path: con_caso(documento, |caso| caso.ruta(campo)),
            kind,
        }
    }

    pub(super) fn en(
        documento: &Documento,
        seccion: &str,
        (indice, campo): (usize, &str),
        kind: CompletarErrorKind,
    ) -> Self {
        Self {
            path: con_caso(documento, |caso| caso.ruta_de(seccion, indice, campo)),
            kind,
        }
    }

    /// The field, in the words of the input.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands in the way.
    #[must_use]
    pub const fn kind(&self) -> CompletarErrorKind {
        self.kind
    }

    /// What a person should do, in Spanish.
    #[must_use]
    pub fn user_message(&self) -> String {
        let path = &self.path;
        match self.kind {
            CompletarErrorKind::Falta => format!("Falta {path}, necesario para calcular."),
            CompletarErrorKind::Ilegible => {
                format!("No se puede leer {path}, necesario para calcular.")
            }
            CompletarErrorKind::TipoDesconocido => {
                format!("{path} no es de un documento tributario electrónico.")
            }
            CompletarErrorKind::ImpuestoSinTasa { codigo } => format!(
                "El impuesto {codigo} no tiene una tasa fija: indique su monto en ImptoReten ({path})."
            ),
            CompletarErrorKind::Desborde => {
                format!("Las cifras de {path} son demasiado grandes para calcularlas.")
            }
        }
    }
}

impl fmt::Display for CompletarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match self.kind {
            CompletarErrorKind::Falta => write!(f, "{path} is missing"),
            CompletarErrorKind::Ilegible => write!(f, "{path} can't be read"),
            CompletarErrorKind::TipoDesconocido => write!(f, "{path} is no known type"),
            CompletarErrorKind::ImpuestoSinTasa { codigo } => {
                write!(f, "tax {codigo} at {path} has no known rate")
            }
            CompletarErrorKind::Desborde => write!(f, "{path} is too large"),
        }
    }
}

impl std::error::Error for CompletarError {}

/// Paths and currency are a case's to tell; no day matters to either.
pub(super) fn con_caso<T>(documento: &Documento, f: impl FnOnce(&Caso<'_>) -> T) -> T {
    f(&Caso::nuevo(documento, &Context::emission(Date::ZERO)))
}
