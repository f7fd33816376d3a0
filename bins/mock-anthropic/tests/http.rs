//! The mock over HTTP: answers, errors, headers, the control API, its own end.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use mock_anthropic::{Answer, Clock, Config, Delay, FaultRule, MockServer, Pace};
use serde_json::{Value, json};
use support::{DEADLINE, MESSAGES, ask, event_names, message, open, post, send, streamed};

async fn start() -> MockServer {
    MockServer::start(Config::default()).await.unwrap()
}

async fn control(mock: &MockServer, method: &str, path: &str, body: Value) -> support::Reply {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "mock");
    send(mock, request.body(Full::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_message_is_answered() {
    let mock = start().await;
    let reply = ask(&mock, &message()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.header("request-id").unwrap().starts_with("req_"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    for kind in ["requests", "tokens", "input-tokens", "output-tokens"] {
        for part in ["limit", "remaining", "reset"] {
            let name = format!("anthropic-ratelimit-{kind}-{part}");
            assert!(reply.header(&name).is_some(), "{name}");
        }
    }
    let body = reply.json();
    assert_eq!(body["stop_reason"], "end_turn");
    assert_eq!(body["usage"]["output_tokens"], 60);
    assert!(!body["content"][0]["text"].as_str().unwrap().is_empty());
    mock.shutdown().await;
}

#[tokio::test]
async fn a_stream_says_the_same_as_a_whole_answer() {
    let mock = start().await;
    let whole = ask(&mock, &message()).await.json();
    let reply = ask(&mock, &streamed()).await;
    assert_eq!(
        reply.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    let stream = std::str::from_utf8(&reply.body).unwrap();
    let said: String = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str::<Value>(data).unwrap())
        .filter_map(|data| data["delta"]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(said, whole["content"][0]["text"]);
    let names = event_names(stream);
    assert_eq!(
        (names[0], names[names.len() - 1]),
        ("message_start", "message_stop")
    );
    let stats = mock
        .wait_for(DEADLINE, |stats| stats.in_flight == 0)
        .await
        .unwrap();
    assert_eq!((stats.open_streams, stats.cancelled_by_client), (0, 0));
}

#[tokio::test]
async fn tokens_are_counted_as_they_are_billed() {
    let mock = start().await;
    let count = send(&mock, post("/v1/messages/count_tokens", &message(), &[]))
        .await
        .json();
    assert_eq!(
        count,
        json!({"input_tokens": ask(&mock, &message()).await.json()["usage"]["input_tokens"]})
    );
}

#[tokio::test]
async fn a_key_and_a_version_are_required() {
    let config = Config {
        api_key: Some("secreta".to_owned()),
        ..Config::default()
    };
    let mock = MockServer::start(config).await.unwrap();
    let version = ("anthropic-version", "2023-06-01");
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let table: [(Headers<'_>, u16, &str); 9] = [
        (&[version], 401, "x-api-key header is required"),
        (
            &[version, ("x-api-key", "")],
            401,
            "x-api-key header is required",
        ),
        (&[version, ("x-api-key", "otra")], 401, "invalid x-api-key"),
        (
            &[version, ("authorization", "Bearer otra")],
            401,
            "Invalid bearer token",
        ),
        (
            &[version, ("authorization", "Basic secreta")],
            401,
            "x-api-key header is required",
        ),
        (
            &[("x-api-key", "secreta")],
            400,
            "anthropic-version: header is required",
        ),
        (
            &[("x-api-key", "secreta"), ("anthropic-version", "latest")],
            400,
            "not a valid version",
        ),
        (&[version, ("x-api-key", "secreta")], 200, ""),
        (&[version, ("authorization", "Bearer secreta")], 200, ""),
    ];
    for (headers, status, words) in table {
        let mut request = Request::post(MESSAGES).header("host", "mock");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(message().to_string())).unwrap();
        let reply = send(&mock, request).await;
        assert_eq!(reply.status, status, "{headers:?}");
        let error = reply.json()["error"]["message"].clone();
        assert!(
            error.as_str().unwrap_or_default().contains(words),
            "{headers:?}: {error}"
        );
    }
}

#[tokio::test]
async fn errors_have_the_real_shape() {
    let mock = MockServer::start(Config {
        max_body_bytes: 5_000,
        ..Config::default()
    })
    .await;
    let mock = mock.unwrap();
    let get = Request::get(MESSAGES)
        .header("host", "mock")
        .body(Full::default())
        .unwrap();
    let long = json!({"messages": "x".repeat(6_000)});
    let table = [
        (
            post("/v1/complete", &message(), &[]),
            404,
            "not_found_error",
        ),
        (get, 405, "invalid_request_error"),
        (
            post(MESSAGES, &json!({}), &[]),
            400,
            "invalid_request_error",
        ),
        (post(MESSAGES, &long, &[]), 413, "request_too_large"),
        (
            post(MESSAGES, &message(), &[("content-encoding", "zstd")]),
            400,
            "invalid_request_error",
        ),
        (
            post(MESSAGES, &message(), &[("x-mock-fault", "explode")]),
            400,
            "invalid_request_error",
        ),
        (
            post(MESSAGES, &message(), &[("x-mock-latency-ms", "soon")]),
            400,
            "invalid_request_error",
        ),
    ];
    for (request, status, kind) in table {
        let reply = send(&mock, request).await;
        assert_eq!((reply.status, reply.error_type().as_str()), (status, kind));
        let body = reply.json();
        assert_eq!(body["type"], "error");
        assert_eq!(body["request_id"], reply.header("request-id").unwrap());
        if status == 405 {
            assert_eq!(reply.header("allow"), Some("POST"));
        }
    }
    assert_eq!(mock.stats().requests_to("other"), 1);
}

#[tokio::test]
async fn the_prefix_cache_is_billed_over_http() {
    let clock = Clock::manual();
    let mock = MockServer::start(Config {
        clock: clock.clone(),
        ..Config::default()
    })
    .await;
    let mock = mock.unwrap();
    let mut body = message();
    body["system"] = json!([{
        "type": "text", "text": "x".repeat(8_000), "cache_control": {"type": "ephemeral"},
    }]);
    let mut figures = Vec::new();
    for advance in [0, 299, 300] {
        clock.advance(Duration::from_secs(advance));
        let usage = ask(&mock, &body).await.json()["usage"].clone();
        figures.push((
            usage["cache_creation_input_tokens"].as_u64().unwrap(),
            usage["cache_read_input_tokens"].as_u64().unwrap(),
        ));
    }
    assert_eq!(figures, [(2_000, 0), (0, 2_000), (2_000, 0)]);
    assert_eq!(mock.stats().cached_prefixes, 1);
    assert_eq!(mock.stats().usage.cache_read_input_tokens, 2_000);
}

#[tokio::test]
async fn a_sibling_that_comes_before_the_answer_begins_writes_too() {
    let mock = start().await;
    let mut body = message();
    body["system"] = json!([{
        "type": "text", "text": "x".repeat(8_000), "cache_control": {"type": "ephemeral"},
    }]);
    let slow = post(MESSAGES, &body, &[("x-mock-latency-ms", "600000")]);
    let addr = mock.addr();
    let first = tokio::spawn(async move { open(addr, slow).await });
    mock.wait_for(DEADLINE, |stats| stats.in_flight == 1)
        .await
        .unwrap();
    let usage = ask(&mock, &body).await.json()["usage"].clone();
    assert_eq!(usage["cache_creation_input_tokens"], 2_000);
    first.abort();
}

#[tokio::test]
async fn answers_are_scripted_in_turn() {
    let mock = start().await;
    assert!(mock.answer_with(Answer::once("uno").stopped_by("refusal")));
    assert!(mock.answer_with(Answer {
        times: Some(2),
        ..Answer::once("dos")
    }));
    let reply = control(
        &mock,
        "POST",
        "/mock/answers",
        json!({"answers": [{"text": "tres"}]}),
    )
    .await;
    assert_eq!((reply.status, reply.json()), (200, json!({"queued": 1})));
    let mut said = Vec::new();
    for _ in 0..5 {
        let body = ask(&mock, &message()).await.json();
        said.push((
            body["content"][0]["text"].clone(),
            body["stop_reason"].clone(),
        ));
    }
    let row = |text: &str, reason: &str| (json!(text), json!(reason));
    let end = "end_turn";
    assert_eq!(
        said,
        [
            row("uno", "refusal"),
            row("dos", end),
            row("dos", end),
            row("tres", end),
            row("tres", end)
        ]
    );
}

#[tokio::test]
async fn the_control_api_sets_reports_and_resets() {
    let mock = start().await;
    let fault = json!({"fault": "overloaded", "times": 1, "path": "/v1/messages"});
    let listed = control(&mock, "POST", "/mock/faults", fault.clone())
        .await
        .json();
    assert_eq!(listed["faults"][0]["fault"], "overloaded");
    assert_eq!(ask(&mock, &message()).await.status, 529);
    assert_eq!(ask(&mock, &message()).await.status, 200);
    let stats = control(&mock, "GET", "/mock/stats", Value::Null)
        .await
        .json();
    assert_eq!(
        stats["responses"],
        json!({"/v1/messages": {"200": 1, "529": 1}})
    );
    assert_eq!(stats["faults"], json!({"overloaded": 1}));
    assert_eq!(stats["recent_requests"].as_array().unwrap().len(), 2);
    assert_eq!(stats["recent_requests"][0]["body"], message());
    assert!(
        !stats.to_string().contains("x-api-key"),
        "keys are not kept"
    );

    control(&mock, "POST", "/mock/faults", fault).await;
    let cleared = control(&mock, "DELETE", "/mock/faults", Value::Null)
        .await
        .json();
    assert_eq!(cleared, json!({"faults": []}));
    let set = json!({"latency_ms": "lognormal:1,2", "tokens_per_second": 0, "answer_tokens": 5});
    let config = control(&mock, "POST", "/mock/config", set).await.json();
    assert_eq!(config["latency_ms"], "lognormal:1,2");
    assert_eq!(
        ask(&mock, &message()).await.json()["usage"]["output_tokens"],
        5
    );
    control(&mock, "POST", "/mock/reset", Value::Null).await;
    let stats = control(&mock, "GET", "/mock/stats", Value::Null)
        .await
        .json();
    assert_eq!(
        (&stats["requests"], &stats["recent_requests"]),
        (&json!({}), &json!([]))
    );
    assert_eq!(
        ask(&mock, &message()).await.json()["usage"]["output_tokens"],
        60
    );
}

#[tokio::test]
async fn the_control_api_refuses_what_is_wrong() {
    let mock = start().await;
    for (method, path, body, status) in [
        ("POST", "/mock/faults", json!({"fault": "explode"}), 400),
        (
            "POST",
            "/mock/faults",
            json!({"fault": "cut", "probability": 2}),
            400,
        ),
        (
            "POST",
            "/mock/faults",
            json!({"fault": "cut", "often": 2}),
            400,
        ),
        ("POST", "/mock/answers", json!({"txt": "x"}), 400),
        ("POST", "/mock/config", json!({"latency_ms": "soon"}), 400),
        (
            "POST",
            "/mock/config",
            json!({"tokens_per_second": -1}),
            400,
        ),
        ("POST", "/mock/stats", Value::Null, 405),
        ("PUT", "/mock/faults", Value::Null, 405),
        ("GET", "/mock/reset", Value::Null, 405),
        ("GET", "/mock/nothing", Value::Null, 404),
    ] {
        let reply = control(&mock, method, path, body).await;
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.json()["type"], "error", "{method} {path}");
        assert_eq!(
            reply.header("allow").is_some(),
            status == 405,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn requests_and_recorded_bodies_are_kept_within_bounds() {
    let mock = MockServer::start(Config {
        kept_requests: 2,
        ..Config::default()
    })
    .await
    .unwrap();
    for n in 0..3 {
        let mut body = message();
        body["metadata"] = json!({"user_id": format!("{n}"), "long": "x".repeat(100_000)});
        send(&mock, post(MESSAGES, &body, &[("user-agent", "prueba")])).await;
    }
    let kept = mock.requests();
    assert_eq!(kept.len(), 2);
    for request in &kept {
        assert_eq!(request.path, MESSAGES);
        assert_eq!(request.body.len(), 64 * 1024);
        assert_eq!(request.headers["user-agent"], "prueba");
        assert!(!request.headers.contains_key("x-api-key"));
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_counted() {
    let mock = start().await;
    // Before the headers: the model is thinking.
    let addr = mock.addr();
    let thinking = post(MESSAGES, &message(), &[("x-mock-latency-ms", "600000")]);
    let waiting = tokio::spawn(async move {
        let (response, _task) = open(addr, thinking).await;
        response.is_ok()
    });
    mock.wait_for(DEADLINE, |stats| stats.in_flight == 1)
        .await
        .unwrap();
    waiting.abort();
    // The connection's own task outlives the aborted one until its sender is dropped.
    let stats = mock
        .wait_for(DEADLINE, |stats| stats.cancelled_by_client == 1)
        .await
        .unwrap();
    assert_eq!(stats.in_flight, 0);

    // In the middle of a stream.
    let slow = post(MESSAGES, &streamed(), &[("x-mock-tokens-per-second", "1")]);
    let (response, task) = open(mock.addr(), slow).await;
    let mut body = response.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"event: message_start"));
    assert_eq!(mock.stats().open_streams, 1);
    drop(body);
    task.abort();
    let stats = mock
        .wait_for(DEADLINE, |stats| stats.cancelled_by_client == 2)
        .await
        .unwrap();
    assert_eq!((stats.in_flight, stats.open_streams), (0, 0));
}

#[tokio::test]
async fn an_answer_takes_at_least_the_time_it_was_told() {
    let mock = start().await;
    // Only the lower bound is asserted: real time, a loaded machine. The exact schedule is
    // tested on a paused clock, beside the body and the events.
    mock.set_pace(Pace::new(Delay::Fixed(Duration::from_millis(20)), 3_000.0));
    for body in [message(), streamed()] {
        let begun = tokio::time::Instant::now();
        assert_eq!(ask(&mock, &body).await.status, 200);
        assert!(
            begun.elapsed() >= Duration::from_millis(40),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test]
async fn a_shutdown_lets_an_answer_finish() {
    let mock = start().await;
    let addr = mock.addr();
    let slow = post(MESSAGES, &streamed(), &[("x-mock-latency-ms", "100")]);
    let asked = tokio::spawn(async move {
        let (response, _task) = open(addr, slow).await;
        response
            .unwrap()
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
    });
    mock.wait_for(DEADLINE, |stats| stats.in_flight == 1)
        .await
        .unwrap();
    mock.shutdown().await;
    let body: Bytes = asked.await.unwrap();
    assert!(std::str::from_utf8(&body).unwrap().contains("message_stop"));
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_dropped_mock_stops() {
    let mock = start().await;
    let slow = post(MESSAGES, &streamed(), &[("x-mock-tokens-per-second", "1")]);
    let (response, _task) = open(mock.addr(), slow).await;
    let body = response.unwrap().into_body();
    drop(mock);
    let (text, broken) = support::read_until_broken(body).await;
    assert!(broken && !text.contains("message_stop"));
}

#[tokio::test]
async fn too_many_faults_are_refused_at_the_start() {
    let rule: FaultRule = "cut".parse().unwrap();
    let config = Config {
        faults: vec![rule; 101],
        ..Config::default()
    };
    let error = MockServer::start(config).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
