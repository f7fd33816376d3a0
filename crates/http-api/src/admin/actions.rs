//! What the operator can ask and do.

use cache::{FlushScope, Flushed};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::AdminDeps;
use crate::figures;
use crate::problem::{FieldError, Problem};
use crate::reply::Reply;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Metrics,
    Version,
    Config,
    LogLevel,
    SetLogLevel,
    FlushCache,
    ReloadKnowledge,
    Breakers,
    ResetBreakers,
    Reload,
}

/// All of them; a path's methods stand together.
const ACTIONS: [(&str, &str, Action); 10] = [
    ("/metrics", "GET", Action::Metrics),
    ("/version", "GET", Action::Version),
    ("/config", "GET", Action::Config),
    ("/log-level", "GET", Action::LogLevel),
    ("/log-level", "PUT", Action::SetLogLevel),
    ("/cache/flush", "POST", Action::FlushCache),
    ("/knowledge/reload", "POST", Action::ReloadKnowledge),
    ("/breakers", "GET", Action::Breakers),
    ("/breakers/reset", "POST", Action::ResetBreakers),
    ("/reload", "POST", Action::Reload),
];

/// Which of them a request asks for.
pub(super) fn find(method: &Method, path: &str) -> Result<Action, Problem> {
    let mut of_path = ACTIONS.iter().filter(|(known, ..)| *known == path);
    let (_, first, _) = of_path.clone().next().ok_or_else(Problem::not_found)?;
    let allowed = match of_path.clone().count() {
        1 => first,
        _ => "GET, PUT",
    };
    of_path
        .find(|(_, known, _)| *known == method.as_str())
        .map(|(.., action)| *action)
        .ok_or_else(|| Problem::method_not_allowed(allowed))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetLevel {
    /// `null`: what the configuration says.
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flush {
    #[serde(default)]
    operation: Option<String>,
    /// The key's name, with `/` and the company for one company of it.
    #[serde(default)]
    tenant: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    breaker: Which,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Which {
    Model,
    Store,
    All,
}

impl Action {
    /// Does it. What changes something says so in the log.
    pub(super) async fn run(self, deps: &AdminDeps, body: &[u8]) -> Result<Reply, Problem> {
        match self {
            Self::Metrics => figures::metrics(&deps.controls.shared).await,
            Self::Version => Ok(answer(&version(deps))),
            Self::Config => Ok(Reply::text(deps.settings.clone())),
            Self::LogLevel => Ok(answer(&json!({ "level": deps.log_level.get() }))),
            Self::SetLogLevel => set_level(deps, &read(body)?),
            Self::FlushCache => flush(deps, read(body)?).await,
            Self::ReloadKnowledge => reload_knowledge(deps).await,
            Self::Breakers => Ok(answer(&breakers(deps).await)),
            Self::ResetBreakers => reset(deps, read::<Reset>(body)?.breaker).await,
            Self::Reload => reload(deps).await,
        }
    }
}

/// A body of the shape that is wanted.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            let mut wrong = FieldError::body("", "invalid", error.to_string());
            wrong.loc.truncate(1);
            Problem::wrong_shape(vec![wrong])
        } else {
            Problem::not_json(error.line(), error.column())
        }
    })
}

fn answer(value: &Value) -> Reply {
    Reply::json(StatusCode::OK, value.to_string().into())
}

fn version(deps: &AdminDeps) -> Value {
    let shared = &deps.controls.shared;
    json!({
        "service": "ai-service",
        "version": shared.config.version,
        "uptime_seconds": shared.uptime().as_secs(),
        "draining": shared.is_draining(),
    })
}

fn set_level(deps: &AdminDeps, wanted: &SetLevel) -> Result<Reply, Problem> {
    let changed = match &wanted.level {
        Some(level) => deps.log_level.set(level),
        None => deps.log_level.reset().map(drop),
    };
    changed.map_err(|error| {
        let wrong = FieldError::body("level", "invalid", error.to_string());
        Problem::wrong_shape(vec![wrong])
    })?;
    let level = deps.log_level.get();
    tracing::warn!(target: "admin", level, "log level changed");
    Ok(answer(&json!({ "level": level })))
}

