//! The body of `POST /api/ai/validate`, checked: every wrong value is told, not only the first.

use dte::Mode;
use serde_json::value::RawValue;

use crate::fields::Fields;
use crate::problem::Problem;

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

/// Reads the body: 400 where it is no JSON, 422 where it is JSON of another shape.
pub(super) fn decode(body: &[u8]) -> Result<Ask, Problem> {
    let mut fields = Fields::read(body)?;
    let company = fields.company();
    let document = document(&mut fields);
    let history = history(&mut fields);
    let mode = fields.word("mode", &MODES);
    let model_check = fields.word("model_check", &MODEL_CHECKS);
    let ask = company.zip(document).map(|(company, document)| Ask {
        company,
        document,
        history,
        mode,
        model_check,
    });
    fields.finish(ask)
}

fn document(fields: &mut Fields<'_>) -> Option<Document> {
    let names = ["dte_data", "dte_xml", "dte_xml_base64"];
    let mut given = names
        .into_iter()
        .filter_map(|name| Some((name, fields.given(name)?)));
    let first = given.next();
    let second = given.next();
    let Some((name, raw)) = first else {
        fields.wrong("dte_data", "missing", format!("{DOCUMENTS}."));
        return None;
    };
    if let Some((second, _)) = second {
        let msg = format!("{DOCUMENTS}, no en más de uno.");
        fields.wrong(second, "conflict", msg);
        return None;
    }
    if name == "dte_data" {
        // Its own shape is for its reader to judge.
        return Some(Document::Json(raw.get().to_owned()));
    }
    let text = fields.text(name)?;
    Some(if name == "dte_xml" {
        Document::XmlText(text)
    } else {
        Document::XmlBase64(text)
    })
}

fn history(fields: &mut Fields<'_>) -> Option<String> {
    const NAME: &str = "history";
    let raw = fields.present(NAME)?;
    if raw.get().len() > MAX_HISTORY_BYTES {
        let msg = format!("«history» supera los {MAX_HISTORY_BYTES} bytes.");
        fields.wrong(NAME, "too_long", msg);
        return None;
    }
    let items = serde_json::from_str::<Vec<&RawValue>>(raw.get())
        .ok()
        .filter(|items| items.iter().all(|item| item.get().starts_with('{')));
    let Some(items) = items else {
        let msg = "«history» debe ser una lista de objetos.";
        fields.wrong(NAME, "list_type", msg);
        return None;
    };
    if items.len() > MAX_HISTORY_ITEMS {
        let given = items.len();
        let msg = format!("«history» trae {given} elementos y el máximo es {MAX_HISTORY_ITEMS}.");
        fields.wrong(NAME, "too_long", msg);
        return None;
    }
    (!items.is_empty()).then(|| raw.get().to_owned())
}

const MODES: [(&str, Mode); 2] = [("emission", Mode::Emission), ("reception", Mode::Reception)];

const MODEL_CHECKS: [(&str, ModelCheck); 2] =
    [("auto", ModelCheck::Auto), ("always", ModelCheck::Always)];

#[cfg(test)]
mod tests;
