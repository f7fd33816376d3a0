//! One request, from its head to its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::Status;
use futures_util::FutureExt as _;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response};
use hyper::body::{Body as _, Incoming};

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
use crate::within::within;

/// The status, in the log and the figures only, of a request whose client left before it was
/// answered: what proxies write there as well.
const CLIENT_LEFT: u16 = 499;

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
    let left = Left {
        shared,
        line: &line,
        started,
        answered: false,
    };
    let outcome = match (route, &caller) {
        (Ok(route), Ok(caller)) => guarded(shared, route, *caller, request).await,
        (Err(problem), _) => refused(request, problem),
        (_, Err(problem)) => refused(request, problem.clone()),
    };
    left.answered();
    finish(shared, &line, outcome, started.elapsed())
}

/// Tells of a request whose client didn't wait for the answer: what it began may go on and
/// cost, so it must not be missing from the log and the figures.
struct Left<'a> {
    shared: &'a Shared,
    line: &'a Line<'a>,
    started: Instant,
    answered: bool,
}

impl Left<'_> {
    /// It waited.
    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let elapsed = self.started.elapsed();
            // What of it was the model's time nobody knows: none of it is called overhead.
            record(self.shared, self.line, CLIENT_LEFT, elapsed, elapsed);
            log(self.line, CLIENT_LEFT, elapsed, Duration::ZERO, None, None);
        }
    }
}

fn record(shared: &Shared, line: &Line<'_>, status: u16, elapsed: Duration, upstream: Duration) {
    let method = line.method.as_str();
    shared
        .http
        .observe(line.endpoint, method, status, elapsed, upstream);
}

fn log(
    line: &Line<'_>,
    status: u16,
    elapsed: Duration,
    upstream: Duration,
    cache: Option<Status>,
    code: Option<&str>,
) {
    tracing::info!(
        target: "http",
        request_id = line.id,
        method = line.method.as_str(),
        endpoint = Routes::label(line.endpoint),
        status,
        duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        upstream_us = u64::try_from(upstream.as_micros()).unwrap_or(u64::MAX),
        cache = cache.map(Status::as_str),
        caller = line.caller,
        code,
        "request"
    );
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

/// A request whose body nobody wants to see.
fn refused(request: Request<Incoming>, problem: Problem) -> Result<Reply, Problem> {
    let (head, incoming) = request.into_parts();
    body::discard(&head.headers, incoming, &problem);
    Err(problem)
}

/// Runs the handler within the limits on number and time; a panic in it is an answer as well.
async fn guarded(
    shared: &Arc<Shared>,
    route: &Route,
    caller: Option<&Arc<Caller>>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    let limit = shared.config.limits.request_timeout;
    let handler = async {
        match (route.action, caller) {
            (Action::Validate, Some(caller)) => validate(shared, caller, request).await,
            (action, _) => within(limit, probe(shared, action))
                .await
                .unwrap_or_else(|_| Err(Problem::deadline())),
        }
    };
    AssertUnwindSafe(handler)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            tracing::error!(endpoint = route.template, "handler panicked");
            Err(Problem::internal())
        })
}

/// Probes and figures are never shed: who watches must see an overloaded service.
async fn probe(shared: &Arc<Shared>, action: Action) -> Result<Reply, Problem> {
    match action {
        Action::Live => Ok(probes::live(shared)),
        Action::Ready => Ok(probes::ready(shared).await),
        Action::Health => Ok(probes::health(shared).await),
        Action::Metrics => figures::metrics(shared).await,
        // It is no public route: without a caller it isn't reached.
        Action::Validate => Err(Problem::unauthorized()),
    }
}

async fn validate(
    shared: &Arc<Shared>,
    caller: &Arc<Caller>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    let Some(mut place) = shared.places.take(request.body().size_hint().upper()) else {
        return refused(request, Problem::overloaded());
    };
    let (head, mut incoming) = request.into_parts();
    let limits = &shared.config.limits;
    let body = match body::read_json(&head.headers, &mut incoming, limits).await {
        Ok(body) => body,
        Err(problem) => {
            body::discard(&head.headers, incoming, &problem);
            return Err(problem);
        }
    };
    place.shrink(body.len());
    let handler = validate::handle(shared, caller, place, &head.headers, body);
    within(limits.request_timeout, handler)
        .await
        .unwrap_or_else(|_| Err(Problem::deadline()))
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
    let status = status.as_u16();
    record(shared, line, status, elapsed, upstream);
    log(line, status, elapsed, upstream, cache, code);
    let mut response = match outcome {
        Ok(reply) => reply.into_response(line.id, elapsed),
        Err(problem) => reply::refusal(&problem, line.id, elapsed),
    };
    if shared.is_draining() {
        // A client that keeps the connection would send its next request into the close.
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
