//! An ERP that spoke to another service needs only another base URL: every route of the contract,
//! called as an Odoo module calls it, answers with every field, each of its type.
//!
//! A module sends what it has: keys that nobody asked for, `false` and `null` for what is empty,
//! floats for whole numbers, dates as texts with a time, and `[id, "name"]` for a record. A route
//! that is added needs one [`Route`] in [`ROUTES`].

use serde_json::{Map, Value, json};

use crate::support::{Options, Request, Service, Site, factura_con, factura_xml};

/// What a field of an answer must be.
#[derive(Debug, Clone, Copy)]
enum Is {
    Text,
    /// A whole number from 0 on.
    Count,
    /// 0 to 100.
    Percent,
    Number,
    Flag,
    List,
    Object,
    /// One of these words.
    Word(&'static [&'static str]),
    /// That, or nothing.
    Or(&'static Is),
}

use Is::{Count, Flag, List, Number, Object, Or, Percent, Text, Word};

impl Is {
    fn fits(self, value: &Value) -> bool {
        match self {
            Text => value.is_string(),
            Count => value.is_u64(),
            Percent => value.as_u64().is_some_and(|percent| percent <= 100),
            Number => value.is_number(),
            Flag => value.is_boolean(),
            List => value.is_array(),
            Object => value.is_object(),
            Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Or(other) => value.is_null() || other.fits(value),
        }
    }
}

/// A route as the contract has it.
struct Route {
    path: &'static str,
    /// What is sent, for a `POST`.
    body: Option<fn() -> Value>,
    /// Members that may be nothing: they are sent as `null` and as `false` too.
    optional: &'static [&'static str],
    /// Where fields are in the answer, and what they are.
    fields: &'static [(&'static str, Is)],
    /// The field that says the same however the question is written.
    verdict: &'static str,
}

const FINDING: [(&str, Is); 5] = [
    ("/findings/0/code", Text),
    ("/findings/0/severity", Word(&["error", "warning", "info"])),
    ("/findings/0/message", Text),
    ("/findings/0/path", Text),
    ("/findings/0/source", Word(&["rule", "model"])),
];

