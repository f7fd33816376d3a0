//! References: what a note needs, and what its code says about its amounts.
//!
//! Source: formato DTE: references with CodRef are mandatory in 56, 61, 111 and 112; 1
//! annuls, 2 corrects text (no amounts), 3 corrects amounts (more than 0); "annuls" and
//! "corrects text" need exactly one; a credit note doesn't reference a guía; notes over
//! exports reference an export. Codes of the tax service as seen in the field.

use jiff::Span;
use jiff::civil::{Date, date};

use super::{Caso, Rule};
use crate::model::{Campo, Referencia, TipoDte};
use crate::report::{Code, Findings};
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

const AUSENTE: Code = codigo(
    "DTE-REF-AUSENTE",
    "Una nota no dice qué documento corrige",
    Severity::Error,
    Some("REF-3-415"),
);
const SIN_CODIGO: Code = codigo(
    "DTE-REF-CODREF-AUSENTE",
    "Una nota no dice qué le hace al documento que corrige",
    Severity::Error,
    Some("REF-3-415"),
);
const CODIGO: Code = codigo(
    "DTE-REF-CODREF",
    "El código de referencia no existe",
    Severity::Error,
    Some("ENV-3-0"),
);
const VARIAS: Code = codigo(
    "DTE-REF-UNICA",
    "Anular o corregir texto se hace con una sola referencia",
    Severity::Warning,
    None,
);
const GUIA: Code = codigo(
    "DTE-REF-GUIA",
    "Una nota de crédito no puede corregir una guía de despacho",
    Severity::Error,
    Some("REF-3-415"),
);
const EXPORTACION: Code = codigo(
    "DTE-REF-EXPORTACION",
    "Una nota de exportación debe corregir un documento de exportación",
    Severity::Error,
    Some("REF-3-415"),
);
const TEXTO: Code = codigo(
    "DTE-REF-TEXTO-CON-MONTO",
    "Una corrección de texto lleva montos",
    Severity::Warning,
    Some("REF-2-781"),
);
const MONTO_CERO: Code = codigo(
    "DTE-REF-MONTO-CERO",
    "Una corrección de montos tiene total cero",
    Severity::Warning,
    Some("REF-2-768"),
);
const EXCESO: Code = codigo(
    "DTE-REF-EXCESO",
    "Hay demasiadas referencias",
    Severity::Error,
    Some("ENV-3-0"),
);
const INCOMPLETA: Code = codigo(
    "DTE-REF-INCOMPLETA",
    "Una referencia no dice el tipo o el folio",
    Severity::Warning,
    Some("ENV-3-0"),
);
const FECHA: Code = codigo(
    "DTE-REF-FECHA",
    "La fecha de una referencia está fuera de rango",
    Severity::Warning,
    Some("ENV-3-0"),
);

pub(super) static RULE: Rule = Rule {
    name: "referencias",
    about: "Referencias a otros documentos y sus códigos.",
    codes: &[
        &AUSENTE,
        &SIN_CODIGO,
        &CODIGO,
        &VARIAS,
        &GUIA,
        &EXPORTACION,
        &TEXTO,
        &MONTO_CERO,
        &EXCESO,
        &INCOMPLETA,
        &FECHA,
    ],
    check,
};

const MAXIMO: usize = 40;
const PRIMERA: Date = date(2002, 8, 1);

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let referencias = &caso.documento.referencia;
    if referencias.len() > MAXIMO {
        let mensaje = format!(
            "Hay {} referencias; el máximo es {MAXIMO}.",
            referencias.len()
        );
        out.add(&EXCESO, caso.ruta("Referencia"), mensaje);
    }
    for (indice, referencia) in referencias.iter().enumerate() {
        una(caso, out, indice, referencia);
    }
    if let Some(tipo) = caso.tipo.filter(|tipo| tipo.es_nota()) {
        nota(caso, out, tipo);
    }
}

