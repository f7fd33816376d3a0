//! What is told of a request: its span, its line in the log, and its part in the figures.

use std::time::{Duration, Instant};

use cache::{Cost, Status};
use http::Version;
use observability::traces;
use tracing::{Span, field};

use crate::app::Shared;
use crate::routes::Routes;

/// The status, in the log and the figures only, of a request whose client left before it was
/// answered: what proxies write there as well.
const CLIENT_LEFT: u16 = 499;

/// Which request it is.
pub(crate) struct Line<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'static str,
    pub(crate) version: Version,
    pub(crate) endpoint: usize,
    pub(crate) caller: Option<&'a str>,
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) status: u16,
    pub(crate) elapsed: Duration,
    /// What of the time was a model's.
    pub(crate) upstream: Duration,
    pub(crate) cache: Option<Status>,
    /// The code that the client reads of an error.
    pub(crate) code: Option<&'static str>,
    pub(crate) cost: Cost,
}

impl Ended {
    /// With this status after so long, and nothing else to tell.
    pub(crate) fn new(status: u16, elapsed: Duration) -> Self {
        Self {
            status,
            elapsed,
            upstream: Duration::ZERO,
            cache: None,
            code: None,
            cost: Cost::FREE,
        }
    }
}

/// The root of what is traced of a request.
pub(crate) fn span(method: &'static str, endpoint: usize, id: &str) -> Span {
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

/// Counts and logs a request, within its span.
pub(crate) fn tell(shared: &Shared, line: &Line<'_>, ended: &Ended) {
    let Ended {
        status,
        elapsed,
        upstream,
        code,
        ..
    } = *ended;
    shared
        .http
        .observe(line.endpoint, line.method, status, elapsed, upstream);
    if let Some(code) = code {
        shared.http.failed(line.endpoint, code);
    }
    conclude(ended);
    log(line, ended);
}

/// Tells the request's span how it ended.
fn conclude(ended: &Ended) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    // Whole numbers with a sign are all that OpenTelemetry has.
    span.record("http.response.status_code", i64::from(ended.status));
    if let Some(cache) = ended.cache {
        span.record("cache.result", cache.as_str());
    }
    if let Some(code) = ended.code {
        span.record("error.code", code);
        // A client's own mistake is no failure of the service.
        if ended.status >= 500 {
            traces::mark_failed(&span, code);
        }
    }
}

fn log(line: &Line<'_>, ended: &Ended) {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let spent = (ended.cost != Cost::FREE).then_some(ended.cost);
    tracing::info!(
        target: "http",
        // As a text: as the macro's last argument it would be formatted each time.
        message = "request",
        request_id = line.id,
        method = line.method,
        endpoint = Routes::label(line.endpoint),
        status = ended.status,
        duration_us = micros(ended.elapsed),
        upstream_us = micros(ended.upstream),
        cache = ended.cache.map(Status::as_str),
        caller = line.caller,
        code = ended.code,
        tokens = spent.map(|cost| cost.tokens),
        cost_nano_usd = spent.map(|cost| cost.pico_usd.div_ceil(1_000)),
    );
}

/// Tells of a request whose client didn't wait for the answer: what it began may go on and
/// cost, so it must not be missing from the log and the figures.
pub(crate) struct Left<'a> {
    shared: &'a Shared,
    line: &'a Line<'a>,
    started: Instant,
    answered: bool,
}

impl<'a> Left<'a> {
    /// It tells when it is dropped, unless the client [waited](Self::answered).
    pub(crate) fn new(shared: &'a Shared, line: &'a Line<'a>, started: Instant) -> Self {
        Self {
            shared,
            line,
            started,
            answered: false,
        }
    }

    /// It waited.
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let elapsed = self.started.elapsed();
            // What of it was the model's time nobody knows: none of it is called overhead.
            let line = self.line;
            let http = &self.shared.http;
            http.observe(line.endpoint, line.method, CLIENT_LEFT, elapsed, elapsed);
            let ended = Ended::new(CLIENT_LEFT, elapsed);
            conclude(&ended);
            log(line, &ended);
        }
    }
}