const ROUTES: &[Route] = &[
    Route {
        path: "/api/ai/validate",
        body: Some(|| json!({ "company_id": 1, "dte_data": invoice_in_full(), "history": [] })),
        optional: &["history", "mode"],
        fields: &[
            ("/confidence", Percent),
            ("/warnings", List),
            ("/warnings/0", Text),
            ("/errors", List),
            ("/recommendation", Word(&["send", "review", "reject"])),
            ("/findings", List),
            FINDING[0],
            FINDING[1],
            FINDING[2],
            FINDING[3],
            FINDING[4],
            ("/degraded", Flag),
            ("/model", Or(&Text)),
            ("/usage", Or(&Object)),
        ],
        verdict: "/recommendation",
    },
    Route {
        path: "/api/ai/reception/match_po",
        body: Some(match_po),
        optional: &[],
        fields: &MATCHED,
        verdict: "/matched_po_id",
    },
    Route {
        path: "/api/ai/reception/match_po",
        body: Some(|| {
            let mut body = match_po();
            let data = body.as_object_mut().unwrap().remove("dte_data").unwrap();
            body["invoice_data"] = data;
            body
        }),
        optional: &["dte_data"],
        fields: &MATCHED,
        verdict: "/matched_po_id",
    },
    Route {
        path: "/api/ai/reconcile",
        body: Some(|| json!({ "dte_xml": factura_xml(11_900), "pending_pos": orders() })),
        optional: &["company_id"],
        fields: &[
            ("/po_id", Or(&Count)),
            ("/confidence", Percent),
            ("/line_matches", List),
        ],
        verdict: "/po_id",
    },
    Route {
        path: "/api/ai/analytics/suggest_project",
        body: Some(suggest_project),
        optional: &["partner_id"],
        fields: &[
            ("/project_id", Or(&Count)),
            ("/project_name", Or(&Text)),
            ("/confidence", Percent),
            ("/reasoning", Text),
        ],
        verdict: "/project_id",
    },
    Route {
        path: "/api/ai/analytics/health",
        body: None,
        optional: &[],
        fields: &[
            ("/status", Text),
            ("/service", Word(&["analytics"])),
            ("/anthropic_configured", Flag),
            ("/features", List),
            ("/features/0", Text),
        ],
        verdict: "/status",
    },
    Route {
        path: "/api/ai/analytics/stats",
        body: None,
        optional: &[],
        fields: &[
            ("/total_suggestions", Count),
            ("/avg_confidence", Number),
            ("/projects_matched", Count),
            ("/top_projects", List),
            ("/confidence_distribution/high", Count),
            ("/confidence_distribution/medium", Count),
            ("/confidence_distribution/low", Count),
        ],
        verdict: "/confidence_distribution",
    },
    Route {
        path: "/api/payroll/validate",
        body: Some(payslip),
        optional: &[
            "company_id",
            "employee_name",
            "date_from",
            "date_to",
            "total_imponible",
        ],
        fields: &[
            ("/success", Flag),
            ("/confidence", Percent),
            ("/errors", List),
            ("/errors/0", Text),
            ("/warnings", List),
            ("/recommendation", Word(&["approve", "review", "reject"])),
            ("/findings", List),
            FINDING[0],
            FINDING[1],
            FINDING[2],
            FINDING[3],
            FINDING[4],
            ("/findings/0/expected", Number),
            ("/findings/0/actual", Number),
            ("/findings/0/difference", Number),
            ("/findings/0/formula", Text),
            ("/degraded", Flag),
        ],
        verdict: "/recommendation",
    },
    Route {
        path: "/api/payroll/indicators/2026-03?force=false",
        body: None,
        optional: &[],
        fields: &INDICATORS,
        verdict: "/indicators",
    },
    Route {
        path: "/api/ai/sii/monitor",
        body: Some(|| json!({ "force": true })),
        optional: &["force"],
        fields: &[
            ("/status", Word(&["success", "partial", "error", "running"])),
            ("/execution_time", Text),
            ("/urls_scraped", Count),
            ("/changes_detected", Count),
            ("/news_created", Count),
            ("/notifications_sent", Count),
            ("/errors", List),
            ("/run_id", Text),
        ],
        verdict: "/status",
    },
    Route {
        path: "/api/ai/sii/status",
        body: None,
        optional: &[],
        fields: &[
            ("/status", Text),
            ("/orchestrator_initialized", Flag),
            ("/last_execution", Text),
            ("/next_execution", Or(&Text)),
            ("/news_count_last_24h", Count),
            ("/total_checks", Count),
            ("/error_rate", Number),
            ("/sources/0/key", Text),
            ("/sources/0/url", Text),
            ("/sources/0/last_checked", Text),
            ("/sources/0/last_changed", Or(&Text)),
            ("/sources/0/last_status", Text),
            ("/sources/0/etag", Or(&Text)),
        ],
        verdict: "/status",
    },
    Route {
        path: "/api/ai/sii/news?since=2026-01-01&min_priority=1&limit=20&cursor=",
        body: None,
        optional: &[],
        fields: &NEWS,
        verdict: "/items/0/id",
    },
    Route {
        path: "/metrics/costs?period=this_month",
        body: None,
        optional: &[],
        fields: &COSTS,
        verdict: "/period",
    },
    Route {
        path: "/health",
        body: None,
        optional: &[],
        fields: &HEALTH,
        verdict: "/status",
    },
    Route {
        path: "/live",
        body: None,
        optional: &[],
        fields: &[("/status", Word(&["alive"])), ("/uptime_seconds", Count)],
        verdict: "/status",
    },
    Route {
        path: "/ready",
        body: None,
        optional: &[],
        fields: &[("/status", Word(&["ready"]))],
        verdict: "/status",
    },
];

const NEWS: [(&str, Is); 19] = [
    ("/items/0/id", Text),
    ("/items/0/tipo", Text),
    ("/items/0/numero", Or(&Text)),
    ("/items/0/fecha", Or(&Text)),
    ("/items/0/vigencia", Or(&Text)),
    ("/items/0/titulo", Text),
    ("/items/0/url", Or(&Text)),
    ("/items/0/resumen", Text),
    ("/items/0/cambios_tecnicos", List),
    ("/items/0/impacto/nivel", Word(&["bajo", "medio", "alto"])),
    ("/items/0/impacto/componentes_afectados", List),
    ("/items/0/impacto/requiere_certificacion", Flag),
    ("/items/0/impacto/breaking_change", Flag),
    ("/items/0/impacto/justificacion", Text),
    ("/items/0/acciones_requeridas", List),
    ("/items/0/prioridad", Count),
    ("/items/0/detected_at", Text),
    ("/items/0/diff", Text),
    ("/next_cursor", Or(&Text)),
];

