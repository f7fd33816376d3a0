//! Payslips for the tests: one that is right, and what becomes of it.

use rust_decimal::Decimal;

use super::validate;
use crate::indicadores::integrados;
use crate::json::read_json;
use crate::model::{Linea, Liquidacion};
use crate::report::Finding;
use findings::Severity;

pub(crate) fn d(texto: &str) -> Decimal {
    texto.parse().unwrap()
}

/// A payslip of March 2026 without a defect: 1,000,000 with gratificación and tax.
pub(crate) fn buena() -> Liquidacion {
    read_json(
        r#"{"employee_id": 7, "period": "2026-03", "wage": 1000000, "contract_type": "Indefinido",
        "weekly_hours": 44, "worked_days": 30, "lines": [
        {"code": "BASIC", "name": "Sueldo base", "amount": 1000000},
        {"code": "GRAT", "name": "Gratificación", "amount": 213354},
        {"code": "COL", "name": "Colación", "amount": 60000},
        {"code": "AFP", "name": "AFP Habitat", "amount": 136745},
        {"code": "SALUD", "name": "Fonasa", "amount": 84935},
        {"code": "AFC", "name": "Seguro de cesantía", "amount": 7280},
        {"code": "IUT", "name": "Impuesto único", "amount": 1636}],
        "total_imponible": 1213354, "total_haberes": 1273354, "total_descuentos": 230596,
        "total_liquido": 1042758}"#,
    )
    .unwrap()
}

/// A line of the given code.
pub(crate) fn linea(codigo: &str, nombre: &str, monto: i64) -> Linea {
    Linea {
        ruta: format!("lines[{codigo}]"),
        codigo: Some(codigo.to_owned()),
        nombre: Some(nombre.to_owned()),
        monto: Some(monto.into()),
        ..Linea::default()
    }
}

/// Sets the amount of a line.
pub(crate) fn con(liquidacion: &mut Liquidacion, codigo: &str, monto: i64) {
    let linea = liquidacion
        .lineas
        .iter_mut()
        .find(|linea| linea.codigo.as_deref() == Some(codigo));
    linea.unwrap().monto = Some(monto.into());
}

/// Takes a line away.
pub(crate) fn sin(liquidacion: &mut Liquidacion, codigo: &str) {
    liquidacion
        .lineas
        .retain(|linea| linea.codigo.as_deref() != Some(codigo));
}

/// All findings, with the built-in indicators.
pub(crate) fn hallazgos(liquidacion: &Liquidacion) -> Vec<Finding> {
    let indicadores = liquidacion.periodo.and_then(integrados);
    validate(liquidacion, indicadores.as_ref()).findings
}

/// What a change of the good payslip leads to, without its totals: code, severity, expected.
pub(crate) fn cambio(
    cambiar: impl FnOnce(&mut Liquidacion),
) -> Vec<(&'static str, Severity, Option<Decimal>)> {
    let mut liquidacion = buena();
    liquidacion.totales = crate::model::Totales::default();
    cambiar(&mut liquidacion);
    hallazgos(&liquidacion)
        .into_iter()
        .map(|finding| (finding.code, finding.severity, finding.expected))
        .collect()
}
