//! `GET /api/payroll/indicators/{period}`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::StatusCode;
use payroll::previred::PreviredErrorKind;
use payroll::provider::{Answer, ProviderError, ProviderErrorKind};
use payroll::{Confianza, Periodo, Unidad};
use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::number;
use crate::problem::Problem;
use crate::purchases::encode;
use crate::query::Query;
use crate::reply::Reply;
use crate::service::Call;

/// How the query says yes and no.
const YES_OR_NO: [(&str, bool); 4] = [("true", true), ("false", false), ("1", true), ("0", false)];

#[derive(Serialize)]
struct Wire<'a> {
    success: bool,
    indicators: BTreeMap<&'static str, Box<RawValue>>,
    metadata: WireMetadata<'a>,
    details: BTreeMap<&'static str, Detail<'a>>,
}

#[derive(Serialize)]
struct WireMetadata<'a> {
    source: &'a str,
    url: Option<&'a str>,
    period: String,
    fields_count: usize,
    fetched_at: Cow<'a, str>,
    /// Whether every figure that a month is paid by is there.
    complete: bool,
    /// Why this isn't the newer or fuller answer that was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Detail<'a> {
    unit: &'static str,
    source: &'a str,
    confidence: &'static str,
}

/// A month's indicators: built in, kept, or fetched now.
pub(crate) async fn indicators(call: Call<'_>) -> Result<Reply, Problem> {
    let period = call.param.as_deref().and_then(Periodo::iso);
    let period = period.ok_or_else(|| {
        Problem::bad_parameter("El período debe ser un mes desde 1980 hasta 2100, como «2026-03».")
    })?;
    let query = Query::read(call.head.uri.query());
    let force = query.word("force", &YES_OR_NO, false)?;
    let found = call.shared.deps.indicators.get(period, force).await;
    call.shared.months.forget(period);
    let found = found.map_err(|error| unavailable(period, &error))?;
    let now = call.shared.now().to_string();
    let body = encode(&wire(&found, now))?;
    Ok(Reply::json(StatusCode::OK, body))
}

/// Clients read `fetched_at` as a time: a built-in month is taken from its table now.
fn wire(found: &Answer, now: String) -> Wire<'_> {
    let Answer {
        indicators,
        metadata,
        degraded,
    } = found;
    let cost = metadata.cost_usd.as_deref();
    let figures = indicators
        .iter()
        .filter_map(|(field, figure)| Some((field.nombre(), number(figure.valor)?)));
    let details = indicators.iter().map(|(field, figure)| {
        let detail = Detail {
            unit: unit(field.unidad()),
            source: &figure.fuente,
            confidence: confidence(figure.confianza),
        };
        (field.nombre(), detail)
    });
    Wire {
        success: true,
        indicators: figures.collect(),
        metadata: WireMetadata {
            source: &metadata.source,
            url: metadata.url.as_deref(),
            period: indicators.periodo().to_string(),
            fields_count: indicators.len(),
            fetched_at: match &metadata.fetched_at {
                Some(fetched_at) => Cow::Borrowed(fetched_at),
                None => Cow::Owned(now),
            },
            complete: indicators.completo(),
            degraded: *degraded,
            model: metadata.model.as_deref(),
            cost_usd: cost.and_then(|cost| number(cost.parse().ok()?)),
        },
        details: details.collect(),
    }
}

const fn unit(unit: Unidad) -> &'static str {
    match unit {
        Unidad::Pesos => "clp",
        Unidad::Uf => "uf",
        Unidad::Porcentaje => "percent",
    }
}

const fn confidence(confidence: Confianza) -> &'static str {
    match confidence {
        Confianza::Alta => "high",
        Confianza::Media => "medium",
        Confianza::Baja => "low",
    }
}

fn unavailable(period: Periodo, error: &ProviderError) -> Problem {
    let code = error.code();
    if let ProviderErrorKind::Refused(page) = error.kind() {
        if let PreviredErrorKind::OtherMonth { found, .. } = page.kind() {
            let detail = format!(
                "La fuente publica ahora los indicadores de {found} y ya no los de {period}."
            );
            return Problem::not_there(code, detail);
        }
        let detail = format!("{} (Comprobación: {code}.)", error.user_message());
        return Problem::bad_gateway(code, detail);
    }
    if error.is_not_found() {
        return Problem::not_there(code, error.user_message());
    }
    Problem::bad_gateway(code, error.user_message())
}
