//! The text that a model is given.

use crate::context::{Context, Mode};
use crate::model::Documento;
use crate::report::Report;

use super::render;

/// Changes whenever a model could answer otherwise to the same document; part of cache keys.
pub const PROMPT_VERSION: &str = "1";

/// The most bytes of documents that go into a question; what is over it is left out and said.
const MAX_DATA_BYTES: usize = 48 * 1024;

/// The most bytes of past errors that go into a question.
const MAX_HISTORY_BYTES: usize = 8 * 1024;

const INSTRUCTIONS: &str = include_str!("instructions.md");

/// The stable prefix of every call: who the model is, what it may say, how it must answer.
#[must_use]
pub const fn instructions() -> &'static str {
    INSTRUCTIONS
}

/// The document, the rules' findings and the ERP's history, fenced as data.
///
/// `original` is the `dte_data` text where the document came as JSON: it may hold keys that
/// the reader doesn't know and the model should see. `history` is the JSON text of the
/// errors that the ERP has seen before. Inside the fences there is only JSON whose `<` and
/// `>` are escaped: no text from outside can close a fence.
#[must_use]
pub fn question(
    documents: &[(&Documento, &Report)],
    original: Option<&str>,
    history: Option<&str>,
    context: &Context<'_>,
) -> String {
    let mut text = String::with_capacity(2_048);
    text.push_str(match context.mode {
        Mode::Emission => "El documento está por enviarse al SII.",
        Mode::Reception => "El documento se recibió de un proveedor.",
    });
    text.push_str(" Hoy es ");
    text.push_str(&context.today.to_string());
    text.push_str(".\n\n");
    let data = original
        .filter(|original| original.len() <= MAX_DATA_BYTES)
        .and_then(render::compact)
        .unwrap_or_else(|| render::documents(documents, MAX_DATA_BYTES));
    fence(&mut text, "documento", &data);
    fence(
        &mut text,
        "hallazgos_de_las_reglas",
        &render::findings(documents),
    );
    if let Some(history) = history.and_then(render::compact) {
        if history.len() <= MAX_HISTORY_BYTES {
            fence(&mut text, "errores_anteriores", &history);
        } else {
            text.push_str("(Los errores anteriores son demasiados y se omitieron.)\n");
        }
    }
    text.push_str("Revise el documento y responda sólo con el JSON pedido.");
    text
}

fn fence(text: &mut String, name: &str, json: &str) {
    for part in ["<", name, ">\n", json, "\n</", name, ">\n\n"] {
        text.push_str(part);
    }
}
