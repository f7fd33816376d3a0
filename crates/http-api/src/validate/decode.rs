//! The body of `POST /api/ai/validate`, checked: every wrong value is told, not only the first.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dte::Mode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::problem::{FieldError, Problem};

/// The most items of `history`.
const MAX_HISTORY_ITEMS: usize = 100;

/// The most bytes of `history`, as JSON.
const MAX_HISTORY_BYTES: usize = 100 * 1024;

/// The three names that the document may come under.
const DOCUMENTS: &str = "Envíe el documento en «dte_data», «dte_xml» o «dte_xml_base64»";

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) company: u64,
    pub(super) document: Document,
    /// The JSON text of the list, where it isn't empty.
    pub(super) history: Option<String>,
    pub(super) mode: Mode,
    pub(super) model_check: ModelCheck,
}

/// The document as it came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// The JSON text of `dte_data`.
    Json(String),
    /// The text of `dte_xml`.
    XmlText(String),
    /// The text of `dte_xml_base64`.
    XmlBase64(String),
}

/// Whether the model is asked even about a document that the rules reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ModelCheck {
    /// Only where it can make a difference.
    #[default]
    Auto,
    /// Always.
    Always,
}

/// The members of a JSON object, unread.
pub(super) type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// Reads the body: 400 where it is no JSON, 422 where it is JSON of another shape.
pub(super) fn decode(body: &[u8]) -> Result<Ask, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let upto = &body[..error.valid_up_to()];
        let line = upto.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = upto.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Problem::not_json(line, column)
    })?;
    let raw: &RawValue = serde_json::from_str(text)
        .map_err(|error| Problem::not_json(error.line(), error.column()))?;
    let members = members(raw).ok_or_else(|| {
        let mut error = FieldError::body("", "object_type", "El cuerpo debe ser un objeto JSON.");
        error.loc.truncate(1);
        Problem::wrong_shape(vec![error])
    })?;
    let mut errors = Vec::new();
    let company = company(&members, &mut errors);
    let document = document(&members, &mut errors);
    let history = history(&members, &mut errors);
    let mode = word(&members, "mode", &MODES, &mut errors);
    let model_check = word(&members, "model_check", &MODEL_CHECKS, &mut errors);
    match (company, document) {
        (Some(company), Some(document)) if errors.is_empty() => Ok(Ask {
            company,
            document,
            history,
            mode,
            model_check,
        }),
        _ => Err(Problem::wrong_shape(errors)),
    }
}

/// The members of an object. Of two with one name the last counts here, but none gets this
/// far: such a body has no cache key and is refused.
pub(super) fn members(raw: &RawValue) -> Option<Members<'_>> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Object<'a>(#[serde(borrow)] BTreeMap<Key<'a>, &'a RawValue>);

    #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(transparent)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

    let Object(object) = serde_json::from_str(raw.get()).ok()?;
    Some(
        object
            .into_iter()
            .map(|(Key(name), value)| (name, value))
            .collect(),
    )
}

/// A member that is there. ERPs in Python send `false` and `null` for what they don't have.
pub(super) fn present<'a>(members: &Members<'a>, name: &str) -> Option<&'a RawValue> {
    members
        .get(name)
        .copied()
        .filter(|raw| !matches!(raw.get(), "null" | "false"))
}

fn company(members: &Members<'_>, errors: &mut Vec<FieldError>) -> Option<u64> {
    const NAME: &str = "company_id";
    let Some(raw) = present(members, NAME) else {
        errors.push(FieldError::body(
            NAME,
            "missing",
            "Falta «company_id», la compañía del ERP.",
        ));
        return None;
    };
    let company = whole_number(raw.get()).filter(|company| *company > 0);
    if company.is_none() {
        let msg = "«company_id» debe ser un número entero mayor que 0.";
        errors.push(FieldError::body(NAME, "greater_than", msg));
    }
    company
}

/// A JSON number without a fraction: `7`, and `7.0` as Python writes a float.
fn whole_number(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    whole.parse().ok().filter(|_| plain)
}

fn document(members: &Members<'_>, errors: &mut Vec<FieldError>) -> Option<Document> {
    let names = ["dte_data", "dte_xml", "dte_xml_base64"];
    let mut given = names
        .into_iter()
        .filter_map(|name| Some((name, present_document(members, name)?)));
    let Some((name, raw)) = given.next() else {
        errors.push(FieldError::body(
            "dte_data",
            "missing",
            format!("{DOCUMENTS}."),
        ));
        return None;
    };
    if let Some((second, _)) = given.next() {
        let msg = format!("{DOCUMENTS}, no en más de uno.");
        errors.push(FieldError::body(second, "conflict", msg));
        return None;
    }
    if name == "dte_data" {
        // Its own shape is for its reader to judge.
        return Some(Document::Json(raw.get().to_owned()));
    }
    let Ok(text) = serde_json::from_str::<String>(raw.get()) else {
        errors.push(FieldError::body(
            name,
            "string_type",
            format!("«{name}» debe ser un texto."),
        ));
        return None;
    };
    Some(if name == "dte_xml" {
        Document::XmlText(text)
    } else {
        Document::XmlBase64(text)
    })
}

/// An empty text is no document either.
fn present_document<'a>(members: &Members<'a>, name: &str) -> Option<&'a RawValue> {
    present(members, name).filter(|raw| raw.get() != r#""""#)
}

fn history(members: &Members<'_>, errors: &mut Vec<FieldError>) -> Option<String> {
    const NAME: &str = "history";
    let raw = present(members, NAME)?;
    let mut wrong = |kind, msg: String| errors.push(FieldError::body(NAME, kind, msg));
    if raw.get().len() > MAX_HISTORY_BYTES {
        wrong(
            "too_long",
            format!("«history» supera los {MAX_HISTORY_BYTES} bytes."),
        );
        return None;
    }
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        wrong(
            "list_type",
            "«history» debe ser una lista de objetos.".to_owned(),
        );
        return None;
    };
    if items.len() > MAX_HISTORY_ITEMS {
        let given = items.len();
        let msg = format!("«history» trae {given} elementos y el máximo es {MAX_HISTORY_ITEMS}.");
        wrong("too_long", msg);
        return None;
    }
    if !items.iter().all(|item| item.get().starts_with('{')) {
        wrong(
            "list_type",
            "«history» debe ser una lista de objetos.".to_owned(),
        );
        return None;
    }
    (!items.is_empty()).then(|| raw.get().to_owned())
}

const MODES: [(&str, Mode); 2] = [("emission", Mode::Emission), ("reception", Mode::Reception)];

const MODEL_CHECKS: [(&str, ModelCheck); 2] =
    [("auto", ModelCheck::Auto), ("always", ModelCheck::Always)];

/// One of a few words, the default where it isn't given.
fn word<T: Copy + Default>(
    members: &Members<'_>,
    name: &str,
    words: &[(&str, T)],
    errors: &mut Vec<FieldError>,
) -> T {
    let Some(raw) = present_document(members, name) else {
        return T::default();
    };
    let text = serde_json::from_str::<Cow<'_, str>>(raw.get()).unwrap_or_default();
    let known = words.iter().find(|(word, _)| *word == text);
    known.map(|(_, value)| *value).unwrap_or_else(|| {
        let list: Vec<_> = words.iter().map(|(word, _)| format!("«{word}»")).collect();
        let msg = format!("«{name}» debe ser {}.", list.join(" o "));
        errors.push(FieldError::body(name, "enum", msg));
        T::default()
    })
}

#[cfg(test)]
mod tests;
