//! Answers before they have their headers, and the headers that all of them get.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use cache::{Cost, Status};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use observability::Written;

use crate::asked::{Forecast, ModelTime};
use crate::chat::EventStream;
use crate::openapi::File;
use crate::problem::Problem;
use crate::request_id::X_REQUEST_ID;
use crate::throttle::whole_seconds;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it.
    Whole(Full<Bytes>),
    /// Events, as they come, and what counts their bytes.
    Events(Box<EventStream>, Written),
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx),
            Self::Events(events, written) => {
                let frame = ready!(Pin::new(events.as_mut()).poll_frame(cx));
                let bytes = frame
                    .as_ref()
                    .and_then(|frame| frame.as_ref().ok()?.data_ref());
                written.add(bytes.map_or(0, Bytes::len));
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Events(events, _) => events.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Events(events, _) => events.size_hint(),
        }
    }
}

const AGE: HeaderName = HeaderName::from_static("age");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const STRICT_TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");
const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// What a handler answers.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    content_type: &'static str,
    body: Bytes,
    /// What comes in its place.
    events: Option<Box<EventStream>>,
    /// What a page may load, where that is more than nothing.
    policy: Option<&'static str>,
    /// Where the answer came from, on a route whose answers are cached.
    pub(crate) cache: Option<(Status, Duration)>,
    /// What of the time was spent waiting for a model.
    pub(crate) upstream: Duration,
    /// What it took of a model, where it was made for this very request.
    pub(crate) cost: Cost,
    /// What the model's answer was predicted to take.
    forecast: Option<Forecast>,
}

impl Reply {
    /// An answer in JSON.
    pub(crate) fn json(status: StatusCode, body: Bytes) -> Self {
        Self::of(status, JSON, body)
    }

    fn of(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        Self {
            status,
            content_type,
            body,
            events: None,
            policy: None,
            cache: None,
            upstream: Duration::ZERO,
            cost: Cost::FREE,
            forecast: None,
        }
    }

    /// A file of the description's page.
    pub(crate) fn file(file: File) -> Self {
        let mut reply = Self::of(StatusCode::OK, file.content_type, file.body);
        reply.policy = Some(file.policy);
        reply
    }

    /// An answer in Prometheus' text format.
    pub(crate) fn prometheus(text: String) -> Self {
        let content_type = "text/plain; version=0.0.4; charset=utf-8";
        Self::of(StatusCode::OK, content_type, Bytes::from(text))
    }

    /// An answer in plain text.
    pub(crate) fn text(text: String) -> Self {
        Self::of(
            StatusCode::OK,
            "text/plain; charset=utf-8",
            Bytes::from(text),
        )
    }

    /// An answer that comes in events.
    pub(crate) fn events(events: EventStream) -> Self {
        let mut reply = Self::of(StatusCode::OK, "text/event-stream", Bytes::new());
        reply.events = Some(Box::new(events));
        reply
    }

    /// The same answer, from there.
    pub(crate) fn cached(mut self, status: Status, age: Duration) -> Self {
        self.cache = Some((status, age));
        self
    }

    /// The same answer, computed for this much; one that came `from` elsewhere cost nothing.
    pub(crate) fn costing(mut self, from: Status, cost: Cost) -> Self {
        if matches!(from, Status::Miss | Status::Bypass) {
            self.cost = cost;
        }
        self
    }

    /// The same answer, of whose time this much was a model's.
    pub(crate) fn waited(mut self, upstream: Duration) -> Self {
        self.upstream = upstream;
        self
    }

    /// The same answer, for which a model was asked, or wasn't.
    pub(crate) fn asked(mut self, asked: ModelTime) -> Self {
        self.forecast = asked.forecast;
        self.waited(asked.waited)
    }

    /// The answer with all its headers. `elapsed` is the time that the request took.
    /// `written` counts its bytes.
    pub(crate) fn into_response(
        self,
        request_id: &str,
        elapsed: Duration,
        written: Written,
    ) -> Response<Body> {
        let streams = self.events.is_some();
        let body = match self.events {
            Some(events) => Body::Events(events, written),
            None => {
                written.add(self.body.len());
                Body::Whole(Full::new(self.body))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let hit = matches!(self.cache, Some((Status::Hit, _)));
        let template = if hit { &HIT } else { &ANSWER };
        headers.clone_from(template);
        if self.content_type != JSON {
            set(
                headers,
                &CONTENT_TYPE,
                HeaderValue::from_static(self.content_type),
            );
        }
        match self.cache {
            Some((Status::Hit, age)) => set(headers, &AGE, HeaderValue::from(age.as_secs())),
            Some((status, _)) => {
                headers.insert(X_CACHE, HeaderValue::from_static(status.as_str()));
            }
            None => {}
        }
        name(headers, request_id);
        if streams {
            // No proxy may hold a part back until there is more of it.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        }
        if let Some(policy) = self.policy {
            let policy = HeaderValue::from_static(policy);
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        let timing = timing(elapsed, self.upstream, self.forecast.as_ref());
        set(headers, &SERVER_TIMING, timing);
        response
    }
}

/// A refusal with all its headers.
pub(crate) fn refusal(
    problem: &Problem,
    request_id: &str,
    elapsed: Duration,
    written: &Written,
) -> Response<Body> {
    let body = problem.encode(request_id);
    written.add(body.len());
    let body = Body::Whole(Full::new(body));
    let mut response = Response::new(body);
    *response.status_mut() = problem.status();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if problem.status() == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(allow) = problem.allow() {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(wait) = problem.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait).max(1)));
    }
    common(headers, request_id);
    headers.insert(SERVER_TIMING, timing(elapsed, Duration::ZERO, None));
    response
}

/// What all answers say, made once.
static COMMON: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = HeaderMap::new();
    let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
    // Verdicts are one tenant's own: nothing between here and the ERP may keep them.
    say(CACHE_CONTROL, "no-store");
    say(X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(X_FRAME_OPTIONS, "DENY");
    say(REFERRER_POLICY, "no-referrer");
    let policy = "default-src 'none'; frame-ancestors 'none'";
    say(CONTENT_SECURITY_POLICY, policy);
    headers
});

