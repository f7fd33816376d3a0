//! References among themselves and against the document: their numbers, days and codes.
//!
//! Source: formato DTE 2026-02, Referencia: NroLinRef from 1 to 40, one after another; CodRef is
//! for notes; what a note corrects has a number, which the tax service looks up (REF-3-750
//! where it has no such document).

use jiff::Span;

use super::{Caso, Rule};
use crate::model::{Referencia, TipoDte, recortado};
use crate::report::{Code, Findings};
use crate::valores;
use findings::Severity;

const FUENTE: &str = "formato DTE 2026-02, Referencia";

const fn codigo(
    code: &'static str,
    title: &'static str,
    severity: Severity,
    sii_code: Option<&'static str>,
) -> Code {
    Code {
        code,
        title,
        severity,
        source: FUENTE,
        sii_code,
    }
}

const NUMERO: Code = codigo(
    "DTE-REF-NUMERO",
    "Las referencias no están numeradas de corrido desde 1",
    Severity::Info,
    None,
);
const POSTERIOR: Code = codigo(
    "DTE-REF-FECHA-POSTERIOR",
    "El documento referido es posterior a este",
    Severity::Warning,
    None,
);
const AJENO: Code = codigo(
    "DTE-REF-CODREF-AJENO",
    "Sólo una nota lleva código de referencia",
    Severity::Info,
    None,
);
const FOLIO: Code = codigo(
    "DTE-REF-FOLIO",
    "El folio de un documento electrónico referido no es un número",
    Severity::Warning,
    Some("REF-3-750"),
);
const LETRAS: Code = codigo(
    "DTE-REF-CODREF-LETRAS",
    "Una nota corrige algo que no es un documento tributario",
    Severity::Warning,
    Some("REF-3-415"),
);

pub(super) static RULE: Rule = Rule {
    name: "referencias_orden",
    about: "Número, fecha y código de cada referencia frente al documento.",
    codes: &[&NUMERO, &POSTERIOR, &AJENO, &FOLIO, &LETRAS],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let Some(tipo) = caso.tipo else {
        return;
    };
    // The contract's JSON has no numbers, and a boleta's references are notes of the shop.
    if !caso.es_json() {
        numeros(caso, out);
    }
    if tipo.es_boleta() {
        return;
    }
    for (indice, referencia) in caso.documento.referencia.iter().enumerate() {
        posterior(caso, out, indice, referencia);
        codigo_de(caso, out, tipo, indice, referencia);
        folio(caso, out, indice, referencia);
    }
}

/// The first reference whose number isn't its place.
fn numeros(caso: &Caso<'_>, out: &mut Findings) {
    let mut referencias = caso.documento.referencia.iter().enumerate();
    let salto = referencias.find_map(|(indice, referencia)| {
        let numero = referencia.nro_lin_ref.valor()?;
        (usize::try_from(numero) != Ok(indice + 1)).then_some((indice, numero))
    });
    if let Some((indice, numero)) = salto {
        let mensaje = format!(
            "La referencia {} lleva el número {numero}: van de corrido desde 1.",
            indice + 1
        );
        out.add(
            &NUMERO,
            caso.ruta_de("Referencia", indice, "NroLinRef"),
            mensaje,
        );
    }
}

/// Nothing refers to what isn't yet. What is in the future the rule `referencias` says.
fn posterior(caso: &Caso<'_>, out: &mut Findings, indice: usize, referencia: &Referencia) {
    let emision = caso.documento.encabezado.id_doc.fch_emis.valor();
    let (Some(referida), Some(emision)) = (referencia.fch_ref.valor(), emision) else {
        return;
    };
    let manana = caso.context.today.saturating_add(Span::new().days(1));
    let dicho = || out.habla_de(&caso.ruta("Encabezado/IdDoc/FchEmis"));
    if referida > emision && referida <= manana && !dicho() {
        let mensaje = format!(
            "La referencia es a un documento del {referida}, posterior a la emisión de este, el {emision}."
        );
        out.add(
            &POSTERIOR,
            caso.ruta_de("Referencia", indice, "FchRef"),
            mensaje,
        );
    }
}

