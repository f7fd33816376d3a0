//! Every fault over HTTP, as a client sees it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{error::Error as _, io, time::Duration};

use mock_anthropic::{Config, FAULT_NAMES, Fault, MockServer};
use serde_json::Value;
use support::{
    DEADLINE, MESSAGES, ask, event_names, message, open, post, read_until_broken, send, streamed,
    try_send,
};

/// Hangs end soon here, so that what comes after them can be seen without a client's time-out.
async fn start() -> MockServer {
    let config = Config {
        hang_limit: Duration::from_millis(200),
        ..Config::default()
    };
    MockServer::start(config).await.unwrap()
}

fn with(fault: &str, body: &Value) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    post(MESSAGES, body, &[("x-mock-fault", fault)])
}

/// A hang that lasts: what a client with a deadline of its own meets.
async fn start_hanging() -> MockServer {
    MockServer::start(Config::default()).await.unwrap()
}

#[tokio::test]
async fn refusals_come_whole_and_streamed_alike() {
    let mock = start().await;
    for (fault, status, kind, header) in [
        ("rate_limit", 429, "rate_limit_error", None),
        (
            "rate_limit=30",
            429,
            "rate_limit_error",
            Some(("retry-after", "30")),
        ),
        (
            "rate_limit=250ms",
            429,
            "rate_limit_error",
            Some(("retry-after-ms", "250")),
        ),
        ("spend_limit", 429, "rate_limit_error", None),
        ("overloaded", 529, "overloaded_error", None),
        ("server_error", 500, "api_error", None),
        ("status=400", 400, "invalid_request_error", None),
        (
            "should_retry=401,true",
            401,
            "authentication_error",
            Some(("x-should-retry", "true")),
        ),
        ("status=402", 402, "billing_error", None),
        ("status=504", 504, "timeout_error", None),
    ] {
        for body in [message(), streamed()] {
            let reply = send(&mock, with(fault, &body)).await;
            assert_eq!(
                (reply.status, reply.error_type().as_str()),
                (status, kind),
                "{fault}"
            );
            match header {
                Some((name, value)) => assert_eq!(reply.header(name), Some(value), "{fault}"),
                None => assert_eq!(reply.header("retry-after"), None, "{fault}"),
            }
            let code = &reply.json()["error"]["details"]["error_code"];
            let spent = fault == "spend_limit";
            assert_eq!(
                code.as_str(),
                spent.then_some("enforced_spend_limit_reached"),
                "{fault}"
            );
        }
    }
}

/// Whether an error is the connection's reset.
fn is_reset(error: &hyper::Error) -> bool {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ConnectionReset)
}

#[tokio::test]
async fn a_cut_resets_the_connection() {
    let mock = start().await;
    for fault in ["cut", "hang"] {
        let error = try_send(&mock, with(fault, &message())).await.unwrap_err();
        assert!(
            is_reset(&error) || error.is_incomplete_message(),
            "{fault}: {error:?}"
        );
    }
    assert_eq!(mock.stats().responses_of(MESSAGES, 200), 0);
    let stats = mock
        .wait_for(DEADLINE, |stats| stats.in_flight == 0)
        .await
        .unwrap();
    assert_eq!(
        stats.cancelled_by_client, 0,
        "the mock left, not the client"
    );
}

#[tokio::test]
async fn a_body_is_cut_in_half() {
    let mock = start().await;
    for fault in ["cut_body", "cut_stream", "hang_stream"] {
        let (response, _task) = open(mock.addr(), with(fault, &message())).await;
        let response = response.unwrap();
        let length: usize = response.headers()["content-length"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        let (text, broken) = read_until_broken(response.into_body()).await;
        assert!(broken, "{fault}");
        assert_eq!(text.len(), length / 2, "{fault}");
    }
}

#[tokio::test]
async fn a_stream_is_cut_after_so_many_events() {
    let mock = start().await;
    let first = [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
    ];
    for fault in ["cut_stream=4", "hang_stream=4"] {
        let (response, _task) = open(mock.addr(), with(fault, &streamed())).await;
        let (text, broken) = read_until_broken(response.unwrap().into_body()).await;
        assert!(broken, "{fault}");
        assert_eq!(event_names(&text), first, "{fault}");
    }
    let (response, _task) = open(mock.addr(), with("cut_body", &streamed())).await;
    let (text, broken) = read_until_broken(response.unwrap().into_body()).await;
    assert!(broken && !text.contains("message_stop"));
}

#[tokio::test]
async fn a_client_gives_up_on_a_hang() {
    let mock = start_hanging().await;
    for (n, (fault, body)) in [
        ("hang", message()),
        ("hang_stream", message()),
        ("hang_stream", streamed()),
    ]
    .into_iter()
    .enumerate()
    {
        let (addr, request) = (mock.addr(), with(fault, &body));
        let client = tokio::spawn(async move {
            let (response, _task) = open(addr, request).await;
            read_until_broken(response.unwrap().into_body()).await
        });
        let struck = n as u64 + 1;
        let hung = |stats: &mock_anthropic::Stats| {
            stats.faults.values().sum::<u64>() == struck && stats.in_flight == 1
        };
        mock.wait_for(DEADLINE, hung).await.unwrap();
        client.abort();
        let left = |stats: &mock_anthropic::Stats| stats.cancelled_by_client == struck;
        let stats = mock.wait_for(DEADLINE, left).await.unwrap();
        assert_eq!((stats.in_flight, stats.open_streams), (0, 0), "{fault}");
    }
}

#[tokio::test]
async fn what_is_no_json_comes_with_a_200() {
    let mock = start().await;
    let reply = send(&mock, with("malformed_json", &message())).await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
    let reply = send(&mock, with("malformed_json", &streamed())).await;
    let stream = std::str::from_utf8(&reply.body).unwrap();
    let broken = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| serde_json::from_str::<Value>(data).is_err());
    assert_eq!(broken.count(), 1);
}

