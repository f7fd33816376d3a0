//! What the rules found, and what follows from it.

use std::borrow::Cow;

use findings::{Outcome, Severity};
use rust_decimal::Decimal;

use crate::context::Mode;

/// What the user should do with the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Recommendation {
    /// Nothing stands against it.
    Send,
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
            Self::Send => "send",
            Self::Review => "review",
            Self::Reject => "reject",
        }
    }
}

impl From<Outcome> for Recommendation {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => Self::Send,
            Outcome::Review => Self::Review,
            Outcome::Reject => Self::Reject,
        }
    }
}

/// A kind of finding: what the rule catalogue says about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable code, `DTE-AREA-WHAT`.
    pub code: &'static str,
    /// What is wrong, in a few Spanish words.
    pub title: &'static str,
    /// The severity that it usually has; a difference within rounding is always `Info`.
    pub severity: Severity,
    /// Where the rule stands.
    pub source: &'static str,
    /// The tax service's own code that this will probably become.
    pub sii_code: Option<&'static str>,
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable code; look it up in [`RULES`](crate::RULES) for its title and source.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, with both figures where there are two, in Spanish.
    pub message: String,
    /// The field: `Documento/Encabezado/Totales/IVA`, or `monto_iva` for a JSON document.
    pub path: String,
    /// What the rule calculated.
    pub expected: Option<Decimal>,
    /// What the document says.
    pub actual: Option<Decimal>,
    /// `actual - expected`, in the document's currency.
    pub difference: Option<Decimal>,
    /// The tax service's own code that this will probably become.
    pub sii_code: Option<&'static str>,
}

/// What the rules found in one document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The findings in the order of the rules, which is that of the document.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The worst severity; `None` where nothing was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// How many findings have this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// What the user should do: an error rejects, a warning asks for a look.
    #[must_use]
    pub fn recommendation(&self) -> Recommendation {
        Outcome::of(self.worst()).into()
    }
}

/// Collects the findings of one document.
#[derive(Debug)]
pub(crate) struct Findings {
    report: Report,
    mode: Mode,
}

/// The most findings that a report holds: a document of 60 wrong lines is as wrong with 500.
pub(crate) const MAX_FINDINGS: usize = 500;

impl Findings {
    pub(crate) const fn new(mode: Mode) -> Self {
        Self {
            report: Report {
                findings: Vec::new(),
            },
            mode,
        }
    }

    pub(crate) fn into_report(self) -> Report {
        self.report
    }

    /// A finding with its code's severity.
    pub(crate) fn add(
        &mut self,
        code: &Code,
        path: impl Into<String>,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.add_as(code, code.severity, path, message);
    }

    /// A finding with a severity of its own.
    pub(crate) fn add_as(
        &mut self,
        code: &Code,
        severity: Severity,
        path: impl Into<String>,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.push(Finding {
            code: code.code,
            severity,
            message: message.into().into_owned(),
            path: path.into(),
            expected: None,
            actual: None,
            difference: None,
            sii_code: code.sii_code,
        });
    }

    /// Whether more than an info was said of this field, or of what is in it: a rule over all
    /// fields leaves to a rule of its own what that one knows better.
    pub(crate) fn habla_de(&self, path: &str) -> bool {
        self.report.findings.iter().any(|finding| {
            finding.severity > Severity::Info
                && finding
                    .path
                    .strip_prefix(path)
                    .is_some_and(|resto| resto.is_empty() || resto.starts_with('/'))
        })
    }

    /// Whether something was said of exactly this place.
    pub(crate) fn dice(&self, path: &str) -> bool {
        let mut findings = self.report.findings.iter();
        findings.any(|finding| finding.path == path)
    }

    /// A defect of form: nothing that the receiver of a document can still change.
    pub(crate) fn add_form(
        &mut self,
        code: &Code,
        path: impl Into<String>,
        message: impl Into<Cow<'static, str>>,
    ) {
        let severity = match self.mode {
            Mode::Emission => code.severity,
            Mode::Reception => code.severity.lowered(),
        };
        self.add_as(code, severity, path, message);
    }

    /// A full report still takes a finding that is worse than its last one, so that the
    /// worst severity, and what follows from it, is never lost.
    pub(crate) fn push(&mut self, finding: Finding) {
        let findings = &mut self.report.findings;
        if findings.len() >= MAX_FINDINGS {
            if findings
                .last()
                .is_some_and(|last| last.severity >= finding.severity)
            {
                return;
            }
            findings.pop();
        }
        findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(severity: Severity) -> Code {
        Code {
            code: "DTE-PRUEBA",
            title: "",
            severity,
            source: "",
            sii_code: None,
        }
    }

    #[test]
    fn the_worst_finding_decides() {
        for (severities, recommendation) in [
            (&[][..], Recommendation::Send),
            (&[Severity::Info], Recommendation::Send),
            (&[Severity::Warning, Severity::Info], Recommendation::Review),
            (
                &[Severity::Info, Severity::Error, Severity::Warning],
                Recommendation::Reject,
            ),
        ] {
            let mut findings = Findings::new(Mode::Emission);
            for severity in severities {
                findings.add(&code(*severity), "", "");
            }
            let report = findings.into_report();
            assert_eq!(report.recommendation(), recommendation);
            assert_eq!(report.worst(), severities.iter().copied().max());
        }
    }

    #[test]
    fn a_full_report_still_takes_what_is_worse() {
        let mut findings = Findings::new(Mode::Emission);
        for _ in 0..2 * MAX_FINDINGS {
            findings.add(&code(Severity::Info), "", "");
        }
        findings.add(&code(Severity::Error), "", "");
        findings.add(&code(Severity::Warning), "", "");
        let report = findings.into_report();
        assert_eq!(report.findings.len(), MAX_FINDINGS);
        assert_eq!(
            (
                report.count(Severity::Error),
                report.count(Severity::Warning)
            ),
            (1, 0)
        );
        assert_eq!(report.recommendation(), Recommendation::Reject);
    }

    #[test]
    fn defects_of_form_count_less_in_what_was_received() {
        for (mode, severity) in [
            (Mode::Emission, Severity::Error),
            (Mode::Reception, Severity::Warning),
        ] {
            let mut findings = Findings::new(mode);
            findings.add_form(&code(Severity::Error), "", "");
            assert_eq!(findings.into_report().worst(), Some(severity));
        }
    }
}
