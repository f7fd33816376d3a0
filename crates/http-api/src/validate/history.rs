//! What `history` says of earlier documents. The contract makes it a list of errors that the tax
//! service has returned; an item may also say which document it is about.

use std::borrow::Cow;
use std::fmt::Write as _;

use dte::{Anterior, Documento, Members, read_json};
use serde_json::value::RawValue;

use crate::fields::present;

/// The keys of an item that are read, each with the contract's name of the field. Of two for one
/// field the first counts.
const FIELDS: [(&str, &str); 12] = [
    ("tipo_dte", "tipo_dte"),
    ("folio", "folio"),
    ("fecha_emision", "fecha_emision"),
    ("fecha", "fecha_emision"),
    ("rut_emisor", "rut_emisor"),
    ("razon_social_emisor", "razon_social_emisor"),
    ("giro_emisor", "giro_emisor"),
    ("rut_receptor", "rut_receptor"),
    ("monto_total", "monto_total"),
    ("total", "monto_total"),
    ("moneda", "moneda"),
    ("referencias", "referencias"),
];

/// The keys under which an item may hold a whole document.
const WHOLE: [&str; 3] = ["original", "documento", "dte_data"];

/// Errors that say that the folio is taken. After any other error it is free to be used again.
const TAKEN: [&str; 3] = ["DTE-3-100", "DTE-3-101", "DTE-3-601"];

/// Earlier documents.
#[derive(Debug, Default)]
pub(super) struct History {
    /// As they were issued: a note's originals may be among them.
    pub(super) originals: Vec<Documento>,
    /// What later ones are judged against.
    pub(super) entries: Vec<Anterior>,
}

/// Reads the list, leaving out what says nothing of a document: a history is a help, never a
/// reason to refuse. `judged` are the documents at hand: one that the tax service rejected isn't
/// an earlier document of its own folio, and an item without issuer is of theirs.
pub(super) fn read(list: &str, judged: &[Documento]) -> History {
    let items: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
    let own: Vec<Anterior> = judged.iter().filter_map(Anterior::desde).collect();
    let issuer = judged
        .first()
        .and_then(|document| document.encabezado.emisor.rut_emisor.as_deref());
    let mut history = History::default();
    for members in items
        .into_iter()
        .filter_map(|item| Members::read(item.get()))
    {
        let Some(document) = document(&members, issuer) else {
            continue;
        };
        let entry = Anterior::desde(&document);
        let same = |entry: &Anterior| {
            own.iter().any(|own| {
                (own.tipo, own.folio, own.rut_emisor) == (entry.tipo, entry.folio, entry.rut_emisor)
            })
        };
        if rejected(&members) && entry.as_ref().is_none_or(same) {
            continue;
        }
        history.originals.push(document);
        history.entries.extend(entry);
    }
    history
}

