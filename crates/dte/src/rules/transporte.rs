//! A document that travels with goods says how, since 1 May 2026.
//!
//! Source: Res. Ex. SII 154 of 2025, in force from 2026-05-01; formato DTE 2026-02, Transporte.
//! The guía must have the data, or say expressly that they aren't known, which no field is
//! made for: so it is a warning. Other documents travel with goods where TipoDespacho is 2 or
//! 3; whether a guía of its own travels besides, nobody can tell: an info.

use jiff::civil::{Date, date};

use super::{Caso, Rule};
use crate::context::Mode;
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings};
use crate::vigencia::Vigencia;
use findings::Severity;

const INCOMPLETO: Code = Code {
    code: "DTE-TRANSPORTE-INCOMPLETO",
    title: "Faltan datos del transporte de los bienes",
    severity: Severity::Warning,
    source: "Res. Ex. SII 154 de 2025; formato DTE 2026-02, Transporte",
    sii_code: None,
};

/// When the rule holds.
pub(crate) const VIGENCIA: Vigencia = Vigencia::desde(date(2026, 5, 1));

pub(super) static RULE: Rule = Rule {
    name: "transporte",
    about: "Datos del transporte en documentos que acompañan bienes.",
    codes: &[&INCOMPLETO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let id_doc = &caso.documento.encabezado.id_doc;
    let dia = id_doc.fch_emis.valor();
    if caso.es_json() || !VIGENCIA.rige(dia) {
        return;
    }
    let severity = match caso.tipo {
        Some(TipoDte::GuiaDespacho) => Severity::Warning,
        Some(TipoDte::Factura | TipoDte::FacturaExenta | TipoDte::FacturaCompra)
            if matches!(id_doc.tipo_despacho, Campo::Valor(2 | 3)) =>
        {
            Severity::Info
        }
        _ => return,
    };
    let faltan = faltan(caso);
    if faltan.is_empty() {
        return;
    }
    let motivo = match (caso.tipo, id_doc.ind_traslado.valor(), dia) {
        (Some(TipoDte::GuiaDespacho), Some(motivo), Some(dia)) => nombre_traslado(motivo, dia),
        _ => None,
    };
    let motivo = motivo
        .map(|nombre| format!(" ({nombre})"))
        .unwrap_or_default();
    let mensaje = format!(
        "El documento acompaña bienes{motivo} y no dice {}: desde el 1 de mayo de 2026 se indican, o se deja dicho que no se conocen.",
        faltan.join(", ")
    );
    // Its receiver can't change it any more.
    let severity = match caso.context.mode {
        Mode::Emission => severity,
        Mode::Reception => severity.lowered(),
    };
    out.add_as(
        &INCOMPLETO,
        severity,
        caso.ruta("Encabezado/Transporte"),
        mensaje,
    );
}

fn faltan(caso: &Caso<'_>) -> Vec<&'static str> {
    let t = &caso.documento.encabezado.transporte;
    [
        ("Patente", &t.patente),
        ("RUTTrans", &t.rut_trans),
        ("RUTChofer", &t.rut_chofer),
        ("NombreChofer", &t.nombre_chofer),
        ("DirDest", &t.dir_dest),
        ("CmnaDest", &t.cmna_dest),
        ("FchSalida", &t.fch_salida),
        ("HraSalida", &t.hra_salida),
        ("FchLlegada", &t.fch_llegada),
    ]
    .into_iter()
    .filter(|(_, valor)| valor.is_none())
    .map(|(nombre, _)| nombre)
    .collect()
}

/// The name of a reason to move goods on a day: 7 was renamed on 2026-02-16.
pub(crate) fn nombre_traslado(motivo: i64, dia: Date) -> Option<&'static str> {
    const RENOMBRADO: Vigencia = Vigencia::desde(date(2026, 2, 16));
    Some(match motivo {
        1 => "operación constituye venta",
        2 => "ventas por efectuar",
        3 => "consignaciones",
        4 => "entrega gratuita",
        5 => "traslados internos",
        6 => "otros traslados que no son venta",
        7 if RENOMBRADO.rige(Some(dia)) => "devolución de mercaderías",
        7 => "guía de devolución",
        8 => "traslado para exportación",
        9 => "venta para exportación",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::rules::pruebas::{documento, hallazgos_en, hoy, tabla};

    #[test]
    fn from_the_first_of_may_a_guia_says_how_goods_travel() {
        tabla(
            &RULE,
            52,
            &[
                (
                    |doc| doc.encabezado.transporte.patente = None,
                    &[("DTE-TRANSPORTE-INCOMPLETO", Severity::Warning)],
                ),
                (
                    |doc| doc.encabezado.transporte.fch_llegada = None,
                    &[("DTE-TRANSPORTE-INCOMPLETO", Severity::Warning)],
                ),
                (
                    |doc| {
                        doc.encabezado.transporte = crate::model::Transporte::default();
                        doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 4, 30));
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.encabezado.transporte = crate::model::Transporte::default();
                        doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 5, 1));
                    },
                    &[("DTE-TRANSPORTE-INCOMPLETO", Severity::Warning)],
                ),
            ],
        );
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.encabezado.id_doc.tipo_despacho = Campo::Valor(2),
                    &[("DTE-TRANSPORTE-INCOMPLETO", Severity::Info)],
                ),
                (
                    |doc| doc.encabezado.id_doc.tipo_despacho = Campo::Valor(1),
                    &[],
                ),
            ],
        );
    }

    #[test]
    fn a_received_guia_is_past_mending() {
        let mut doc = documento(52);
        doc.encabezado.transporte.patente = None;
        assert_eq!(
            hallazgos_en(&RULE, &doc, &Context::reception(hoy())),
            [("DTE-TRANSPORTE-INCOMPLETO", Severity::Info)]
        );
    }

    #[test]
    fn reasons_have_the_name_of_their_day() {
        let nombre = |motivo, dia| nombre_traslado(motivo, dia).unwrap_or_default();
        assert_eq!(nombre(7, date(2026, 2, 15)), "guía de devolución");
        assert_eq!(nombre(7, date(2026, 2, 16)), "devolución de mercaderías");
        assert!((1..=9).all(|motivo| !nombre(motivo, date(2026, 1, 1)).is_empty()));
        assert_eq!(nombre_traslado(10, date(2026, 1, 1)), None);
    }
}
