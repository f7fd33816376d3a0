//! `/api/chat`.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{amount, count, list, object, percent, text, text_or_null, words};

const TAG: &str = "asistente";

pub(super) fn new_session() -> Operation {
    let answer = object(&[("session_id", uuid()), ("welcome_message", text())]);
    let body = json!({"type": "object", "properties": {"user_context": user_context()}});
    let example = json!({"user_context": {"user_name": "Ana", "user_role": "contadora"}});
    Operation::new("chatNewSession", TAG, "Comienza una conversación")
        .description("Vive una hora desde su último mensaje.")
        .body(body, &[("contadora", example)])
        .optional_body()
        .problem(403)
        .answer(200, "La sesión.", answer)
}

pub(super) fn message() -> Operation {
    let mut members = vec![("message", text())];
    members.extend(metadata());
    let mut answer = object(&members);
    answer["properties"]["degraded"] = json!({
        "type": "boolean",
        "description": "Sólo si es `true`: se respondió sin lo dicho antes en la sesión, que no se \
                        pudo leer; el mensaje se agregará a ella cuando se pueda."
    });
    Operation::new("chatMessage", TAG, "Responde una pregunta")
        .description(
            "Sin modelo de lenguaje responde con frases de los mejores pasajes y `llm_used` es \
             «none». Las citas `[n]` del texto son las de `citations`.",
        )
        .body(question(), &examples())
        .problem(403)
        .problem(404)
        .answer(200, "La respuesta.", answer)
}

pub(super) fn stream() -> Operation {
    let last = json!({
        "name": "Last-Event-ID", "in": "header", "required": false,
        "schema": {"type": "string"},
        "description": "Retoma una respuesta en curso, o terminada hace menos de un minuto, \
                        después de este evento."
    });
    let events = json!({
        "type": ["object", "string"],
        "description": "Eventos `data: {json}` con `id:`: `{\"type\":\"text\",\"content\"}` …, y al \
                        final `{\"type\":\"done\",\"metadata\"}` o \
                        `{\"type\":\"error\",\"content\",\"code\"}`. Un comentario `: ping` cada 15 s \
                        de silencio."
    });
    Operation::new(
        "chatStream",
        TAG,
        "Responde una pregunta a medida que se escribe",
    )
    .parameter(last)
    .body(question(), &examples())
    .problem(403)
    .problem(404)
    .content(200, "Los eventos.", "text/event-stream", events)
}

pub(super) fn session() -> Operation {
    let message = json!({
        "type": "object",
        "required": ["role", "content", "timestamp"],
        "properties": {
            "role": words(&["user", "assistant"]),
            "content": text(),
            "timestamp": {"type": "string", "format": "date-time"},
            "plugin_used": text(),
            "partial": {"type": "boolean"}
        }
    });
    let stats = object(&[
        ("session_id", uuid()),
        ("message_count", count()),
        ("ttl_remaining_seconds", count()),
        ("exists", json!({"type": "boolean"})),
    ]);
    let answer = object(&[
        ("session_id", uuid()),
        ("message_count", count()),
        ("messages", list(&message)),
        ("stats", stats),
    ]);
    Operation::new("chatSession", TAG, "Lo que se ha dicho en una sesión")
        .description("Guarda los últimos 10 mensajes. Mirarla no la renueva.")
        .parameter(id())
        .problem(404)
        .problem(503)
        .answer(200, "La sesión.", answer)
}

pub(super) fn delete() -> Operation {
    let answer = object(&[
        ("status", words(&["cleared"])),
        ("session_id", uuid()),
        ("message", text()),
    ]);
    Operation::new("chatDelete", TAG, "Borra una sesión")
        .parameter(id())
        .problem(404)
        .problem(503)
        .answer(200, "Borrada.", answer)
}

pub(super) fn search() -> Operation {
    let passage = object(&[
        ("id", text()),
        ("title", text()),
        ("module", text()),
        ("tags", list(&text())),
        ("content", text()),
        ("score", amount()),
        ("section", text()),
        ("snippet", text()),
        ("url", text_or_null()),
    ]);
    let answer = object(&[
        ("query", text()),
        ("results_found", count()),
        ("results", list(&passage)),
    ]);
    let parameter = |name: &str, required: bool, schema: Value| json!({"name": name, "in": "query", "required": required, "schema": schema});
    let query = json!({"type": "string", "minLength": 1, "maxLength": 1000});
    let top_k = json!({"type": "integer", "minimum": 1, "maximum": 20, "default": 3});
    Operation::new("chatSearch", TAG, "Busca en la base de conocimiento")
        .parameter(parameter("query", true, query))
        .parameter(parameter("top_k", false, top_k))
        .parameter(parameter("module", false, text()))
        .problem(400)
        .problem(503)
        .answer(200, "Los mejores pasajes.", answer)
}

fn question() -> Value {
    json!({
        "type": "object",
        "required": ["message"],
        "properties": {
            "session_id": {"anyOf": [uuid(), {"enum": [null, false, ""]}]},
            "message": {"type": "string", "minLength": 1, "maxLength": 5000},
            "user_context": user_context()
        }
    })
}

fn user_context() -> Value {
    json!({
        "anyOf": [{"type": "object"}, {"enum": [null, false, ""]}],
        "description": "Datos para adaptar la respuesta. `company_id` debe ser de la clave y separa \
                        las sesiones. El nombre y el correo de la persona no llegan al modelo."
    })
}

fn examples() -> [(&'static str, Value); 1] {
    [(
        "pregunta",
        json!({"message": "¿Cómo anulo una factura aceptada por el SII?"}),
    )]
}

fn metadata() -> Vec<(&'static str, Value)> {
    let tokens = object(&[
        ("input_tokens", count()),
        ("output_tokens", count()),
        ("total_tokens", count()),
        ("cache_read_tokens", count()),
        ("cache_creation_tokens", count()),
    ]);
    let citation = object(&[
        ("number", count()),
        ("id", text()),
        ("title", text()),
        ("section", text()),
        ("url", text_or_null()),
    ]);
    vec![
        ("sources", list(&text())),
        ("confidence", percent()),
        ("session_id", uuid()),
        ("llm_used", text()),
        ("tokens_used", tokens),
        ("plugin_used", text_or_null()),
        ("citations", list(&citation)),
    ]
}

fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}

fn id() -> Value {
    json!({"name": "id", "in": "path", "required": true, "schema": uuid()})
}
