//! Puts an answer on its way: whole or in steps, and as broken as the fault wants it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_LENGTH};

use crate::{
    body::{MockBody, Reset, Step},
    faults::{Fault, event_error},
    stats::InFlight,
    wire::{Event, event, json_bytes},
};

/// Before a connection is cut, so that what was sent before has left.
const FLUSH: Duration = Duration::from_millis(10);

/// Bytes at a time of a trickle.
const TRICKLE_BYTES: usize = 16;

/// Ends well and is no JSON.
const MALFORMED: &str = r#"{"id":"msg_01","type":"message","content":[{"type":"text","te"#;

/// What an answer needs on its way out.
pub(crate) struct Delivery {
    pub(crate) fault: Option<Fault>,
    pub(crate) in_flight: InFlight,
    pub(crate) reset: Arc<Reset>,
    pub(crate) hang_limit: Duration,
    pub(crate) request_id: String,
}

impl Delivery {
    /// An answer that isn't streamed.
    pub(crate) fn whole(mut self, body: Bytes) -> Response<MockBody> {
        let half = body.len() / 2;
        let broken = match &self.fault {
            Some(Fault::MalformedJson) => {
                self.in_flight.finish();
                return json_response(StatusCode::OK, MALFORMED.into());
            }
            Some(Fault::CutBody | Fault::CutStream(_)) => {
                vec![
                    Step::send(Duration::ZERO, body.slice(..half)),
                    Step::cut(FLUSH),
                ]
            }
            Some(Fault::HangStream(_)) => {
                vec![
                    Step::send(Duration::ZERO, body.slice(..half)),
                    Step::cut(self.hang_limit),
                ]
            }
            Some(Fault::Trickle(pause)) => trickle(
                &[Step::send(Duration::ZERO, body.clone())],
                *pause,
                self.hang_limit,
            ),
            Some(Fault::Bytes) => byte_by_byte(&body),
            Some(Fault::NoUsage) => {
                self.in_flight.finish();
                return json_response(StatusCode::OK, without_usage(&body));
            }
            _ => {
                self.in_flight.finish();
                return json_response(StatusCode::OK, body);
            }
        };
        let length = body.len();
        let paced = MockBody::paced(broken, self.in_flight, self.reset);
        let mut response = Response::new(paced);
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        content_type(response.headers_mut(), "application/json");
        response
    }

    /// A streamed answer.
    pub(crate) fn stream(mut self, events: Vec<Event>) -> Response<MockBody> {
        self.in_flight.stream();
        let steps = self.steps(events);
        let mut response = Response::new(MockBody::paced(steps, self.in_flight, self.reset));
        content_type(response.headers_mut(), "text/event-stream; charset=utf-8");
        let headers = response.headers_mut();
        headers.insert(
            http::header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        );
        response
    }

    fn steps(&self, mut events: Vec<Event>) -> Vec<Step> {
        let half = events.len() / 2;
        let mut end = None;
        match &self.fault {
            Some(Fault::CutStream(after)) => {
                events.truncate(after.unwrap_or(half));
                end = Some(FLUSH);
            }
            Some(Fault::HangStream(after)) => {
                events.truncate(after.unwrap_or(half));
                end = Some(self.hang_limit);
            }
            Some(Fault::ErrorEvent(kind)) => {
                events.truncate(half);
                let data = event_error(kind.as_deref()).body(&self.request_id);
                let after = last_time(&events);
                events.push(Event {
                    after,
                    bytes: event("error", &json_bytes(&data)),
                });
            }
            Some(Fault::MalformedJson) => {
                if let Some(broken) = events.get_mut(half) {
                    broken.bytes = event("content_block_delta", MALFORMED.as_bytes());
                }
            }
            Some(Fault::Pings(count)) => insert(&mut events, half, ping(), *count),
            Some(Fault::BigEvent(size)) => insert(&mut events, half, big_event(*size), 1),
            Some(Fault::NoUsage) => {
                for event in &mut events {
                    event.bytes = event_without_usage(&event.bytes);
                }
            }
            _ => {}
        }
        let last = last_time(&events);
        let mut steps: Vec<Step> = events
            .into_iter()
            .map(|event| Step::send(event.after, event.bytes))
            .collect();
        match &self.fault {
            Some(Fault::Trickle(pause)) => steps = trickle(&steps, *pause, self.hang_limit),
            Some(Fault::CutBody) => steps = first_half(&steps),
            Some(Fault::Bytes) => steps = byte_by_byte(&joined(&steps)),
            _ => steps.extend(end.map(|wait| Step::cut(last + wait))),
        }
        steps
    }
}