#[tokio::test]
async fn an_error_event_ends_a_stream() {
    let mock = start().await;
    for (fault, kind) in [
        ("error_event", "overloaded_error"),
        ("error_event=api_error", "api_error"),
    ] {
        let reply = send(&mock, with(fault, &streamed())).await;
        assert_eq!(reply.status, 200);
        let stream = std::str::from_utf8(&reply.body).unwrap();
        let names = event_names(stream);
        assert_eq!(
            (names[0], names[names.len() - 1]),
            ("message_start", "error")
        );
        let data = stream
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: "))
            .unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["error"]["type"], kind);
    }
    let reply = send(&mock, with("error_event", &message())).await;
    assert_eq!(
        (reply.status, reply.error_type().as_str()),
        (529, "overloaded_error")
    );
}

#[tokio::test]
async fn a_trickle_is_slow_and_complete() {
    let mock = start().await;
    for body in [message(), streamed()] {
        let begun = tokio::time::Instant::now();
        let slow = send(&mock, with("trickle=1", &body)).await;
        let pieces = slow.body.len().div_ceil(16) as u64;
        // The hang limit caps it.
        let least = Duration::from_millis((pieces - 1).min(200));
        assert!(
            begun.elapsed() >= least,
            "{:?} for {pieces} pieces",
            begun.elapsed()
        );
        assert_eq!(slow.status, 200);
        assert!(slow.body.ends_with(if slow.body.starts_with(b"{") {
            b"}"
        } else {
            b"\n"
        }));
    }
}

#[tokio::test]
async fn odd_streams_are_whole_and_odd() {
    let mock = start().await;
    let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
    let plain = text(&send(&mock, post(MESSAGES, &streamed(), &[])).await.body);
    let bytes = text(&send(&mock, with("bytes", &streamed())).await.body);
    assert_eq!(bytes.len(), plain.len());
    let pings = text(&send(&mock, with("pings=50", &streamed())).await.body);
    let count = |text: &str| text.matches("event: ping").count();
    assert_eq!(count(&pings), count(&plain) + 50);
    let big = text(&send(&mock, with("big_event=5000", &streamed())).await.body);
    assert!(big.lines().any(|line| line.len() > 5000));
    assert!(big.contains("event: message_stop"));
    assert!(plain.contains("usage"));
    for body in [message(), streamed()] {
        let silent = text(&send(&mock, with("no_usage", &body)).await.body);
        assert!(
            !silent.contains("usage") && silent.contains("end_turn"),
            "{silent}"
        );
    }
}

#[tokio::test]
async fn faults_are_counted_and_used_up() {
    let mock = start().await;
    assert!(mock.inject(Fault::Overloaded, 2));
    assert!(mock.inject_rule("server_error;times=1;path=/v1/messages".parse().unwrap()));
    // A wrong request uses no fault up.
    assert_eq!(
        send(&mock, post(MESSAGES, &Value::Null, &[])).await.status,
        400
    );
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&mock, &message()).await.status);
    }
    assert_eq!(statuses, [529, 529, 500, 200]);
    let stats = mock.stats();
    assert_eq!(
        (stats.faults["overloaded"], stats.faults["server_error"]),
        (2, 1)
    );
    assert_eq!(stats.requests_to(MESSAGES), 5);
    mock.inject(Fault::Overloaded, 9);
    mock.clear_faults();
    assert_eq!(ask(&mock, &message()).await.status, 200);
}

#[tokio::test]
async fn count_tokens_has_faults_too() {
    let mock = start().await;
    let path = "/v1/messages/count_tokens";
    let reply = send(
        &mock,
        post(path, &message(), &[("x-mock-fault", "overloaded")]),
    )
    .await;
    assert_eq!(reply.status, 529);
    let reply = send(
        &mock,
        post(path, &message(), &[("x-mock-fault", "malformed_json")]),
    )
    .await;
    assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
}

#[test]
fn every_fault_is_documented() {
    let page = include_str!("../../../docs/mock-anthropic.md");
    for name in FAULT_NAMES {
        assert!(
            page.contains(&format!("`{name}")),
            "{name} is missing in docs/mock-anthropic.md"
        );
    }
}
