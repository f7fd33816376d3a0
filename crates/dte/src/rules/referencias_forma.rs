//! What a reference points to: a code that exists, a document that can be corrected so, not
//! the document itself.
//!
//! Source: formato DTE, Referencia: codes of TpoDocRef; FolioRef is 0 only with IndGlobal 1;
//! RUTOtr only for a tax document of another taxpayer; what a note can correct. The tax
//! service answers REF-3-415 for a note without a valid reference, REF-2-781 for a
//! correction of text with amounts, HED-3-211 for an invoice's reference in a boleta.

use rust_decimal::Decimal;

use super::{Caso, Rule};
use crate::historia::rut;
use crate::model::{Campo, Referencia, Rut, TipoDte, recortado};
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

const TIPO: Code = codigo(
    "DTE-REF-TIPO",
    "El tipo de documento referido no existe",
    Severity::Warning,
    None,
);
const AJENA: Code = codigo(
    "DTE-REF-NO-CORREGIBLE",
    "La nota no puede corregir un documento de ese tipo",
    Severity::Warning,
    Some("REF-3-415"),
);
const PROPIA: Code = codigo(
    "DTE-REF-PROPIA",
    "El documento se refiere a sí mismo",
    Severity::Error,
    Some("REF-3-415"),
);
const GLOBAL: Code = codigo(
    "DTE-REF-GLOBAL",
    "El folio y el indicador de referencia global no concuerdan",
    Severity::Warning,
    None,
);
const OTRO: Code = codigo(
    "DTE-REF-RUT-OTRO",
    "El RUT de otro contribuyente no corresponde",
    Severity::Warning,
    None,
);
const REPETIDA: Code = codigo(
    "DTE-REF-REPETIDA",
    "Dos referencias son al mismo documento",
    Severity::Info,
    None,
);
const BOLETA: Code = codigo(
    "DTE-REF-BOLETA",
    "Una boleta lleva una referencia de factura",
    Severity::Warning,
    Some("HED-3-211"),
);
const ANULA_CERO: Code = codigo(
    "DTE-REF-ANULA-CERO",
    "Una anulación tiene total cero",
    Severity::Warning,
    Some("REF-2-780"),
);
const TEXTO_CON_PRECIO: Code = codigo(
    "DTE-REF-TEXTO-CON-PRECIO",
    "Una corrección de texto lleva más de una línea, cantidades o precios",
    Severity::Info,
    Some("REF-2-781"),
);

pub(super) static RULE: Rule = Rule {
    name: "referencias_forma",
    about: "A qué documento se refiere cada referencia.",
    codes: &[
        &TIPO,
        &AJENA,
        &PROPIA,
        &GLOBAL,
        &OTRO,
        &REPETIDA,
        &BOLETA,
        &ANULA_CERO,
        &TEXTO_CON_PRECIO,
    ],
    check,
};

/// Codes of tax documents, on paper and electronic.
const TRIBUTARIOS: [i64; 24] = [
    30, 32, 33, 34, 35, 38, 39, 40, 41, 43, 45, 46, 48, 50, 52, 55, 56, 60, 61, 103, 110, 111, 112,
    914,
];
/// At most so many references are compared with each other.
const COMPARADAS: usize = 40;

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let referencias = &caso.documento.referencia;
    for (indice, referencia) in referencias.iter().enumerate() {
        if caso.tipo.is_some_and(TipoDte::es_boleta) {
            boleta(caso, out, indice, referencia);
        } else {
            tipo(caso, out, indice, referencia);
            folio(caso, out, indice, referencia);
            otro(caso, out, indice, referencia);
            let antes = referencias
                .get(..indice.min(COMPARADAS))
                .unwrap_or_default();
            repetida(caso, out, indice, referencia, antes);
        }
    }
    if caso.tipo.is_some_and(TipoDte::es_nota) {
        nota(caso, out);
    }
}

/// The code of a reference, where it is a number.
fn numerico(referencia: &Referencia) -> Option<i64> {
    valores::entero(referencia.tpo_doc_ref.as_deref()?)
}

/// A boleta's references have a code and a reason of the shop, no type and no folio.
fn boleta(caso: &Caso<'_>, out: &mut Findings, indice: usize, referencia: &Referencia) {
    if numerico(referencia).is_some() && referencia.folio_ref.is_some() && !caso.es_json() {
        let mensaje = "Una boleta no lleva referencias con TpoDocRef y FolioRef, como una factura.";
        out.add(
            &BOLETA,
            caso.ruta_de("Referencia", indice, "TpoDocRef"),
            mensaje,
        );
    }
}

