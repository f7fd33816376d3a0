//! The description of the API (OpenAPI 3.1), made from the same table of routes that the
//! router uses: a route without a description doesn't compile.
//!
//! The schemas say what the server really takes, which is more than it asks for: an ERP's
//! `false` for an empty field, a number as a text. What a schema refuses, the server refuses.

mod chat;
mod operation;
mod page;
mod payroll;
mod probes;
mod purchases;
mod schema;
mod sii;
mod validate;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::app::Shared;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::{self, Action, Verb, Watch, Work};
use operation::Operation;

pub(crate) use page::{File, Page};

/// `GET /openapi.json`.
pub(crate) fn description(shared: &Shared) -> Reply {
    let whole = shared
        .description
        .get_or_init(|| document(shared.config.version));
    Reply::json(StatusCode::OK, whole.clone())
}

/// `GET /docs`, and the files of that page.
pub(crate) async fn docs(shared: &Shared, name: Option<&str>) -> Result<Reply, Problem> {
    let (page, name) = (shared.page.clone(), name.map(str::to_owned));
    let file = tokio::task::spawn_blocking(move || page.file(name.as_deref()))
        .await
        .map_err(|_| Problem::internal())?;
    file.map(Reply::file).ok_or_else(Problem::not_found)
}

/// The whole description, in JSON.
fn document(version: &str) -> Bytes {
    let mut paths = Map::new();
    for route in routes::described() {
        let item = paths
            .entry(route.template)
            .or_insert_with(|| Value::Object(Map::new()));
        for (verb, action) in route.methods() {
            let mut operation = describe(*action);
            if route.public {
                operation = operation.open();
            }
            item[name(*verb)] = operation.build();
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ai-service",
            "version": version,
            "summary": "Valida documentos tributarios chilenos antes de enviarlos al SII.",
            "description": DESCRIPTION,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"}
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"apiKey": []}],
        "tags": [
            {"name": "documentos", "description": "Documentos tributarios electrónicos (DTE)."},
            {"name": "asistente", "description": "Preguntas sobre el uso del ERP y sus documentos."},
            {"name": "compras", "description": "Facturas recibidas contra órdenes de compra."},
            {"name": "analítica", "description": "Compras contra proyectos."},
            {"name": "remuneraciones", "description": "Liquidaciones de sueldo e indicadores."},
            {"name": "novedades", "description": "Lo que publica el SII, y qué significa."},
            {"name": "servicio", "description": "Estado y cifras del servicio."}
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
            },
            "schemas": {"Problem": schema::problem()}
        }
    });
    // Maps with text keys: it can't fail to encode.
    serde_json::to_vec(&document).map_or_else(|_| Bytes::from_static(b"{}"), Bytes::from)
}

const DESCRIPTION: &str = "JSON en UTF-8; montos en pesos chilenos, fechas ISO 8601. Los mensajes \
    para personas están en español y los códigos para programas en inglés. Los errores son \
    `application/problem+json` (RFC 9457): `detail` es una frase para el usuario del ERP y `code` \
    es estable. Se pueden agregar campos, nunca renombrarlos ni quitarlos.";

fn describe(action: Action) -> Operation {
    match action {
        Action::Watch(Watch::Live) => probes::live(),
        Action::Watch(Watch::Ready) => probes::ready(),
        Action::Watch(Watch::Health) => probes::health(),
        Action::Watch(Watch::Metrics) => probes::metrics(),
        Action::Watch(Watch::OpenApi) => probes::openapi(),
        Action::Watch(Watch::Docs | Watch::DocsFile) => probes::docs(),
        Action::Watch(Watch::AnalyticsHealth) => purchases::health(),
        Action::Work(Work::Costs) => probes::costs(),
        Action::Work(Work::Validate) => validate::validate(),
        Action::Work(Work::ChatSessionNew) => chat::new_session(),
        Action::Work(Work::ChatMessage) => chat::message(),
        Action::Work(Work::ChatStream) => chat::stream(),
        Action::Work(Work::ChatSession) => chat::session(),
        Action::Work(Work::ChatDelete) => chat::delete(),
        Action::Work(Work::ChatSearch) => chat::search(),
        Action::Work(Work::MatchPo) => purchases::match_po(),
        Action::Work(Work::Reconcile) => purchases::reconcile(),
        Action::Work(Work::SuggestProject) => purchases::suggest_project(),
        Action::Work(Work::AnalyticsStats) => purchases::stats(),
        Action::Work(Work::PayrollValidate) => payroll::validate(),
        Action::Work(Work::PayrollIndicators) => payroll::indicators(),
        Action::Work(Work::SiiMonitor) => sii::monitor(),
        Action::Work(Work::SiiStatus) => sii::status(),
        Action::Work(Work::SiiNews) => sii::news(),
        Action::Work(Work::SiiItem) => sii::one(),
    }
}

const fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::Post => "post",
        Verb::Delete => "delete",
    }
}
