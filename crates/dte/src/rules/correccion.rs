//! What a note corrects, against the original where it is known.
//!
//! Source: formato DTE, Referencia/CodRef: 1 annuls, with the amount of the original
//! (REF-2-780, seen in the field); 3 corrects amounts, by no more than there is left of
//! them; arts. 21 and 70 of the LIVS: a credit note lowers the debit within 6 months.

use jiff::Span;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::repetido::identidad;
use super::{Caso, Rule};
use crate::historia::{Anterior, Corregido, corregido_tributario, rut};
use crate::model::{Campo, Referencia, Rut, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const FUENTE: &str = "formato DTE 2026-02, Referencia/CodRef";

const ANULA: Code = Code {
    code: "DTE-REF-ANULA-MONTO",
    title: "Una anulación no tiene el total del documento que anula",
    severity: Severity::Warning,
    source: FUENTE,
    sii_code: Some("REF-2-780"),
};
const EXCEDE: Code = Code {
    code: "DTE-REF-MONTO-EXCEDE",
    title: "Las notas de crédito superan al documento que corrigen",
    severity: Severity::Warning,
    source: FUENTE,
    sii_code: None,
};
const RECEPTOR: Code = Code {
    code: "DTE-REF-RECEPTOR",
    title: "La nota y el documento que corrige tienen otro receptor",
    severity: Severity::Warning,
    source: FUENTE,
    sii_code: None,
};
const FECHA: Code = Code {
    code: "DTE-REF-FECHA-ORIGINAL",
    title: "La fecha de la referencia no es la del documento que corrige",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Referencia/FchRef",
    sii_code: None,
};
const PLAZO: Code = Code {
    code: "DTE-REF-PLAZO",
    title: "Una nota de crédito de más de seis meses no rebaja el débito",
    severity: Severity::Info,
    source: "formato DTE 2026-02, IdDoc/IndNoRebaja; DL 825, arts. 21 y 70",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "correccion",
    about: "Monto, receptor y fecha de una nota contra el documento que corrige.",
    codes: &[&ANULA, &EXCEDE, &RECEPTOR, &FECHA, &PLAZO],
    check,
};

/// What a note is compared with.
struct Original<'a> {
    total: Decimal,
    fecha: Option<Date>,
    receptor: Option<Rut>,
    moneda: Option<&'a str>,
}

fn check(caso: &Caso<'_>, out: &mut Findings) {
    if !caso.tipo.is_some_and(TipoDte::es_nota) {
        return;
    }
    plazo(caso, out);
    let context = caso.context;
    let nada =
        context.originals.is_empty() && context.envelope.is_empty() && context.history.is_empty();
    let Some((emisor, ..)) = identidad(caso.documento).filter(|_| !nada) else {
        return;
    };
    for (indice, referencia) in caso.documento.referencia.iter().enumerate() {
        let Some(corregido) = corregido_tributario(referencia) else {
            continue;
        };
        // Another taxpayer's document, as in a note over a factura de compra.
        let emisor = match &referencia.rut_otr {
            None => emisor,
            Some(otro) => match rut(Some(otro)) {
                Some(otro) => otro,
                None => continue,
            },
        };
        if let Some(original) = buscar(caso, emisor, corregido) {
            cabeza(caso, out, indice, referencia, &original);
            montos(caso, out, emisor, corregido, &original);
        }
    }
}

/// The original: as a whole where it is given, else as the history tells it.
fn buscar<'a>(caso: &Caso<'a>, emisor: Rut, corregido: Corregido) -> Option<Original<'a>> {
    let context = caso.context;
    let buscado = Some((emisor, corregido.tipo, corregido.folio));
    let entero = context
        .originals
        .iter()
        .chain(context.envelope)
        .filter(|otro| otro.encabezado.id_doc.folio == Campo::Valor(corregido.folio))
        .find(|otro| identidad(otro) == buscado);
    if let Some(documento) = entero {
        let encabezado = &documento.encabezado;
        return Some(Original {
            total: encabezado.totales.mnt_total.valor()?,
            fecha: encabezado.id_doc.fch_emis.valor(),
            receptor: rut(encabezado.receptor.rut_recep.as_deref()),
            moneda: encabezado.totales.tpo_moneda.as_deref(),
        });
    }
    let anterior = anterior(caso, emisor, corregido.tipo, corregido.folio)?;
    Some(Original {
        total: anterior.total,
        fecha: Some(anterior.fecha),
        receptor: anterior.rut_receptor,
        moneda: anterior.moneda.as_deref(),
    })
}

fn anterior<'a>(caso: &Caso<'a>, emisor: Rut, tipo: TipoDte, folio: i64) -> Option<&'a Anterior> {
    let mut historia = caso.context.history.iter();
    historia.find(|anterior| anterior.es(emisor, tipo, folio))
}

