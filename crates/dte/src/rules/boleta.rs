//! A boleta's lines and its total: gross, unless IndMntNeto is 2.
//!
//! Source: formato boletas 2024-12: prices include IVA unless `IndMntNeto` is 2; `MntNeto` =
//! gross / 1.19 rounded, `IVA` = MntTotal - MntExe - MntNeto. Both may be left out.

use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::calculo::redondear;
use crate::formulas;
use crate::model::TipoDte;
use crate::report::{Code, Findings};
use findings::Severity;

const TOTAL: Code = Code {
    code: "DTE-BOLETA-TOTAL",
    title: "El total de la boleta no es la suma de sus líneas",
    severity: Severity::Error,
    source: "formato boletas 2024-12, Totales/MntTotal",
    sii_code: None,
};
const NETO: Code = Code {
    code: "DTE-BOLETA-NETO",
    title: "El neto de la boleta no es lo afecto sin su IVA",
    severity: Severity::Error,
    source: "formato boletas 2024-12, Totales/MntNeto",
    sii_code: None,
};
/// The figures agree if the lines are net, and only the mark is missing: whether the prices
/// or the mark are wrong can't be told, so a person should look.
const LINEAS_NETAS: Code = Code {
    code: "DTE-BOLETA-LINEAS-NETAS",
    title: "Las líneas de la boleta parecen netas, pero no lo dicen",
    severity: Severity::Warning,
    source: "formato boletas 2024-12, IdDoc/IndMntNeto",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "boleta",
    about: "Total y neto de una boleta contra sus líneas.",
    codes: &[&TOTAL, &NETO, &LINEAS_NETAS],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let calculo = &caso.calculo;
    let sumas = calculo.afecto.final_.zip(calculo.exento.final_);
    let (Some((afecto, exento)), true) = (sumas, caso.tipo.is_some_and(TipoDte::es_boleta)) else {
        return;
    };
    let totales = &caso.documento.encabezado.totales;
    let (Some(total), false) = (totales.mnt_total.valor(), caso.documento.detalle.is_empty())
    else {
        return;
    };
    if calculo.bruto && lineas_netas(caso, afecto, total) {
        let bruto = caso.cifra(afecto);
        let mensaje = format!(
            "Las líneas suman {bruto}, lo mismo que el neto, y el total es {} (diferencia de {}): o los \
             precios son netos y falta IndMntNeto 2, o el total debería ser {bruto}.",
            caso.cifra(total),
            caso.cifra(total - afecto)
        );
        out.add(
            &LINEAS_NETAS,
            caso.ruta("Encabezado/IdDoc/IndMntNeto"),
            mensaje,
        );
        return;
    }
    let Some(esperado) = total_esperado(caso, afecto, exento) else {
        return;
    };
    let tolerancia = caso.tolerancia(caso.documento.detalle.len());
    caso.comparar(
        out,
        Comparacion {
            code: &TOTAL,
            esperado,
            informado: total,
            tolerancia,
            severity: TOTAL.severity,
        },
        || {
            (
                caso.ruta("Encabezado/Totales/MntTotal"),
                "El total de la boleta (suma de las líneas)".to_owned(),
            )
        },
    );
    neto(caso, out, afecto);
}

fn lineas_netas(caso: &Caso<'_>, afecto: Decimal, total: Decimal) -> bool {
    let totales = &caso.documento.encabezado.totales;
    let exento = totales.mnt_exe.valor_o(Decimal::ZERO);
    let (Some(neto), Some(iva), Some(exento)) =
        (totales.mnt_neto.valor(), totales.iva.valor(), exento)
    else {
        return false;
    };
    let suma = neto
        .checked_add(iva)
        .and_then(|suma| suma.checked_add(exento));
    neto == afecto && !iva.is_zero() && suma == Some(total)
}

fn total_esperado(caso: &Caso<'_>, afecto: Decimal, exento: Decimal) -> Option<Decimal> {
    let total = formulas::total_de_boleta(&caso.calculo, afecto, exento)?;
    let garantia = caso
        .documento
        .encabezado
        .totales
        .grnt_dep
        .valor_o(Decimal::ZERO)?;
    Some(redondear(total.checked_add(garantia)?))
}

/// The net amount of gross lines; net lines have the general rule.
fn neto(caso: &Caso<'_>, out: &mut Findings, afecto: Decimal) {
    let Some(informado) = caso.documento.encabezado.totales.mnt_neto.valor() else {
        return;
    };
    let Some(esperado) = formulas::neto(&caso.calculo, afecto).filter(|_| caso.calculo.bruto)
    else {
        return;
    };
    caso.comparar(
        out,
        Comparacion {
            code: &NETO,
            esperado,
            informado,
            tolerancia: caso.tolerancia(caso.calculo.afecto.lineas),
            severity: NETO.severity,
        },
        || {
            (
                caso.ruta("Encabezado/Totales/MntNeto"),
                "El neto de la boleta (lo afecto sin su IVA)".to_owned(),
            )
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Campo, Documento};
    use crate::rules::pruebas::{m, tabla};

    fn totales(doc: &mut Documento, neto: &str, iva: &str, total: &str) {
        let totales = &mut doc.encabezado.totales;
        (totales.mnt_neto, totales.iva, totales.mnt_total) = (m(neto), m(iva), m(total));
    }

    #[test]
    fn gross_and_net_lines() {
        const TOTAL_MAL: &[(&str, Severity)] = &[("DTE-BOLETA-TOTAL", Severity::Error)];
        tabla(
            &RULE,
            39,
            &[
                (|doc| totales(doc, "12605", "2395", "15000"), &[]),
                (
                    |doc| doc.encabezado.totales.mnt_total = m("15002"),
                    &[("DTE-BOLETA-TOTAL", Severity::Info)],
                ),
                (
                    |doc| doc.encabezado.totales.mnt_total = m("17850"),
                    TOTAL_MAL,
                ),
                (
                    |doc| totales(doc, "12000", "3000", "15000"),
                    &[("DTE-BOLETA-NETO", Severity::Error)],
                ),
                (
                    |doc| totales(doc, "15000", "2850", "17850"),
                    &[("DTE-BOLETA-LINEAS-NETAS", Severity::Warning)],
                ),
                (
                    |doc| {
                        totales(doc, "15000", "2850", "17850");
                        doc.encabezado.id_doc.ind_mnt_neto = Campo::Valor(2);
                    },
                    &[],
                ),
                (
                    |doc| doc.encabezado.id_doc.ind_mnt_neto = Campo::Valor(2),
                    TOTAL_MAL,
                ),
                // lines 15,000; no IVA, so they aren't net ones
                (
                    |doc| totales(doc, "15000", "0", "15000"),
                    &[("DTE-BOLETA-NETO", Severity::Error)],
                ),
                (|doc| doc.detalle[0].ind_exe = Campo::Valor(2), TOTAL_MAL),
                (|doc| doc.detalle[0].monto_item = Campo::Ilegible, &[]),
            ],
        );
        tabla(
            &RULE,
            41,
            &[(
                |doc| doc.encabezado.totales.mnt_total = m("12605"),
                TOTAL_MAL,
            )],
        );
    }
}
