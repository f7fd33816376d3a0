//! The document's number.
//!
//! Source: formato DTE: at most 10 digits, from 1. JSON may come before a folio is taken.

use super::{Caso, Rule};
use crate::report::{Code, Findings};
use findings::Severity;

const AUSENTE: Code = Code {
    code: "DTE-FOLIO-AUSENTE",
    title: "Falta el folio",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/Folio",
    sii_code: Some("ENV-3-0"),
};
const RANGO: Code = Code {
    code: "DTE-FOLIO-RANGO",
    title: "El folio no es un número de 1 a 10 dígitos",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/Folio",
    sii_code: Some("ENV-3-0"),
};

pub(super) static RULE: Rule = Rule {
    name: "folio",
    about: "El folio.",
    codes: &[&AUSENTE, &RANGO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/IdDoc/Folio";
    let folio = caso.documento.encabezado.id_doc.folio;
    if folio.es_ausente() && !caso.es_json() {
        out.add(&AUSENTE, caso.ruta(CAMPO), "Falta el folio del documento.");
    }
    if let Some(folio) = folio.valor()
        && !(1..=9_999_999_999).contains(&folio)
    {
        let mensaje = format!("El folio {folio} está fuera de rango: va de 1 a 9.999.999.999.");
        out.add(&RANGO, caso.ruta(CAMPO), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Campo, Formato};
    use crate::rules::pruebas::tabla;

    #[test]
    fn folios() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.encabezado.id_doc.folio = Campo::Ausente,
                    &[("DTE-FOLIO-AUSENTE", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.id_doc.folio = Campo::Valor(0),
                    &[("DTE-FOLIO-RANGO", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.id_doc.folio = Campo::Valor(-1),
                    &[("DTE-FOLIO-RANGO", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.id_doc.folio = Campo::Valor(9_999_999_999),
                    &[],
                ),
                (
                    |doc| doc.encabezado.id_doc.folio = Campo::Valor(10_000_000_000),
                    &[("DTE-FOLIO-RANGO", Severity::Error)],
                ),
                (|doc| doc.encabezado.id_doc.folio = Campo::Ilegible, &[]),
                (
                    |doc| {
                        doc.lectura.formato = Formato::Json;
                        doc.encabezado.id_doc.folio = Campo::Ausente;
                    },
                    &[],
                ),
            ],
        );
    }
}
