//! The client against a real socket: what it sends, what it makes of what comes back, and
//! every limit of time and size.

use std::sync::Arc;

use crate::support::{
    Act, KEY, LONG, SHORT, Seen, Server, ask, assert_shows_no_secret, client, config, error_from,
    http, kind_from, message, patient,
};
use llm_client::{Anthropic, Error, ErrorKind, Fault, LanguageModel, Request, Stage, Timeouts};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

fn timeout(stage: Stage) -> ErrorKind {
    ErrorKind::Timeout { stage }
}

fn timeouts(connect: std::time::Duration, first_byte: std::time::Duration) -> Timeouts {
    Timeouts::try_new(connect, first_byte, LONG).unwrap()
}

/// Makes a call that is told apart by its text, and asserts that the server saw none before.
async fn ask_directly(server: &mut Server) {
    let request = Request::builder(1)
        .user("pregunta-directa")
        .build()
        .unwrap();
    let model = client(&server.url(), patient());
    assert_eq!(model.complete(&request).await.unwrap().text, "directo");
    let Seen::Request(seen) = server.next().await else {
        unreachable!("the first thing is a request")
    };
    assert!(seen.contains("pregunta-directa"), "{seen}");
}

fn unfinished(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{body}").into_bytes()
}

#[tokio::test]
async fn a_call_sends_what_the_api_wants_and_reads_the_answer() {
    let answer = http(200, &["request-id: req_7"], &message("todo bien"));
    let mut server = Server::start(vec![Act::Serve(answer)]).await;
    let model = client(&server.url(), patient());
    let completion = model.complete(&ask()).await.unwrap();
    assert_eq!(completion.text, "todo bien");
    assert_eq!(completion.request_id.as_deref(), Some("req_7"));
    assert_eq!(completion.usage.total(), 15);

    let Seen::Request(request) = server.next().await else {
        unreachable!("the first thing is a request")
    };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{head}");
    for line in [
        "x-api-key: sk-ant-very-secret",
        "anthropic-version: 2023-06-01",
        "content-type: application/json",
        concat!("user-agent: llm-client/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["model"], "claude-sonnet-4-5");
    assert_eq!(body["messages"][0]["content"], "¿está bien la factura?");
}

#[tokio::test]
async fn connections_are_reused() {
    // The server accepts only once.
    let server = Server::start(vec![Act::Serve(http(200, &[], &message("ok")))]).await;
    let model = client(&server.url(), patient());
    for _ in 0..3 {
        assert_eq!(model.complete(&ask()).await.unwrap().text, "ok");
    }
}

#[tokio::test]
async fn a_failed_status_is_classified_with_its_headers() {
    let body = json!({"type": "error", "error": {
        "type": "rate_limit_error", "message": "TEXTO-DEL-PROVEEDOR"
    }});
    let headers = ["request-id: req_9", "retry-after: 7"];
    let act = Act::Reply(http(429, &headers, &body.to_string()));
    let error = error_from(act, patient()).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after().unwrap().as_secs(), 7);
    assert_eq!(error.request_id(), Some("req_9"));
    assert_eq!(error.upstream_message(), Some("TEXTO-DEL-PROVEEDOR"));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_failure_whose_body_never_ends_is_known_by_its_status() {
    for status in ["529 Overloaded", "401 Unauthorized"] {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 50\r\n\r\n");
        let cut = kind_from(Act::Reply(head.clone().into_bytes())).await;
        let mut endless = head.replace("50", "900000").into_bytes();
        endless.extend(vec![b' '; 200_000]);
        let long = kind_from(Act::Reply(endless)).await;
        let expected = match status {
            "529 Overloaded" => ErrorKind::Overloaded,
            _ => ErrorKind::Authentication,
        };
        assert_eq!((cut, long), (expected, expected));
    }
}

#[tokio::test]
async fn a_failure_whose_body_hangs_is_known_by_its_status_within_the_deadline() {
    let head = b"HTTP/1.1 529 X\r\ncontent-length: 50\r\n\r\n".to_vec();
    let server = Server::start(vec![Act::Hold(head)]).await;
    // Longer than any pause of a busy machine, as here the limit isn't what is tested.
    let second = std::time::Duration::from_secs(1);
    let short = Timeouts::try_new(second, second, second).unwrap();
    let error = client(&server.url(), short)
        .complete(&ask())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let serve = Act::Serve(http(200, &[], &message("directo")));
    let mut elsewhere = Server::start(vec![serve]).await;
    let location = format!("location: {}/v1/messages", elsewhere.url());
    let kind = kind_from(Act::Reply(http(307, &[&location], ""))).await;
    assert_eq!(kind, ErrorKind::InvalidResponse);
    // The first thing that the other server sees is a call of its own.
    ask_directly(&mut elsewhere).await;
}

#[tokio::test]
async fn answers_that_break_the_protocol_are_told_apart() {
    let invalid = ErrorKind::InvalidResponse;
    for (answer, kind) in [
        (http(200, &[], "{\"content\": [{\"type\""), invalid),
        (http(200, &[], "<html>"), invalid),
        (http(200, &[], ""), invalid),
        (b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), invalid),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
            invalid,
        ),
        (unfinished(r#"{"type":"#), ErrorKind::Connection),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc".to_vec(),
            ErrorKind::Connection,
        ),
        (b"HTTP/1.1 200 OK\r\nrequ".to_vec(), ErrorKind::Connection),
        (Vec::new(), ErrorKind::Connection),
    ] {
        let shown = String::from_utf8_lossy(&answer).into_owned();
        let error = error_from(Act::Reply(answer), patient()).await;
        assert_eq!(error.kind(), kind, "{shown}: {error:?}");
        assert_eq!(error.is_retryable(), kind == ErrorKind::Connection);
    }
}

#[tokio::test]
async fn a_connection_closed_at_once_is_retryable() {
    let error = error_from(Act::Close, patient()).await;
    assert_eq!(error.fault(), Fault::Network);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn an_answer_over_the_size_limit_is_refused_with_or_without_a_length() {
    let text = "x".repeat(2000);
    let body = message(&text);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for answer in [http(200, &[], &body), chunked.into_bytes()] {
        for (limit, fits) in [(1000, false), (body.len(), true), (body.len() - 1, false)] {
            let server = Server::start(vec![Act::Reply(answer.clone())]).await;
            let mut config = config(&server.url(), patient());
            config.max_response_bytes = limit;
            let result = Anthropic::try_new(config).unwrap().complete(&ask()).await;
            match result {
                Ok(completion) => assert!(fits && completion.text == text),
                Err(error) => {
                    assert!(!fits);
                    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
                    assert!(!error.is_retryable());
                }
            }
        }
    }
}

#[tokio::test]
async fn nobody_listening_is_a_failure_to_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url, patient()).complete(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.fault(), Fault::Network);
    assert!(error.is_retryable());
    assert_shows_no_secret(&error);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_a_failure_to_connect() {
    let server = Server::start(vec![Act::Close]).await;
    let url = server.url().replace("http:", "https:");
    let error = client(&url, patient()).complete(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn a_hang_in_the_tls_handshake_runs_into_the_connect_limit() {
    let mut server = Server::start(vec![Act::Hold(Vec::new())]).await;
    let url = server.url().replace("http:", "https:");
    let model = client(&url, timeouts(SHORT, LONG));
    let error = model.complete(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), timeout(Stage::Connect));
    assert_eq!(error.fault(), Fault::Network);
    // The half-open connection isn't left behind.
    server.next().await;
    assert_eq!(server.next().await, Seen::ClientLeft);
}

#[tokio::test]
async fn a_hang_before_the_headers_runs_into_the_first_byte_limit() {
    let error = error_from(Act::Hold(Vec::new()), timeouts(LONG, SHORT)).await;
    assert_eq!(error.kind(), timeout(Stage::FirstByte));
    assert_eq!(error.fault(), Fault::Provider);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_hang_within_the_body_runs_into_the_limit_of_the_whole_call() {
    let short = Timeouts::try_new(SHORT, SHORT, SHORT).unwrap();
    let error = error_from(Act::Hold(unfinished("{")), short).await;
    assert_eq!(error.kind(), timeout(Stage::Total));
}

#[tokio::test]
async fn a_deadline_before_the_limits_ends_the_call_and_invites_no_retry() {
    for act in [Act::Hold(Vec::new()), Act::Hold(unfinished("{"))] {
        let server = Server::start(vec![act]).await;
        let request = Request::builder(1)
            .user("hola")
            .deadline(Instant::now() + SHORT)
            .build()
            .unwrap();
        let result = client(&server.url(), patient()).complete(&request).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), timeout(Stage::Deadline));
        assert_eq!(error.fault(), Fault::Caller);
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn a_deadline_that_is_past_sends_nothing() {
    let serve = Act::Serve(http(200, &[], &message("directo")));
    let mut server = Server::start(vec![serve]).await;
    let request = Request::builder(1)
        .user("tarde")
        .deadline(Instant::now())
        .build()
        .unwrap();
    let result = client(&server.url(), patient()).complete(&request).await;
    assert_eq!(result.unwrap_err().kind(), timeout(Stage::Deadline));
    ask_directly(&mut server).await;
}

#[tokio::test]
async fn dropping_the_call_closes_the_exchange_upstream() {
    let mut server = Server::start(vec![Act::Hold(Vec::new())]).await;
    let model = Arc::new(client(&server.url(), patient()));
    let task = tokio::spawn({
        let model = Arc::clone(&model);
        async move { model.complete(&ask()).await }
    });
    assert!(matches!(server.next().await, Seen::Request(_)));
    task.abort();
    assert_eq!(server.next().await, Seen::ClientLeft);
    assert!(task.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_client_recovers_when_its_server_does() {
    let server = Server::start(vec![
        Act::Close,
        Act::Reply(http(500, &["connection: close"], "")),
        Act::Serve(http(200, &[], &message("de vuelta"))),
    ])
    .await;
    let model = client(&server.url(), patient());
    let mut kinds = Vec::new();
    loop {
        match model
            .complete(&ask())
            .await
            .map_err(|error: Error| error.kind())
        {
            Ok(completion) => break assert_eq!(completion.text, "de vuelta"),
            Err(kind) => kinds.push(kind),
        }
        assert!(kinds.len() < 5, "{kinds:?}");
    }
    assert_eq!(kinds, [ErrorKind::Connection, ErrorKind::Upstream]);
}

#[test]
fn a_client_shows_neither_its_key_nor_its_prompts() {
    let config = config("http://127.0.0.1:9", patient());
    assert!(!format!("{config:?}").contains(KEY));
    let model = Anthropic::try_new(config).unwrap();
    assert!(!format!("{model:?} {model:#?}").contains(KEY));
    assert_eq!(model.model(), "claude-sonnet-4-5");
    assert!(model.capabilities().known);
}
