//! A payslip's verdict on the wire.

use bytes::Bytes;
use payroll::review::{Origin, Verdict, VerdictFinding};
use payroll::{RULES, Severity};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::asked::{ModelCall, NOT_REVIEWED, NoAnswer, WireUsage};
use crate::problem::Problem;
use crate::purchases::encode;

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
    success: bool,
    confidence: u8,
    errors: Vec<&'a str>,
    warnings: Vec<&'a str>,
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
    expected: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    legal_source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<&'static str>,
}

impl Outcome {
    /// The body of the answer.
    pub(super) fn encode(&self) -> Result<Bytes, Problem> {
        let mut findings: Vec<_> = self.verdict.findings.iter().map(wire).collect();
        // It says something of the service and not of the payslip: neither confidence nor
        // recommendation change with it.
        findings.extend(self.unreviewed.map(not_reviewed));
        let of = |severity: Severity| -> Vec<&str> {
            let word = severity.as_str();
            let these = findings.iter().filter(|finding| finding.severity == word);
            these.map(|finding| finding.message).collect()
        };
        encode(&Wire {
            success: true,
            confidence: self.verdict.confidence,
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            recommendation: self.verdict.recommendation.as_str(),
            degraded: self.unreviewed.is_some(),
            model: self.call.as_ref().map(|call| call.model.as_str()),
            usage: self.call.as_ref().map(|call| (&call.usage).into()),
            findings,
        })
    }
}

fn wire(finding: &VerdictFinding) -> WireFinding<'_> {
    let mut rules = RULES.iter().flat_map(|rule| rule.codes);
    WireFinding {
        code: finding.code,
        severity: finding.severity.as_str(),
        message: &finding.message,
        path: &finding.path,
        source: match finding.origin {
            Origin::Rule => "rule",
            Origin::Model => "model",
        },
        expected: finding.expected.and_then(number),
        actual: finding.actual.and_then(number),
        difference: finding.difference.and_then(number),
        formula: finding.formula.as_deref(),
        legal_source: finding.source,
        cure: rules
            .find(|code| code.code == finding.code)
            .map(|code| code.remedio),
    }
}

fn not_reviewed(why: NoAnswer) -> WireFinding<'static> {
    WireFinding {
        code: NOT_REVIEWED,
        severity: Severity::Warning.as_str(),
        message: why.message(),
        path: "",
        source: "rule",
        expected: None,
        actual: None,
        difference: None,
        formula: None,
        legal_source: None,
        cure: None,
    }
}

/// A JSON number with exactly these digits: it never goes through a float here.
pub(super) fn number(value: Decimal) -> Option<Box<RawValue>> {
    // A decimal's text is always a JSON number.
    RawValue::from_string(value.normalize().to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for (text, json) in [
            ("967200.00", "967200"),
            ("-0.5", "-0.5"),
            ("39841.72", "39841.72"),
            ("0", "0"),
            (
                "79228162514264337593543950335",
                "79228162514264337593543950335",
            ),
        ] {
            assert_eq!(number(text.parse().unwrap()).unwrap().get(), json);
        }
    }
}
