//! The net amount is the sum of the affected lines after the global discounts.
//!
//! Source: formato DTE, Totales/MntNeto; where the lines include IVA (MntBruto 1, and
//! boletas but for IndMntNeto 2) the sum is divided by 1.19 and rounded.

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::formulas;
use crate::model::TipoDte;
use crate::report::{Code, Findings};
use findings::Severity;

const CALCULO: Code = Code {
    code: "DTE-NETO-CALCULO",
    title: "El monto neto no es la suma de las líneas afectas",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MntNeto",
    sii_code: None,
};
const AUSENTE: Code = Code {
    code: "DTE-NETO-AUSENTE",
    title: "Falta el monto neto",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MntNeto",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "neto",
    about: "Monto neto contra la suma de las líneas afectas.",
    codes: &[&CALCULO, &AUSENTE],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/Totales/MntNeto";
    let (Some(tipo), Some(suma)) = (caso.tipo, caso.calculo.afecto.final_) else {
        return;
    };
    // Exempt types have a rule of their own, boletas with gross lines as well. Lines of a
    // guía with an own IndExe (4, 5) may or may not count: the format leaves it open.
    if tipo.es_exento() || caso.calculo.guia > 0 || caso.documento.detalle.is_empty() {
        return;
    }
    let neto = caso.documento.encabezado.totales.mnt_neto;
    if neto.es_ausente() {
        let sin_venta = tipo == TipoDte::GuiaDespacho;
        if !suma.is_zero() && !tipo.es_boleta() && !sin_venta {
            let mensaje = format!(
                "Las líneas afectas suman {}, pero falta el monto neto (MntNeto).",
                caso.cifra(suma)
            );
            caso.falta(out, &AUSENTE, caso.ruta(CAMPO), mensaje);
        }
        return;
    }
    let Some(informado) = neto.valor() else {
        return;
    };
    if tipo.es_boleta() && caso.calculo.bruto {
        return;
    }
    let figura = |suma| formulas::neto(&caso.calculo, suma);
    let Some(esperado) = caso.calculo.afecto.cercana(informado, figura) else {
        return;
    };
    let que = if caso.calculo.bruto {
        "El monto neto (suma de las líneas con IVA, sin el IVA)"
    } else {
        "El monto neto (suma de las líneas afectas, con descuentos y recargos globales)"
    };
    // An unsold guía may have amounts of reference only.
    let venta = tipo != TipoDte::GuiaDespacho || !informado.is_zero();
    if venta {
        caso.comparar(
            out,
            Comparacion {
                code: &CALCULO,
                esperado,
                informado,
                tolerancia: caso.tolerancia(caso.calculo.afecto.lineas),
                severity: CALCULO.severity,
            },
            || (caso.ruta(CAMPO), que.to_owned()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Campo, Documento, DscRcgGlobal};
    use crate::rules::pruebas::{m, tabla};

    fn global(doc: &mut Documento, mov: &str, tipo: &str, valor: &str) {
        doc.dsc_rcg_global.push(DscRcgGlobal {
            tpo_mov: Some(mov.into()),
            tpo_valor: Some(tipo.into()),
            valor_dr: m(valor),
            ..DscRcgGlobal::default()
        });
    }

    #[test]
    fn net_amount_against_lines() {
        const MAL: &[(&str, Severity)] = &[("DTE-NETO-CALCULO", Severity::Error)];
        const REDONDEO: &[(&str, Severity)] = &[("DTE-NETO-CALCULO", Severity::Info)];
        for tipo in [33, 46, 52, 56, 61, 43] {
            tabla(
                &RULE,
                tipo,
                &[
                    // as many pesos as lines
                    (|doc| doc.encabezado.totales.mnt_neto = m("15002"), REDONDEO),
                    (|doc| doc.encabezado.totales.mnt_neto = m("15003"), MAL),
                    (|doc| doc.encabezado.totales.mnt_neto = m("14997"), MAL),
                    (|doc| doc.detalle[0].ind_exe = Campo::Valor(1), MAL),
                    (|doc| doc.detalle[0].ind_exe = Campo::Ilegible, &[]),
                    (|doc| doc.detalle[0].monto_item = Campo::Ilegible, &[]),
                    (|doc| doc.encabezado.totales.mnt_neto = Campo::Ilegible, &[]),
                ],
            );
        }
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.encabezado.totales.mnt_neto = Campo::Ausente,
                    &[("DTE-NETO-AUSENTE", Severity::Error)],
                ),
                (|doc| doc.encabezado.id_doc.mnt_bruto = Campo::Valor(1), MAL),
                (
                    |doc| {
                        doc.encabezado.id_doc.mnt_bruto = Campo::Valor(1);
                        doc.encabezado.totales.mnt_neto = m("12605");
                    },
                    &[],
                ),
                (|doc| global(doc, "D", "$", "1000"), MAL),
                (
                    |doc| {
                        global(doc, "D", "%", "10");
                        global(doc, "R", "$", "500");
                        doc.encabezado.totales.mnt_neto = m("14000");
                    },
                    &[],
                ),
                // two percentages: either reading
                (
                    |doc| {
                        global(doc, "D", "%", "10");
                        global(doc, "D", "%", "10");
                        doc.encabezado.totales.mnt_neto = m("12000");
                    },
                    &[],
                ),
                (
                    |doc| {
                        global(doc, "D", "%", "10");
                        global(doc, "D", "%", "10");
                        doc.encabezado.totales.mnt_neto = m("12150");
                    },
                    &[],
                ),
            ],
        );
        tabla(
            &RULE,
            52,
            &[(|doc| doc.encabezado.totales.mnt_neto = Campo::Ausente, &[])],
        );
        tabla(
            &RULE,
            39,
            &[(|doc| doc.encabezado.totales.mnt_neto = m("1"), &[])],
        );
    }
}
