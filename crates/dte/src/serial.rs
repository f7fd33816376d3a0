//! A report for machines: the fields of [`Finding`] and [`Report`] by their own names, with
//! the level and the recommendation that follow from them.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::report::{Finding, Report};

/// Amounts are texts, so that no reader makes floats of them.
impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let monto = |monto: Option<rust_decimal::Decimal>| monto.map(|monto| monto.to_string());
        let mut finding = serializer.serialize_struct("Finding", 9)?;
        finding.serialize_field("code", self.code)?;
        finding.serialize_field("severity", &self.severity)?;
        finding.serialize_field("level", &self.level())?;
        finding.serialize_field("message", &self.message)?;
        finding.serialize_field("path", &self.path)?;
        finding.serialize_field("expected", &monto(self.expected))?;
        finding.serialize_field("actual", &monto(self.actual))?;
        finding.serialize_field("difference", &monto(self.difference))?;
        finding.serialize_field("sii_code", &self.sii_code)?;
        finding.end()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 2)?;
        report.serialize_field("recommendation", &self.recommendation())?;
        report.serialize_field("findings", &self.findings)?;
        report.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use findings::Severity;

    #[test]
    fn a_report_has_its_level_and_exact_amounts() {
        let report = Report {
            findings: vec![Finding {
                code: "DTE-IVA-CALCULO",
                severity: Severity::Error,
                message: "El IVA…".into(),
                path: "Documento/Encabezado/Totales/IVA".into(),
                expected: Some("190".parse().unwrap()),
                actual: Some("109.50".parse().unwrap()),
                difference: None,
                sii_code: None,
            }],
        };
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "recommendation": "reject",
                "findings": [{
                    "code": "DTE-IVA-CALCULO", "severity": "error", "level": "reparo",
                    "message": "El IVA…", "path": "Documento/Encabezado/Totales/IVA",
                    "expected": "190", "actual": "109.50", "difference": null, "sii_code": null
                }]
            })
        );
    }
}