fn last_time(events: &[Event]) -> Duration {
    events.last().map_or(Duration::ZERO, |event| event.after)
}

/// Puts `count` times the same event before the event at `place`, at the time of that one.
fn insert(events: &mut Vec<Event>, place: usize, bytes: Bytes, count: usize) {
    let after = events
        .get(place)
        .map_or(Duration::ZERO, |event| event.after);
    let more = std::iter::repeat_n(Event { after, bytes }, count);
    events.splice(place..place, more);
}

fn ping() -> Bytes {
    event("ping", br#"{"type": "ping"}"#)
}

fn big_event(size: usize) -> Bytes {
    let data = serde_json::json!({
        "type": "content_block_delta", "index": 0,
        "delta": {"type": "text_delta", "text": "x".repeat(size)},
    });
    event("content_block_delta", &json_bytes(&data))
}

/// An event as the stream carries it, without the usage in its data or in its message.
fn event_without_usage(bytes: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split_once("\ndata: ");
    match parts.and_then(|(name, data)| Some((name.strip_prefix("event: ")?, data.trim_end()))) {
        Some((name, data)) => event(name, &without_usage(data.as_bytes())),
        None => bytes.clone(),
    }
}

/// The same JSON without `usage`, at the top or in `message`.
fn without_usage(json: &[u8]) -> Bytes {
    let mut value: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    for holder in ["", "/message"] {
        if let Some(object) = value.pointer_mut(holder).and_then(|v| v.as_object_mut()) {
            object.remove("usage");
        }
    }
    json_bytes(&value)
}

/// Each byte a chunk of its own: the moments differ, so that they aren't sent together.
fn byte_by_byte(bytes: &Bytes) -> Vec<Step> {
    (0..bytes.len())
        .map(|at| {
            let after = Duration::from_micros(u64::try_from(at).unwrap_or(u64::MAX));
            Step::send(after, bytes.slice(at..=at))
        })
        .collect()
}

/// All bytes of these steps.
fn joined(steps: &[Step]) -> Bytes {
    let mut bytes = Vec::new();
    for step in steps {
        if let crate::body::Act::Send(more) = &step.act {
            bytes.extend_from_slice(more);
        }
    }
    bytes.into()
}

/// Half of the bytes, wherever that is inside an event, and then a cut.
fn first_half(steps: &[Step]) -> Vec<Step> {
    let bytes = joined(steps);
    vec![
        Step::send(Duration::ZERO, bytes.slice(..bytes.len() / 2)),
        Step::cut(FLUSH),
    ]
}

/// The same bytes, a few at a time, at most until `limit`.
fn trickle(steps: &[Step], pause: Duration, limit: Duration) -> Vec<Step> {
    let bytes = joined(steps);
    let mut after = Duration::ZERO;
    let mut slow = Vec::new();
    for start in (0..bytes.len()).step_by(TRICKLE_BYTES) {
        let end = (start + TRICKLE_BYTES).min(bytes.len());
        slow.push(Step::send(after, bytes.slice(start..end)));
        after = (after + pause).min(limit);
    }
    slow
}

/// A whole JSON answer.
pub(crate) fn json_response(status: StatusCode, body: Bytes) -> Response<MockBody> {
    let mut response = Response::new(MockBody::whole(body));
    *response.status_mut() = status;
    content_type(response.headers_mut(), "application/json");
    response
}

fn content_type(headers: &mut HeaderMap, value: &'static str) {
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests;
