//! A document whose stamp and signature are being verified, and what was found so far.

use jiff::civil::Date;

use super::arbol::{Arbol, Id};
use super::confianza::Trust;
use crate::context::Context;
use crate::model::Documento;
use crate::report::{Code, Finding};
use findings::Severity;

pub(super) struct Caso<'a> {
    pub arbol: &'a Arbol<'a>,
    /// The document's body: `Documento`, `Exportaciones` or `Liquidacion`.
    pub cuerpo: Id,
    pub documento: &'a Documento,
    pub trust: &'a Trust,
    pub context: &'a Context<'a>,
    /// The day of the stamp, once it was read.
    pub timbrado: Option<Date>,
    pub findings: Vec<Finding>,
}

impl Caso<'_> {
    /// The path of something below the document's body.
    pub fn ruta(&self, bajo: &str) -> String {
        let (prefijo, clase) = (&self.documento.lectura.prefijo, self.documento.clase);
        format!("{prefijo}{}/{bajo}", clase.elemento())
    }

    pub fn hallazgo(&mut self, code: &Code, bajo: &str, message: String) {
        self.hallazgo_como(code, code.severity, bajo, message);
    }

    pub fn hallazgo_como(&mut self, code: &Code, severity: Severity, bajo: &str, message: String) {
        let path = self.ruta(bajo);
        self.findings.push(hallazgo(code, severity, path, message));
    }
}

/// A finding without figures.
pub(super) fn hallazgo(code: &Code, severity: Severity, path: String, message: String) -> Finding {
    Finding {
        code: code.code,
        severity,
        message,
        path,
        expected: None,
        actual: None,
        difference: None,
        sii_code: code.sii_code,
    }
}
