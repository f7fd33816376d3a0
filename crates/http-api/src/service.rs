//! One request, from its head to its answer.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use observability::{method_label, traces};
use tracing::Instrument as _;

use crate::analytics;
use crate::app::Shared;
use crate::auth::Caller;
use crate::body;
use crate::chat;
use crate::connection::Peer;
use crate::costs;
use crate::entry::{self, Manner};
use crate::figures;
use crate::openapi;
use crate::payslips;
use crate::places::Place;
use crate::probes;
use crate::problem::Problem;
use crate::purchases;
use crate::reply::{self, Body, Reply};
use crate::request_id::RequestId;
use crate::routes::{Action, Found, Watch, Work};
use crate::sii;
use crate::told::{self, Ended, Left, Line};
use crate::validate;
use crate::within::within;

/// A request as it came. It stays where it is: what works on it borrows it, so that none of the
/// futures that it goes through carries a copy.
pub(crate) struct Asked {
    head: Parts,
    /// Until somebody throws it away.
    body: Option<Incoming>,
}

impl From<Request<Incoming>> for Asked {
    fn from(request: Request<Incoming>) -> Self {
        let (head, body) = request.into_parts();
        Self {
            head,
            body: Some(body),
        }
    }
}

/// Answers a request. Never fails: what goes wrong is an answer too.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    peer: Peer,
    request: &mut Asked,
) -> Response<Body> {
    let started = Instant::now();
    let _in_flight = shared.http.enter();
    let head = &request.head;
    let id = RequestId::of(&head.headers);
    let id = id.as_str();
    let mut manner = Manner::of(shared, peer, &head.headers);
    if let Some(response) = manner.preflight(shared, head, id) {
        return response;
    }
    let method = method_label(head.method.as_str());
    let (endpoint, route) = shared.routes.find(&head.method, head.uri.path());
    let span = told::span(method, endpoint, id);
    traces::adopt(&span, &head.headers);
    // Pinned where it is: each move of a future copies all of it.
    let handled = pin!(async {
        let caller = route.as_ref().map_or(Ok(None), |found| {
            entry::authenticate(shared, peer, found, &request.head.headers)
        });
        let line = Line {
            id,
            method,
            version: request.head.version,
            endpoint,
            caller: caller
                .as_ref()
                .ok()
                .and_then(Option::as_ref)
                .map(|caller| caller.name()),
        };
        let left = Left::new(shared, &line, started);
        let outcome = match (route, &caller) {
            (Ok(found), Ok(caller)) => {
                let caller = caller.as_ref();
                match pin!(manner.admit(shared, found.action, caller)).await {
                    Ok(()) => pin!(guarded(shared, found, caller, request)).await,
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
    });
    handled.instrument(span).await
}

/// A request whose body nobody wants to see.
fn refused(request: &mut Asked, problem: Problem) -> Result<Reply, Problem> {
    if let Some(body) = request.body.take() {
        body::discard(&request.head.headers, body, &problem);
    }
    Err(problem)
}

/// Runs the handler within the limits on number and time; a panic in it is an answer as well.
async fn guarded(
    shared: &Arc<Shared>,
    found: Found,
    caller: Option<&Arc<Caller>>,
    request: &mut Asked,
) -> Result<Reply, Problem> {
    let limit = shared.config.limits.request_timeout;
    let template = found.route.template;
    let handler = pin!(async {
        match (found.action, caller) {
            (Action::Watch(watch), _) => within(limit, pin!(probe(shared, watch, found.param)))
                .await
                .unwrap_or_else(|_| Err(Problem::deadline())),
            (Action::Work(work), Some(caller)) => {
                pin!(worked(shared, work, found, caller, request)).await
            }
            // No such route is open, so that there is always a caller.
            (Action::Work(_), None) => refused(request, Problem::unauthorized()),
        }
    });
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
        // Boxed, so that other requests don't carry its size.
        Watch::Health => Ok(Box::pin(probes::health(shared)).await),
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
    pub(crate) head: &'a Parts,
    /// The part of the path that the route leaves open, where it does.
    pub(crate) param: Option<String>,
    pub(crate) body: Bytes,
}

/// A request that takes a place: reads its body, where its method has one, and answers it.
async fn worked(
    shared: &Arc<Shared>,
    work: Work,
    found: Found,
    caller: &Arc<Caller>,
    request: &mut Asked,
) -> Result<Reply, Problem> {
    if shared.overload.refuses() {
        return refused(request, Problem::overloaded());
    }
    let announced = request
        .body
        .as_ref()
        .and_then(|body| body.size_hint().upper());
    let Some(mut place) = shared.places.take(announced) else {
        return refused(request, Problem::overloaded());
    };
    let limits = &shared.config.limits;
    // What asks and sends nothing has no body to be of any type.
    let read = match &mut request.body {
        Some(body) if request.head.method == Method::POST => {
            pin!(body::read_json(&request.head.headers, body, limits)).await
        }
        _ => Ok(Bytes::new()),
    };
    let body = match read {
        Ok(body) => body,
        Err(problem) => return refused(request, problem),
    };
    place.shrink(body.len());
    shared.http.read(found.endpoint, body.len());
    let call = Call {
        shared,
        caller,
        place,
        head: &request.head,
        param: found.param,
        body,
    };
    pin!(within(limits.request_timeout, pin!(handle(work, call))))
        .await
        .unwrap_or_else(|_| Err(Problem::deadline()))
}

async fn handle(work: Work, call: Call<'_>) -> Result<Reply, Problem> {
    match work {
        Work::Validate => pin!(validate::handle(call)).await,
        // Boxed, so that the route that is asked most, and a connection that waits for its next
        // request, doesn't carry the size of the largest of these.
        Work::Costs => Box::pin(costs::report(call)).await,
        Work::ChatSessionNew => Box::pin(chat::new_session(call)).await,
        Work::ChatMessage => Box::pin(chat::message(call)).await,
        Work::ChatStream => Box::pin(chat::stream(call)).await,
        Work::ChatSession => Box::pin(chat::session(call)).await,
        Work::ChatDelete => Box::pin(chat::delete(call)).await,
        Work::ChatSearch => Box::pin(chat::search(call)).await,
        Work::MatchPo => Box::pin(purchases::match_po(call)).await,
        Work::Reconcile => Box::pin(purchases::reconcile(call)).await,
        Work::SuggestProject => Box::pin(analytics::suggest_project(call)).await,
        Work::AnalyticsStats => Box::pin(analytics::stats(call)).await,
        Work::PayrollValidate => Box::pin(payslips::validate(call)).await,
        Work::PayrollIndicators => Box::pin(payslips::indicators(call)).await,
        Work::SiiMonitor => Box::pin(sii::monitor(call)).await,
        Work::SiiStatus => Box::pin(sii::status(call)).await,
        Work::SiiNews => Box::pin(sii::news(call)).await,
        Work::SiiItem => Box::pin(sii::item(call)).await,
    }
}

fn finish(
    shared: &Shared,
    line: &Line<'_>,
    outcome: Result<Reply, Problem>,
    elapsed: Duration,
) -> Response<Body> {
    let ended = match &outcome {
        Ok(reply) => Ended {
            upstream: reply.upstream,
            cache: reply.cache.map(|(word, _)| word),
            cost: reply.cost,
            ..Ended::new(reply.status.as_u16(), elapsed)
        },
        Err(problem) => Ended {
            code: Some(problem.code()),
            ..Ended::new(problem.status().as_u16(), elapsed)
        },
    };
    // Who tries keys pays a connection for each.
    let unwelcome = ended.status == StatusCode::TOO_MANY_REQUESTS && line.caller.is_none();
    told::tell(shared, line, &ended);
    let written = shared.http.written(line.endpoint);
    let mut response = match outcome {
        Ok(reply) => reply.into_response(line.id, elapsed, written),
        Err(problem) => reply::refusal(&problem, line.id, elapsed, &written),
    };
    // HTTP/2 has no such header, and its own way to say so.
    if line.version < Version::HTTP_2 && (shared.is_draining() || unwelcome) {
        // A client that keeps the connection would send its next request into the close.
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
