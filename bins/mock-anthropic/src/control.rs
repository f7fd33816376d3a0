//! The `/mock/` routes, by which a test or a person sets the mock from outside. They need no
//! key: the mock is for loopback.

use http::{HeaderValue, Method, Request, Response, StatusCode, header::ALLOW};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    answer::Answer, body::MockBody, delivery::json_response, error::ApiError, faults::FaultRule,
    pace::Delay, service::read_body, state::State, stats::RecordedRequest, wire::json_bytes,
};

const MAX_BODY_BYTES: usize = 1 << 20;

/// Answers a control request, always with JSON.
pub(crate) async fn handle(state: &State, request: Request<Incoming>) -> Response<MockBody> {
    let (parts, body) = request.into_parts();
    let outcome = match read_body(body, MAX_BODY_BYTES).await {
        Ok(body) => dispatch(state, &parts.method, parts.uri.path(), &body),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(value) => json_response(StatusCode::OK, json_bytes(&value)),
        Err(error) => {
            let mut response = json_response(error.status, json_bytes(&error.body("req_mock")));
            response.headers_mut().extend(
                error
                    .headers
                    .into_iter()
                    .map(|(name, value)| (Some(name), value)),
            );
            response
        }
    }
}

fn dispatch(state: &State, method: &Method, path: &str, body: &[u8]) -> Result<Value, ApiError> {
    match (path, method.as_str()) {
        ("/mock/stats", "GET") => Ok(stats(state)),
        ("/mock/faults", "GET") => Ok(faults(state)),
        ("/mock/faults", "POST") => add_fault(state, body),
        ("/mock/faults", "DELETE") => {
            state.clear_faults();
            Ok(faults(state))
        }
        ("/mock/answers", "POST") => add_answers(state, body),
        ("/mock/config", "POST") => configure(state, body),
        ("/mock/reset", "POST") => {
            state.reset();
            Ok(json!({"reset": true}))
        }
        ("/mock/stats", _) => Err(not_allowed("GET")),
        ("/mock/faults", _) => Err(not_allowed("GET, POST, DELETE")),
        ("/mock/answers" | "/mock/config" | "/mock/reset", _) => Err(not_allowed("POST")),
        _ => Err(ApiError::new(StatusCode::NOT_FOUND, "Not found")),
    }
}

fn not_allowed(methods: &'static str) -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        .with_header(ALLOW, HeaderValue::from_static(methods))
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::invalid(error.to_string()))
}

fn stats(state: &State) -> Value {
    let mut stats = state.counters.snapshot();
    stats.cached_prefixes = state.cache.len();
    let mut value = serde_json::to_value(stats).unwrap_or_default();
    value["recent_requests"] = state.counters.recent().iter().map(recorded).collect();
    value
}

/// A body that is JSON as JSON, another as text.
fn recorded(request: &RecordedRequest) -> Value {
    let body = serde_json::from_slice(&request.body)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&request.body)));
    json!({"path": request.path, "headers": request.headers, "body": body})
}

fn faults(state: &State) -> Value {
    let rules = state.fault_rules();
    let rule = |rule: &FaultRule| {
        json!({
            "fault": rule.fault.to_string(),
            "times": rule.times,
            "probability": rule.probability,
            "path": rule.path,
        })
    };
    json!({"faults": rules.iter().map(rule).collect::<Vec<_>>()})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    fault: String,
    times: Option<u32>,
    probability: Option<f64>,
    path: Option<String>,
}

fn add_fault(state: &State, body: &[u8]) -> Result<Value, ApiError> {
    let body: FaultBody = read(body)?;
    let mut rule: FaultRule = body
        .fault
        .parse()
        .map_err(|error| ApiError::invalid(format!("fault: {error}")))?;
    if body
        .probability
        .is_some_and(|share| !(0.0..=1.0).contains(&share))
    {
        return Err(ApiError::invalid(
            "probability: Input should be between 0 and 1",
        ));
    }
    rule.times = body.times.or(rule.times);
    rule.probability = body.probability.or(rule.probability);
    rule.path = body.path.or(rule.path);
    state
        .add_fault(rule)
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(faults(state))
}

/// One answer, or several to be given in turn.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnswersBody {
    Many { answers: Vec<Answer> },
    One(Answer),
}

fn add_answers(state: &State, body: &[u8]) -> Result<Value, ApiError> {
    let answers = match read(body)? {
        AnswersBody::Many { answers } => answers,
        AnswersBody::One(answer) => vec![answer],
    };
    let count = answers.len();
    if answers.into_iter().all(|answer| state.add_answer(answer)) {
        Ok(json!({"queued": count}))
    } else {
        Err(ApiError::invalid("too many answers are queued"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigBody {
    latency_ms: Option<Value>,
    tokens_per_second: Option<f64>,
    answer_tokens: Option<u32>,
}

fn configure(state: &State, body: &[u8]) -> Result<Value, ApiError> {
    let body: ConfigBody = read(body)?;
    let delay = body.latency_ms.map(|delay| match delay {
        Value::String(text) => text.parse::<Delay>(),
        number => number.to_string().parse(),
    });
    let delay = delay
        .transpose()
        .map_err(|error| ApiError::invalid(format!("latency_ms: {error}")))?;
    if body.tokens_per_second.is_some_and(|rate| rate < 0.0) {
        return Err(ApiError::invalid(
            "tokens_per_second: Input should be 0 or more",
        ));
    }
    let manner = state.change_manner(|manner| {
        manner.pace.first_byte = delay.unwrap_or(manner.pace.first_byte);
        manner.pace = manner
            .pace
            .with_rate(body.tokens_per_second.unwrap_or(manner.pace.rate()));
        manner.answer_tokens = body.answer_tokens.unwrap_or(manner.answer_tokens);
    });
    Ok(json!({
        "latency_ms": manner.pace.first_byte.to_string(),
        "tokens_per_second": manner.pace.rate(),
        "answer_tokens": manner.answer_tokens,
    }))
}
