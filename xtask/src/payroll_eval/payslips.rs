//! Payslips against the findings that are expected of them.

use std::path::Path;

use payroll::{Finding, Severity, integrados, read_json, validate};
use rust_decimal::Decimal;

use super::report::{Line, Report};
use super::{csv, files};
use crate::error::Error;

/// A finding that the index expects: `AFP 97212 != 111867 (rate used 9.95%)`,
/// `gratificacion 191008 > tope 182083`, `check failed …`.
struct Expected {
    text: String,
    codes: &'static [&'static str],
    actual: Option<Decimal>,
    expected: Option<Decimal>,
}

/// The first word of an expected finding, and the codes that say it.
const CODES: &[(&str, &[&str])] = &[
    (
        "gratificacion",
        &["LIQ-GRAT-TOPE", "LIQ-GRAT-MONTO", "LIQ-GRAT-AUSENTE"],
    ),
    ("afp", &["LIQ-AFP-MONTO", "LIQ-AFP-AUSENTE"]),
    (
        "salud",
        &["LIQ-SALUD-MONTO", "LIQ-SALUD-PLAN", "LIQ-SALUD-AUSENTE"],
    ),
    ("fonasa", &["LIQ-SALUD-MONTO", "LIQ-SALUD-AUSENTE"]),
    (
        "isapre",
        &["LIQ-SALUD-PLAN", "LIQ-SALUD-MONTO", "LIQ-SALUD-AUSENTE"],
    ),
    (
        "afc",
        &["LIQ-AFC-MONTO", "LIQ-AFC-AUSENTE", "LIQ-AFC-INDEBIDO"],
    ),
    ("impuesto", &["LIQ-IMPUESTO-MONTO", "LIQ-IMPUESTO-AUSENTE"]),
    ("sueldo", &["LIQ-SUELDO-MINIMO", "LIQ-SUELDO-MONTO"]),
    ("imm", &["LIQ-SUELDO-MINIMO"]),
    ("minimo", &["LIQ-SUELDO-MINIMO"]),
    ("horas", &["LIQ-HEX-MONTO"]),
    ("asignacion", &["LIQ-ASIGFAM-MONTO", "LIQ-ASIGFAM-DUDOSA"]),
    ("cargas", &["LIQ-ASIGFAM-MONTO", "LIQ-ASIGFAM-DUDOSA"]),
    ("sis", &["LIQ-SIS-MONTO"]),
    ("mutual", &["LIQ-ACCIDENTES-MONTO"]),
    ("liquido", &["LIQ-TOTAL-LIQUIDO"]),
    ("haberes", &["LIQ-TOTAL-HABERES"]),
    (
        "descuentos",
        &["LIQ-TOTAL-DESCUENTOS", "LIQ-LIMITE-15", "LIQ-LIMITE-45"],
    ),
    ("imponible", &["LIQ-TOTAL-IMPONIBLE"]),
    ("check", &["LIQ-PERIODO-ILEGIBLE", "LIQ-INDICADORES-MES"]),
];

impl Expected {
    fn read(text: &str) -> Self {
        let plain = text.trim().to_lowercase();
        let codes = CODES.iter().find(|(word, _)| plain.starts_with(word));
        let before_note = text.split('(').next().unwrap_or_default();
        let mut figures = before_note
            .split_whitespace()
            .filter_map(|word| word.parse().ok());
        Self {
            text: text.trim().to_owned(),
            codes: codes.map_or(&[], |(_, codes)| codes),
            actual: figures.next(),
            expected: figures.next(),
        }
    }

    /// A helper rounds where it likes: a peso is no difference.
    fn is(&self, finding: &Finding) -> bool {
        let near = |wanted: Option<Decimal>, is: Option<Decimal>| match (wanted, is) {
            (None, _) => true,
            (Some(wanted), Some(is)) => (wanted - is).abs() <= Decimal::ONE,
            (Some(_), None) => false,
        };
        self.codes.contains(&finding.code)
            && finding.severity > Severity::Info
            && near(self.expected, finding.expected)
            && near(self.actual, finding.actual)
    }
}

/// Judges every payslip of a folder and compares with its index.
///
/// # Errors
///
/// [`Error::Io`] for a folder or file that can't be read.
pub fn evaluate(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let files = files(folder)?;
    let index = files
        .iter()
        .find(|(name, _)| name == "EXPECTED_FINDINGS.csv");
    let index = index
        .map(|(_, bytes)| csv::rows(&String::from_utf8_lossy(bytes)))
        .unwrap_or_default();
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
        let text = String::from_utf8_lossy(bytes);
        if super::golden::is_golden(&text) {
            continue;
        }
        report.payslips += 1;
        let row = index.iter().skip(1).find(|row| row.first() == Some(name));
        let expected = row
            .and_then(|row| row.last())
            .map(String::as_str)
            .unwrap_or_default();
        let expected: Vec<Expected> = expected
            .split('|')
            .filter(|part| !part.trim().is_empty())
            .map(Expected::read)
            .collect();
        judge(name, &text, &expected, report);
    }
    Ok(())
}

fn judge(name: &str, text: &str, expected: &[Expected], report: &mut Report) {
    let payslip = match read_json(text) {
        Ok(payslip) => payslip,
        Err(error) => {
            report.expected.push(Line::new(
                name,
                format!("not read: {}", error.user_message()),
                false,
            ));
            return;
        }
    };
    let indicators = payslip.periodo.and_then(integrados);
    let findings = validate(&payslip, indicators.as_ref()).findings;
    for wanted in expected {
        let found = findings.iter().find(|finding| wanted.is(finding));
        let what = found.map_or("not found", |finding| finding.code);
        report.expected.push(Line::new(
            name,
            format!("{} → {what}", wanted.text),
            found.is_some(),
        ));
    }
    let alarms = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Info);
    for finding in alarms.filter(|finding| !expected.iter().any(|wanted| wanted.is(finding))) {
        let what = format!(
            "{} {}: {}",
            finding.severity.as_str(),
            finding.code,
            finding.message
        );
        report.unexpected.push(Line::new(name, what, false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_understood() {
        let afp = Expected::read(" AFP 97212 != 111867 (rate used 9.95%)");
        assert_eq!(
            (afp.actual, afp.expected),
            (Some(97_212.into()), Some(111_867.into()))
        );
        assert!(afp.codes.contains(&"LIQ-AFP-MONTO"));
        let failed = Expected::read("check failed KeyError('Test Mes')");
        assert_eq!((failed.actual, failed.codes.len()), (None, 2));
        assert!(Expected::read("otra cosa 1").codes.is_empty());
    }
}
