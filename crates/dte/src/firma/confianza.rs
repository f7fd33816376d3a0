//! What is trusted, and what must be there.

use super::llave::LlavePublica;
use crate::context::Mode;
use findings::Severity;

/// What the caller knows that a file can't prove by itself.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    sii: Vec<(i64, LlavePublica)>,
    ausencia: Option<Severity>,
}

impl Trust {
    /// Nothing: the tax service's signature on a CAF isn't verified, all else is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a public key of the tax service, which signs the CAFs that name this `IDK` (100 in
    /// certification, 300 in production).
    #[must_use]
    pub fn with_sii_key(mut self, idk: i64, llave: LlavePublica) -> Self {
        self.sii.push((idk, llave));
        self
    }

    /// How bad a missing stamp or signature is. Without it: an info in emission, because an
    /// ERP validates before it signs, and a warning in reception.
    #[must_use]
    pub fn with_missing(mut self, severity: Severity) -> Self {
        self.ausencia = Some(severity);
        self
    }

    pub(super) fn ausencia(&self, mode: Mode) -> Severity {
        self.ausencia.unwrap_or(match mode {
            Mode::Emission => Severity::Info,
            Mode::Reception => Severity::Warning,
        })
    }

    pub(super) fn llave(&self, idk: i64) -> Option<&LlavePublica> {
        self.sii
            .iter()
            .find(|(otra, _)| *otra == idk)
            .map(|(_, llave)| llave)
    }
}
