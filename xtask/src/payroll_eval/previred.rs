//! Indicators and tax tables: what is read of the files against the CSV beside them.

use std::collections::BTreeMap;
use std::path::Path;

use payroll::previred::{
    PreviredError, PreviredErrorKind, TablaPublicada, Vecinos, comprobar, leer, leer_tablas,
};
use payroll::{Campo, Indicadores, Periodicidad, Periodo, Tramo, integrados, utm_implicita};
use rust_decimal::Decimal;
use serde_json::Value;

use super::report::{Line, Report};
use super::{csv, files};
use crate::error::Error;

/// The CSV's columns.
const COLUMNS: &[(&str, Campo)] = &[
    ("uf_fin_mes", Campo::Uf),
    ("utm", Campo::Utm),
    ("uta", Campo::Uta),
    ("tope_afp_uf", Campo::AfpTopeUf),
    ("tope_afc_uf", Campo::AfcTopeUf),
    ("tope_afp_clp", Campo::AfpTopePesos),
    ("tope_afc_clp", Campo::AfcTopePesos),
    ("imm", Campo::SueldoMinimo),
    ("imm_no_remun", Campo::SueldoMinimoNoRemuneracional),
    ("sis", Campo::Sis),
    ("afp_capital", Campo::AfpCapital),
    ("afp_cuprum", Campo::AfpCuprum),
    ("afp_habitat", Campo::AfpHabitat),
    ("afp_modelo", Campo::AfpModelo),
    ("afp_planvital", Campo::AfpPlanVital),
    ("afp_provida", Campo::AfpProVida),
    ("afp_uno", Campo::AfpUno),
    ("asigfam_a_hasta", Campo::AsigFam1Hasta),
    ("asigfam_a", Campo::AsigFam1),
    ("asigfam_b_hasta", Campo::AsigFam2Hasta),
    ("asigfam_b", Campo::AsigFam2),
    ("asigfam_c_hasta", Campo::AsigFam3Hasta),
    ("asigfam_c", Campo::AsigFam3),
];

type Month = Vec<(Campo, Decimal)>;

/// Reads every file of a folder, and compares.
///
/// # Errors
///
/// [`Error::Io`] for a folder or file that can't be read.
pub fn evaluate(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let files = files(folder)?;
    let months = files
        .iter()
        .find(|(name, _)| name == "indicadores_mensuales.csv")
        .map(|(_, bytes)| months(&String::from_utf8_lossy(bytes)))
        .unwrap_or_default();
    for (name, bytes) in &files {
        let page = name.starts_with("previred_") || name.contains("_facts");
        let table = name.starts_with("impunico") || name.contains("impuesto_unico");
        if page {
            read_page(name, bytes, &months, report);
        } else if table {
            read_tables(name, leer_tablas(&String::from_utf8_lossy(bytes)), report);
        } else if name.contains("params") {
            let tables = serde_json::from_slice(bytes)
                .ok()
                .and_then(|value| brackets(&value));
            if let Some(tables) = tables {
                read_tables(name, Ok(vec![tables]), report);
            }
        }
    }
    for (period, month) in &months {
        if let Some(built_in) = integrados(*period) {
            compare(&format!("built in, {period}"), &built_in, month, report);
        }
    }
    Ok(())
}

/// The months of the CSV. A cell with words in it (`89.9 provisional …`) is no figure.
fn months(text: &str) -> BTreeMap<Periodo, Month> {
    let mut rows = csv::rows(text).into_iter();
    let header = rows.next().unwrap_or_default();
    let month = |row: &Vec<String>| {
        let cell = |column: &str| row.get(header.iter().position(|title| title == column)?);
        let period = Periodo::iso(cell("periodo")?)?;
        let figures = COLUMNS
            .iter()
            .filter_map(|(column, field)| Some((*field, cell(column)?.parse().ok()?)));
        Some((period, figures.collect()))
    };
    rows.filter_map(|row| month(&row)).collect()
}

/// `previred_012024.json`, `previred_2021-04_page.html`, `072021_facts.json`.
fn period_of(name: &str) -> Option<Periodo> {
    name.split(['_', '.']).find_map(Periodo::leer)
}

