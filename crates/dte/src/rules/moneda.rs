//! The currency of an export document.
//!
//! Source: formato DTE, Totales/TpoMoneda: mandatory in 110, 111 and 112, by the tax
//! service's own names (DOLAR USA, EURO, PESO CL, …).

use super::{Caso, Rule};
use crate::model::TipoDte;
use crate::report::{Code, Findings};
use findings::Severity;

const AUSENTE: Code = Code {
    code: "DTE-MONEDA-AUSENTE",
    title: "Falta la moneda de un documento de exportación",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/TpoMoneda",
    sii_code: Some("ENV-3-0"),
};

pub(super) static RULE: Rule = Rule {
    name: "moneda",
    about: "Moneda de los documentos de exportación.",
    codes: &[&AUSENTE],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let exportacion = caso.tipo.is_some_and(TipoDte::es_exportacion);
    if exportacion && caso.documento.encabezado.totales.tpo_moneda.is_none() {
        let mensaje = "Falta la moneda (TpoMoneda) del documento de exportación, p. ej. DOLAR USA.";
        caso.falta(
            out,
            &AUSENTE,
            caso.ruta("Encabezado/Totales/TpoMoneda"),
            mensaje,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::tabla;

    #[test]
    fn exports_name_their_currency() {
        for tipo in [110, 111, 112] {
            tabla(
                &RULE,
                tipo,
                &[(
                    |doc| doc.encabezado.totales.tpo_moneda = None,
                    &[("DTE-MONEDA-AUSENTE", Severity::Error)],
                )],
            );
        }
        tabla(&RULE, 33, &[]);
    }
}
