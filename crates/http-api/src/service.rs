//! One request, from its head to its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cache::Status;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use observability::{method_label, traces};
use tracing::{Instrument as _, Span, field};

use crate::analytics;
use crate::app::Shared;
use crate::auth::{Caller, presented};
use crate::body;
use crate::chat;
use crate::connection::Peer;
use crate::cors;
use crate::costs;
use crate::figures;
use crate::openapi;
use crate::payslips;
use crate::places::Place;
use crate::probes;
use crate::problem::Problem;
use crate::purchases;
use crate::reply::{self, Body, Reply};
use crate::request_id;
use crate::routes::{Action, Found, Routes, Watch, Work};
use crate::throttle::{self, Standing};
use crate::validate;
use crate::within::within;

/// The status, in the log and the figures only, of a request whose client left before it was
/// answered: what proxies write there as well.
const CLIENT_LEFT: u16 = 499;

/// What the log line of a request tells beside its outcome.
struct Line<'a> {
    id: &'a str,
    method: &'static str,
    version: Version,
    endpoint: usize,
    caller: Option<&'a str>,
}

/// What an answer's headers say of the connection, the page and the key.
struct Manner {
    peer: Peer,
    /// The page that asks, where it may.
    origin: Option<HeaderValue>,
    standing: Option<Standing>,
}

/// Answers a request. Never fails: what goes wrong is an answer too.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    peer: Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let started = Instant::now();
    let _in_flight = shared.http.enter();
    let id = request_id::of(request.headers());
    let mut manner = Manner {
        peer,
        origin: shared.config.cors.origin(request.headers()).cloned(),
        standing: None,
    };
    if manner.origin.is_some() && cors::is_preflight(request.method(), request.headers()) {
        let mut response = reply::preflight(&id);
        cors::preflight(response.headers_mut());
        manner.write(shared, response.headers_mut());
        return response;
    }
    let method = method_label(request.method().as_str());
    let (endpoint, route) = shared.routes.find(request.method(), request.uri().path());
    let span = span(method, endpoint, &id);
    traces::adopt(&span, request.headers());
    let handled = async {
        let caller = route.as_ref().map_or(Ok(None), |found| {
            authenticate(shared, peer, found, &request)
        });
        let line = Line {
            id: &id,
            method,
            version: request.version(),
            endpoint,
            caller: caller
                .as_ref()
                .ok()
                .and_then(Option::as_ref)
                .map(|caller| caller.name()),
        };
        let left = Left {
            shared,
            line: &line,
            started,
            answered: false,
        };
        let outcome = match (route, &caller) {
            (Ok(found), Ok(caller)) => {
                let allowed = match (&found.action, caller) {
                    (Action::Work(_), Some(caller)) => {
                        let (standing, allowed) = throttle::admit(shared, caller).await;
                        manner.standing = standing;
                        allowed
                    }
                    _ => Ok(()),
                };
                match allowed {
                    Ok(()) => guarded(shared, found, caller.as_ref(), request).await,
                    Err(problem) => refused(request, problem),
                }
            }
            (Err(problem), _) => refused(request, problem),
            (_, Err(problem)) => refused(request, problem.clone()),
        };
        left.answered();
        let mut response = finish(shared, &line, outcome, started.elapsed());
        manner.write(shared, response.headers_mut());
        response
    };
    handled.instrument(span).await
}

/// The root of what is traced of a request.
fn span(method: &'static str, endpoint: usize, id: &str) -> Span {
    let route = Routes::label(endpoint);
    tracing::info_span!(
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
        request.id = id,
        cache.result = field::Empty,
        error.code = field::Empty,
    )
}

/// Tells the request's span how it ended.
fn conclude(status: u16, cache: Option<Status>, code: Option<&'static str>) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", status);
    if let Some(cache) = cache {
        span.record("cache.result", cache.as_str());
    }
    if let Some(code) = code {
        span.record("error.code", code);
        // A client's own mistake is no failure of the service.
        if status >= 500 {
            traces::mark_failed(&span, code);
        }
    }
}

impl Manner {
    fn write(&self, shared: &Shared, headers: &mut HeaderMap) {
        if self.peer.secure {
            reply::only_over_tls(headers);
        }
        if let Some(standing) = &self.standing {
            standing.write(headers);
        }
        if shared.config.cors.is_used() {
            cors::vary(headers);
        }
        if let Some(origin) = &self.origin {
            cors::allow(headers, origin);
        }
    }
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
    shared
        .http
        .observe(line.endpoint, line.method, status, elapsed, upstream);
}

