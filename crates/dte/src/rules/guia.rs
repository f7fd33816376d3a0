//! A guía de despacho says why the goods move, and a sale has amounts.
//!
//! Source: formato DTE, IdDoc/IndTraslado (1 to 9; 7 renamed on 2026-02-16) and Totales:
//! amounts may be 0 unless it is a sale.

use super::{Caso, Rule};
use crate::historia::rut;
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

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

const EXPORTACION: Code = Code {
    code: "DTE-GUIA-EXPORTACION",
    title: "Una guía para exportación no dice quién traslada o cuántos bultos",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Emisor/GuiaExport y Transporte/Aduana/TotBultos",
    sii_code: None,
};
const DESPACHO: Code = Code {
    code: "DTE-GUIA-INTERNA-DESPACHO",
    title: "Un traslado interno lleva tipo de despacho",
    severity: Severity::Info,
    source: "reparos del SII vistos en terreno, IdDoc/TipoDespacho",
    sii_code: None,
};
const INTERNO: Code = Code {
    code: "DTE-GUIA-INTERNA-RECEPTOR",
    title: "Un traslado interno va a otro contribuyente",
    severity: Severity::Info,
    source: "formato DTE 2026-02, IdDoc/IndTraslado",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "guia",
    about: "Motivo de traslado de las guías de despacho.",
    codes: &[
        &AUSENTE,
        &DESCONOCIDO,
        &VENTA_EN_CERO,
        &AJENO,
        &EXPORTACION,
        &DESPACHO,
        &INTERNO,
    ],
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
        Campo::Valor(5) => interna(caso, out),
        Campo::Valor(8 | 9) if !caso.es_json() => exportacion(caso, out),
        Campo::Valor(_) | Campo::Ilegible => {}
    }
}

/// Between places of one taxpayer.
fn interna(caso: &Caso<'_>, out: &mut Findings) {
    let encabezado = &caso.documento.encabezado;
    if encabezado.id_doc.tipo_despacho.valor().is_some() {
        let mensaje = "En un traslado interno (IndTraslado 5) no se informa TipoDespacho: el SII lo ha reparado.";
        out.add(
            &DESPACHO,
            caso.ruta("Encabezado/IdDoc/TipoDespacho"),
            mensaje,
        );
    }
    let emisor = rut(encabezado.emisor.rut_emisor.as_deref());
    let receptor = rut(encabezado.receptor.rut_recep.as_deref());
    if let (Some(emisor), Some(receptor)) = (emisor, receptor)
        && emisor != receptor
    {
        let mensaje = format!(
            "El traslado es interno (IndTraslado 5), pero el receptor es {receptor} y no el emisor, {emisor}."
        );
        out.add(&INTERNO, caso.ruta("Encabezado/Receptor/RUTRecep"), mensaje);
    }
}

/// Out of the country: by whom, and in how many packages.
fn exportacion(caso: &Caso<'_>, out: &mut Findings) {
    let encabezado = &caso.documento.encabezado;
    let guia = encabezado.emisor.guia_export.as_ref();
    let mut faltan = Vec::new();
    let codigo = guia.map(|guia| guia.cdg_traslado).unwrap_or_default();
    if codigo.es_ausente() {
        faltan.push("CdgTraslado");
    }
    if codigo.valor() == Some(4) {
        let sin = |valor: fn(&crate::model::GuiaExport) -> &Option<String>| {
            guia.is_none_or(|guia| valor(guia).is_none())
        };
        faltan.extend(sin(|guia| &guia.folio_aut).then_some("FolioAut"));
        faltan.extend(sin(|guia| &guia.fch_aut).then_some("FchAut"));
    }
    let aduana = encabezado.transporte.aduana.as_ref();
    if aduana.is_none_or(|aduana| aduana.tot_bultos.es_ausente()) {
        faltan.push("TotBultos");
    }
    if !faltan.is_empty() {
        let mensaje = format!(
            "La guía es para exportación (IndTraslado 8 o 9) y no dice {}.",
            faltan.join(", ")
        );
        out.add(
            &EXPORTACION,
            caso.ruta("Encabezado/IdDoc/IndTraslado"),
            mensaje,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Aduana, GuiaExport};
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
                    &[("DTE-GUIA-EXPORTACION", Severity::Warning)],
                ),
                (
                    |doc| {
                        doc.encabezado.id_doc.ind_traslado = Campo::Valor(8);
                        doc.encabezado.emisor.guia_export = Some(GuiaExport {
                            cdg_traslado: Campo::Valor(1),
                            ..GuiaExport::default()
                        });
                        doc.encabezado.transporte.aduana = Some(Aduana {
                            tot_bultos: Campo::Valor(3),
                            ..Aduana::default()
                        });
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.encabezado.id_doc.ind_traslado = Campo::Valor(5);
                        doc.encabezado.id_doc.tipo_despacho = Campo::Valor(2);
                    },
                    &[
                        ("DTE-GUIA-INTERNA-DESPACHO", Severity::Info),
                        ("DTE-GUIA-INTERNA-RECEPTOR", Severity::Info),
                    ],
                ),
                (
                    |doc| doc.encabezado.totales.mnt_total = m("0"),
                    &[("DTE-GUIA-VENTA-CERO", Severity::Warning)],
                ),
                (
                    |doc| {
                        doc.encabezado.totales.mnt_total = m("0");
                        doc.encabezado.id_doc.ind_traslado = Campo::Valor(5);
                        doc.encabezado.receptor.rut_recep = Some("76192083-9".into());
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