fn una(caso: &Caso<'_>, out: &mut Findings, indice: usize, referencia: &Referencia) {
    let ruta = |campo| caso.ruta_de("Referencia", indice, campo);
    if let Some(codigo) = referencia.cod_ref.valor()
        && !(1..=3).contains(&codigo)
        && !caso.tipo.is_some_and(TipoDte::es_boleta)
    {
        let mensaje = format!(
            "El código de referencia {codigo} no existe: 1 anula, 2 corrige texto, 3 corrige montos."
        );
        out.add(&CODIGO, ruta("CodRef"), mensaje);
    }
    // A boleta's references are notes of the shop (cash desk, customer), with fields of their own.
    if !caso.tipo.is_some_and(TipoDte::es_boleta) {
        for (campo, valor) in [
            ("TpoDocRef", &referencia.tpo_doc_ref),
            ("FolioRef", &referencia.folio_ref),
        ] {
            if valor.is_none() {
                let mensaje = format!("La referencia {} no tiene {campo}.", indice + 1);
                out.add(&INCOMPLETA, ruta(campo), mensaje);
            }
        }
    }
    let Some(fecha) = referencia.fch_ref.valor() else {
        return;
    };
    let hoy = caso.context.today;
    if fecha < PRIMERA || fecha > hoy.saturating_add(Span::new().days(1)) {
        let mensaje = format!(
            "La fecha de la referencia, {fecha}, debe estar entre {PRIMERA} y hoy ({hoy})."
        );
        out.add(&FECHA, ruta("FchRef"), mensaje);
    }
}

fn nota(caso: &Caso<'_>, out: &mut Findings, tipo: TipoDte) {
    let referencias = &caso.documento.referencia;
    if referencias.is_empty() {
        let mensaje = format!(
            "Una {} debe decir en Referencia qué documento corrige.",
            tipo.nombre()
        );
        caso.falta(out, &AUSENTE, caso.ruta("Referencia"), mensaje);
        return;
    }
    // Purchase orders and certification sets are referenced without a code.
    let con_codigo = || {
        referencias
            .iter()
            .enumerate()
            .filter(|(_, referencia)| !referencia.cod_ref.es_ausente())
    };
    let Some((primera, _)) = con_codigo().next() else {
        let mensaje = "Ninguna referencia dice qué le hace la nota al documento (CodRef: 1 anula, 2 corrige texto, 3 corrige montos).";
        caso.falta(
            out,
            &SIN_CODIGO,
            caso.ruta_de("Referencia", 0, "CodRef"),
            mensaje,
        );
        return;
    };
    let cuantas = con_codigo().count();
    let una_sola = con_codigo().any(|(_, r)| matches!(r.cod_ref, Campo::Valor(1 | 2)));
    if una_sola && cuantas > 1 {
        let mensaje = format!(
            "Hay {cuantas} referencias con código: anular (1) o corregir texto (2) pide exactamente una."
        );
        out.add(
            &VARIAS,
            caso.ruta_de("Referencia", primera, "CodRef"),
            mensaje,
        );
    }
    for (indice, referencia) in con_codigo() {
        referido(caso, out, tipo, indice, referencia);
    }
    montos(caso, out);
}

fn referido(
    caso: &Caso<'_>,
    out: &mut Findings,
    tipo: TipoDte,
    indice: usize,
    referencia: &Referencia,
) {
    let Some(referido) = referencia.tpo_doc_ref.as_deref() else {
        return;
    };
    let ruta = || caso.ruta_de("Referencia", indice, "TpoDocRef");
    if tipo == TipoDte::NotaCredito && matches!(referido, "52" | "50") {
        out.add(
            &GUIA,
            ruta(),
            "Una nota de crédito no puede corregir una guía de despacho: se corrige su factura.",
        );
    }
    if tipo.es_exportacion() && !matches!(referido, "110" | "111" | "112") {
        let mensaje = format!(
            "Una {} corrige un documento 110, 111 o 112, no un {}.",
            tipo.nombre(),
            crate::model::recortado(referido)
        );
        out.add(&EXPORTACION, ruta(), mensaje);
    }
}

