//! What the rules found, and what follows from it.

use std::collections::BTreeSet;

use findings::{Outcome, Severity, confidence};
use rust_decimal::Decimal;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::indicadores::Campo;

/// What the user should do with the payslip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Recommendation {
    /// Nothing stands against it.
    Approve,
    /// A person should look first: there is a warning.
    Review,
    /// It must be corrected first: there is an error.
    Reject,
}

impl Recommendation {
    /// The contract's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Review => "review",
            Self::Reject => "reject",
        }
    }
}

impl From<Outcome> for Recommendation {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => Self::Approve,
            Outcome::Review => Self::Review,
            Outcome::Reject => Self::Reject,
        }
    }
}

/// A kind of finding: what the rule catalogue says about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable code, `LIQ-AREA-WHAT`.
    pub code: &'static str,
    /// What is wrong, in a few Spanish words.
    pub title: &'static str,
    /// The severity that it usually has; a difference within rounding is always `Info`.
    pub severity: Severity,
    /// Where the rule stands.
    pub source: &'static str,
    /// What to do about it, in a Spanish sentence.
    pub remedio: &'static str,
}

/// One thing that is wrong with a payslip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable code; look it up in [`RULES`](crate::RULES) for its title and cure.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, with both figures where there are two, in Spanish.
    pub message: String,
    /// The line or total: `lines[3]`, `total_liquido`.
    pub path: String,
    /// What the rule calculated, in pesos.
    pub expected: Option<Decimal>,
    /// What the payslip says, in pesos.
    pub actual: Option<Decimal>,
    /// `actual - expected`.
    pub difference: Option<Decimal>,
    /// How `expected` comes about, with its figures.
    pub formula: Option<String>,
    /// Where the rule stands.
    pub source: &'static str,
}

/// What the rules found in one payslip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The findings in the order of the rules.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The worst severity; `None` where nothing was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// What the user should do: an error rejects, a warning asks for a look.
    #[must_use]
    pub fn recommendation(&self) -> Recommendation {
        Outcome::of(self.worst()).into()
    }

    /// How sure the rules alone are that the payslip is right, 0 to 100: see [`confidence`].
    #[must_use]
    pub fn confidence(&self) -> u8 {
        confidence(self.findings.iter().map(|finding| finding.severity))
    }
}

/// Amounts are texts, so that no reader makes floats of them.
impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let monto = |monto: Option<Decimal>| monto.map(|monto| monto.to_string());
        let mut finding = serializer.serialize_struct("Finding", 9)?;
        finding.serialize_field("code", self.code)?;
        finding.serialize_field("severity", &self.severity)?;
        finding.serialize_field("message", &self.message)?;
        finding.serialize_field("path", &self.path)?;
        finding.serialize_field("expected", &monto(self.expected))?;
        finding.serialize_field("actual", &monto(self.actual))?;
        finding.serialize_field("difference", &monto(self.difference))?;
        finding.serialize_field("formula", &self.formula)?;
        finding.serialize_field("source", self.source)?;
        finding.end()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 3)?;
        report.serialize_field("recommendation", &self.recommendation())?;
        report.serialize_field("confidence", &self.confidence())?;
        report.serialize_field("findings", &self.findings)?;
        report.end()
    }
}

/// Collects the findings of one payslip, and the figures that its rules lacked.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    report: Report,
    faltan: BTreeSet<Campo>,
}

/// Two figures that should be one.
pub(crate) struct Comparacion<'c> {
    pub code: &'static Code,
    pub severity: Severity,
    pub path: String,
    /// The start of a Spanish sentence: `El descuento de AFP`.
    pub que: &'c str,
    pub esperado: Decimal,
    pub informado: Decimal,
    /// Up to here a difference is rounding.
    pub tolerancia: Decimal,
    pub formula: String,
}

impl Findings {
    pub(crate) fn into_report(self) -> Report {
        self.report
    }

    /// A rule couldn't be applied for want of this figure.
    pub(crate) fn falta(&mut self, campo: Campo) {
        self.faltan.insert(campo);
    }

    pub(crate) fn faltan(&self) -> impl Iterator<Item = Campo> + '_ {
        self.faltan.iter().copied()
    }

    pub(crate) fn add(&mut self, code: &Code, path: impl Into<String>, message: String) {
        self.add_as(code, code.severity, path, message);
    }

    pub(crate) fn add_as(
        &mut self,
        code: &Code,
        severity: Severity,
        path: impl Into<String>,
        message: String,
    ) {
        self.report.findings.push(Finding {
            code: code.code,
            severity,
            message,
            path: path.into(),
            expected: None,
            actual: None,
            difference: None,
            formula: None,
            source: code.source,
        });
    }

    /// States a difference, if there is one; says whether it is more than rounding.
    pub(crate) fn comparar(&mut self, comparacion: Comparacion<'_>) -> bool {
        let Comparacion {
            code,
            severity,
            path,
            que,
            esperado,
            informado,
            tolerancia,
            formula,
        } = comparacion;
        let diferencia = informado - esperado;
        if diferencia.is_zero() {
            return false;
        }
        let redondeo = diferencia.abs() <= tolerancia;
        let cola = if redondeo {
            "; está dentro del redondeo"
        } else {
            ""
        };
        let pesos = findings::pesos;
        let message = format!(
            "{que} debería ser {} y dice {}: la diferencia es de {}{cola}. Cálculo: {formula}.",
            pesos(esperado),
            pesos(informado),
            pesos(diferencia),
        );
        self.report.findings.push(Finding {
            code: code.code,
            severity: if redondeo { Severity::Info } else { severity },
            message,
            path,
            expected: Some(esperado.normalize()),
            actual: Some(informado.normalize()),
            difference: Some(diferencia.normalize()),
            formula: Some(formula),
            source: code.source,
        });
        !redondeo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides() {
        let report = |severities: &[Severity]| {
            let mut out = Findings::default();
            for severity in severities {
                let code = Code {
                    code: "LIQ-X",
                    title: "",
                    severity: *severity,
                    source: "",
                    remedio: "",
                };
                out.add(&code, "", String::new());
            }
            out.into_report()
        };
        assert_eq!(report(&[]).recommendation(), Recommendation::Approve);
        assert_eq!(report(&[Severity::Info]).confidence(), 99);
        assert_eq!(
            report(&[Severity::Info, Severity::Warning]).recommendation(),
            Recommendation::Review
        );
        assert_eq!(
            report(&[Severity::Error, Severity::Info]).recommendation(),
            Recommendation::Reject
        );
        assert_eq!(report(&[Severity::Error; 9]).confidence(), 0);
    }
}