const MATCHED: [(&str, Is); 9] = [
    ("/matched_po_id", Or(&Count)),
    ("/confidence", Percent),
    ("/line_matches", List),
    ("/line_matches/0/invoice_line", Count),
    ("/line_matches/0/po_line", Count),
    ("/line_matches/0/score", Number),
    ("/line_matches/0/quantity_ok", Flag),
    ("/line_matches/0/price_ok", Flag),
    ("/reasoning", Text),
];

const INDICATORS: [(&str, Is); 31] = [
    ("/success", Flag),
    ("/metadata/source", Text),
    ("/metadata/url", Or(&Text)),
    ("/metadata/period", Word(&["2026-03"])),
    ("/metadata/fields_count", Count),
    ("/metadata/fetched_at", Text),
    ("/indicators/uf", Number),
    ("/indicators/utm", Number),
    ("/indicators/uta", Number),
    ("/indicators/sueldo_minimo", Number),
    ("/indicators/afp_tope_uf", Number),
    ("/indicators/afc_tope_uf", Number),
    ("/indicators/salud_tope_uf", Number),
    ("/indicators/apv_tope_mensual_uf", Number),
    ("/indicators/apv_tope_anual_uf", Number),
    ("/indicators/asig_fam_tramo_1", Number),
    ("/indicators/asig_fam_tramo_4", Number),
    ("/indicators/exvida_pct", Number),
    ("/indicators/afc_trabajador_indefinido", Number),
    ("/indicators/afc_empleador_indefinido", Number),
    ("/indicators/afc_trabajador_plazo_fijo", Number),
    ("/indicators/afc_empleador_plazo_fijo", Number),
    ("/indicators/fonasa_pct", Number),
    ("/indicators/sis_pct", Number),
    ("/indicators/afp_capital_pct", Number),
    ("/indicators/afp_cuprum_pct", Number),
    ("/indicators/afp_habitat_pct", Number),
    ("/indicators/afp_modelo_pct", Number),
    ("/indicators/afp_planvital_pct", Number),
    ("/indicators/afp_provida_pct", Number),
    ("/indicators/afp_uno_pct", Number),
];

const COSTS: [(&str, Is); 12] = [
    ("/period", Word(&["this_month"])),
    ("/summary/total_calls", Count),
    ("/summary/total_tokens", Count),
    ("/summary/total_input_tokens", Count),
    ("/summary/total_output_tokens", Count),
    ("/summary/total_cost_usd", Number),
    ("/summary/avg_tokens_per_call", Number),
    ("/summary/avg_cost_per_call", Number),
    ("/summary/saved_usd", Number),
    ("/summary/saved_tokens", Count),
    ("/by_operation", Object),
    ("/by_model", Object),
];

const HEALTH: [(&str, Is); 32] = [
    ("/status", Word(&["healthy", "degraded", "unhealthy"])),
    ("/service", Text),
    ("/version", Text),
    ("/timestamp", Text),
    ("/uptime_seconds", Count),
    (
        "/dependencies/redis/status",
        Word(&["up", "down", "disabled"]),
    ),
    ("/dependencies/redis/type", Text),
    ("/dependencies/redis/master", Or(&Text)),
    ("/dependencies/redis/replicas", Count),
    ("/dependencies/redis/sentinels", Count),
    ("/dependencies/redis/latency_ms", Number),
    (
        "/dependencies/anthropic/status",
        Word(&["configured", "not_configured", "open"]),
    ),
    ("/dependencies/anthropic/model", Or(&Text)),
    ("/dependencies/anthropic/api_key_present", Flag),
    ("/dependencies/anthropic/circuit", Or(&Text)),
    ("/dependencies/plugin_registry/status", Text),
    ("/dependencies/plugin_registry/plugins_count", Count),
    ("/dependencies/plugin_registry/plugins", List),
    ("/dependencies/knowledge_base/status", Text),
    ("/dependencies/knowledge_base/documents_count", Count),
    ("/dependencies/knowledge_base/modules", List),
    ("/metrics/total_requests", Count),
    ("/metrics/cache_hits", Count),
    ("/metrics/cache_misses", Count),
    ("/metrics/cache_total", Count),
    ("/metrics/cache_hit_rate", Number),
    ("/metrics/prompt_cache_hit_rate", Or(&Number)),
    ("/metrics/coalesced_total", Count),
    ("/metrics/latency_ms/~1api~1payroll~1validate/p50", Number),
    ("/metrics/latency_ms/~1api~1payroll~1validate/p95", Number),
    ("/metrics/latency_ms/~1api~1payroll~1validate/p99", Number),
    ("/health_check_duration_ms", Number),
];

