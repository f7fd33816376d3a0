//! `/live`, `/ready` and `/health`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use llm_client::BreakerState;
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
    replicas: usize,
    sentinels: usize,
    latency_ms: f64,
    /// What is wrong, as a word to decide by.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Connections of the pool that are up.
    connections: u64,
    /// The pool's and the connections' settings in force, by name and unit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<&'static str, u64>,
    /// Writes that wait for Redis to come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<Journal>,
}

#[derive(Serialize)]
struct Journal {
    entries: u64,
    max: u64,
    dropped: u64,
    outages: u64,
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
    let store = store_health(shared).await;
    // Where something stands in for it, requests are answered without: a Redis that is away
    // must not take every replica out of the balance.
    if !store.up && store.standby.is_none() {
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
    let (store, metrics) = tokio::join!(store_health(shared), figures(shared));
    let circuit = shared.circuit();
    let model_down = shared.model_watch.is_down() || circuit == Some(BreakerState::Open);
    // The rules answer without store and model: no dependency makes the service unhealthy.
    let (code, status) = match (whole(&store), model_down) {
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
        metrics,
        health_check_duration_ms: millis(begun.elapsed()),
    };
    json(code, &health)
}

/// Whether the store does all it should: it answers, takes writes, and waits for none that were
/// made while it was away.
fn whole(store: &StoreHealth) -> bool {
    let standby = store.standby.as_ref();
    let settled = standby.is_none_or(|standby| !standby.active && standby.journal_len == 0);
    store.up && store.problem.is_none() && settled
}

/// Whether Redis can't be reckoned with: it doesn't answer, or takes no writes, or the embedded
/// engine stands in.
fn away(store: &StoreHealth) -> bool {
    let standing_in = store.standby.as_ref().is_some_and(|standby| standby.active);
    !store.up || store.problem.is_some() || standing_in
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
    let model = shared.deps.model.as_ref().map(|model| model.client.model());
    let circuit = shared.circuit();
    Dependencies {
        redis: redis(store),
        anthropic: Anthropic {
            status: match (model, circuit) {
                (None, _) => "not_configured",
                (Some(_), Some(BreakerState::Open)) => "open",
                (Some(_), _) => "configured",
            },
            model,
            api_key_present: model.is_some(),
            circuit: circuit.map(BreakerState::as_str),
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

/// What is told of the store under the name that the contract has for it. Where the embedded
/// engine is all there is, Redis is not in use; where it stands in, Redis is down.
fn redis(store: StoreHealth) -> Redis {
    let kind = match store.kind {
        StoreKind::RedisStandalone => "standalone",
        StoreKind::RedisSentinel => "sentinel",
        StoreKind::RedisCluster => "cluster",
        _ => "embedded",
    };
    let status = match (kind, away(&store)) {
        ("embedded", false) => "disabled",
        (_, false) => "up",
        (_, true) => "down",
    };
    let topology = store.topology.unwrap_or_default();
    Redis {
        status,
        kind,
        master: topology.masters.first().cloned(),
        replicas: topology.replicas.len(),
        sentinels: topology.sentinels.len(),
        latency_ms: millis(store.latency),
        problem: store.problem.map(store::Problem::as_str),
        reason: store.reason,
        connections: topology.connections_up,
        settings: topology.settings.into_iter().collect(),
        journal: store.standby.map(|standby| Journal {
            entries: standby.journal_len,
            max: standby.journal_max,
            dropped: standby.dropped,
            outages: standby.outages,
        }),
    }
}

async fn figures(shared: &Shared) -> Figures {
    let own = shared.deps.cache.stats();
    // Over all replicas, where the store tells; this one's own where it doesn't.
    let all = shared.deps.cache.shared_totals().await;
    let cache = all.unwrap_or(*own);
    let prompt_cache = shared
        .deps
        .model
        .as_ref()
        .and_then(|model| model.prompt_cache.as_ref());
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
        prompt_cache_hit_rate: prompt_cache.map(|layer| layer.stats().hit_rate()),
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