fn tipo(caso: &Caso<'_>, out: &mut Findings, indice: usize, referencia: &Referencia) {
    let ruta = || caso.ruta_de("Referencia", indice, "TpoDocRef");
    // Free text is for what isn't a tax document (HES, SET, …): nothing is asked of it.
    let Some(codigo) = numerico(referencia) else {
        return;
    };
    let existe = TRIBUTARIOS.contains(&codigo) || matches!(codigo, 801..=815 | 820..=823);
    if !existe {
        let mensaje = format!(
            "El tipo de documento referido, {codigo}, no está en la tabla del SII; lo que no es tributario va con letras."
        );
        out.add(&TIPO, ruta(), mensaje);
        return;
    }
    let (Some(tipo), false) = (caso.tipo, referencia.cod_ref.es_ausente()) else {
        return;
    };
    if let Some(consejo) = no_corregible(tipo, codigo) {
        let mensaje = format!(
            "Una {} no corrige un documento de tipo {codigo}: {consejo}.",
            tipo.nombre()
        );
        out.add(&AJENA, ruta(), mensaje);
    }
}

/// Why a note can't correct a document of this type; `None` where it can. Guías under a
/// credit note and what export notes correct are of the rule `referencias`.
fn no_corregible(nota: TipoDte, codigo: i64) -> Option<&'static str> {
    match (nota, codigo) {
        (TipoDte::NotaCredito | TipoDte::NotaDebito, 801..) => {
            Some("no es un documento tributario, y su referencia va sin CodRef")
        }
        (TipoDte::NotaCredito | TipoDte::NotaDebito, 110..=112) => {
            Some("para eso están las notas de exportación (111 y 112)")
        }
        (TipoDte::NotaCredito, 60 | 61) => Some("una nota de crédito se corrige con una de débito"),
        (TipoDte::NotaDebito, 50 | 52) => Some("se corrige su factura"),
        _ => None,
    }
}

fn folio(caso: &Caso<'_>, out: &mut Findings, indice: usize, referencia: &Referencia) {
    let es_cero = |folio: &str| !folio.is_empty() && folio.bytes().all(|b| b == b'0');
    let cero = referencia.folio_ref.as_deref().is_some_and(es_cero);
    match referencia.ind_global.valor() {
        Some(1) if !cero && referencia.folio_ref.is_some() => {
            let folio = recortado(referencia.folio_ref.as_deref().unwrap_or_default());
            let mensaje =
                format!("Una referencia global (IndGlobal 1) lleva FolioRef 0, y dice {folio}.");
            out.add(
                &GLOBAL,
                caso.ruta_de("Referencia", indice, "FolioRef"),
                mensaje,
            );
        }
        Some(1) | None => {
            if cero && !referencia.ind_global.es_ilegible() && referencia.ind_global.es_ausente() {
                let mensaje =
                    "FolioRef es 0, que es sólo para una referencia global (IndGlobal 1).";
                out.add(
                    &GLOBAL,
                    caso.ruta_de("Referencia", indice, "FolioRef"),
                    mensaje,
                );
            }
        }
        Some(indicador) => {
            let mensaje = format!("IndGlobal sólo puede ser 1, y dice {indicador}.");
            out.add(
                &GLOBAL,
                caso.ruta_de("Referencia", indice, "IndGlobal"),
                mensaje,
            );
        }
    }
    propia(caso, out, indice, referencia);
}

/// A document can't correct or mention itself.
fn propia(caso: &Caso<'_>, out: &mut Findings, indice: usize, referencia: &Referencia) {
    let id_doc = &caso.documento.encabezado.id_doc;
    let (Some(tipo), Some(folio)) = (id_doc.tipo_dte.valor(), id_doc.folio.valor()) else {
        return;
    };
    let referido = referencia.folio_ref.as_deref().and_then(valores::entero);
    let mismo = numerico(referencia) == Some(tipo) && referido == Some(folio);
    if mismo && referencia.rut_otr.is_none() {
        let mensaje =
            format!("La referencia es a este mismo documento: tipo {tipo}, folio {folio}.");
        out.add(
            &PROPIA,
            caso.ruta_de("Referencia", indice, "FolioRef"),
            mensaje,
        );
    }
}