fn cabeza(
    caso: &Caso<'_>,
    out: &mut Findings,
    indice: usize,
    referencia: &Referencia,
    original: &Original<'_>,
) {
    let este = rut(caso.documento.encabezado.receptor.rut_recep.as_deref());
    if let (Some(este), Some(otro)) = (este, original.receptor)
        && este != otro
    {
        let mensaje = format!(
            "El documento corregido es de {otro} y la nota es para {este}: debe ser el mismo receptor."
        );
        out.add(
            &RECEPTOR,
            caso.ruta("Encabezado/Receptor/RUTRecep"),
            mensaje,
        );
    }
    if let (Some(dice), Some(es)) = (referencia.fch_ref.valor(), original.fecha)
        && dice != es
    {
        let mensaje = format!("La referencia dice {dice} y el documento corregido es del {es}.");
        out.add(
            &FECHA,
            caso.ruta_de("Referencia", indice, "FchRef"),
            mensaje,
        );
    }
}

fn montos(
    caso: &Caso<'_>,
    out: &mut Findings,
    emisor: Rut,
    corregido: Corregido,
    original: &Original<'_>,
) {
    const CAMPO: &str = "Encabezado/Totales/MntTotal";
    let totales = &caso.documento.encabezado.totales;
    let Some(total) = totales.mnt_total.valor() else {
        return;
    };
    if totales.tpo_moneda.as_deref() != original.moneda {
        return;
    }
    let que = format!("{} N° {}", corregido.tipo.nombre(), corregido.folio);
    if corregido.cod_ref == 1 {
        caso.comparar(
            out,
            Comparacion {
                code: &ANULA,
                esperado: original.total,
                informado: total,
                tolerancia: Decimal::ONE,
                severity: ANULA.severity,
            },
            || {
                let que = format!("El total de la anulación (el de la {que})");
                (caso.ruta(CAMPO), que)
            },
        );
        return;
    }
    let credito = matches!(
        caso.tipo,
        Some(TipoDte::NotaCredito | TipoDte::NotaCreditoExportacion)
    );
    // A note over several documents doesn't say how much is for which.
    if corregido.cod_ref != 3 || !credito || corregidos(caso) > 1 {
        return;
    }
    let Some((saldo, antes)) = saldo(caso, emisor, corregido, original.total) else {
        return;
    };
    if total > saldo.saturating_add(Decimal::ONE) {
        let mensaje = format!(
            "La {que} es de {} y ya tiene correcciones por {}: quedan {} y la nota dice {}; la diferencia es de {}.",
            caso.cifra(original.total),
            caso.cifra(antes),
            caso.cifra(saldo),
            caso.cifra(total),
            caso.cifra(total.saturating_sub(saldo))
        );
        out.add(&EXCEDE, caso.ruta(CAMPO), mensaje);
    }
}

fn corregidos(caso: &Caso<'_>) -> usize {
    let referencias = caso.documento.referencia.iter();
    referencias.filter_map(corregido_tributario).count()
}

/// What earlier notes have left of a document, and how much they took. Notes that were
/// annulled by another one don't count.
fn saldo(
    caso: &Caso<'_>,
    emisor: Rut,
    corregido: Corregido,
    total: Decimal,
) -> Option<(Decimal, Decimal)> {
    let historia = caso.context.history;
    let propio = identidad(caso.documento)?;
    let mut tomado = Decimal::ZERO;
    for nota in historia {
        let suya = nota.corrige.len() == 1
            && nota.rut_emisor == emisor
            && nota.corrige.iter().any(|uno| {
                (uno.tipo, uno.folio) == (corregido.tipo, corregido.folio) && uno.cod_ref != 2
            });
        let anulada = || {
            historia.iter().any(|otra| {
                otra.rut_emisor == emisor
                    && otra
                        .corrige
                        .iter()
                        .any(|uno| (uno.tipo, uno.folio, uno.cod_ref) == (nota.tipo, nota.folio, 1))
            })
        };
        if !suya || nota.es(propio.0, propio.1, propio.2) || anulada() {
            continue;
        }
        tomado = match nota.tipo {
            TipoDte::NotaCredito | TipoDte::NotaCreditoExportacion => {
                tomado.checked_add(nota.total)?
            }
            _ => tomado.checked_sub(nota.total)?,
        };
    }
    Some((total.checked_sub(tomado)?, tomado))
}

