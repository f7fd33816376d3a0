//! What the tax service will probably do with a document: rejection, objection, remark.

use crate::report::{Code, Finding};
use findings::Severity;

/// The tax service's own scale, as far as a document alone can tell; a worse one is greater.
///
/// Source: DTE formats and codes as seen in the field. A code is `AREA-LEVEL-NUMBER`, and in
/// every pair of code and outcome that was seen, level 3 rejects, 2 objects and 1 remarks.
///
/// The level predicts what the tax service does; [`Severity`] says what the user should do.
/// They differ where the tax service is more lenient than the receiver: a wrong total is taken
/// with an objection ([`Level::Reparo`]) and must not be sent all the same
/// ([`Severity::Error`]). The other way round never happens: a level isn't above what its
/// severity allows, so that a [`Level::Rechazo`] is always an error, a [`Severity::Warning`]
/// at most a [`Level::Reparo`], and an [`Severity::Info`] an [`Level::Aviso`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Hygiene: taken without a word, or with a light remark.
    Aviso,
    /// Taken with an objection.
    Reparo,
    /// Not taken: the document never existed, and its folio can be used again.
    Rechazo,
}

/// Levels that no code of the tax service is known for. The issuer's RUT is one of the fields
/// that the format paper marks: malformed, it is a rejection. So are a folio that its CAF doesn't
/// authorise, a signature and a cover that are wrong: the tax service answers these with a state
/// of the whole submission (RFR, RCT).
const SIN_CODIGO: &[(&str, Level)] = &[
    ("DTE-RUT-EMISOR-DV", Level::Rechazo),
    ("DTE-RUT-EMISOR-RESERVADO", Level::Rechazo),
    ("DTE-CAF-RANGO", Level::Rechazo),
    ("DTE-CAF-TIPO", Level::Rechazo),
    ("DTE-CAF-EMISOR", Level::Rechazo),
    ("DTE-FIRMA-VIGENCIA", Level::Rechazo),
    ("DTE-SOBRE-FIRMA", Level::Rechazo),
    ("DTE-SOBRE-VIGENCIA", Level::Rechazo),
    ("DTE-CARATULA-EMISOR", Level::Rechazo),
    ("DTE-CARATULA-SUBTOTAL", Level::Rechazo),
];

impl Level {
    /// Every level, the worst first.
    pub const TODOS: [Self; 3] = [Self::Rechazo, Self::Reparo, Self::Aviso];

    /// The Spanish word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aviso => "aviso",
            Self::Reparo => "reparo",
            Self::Rechazo => "rechazo",
        }
    }

    /// What one of the tax service's codes stands for; `None` where it isn't one.
    #[must_use]
    pub fn de_codigo(sii_code: &str) -> Option<Self> {
        match sii_code.split('-').nth(1)? {
            "1" => Some(Self::Aviso),
            "2" => Some(Self::Reparo),
            "3" => Some(Self::Rechazo),
            _ => None,
        }
    }

    /// The worst level that a finding of this severity may have.
    const fn tope(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Rechazo,
            Severity::Warning => Self::Reparo,
            Severity::Info => Self::Aviso,
        }
    }

    /// By the tax service's code where one is known. Without one it is no rejection: by the
    /// format paper, mistakes in the content of a well-formed document are none, but for the
    /// few fields of [`SIN_CODIGO`].
    fn predicho(code: &str, sii_code: Option<&str>, severity: Severity) -> Self {
        let propio = || SIN_CODIGO.iter().find(|(propio, _)| *propio == code);
        sii_code
            .and_then(Self::de_codigo)
            .or_else(|| propio().map(|(_, level)| *level))
            .unwrap_or(Self::Reparo)
            .min(Self::tope(severity))
    }
}

impl Code {
    /// What the tax service will probably do, at this code's usual severity.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::predicho(self.code, self.sii_code, self.severity)
    }
}

impl Finding {
    /// What the tax service will probably do because of this.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::predicho(self.code, self.sii_code, self.severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_says_the_level_and_the_severity_bounds_it() {
        use Level::{Aviso, Rechazo, Reparo};
        use Severity::{Error, Info, Warning};
        for (sii_code, severity, level) in [
            (Some("ENV-3-0"), Error, Rechazo),
            (Some("ENV-3-0"), Warning, Reparo),
            (Some("ENV-3-0"), Info, Aviso),
            (Some("HED-2-220"), Error, Reparo),
            (Some("HED-1-863"), Warning, Aviso),
            (Some("rubbish"), Error, Reparo),
            (None, Error, Reparo),
            (None, Warning, Reparo),
            (None, Info, Aviso),
        ] {
            assert_eq!(
                Level::predicho("DTE-X", sii_code, severity),
                level,
                "{sii_code:?} {severity:?}"
            );
        }
    }

    #[test]
    fn the_issuer_s_rut_is_a_marked_field() {
        let level = |severity| Level::predicho("DTE-RUT-EMISOR-DV", None, severity);
        assert_eq!(level(Severity::Error), Level::Rechazo);
        assert_eq!(level(Severity::Warning), Level::Reparo);
    }

    #[test]
    fn every_code_of_the_tax_service_that_a_rule_names_has_a_level() {
        for code in crate::RULES.iter().flat_map(|rule| rule.codes) {
            if let Some(sii) = code.sii_code {
                assert!(Level::de_codigo(sii).is_some(), "{}: {sii}", code.code);
            }
            assert!(
                code.level() < Level::Rechazo || code.severity == Severity::Error,
                "{}",
                code.code
            );
        }
    }
}
