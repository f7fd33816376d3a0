//! Rules and review joined: the findings, how sure, and what to do.

use rust_decimal::Decimal;

use findings::Judgement;

use crate::report::{Finding, Recommendation, Report};
use findings::Severity;

use super::{MODEL_CODE, Origin, Review};

/// One finding of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictFinding {
    /// A rule's stable code, or [`MODEL_CODE`].
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in Spanish.
    pub message: String,
    /// The line or total.
    pub path: String,
    /// Who found it.
    pub origin: Origin,
    /// What the rule calculated, in pesos.
    pub expected: Option<Decimal>,
    /// What the payslip says, in pesos.
    pub actual: Option<Decimal>,
    /// `actual - expected`.
    pub difference: Option<Decimal>,
    /// How `expected` comes about.
    pub formula: Option<String>,
    /// Where the rule stands.
    pub source: Option<&'static str>,
}

/// The answer to "can this be paid?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The rules' findings, then the model's.
    pub findings: Vec<VerdictFinding>,
    /// How sure it is that the payslip is right, 0 to 100: see
    /// [`Judgement::confidence`]; never
    /// above the model's own figure, and never above 90 where no model looked.
    pub confidence: u8,
    /// An error rejects; a warning, or a confidence under 70, asks for a look.
    pub recommendation: Recommendation,
}

impl Verdict {
    /// Joins the rules' report with the model's review.
    #[must_use]
    pub fn new(report: Report, review: Option<&Review>) -> Self {
        let rules = report.findings.into_iter().map(from_rule);
        let remarks = review.into_iter().flat_map(|review| review.remarks());
        let model = remarks.map(|remark| VerdictFinding {
            code: MODEL_CODE,
            severity: remark.severity,
            message: remark.message.clone(),
            path: remark.path.clone(),
            origin: Origin::Model,
            expected: None,
            actual: None,
            difference: None,
            formula: None,
            source: None,
        });
        let findings: Vec<_> = rules.chain(model).collect();
        let severities = findings.iter().map(|finding| finding.severity);
        let judgement = Judgement::new(severities, review);
        Self {
            confidence: judgement.confidence,
            recommendation: judgement.outcome.into(),
            findings,
        }
    }

    /// The messages of one severity, as the contract's `errors` and `warnings` list them.
    pub fn messages(&self, severity: Severity) -> impl Iterator<Item = &str> {
        let findings = self
            .findings
            .iter()
            .filter(move |finding| finding.severity == severity);
        findings.map(|finding| finding.message.as_str())
    }
}

fn from_rule(finding: Finding) -> VerdictFinding {
    VerdictFinding {
        code: finding.code,
        severity: finding.severity,
        message: finding.message,
        path: finding.path,
        origin: Origin::Rule,
        expected: finding.expected,
        actual: finding.actual,
        difference: finding.difference,
        formula: finding.formula,
        source: Some(finding.source),
    }
}