fn invoice_in_full() -> Value {
    let mut invoice = factura_con("Cemento 25 kg");
    invoice["descuentos_recargos"] = json!([]);
    invoice["referencias"] = json!([]);
    invoice["impuestos"] = json!([]);
    invoice["indicador_traslado"] = json!(false);
    invoice["moneda"] = Value::Null;
    invoice
}

fn orders() -> Value {
    json!([
        {
            "id": 7, "name": "P00007", "partner_id": [12, "Ferretería El Clavo SpA"],
            "partner_name": "Ferretería El Clavo SpA", "partner_vat": "76192083-9",
            "amount_total": 11_900, "date_order": "2026-11-12 14:03:55",
            "lines": [{
                "id": 31, "product_id": [55, "[CEM25] Cemento 25 kg"], "name": "Cemento 25 kg",
                "product_qty": 2, "price_unit": 5_000, "price_subtotal": 10_000,
                "product_uom": [1, "Unidades"], "date_planned": false,
            }],
        },
        {
            "id": 8, "name": "P00008", "partner_name": "Ferretería El Clavo SpA",
            "partner_vat": "76192083-9", "amount_total": 357_000, "date_order": "2026-10-02",
            "lines": [{ "name": "Fierro 12 mm", "product_qty": 30, "price_unit": 10_000 }],
        },
    ])
}

fn match_po() -> Value {
    json!({
        "company_id": 1,
        "dte_data": {
            "partner_id": [12, "Ferretería El Clavo SpA"], "partner_vat": "76192083-9",
            "partner_name": "Ferretería El Clavo SpA", "total_amount": 11_900,
            "date": "2026-11-20 00:00:00", "reference": "OC P00007",
            "lines": [{
                "product_id": [55, "[CEM25] Cemento 25 kg"], "name": "Cemento 25 kg",
                "quantity": 2, "price_unit": 5_000, "price_subtotal": 10_000, "tax_ids": [3],
            }],
        },
        "pending_pos": orders(),
    })
}

fn suggest_project() -> Value {
    json!({
        "partner_id": [12, "Ferretería El Clavo SpA"], "partner_vat": "76192083-9",
        "partner_name": "Ferretería El Clavo SpA", "company_id": 1,
        "invoice_lines": [{ "description": "Cemento 25 kg", "quantity": 20, "price": 5_000 }],
        "available_projects": [
            { "id": 3, "name": "Edificio Los Robles", "code": "EDR", "partner_name": "Inmobiliaria Robles", "state": "open", "budget": 90_000_000 },
            { "id": 4, "name": "Mantención bodega", "code": false, "partner_name": false, "state": "open", "budget": 0 },
        ],
        "historical_purchases": [
            { "date": "2026-10-02", "project_name": "Edificio Los Robles", "amount": 850_000 },
            { "date": "2026-10-20", "project_name": [3, "Edificio Los Robles"], "amount": 420_000 },
        ],
    })
}

/// A payslip whose discount for the AFP is another one's.
fn payslip() -> Value {
    json!({
        "employee_id": 7, "employee_name": "Ana Soto", "period": "2024-06", "wage": 786_000,
        "date_from": "2024-06-01", "date_to": "2024-06-30",
        "lines": [
            { "code": "BASIC", "name": "Sueldo base", "category": "BASIC", "amount": 786_000, "total": 786_000 },
            { "code": "GRAT", "name": "Gratificación legal", "category": [5, "Haberes imponibles"], "amount": 182_083, "total": 182_083 },
            { "code": "AFP", "name": "AFP ProVida", "amount": -96_326 },
            { "code": "FONASA", "name": "Fonasa 7%", "amount": -67_766, "category": false },
            { "code": "AFC", "name": "Seguro de cesantía", "amount": -5_808, "total": false },
        ],
    })
}

