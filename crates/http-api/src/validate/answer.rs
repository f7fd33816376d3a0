//! The verdict on the wire.

use bytes::Bytes;
use dte::review::{MODEL_CODE, Origin, Verdict};
use dte::{Recommendation, Severity};
use serde::Serialize;

use crate::asked::{ModelCall, NOT_REVIEWED, NoAnswer, WireUsage};
use crate::problem::Problem;

/// A verdict and how it came about.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    /// Set where the rules had to answer on their own.
    pub(super) unreviewed: Option<NoAnswer>,
    pub(super) call: Option<ModelCall>,
}

#[derive(Serialize)]
struct Wire<'a> {
    confidence: u8,
    warnings: Vec<&'a str>,
    errors: Vec<&'a str>,
    recommendation: &'static str,
    findings: Vec<WireFinding<'a>>,
    degraded: bool,
    model: Option<&'a str>,
    usage: Option<WireUsage>,
}

#[derive(Serialize)]
struct WireFinding<'a> {
    code: &'a str,
    severity: &'static str,
    message: &'a str,
    path: &'a str,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sii_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<&'static str>,
}

impl Outcome {
    /// Whether nothing is missing from it, so that it is worth keeping.
    pub(super) fn is_complete(&self) -> bool {
        self.unreviewed.is_none()
    }

    /// The body of the answer.
    pub(super) fn encode(&self) -> Result<Bytes, Problem> {
        let mut findings: Vec<_> = self.verdict.findings.iter().map(wire).collect();
        // Old clients read only `warnings`: they must be told too. It says something of the
        // service and not of the document, so it changes neither confidence nor recommendation.
        findings.extend(self.unreviewed.map(|why| WireFinding {
            code: NOT_REVIEWED,
            severity: Severity::Warning.as_str(),
            message: why.message(),
            path: "",
            source: "rule",
            sii_code: None,
            level: None,
            cause: None,
            cure: None,
        }));
        let of = |severity: Severity| -> Vec<&str> {
            let word = severity.as_str();
            let these = findings.iter().filter(|finding| finding.severity == word);
            these.map(|finding| finding.message).collect()
        };
        let wire = Wire {
            confidence: self.verdict.confidence,
            warnings: of(Severity::Warning),
            errors: of(Severity::Error),
            recommendation: Recommendation::as_str(self.verdict.recommendation),
            degraded: self.unreviewed.is_some(),
            model: self.call.as_ref().map(|call| call.model.as_str()),
            usage: self.call.as_ref().map(|call| WireUsage::from(&call.usage)),
            findings,
        };
        serde_json::to_vec(&wire)
            .map(Bytes::from)
            .map_err(|_| Problem::internal())
    }
}

fn wire(finding: &dte::review::VerdictFinding) -> WireFinding<'_> {
    debug_assert_eq!(finding.code == MODEL_CODE, finding.origin == Origin::Model);
    WireFinding {
        code: finding.code,
        severity: finding.severity.as_str(),
        message: &finding.message,
        path: &finding.path,
        source: match finding.origin {
            Origin::Rule => "rule",
            Origin::Model => "model",
        },
        sii_code: finding.sii_code,
        level: finding.level.map(dte::Level::as_str),
        cause: finding.ficha.map(|ficha| ficha.causa),
        cure: finding.ficha.map(|ficha| ficha.remedio),
    }
}