fn log(
    line: &Line<'_>,
    status: u16,
    elapsed: Duration,
    upstream: Duration,
    cache: Option<Status>,
    code: Option<&'static str>,
) {
    conclude(status, cache, code);
    tracing::info!(
        target: "http",
        request_id = line.id,
        method = line.method,
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

/// Who asks, where the route wants to know; nobody gets in whose head says two things.
fn authenticate(
    shared: &Shared,
    peer: Peer,
    found: &Found,
    request: &Request<Incoming>,
) -> Result<Option<Arc<Caller>>, Problem> {
    let headers = request.headers();
    if headers.get_all(HOST).iter().nth(1).is_some() {
        return Err(Problem::ambiguous_head());
    }
    let figures = found.action == Action::Watch(Watch::Metrics) && shared.config.metrics_public;
    let public = found.route.public || figures;
    if public {
        return Ok(None);
    }
    let keys = shared.keys.load();
    match keys.authenticate(headers, || shared.now()) {
        Ok(caller) if caller.may(found.action) => Ok(Some(caller)),
        Ok(_) => Err(Problem::foreign_route()),
        // To present none is no try.
        Err(problem) if presented(headers).is_none() => Err(problem),
        Err(_) => {
            let client = shared.config.proxies.client(peer.address, headers);
            Err(shared.failed_tries.failed(client))
        }
    }
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
    found: Found,
    caller: Option<&Arc<Caller>>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    let limit = shared.config.limits.request_timeout;
    let template = found.route.template;
    let handler = async {
        match (found.action, caller) {
            (Action::Watch(watch), _) => within(limit, probe(shared, watch, found.param))
                .await
                .unwrap_or_else(|_| Err(Problem::deadline())),
            (Action::Work(work), Some(caller)) => {
                worked(shared, work, found.param, caller, request).await
            }
            // No such route is open, so that there is always a caller.
            (Action::Work(_), None) => refused(request, Problem::unauthorized()),
        }
    };
    AssertUnwindSafe(handler)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            tracing::error!(endpoint = template, "handler panicked");
            Err(Problem::internal())
        })
}

/// Probes and figures are never shed: who watches must see an overloaded service.
async fn probe(
    shared: &Arc<Shared>,
    watch: Watch,
    param: Option<String>,
) -> Result<Reply, Problem> {
    match watch {
        Watch::Live => Ok(probes::live(shared)),
        Watch::Ready => Ok(probes::ready(shared).await),
        Watch::Health => Ok(probes::health(shared).await),
        Watch::Metrics => figures::metrics(shared).await,
        Watch::OpenApi => Ok(openapi::description(shared)),
        Watch::Docs => openapi::docs(shared, None).await,
        Watch::AnalyticsHealth => Ok(analytics::health(shared)),
        Watch::DocsFile => openapi::docs(shared, param.as_deref()).await,
    }
}

/// What a handler gets of a request that was let in.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) caller: &'a Arc<Caller>,
    /// Held for as long as anything goes on for the request.
    pub(crate) place: Place,
    pub(crate) head: Parts,
    /// The part of the path that the route leaves open, where it does.
    pub(crate) param: Option<String>,
    pub(crate) body: Bytes,
}

/// A request that takes a place: reads its body, where its method has one, and answers it.
async fn worked(
    shared: &Arc<Shared>,
    work: Work,
    param: Option<String>,
    caller: &Arc<Caller>,
    request: Request<Incoming>,
) -> Result<Reply, Problem> {
    if shared.overload.refuses() {
        return refused(request, Problem::overloaded());
    }
    let Some(mut place) = shared.places.take(request.body().size_hint().upper()) else {
        return refused(request, Problem::overloaded());
    };
    let (head, mut incoming) = request.into_parts();
    let limits = &shared.config.limits;
    // What asks and sends nothing has no body to be of any type.
    let body = if head.method == Method::POST {
        match body::read_json(&head.headers, &mut incoming, limits).await {
            Ok(body) => body,
            Err(problem) => {
                body::discard(&head.headers, incoming, &problem);
                return Err(problem);
            }
        }
    } else {
        Bytes::new()
    };
    place.shrink(body.len());
    let call = Call {
        shared,
        caller,
        place,
        head,
        param,
        body,
    };
    within(limits.request_timeout, handle(work, call))
        .await
        .unwrap_or_else(|_| Err(Problem::deadline()))
}

async fn handle(work: Work, call: Call<'_>) -> Result<Reply, Problem> {
    match work {
        Work::Costs => costs::report(call).await,
        Work::Validate => validate::handle(call).await,
        Work::ChatSessionNew => chat::new_session(call).await,
        // Boxed, so that other requests don't carry their size.
        Work::ChatMessage => Box::pin(chat::message(call)).await,
        Work::ChatStream => Box::pin(chat::stream(call)).await,
        Work::ChatSession => chat::session(call).await,
        Work::ChatDelete => chat::delete(call).await,
        Work::ChatSearch => chat::search(call).await,
        Work::MatchPo => purchases::match_po(call).await,
        Work::Reconcile => purchases::reconcile(call).await,
        Work::SuggestProject => analytics::suggest_project(call).await,
        Work::AnalyticsStats => analytics::stats(call).await,
        Work::PayrollValidate => payslips::validate(call).await,
        Work::PayrollIndicators => payslips::indicators(call).await,
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
    // Who tries keys pays a connection for each.
    let unwelcome = status == StatusCode::TOO_MANY_REQUESTS && line.caller.is_none();
    let status = status.as_u16();
    record(shared, line, status, elapsed, upstream);
    log(line, status, elapsed, upstream, cache, code);
    let mut response = match outcome {
        Ok(reply) => reply.into_response(line.id, elapsed),
        Err(problem) => reply::refusal(&problem, line.id, elapsed),
    };
    // HTTP/2 has no such header, and its own way to say so.
    if line.version < Version::HTTP_2 && (shared.is_draining() || unwelcome) {
        // A client that keeps the connection would send its next request into the close.
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