fn codigo_de(
    caso: &Caso<'_>,
    out: &mut Findings,
    tipo: TipoDte,
    indice: usize,
    referencia: &Referencia,
) {
    let Some(codigo) = referencia.cod_ref.valor() else {
        return;
    };
    if !tipo.es_nota() {
        let mensaje = format!(
            "La referencia lleva CodRef {codigo}: anular o corregir es de las notas de crédito y de débito."
        );
        out.add(
            &AJENO,
            caso.ruta_de("Referencia", indice, "CodRef"),
            mensaje,
        );
        return;
    }
    let letras = referencia.tpo_doc_ref.as_deref();
    if let Some(letras) = letras.filter(|texto| valores::entero(texto).is_none()) {
        let mensaje = format!(
            "La nota corrige (CodRef {codigo}) un documento de tipo «{}», que no es tributario.",
            recortado(letras)
        );
        out.add(
            &LETRAS,
            caso.ruta_de("Referencia", indice, "TpoDocRef"),
            mensaje,
        );
    }
}

/// An electronic document has a number; papers of the shop may have anything.
fn folio(caso: &Caso<'_>, out: &mut Findings, indice: usize, referencia: &Referencia) {
    let tipo = referencia.tpo_doc_ref.as_deref().and_then(valores::entero);
    let (Some(tipo), Some(folio)) = (
        tipo.and_then(TipoDte::desde_codigo),
        referencia.folio_ref.as_deref(),
    ) else {
        return;
    };
    if valores::entero(folio).is_none() {
        let mensaje = format!(
            "El folio de una {} es un número, y la referencia dice «{}».",
            tipo.nombre(),
            recortado(folio)
        );
        out.add(
            &FOLIO,
            caso.ruta_de("Referencia", indice, "FolioRef"),
            mensaje,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Campo;
    use crate::rules::pruebas::{referencia, tabla};
    use jiff::civil::date;

    #[test]
    fn of_an_invoice() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| {
                        let mut orden = referencia("801", 1);
                        orden.cod_ref = Campo::Ausente;
                        orden.folio_ref = Some("OC-7".into());
                        doc.referencia = vec![orden];
                    },
                    &[],
                ),
                (
                    |doc| doc.referencia = vec![referencia("801", 1)],
                    &[("DTE-REF-CODREF-AJENO", Severity::Info)],
                ),
            ],
        );
    }

    #[test]
    fn of_a_note() {
        tabla(
            &RULE,
            61,
            &[
                (
                    |doc| doc.referencia[0].fch_ref = Campo::Valor(date(2026, 11, 21)),
                    &[("DTE-REF-FECHA-POSTERIOR", Severity::Warning)],
                ),
                (
                    |doc| doc.referencia[0].fch_ref = Campo::Valor(date(2026, 11, 20)),
                    &[],
                ),
                (
                    |doc| doc.referencia[0].nro_lin_ref = Campo::Valor(2),
                    &[("DTE-REF-NUMERO", Severity::Info)],
                ),
                (
                    |doc| doc.referencia.push(doc.referencia[0].clone()),
                    &[("DTE-REF-NUMERO", Severity::Info)],
                ),
                (
                    |doc| doc.referencia[0].folio_ref = Some("A-1".into()),
                    &[("DTE-REF-FOLIO", Severity::Warning)],
                ),
                (
                    |doc| doc.referencia[0].tpo_doc_ref = Some("OC".into()),
                    &[("DTE-REF-CODREF-LETRAS", Severity::Warning)],
                ),
                (|doc| doc.encabezado.id_doc.tipo_dte = Campo::Valor(99), &[]),
            ],
        );
    }
}
