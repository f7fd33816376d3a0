//! Every document that was collected in the field, against the index of its defects.
//!
//! The documents can't be passed on, so they are outside of the repository: where they
//! aren't, this test says so and does nothing.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dte::{Context, Finding, Limits, ReadErrorKind, Reading, Severity, read_xml, validate};
use jiff::civil::date;

/// Rules whose errors are about figures, by the start of their codes.
const ARITHMETIC: &[&str] = &[
    "DTE-LINEA-MONTO",
    "DTE-LINEA-DESCUENTO",
    "DTE-NETO-",
    "DTE-EXENTO-CALCULO",
    "DTE-EXENTO-AUSENTE",
    "DTE-EXENTO-CON-",
    "DTE-EXENTO-LINEAS-SIN-MONTO",
    "DTE-IVA-",
    "DTE-IMPUESTO-",
    "DTE-TOTAL-",
    "DTE-BOLETA-",
    "DTE-NO-FACTURABLE-",
    "DTE-CREDITO-",
    "DTE-COMISIONES-",
    "DTE-MONTO-",
    "DTE-GARANTIA-",
    "DTE-VALOR-PAGAR-",
];

/// Errors where the index has no remark: file, code, and why the index is wrong.
const NOT_IN_INDEX: &[(&str, &str, &str)] = &[
    ("p014.xml", "DTE-IVA-AUSENTE", NO_IVA),
    ("p016.xml", "DTE-IVA-AUSENTE", NO_IVA),
    ("p017.xml", "DTE-IVA-AUSENTE", NO_IVA),
    ("p025.xml", "DTE-IVA-AUSENTE", NO_IVA),
];
const NO_IVA: &str = "one template of a 33: MntNeto 100000, MntTotal 100000, no IVA at all; \
    the index only compares an IVA that is there";

/// Remarks that are answered by another finding than the one of their kind: file, start of
/// the remark, the code that answers it, and why.
const ANSWERED_OTHERWISE: &[(&str, &str, &str, &str)] = &[
    (
        "o_alefvaras_boleta_1890_20251117025237.xml",
        "neto",
        "DTE-LINEA-VACIA",
        WRAPPED,
    ),
    (
        "o_alefvaras_boleta_1890_20251117025355.xml",
        "neto",
        "DTE-LINEA-VACIA",
        WRAPPED,
    ),
    (
        "o_alefvaras_dte-1913.xml",
        "neto",
        "DTE-BOLETA-LINEAS-NETAS",
        NET_LINES,
    ),
    (
        "o_alefvaras_dte-1914.xml",
        "neto",
        "DTE-BOLETA-LINEAS-NETAS",
        NET_LINES,
    ),
    (
        "o_alefvaras_dte-1915.xml",
        "neto",
        "DTE-BOLETA-LINEAS-NETAS",
        NET_LINES,
    ),
    (
        "o_alefvaras_dte-1916.xml",
        "neto",
        "DTE-BOLETA-LINEAS-NETAS",
        NET_LINES,
    ),
];
const WRAPPED: &str = "its lines are wrapped in one Detalle as Linea, which the format doesn't \
    have: the sum of 0 is the index's own reading; the lines themselves sum up to the net amount";
const NET_LINES: &str = "lines, net, IVA and total agree if the prices are net, and only \
    IndMntNeto is missing: a warning, because a person must say which of the two is meant";

/// The kinds of finding that answer a kind of remark.
fn answers(remark: &str) -> &'static [&'static str] {
    match remark.split(':').next().unwrap() {
        "iva" => &["DTE-IVA-CALCULO"],
        "neto" => &["DTE-NETO-CALCULO", "DTE-BOLETA-NETO"],
        "total" => &["DTE-TOTAL-CALCULO", "DTE-BOLETA-TOTAL"],
        "noMntTotal" => &["DTE-TOTAL-AUSENTE"],
        "lineNone" => &["DTE-LINEA-MONTO-AUSENTE"],
        "rutE" => &[
            "DTE-RUT-EMISOR-DV",
            "DTE-RUT-EMISOR-FORMA",
            "DTE-RUT-EMISOR-AUSENTE",
        ],
        "rutR" => &[
            "DTE-RUT-RECEPTOR-DV",
            "DTE-RUT-RECEPTOR-FORMA",
            "DTE-RUT-RECEPTOR-AUSENTE",
        ],
        otro => panic!("a remark of an unknown kind: {otro}"),
    }
}