fn otro(caso: &Caso<'_>, out: &mut Findings, indice: usize, referencia: &Referencia) {
    let Some(texto) = referencia.rut_otr.as_deref() else {
        return;
    };
    let emisor = rut(caso.documento.encabezado.emisor.rut_emisor.as_deref());
    let mensaje = match Rut::leer(texto) {
        Err(_) => format!(
            "«{}» no es un RUT escrito como lo pide el SII (sin puntos, con guion y dígito verificador correcto).",
            recortado(texto)
        ),
        Ok(otro) if Some(otro) == emisor => {
            format!("RUTOtr es el del propio emisor ({otro}): va sólo si el documento es de otro.")
        }
        Ok(otro) if matches!(numerico(referencia), Some(801..)) => format!(
            "RUTOtr ({otro}) es para documentos tributarios de otro contribuyente, no para una orden de compra u otro documento."
        ),
        Ok(_) => return,
    };
    out.add(&OTRO, caso.ruta_de("Referencia", indice, "RUTOtr"), mensaje);
}

fn repetida(
    caso: &Caso<'_>,
    out: &mut Findings,
    indice: usize,
    referencia: &Referencia,
    antes: &[Referencia],
) {
    let (Some(tipo), Some(folio)) = (&referencia.tpo_doc_ref, &referencia.folio_ref) else {
        return;
    };
    // Certification sets repeat `SET` with the case in the reason.
    let igual = |otra: &Referencia| {
        otra.tpo_doc_ref == referencia.tpo_doc_ref
            && otra.folio_ref == referencia.folio_ref
            && otra.rut_otr == referencia.rut_otr
            && otra.razon_ref == referencia.razon_ref
    };
    if antes.iter().any(igual) {
        let (tipo, folio) = (recortado(tipo), recortado(folio));
        let mensaje = format!("La referencia al documento {tipo} N° {folio} está repetida.");
        out.add(
            &REPETIDA,
            caso.ruta_de("Referencia", indice, "FolioRef"),
            mensaje,
        );
    }
}

