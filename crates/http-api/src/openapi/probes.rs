//! The probes and the figures.

use serde_json::json;

use super::operation::Operation;
use super::schema::{amount, count, list, object, text, text_or_null, words};

const TAG: &str = "servicio";

pub(super) fn live() -> Operation {
    let schema = object(&[("status", words(&["alive"])), ("uptime_seconds", count())]);
    Operation::new("live", TAG, "El proceso está vivo").answer(200, "Vivo.", schema)
}

pub(super) fn ready() -> Operation {
    let ready = object(&[("status", words(&["ready"]))]);
    let not_ready = object(&[
        ("status", words(&["not_ready"])),
        ("reasons", list(&text())),
    ]);
    Operation::new("ready", TAG, "Si acepta solicitudes")
        .answer(200, "Sí.", ready)
        .answer(503, "No, y por qué.", not_ready)
}

pub(super) fn health() -> Operation {
    let quantiles = object(&[("p50", amount()), ("p95", amount()), ("p99", amount())]);
    let redis = object(&[
        ("status", words(&["up", "down", "disabled"])),
        (
            "type",
            words(&["standalone", "sentinel", "cluster", "embedded"]),
        ),
        ("master", text_or_null()),
        ("replicas", count()),
        ("sentinels", count()),
        ("latency_ms", amount()),
    ]);
    let anthropic = object(&[
        ("status", words(&["configured", "not_configured", "open"])),
        ("model", text_or_null()),
        ("api_key_present", json!({"type": "boolean"})),
        ("circuit", text_or_null()),
    ]);
    let plugins = object(&[
        ("status", text()),
        ("plugins_count", count()),
        ("plugins", list(&text())),
    ]);
    let knowledge = object(&[
        ("status", text()),
        ("documents_count", count()),
        ("modules", list(&text())),
    ]);
    let figures = object(&[
        ("total_requests", count()),
        ("cache_hits", count()),
        ("cache_misses", count()),
        ("cache_total", count()),
        (
            "cache_hit_rate",
            json!({"type": "number", "minimum": 0, "maximum": 1}),
        ),
        (
            "prompt_cache_hit_rate",
            json!({"type": ["number", "null"], "minimum": 0, "maximum": 1}),
        ),
        ("coalesced_total", count()),
        (
            "latency_ms",
            json!({"type": "object", "additionalProperties": quantiles}),
        ),
    ]);
    let schema = object(&[
        ("status", words(&["healthy", "degraded", "unhealthy"])),
        ("service", text()),
        ("version", text()),
        ("timestamp", text()),
        ("uptime_seconds", count()),
        (
            "dependencies",
            object(&[
                ("redis", redis),
                ("anthropic", anthropic),
                ("plugin_registry", plugins),
                ("knowledge_base", knowledge),
            ]),
        ),
        ("metrics", figures),
        ("health_check_duration_ms", amount()),
    ]);
    Operation::new("health", TAG, "Cómo está el servicio y de qué depende")
        .description("Nunca llama al modelo. Los percentiles están en milisegundos, por ruta.")
        .answer(200, "Sano.", schema.clone())
        .answer(207, "Degradado: responde sin lo que falta.", schema.clone())
        .answer(503, "No puede responder.", schema)
}

pub(super) fn metrics() -> Operation {
    Operation::new("metrics", TAG, "Cifras para Prometheus").content(
        200,
        "Texto de Prometheus.",
        "text/plain",
        text(),
    )
}

pub(super) fn costs() -> Operation {
    let figures = json!({
        "type": "object",
        "required": [
            "total_calls", "total_tokens", "total_input_tokens", "total_output_tokens",
            "total_cost_usd", "avg_tokens_per_call", "avg_cost_per_call", "saved_usd", "saved_tokens"
        ],
        "properties": {
            "total_calls": count(),
            "total_tokens": count(),
            "total_input_tokens": count(),
            "total_output_tokens": count(),
            "total_cost_usd": amount(),
            "avg_tokens_per_call": amount(),
            "avg_cost_per_call": amount(),
            "saved_usd": amount(),
            "saved_tokens": count()
        }
    });
    let by = json!({"type": "object", "additionalProperties": figures});
    let schema = object(&[
        (
            "period",
            words(&["today", "yesterday", "this_month", "all_time"]),
        ),
        ("summary", figures),
        ("by_operation", by.clone()),
        ("by_model", by),
    ]);
    Operation::new(
        "costs",
        TAG,
        "Lo que ha costado el modelo, y lo que ahorró el caché",
    )
    .parameter(json!({
        "name": "period",
        "in": "query",
        "schema": {"type": "string", "enum": ["today", "yesterday", "this_month", "all_time", ""]},
        "description": "Días y meses de Chile; sin él, hoy."
    }))
    .answer(200, "Dólares exactos.", schema)
    .problem(400)
    .problem(500)
    .problem(503)
}

pub(super) fn openapi() -> Operation {
    let schema = object(&[("openapi", text()), ("paths", json!({"type": "object"}))]);
    Operation::new("openapi", TAG, "Esta descripción").answer(200, "OpenAPI 3.1.", schema)
}

pub(super) fn docs() -> Operation {
    Operation::new("docs", TAG, "Esta descripción, para personas").content(
        200,
        "Una página que no pide nada a otros sitios.",
        "text/html",
        text(),
    )
}