/// The same, with what each good answer in JSON says and places for what is its own: a copy hashes
/// no names and never grows.
static ANSWER: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = COMMON.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(X_REQUEST_ID, EMPTY);
    headers.insert(SERVER_TIMING, EMPTY);
    headers
});

/// The same, of an answer that was kept.
static HIT: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut headers = ANSWER.clone();
    headers.insert(X_CACHE, HeaderValue::from_static(Status::Hit.as_str()));
    headers.insert(AGE, EMPTY);
    headers
});

const JSON: &str = "application/json";
const EMPTY: HeaderValue = HeaderValue::from_static("");

/// Says it, in the place that the copied headers have for it where they have one: looking for that
/// is less than placing it anew.
fn set(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue) {
    match headers.get_mut(name) {
        Some(place) => *place = value,
        None => {
            headers.insert(name, value);
        }
    }
}

fn common(headers: &mut HeaderMap, request_id: &str) {
    headers.extend(COMMON.clone());
    name(headers, request_id);
}

fn name(headers: &mut HeaderMap, request_id: &str) {
    // A request id is checked when it comes in and plain ASCII when it is made here.
    if let Ok(id) = HeaderValue::from_str(request_id) {
        set(headers, &X_REQUEST_ID, id);
    }
}

/// Browsers that have seen this over TLS come over TLS for the next year.
pub(crate) fn only_over_tls(headers: &mut HeaderMap) {
    let name = http::header::STRICT_TRANSPORT_SECURITY;
    headers.insert(name, STRICT_TRANSPORT_SECURITY);
}

/// An answer without a body to what a browser asks before it lets a page ask.
pub(crate) fn preflight(request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::Whole(Full::new(Bytes::new())));
    *response.status_mut() = StatusCode::NO_CONTENT;
    common(response.headers_mut(), request_id);
    response
}

/// `Server-Timing`, in milliseconds; of a prediction also the dollars, beside the real ones.
fn timing(elapsed: Duration, upstream: Duration, forecast: Option<&Forecast>) -> HeaderValue {
    let mut text = Vec::with_capacity(80);
    put(&mut text, "total", elapsed);
    if upstream.is_zero() {
        // All of it was ours: what has just been written.
        let own = b"total".len()..text.len();
        text.extend_from_slice(b", upstream;dur=0.000, overhead");
        text.extend_from_within(own);
    } else {
        put(&mut text, ", upstream", upstream);
        put(&mut text, ", overhead", elapsed.saturating_sub(upstream));
    }
    if let Some(forecast) = forecast {
        put(&mut text, ", predicted", forecast.latency);
        let Forecast { cost, spent, .. } = forecast;
        // Writing to a Vec can't fail.
        let _ = match spent {
            Some(spent) => write!(text, ";desc=\"{cost} USD ({spent} spent)\""),
            None => write!(text, ";desc=\"{cost} USD\""),
        };
    }
    HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("total"))
}

/// A name and its milliseconds.
fn put(text: &mut Vec<u8>, name: &str, duration: Duration) {
    let mut digits = itoa::Buffer::new();
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b";dur=");
    let millis = duration.as_secs().saturating_mul(1_000) + u64::from(duration.subsec_millis());
    text.extend_from_slice(digits.format(millis).as_bytes());
    // A thousand more, whose first digit gives way to the point: three digits in any case.
    let micros = digits.format(1_000 + duration.subsec_micros() % 1_000);
    text.push(b'.');
    text.extend_from_slice(micros.as_bytes().get(1..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use llm_client::Usd;

    use super::*;

    #[test]
    fn timings_are_in_milliseconds_and_add_up() {
        let (total, upstream) = (Duration::from_micros(1_500), Duration::from_micros(1_000));
        let sums = "total;dur=1.500, upstream;dur=1.000, overhead;dur=0.500";
        assert_eq!(timing(total, upstream, None), sums);
        let own = "total;dur=1.500, upstream;dur=0.000, overhead;dur=1.500";
        assert_eq!(timing(total, Duration::ZERO, None), own);
        let mut forecast = Forecast {
            latency: Duration::from_micros(1_250),
            cost: Usd::from_micros(4_200),
            spent: None,
        };
        let value = timing(total, upstream, Some(&forecast));
        let expected = format!("{sums}, predicted;dur=1.250;desc=\"0.0042 USD\"");
        assert_eq!(value, expected.as_str());
        forecast.spent = Some(Usd::from_micros(3_900));
        let value = timing(total, upstream, Some(&forecast));
        let value = value.to_str().unwrap();
        assert!(value.ends_with(";desc=\"0.0042 USD (0.0039 spent)\""));
    }

    #[test]
    fn only_a_hit_has_an_age() {
        let http = observability::HttpMetrics::new(&[]);
        let written = http.written(0);
        let reply = |status| {
            let age = Duration::from_secs(7);
            let reply = Reply::json(StatusCode::OK, Bytes::new()).cached(status, age);
            reply.into_response("id-1", Duration::ZERO, written.clone())
        };
        let hit = reply(Status::Hit);
        assert_eq!(
            (&hit.headers()["x-cache"], &hit.headers()["age"]),
            (&HeaderValue::from_static("hit"), &HeaderValue::from(7))
        );
        assert_eq!(hit.headers()["x-request-id"], "id-1");
        assert!(reply(Status::Miss).headers().get("age").is_none());
    }
}