async fn flush(deps: &AdminDeps, wanted: Flush) -> Result<Reply, Problem> {
    let Flush { operation, tenant } = wanted;
    let known = operation
        .as_deref()
        .is_none_or(|name| crate::OPERATIONS.contains(&name));
    if !known {
        let all = crate::OPERATIONS.join(", ");
        let msg = format!("Operación desconocida; las que hay: {all}.");
        return Err(Problem::wrong_shape(vec![FieldError::body(
            "operation",
            "unknown",
            msg,
        )]));
    }
    let scope = FlushScope { operation, tenant };
    if !scope.is_plausible() {
        let msg = "Debe ser el nombre de una clave, o clave/compañía.";
        return Err(Problem::wrong_shape(vec![FieldError::body(
            "tenant", "invalid", msg,
        )]));
    }
    let flushed = deps.controls.shared.deps.cache.flush(&scope).await;
    let everywhere = flushed == Flushed::Everywhere;
    tracing::warn!(
        target: "admin",
        operation = scope.operation,
        tenant = scope.tenant,
        everywhere,
        "cache flushed"
    );
    Ok(answer(&json!({
        "status": "flushed",
        "operation": scope.operation,
        "tenant": scope.tenant,
        "replicas": if everywhere { "within_seconds" } else { "when_the_store_is_back" },
    })))
}

async fn reload_knowledge(deps: &AdminDeps) -> Result<Reply, Problem> {
    let report = deps.knowledge.reload().await.map_err(|error| {
        let code = "knowledge_not_reloaded";
        Problem::new(StatusCode::CONFLICT, code, "Conflict", error.to_string())
    })?;
    let errors: Vec<_> = report.errors.iter().map(ToString::to_string).collect();
    tracing::warn!(
        target: "admin",
        added = report.added,
        changed = report.changed,
        removed = report.removed,
        errors = errors.len(),
        "knowledge reloaded"
    );
    let (added, changed) = (report.added, report.changed);
    let documents = deps.knowledge.stats().documents;
    Ok(answer(&json!({
        "added": added, "changed": changed, "removed": report.removed,
        "tables": report.tables, "documents": documents, "errors": errors,
    })))
}

async fn breakers(deps: &AdminDeps) -> Value {
    use llm_client::LanguageModel as _;
    let models: Vec<_> = deps
        .breakers
        .iter()
        .map(|breaker| {
            json!({
                "provider": breaker.provider().as_str(),
                "model": breaker.model(),
                "state": breaker.state().as_str(),
            })
        })
        .collect();
    let store = match &deps.shared_store {
        Some(store) => {
            use store::Store as _;
            let standby = store.health().await.standby;
            let open = standby.is_some_and(|standby| standby.active);
            if open { "open" } else { "closed" }
        }
        None => "none",
    };
    json!({ "models": models, "store": store })
}

async fn reset(deps: &AdminDeps, which: Which) -> Result<Reply, Problem> {
    let mut reset = 0_usize;
    if which != Which::Store {
        reset = deps
            .breakers
            .iter()
            .filter(|breaker| breaker.reset())
            .count();
    }
    if let (Some(store), true) = (&deps.shared_store, which != Which::Model) {
        store.retry_now().await;
    }
    let mut now = breakers(deps).await;
    tracing::warn!(target: "admin", models = reset, "breakers reset");
    now["reset"] = json!(reset);
    Ok(answer(&now))
}

async fn reload(deps: &AdminDeps) -> Result<Reply, Problem> {
    let reloaded = deps.reload.reload().await.map_err(|error| {
        let code = "configuration_not_reloaded";
        Problem::new(StatusCode::CONFLICT, code, "Conflict", error.to_string())
    })?;
    Ok(answer(&json!({
        "keys": reloaded.keys, "certificate": reloaded.certificate,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_and_nothing_else() {
        for (path, method, action) in ACTIONS {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(find(&method, path).unwrap(), action);
        }
        let refused = |method, path| find(&method, path).unwrap_err();
        assert_eq!(refused(Method::GET, "/nada").status(), 404);
        assert_eq!(refused(Method::GET, "/cache/flush").allow(), Some("POST"));
        assert_eq!(
            refused(Method::POST, "/log-level").allow(),
            Some("GET, PUT")
        );
    }

    #[test]
    fn bodies_of_another_shape_are_refused() {
        assert!(read::<Flush>(b"{}").is_ok());
        assert_eq!(read::<Flush>(b"{\"op\":1}").err().unwrap().status(), 422);
        assert_eq!(read::<Flush>(b"").err().unwrap().status(), 400);
        assert_eq!(
            read::<Reset>(b"{\"breaker\":\"x\"}")
                .err()
                .unwrap()
                .status(),
            422
        );
    }
}