fn read_page(name: &str, bytes: &[u8], months: &BTreeMap<Periodo, Month>, report: &mut Report) {
    let Some(period) = period_of(name) else {
        report
            .pages
            .push(Line::new(name, "its name has no month", false));
        return;
    };
    let wrong = name.to_lowercase().contains("mock");
    match leer(bytes, period).and_then(|read| check(&read).map(|()| read)) {
        Err(error) => report.pages.push(Line::new(name, refusal(&error), wrong)),
        Ok(read) => {
            let what = format!("{} figures read, checks passed", read.len());
            report.pages.push(Line::new(name, what, !wrong));
            if let Some(month) = months.get(&period) {
                compare(name, &read, month, report);
            }
        }
    }
}

fn check(read: &Indicadores) -> Result<(), PreviredError> {
    let (one, two) = (
        read.periodo().anterior(),
        read.periodo().anterior().anterior(),
    );
    let (previous, before) = (integrados(one), integrados(two));
    comprobar(
        read,
        Vecinos {
            anterior: previous.as_ref(),
            trasanterior: before.as_ref(),
        },
    )
}

fn refusal(error: &PreviredError) -> String {
    match error.kind() {
        PreviredErrorKind::Implausible(failed) => {
            let failed: Vec<String> = failed.iter().map(ToString::to_string).collect();
            format!("refused: {}", failed.join("; "))
        }
        _ => format!("refused: {error}"),
    }
}

/// Only figures that both have are compared.
fn compare(place: &str, read: &Indicadores, month: &Month, report: &mut Report) {
    let both: Vec<_> = month
        .iter()
        .filter_map(|(field, value)| Some((field, value, read.get(*field)?)))
        .collect();
    let different: Vec<String> = both
        .iter()
        .filter(|(_, value, read)| **value != *read)
        .map(|(field, value, read)| format!("{} is {read}, the CSV has {value}", field.nombre()))
        .collect();
    let what = if different.is_empty() {
        format!("{} figures equal", both.len())
    } else {
        different.join("; ")
    };
    report
        .figures
        .push(Line::new(place, what, different.is_empty()));
}

fn read_tables(
    name: &str,
    tables: Result<Vec<TablaPublicada>, PreviredError>,
    report: &mut Report,
) {
    let tables = match tables {
        Ok(tables) => tables,
        Err(error) => {
            report
                .tables
                .push(Line::new(name, error.to_string(), false));
            return;
        }
    };
    // The UTM is the month's own where it is known, so that the table proves it; else the monthly
    // table's first bracket gives it, and the rest prove that.
    let period = tables
        .iter()
        .find_map(|table| table.periodo)
        .or_else(|| period_of(name));
    let known = period
        .and_then(integrados)
        .and_then(|month| month.get(Campo::Utm));
    let monthly = tables
        .iter()
        .find(|table| table.periodicidad == Periodicidad::Mensual);
    let implied = monthly.and_then(|table| utm_implicita(table.tramos.first()?.hasta?));
    let Some(utm) = known.or(implied) else {
        report.tables.push(Line::new(name, "no UTM", false));
        return;
    };
    for table in tables {
        let different = table.diferencias(utm);
        let what = format!(
            "{}, {} brackets, UTM {utm} {}: {}",
            table.periodicidad.nombre(),
            table.tramos.len(),
            if known.is_some() { "known" } else { "implied" },
            if different.is_empty() {
                "equal".to_owned()
            } else {
                different.join("; ")
            }
        );
        report
            .tables
            .push(Line::new(name, what, different.is_empty()));
    }
}

/// The table among a program's parameters.
fn brackets(value: &Value) -> Option<TablaPublicada> {
    let number = |value: &Value| -> Option<Decimal> { value.as_number()?.to_string().parse().ok() };
    let brackets = value["tax_brackets"].as_array()?.iter().map(|bracket| {
        Some(Tramo {
            desde: number(&bracket["from_clp"])?,
            hasta: number(&bracket["to_clp"]),
            factor: number(&bracket["factor"])?,
            rebaja: number(&bracket["rebate_clp"])?,
        })
    });
    Some(TablaPublicada {
        periodo: None,
        periodicidad: Periodicidad::Mensual,
        tramos: brackets.collect::<Option<_>>()?,
    })
}