fn montos(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/Totales/MntTotal";
    let referencias = &caso.documento.referencia;
    let Some(total) = caso.documento.encabezado.totales.mnt_total.valor() else {
        return;
    };
    let con = |codigo| {
        referencias
            .iter()
            .any(|r| r.cod_ref == Campo::Valor(codigo))
    };
    if con(2) && !con(1) && !con(3) && !total.is_zero() {
        let mensaje = format!(
            "Una corrección de texto (CodRef 2) no lleva montos: el total debería ser {} y dice {}.",
            caso.cifra(rust_decimal::Decimal::ZERO),
            caso.cifra(total)
        );
        out.add(&TEXTO, caso.ruta(CAMPO), mensaje);
    }
    if con(3) && total.is_zero() {
        let mensaje = "Una corrección de montos (CodRef 3) debe tener un total mayor que cero.";
        out.add(&MONTO_CERO, caso.ruta(CAMPO), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::{m, referencia, tabla};

    #[test]
    fn what_a_note_needs() {
        for tipo in [56, 61, 111, 112] {
            tabla(
                &RULE,
                tipo,
                &[
                    (
                        |doc| doc.referencia.clear(),
                        &[("DTE-REF-AUSENTE", Severity::Error)],
                    ),
                    (
                        |doc| doc.referencia[0].cod_ref = Campo::Ausente,
                        &[("DTE-REF-CODREF-AUSENTE", Severity::Error)],
                    ),
                    (|doc| doc.referencia[0].cod_ref = Campo::Ilegible, &[]),
                    (
                        |doc| doc.referencia[0].cod_ref = Campo::Valor(4),
                        &[("DTE-REF-CODREF", Severity::Error)],
                    ),
                    (|doc| doc.referencia[0].cod_ref = Campo::Valor(1), &[]),
                    (
                        |doc| doc.referencia[0].cod_ref = Campo::Valor(2),
                        &[("DTE-REF-TEXTO-CON-MONTO", Severity::Warning)],
                    ),
                    (
                        |doc| {
                            doc.referencia[0].cod_ref = Campo::Valor(2);
                            doc.encabezado.totales.mnt_total = m("0");
                        },
                        &[],
                    ),
                    (
                        |doc| doc.encabezado.totales.mnt_total = m("0"),
                        &[("DTE-REF-MONTO-CERO", Severity::Warning)],
                    ),
                    (
                        |doc| doc.referencia[0].folio_ref = None,
                        &[("DTE-REF-INCOMPLETA", Severity::Warning)],
                    ),
                    (
                        |doc| doc.referencia[0].fch_ref = Campo::Valor(date(2002, 7, 31)),
                        &[("DTE-REF-FECHA", Severity::Warning)],
                    ),
                    (
                        |doc| doc.referencia[0].fch_ref = Campo::Valor(date(2027, 1, 1)),
                        &[("DTE-REF-FECHA", Severity::Warning)],
                    ),
                ],
            );
        }
    }

    #[test]
    fn what_a_note_corrects() {
        tabla(
            &RULE,
            61,
            &[
                (
                    |doc| doc.referencia = vec![referencia("52", 3)],
                    &[("DTE-REF-GUIA", Severity::Error)],
                ),
                (|doc| doc.referencia = vec![referencia("56", 1)], &[]),
                (
                    |doc| doc.referencia = vec![referencia("33", 1), referencia("33", 1)],
                    &[("DTE-REF-UNICA", Severity::Warning)],
                ),
                (
                    |doc| doc.referencia = vec![referencia("33", 3), referencia("33", 3)],
                    &[],
                ),
                (
                    |doc| {
                        let mut orden = referencia("801", 1);
                        orden.cod_ref = Campo::Ausente;
                        doc.referencia.insert(0, orden);
                    },
                    &[],
                ),
                (
                    |doc| doc.referencia = vec![referencia("33", 3); 41],
                    &[("DTE-REF-EXCESO", Severity::Error)],
                ),
            ],
        );
        tabla(
            &RULE,
            112,
            &[(
                |doc| doc.referencia = vec![referencia("33", 3)],
                &[("DTE-REF-EXPORTACION", Severity::Error)],
            )],
        );
        tabla(&RULE, 33, &[(|doc| doc.referencia.clear(), &[])]);
    }
}
