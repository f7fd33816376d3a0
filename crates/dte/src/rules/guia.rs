//! A guía de despacho says why the goods move, and a sale has amounts.
//!
//! Source: formato DTE, IdDoc/IndTraslado (1 to 9; 7 renamed on 2026-02-16) and Totales:
//! amounts may be 0 unless it is a sale.

use super::{Caso, Rule};
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings, Severity};

const AUSENTE: Code = Code {
    code: "DTE-GUIA-TRASLADO-AUSENTE",
    title: "La guía no dice el motivo del traslado",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/IndTraslado",
    sii_code: Some("ENV-3-0"),
};
const DESCONOCIDO: Code = Code {
    code: "DTE-GUIA-TRASLADO-DESCONOCIDO",
    title: "El motivo del traslado no existe",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/IndTraslado",
    sii_code: Some("ENV-3-0"),
};
const VENTA_EN_CERO: Code = Code {
    code: "DTE-GUIA-VENTA-CERO",
    title: "La guía es una venta, pero su total es cero",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales de la guía de despacho",
    sii_code: None,
};
const AJENO: Code = Code {
    code: "DTE-GUIA-TRASLADO-AJENO",
    title: "Sólo una guía lleva motivo de traslado",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, IdDoc/IndTraslado",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "guia",
    about: "Motivo de traslado de las guías de despacho.",
    codes: &[&AUSENTE, &DESCONOCIDO, &VENTA_EN_CERO, &AJENO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/IdDoc/IndTraslado";
    let motivo = caso.documento.encabezado.id_doc.ind_traslado;
    if !caso.es(TipoDte::GuiaDespacho) {
        // In an invoice that travels with the goods it is optional; the boleta has no such field.
        if motivo.valor().is_some() && caso.tipo.is_some_and(TipoDte::es_boleta) {
            out.add(
                &AJENO,
                caso.ruta(CAMPO),
                "IndTraslado no existe en una boleta.",
            );
        }
        return;
    }
    match motivo {
        Campo::Ausente => {
            let mensaje =
                "La guía de despacho debe decir el motivo del traslado (IndTraslado, 1 a 9).";
            caso.falta(out, &AUSENTE, caso.ruta(CAMPO), mensaje);
        }
        Campo::Valor(codigo) if !(1..=9).contains(&codigo) => {
            let mensaje = format!("El motivo de traslado {codigo} no existe: va de 1 a 9.");
            out.add(&DESCONOCIDO, caso.ruta(CAMPO), mensaje);
        }
        Campo::Valor(1) => {
            let total = caso.documento.encabezado.totales.mnt_total.valor();
            if total.is_some_and(|total| total.is_zero()) {
                let mensaje = "La guía constituye venta (IndTraslado 1), pero su total es $0.";
                out.add(
                    &VENTA_EN_CERO,
                    caso.ruta("Encabezado/Totales/MntTotal"),
                    mensaje,
                );
            }
        }
        Campo::Valor(_) | Campo::Ilegible => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::{m, tabla};

    #[test]
    fn reasons_to_move_goods() {
        tabla(
            &RULE,
            52,
            &[
                (
                    |doc| doc.encabezado.id_doc.ind_traslado = Campo::Ausente,
                    &[("DTE-GUIA-TRASLADO-AUSENTE", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.id_doc.ind_traslado = Campo::Valor(10),
                    &[("DTE-GUIA-TRASLADO-DESCONOCIDO", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.id_doc.ind_traslado = Campo::Valor(9),
                    &[],
                ),
                (
                    |doc| doc.encabezado.totales.mnt_total = m("0"),
                    &[("DTE-GUIA-VENTA-CERO", Severity::Warning)],
                ),
                (
                    |doc| {
                        doc.encabezado.totales.mnt_total = m("0");
                        doc.encabezado.id_doc.ind_traslado = Campo::Valor(5);
                    },
                    &[],
                ),
            ],
        );
        tabla(
            &RULE,
            33,
            &[(
                |doc| doc.encabezado.id_doc.ind_traslado = Campo::Valor(1),
                &[],
            )],
        );
        tabla(
            &RULE,
            39,
            &[(
                |doc| doc.encabezado.id_doc.ind_traslado = Campo::Valor(1),
                &[("DTE-GUIA-TRASLADO-AJENO", Severity::Warning)],
            )],
        );
    }
}
