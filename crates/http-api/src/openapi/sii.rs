//! What the tax service published.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{count, list, object, text, text_or_null, words};

const TAG: &str = "novedades";

pub(super) fn monitor() -> Operation {
    let force = json!({
        "enum": [true, false, null, 0, 1, ""],
        "description": "Visitar también las fuentes que se visitan más de tarde en tarde."
    });
    let body = json!({"type": "object", "properties": {"force": force}});
    Operation::new("siiMonitor", TAG, "Revisa ahora las páginas del SII")
        .description(
            "La revisión sigue aunque quien la pidió se vaya. Si tarda más de veinte segundos, o \
             si ya hay una en curso, en esta réplica o en otra, responde `running` con su \
             `run_id`, y su resultado queda en `last_run` de `/api/ai/sii/status`.",
        )
        .body(body, &[("todas", json!({"force": true}))])
        .optional_body()
        .problem(404)
        .answer(200, "La revisión.", report())
}

pub(super) fn status() -> Operation {
    let source = object(&[
        ("key", text()),
        ("url", text()),
        ("last_checked", text_or_null()),
        ("last_success", text_or_null()),
        ("last_changed", text_or_null()),
        ("last_status", text_or_null()),
        ("etag", text_or_null()),
        ("duration_ms", count()),
        ("bytes", count()),
        ("checks", count()),
        ("errors", count()),
        ("changes", count()),
    ]);
    let states = ["off", "never_run", "success", "partial", "error"];
    let schema = object(&[
        ("status", words(&states)),
        ("orchestrator_initialized", json!({"type": "boolean"})),
        ("last_execution", text_or_null()),
        ("next_execution", text_or_null()),
        ("news_count_last_24h", count()),
        ("total_checks", count()),
        (
            "error_rate",
            json!({"type": "number", "minimum": 0, "maximum": 1}),
        ),
        ("sources", list(&source)),
        ("last_run", json!({"anyOf": [report(), {"type": "null"}]})),
    ]);
    Operation::new("siiStatus", TAG, "Cómo está el monitor del SII")
        .description("`next_execution` es nulo si las revisiones sólo se hacen a pedido.")
        .answer(200, "El estado.", schema)
        .problem(500)
        .problem(503)
}

pub(super) fn news() -> Operation {
    let parameter = |name: &str, schema: Value, description: &str| json!({"name": name, "in": "query", "schema": schema, "description": description});
    // An empty one says nothing, as ERPs send it.
    let or_empty = |schemas: &[Value]| {
        let mut any = schemas.to_vec();
        any.push(json!({"enum": [""]}));
        json!({"anyOf": any})
    };
    let moment = or_empty(&[
        json!({"type": "string", "format": "date-time"}),
        json!({"type": "string", "format": "date"}),
    ]);
    let page = object(&[("items", list(&item())), ("next_cursor", text_or_null())]);
    Operation::new("siiNews", TAG, "Las novedades del SII")
        .description("Las más nuevas primero. Son de páginas públicas: las lee cualquier clave.")
        .parameter(parameter(
            "since",
            moment,
            "Detectadas desde esta fecha (en Chile) o momento.",
        ))
        .parameter(parameter(
            "min_priority",
            or_empty(&[json!({"type": "integer", "minimum": 1, "maximum": 5})]),
            "De esta prioridad o más.",
        ))
        .parameter(parameter(
            "limit",
            or_empty(&[json!({"type": "integer", "minimum": 1, "maximum": 100})]),
            "Cuántas: 20 si no se dice.",
        ))
        .parameter(parameter(
            "cursor",
            or_empty(&[json!({"type": "string", "pattern": "^[0-9]{1,17}_[a-z0-9_-]{0,200}$"})]),
            "El `next_cursor` de la página anterior.",
        ))
        .answer(200, "Las novedades.", page)
        .problem(400)
        .problem(500)
        .problem(503)
}

pub(super) fn one() -> Operation {
    Operation::new("siiNewsItem", TAG, "Una novedad del SII")
        .parameter(json!({
            "name": "id", "in": "path", "required": true,
            "schema": {"type": "string", "minLength": 1}, "example": "circular-11-2026"
        }))
        .answer(200, "La novedad.", item())
        .problem(404)
        .problem(500)
        .problem(503)
}

fn report() -> Value {
    object(&[
        ("status", words(&["success", "partial", "error", "running"])),
        (
            "execution_time",
            json!({"type": "string", "pattern": "^[0-9]+\\.[0-9]{2}s$"}),
        ),
        ("urls_scraped", count()),
        ("changes_detected", count()),
        ("news_created", count()),
        ("notifications_sent", count()),
        ("errors", list(&text())),
        ("run_id", text()),
    ])
}

fn item() -> Value {
    let impact = object(&[
        ("nivel", words(&["bajo", "medio", "alto"])),
        ("componentes_afectados", list(&text())),
        ("requiere_certificacion", json!({"type": "boolean"})),
        ("breaking_change", json!({"type": "boolean"})),
        ("justificacion", text()),
    ]);
    object(&[
        ("id", text()),
        ("tipo", text()),
        ("numero", text_or_null()),
        ("fecha", text_or_null()),
        ("vigencia", text_or_null()),
        ("titulo", text()),
        ("url", text_or_null()),
        ("resumen", text()),
        ("extracto", text()),
        ("cambios_tecnicos", list(&text())),
        ("impacto", impact),
        ("acciones_requeridas", list(&text())),
        (
            "prioridad",
            json!({"type": "integer", "minimum": 1, "maximum": 5}),
        ),
        (
            "detected_at",
            json!({"type": "string", "format": "date-time"}),
        ),
        ("diff", text()),
        ("evento", words(&["nuevo", "modificado", "eliminado"])),
        ("fuente", text()),
        ("analizado_por", words(&["reglas", "modelo"])),
        (
            "plazos",
            list(&object(&[("fecha", text()), ("texto", text())])),
        ),
        ("leyes", list(&text())),
        (
            "reemplaza",
            list(&object(&[
                ("indicador", text()),
                ("antes", text()),
                ("despues", text()),
            ])),
        ),
    ])
}
