//! A folio is used once: not again in the same envelope, nor after an earlier document.
//!
//! Source: seen in the field: DTE-3-100 (repeated in the envelope), DTE-3-101 (folio already
//! received). Only what the context knows is compared; nothing is looked up.

use super::{Caso, Rule};
use crate::context::Mode;
use crate::historia::{Anterior, rut};
use crate::model::{Documento, Rut, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const ENVIO: Code = Code {
    code: "DTE-FOLIO-REPETIDO-ENVIO",
    title: "Otro documento del mismo envío tiene este folio",
    severity: Severity::Error,
    source: "códigos del SII vistos en terreno",
    sii_code: Some("DTE-3-100"),
};
const ANTERIOR: Code = Code {
    code: "DTE-FOLIO-REPETIDO",
    title: "Un documento anterior tiene este folio",
    severity: Severity::Error,
    source: "códigos del SII vistos en terreno",
    sii_code: Some("DTE-3-101"),
};

pub(super) static RULE: Rule = Rule {
    name: "repetido",
    about: "Folio ya usado en el mismo envío o en un documento anterior.",
    codes: &[&ENVIO, &ANTERIOR],
    check,
};

const CAMPO: &str = "Encabezado/IdDoc/Folio";

/// Issuer, type and folio: what identifies a document.
pub(super) fn identidad(documento: &Documento) -> Option<(Rut, TipoDte, i64)> {
    let encabezado = &documento.encabezado;
    Some((
        rut(encabezado.emisor.rut_emisor.as_deref())?,
        documento.tipo()?,
        encabezado.id_doc.folio.valor()?,
    ))
}

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let context = caso.context;
    if context.envelope.is_empty() && context.history.is_empty() {
        return;
    }
    let Some((emisor, tipo, folio)) = identidad(caso.documento) else {
        return;
    };
    let vecino = context
        .envelope
        .iter()
        .position(|otro| !std::ptr::eq(otro, caso.documento) && es_el_mismo(otro, caso.documento));
    if let Some(indice) = vecino {
        let mensaje = format!(
            "El documento {} del mismo envío también es la {} N° {folio} de {emisor}.",
            indice + 1,
            tipo.nombre()
        );
        out.add(&ENVIO, caso.ruta(CAMPO), mensaje);
    }
    let anterior = context
        .history
        .iter()
        .find(|anterior| anterior.es(emisor, tipo, folio));
    if let Some(anterior) = anterior {
        ya_usado(caso, out, anterior);
    }
}

/// Compared without reading the RUT of every neighbour: the folio tells most of them apart.
fn es_el_mismo(otro: &Documento, este: &Documento) -> bool {
    let (a, b) = (&otro.encabezado.id_doc, &este.encabezado.id_doc);
    a.folio == b.folio && a.tipo_dte == b.tipo_dte && identidad(otro) == identidad(este)
}

/// Who receives a document twice only has to see that; who sends one, is refused.
fn ya_usado(caso: &Caso<'_>, out: &mut Findings, anterior: &Anterior) {
    let total = caso.documento.encabezado.totales.mnt_total.valor();
    let igual = total == Some(anterior.total)
        && caso.documento.encabezado.id_doc.fch_emis.valor() == Some(anterior.fecha);
    let mut mensaje = format!(
        "La {} N° {} de {} ya existe: es del {} y su total es {}",
        anterior.tipo.nombre(),
        anterior.folio,
        anterior.rut_emisor,
        anterior.fecha,
        caso.cifra(anterior.total)
    );
    match total {
        _ if igual => mensaje.push_str("; este parece ser el mismo documento."),
        Some(total) => {
            let este = caso.cifra(total);
            mensaje.push_str(&format!("; este dice {este}."));
        }
        None => mensaje.push('.'),
    }
    let severity = match caso.context.mode {
        Mode::Reception if igual => Severity::Warning,
        Mode::Emission | Mode::Reception => ANTERIOR.severity,
    };
    out.add_as(&ANTERIOR, severity, caso.ruta(CAMPO), mensaje);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::model::Campo;
    use crate::rules::pruebas::{documento, hallazgos_en, hoy, m};

    #[test]
    fn a_folio_is_used_once() {
        let doc = documento(33);
        let anterior = [Anterior::desde(&doc).unwrap()];
        let emision = Context::emission(hoy()).with_history(&anterior);
        let error = [("DTE-FOLIO-REPETIDO", Severity::Error)];
        assert_eq!(hallazgos_en(&RULE, &doc, &emision), error);
        let recepcion = Context::reception(hoy()).with_history(&anterior);
        let mut otro = doc.clone();
        assert_eq!(
            hallazgos_en(&RULE, &otro, &recepcion),
            [("DTE-FOLIO-REPETIDO", Severity::Warning)]
        );
        otro.encabezado.totales.mnt_total = m("1");
        assert_eq!(hallazgos_en(&RULE, &otro, &recepcion), error);
        otro.encabezado.id_doc.folio = Campo::Valor(124);
        assert_eq!(hallazgos_en(&RULE, &otro, &recepcion), []);
    }

    #[test]
    fn neighbours_in_an_envelope_are_told_apart_by_their_place() {
        let envio = [documento(33), documento(34), documento(33)];
        let context = Context::emission(hoy()).with_envelope(&envio);
        let esperados = [1, 0, 1];
        for (doc, esperado) in envio.iter().zip(esperados) {
            assert_eq!(hallazgos_en(&RULE, doc, &context).len(), esperado);
        }
    }
}
