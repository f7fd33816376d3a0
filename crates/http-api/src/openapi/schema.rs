//! Pieces of JSON Schema that several operations share.

use serde_json::{Value, json};

/// `application/problem+json` (RFC 9457) as this service writes it.
pub(super) fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "Una frase para el usuario del ERP."},
            "code": {"type": "string", "description": "Estable, para programas."},
            "request_id": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["loc", "msg", "type"],
                    "properties": {
                        "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                        "msg": {"type": "string"},
                        "type": {"type": "string"}
                    }
                }
            }
        }
    })
}

/// The header of every answer.
pub(super) fn request_id() -> Value {
    json!({"required": true, "schema": {"type": "string", "minLength": 1}})
}

/// An object of an answer: these members, all of them there.
pub(super) fn object(members: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: serde_json::Map<String, Value> = members
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "required": names, "properties": properties})
}

/// A list of these.
pub(super) fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

/// A text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A text, or nothing.
pub(super) fn text_or_null() -> Value {
    json!({"type": ["string", "null"]})
}

/// A number of things.
pub(super) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// A number that is not negative.
pub(super) fn amount() -> Value {
    json!({"type": "number", "minimum": 0})
}

/// One of these words.
pub(super) fn words(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// From 0 to 100.
pub(super) fn percent() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": 100})
}

/// A value of a form as ERPs send it: a text, a number, or `false`, `null` and `""` for nothing.
pub(super) fn scalar(description: &str) -> Value {
    json!({
        "type": ["string", "number", "boolean", "null"],
        "description": description
    })
}

/// The ERP's company, which with the key is the tenant.
pub(super) fn company() -> Value {
    json!({
        "type": "integer",
        "minimum": 1,
        "maximum": u64::MAX,
        "description": "La compañía del ERP; junto con la clave es el inquilino."
    })
}

/// As an ERP writes nothing.
pub(super) fn nothing() -> Value {
    json!({"enum": [null, false, ""]})
}

/// What may be left out, or sent as nothing.
pub(super) fn optional(schema: &Value) -> Value {
    json!({"anyOf": [schema, nothing()]})
}

/// A value that is read with tolerance: what can't be read counts as not given.
pub(super) fn free(description: &str) -> Value {
    json!({"description": description})
}

/// The tokens of a call of the model, or nothing where there was none.
pub(super) fn usage() -> Value {
    json!({
        "type": ["object", "null"],
        "properties": {
            "input_tokens": count(),
            "output_tokens": count(),
            "total_tokens": count(),
            "cache_read_tokens": count(),
            "cache_creation_tokens": count()
        }
    })
}
