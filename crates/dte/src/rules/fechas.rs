//! The days of issue and of payment.
//!
//! Source: formato DTE: `FchEmis` from 2003-04-01 to 2050-12-31, boletas from 2002-08-01
//! (formato boletas); `FchVenc` not before `FchEmis` (formato DTE, IdDoc). Of one day
//! into the future it is only told: a server's day and the issuer's may differ by a time zone.

use jiff::Span;
use jiff::civil::{Date, date};

use super::{Caso, Rule};
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const AUSENTE: Code = Code {
    code: "DTE-FECHA-AUSENTE",
    title: "Falta la fecha de emisión",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/FchEmis",
    sii_code: Some("ENV-3-0"),
};
const FUTURA: Code = Code {
    code: "DTE-FECHA-FUTURA",
    title: "La fecha de emisión está en el futuro",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/FchEmis",
    sii_code: None,
};
const ANTIGUA: Code = Code {
    code: "DTE-FECHA-ANTIGUA",
    title: "La fecha es anterior a la factura electrónica",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/FchEmis; formato boletas 2024-12",
    sii_code: Some("ENV-3-0"),
};
const VENCIMIENTO: Code = Code {
    code: "DTE-FECHA-VENCIMIENTO",
    title: "El vencimiento es anterior a la emisión",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, IdDoc/FchVenc",
    sii_code: None,
};

const PERIODO: Code = Code {
    code: "DTE-FECHA-PERIODO",
    title: "El período facturado termina antes de empezar, o le falta un extremo",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, IdDoc/PeriodoDesde y PeriodoHasta",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "fechas",
    about: "Fechas de emisión, de vencimiento y del período facturado.",
    codes: &[&AUSENTE, &FUTURA, &ANTIGUA, &VENCIMIENTO, &PERIODO],
    check,
};

const PRIMERA: Date = date(2003, 4, 1);
const PRIMERA_BOLETA: Date = date(2002, 8, 1);

/// The period that a regular service is billed for.
fn periodo(caso: &Caso<'_>, out: &mut Findings) {
    let id_doc = &caso.documento.encabezado.id_doc;
    let (campo, mensaje) = match (id_doc.periodo_desde, id_doc.periodo_hasta) {
        (Campo::Valor(desde), Campo::Valor(hasta)) if hasta < desde => (
            "PeriodoHasta",
            format!("El período facturado va del {desde} al {hasta}: termina antes de empezar."),
        ),
        (Campo::Valor(desde), Campo::Ausente) => (
            "PeriodoHasta",
            format!("El período facturado empieza el {desde} y no dice cuándo termina."),
        ),
        (Campo::Ausente, Campo::Valor(hasta)) => (
            "PeriodoDesde",
            format!("El período facturado termina el {hasta} y no dice cuándo empieza."),
        ),
        _ => return,
    };
    let ruta = caso.ruta(&format!("Encabezado/IdDoc/{campo}"));
    out.add(&PERIODO, ruta, mensaje);
}

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/IdDoc/FchEmis";
    periodo(caso, out);
    let id_doc = &caso.documento.encabezado.id_doc;
    if id_doc.fch_emis.es_ausente() {
        let ruta = caso.ruta(CAMPO);
        caso.falta(out, &AUSENTE, ruta, "Falta la fecha de emisión.");
    }
    let Some(emision) = id_doc.fch_emis.valor() else {
        return;
    };
    let hoy = caso.context.today;
    if emision > hoy {
        let manana = emision <= hoy.saturating_add(Span::new().days(1));
        let severity = if manana {
            Severity::Info
        } else {
            FUTURA.severity
        };
        let mensaje =
            format!("La fecha de emisión es {emision} y hoy es {hoy}: está en el futuro.");
        out.add_as(&FUTURA, severity, caso.ruta(CAMPO), mensaje);
    }
    let boleta = caso.tipo.is_some_and(TipoDte::es_boleta);
    let primera = if boleta { PRIMERA_BOLETA } else { PRIMERA };
    if emision < primera {
        let mensaje =
            format!("La fecha de emisión es {emision}, anterior al {primera}, la primera posible.");
        out.add(&ANTIGUA, caso.ruta(CAMPO), mensaje);
    }
    if let Some(vencimiento) = id_doc.fch_venc.valor()
        && vencimiento < emision
    {
        let mensaje =
            format!("El vencimiento ({vencimiento}) es anterior a la emisión ({emision}).");
        out.add(&VENCIMIENTO, caso.ruta("Encabezado/IdDoc/FchVenc"), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::tabla;

    #[test]
    fn days() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.encabezado.id_doc.fch_emis = Campo::Ausente,
                    &[("DTE-FECHA-AUSENTE", Severity::Error)],
                ),
                (|doc| doc.encabezado.id_doc.fch_emis = Campo::Ilegible, &[]),
                (
                    |doc| doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 11, 23)),
                    &[("DTE-FECHA-FUTURA", Severity::Info)],
                ),
                (
                    |doc| {
                        doc.encabezado.id_doc.periodo_desde = Campo::Valor(date(2026, 10, 1));
                        doc.encabezado.id_doc.periodo_hasta = Campo::Valor(date(2026, 10, 31));
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.encabezado.id_doc.periodo_desde = Campo::Valor(date(2026, 10, 31));
                        doc.encabezado.id_doc.periodo_hasta = Campo::Valor(date(2026, 10, 1));
                    },
                    &[("DTE-FECHA-PERIODO", Severity::Warning)],
                ),
                (
                    |doc| doc.encabezado.id_doc.periodo_hasta = Campo::Valor(date(2026, 10, 1)),
                    &[("DTE-FECHA-PERIODO", Severity::Warning)],
                ),
                (
                    |doc| doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 11, 24)),
                    &[("DTE-FECHA-FUTURA", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2003, 4, 1)),
                    &[],
                ),
                (
                    |doc| doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2003, 3, 31)),
                    &[("DTE-FECHA-ANTIGUA", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.id_doc.fch_venc = Campo::Valor(date(2026, 11, 20)),
                    &[],
                ),
                (
                    |doc| doc.encabezado.id_doc.fch_venc = Campo::Valor(date(2026, 11, 19)),
                    &[("DTE-FECHA-VENCIMIENTO", Severity::Warning)],
                ),
            ],
        );
        tabla(
            &RULE,
            39,
            &[
                (
                    |doc| doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2002, 8, 1)),
                    &[],
                ),
                (
                    |doc| doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2002, 7, 31)),
                    &[("DTE-FECHA-ANTIGUA", Severity::Error)],
                ),
            ],
        );
    }
}