/// A credit note over something older than six months must say that it lowers no debit.
fn plazo(caso: &Caso<'_>, out: &mut Findings) {
    let encabezado = &caso.documento.encabezado;
    let con_iva = encabezado
        .totales
        .iva
        .valor()
        .is_some_and(|iva| !iva.is_zero());
    let sin_marca = encabezado.id_doc.ind_no_rebaja.es_ausente();
    let (true, true, true, Some(emision)) = (
        caso.es(TipoDte::NotaCredito),
        con_iva,
        sin_marca,
        encabezado.id_doc.fch_emis.valor(),
    ) else {
        return;
    };
    let vieja = caso.documento.referencia.iter().find_map(|referencia| {
        let fecha = referencia.fch_ref.valor()?;
        let limite = fecha.saturating_add(Span::new().months(6));
        (matches!(referencia.cod_ref, Campo::Valor(1 | 3)) && emision > limite).then_some(fecha)
    });
    if let Some(fecha) = vieja {
        let mensaje = format!(
            "La nota es del {emision} y corrige un documento del {fecha}, de más de 6 meses: no rebaja el débito fiscal y debería llevar IndNoRebaja 1."
        );
        out.add(&PLAZO, caso.ruta("Encabezado/IdDoc/IndNoRebaja"), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::model::Documento;
    use crate::rules::pruebas::{documento, hallazgos_en, hoy, m, referencia};
    use jiff::civil::date;

    /// The 33 N° 45 of 2026-11-02 over 17,850 that the notes correct.
    fn original() -> Documento {
        let mut doc = documento(33);
        doc.encabezado.id_doc.folio = Campo::Valor(45);
        doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2026, 11, 2));
        doc
    }

    fn nota(tipo: i64, folio: i64, cod_ref: i64, total: &str) -> Documento {
        let mut doc = documento(tipo);
        doc.encabezado.id_doc.folio = Campo::Valor(folio);
        doc.referencia = vec![referencia("33", cod_ref)];
        doc.encabezado.totales.mnt_total = m(total);
        doc
    }

    fn con_original(doc: &Documento, historia: &[Documento]) -> Vec<(&'static str, Severity)> {
        let historia: Vec<_> = historia.iter().filter_map(Anterior::desde).collect();
        let originales = [original()];
        let context = Context::emission(hoy())
            .with_originals(&originales)
            .with_history(&historia);
        hallazgos_en(&RULE, doc, &context)
    }

    #[test]
    fn an_annulment_has_the_original_total() {
        let anula = [("DTE-REF-ANULA-MONTO", Severity::Warning)];
        let redondeo = [("DTE-REF-ANULA-MONTO", Severity::Info)];
        assert_eq!(con_original(&nota(61, 9, 1, "17850"), &[]), []);
        assert_eq!(con_original(&nota(61, 9, 1, "17851"), &[]), redondeo);
        assert_eq!(con_original(&nota(61, 9, 1, "17000"), &[]), anula);
        // The history alone is enough.
        let historia = [Anterior::desde(&original()).unwrap()];
        let context = Context::emission(hoy()).with_history(&historia);
        let doc = nota(61, 9, 1, "17000");
        assert_eq!(hallazgos_en(&RULE, &doc, &context), anula);
        assert_eq!(hallazgos_en(&RULE, &doc, &Context::emission(hoy())), []);
    }

    #[test]
    fn credit_notes_take_no_more_than_there_is() {
        let excede = [("DTE-REF-MONTO-EXCEDE", Severity::Warning)];
        let antes = nota(61, 7, 3, "10000");
        let debito = nota(56, 3, 3, "5000");
        let mut anulacion = nota(56, 4, 1, "10000");
        anulacion.referencia[0].tpo_doc_ref = Some("61".into());
        anulacion.referencia[0].folio_ref = Some("7".into());
        let doc = nota(61, 9, 3, "9000");
        assert_eq!(con_original(&doc, &[]), []);
        assert_eq!(con_original(&doc, std::slice::from_ref(&antes)), excede);
        assert_eq!(con_original(&doc, &[antes.clone(), debito]), []);
        assert_eq!(con_original(&doc, &[antes, anulacion]), []);
        // Its own entry in the history isn't another note.
        assert_eq!(con_original(&doc, std::slice::from_ref(&doc)), []);
        assert_eq!(con_original(&nota(61, 9, 3, "18000"), &[]), excede);
        assert_eq!(con_original(&nota(56, 9, 3, "18000"), &[]), []);
    }

    #[test]
    fn receiver_and_date_are_those_of_the_original() {
        let mut doc = nota(61, 9, 3, "100");
        doc.encabezado.receptor.rut_recep = Some("76192083-9".into());
        doc.referencia[0].fch_ref = Campo::Valor(date(2026, 11, 3));
        assert_eq!(
            con_original(&doc, &[]),
            [
                ("DTE-REF-RECEPTOR", Severity::Warning),
                ("DTE-REF-FECHA-ORIGINAL", Severity::Warning)
            ]
        );
    }

    #[test]
    fn six_months_later_no_debit_is_lowered() {
        let mut doc = nota(61, 9, 1, "17850");
        doc.referencia[0].fch_ref = Campo::Valor(date(2026, 5, 20));
        let context = Context::emission(hoy());
        assert_eq!(hallazgos_en(&RULE, &doc, &context), []);
        doc.referencia[0].fch_ref = Campo::Valor(date(2026, 5, 19));
        assert_eq!(
            hallazgos_en(&RULE, &doc, &context),
            [("DTE-REF-PLAZO", Severity::Info)]
        );
        doc.encabezado.id_doc.ind_no_rebaja = Campo::Valor(1);
        assert_eq!(hallazgos_en(&RULE, &doc, &context), []);
    }
}
