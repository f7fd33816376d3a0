//! `GET /metrics`: the figures for Prometheus.

use crate::app::Shared;
use crate::problem::Problem;
use crate::reply::Reply;

/// Formats every series, off the worker threads.
pub(crate) async fn metrics(shared: &Shared) -> Result<Reply, Problem> {
    let (recorder, cache) = (shared.deps.metrics.clone(), shared.deps.cache.clone());
    metrics::gauge!("http_streams_open").set(shared.stream_places.taken() as f64);
    let chat = shared.deps.chat.clone();
    let render = move || {
        cache.run_housekeeping();
        // Asking sets the gauges.
        let _ = cache.stats();
        if let Some(chat) = chat {
            knowledge(&chat.knowledge().stats());
        }
        recorder.render()
    };
    let mut text = tokio::task::spawn_blocking(render)
        .await
        .map_err(|_| Problem::internal())?;
    shared.http.render(&mut text);
    Ok(Reply::prometheus(text))
}

/// What questions are answered from.
fn knowledge(stats: &knowledge_base::Stats) {
    for (name, value) in [
        ("knowledge_documents", stats.documents as f64),
        ("knowledge_passages", stats.passages as f64),
        ("knowledge_generation", stats.generation as f64),
    ] {
        metrics::gauge!(name).set(value);
    }
}
