//! One request, from its head to its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cache::Status;
use futures_util::FutureExt as _;
use http::{Method, Request, Response};
use hyper::body::Incoming;

use crate::app::Shared;
use crate::auth::Caller;
use crate::body;
use crate::figures;
use crate::probes;
use crate::problem::Problem;
use crate::reply::{self, Body, Reply};
use crate::request_id;
use crate::routes::{Action, Route, Routes};
use crate::validate;

/// What the log line of a request tells beside its outcome.
struct Line<'a> {
    id: &'a str,
    method: &'a Method,
    endpoint: usize,
    caller: Option<&'a str>,
}

/// Answers a request. Never fails: what goes wrong is an answer too.
pub(crate) async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    let started = Instant::now();
    let _in_flight = shared.http.enter();
    let id = request_id::of(request.headers());
    let method = request.method().clone();
    let (endpoint, route) = shared.routes.find(&method, request.uri().path());
    let caller = route
        .as_ref()
        .map_or(Ok(None), |route| authenticate(shared, route, &request));
    let line = Line {
        id: &id,
        method: &method,
        endpoint,
        caller: caller
            .as_ref()
            .ok()
            .copied()
            .flatten()
            .map(|caller| caller.name()),
    };
    let outcome = match (route, &caller) {
        (Ok(route), Ok(caller)) => guarded(shared, route, *caller, request).await,
        (Err(problem), _) => Err(problem),
        (_, Err(problem)) => Err(problem.clone()),
    };
    finish(shared, &line, outcome, started.elapsed())
}

fn authenticate<'a>(
    shared: &'a Shared,
    route: &Route,
    request: &Request<Incoming>,
) -> Result<Option<&'a Arc<Caller>>, Problem> {
    let public = route.public || (route.action == Action::Metrics && shared.config.metrics_public);
    if public {
        return Ok(None);
    }
    shared.config.keys.authenticate(request.headers()).map(Some)
}

/// Runs the handler within the limits on number and time; a panic in it is an answer as well.
async fn guarded(
    shared: &Arc<Shared>,
    route: &Route,
    caller: Option<&Arc<Caller>>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    // Probes and figures are never shed: who watches must see an overloaded service.
    let _place = match route.action {
        Action::Validate => Some(
            shared
                .in_flight
                .try_acquire()
                .map_err(|_| Problem::overloaded())?,
        ),
        _ => None,
    };
    let handler = AssertUnwindSafe(dispatch(shared, route.action, caller, request));
    handler.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(endpoint = route.template, "handler panicked");
        Err(Problem::internal())
    })
}

async fn dispatch(
    shared: &Arc<Shared>,
    action: Action,
    caller: Option<&Arc<Caller>>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    match action {
        Action::Live => Ok(probes::live(shared)),
        Action::Ready => Ok(probes::ready(shared).await),
        Action::Health => Ok(probes::health(shared).await),
        Action::Metrics => figures::metrics(shared).await,
        Action::Validate => {
            let (head, incoming) = request.into_parts();
            let limits = &shared.config.limits;
            let body: Bytes = body::read_json(&head.headers, incoming, limits).await?;
            let caller = caller.ok_or_else(Problem::unauthorized)?;
            let handler = validate::handle(shared, caller, &head.headers, body);
            tokio::time::timeout(limits.request_timeout, handler)
                .await
                .unwrap_or_else(|_| Err(Problem::deadline()))
        }
    }
}

fn finish(
    shared: &Shared,
    line: &Line<'_>,
    outcome: Result<Reply, Problem>,
    elapsed: Duration,
) -> Response<Body> {
    let (status, upstream, cache, code) = match &outcome {
        Ok(reply) => (
            reply.status,
            reply.upstream,
            reply.cache.map(|(word, _)| word),
            None,
        ),
        Err(problem) => (problem.status(), Duration::ZERO, None, Some(problem.code())),
    };
    shared.http.observe(
        line.endpoint,
        line.method.as_str(),
        status.as_u16(),
        elapsed,
        upstream,
    );
    tracing::info!(
        target: "http",
        request_id = line.id,
        method = line.method.as_str(),
        endpoint = Routes::label(line.endpoint),
        status = status.as_u16(),
        duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        upstream_us = u64::try_from(upstream.as_micros()).unwrap_or(u64::MAX),
        cache = cache.map(Status::as_str),
        caller = line.caller,
        code,
        "request"
    );
    match outcome {
        Ok(reply) => reply.into_response(line.id, elapsed),
        Err(problem) => reply::refusal(&problem, line.id, elapsed),
    }
}
