//! `/live`, `/ready` and `/health`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use observability::Quantiles;
use serde::Serialize;
use store::{StoreHealth, StoreKind};

use crate::app::Shared;
use crate::reply::Reply;

/// The longest wait for the store's answer: a frozen store must not freeze the probe.
const STORE_WAIT: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Live {
    status: &'static str,
    uptime_seconds: u64,
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<&'static str>,
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    service: &'static str,
    version: &'a str,
    timestamp: String,
    uptime_seconds: u64,
    dependencies: Dependencies<'a>,
    metrics: Figures,
    health_check_duration_ms: f64,
}

#[derive(Serialize)]
struct Dependencies<'a> {
    redis: Redis,
    anthropic: Anthropic<'a>,
    plugin_registry: Plugins,
    knowledge_base: Knowledge,
}

/// The shared state, under the name that the contract has for it.
#[derive(Serialize)]
struct Redis {
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// These three say something only of Sentinel and Cluster.
    master: Option<String>,
    replicas: u32,
    sentinels: u32,
    latency_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Anthropic<'a> {
    status: &'static str,
    model: Option<&'a str>,
    api_key_present: bool,
    circuit: Option<&'static str>,
    consecutive_failures: u32,
}

#[derive(Serialize)]
struct Plugins {
    status: &'static str,
    plugins_count: usize,
    plugins: Vec<String>,
}

#[derive(Serialize)]
struct Knowledge {
    status: &'static str,
    documents_count: usize,
    modules: Vec<String>,
}

#[derive(Serialize)]
struct Figures {
    total_requests: u64,
    cache_hits: u64,
    cache_misses: u64,
    cache_total: u64,
    cache_hit_rate: f64,
    prompt_cache_hit_rate: Option<f64>,
    coalesced_total: u64,
    latency_ms: BTreeMap<&'static str, Quantiles>,
}

/// The process runs; nothing else is looked at.
pub(crate) fn live(shared: &Shared) -> Reply {
    let uptime_seconds = shared.uptime().as_secs();
    json(
        StatusCode::OK,
        &Live {
            status: "alive",
            uptime_seconds,
        },
    )
}

/// Whether requests should be sent here.
pub(crate) async fn ready(shared: &Shared) -> Reply {
    let mut reasons = Vec::new();
    if shared.is_draining() {
        reasons.push("draining");
    }
    if !store_health(shared).await.up {
        reasons.push("store_unavailable");
    }
    if reasons.is_empty() {
        json(
            StatusCode::OK,
            &Ready {
                status: "ready",
                reasons,
            },
        )
    } else {
        json(
            StatusCode::SERVICE_UNAVAILABLE,
            &Ready {
                status: "not_ready",
                reasons,
            },
        )
    }
}

/// How everything is. Never calls the model.
pub(crate) async fn health(shared: &Shared) -> Reply {
    let begun = Instant::now();
    let store = store_health(shared).await;
    let model_down = shared.model_watch.is_down();
    // The rules answer without store and model: no dependency makes the service unhealthy.
    let (code, status) = match (store.up, model_down) {
        (true, false) => (StatusCode::OK, "healthy"),
        _ => (StatusCode::MULTI_STATUS, "degraded"),
    };
    let health = Health {
        status,
        service: "ai-service",
        version: shared.config.version,
        timestamp: shared.now().to_string(),
        uptime_seconds: shared.uptime().as_secs(),
        dependencies: dependencies(shared, store),
        metrics: figures(shared),
        health_check_duration_ms: millis(begun.elapsed()),
    };
    json(code, &health)
}

async fn store_health(shared: &Shared) -> StoreHealth {
    let answer = tokio::time::timeout(STORE_WAIT, shared.deps.store.health()).await;
    answer.unwrap_or_else(|_| {
        let mut health = StoreHealth::new(StoreKind::EmbeddedFile, false, STORE_WAIT);
        health.reason = Some("no answer in time".to_owned());
        health
    })
}

fn dependencies(shared: &Shared, store: StoreHealth) -> Dependencies<'_> {
    let model = shared.deps.model.as_deref().map(|model| model.model());
    Dependencies {
        redis: Redis {
            // Only the embedded engines are there: Redis itself is not in use.
            status: if store.up { "disabled" } else { "down" },
            kind: "embedded",
            master: None,
            replicas: 0,
            sentinels: 0,
            latency_ms: millis(store.latency),
            reason: store.reason,
        },
        anthropic: Anthropic {
            status: if model.is_some() {
                "configured"
            } else {
                "not_configured"
            },
            model,
            api_key_present: model.is_some(),
            circuit: None,
            consecutive_failures: shared.model_watch.failures(),
        },
        plugin_registry: plugins(shared),
        knowledge_base: knowledge(shared),
    }
}

fn plugins(shared: &Shared) -> Plugins {
    let chat = shared.deps.chat.as_ref();
    let modules = chat.map_or_else(Vec::new, |chat| chat.knowledge().modules());
    Plugins {
        status: if chat.is_some() {
            "up"
        } else {
            "not_configured"
        },
        plugins_count: modules.len(),
        plugins: modules.iter().map(|module| module.name.clone()).collect(),
    }
}

fn knowledge(shared: &Shared) -> Knowledge {
    let stats = shared
        .deps
        .chat
        .as_ref()
        .map(|chat| chat.knowledge().stats());
    Knowledge {
        status: if stats.is_some() {
            "up"
        } else {
            "not_configured"
        },
        documents_count: stats.as_ref().map_or(0, |stats| stats.documents),
        modules: stats.map_or_else(Vec::new, |stats| stats.modules.into_keys().collect()),
    }
}

fn figures(shared: &Shared) -> Figures {
    let cache = shared.deps.cache.stats();
    let in_millis = |(route, seconds): (&'static str, Quantiles)| {
        let Quantiles { p50, p95, p99 } = seconds;
        (
            route,
            Quantiles {
                p50: p50 * 1e3,
                p95: p95 * 1e3,
                p99: p99 * 1e3,
            },
        )
    };
    Figures {
        total_requests: shared.http.total_requests(),
        cache_hits: cache.hits(),
        cache_misses: cache.misses,
        cache_total: cache.lookups(),
        cache_hit_rate: cache.hit_rate(),
        prompt_cache_hit_rate: None,
        coalesced_total: cache.coalesced,
        latency_ms: shared.http.quantiles().into_iter().map(in_millis).collect(),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    // Strings and numbers under string keys: nothing here can fail to encode.
    let body = serde_json::to_vec(value).unwrap_or_default();
    Reply::json(status, Bytes::from(body))
}