/// The ways in which the same is said.
fn variants(route: &Route) -> Vec<(&'static str, Option<Value>)> {
    let Some(body) = route.body else {
        return vec![("as it is", None)];
    };
    let with = |nothing: &Value| {
        let mut body = body();
        for name in route.optional {
            body[*name] = nothing.clone();
        }
        Some(body)
    };
    vec![
        ("as it is", Some(body())),
        ("with keys that nobody asked for", Some(more_keys(body()))),
        ("with floats", Some(floats(body()))),
        ("with null", with(&Value::Null)),
        ("with false", with(&json!(false))),
        (
            "with all of it",
            with(&json!(false)).map(more_keys).map(floats),
        ),
    ]
}

/// The same with keys in every object that an ERP's `read()` brings along.
fn more_keys(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Map<String, Value> = members
                .into_iter()
                .map(|(name, value)| (name, more_keys(value)))
                .collect();
            members.insert("__last_update".into(), json!("2026-11-20 12:00:00"));
            members.insert("create_uid".into(), json!([2, "Mitchell Admin"]));
            members.insert("activity_ids".into(), json!([]));
            members.insert("x_studio_nota".into(), json!({ "color": null }));
            Value::Object(members)
        }
        Value::Array(items) => items.into_iter().map(more_keys).collect(),
        other => other,
    }
}

/// The same with every whole number as a float, as Odoo's fields of money and quantity are.
fn floats(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, floats(value)))
            .collect(),
        Value::Array(items) if items.len() == 2 && items[1].is_string() => Value::Array(items),
        Value::Array(items) => items.into_iter().map(floats).collect(),
        Value::Number(number) => json!(number.as_f64().unwrap()),
        other => other,
    }
}

#[tokio::test]
async fn every_route_answers_an_erp_with_every_field() {
    let site = Site::start().await;
    let entry = "<h5>Circular N° 11 del 30 de Enero del 2026</h5><p>Boletas.</p>";
    site.set("/indice.htm", entry);
    let url = site.url("/indice.htm");
    let service = Options::default()
        .config("[indicators]\nfetch = false\n[sii_monitor]\ndefault_sources = false\n")
        .config("report_existing = true\nrequest_interval_ms = 0\n")
        .config("allow_private_hosts = [\"127.0.0.1\"]\n[[sii_monitor.sources]]\n")
        .config(&format!(
            "key = \"circulares\"\nurl = \"{url}\"\nkind = \"index\"\n"
        ))
        .start()
        .await;
    for route in ROUTES {
        let mut first: Option<Value> = None;
        for (how, body) in variants(route) {
            let answer = ask(&service, route.path, body, how).await;
            for (place, is) in route.fields {
                let value = answer.pointer(place);
                let value = value.unwrap_or_else(|| panic!("{} {how}: no {place}", route.path));
                assert!(is.fits(value), "{} {how}: {place} is {value}", route.path);
            }
            let verdict = answer.pointer(route.verdict).unwrap().clone();
            let first = first.get_or_insert_with(|| verdict.clone());
            assert_eq!(*first, verdict, "{} {how}", route.path);
        }
    }
}

async fn ask(service: &Service, path: &str, body: Option<Value>, how: &str) -> Value {
    let request = match &body {
        Some(body) => Request::post(path, body),
        None => Request::get(path),
    };
    let reply = service.send(request).await;
    assert_eq!(reply.status, 200, "{path} {how}: {reply:?}");
    assert_eq!(reply.header("content-type"), "application/json", "{path}");
    reply.json()
}

#[tokio::test]
async fn verdicts_are_the_right_ones_however_they_are_asked_for() {
    let service = Service::start().await;
    let of = async |path: &str, body: Value| ask(&service, path, Some(floats(body)), "").await;
    let matched = of("/api/ai/reception/match_po", match_po()).await;
    assert_eq!(matched["matched_po_id"], 7, "{matched}");
    let project = of("/api/ai/analytics/suggest_project", suggest_project()).await;
    assert_eq!(project["project_id"], 3, "{project}");
    assert_eq!(project["project_name"], "Edificio Los Robles");
    let checked = of("/api/payroll/validate", payslip()).await;
    assert_eq!(checked["recommendation"], "reject", "{checked}");
    let finding = &checked["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["expected"], &finding["actual"]),
        (&json!("LIQ-AFP-MONTO"), &json!(110_846), &json!(96_326))
    );
}
