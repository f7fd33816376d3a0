//! The routes under `/api/ai/sii`: what the tax service published.
//!
//! News are of public pages and belong to the installation: they are made for no tenant, and
//! every key reads them.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Serialize;
use sii_monitor::archive::{ArchiveError, MAX_LIMIT, NewsPage, NewsQuery};
use sii_monitor::run::{Runner, Status};

use crate::app::Shared;
use crate::fields::{Fields, whole_number};
use crate::problem::Problem;
use crate::purchases::encode;
use crate::query::Query;
use crate::reply::Reply;
use crate::service::Call;

/// The longest that who asks for a run waits for its report. A run of all sources takes longer,
/// as it asks a host once a second: it goes on, and `status` has its report.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is left of a request's time for the answer.
const MARGIN: Duration = Duration::from_secs(2);

/// The items of an answer where nobody says how many.
const DEFAULT_LIMIT: u64 = 20;

/// The answer of `status`: the monitor's own, or that there is none.
#[derive(Serialize)]
#[serde(untagged)]
enum HowItFares {
    Known(Box<Status>),
    Off(Off),
}

#[derive(Serialize)]
struct Off {
    status: &'static str,
    orchestrator_initialized: bool,
    last_execution: Option<Timestamp>,
    next_execution: Option<Timestamp>,
    news_count_last_24h: usize,
    total_checks: u64,
    error_rate: f64,
    sources: [(); 0],
    last_run: Option<()>,
}

/// `POST /api/ai/sii/monitor`: begins a run, which goes on if its caller goes away.
pub(crate) async fn monitor(call: Call<'_>) -> Result<Reply, Problem> {
    let force = force(&call.body)?;
    let runner = runner(call.shared)?;
    let limit = call.shared.config.limits.request_timeout;
    let patience = limit.saturating_sub(MARGIN).min(PATIENCE);
    let report = runner.ask(force, patience).await;
    answer(&report.map_err(|error| problem(&error))?)
}

/// `GET /api/ai/sii/status`.
pub(crate) async fn status(call: Call<'_>) -> Result<Reply, Problem> {
    let known = match &call.shared.deps.sii {
        Some(runner) => runner.monitor().status().await.map(|status| {
            let status = Box::new(status);
            HowItFares::Known(status)
        }),
        None => Ok(HowItFares::Off(Off {
            status: "off",
            orchestrator_initialized: false,
            last_execution: None,
            next_execution: None,
            news_count_last_24h: 0,
            total_checks: 0,
            error_rate: 0.0,
            sources: [],
            last_run: None,
        })),
    };
    answer(&known.map_err(|error| problem(&error))?)
}

/// `GET /api/ai/sii/news`: newest first.
pub(crate) async fn news(call: Call<'_>) -> Result<Reply, Problem> {
    let query = asked(&Query::read(call.head.uri.query()), call.shared)?;
    let Some(runner) = &call.shared.deps.sii else {
        return answer(&NewsPage {
            items: Vec::new(),
            next_cursor: None,
        });
    };
    let page = runner.monitor().archive().news(&query).await;
    answer(&page.map_err(|error| problem(&error))?)
}

/// `GET /api/ai/sii/news/{id}`.
pub(crate) async fn item(call: Call<'_>) -> Result<Reply, Problem> {
    let none = || {
        Problem::not_there(
            "news_not_found",
            "No hay una novedad con ese identificador.",
        )
    };
    let (Some(runner), Some(id)) = (&call.shared.deps.sii, &call.param) else {
        return Err(none());
    };
    let item = runner.monitor().archive().item(id).await;
    let item = item.map_err(|error| problem(&error))?;
    answer(&item.ok_or_else(none)?)
}

fn runner(shared: &Shared) -> Result<&Arc<Runner>, Problem> {
    shared.deps.sii.as_ref().ok_or_else(|| {
        let detail = "El monitor del SII está apagado en la configuración del servicio.";
        Problem::not_there("monitor_off", detail)
    })
}

fn answer(value: &impl Serialize) -> Result<Reply, Problem> {
    Ok(Reply::json(StatusCode::OK, encode(value)?))
}

fn problem(error: &ArchiveError) -> Problem {
    tracing::warn!(error = %error, "the news are out of reach");
    match error {
        ArchiveError::Store(_) => Problem::store_away(),
        _ => Problem::internal(),
    }
}

/// `force` of a body that may be empty.
fn force(body: &[u8]) -> Result<bool, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut fields = Fields::read(body)?;
    let force = match fields.given("force").map(|raw| raw.get()) {
        None => false,
        Some("true") => true,
        Some(other) => match whole_number(other) {
            Some(0) => false,
            Some(1) => true,
            _ => {
                fields.wrong("force", "bool_type", "«force» debe ser verdadero o falso.");
                false
            }
        },
    };
    fields.finish(Some(force))
}

/// The news that a query asks for.
fn asked(query: &Query<'_>, shared: &Shared) -> Result<NewsQuery, Problem> {
    let since = query.get("since").map(|text| {
        moment(text, shared).ok_or_else(|| {
            Problem::bad_parameter(
                "«since» debe ser una fecha o un momento ISO 8601, como «2026-03-01» o \
                 «2026-03-01T12:00:00Z».",
            )
        })
    });
    let most = MAX_LIMIT as u64;
    let limit = query.number("limit", 1..=most, DEFAULT_LIMIT)?;
    let least = query.number("min_priority", 1..=5, 1)?;
    let asked = NewsQuery {
        since: since.transpose()?,
        min_priority: u8::try_from(least).ok().filter(|least| *least > 1),
        limit: usize::try_from(limit).ok(),
        cursor: query.get("cursor").map(str::to_owned),
    };
    if !asked.has_good_cursor() {
        return Err(Problem::bad_parameter(
            "«cursor» debe ser el «next_cursor» de la página anterior.",
        ));
    }
    Ok(asked)
}

/// A moment as ERPs write it: with an offset; without one, as Odoo does, in UTC; or a date, which
/// begins at midnight in Chile.
fn moment(text: &str, shared: &Shared) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Ok(date) = text.parse::<Date>()
        && text.len() <= "2026-03-01".len()
    {
        let midnight = date.to_zoned(shared.zone().clone()).ok()?;
        return Some(midnight.timestamp());
    }
    let utc = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC);
    Some(utc.ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_force_is_written() {
        for (body, expected) in [
            ("", false),
            ("{}", false),
            (r#"{"force": null}"#, false),
            (r#"{"force": false, "otra": 1}"#, false),
            (r#"{"force": true}"#, true),
            (r#"{"force": 1.0}"#, true),
            (r#"{"force": 0}"#, false),
        ] {
            assert_eq!(force(body.as_bytes()).unwrap(), expected, "{body}");
        }
        for (body, status) in [
            (r#"{"force": "sí"}"#, 422),
            (r#"{"force": 7}"#, 422),
            ("[]", 422),
            ("{", 400),
        ] {
            assert_eq!(
                force(body.as_bytes()).unwrap_err().status(),
                status,
                "{body}"
            );
        }
    }
}
