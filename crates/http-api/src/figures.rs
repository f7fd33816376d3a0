//! `GET /metrics`: the figures for Prometheus.

use crate::app::Shared;
use crate::problem::Problem;
use crate::reply::Reply;

/// Formats every series, off the worker threads.
pub(crate) async fn metrics(shared: &Shared) -> Result<Reply, Problem> {
    let (metrics, cache) = (shared.deps.metrics.clone(), shared.deps.cache.clone());
    shared.http.publish();
    let render = move || {
        cache.run_housekeeping();
        // Asking sets the gauges.
        let _ = cache.stats();
        metrics.render()
    };
    let text = tokio::task::spawn_blocking(render)
        .await
        .map_err(|_| Problem::internal())?;
    Ok(Reply::prometheus(text))
}