/// Whether the item is about a document that never came to be.
fn rejected(members: &Members<'_>) -> bool {
    let code = present(members, "error_code").map(RawValue::get);
    let code = code.and_then(|raw| serde_json::from_str::<Cow<'_, str>>(raw).ok());
    code.is_some_and(|code| !code.is_empty() && !TAKEN.contains(&code.trim()))
}

fn document(members: &Members<'_>, issuer: Option<&str>) -> Option<Documento> {
    let whole = WHOLE.into_iter().filter_map(|name| present(members, name));
    let mut document = whole
        .filter_map(|raw| read_json(raw.get()).ok())
        .next()
        .or_else(|| read_json(&normal(members)?).ok())?;
    let emisor = &mut document.encabezado.emisor.rut_emisor;
    if emisor.is_none() {
        *emisor = issuer.map(str::to_owned);
    }
    Some(document)
}

/// An item's own fields as the contract's document; `None` where it isn't about one.
fn normal(members: &Members<'_>) -> Option<String> {
    present(members, "tipo_dte")?;
    present(members, "folio")?;
    let mut text = String::from("{");
    let mut last = "";
    for (name, field) in FIELDS {
        let Some(raw) = present(members, name).filter(|_| field != last) else {
            continue;
        };
        last = field;
        let comma = if text.len() > 1 { "," } else { "" };
        // Writing to a String can't fail.
        let _ = write!(text, "{comma}\"{field}\":{}", raw.get());
    }
    text.push('}');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dte::{Context, TipoDte, validate};
    use jiff::civil::date;

    const NOTE: &str = r#"{"tipo_dte":61,"folio":9,"fecha_emision":"2026-11-20",
        "rut_emisor":"76192083-9","rut_receptor":"60803000-K","monto_neto":1000,"monto_iva":190,
        "monto_total":1190,"lineas":[{"nombre":"Perno","monto":1000}],
        "referencias":[{"tipo_documento":33,"folio":5,"fecha":"2026-11-02","codigo":1}]}"#;

    fn codes(list: &str) -> Vec<&'static str> {
        let documents = vec![read_json(NOTE).unwrap()];
        let history = read(list, &documents);
        let context = Context::emission(date(2026, 11, 22))
            .with_originals(&history.originals)
            .with_history(&history.entries);
        let report = validate(&documents[0], &context);
        let codes = report.findings.iter().map(|finding| finding.code);
        // What the short note lacks isn't of interest here.
        codes
            .filter(|code| !code.starts_with("DTE-JSON-"))
            .collect()
    }

    #[test]
    fn an_original_is_compared_with_its_note() {
        assert_eq!(codes("[]"), Vec::<&str>::new());
        for item in [
            r#"{"tipo_dte":33,"folio":5,"monto_total":2380}"#,
            r#"{"tipo_dte":"33","folio":"5","total":2380.0,"fecha":"2026-11-02","x":[1]}"#,
            r#"{"original":{"tipo_dte":33,"folio":5,"monto_total":2380}}"#,
            r#"{"error_code":"HED-2-220","message":"m","tipo_dte":33,"folio":5,"total":2380,
               "fecha":"2026-11-02","rut_emisor":"76192083-9"}"#,
        ] {
            assert_eq!(
                codes(&format!("[{item}]")),
                ["DTE-REF-ANULA-MONTO"],
                "{item}"
            );
        }
        let right = r#"[{"tipo_dte":33,"folio":5,"monto_total":1190,"fecha":"2026-11-02"}]"#;
        assert_eq!(codes(right), Vec::<&str>::new());
    }

    #[test]
    fn a_folio_is_taken_but_by_a_rejected_document() {
        let item = |code: &str| {
            format!(
                r#"[{{"error_code":"{code}","message":"m","tipo_dte":61,"folio":9,
                "rut_emisor":"76192083-9","fecha":"2026-11-20","total":1190}}]"#
            )
        };
        assert_eq!(codes(&item("")), ["DTE-FOLIO-REPETIDO"]);
        assert_eq!(codes(&item("DTE-3-101")), ["DTE-FOLIO-REPETIDO"]);
        assert_eq!(codes(&item("TED-2-510")), Vec::<&str>::new());
    }

    #[test]
    fn unknown_shapes_say_nothing() {
        for list in [
            r#"[{"error_code":"DTE-3-505","message":"firma"}]"#,
            r#"[{"tipo_dte":{},"folio":[],"total":"mucho"}]"#,
            r#"[{"original":"33-5"},{"original":[]},{"tipo_dte":33}]"#,
            r#"[{"tipo_dte":33,"folio":5,"referencias":7}]"#,
            "no es JSON",
        ] {
            let history = read(list, &[read_json(NOTE).unwrap()]);
            assert!(
                history.originals.is_empty() && history.entries.is_empty(),
                "{list}"
            );
        }
    }

    #[test]
    fn what_a_supplier_sent_before_is_kept_as_it_was() {
        let list = r#"[{"tipo_dte":33,"folio":7,"fecha":"2026-01-05","rut_emisor":"77000111-0",
            "razon_social_emisor":"Uno SpA","giro_emisor":"Fletes","total":5000,"moneda":null}]"#;
        let history = read(list, &[]);
        let entry = &history.entries[0];
        assert_eq!((entry.tipo, entry.folio), (TipoDte::Factura, 7));
        assert_eq!(entry.total, 5_000.into());
        assert_eq!(entry.razon_social.as_deref(), Some("Uno SpA"));
        assert_eq!(entry.giro.as_deref(), Some("Fletes"));
    }
}
