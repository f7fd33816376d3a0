//! One operation: what it is called, what goes in, what comes out.

use serde_json::{Map, Value, json};

use super::schema;

/// An operation under construction.
#[derive(Debug)]
pub(super) struct Operation {
    members: Map<String, Value>,
    responses: Map<String, Value>,
    open: bool,
}

impl Operation {
    /// One with this name for programs, this tag, and this line for people.
    pub(super) fn new(id: &str, tag: &str, summary: &str) -> Self {
        let mut members = Map::new();
        members.insert("operationId".into(), id.into());
        members.insert("tags".into(), json!([tag]));
        members.insert("summary".into(), summary.into());
        Self {
            members,
            responses: Map::new(),
            open: false,
        }
    }

    /// More than the line.
    pub(super) fn description(mut self, text: &str) -> Self {
        self.members.insert("description".into(), text.into());
        self
    }

    /// Nobody needs a key for it.
    pub(super) fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// A parameter of the query or the path, as a whole OpenAPI parameter object.
    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        let list = self
            .members
            .entry("parameters")
            .or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(parameter);
        }
        self
    }

    /// The body that it takes, with an example that works as it stands.
    pub(super) fn body(mut self, schema: Value, examples: &[(&str, Value)]) -> Self {
        let examples: Map<String, Value> = examples
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!({"value": value})))
            .collect();
        let content = json!({"schema": schema, "examples": examples});
        self.members.insert(
            "requestBody".into(),
            json!({"required": true, "content": {"application/json": content}}),
        );
        for status in [400, 408, 413, 415, 422] {
            self = self.problem(status);
        }
        self.problem(503).problem(500)
    }

    /// The body may be left out.
    pub(super) fn optional_body(mut self) -> Self {
        if let Some(body) = self.members.get_mut("requestBody") {
            body["required"] = Value::Bool(false);
        }
        self
    }

    /// An answer in JSON.
    pub(super) fn answer(self, status: u16, description: &str, schema: Value) -> Self {
        self.content(status, description, "application/json", schema)
    }

    /// An answer of another type.
    pub(super) fn content(
        mut self,
        status: u16,
        description: &str,
        media: &str,
        schema: Value,
    ) -> Self {
        let mut content = Map::new();
        content.insert(media.into(), json!({"schema": schema}));
        let response = json!({
            "description": description,
            "headers": {"X-Request-ID": schema::request_id()},
            "content": content
        });
        self.responses.insert(status.to_string(), response);
        self
    }

    /// A refusal.
    pub(super) fn problem(mut self, status: u16) -> Self {
        let response = json!({
            "description": refusal(status),
            "headers": {"X-Request-ID": schema::request_id()},
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }
        });
        self.responses.insert(status.to_string(), response);
        self
    }

    /// The operation object.
    pub(super) fn build(mut self) -> Value {
        if self.open {
            self.members.insert("security".into(), json!([]));
        } else {
            self = self.problem(401).problem(403).problem(429);
        }
        self.members
            .insert("responses".into(), Value::Object(self.responses));
        Value::Object(self.members)
    }
}

const fn refusal(status: u16) -> &'static str {
    match status {
        400 => "El cuerpo no es JSON, o un parámetro no se entiende.",
        401 => "Falta la clave o no es válida.",
        403 => "La clave no está autorizada para esta compañía o esta ruta.",
        404 => "No existe, o no es de esta clave.",
        408 => "El cuerpo no llegó a tiempo.",
        413 => "El cuerpo supera el máximo.",
        415 => "El cuerpo no es JSON en UTF-8.",
        422 => "JSON de otra forma, o un valor fuera de su dominio; `errors` dice dónde.",
        429 => {
            "Límite de frecuencia o de presupuesto, o demasiadas claves que no son válidas; \
             `Retry-After` dice cuánto esperar."
        }
        502 => "El modelo de lenguaje o la fuente externa falló.",
        503 => "Demasiadas solicitudes a la vez; `Retry-After` dice cuánto esperar.",
        504 => "El modelo de lenguaje no respondió a tiempo.",
        _ => "Error interno.",
    }
}
