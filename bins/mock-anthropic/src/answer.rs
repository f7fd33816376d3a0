//! What the mock says: made up from the prompt, from a schema, or scripted by the test.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::ApiError,
    random::{Sequence, mix},
    request::{Output, Request},
    schema,
    tokens::{BYTES_PER_TOKEN, estimate_tokens, truncate},
};

/// Longest made-up text in tokens.
const MAX_LENGTH: u32 = 100_000;

/// Sentences that a made-up answer is put together from.
const SENTENCES: [&str; 12] = [
    "El documento fue revisado campo por campo y los montos informados son consistentes entre sí.",
    "El monto neto más el IVA del 19% coincide con el total declarado en el encabezado.",
    "Conviene confirmar con el proveedor la fecha de emisión antes de enviar el documento al SII.",
    "La suma de las líneas de detalle cuadra con el monto neto, considerando los descuentos globales.",
    "El RUT del receptor tiene un dígito verificador válido y la razón social está presente.",
    "No se observan referencias faltantes para este tipo de documento.",
    "Si la factura corresponde a una orden de compra, agregue la referencia 801 con su folio.",
    "Para una nota de crédito, el código de referencia indica si anula, corrige texto o corrige montos.",
    "Los ítems exentos deben ir marcados con el indicador de exención en su línea de detalle.",
    "Recuerde que el plazo para aceptar o reclamar el documento es de ocho días corridos.",
    "El giro del emisor está informado y no supera los ochenta caracteres permitidos.",
    "Ante una diferencia de un peso, revise el redondeo de la cantidad por el precio unitario.",
];

/// An answer that a test or a demo prescribes, instead of the made-up one.
///
/// It is the text of a text answer (also where structured output was asked for, so that a
/// client can be shown nonsense), and the input of a forced tool call if it is a JSON object;
/// else a forced tool call is answered with it as plain text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What is said.
    pub text: String,
    /// The stop reason, where another one than the text's own is wanted (`refusal`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// How many requests get it; absent: all until the mock is reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl Answer {
    /// The next request is answered with this text.
    #[must_use]
    pub fn once(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            stop_reason: None,
            times: Some(1),
        }
    }

    /// Every request is answered with this text, until the mock is reset.
    #[must_use]
    pub fn always(text: impl Into<String>) -> Self {
        Self {
            times: None,
            ..Self::once(text)
        }
    }

    /// The same text, ended for this reason.
    #[must_use]
    pub fn stopped_by(self, reason: impl Into<String>) -> Self {
        Self {
            stop_reason: Some(reason.into()),
            ..self
        }
    }
}

/// The one content block of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Text(String),
    /// `json` is the input as it is streamed; cut off by `max_tokens` it is no valid JSON.
    Tool {
        id: String,
        name: String,
        json: String,
    },
}

impl Block {
    /// What is streamed in pieces.
    pub(crate) fn payload(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Tool { json, .. } => json,
        }
    }
}

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Composed {
    /// None when `max_tokens` is 0: the prompt cache is warmed and nothing is said.
    pub(crate) block: Option<Block>,
    pub(crate) stop_reason: String,
    pub(crate) stop_sequence: Option<String>,
    pub(crate) output_tokens: u32,
}

/// Makes the answer to a request: `scripted`, or one of about `length` tokens (at most 100,000).
pub(crate) fn compose(
    request: &Request,
    scripted: Option<Answer>,
    length: u32,
    ids: &Sequence,
) -> Result<Composed, ApiError> {
    let reason = scripted
        .as_ref()
        .and_then(|answer| answer.stop_reason.clone());
    let said = scripted.map(|answer| answer.text);
    let block = match (&request.output, said) {
        (Output::Tool { name, schema }, said) => tool_call(name, schema, said, ids)?,
        (_, Some(said)) => Block::Text(said),
        (Output::Json(schema), None) => Block::Text(
            schema::instance(schema)
                .map_err(ApiError::invalid)?
                .to_string(),
        ),
        (Output::Text, None) => Block::Text(paragraph(
            request.prompt.last_words(),
            length.min(MAX_LENGTH),
        )),
    };
    let mut composed = cut(block, request);
    if let Some(reason) = reason {
        composed.stop_reason = reason;
    }
    Ok(composed)
}

fn tool_call(
    name: &str,
    schema: &Value,
    said: Option<String>,
    ids: &Sequence,
) -> Result<Block, ApiError> {
    let json = match said {
        None => schema::instance(schema)
            .map_err(ApiError::invalid)?
            .to_string(),
        Some(said) if matches!(serde_json::from_str(&said), Ok(Value::Object(_))) => said,
        Some(said) => return Ok(Block::Text(said)),
    };
    Ok(Block::Tool {
        id: ids.id("toolu_"),
        name: name.to_owned(),
        json,
    })
}

/// Applies the stop sequences, then `max_tokens`.
fn cut(block: Block, request: &Request) -> Composed {
    let (mut block, mut stop_sequence) = (block, None);
    let mut stop_reason = match &block {
        Block::Text(_) => "end_turn",
        Block::Tool { .. } => "tool_use",
    };
    if let Block::Text(text) = &mut block
        && let Some((at, sequence)) = first_stop(text, &request.stop_sequences)
    {
        text.truncate(at);
        stop_sequence = Some(sequence.to_owned());
        stop_reason = "stop_sequence";
    }
    let (Block::Text(payload) | Block::Tool { json: payload, .. }) = &mut block;
    let fitting = truncate(payload, request.max_tokens).len();
    if fitting < payload.len() {
        payload.truncate(fitting);
        stop_reason = "max_tokens";
        stop_sequence = None;
    }
    // As the real one: never 0 for an answer, however short.
    let output_tokens = estimate_tokens(payload).max(1).min(request.max_tokens);
    let block = (request.max_tokens > 0).then_some(block);
    Composed {
        block,
        stop_reason: stop_reason.to_owned(),
        stop_sequence,
        output_tokens,
    }
}

fn first_stop<'a>(text: &str, sequences: &'a [String]) -> Option<(usize, &'a str)> {
    sequences
        .iter()
        .filter_map(|sequence| {
            text.find(sequence.as_str())
                .map(|at| (at, sequence.as_str()))
        })
        .min_by_key(|(at, _)| *at)
}

/// A paragraph of about `length` tokens that depends on nothing but its arguments.
fn paragraph(prompt: &str, length: u32) -> String {
    let wanted = (length as usize).saturating_mul(BYTES_PER_TOKEN);
    let mut state = mix(prompt.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    }));
    let mut text = String::with_capacity(wanted + 128);
    while text.len() < wanted {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(SENTENCES[(state % SENTENCES.len() as u64) as usize]);
        state = mix(state.wrapping_add(1));
    }
    let end = truncate(&text, length).len();
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests;
