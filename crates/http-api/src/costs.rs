//! `GET /metrics/costs`: what the calls of the model have cost, and what was saved.

use bytes::Bytes;
use http::StatusCode;
use llm_client::CostPeriod;

use crate::problem::Problem;
use crate::query::Query;
use crate::reply::Reply;
use crate::service::Call;

/// Every period, by its word.
const PERIODS: [(&str, CostPeriod); 4] = [
    ("today", CostPeriod::Today),
    ("yesterday", CostPeriod::Yesterday),
    ("this_month", CostPeriod::ThisMonth),
    ("all_time", CostPeriod::AllTime),
];

/// The costs of a period: everybody's for a key that speaks for every company, else the key's
/// own, so that no key sees what another one did.
pub(crate) async fn report(call: Call<'_>) -> Result<Reply, Problem> {
    let query = Query::read(call.head.uri.query());
    let period = query.word("period", &PERIODS, CostPeriod::Today)?;
    let account = call.caller.is_bound().then(|| call.caller.name());
    let ledger = call.shared.deps.meter.ledger();
    let report = ledger.report(period, account).await.map_err(|error| {
        tracing::warn!(%error, "failed to read the ledger");
        Problem::store_away()
    })?;
    // Numbers and words under text keys: it can't fail to encode.
    let body = serde_json::to_vec(&report).unwrap_or_default();
    Ok(Reply::json(StatusCode::OK, Bytes::from(body)))
}
