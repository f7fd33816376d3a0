//! What a reader noticed: how a document came, and which of its values it couldn't read.

use super::estructura::{Desajuste, Falla};
use crate::codificacion::Codificacion;

/// The most notes of one kind that are kept for a document. A file of garbage makes no
/// report that is larger than the file.
pub(crate) const MAX_NOTAS: usize = 100;

/// How the document came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lectura {
    /// XML or JSON: decides how findings name a field.
    pub formato: Formato,
    /// What stands before the document in a path, e.g. `DTE[2]/`; empty for a lone one.
    pub prefijo: String,
    /// The encoding of the XML, declared and real.
    pub codificacion: Option<Codificacion>,
    /// Whether a stamp (`TED`) is there.
    pub con_ted: bool,
    /// Values that can't be read as their type (at most 100).
    pub ilegibles: Vec<Ilegible>,
    /// Elements that the format doesn't have where they stand (at most 100).
    pub extranos: Vec<Extrano>,
    /// Values that the JSON reader understood but that were written otherwise (at most 100).
    pub ajustes: Vec<Ajuste>,
    /// Elements that aren't as the tables of the format have them (at most 100).
    pub desajustes: Vec<Desajuste>,
}

/// The format that a document was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Formato {
    /// The tax service's XML.
    #[default]
    Xml,
    /// The `dte_data` object of the HTTP contract.
    Json,
}

/// A value that can't be read as its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ilegible {
    /// Where it is.
    pub ruta: String,
    /// What is written there, cut at 80 characters.
    pub texto: String,
    /// The form that is expected, in Spanish, e.g. `una fecha AAAA-MM-DD`.
    pub esperado: &'static str,
}

/// An element that the format doesn't have where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extrano {
    /// Where it is, the element's own name last.
    pub ruta: String,
    /// Why it is strange.
    pub motivo: Motivo,
}

/// Why an element is strange. In each case what it holds was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motivo {
    /// The format has no element of this name, as far as the rules know it.
    Desconocido,
    /// The format has it elsewhere.
    FueraDeLugar,
    /// The format has it here once, and it is the second one or a later one.
    Repetido,
}

/// A value that was understood although it is written otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ajuste {
    /// Where it is.
    pub ruta: String,
    /// What is written there, cut at 80 characters.
    pub texto: String,
    /// What it was read as.
    pub leido: String,
}

/// The path is asked for only where the note is kept: in a file of garbage, finding the
/// place of every defect among its brothers would take the square of their number.
impl Lectura {
    pub(crate) fn ilegible(
        &mut self,
        ruta: impl FnOnce(&Self) -> String,
        texto: &str,
        esperado: &'static str,
    ) {
        if self.ilegibles.len() < MAX_NOTAS {
            let (ruta, texto) = (ruta(self), recortado(texto));
            self.ilegibles.push(Ilegible {
                ruta,
                texto,
                esperado,
            });
        }
    }

    pub(crate) fn extrano(&mut self, ruta: impl FnOnce(&Self) -> String, motivo: Motivo) {
        if self.extranos.len() < MAX_NOTAS {
            let ruta = ruta(self);
            self.extranos.push(Extrano { ruta, motivo });
        }
    }

    pub(crate) fn desajuste(&mut self, ruta: impl FnOnce(&Self) -> String, falla: Falla) {
        if self.desajustes.len() < MAX_NOTAS {
            let ruta = ruta(self);
            self.desajustes.push(Desajuste { ruta, falla });
        }
    }

    pub(crate) fn ajuste(
        &mut self,
        ruta: impl FnOnce(&Self) -> String,
        texto: &str,
        leido: String,
    ) {
        if self.ajustes.len() < MAX_NOTAS {
            let (ruta, texto) = (ruta(self), recortado(texto));
            self.ajustes.push(Ajuste { ruta, texto, leido });
        }
    }
}

/// At most 80 characters of a text from outside, on one line.
pub(crate) fn recortado(texto: &str) -> String {
    const MAX: usize = 80;
    let mut corto: String = texto
        .chars()
        .take(MAX)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if texto.chars().nth(MAX).is_some() {
        corto.push('…');
    }
    corto
}
