//! The routes under `/api/ai/analytics`: projects for purchases, and how well it goes.

use std::sync::Arc;

use bytes::Bytes;
use cache::{CacheKey, Computed, Keep};
use http::StatusCode;
use matching::projects::{ProjectQuery, SUGGEST_AT, suggest_project as suggest};
use serde::Serialize;
use tracing::Instrument as _;

use crate::app::Shared;
use crate::asked::Stopwatch;
use crate::auth::{Caller, Tenant};
use crate::fields::Fields;
use crate::kept;
use crate::offload::{self, INLINE_BYTES};
use crate::problem::Problem;
use crate::purchases::encode;
use crate::query::Query;
use crate::reply::Reply;
use crate::service::Call;

/// The cache's name for this operation, also its metric label.
pub const OPERATION: &str = "suggest_project";

/// Changes whenever the same suggestion would be encoded otherwise; part of cache keys.
const ANSWER_VERSION: &str = "1";

#[derive(Serialize)]
struct Suggested<'a> {
    project_id: Option<i64>,
    project_name: Option<&'a str>,
    confidence: u8,
    reasoning: &'a str,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    service: &'static str,
    anthropic_configured: bool,
    features: [&'static str; 3],
}

#[derive(Serialize)]
struct Figures<'a> {
    total_suggestions: u64,
    avg_confidence: f64,
    projects_matched: u64,
    top_projects: Vec<Top<'a>>,
    confidence_distribution: Distribution,
    /// Whether they are older ones, as the store is away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    degraded: bool,
}

#[derive(Serialize)]
struct Top<'a> {
    project_id: i64,
    name: &'a str,
    count: u64,
}

#[derive(Serialize)]
struct Distribution {
    high: u64,
    medium: u64,
    low: u64,
}

/// `GET /api/ai/analytics/health`.
pub(crate) fn health(shared: &Shared) -> Reply {
    let health = Health {
        status: "healthy",
        service: "analytics",
        anthropic_configured: shared.deps.model.is_some(),
        features: [
            "project_matching",
            "purchase_order_matching",
            "reconciliation",
        ],
    };
    let body = serde_json::to_vec(&health).unwrap_or_default();
    Reply::json(StatusCode::OK, Bytes::from(body))
}

/// `POST /api/ai/analytics/suggest_project`.
pub(crate) async fn suggest_project(call: Call<'_>) -> Result<Reply, Problem> {
    let Call {
        shared,
        caller,
        place,
        head,
        body,
        ..
    } = call;
    shared.turns.begin().await;
    let effort = offload::effort(&body);
    let (reader, sharing) = (Arc::clone(caller), Arc::clone(shared));
    let prepare = move || {
        let (tenant, query) = read(&reader, &body)?;
        let builder = CacheKey::builder(OPERATION, tenant.as_str())
            .version("answer", ANSWER_VERSION)
            .version("crate", env!("CARGO_PKG_VERSION"));
        let key = sharing.keyed(builder, &body)?;
        Ok::<_, Problem>((tenant, query, key))
    };
    let (tenant, query, key) = shared.offload.run(effort, prepare).await??;
    let leader = Arc::clone(shared);
    let compute = move || async move {
        let _place = place;
        let work = move || suggest(&query);
        let suggested = leader.offload.run(effort, work);
        let suggestion = suggested.instrument(tracing::info_span!("match")).await?;
        leader.suggestions.count(&tenant, &suggestion);
        let confidence = suggestion.confidence;
        let named = suggestion.project_id.filter(|_| confidence >= SUGGEST_AT);
        let body = encode(&Suggested {
            project_id: named,
            project_name: suggestion
                .project_name
                .as_deref()
                .filter(|_| named.is_some()),
            confidence,
            reasoning: &suggestion.reasoning,
        })?;
        let keep = Keep::For(leader.config.answer_lifetime);
        Ok(Computed::new(body, keep))
    };
    // No model is asked.
    let watch = Stopwatch::default();
    let mut policy = kept::policy(shared);
    policy.memory_only = effort <= INLINE_BYTES;
    let mode = kept::mode(&head.headers);
    kept::answer(shared, caller, &key, policy, mode, &watch, compute).await
}

/// `GET /api/ai/analytics/stats`: of the company given, else of everything that the key asked.
pub(crate) async fn stats(call: Call<'_>) -> Result<Reply, Problem> {
    let query = Query::read(call.head.uri.query());
    let tenant = match query.number("company_id", 0..=u64::from(u32::MAX), 0)? {
        0 => call.caller.own_tenant(),
        company => call.caller.tenant(company)?,
    };
    let counted = call.shared.suggestions.of(&tenant).await;
    let (stats, degraded) = counted.map_err(|error| {
        tracing::warn!(%error, "failed to read the suggestions' figures");
        Problem::store_away()
    })?;
    let (high, medium, low) = stats.confidence_distribution();
    let top = stats.top_projects();
    let body = encode(&Figures {
        total_suggestions: stats.total_suggestions(),
        avg_confidence: stats.avg_confidence(),
        projects_matched: stats.projects_matched(),
        top_projects: top
            .iter()
            .map(|(id, counted)| Top {
                project_id: *id,
                name: &counted.name,
                count: counted.count,
            })
            .collect(),
        confidence_distribution: Distribution { high, medium, low },
        degraded,
    })?;
    Ok(Reply::json(StatusCode::OK, body))
}

fn read(caller: &Caller, body: &[u8]) -> Result<(Tenant, ProjectQuery), Problem> {
    let mut fields = Fields::read(body)?;
    let company = fields.company();
    if fields.lacks("available_projects") && fields.lacks("projects") {
        let msg = "Falta «available_projects», los proyectos entre los que elegir.";
        fields.wrong("available_projects", "missing", msg);
    }
    let text = std::str::from_utf8(body).map_err(|_| Problem::not_json(1, 1))?;
    let query = match matching::read_project_query(text) {
        Ok(query) => Some(query),
        Err(error) => {
            fields.wrong_at_top(error.shape_errors());
            None
        }
    };
    let (company, query) = fields.finish(company.zip(query))?;
    Ok((caller.tenant(company)?, query))
}