/// What the code of a note's reference says about its amounts.
fn nota(caso: &Caso<'_>, out: &mut Findings) {
    let con = |codigo| {
        let mut referencias = caso.documento.referencia.iter();
        referencias.any(|referencia| referencia.cod_ref == Campo::Valor(codigo))
    };
    let Some(total) = caso.documento.encabezado.totales.mnt_total.valor() else {
        return;
    };
    // What annuls a correction of text has nothing to annul.
    let sobre_nota = caso
        .documento
        .referencia
        .iter()
        .any(|referencia| matches!(numerico(referencia), Some(55 | 56 | 60 | 61 | 111 | 112)));
    if con(1) && total.is_zero() && !sobre_nota {
        let mensaje = format!(
            "Una anulación (CodRef 1) lleva el total del documento que anula, y dice {}.",
            caso.cifra(total)
        );
        out.add(
            &ANULA_CERO,
            caso.ruta("Encabezado/Totales/MntTotal"),
            mensaje,
        );
    }
    // With amounts in the totals it is said already.
    if !con(2) || con(1) || con(3) || !total.is_zero() {
        return;
    }
    let con_cifra = |campo: Campo<Decimal>| campo.valor().is_some_and(|cifra| !cifra.is_zero());
    let lineas = &caso.documento.detalle;
    let con_precio = lineas
        .iter()
        .position(|linea| con_cifra(linea.prc_item) || con_cifra(linea.monto_item));
    if con_precio.is_some() || lineas.len() > 1 {
        let mensaje = format!(
            "Una corrección de texto (CodRef 2) lleva una sola línea, sin cantidad ni precio; tiene {} líneas{}.",
            lineas.len(),
            if con_precio.is_some() {
                ", con precios"
            } else {
                ""
            }
        );
        out.add(
            &TEXTO_CON_PRECIO,
            caso.ruta_linea(con_precio.unwrap_or(1), ""),
            mensaje,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Documento;
    use crate::rules::pruebas::{documento, hallazgos, linea, m, referencia, tabla};

    fn una(tipo: i64, cambio: fn(&mut Referencia)) -> Vec<(&'static str, Severity)> {
        let mut doc = documento(tipo);
        let mut una = referencia("33", 3);
        if !doc.tipo().is_some_and(TipoDte::es_nota) {
            una.cod_ref = Campo::Ausente;
        }
        cambio(&mut una);
        doc.referencia = vec![una];
        hallazgos(&RULE, &doc)
    }

    #[test]
    fn codes_exist_and_can_be_corrected() {
        let tipo = |r: &mut Referencia, t: &str| r.tpo_doc_ref = Some(t.into());
        assert_eq!(una(33, |r| r.tpo_doc_ref = Some("HES".into())), []);
        assert_eq!(una(33, |r| r.tpo_doc_ref = Some("801".into())), []);
        let existe = [("DTE-REF-TIPO", Severity::Warning)];
        assert_eq!(una(33, |r| r.tpo_doc_ref = Some("816".into())), existe);
        assert_eq!(una(33, |r| r.tpo_doc_ref = Some("31".into())), existe);
        let ajena = [("DTE-REF-NO-CORREGIBLE", Severity::Warning)];
        for (nota, referido, esperado) in [
            (61, "801", &ajena[..]),
            (61, "110", &ajena),
            (61, "61", &ajena),
            (56, "52", &ajena),
            (56, "61", &[]),
            (61, "56", &[]),
            (61, "46", &[]),
        ] {
            let mut doc = documento(nota);
            tipo(&mut doc.referencia[0], referido);
            assert_eq!(hallazgos(&RULE, &doc), esperado, "{nota} {referido}");
        }
        let boleta = [("DTE-REF-BOLETA", Severity::Warning)];
        assert_eq!(una(39, |_| {}), boleta);
        assert_eq!(una(39, |r| r.tpo_doc_ref = None), []);
    }

    #[test]
    fn folios_agree_with_the_global_mark_and_are_not_ones_own() {
        let global = [("DTE-REF-GLOBAL", Severity::Warning)];
        assert_eq!(una(33, |r| r.ind_global = Campo::Valor(1)), global);
        assert_eq!(una(33, |r| r.folio_ref = Some("0".into())), global);
        assert_eq!(una(33, |r| r.ind_global = Campo::Valor(2)), global);
        assert_eq!(
            una(33, |r| {
                r.ind_global = Campo::Valor(1);
                r.folio_ref = Some("0".into());
            }),
            []
        );
        let propia = [("DTE-REF-PROPIA", Severity::Error)];
        assert_eq!(una(33, |r| r.folio_ref = Some("00123".into())), propia);
        let doble: fn(&mut Documento) = |doc| {
            doc.referencia = vec![referencia("33", 3); 2];
        };
        tabla(
            &RULE,
            61,
            &[(doble, &[("DTE-REF-REPETIDA", Severity::Info)])],
        );
    }

    #[test]
    fn another_taxpayer_is_another_one() {
        let otro = [("DTE-REF-RUT-OTRO", Severity::Warning)];
        assert_eq!(una(33, |r| r.rut_otr = Some("60803000-K".into())), []);
        assert_eq!(una(33, |r| r.rut_otr = Some("76192083-9".into())), otro);
        assert_eq!(una(33, |r| r.rut_otr = Some("60803000-1".into())), otro);
        assert_eq!(
            una(33, |r| {
                r.rut_otr = Some("60803000-K".into());
                r.tpo_doc_ref = Some("801".into());
            }),
            otro
        );
    }

    #[test]
    fn codes_say_what_amounts_a_note_has() {
        tabla(
            &RULE,
            61,
            &[
                (
                    |doc| {
                        doc.referencia[0].cod_ref = Campo::Valor(1);
                        doc.encabezado.totales.mnt_total = m("0");
                    },
                    &[("DTE-REF-ANULA-CERO", Severity::Warning)],
                ),
                (
                    |doc| {
                        doc.referencia[0].cod_ref = Campo::Valor(1);
                        doc.referencia[0].tpo_doc_ref = Some("56".into());
                        doc.encabezado.totales.mnt_total = m("0");
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.referencia[0].cod_ref = Campo::Valor(2);
                        doc.encabezado.totales.mnt_total = m("0");
                    },
                    &[("DTE-REF-TEXTO-CON-PRECIO", Severity::Info)],
                ),
                (
                    |doc| {
                        doc.referencia[0].cod_ref = Campo::Valor(2);
                        doc.encabezado.totales.mnt_total = m("0");
                        doc.detalle = vec![linea(1, "0", "0", "0")];
                    },
                    &[],
                ),
            ],
        );
    }
}
