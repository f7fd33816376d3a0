//! The days of issue and of payment.
//!
//! Source: formato DTE: `FchEmis` from 2003-04-01 to 2050-12-31, boletas from 2002-08-01
//! (formato boletas); `FchVenc` not before `FchEmis` (formato DTE, IdDoc). One day of grace
//! into the future: a server's day and the issuer's may differ by a time zone.

use jiff::Span;
use jiff::civil::{Date, date};

use super::{Caso, Rule};
use crate::model::TipoDte;
use crate::report::{Code, Findings, Severity};

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

pub(super) static RULE: Rule = Rule {
    name: "fechas",
    about: "Fechas de emisión y de vencimiento.",
    codes: &[&AUSENTE, &FUTURA, &ANTIGUA, &VENCIMIENTO],
    check,
};

const PRIMERA: Date = date(2003, 4, 1);
const PRIMERA_BOLETA: Date = date(2002, 8, 1);

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/IdDoc/FchEmis";
    let id_doc = &caso.documento.encabezado.id_doc;
    if id_doc.fch_emis.es_ausente() {
        let ruta = caso.ruta(CAMPO);
        caso.falta(out, &AUSENTE, ruta, "Falta la fecha de emisión.");
    }
    let Some(emision) = id_doc.fch_emis.valor() else {
        return;
    };
    let hoy = caso.context.today;
    if emision > hoy.saturating_add(Span::new().days(1)) {
        let mensaje =
            format!("La fecha de emisión es {emision} y hoy es {hoy}: está en el futuro.");
        out.add(&FUTURA, caso.ruta(CAMPO), mensaje);
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
    use crate::model::Campo;
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
                    &[],
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
