//! A model's opinion of a document: what it may say, and how that is read.

use std::error::Error as StdError;
use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Severity;

/// The code of every finding that comes from the model.
pub const MODEL_CODE: &str = "MODELO-OBSERVACION";

/// The most findings that a review may have.
const MAX_FINDINGS: usize = 20;

/// The longest message of a finding, in characters.
const MAX_MESSAGE_CHARS: usize = 600;

/// The longest path of a finding, in characters.
const MAX_PATH_CHARS: usize = 200;

/// What a model thinks of a document, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    confidence: u8,
    findings: Vec<Remark>,
}

/// One thing that the model found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// A warning or an info.
    pub severity: Severity,
    /// What it noticed, in Spanish; neither blank nor longer than 600 characters.
    pub message: String,
    /// The field, at most 200 characters; may be empty.
    pub path: String,
}

/// Who found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A rule.
    Rule,
    /// The model.
    Model,
}

/// Why a model's text is no review. The model's fault; another call may give another text.
#[derive(Debug)]
pub struct ReviewError {
    kind: ReviewErrorKind,
    source: Option<serde_json::Error>,
}

/// What is wrong with a model's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReviewErrorKind {
    /// It is no JSON of the schema's shape.
    Shape,
    /// The confidence is outside 0 to 100.
    Confidence,
    /// There are too many findings.
    TooMany,
    /// A message is blank or too long, or a path is too long.
    Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    confidence: i64,
    findings: Vec<WireRemark>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRemark {
    severity: WireSeverity,
    message: String,
    path: String,
}

/// There is no `error` here on purpose: only a rule can reject a document.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireSeverity {
    Warning,
    Info,
}

/// The JSON schema of a review, within what structured output supports (no bounds on numbers
/// or lengths: [`Review::parse`] holds those). `right` says in Spanish what the model's
/// confidence is about: `el documento está correcto`.
#[must_use]
pub fn review_schema(right: &str) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["confidence", "findings"],
        "properties": {
            "confidence": {
                "type": "integer",
                "description": format!("0 a 100: qué tan seguro es que {right}"),
            },
            "findings": {
                "type": "array",
                "description": "Observaciones nuevas, que las reglas no informaron; máximo 20",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["severity", "message", "path"],
                    "properties": {
                        "severity": { "type": "string", "enum": ["warning", "info"] },
                        "message": { "type": "string", "description": "Una o dos frases en español" },
                        "path": { "type": "string", "description": "El campo, o vacío" },
                    },
                },
            },
        },
    })
}

impl Review {
    /// Reads a model's text.
    ///
    /// # Errors
    ///
    /// [`ReviewError`] for anything that isn't exactly a review within its bounds.
    pub fn parse(text: &str) -> Result<Self, ReviewError> {
        let wire: Wire = serde_json::from_str(text).map_err(|error| ReviewError {
            kind: ReviewErrorKind::Shape,
            source: Some(error),
        })?;
        let confidence = u8::try_from(wire.confidence)
            .ok()
            .filter(|confidence| *confidence <= 100)
            .ok_or(ReviewErrorKind::Confidence)?;
        if wire.findings.len() > MAX_FINDINGS {
            return Err(ReviewErrorKind::TooMany.into());
        }
        let findings = wire
            .findings
            .into_iter()
            .map(Remark::check)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            confidence,
            findings,
        })
    }

    /// How sure the model is that the document is right, 0 to 100.
    #[must_use]
    pub const fn confidence(&self) -> u8 {
        self.confidence
    }

    /// What it found, in its own order.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.findings
    }
}

impl Remark {
    fn check(wire: WireRemark) -> Result<Self, ReviewErrorKind> {
        let message = wire.message.trim();
        let fits = |text: &str, max| text.chars().nth(max).is_none();
        if message.is_empty()
            || !fits(message, MAX_MESSAGE_CHARS)
            || !fits(&wire.path, MAX_PATH_CHARS)
        {
            return Err(ReviewErrorKind::Text);
        }
        let severity = match wire.severity {
            WireSeverity::Warning => Severity::Warning,
            WireSeverity::Info => Severity::Info,
        };
        Ok(Self {
            severity,
            message: message.to_owned(),
            path: wire.path,
        })
    }
}

impl ReviewError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ReviewErrorKind {
        self.kind
    }
}

impl From<ReviewErrorKind> for ReviewError {
    fn from(kind: ReviewErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for ReviewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ReviewErrorKind::Shape => "read review (not of the schema's shape)",
            ReviewErrorKind::Confidence => "read review (confidence outside 0 to 100)",
            ReviewErrorKind::TooMany => "read review (too many findings)",
            ReviewErrorKind::Text => "read review (a text is blank or too long)",
        })
    }
}

impl StdError for ReviewError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests;