struct Row {
    types: Vec<String>,
    remarks: Vec<String>,
}

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dte");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("the collected documents aren't here: nothing was tested");
    None
}

/// One row for a file; the index lists one file twice, with the same content.
fn index(folder: &Path) -> BTreeMap<String, Row> {
    let text = std::fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let parts = |cell: &str, by: char| -> Vec<String> {
            cell.split(by)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        rows.entry(cells[0].to_owned()).or_insert_with(|| Row {
            types: parts(cells[1], ';'),
            remarks: parts(cells.get(3).unwrap_or(&""), '|'),
        });
    }
    rows
}

fn findings(reading: &Reading) -> Vec<Finding> {
    let context = Context::emission(date(2026, 11, 22));
    reading
        .documentos
        .iter()
        .flat_map(|documento| validate(documento, &context).findings)
        .collect()
}

#[test]
fn every_file_is_read_and_holds_the_types_of_the_index() {
    let Some(folder) = folder() else { return };
    for (file, row) in index(&folder) {
        let bytes = std::fs::read(folder.join(&file)).unwrap();
        match read_xml(&bytes, &Limits::default()) {
            Ok(reading) => {
                let types: Vec<String> = reading
                    .documentos
                    .iter()
                    .map(|doc| doc.encabezado.id_doc.tipo_dte.valor().unwrap().to_string())
                    .collect();
                assert_eq!(types, row.types, "{file}");
            }
            Err(error) => {
                assert!(row.types.is_empty(), "{file}: {}", error.user_message());
                assert!(
                    matches!(error.kind(), ReadErrorKind::OtherXml { .. }),
                    "{file}"
                );
            }
        }
    }
}

#[test]
fn findings_agree_with_the_index() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for (file, row) in index(&folder) {
        let bytes = std::fs::read(folder.join(&file)).unwrap();
        let Ok(reading) = read_xml(&bytes, &Limits::default()) else {
            continue;
        };
        let found = findings(&reading);
        if row.remarks.is_empty() {
            wrong.extend(unexpected(&file, &found));
        }
        for remark in &row.remarks {
            if !answered(&file, remark, &found) {
                wrong.push(format!("{file}: nothing answers {remark}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Errors of arithmetic rules in a file that the index holds for clean, but for those that
/// are explained.
fn unexpected(file: &str, found: &[Finding]) -> Vec<String> {
    found
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .filter(|finding| {
            ARITHMETIC
                .iter()
                .any(|start| finding.code.starts_with(start))
        })
        .filter(|finding| {
            !NOT_IN_INDEX
                .iter()
                .any(|(name, code, _)| *name == file && *code == finding.code)
        })
        .map(|finding| format!("{file}: {} {}", finding.code, finding.message))
        .collect()
}

fn answered(file: &str, remark: &str, found: &[Finding]) -> bool {
    let otherwise = ANSWERED_OTHERWISE
        .iter()
        .find(|(name, start, ..)| *name == file && remark.starts_with(start));
    let has = |code: &str| found.iter().any(|finding| finding.code == code);
    match otherwise {
        Some((_, _, code, _)) => has(code),
        None => answers(remark).iter().any(|code| has(code)),
    }
}

#[test]
fn the_lists_of_explanations_hold_nothing_that_is_not_needed() {
    let Some(folder) = folder() else { return };
    let found = |file: &str| {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        findings(&read_xml(&bytes, &Limits::default()).unwrap())
    };
    for (file, code, reason) in NOT_IN_INDEX {
        assert!(
            found(file).iter().any(|finding| finding.code == *code),
            "{file}: {reason}"
        );
    }
    for (file, remark, _, reason) in ANSWERED_OTHERWISE {
        let codes = answers(remark);
        assert!(
            !found(file).iter().any(|f| codes.contains(&f.code)),
            "{file}: {reason}"
        );
    }
}
