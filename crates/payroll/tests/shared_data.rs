//! The payslips and pages beside the repository, where they are: what is found in them, and why
//! the findings that nobody listed are right.

use std::fs;
use std::path::{Path, PathBuf};

use payroll::previred::{Vecinos, comprobar, leer};
use payroll::{Periodo, Severity, integrados, read_json, validate};

fn data(part: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(part);
    folder.is_dir().then_some(folder)
}

/// Errors and warnings that the index of the data doesn't list, each with its reason.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "liqueen__test-reactividad.json",
        "LIQ-SUELDO-MONTO",
        "the contract says 786,000 and the line 999,999: the file is a form filled with nines",
    ),
    (
        "liqueen__test-reactividad.json",
        "LIQ-GRAT-MONTO",
        "25 % of 999,999 is over the cap of 202,127, and 100,000 is paid",
    ),
    (
        "liqueen__test-reactividad.json",
        "LIQ-LIQUIDO-NEGATIVO",
        "three discounts of 999,999 are more than all pay",
    ),
    (
        "liqueen__test-reactividad.json",
        "LIQ-INDICADORES-CIFRA",
        "50,000 of family allowance, and the brackets of February 2025 aren't known",
    ),
    (
        "liqueen__test-sin-loops.json",
        "LIQ-INDICADORES-MES",
        "the month is no month, so no indicator is known",
    ),
];

/// What the index lists: errors of these rules.
const LISTED: [&str; 5] = [
    "LIQ-GRAT-TOPE",
    "LIQ-AFP-MONTO",
    "LIQ-SALUD-MONTO",
    "LIQ-AFC-MONTO",
    "LIQ-PERIODO-ILEGIBLE",
];

#[test]
fn what_nobody_listed_is_explained() {
    let Some(folder) = data("payslips") else {
        return;
    };
    let mut listed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("liqueen") {
            continue;
        }
        let payslip = read_json(&fs::read_to_string(&path).unwrap()).unwrap();
        let indicators = payslip.periodo.and_then(integrados);
        for finding in validate(&payslip, indicators.as_ref()).findings {
            if LISTED.contains(&finding.code) && finding.severity == Severity::Error {
                listed += 1;
            } else if finding.severity > Severity::Info {
                let explained = EXPLAINED
                    .iter()
                    .any(|(file, code, _)| *file == name && *code == finding.code);
                assert!(explained, "{name}: {} {}", finding.code, finding.message);
            }
        }
    }
    assert_eq!(listed, 18);
}

#[test]
fn the_page_holds_sixty_figures_and_the_wrong_file_is_refused() {
    let Some(folder) = data("previred") else {
        return;
    };
    let read = |file: &str, period: &str| {
        let bytes = fs::read(folder.join(file)).unwrap();
        leer(&bytes, Periodo::leer(period).unwrap())
    };
    let page = read("previred_2021-04_page.html", "2021-04").unwrap();
    assert!(page.len() >= 60, "{}", page.len());
    assert_eq!(comprobar(&page, Vecinos::default()), Ok(()));
    assert!(read("previred_012024.json", "2024-01").unwrap().len() >= 60);
    assert_eq!(
        read("previred_012024.json", "2024-02").unwrap_err().code(),
        "other_month"
    );

    let mock = read("previred_042026_MOCK_DO_NOT_TRUST.json", "2026-04").unwrap();
    let month = |period: &str| integrados(Periodo::iso(period).unwrap());
    let (march, february) = (month("2026-03"), month("2026-02"));
    let neighbours = Vecinos {
        anterior: march.as_ref(),
        trasanterior: february.as_ref(),
    };
    let refused = comprobar(&mock, neighbours).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "read indicators (implausible: utm_contra_uf)"
    );
}
