//! The document's type, and whether it stands in the body that this type has.
//!
//! Source: formato DTE; DTE_v10.xsd (`Documento`, `Liquidacion`, `Exportaciones`).

use super::{Caso, Rule};
use crate::model::ClaseDocumento;
use crate::model::TipoDte;
use crate::report::{Code, Findings};
use findings::Severity;

const AUSENTE: Code = Code {
    code: "DTE-TIPO-AUSENTE",
    title: "Falta el tipo de documento",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/TipoDTE",
    sii_code: Some("ENV-3-0"),
};
const DESCONOCIDO: Code = Code {
    code: "DTE-TIPO-DESCONOCIDO",
    title: "El tipo no es de un documento electrónico",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/TipoDTE; formato boletas 2024-12",
    sii_code: Some("ENV-3-0"),
};
const CUERPO: Code = Code {
    code: "DTE-TIPO-CUERPO",
    title: "El tipo no corresponde al elemento que lo contiene",
    severity: Severity::Error,
    source: "DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};

pub(super) static RULE: Rule = Rule {
    name: "tipo",
    about: "El tipo de documento y el elemento que lo contiene.",
    codes: &[&AUSENTE, &DESCONOCIDO, &CUERPO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/IdDoc/TipoDTE";
    let campo = caso.documento.encabezado.id_doc.tipo_dte;
    if campo.es_ausente() {
        out.add(
            &AUSENTE,
            caso.ruta(CAMPO),
            "Falta el tipo de documento (TipoDTE).",
        );
    }
    let Some(codigo) = campo.valor() else {
        return;
    };
    let Some(tipo) = caso.tipo else {
        let mensaje = format!("El tipo {codigo} no es de un documento tributario electrónico.");
        out.add(&DESCONOCIDO, caso.ruta(CAMPO), mensaje);
        return;
    };
    let clase = match tipo {
        TipoDte::LiquidacionFactura => ClaseDocumento::Liquidacion,
        tipo if tipo.es_exportacion() => ClaseDocumento::Exportaciones,
        _ => ClaseDocumento::Documento,
    };
    if clase != caso.documento.clase && !caso.es_json() {
        let mensaje = format!(
            "Un documento de tipo {codigo} ({}) va en <{}>, no en <{}>.",
            tipo.nombre(),
            clase.elemento(),
            caso.documento.clase.elemento()
        );
        out.add_form(&CUERPO, caso.ruta(CAMPO), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Campo;
    use crate::rules::pruebas::{documento, hallazgos, tabla};

    #[test]
    fn every_type_is_known_and_others_are_not() {
        for tipo in TipoDte::TODOS {
            assert_eq!(hallazgos(&RULE, &documento(tipo.codigo().into())), []);
        }
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.encabezado.id_doc.tipo_dte = Campo::Valor(30),
                    &[("DTE-TIPO-DESCONOCIDO", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.id_doc.tipo_dte = Campo::Ausente,
                    &[("DTE-TIPO-AUSENTE", Severity::Error)],
                ),
                (|doc| doc.encabezado.id_doc.tipo_dte = Campo::Ilegible, &[]),
                (
                    |doc| doc.encabezado.id_doc.tipo_dte = Campo::Valor(110),
                    &[("DTE-TIPO-CUERPO", Severity::Error)],
                ),
            ],
        );
    }
}
