//! Rules and review joined: the findings, how sure, and what to do.

use findings::Judgement;

use crate::report::{Finding, Recommendation, Report};
use crate::{Ficha, Level};
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
    /// The field.
    pub path: String,
    /// Who found it.
    pub origin: Origin,
    /// What the tax service will probably do because of it; a rule's finding has one.
    pub level: Option<Level>,
    /// How it comes about and what to do, where the catalogue has it.
    pub ficha: Option<&'static Ficha>,
    /// The tax service's own code that this will probably become.
    pub sii_code: Option<&'static str>,
}

/// The answer to "can I send this?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The rules' findings, then the model's.
    pub findings: Vec<VerdictFinding>,
    /// How sure it is that the document is right, 0 to 100.
    ///
    /// 100 less 40 for every error, 8 for every warning, and 1 for every info (10 at the
    /// most for all of them); never above the model's own figure, and never above 90 where
    /// no model looked. So more or worse findings never raise it.
    pub confidence: u8,
    /// An error rejects; a warning, or a confidence under 70, asks for a look.
    pub recommendation: Recommendation,
}

impl Verdict {
    /// Joins the reports of the documents of one request with the model's review of them.
    #[must_use]
    pub fn new(reports: Vec<Report>, review: Option<&Review>) -> Self {
        let rules = reports
            .into_iter()
            .flat_map(|report| report.findings)
            .map(from_rule);
        let remarks = review.into_iter().flat_map(|review| review.remarks());
        let model = remarks.map(|remark| VerdictFinding {
            code: MODEL_CODE,
            severity: remark.severity,
            message: remark.message.clone(),
            path: remark.path.clone(),
            origin: Origin::Model,
            level: None,
            ficha: None,
            sii_code: None,
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
}

fn from_rule(finding: Finding) -> VerdictFinding {
    VerdictFinding {
        level: Some(finding.level()),
        ficha: Ficha::de(finding.code),
        code: finding.code,
        severity: finding.severity,
        message: finding.message,
        path: finding.path,
        origin: Origin::Rule,
        sii_code: finding.sii_code,
    }
}
