//! Streams: against the stand-in with its faults, and against a socket that plays bytes.

use std::time::Duration;

use futures_util::StreamExt;
use llm_client::{
    Anthropic, AnthropicConfig, Completion, CompletionStream, Error, ErrorKind, LanguageModel,
    Request, Stage, StopReason, StreamEvent, Timeouts,
};
use mock_anthropic::{Answer, Config, Fault, MockServer};
use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::support::{Act, LONG, SHORT, Seen, Server, ask, client, config, patient};

async fn mock_with(fault: Option<Fault>) -> MockServer {
    let mock = MockServer::start(Config::default()).await.unwrap();
    if let Some(fault) = fault {
        assert!(mock.inject(fault, 1));
    }
    mock
}

fn model(mock: &MockServer, model: &str, timeouts: Timeouts) -> Anthropic {
    let mut config = AnthropicConfig::new(SecretString::from("sk-ant-test"), model);
    config.base_url = mock.base_url();
    config.timeouts = timeouts;
    Anthropic::try_new(config).unwrap()
}

fn sonnet(mock: &MockServer) -> Anthropic {
    model(mock, "claude-sonnet-4-5", patient())
}

fn json_request() -> Request {
    let schema = json!({
        "type": "object", "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"], "additionalProperties": false
    });
    Request::builder(100)
        .user("¿cuadra?")
        .json("verdict", schema)
        .build()
        .unwrap()
}

/// What a stream yields: its pieces, and how it ends.
async fn drain(mut stream: CompletionStream) -> (Vec<String>, Result<Completion, Error>) {
    let mut pieces = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(StreamEvent::Text(text)) => pieces.push(text),
            Ok(StreamEvent::Finished(completion)) => return (pieces, Ok(completion)),
            Ok(_) => {}
            Err(error) => return (pieces, Err(error)),
        }
    }
    unreachable!("a stream ends with an answer or an error")
}

async fn drained(model: &Anthropic, request: &Request) -> (Vec<String>, Result<Completion, Error>) {
    match model.stream(request).await {
        Ok(stream) => drain(stream).await,
        Err(error) => (Vec::new(), Err(error)),
    }
}

#[tokio::test]
async fn a_stream_says_the_same_as_the_whole_answer() {
    let mock = mock_with(None).await;
    for name in ["claude-sonnet-4-5", "claude-opus-4-1"] {
        let model = model(&mock, name, patient());
        for request in [ask(), json_request()] {
            let whole = model.complete(&request).await.unwrap();
            let (pieces, end) = drained(&model, &request).await;
            let end = end.unwrap();
            assert_eq!(end.text, whole.text, "{name}");
            assert_eq!(pieces.concat(), whole.text);
            assert!(!pieces.is_empty());
            assert_eq!(end.usage, whole.usage);
            assert_eq!(end.stop_reason, whole.stop_reason);
            assert_eq!(end.model, whole.model);
            assert!(end.request_id.is_some());
            assert!(end.rate_limits.unwrap().requests.is_some());
        }
    }
}

#[tokio::test]
async fn odd_deliveries_change_nothing() {
    for fault in [
        Fault::Bytes,
        Fault::Pings(10_000),
        Fault::Trickle(Duration::from_millis(1)),
    ] {
        let name = fault.name();
        let mock = mock_with(Some(fault)).await;
        mock.answer_with(Answer::always("ñandú \u{1f980} €, todo cuadra"));
        let (_, end) = drained(&sonnet(&mock), &ask()).await;
        assert_eq!(
            end.unwrap().text,
            "ñandú \u{1f980} €, todo cuadra",
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_event_of_ten_megabytes_is_refused_or_taken_as_configured() {
    for (limit, taken) in [(4 << 20, false), (16 << 20, true)] {
        let mock = mock_with(Some(Fault::BigEvent(10_000_000))).await;
        let mut config = AnthropicConfig::new(SecretString::from("k"), "claude-sonnet-4-5");
        config.base_url = mock.base_url();
        config.max_response_bytes = limit;
        let (_, end) = drained(&Anthropic::try_new(config).unwrap(), &ask()).await;
        match end {
            Ok(completion) => assert!(taken && completion.text.len() > 10_000_000),
            Err(error) => {
                assert!(!taken);
                assert_eq!(error.kind(), ErrorKind::InvalidResponse);
                assert!(
                    error.usage().unwrap().total() > 0,
                    "what was said is billed"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_answer_without_usage_is_estimated() {
    let mock = mock_with(Some(Fault::NoUsage)).await;
    mock.answer_with(Answer::always("x".repeat(40)));
    let (_, end) = drained(&sonnet(&mock), &ask()).await;
    let usage = end.unwrap().usage;
    assert!(usage.estimated);
    assert_eq!(usage.output_tokens, 20);
}

#[tokio::test]
async fn trailing_prose_and_a_broken_schema_are_invalid_output_with_their_cost() {
    #[derive(Debug, serde::Deserialize)]
    struct Verdict {
        #[expect(dead_code, reason = "only read by serde")]
        ok: bool,
    }
    let mock = mock_with(None).await;
    let model = sonnet(&mock);
    mock.answer_with(Answer::once(r#"{"ok": true} Quedo atento."#));
    let (_, end) = drained(&model, &json_request()).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOutput);
    assert!(error.usage().unwrap().output_tokens > 0);
    mock.answer_with(Answer::once(r#"{"ok": "quizás"}"#));
    let (_, end) = drained(&model, &json_request()).await;
    let error = end.unwrap().decode_json::<Verdict>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOutput);
    assert!(error.usage().unwrap().output_tokens > 0);
}

#[tokio::test]
async fn what_fails_before_the_first_event_fails_the_call() {
    let status = |code| Fault::Status(http::StatusCode::from_u16(code).unwrap());
    for (fault, kind) in [
        (Fault::RateLimit(None), ErrorKind::RateLimited),
        (Fault::SpendLimit(None), ErrorKind::SpendLimit),
        (status(401), ErrorKind::Authentication),
        (status(500), ErrorKind::Upstream),
        (Fault::Cut, ErrorKind::Connection),
        (Fault::CutStream(Some(0)), ErrorKind::Connection),
    ] {
        let name = fault.name();
        let mock = mock_with(Some(fault)).await;
        let error = sonnet(&mock).stream(&ask()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}");
        assert_eq!(error.usage(), None, "{name}: nothing was said");
    }
}

#[tokio::test]
async fn what_breaks_later_is_the_last_item_and_tells_what_it_cost() {
    for (fault, kind) in [
        (Fault::CutStream(None), ErrorKind::Interrupted),
        (Fault::CutBody, ErrorKind::Interrupted),
        (Fault::ErrorEvent(None), ErrorKind::Overloaded),
        (
            Fault::ErrorEvent(Some("api_error".to_owned())),
            ErrorKind::Upstream,
        ),
        (Fault::MalformedJson, ErrorKind::InvalidResponse),
    ] {
        let name = fault.name();
        let mock = mock_with(Some(fault)).await;
        let model = sonnet(&mock);
        let (pieces, end) = drained(&model, &ask()).await;
        let error = end.unwrap_err();
        assert!(!pieces.is_empty(), "{name}");
        assert_eq!(error.kind(), kind, "{name}: {error:?}");
        let usage = error.usage().unwrap();
        assert!(
            usage.estimated && usage.output_tokens > 1,
            "{name}: {usage:?}"
        );
        assert!(error.request_id().is_some(), "{name}");
        assert!(
            drained(&model, &ask()).await.1.is_ok(),
            "the next call is well"
        );
    }
}

#[tokio::test]
async fn each_wait_of_a_stream_has_a_limit_of_its_own() {
    let limits = |first_byte, idle, total| {
        let limits = Timeouts::try_new(LONG.min(total), first_byte, total).unwrap();
        limits.with_idle(idle).unwrap()
    };
    for (fault, timeouts, stage) in [
        (Fault::Hang, limits(SHORT, LONG, LONG), Stage::FirstByte),
        (
            Fault::HangStream(Some(0)),
            limits(SHORT, LONG, LONG),
            Stage::FirstByte,
        ),
        (
            Fault::HangStream(None),
            limits(LONG, SHORT, LONG),
            Stage::Idle,
        ),
        (
            Fault::HangStream(None),
            limits(SHORT * 3, LONG, SHORT * 3),
            Stage::Total,
        ),
    ] {
        let mock = mock_with(Some(fault)).await;
        let model = model(&mock, "claude-sonnet-4-5", timeouts);
        let (_, end) = drained(&model, &ask()).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Timeout { stage });
        let left = mock.wait_for(LONG, |stats| stats.cancelled_by_client == 1);
        assert!(left.await.is_ok(), "the provider sees the client leave");
    }
}

#[tokio::test]
async fn a_requests_own_limit_goes_over_the_clients_both_ways() {
    let asked = |limit| {
        let request = Request::builder(50).user("hola").attempt_limit(limit);
        request.build().unwrap()
    };
    let timeouts = |total| {
        let limits = Timeouts::try_new(total, total, total).unwrap();
        limits.with_idle(LONG).unwrap()
    };
    for (own, clients, stage) in [(SHORT * 3, LONG, Stage::Total), (LONG, SHORT, Stage::Idle)] {
        let mock = mock_with(Some(Fault::HangStream(None))).await;
        let timeouts = timeouts(clients).with_idle(SHORT * 6).unwrap();
        let model = model(&mock, "claude-sonnet-4-5", timeouts);
        let (_, end) = drained(&model, &asked(own)).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Timeout { stage });
    }
}

#[tokio::test]
async fn a_deadline_ends_a_stream_wherever_it_is() {
    let mock = mock_with(Some(Fault::HangStream(None))).await;
    let request = Request::builder(50)
        .user("hola")
        .deadline(Instant::now() + SHORT * 3)
        .build()
        .unwrap();
    let (_, end) = drained(&sonnet(&mock), &request).await;
    let stage = Stage::Deadline;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Timeout { stage });
}

#[tokio::test]
async fn dropping_a_stream_cancels_upstream_within_100_ms() {
    let mut fastest = LONG;
    // Each is noticed; that it is noticed soon, a busy machine may hide now and then.
    for _ in 0..5 {
        let mock = mock_with(Some(Fault::HangStream(None))).await;
        let mut stream = sonnet(&mock).stream(&ask()).await.unwrap();
        while !matches!(stream.next().await, Some(Ok(StreamEvent::Text(_)))) {}
        let (usage, exact) = stream.usage_so_far();
        assert!(usage.prompt_tokens() > 0 && usage.output_tokens > 0 && !exact);
        let dropped = Instant::now();
        drop(stream);
        let left = mock.wait_for(LONG, |stats| stats.cancelled_by_client == 1);
        assert!(left.await.is_ok());
        fastest = fastest.min(dropped.elapsed());
    }
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
}

#[tokio::test]
async fn a_stream_that_was_read_to_its_end_gives_its_connection_back() {
    let body = format!("{}{}", start_event(), end_events());
    let server = Server::start(vec![Act::Serve(chunked(&[&body]))]).await;
    let model = client(&server.url(), patient());
    for _ in 0..3 {
        // The server accepts only once.
        assert_eq!(drained(&model, &ask()).await.1.unwrap().text, "");
    }
}

pub fn start_event() -> String {
    concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":",
        "{\"model\":\"m\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,",
        "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
    )
    .to_owned()
}

fn end_events() -> &'static str {
    concat!(
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":",
        "{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
    )
}

pub fn text_event(text: &str) -> String {
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
         \"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
    )
}

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

fn chunked(pieces: &[&str]) -> Vec<u8> {
    let mut answer = HEAD.as_bytes().to_vec();
    for piece in pieces {
        answer.extend(chunk(piece.as_bytes()));
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

#[tokio::test]
async fn half_a_character_at_a_chunks_border_is_whole_again() {
    let body = format!(
        "{}{}{}",
        start_event(),
        text_event("año \u{1f980}"),
        end_events()
    );
    let bytes = body.as_bytes();
    for cut in 1..bytes.len() {
        if body.is_char_boundary(cut) {
            continue;
        }
        let mut answer = HEAD.as_bytes().to_vec();
        answer.extend(chunk(&bytes[..cut]));
        answer.extend(chunk(&bytes[cut..]));
        answer.extend_from_slice(b"0\r\n\r\n");
        let server = Server::start(vec![Act::Reply(answer)]).await;
        let (_, end) = drained(&client(&server.url(), patient()), &ask()).await;
        assert_eq!(end.unwrap().text, "año \u{1f980}");
    }
}

#[tokio::test]
async fn a_gateway_that_answers_whole_is_a_stream_of_one_piece() {
    let body = crate::support::message("entero");
    let answer = crate::support::http(200, &["content-type: application/json"], &body);
    let server = Server::start(vec![Act::Reply(answer)]).await;
    let (pieces, end) = drained(&client(&server.url(), patient()), &ask()).await;
    assert_eq!(pieces, ["entero"]);
    assert_eq!(end.unwrap().stop_reason, StopReason::EndTurn);
}

#[tokio::test]
async fn a_comment_keeps_a_stream_alive_but_does_not_begin_it() {
    let only_comments = chunk(b": processing\n\n");
    let answer = [HEAD.as_bytes(), &only_comments].concat();
    let server = Server::start(vec![Act::Hold(answer)]).await;
    let timeouts = Timeouts::try_new(LONG, SHORT, LONG).unwrap();
    let error = client(&server.url(), timeouts)
        .stream(&ask())
        .await
        .unwrap_err();
    let stage = Stage::FirstByte;
    assert_eq!(error.kind(), ErrorKind::Timeout { stage });
}

/// A provider that writes as fast as it can, and counts.
async fn firehose() -> (String, tokio::sync::watch::Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, written) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(HEAD.as_bytes()).await.unwrap();
        stream
            .write_all(&chunk(start_event().as_bytes()))
            .await
            .unwrap();
        let piece = chunk(text_event(&"x".repeat(1000)).as_bytes());
        while stream.write_all(&piece).await.is_ok() {
            tell.send_modify(|written| *written += piece.len());
        }
    });
    (url, written)
}

/// Waits until nothing more is written for a while, and says how much it was by then.
pub async fn settled(written: &mut tokio::sync::watch::Receiver<usize>) -> usize {
    let quiet = Duration::from_millis(300);
    while tokio::time::timeout(quiet, written.changed()).await.is_ok() {}
    *written.borrow()
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_provider() {
    let (url, mut written) = firehose().await;
    let mut config = config(&url, patient());
    config.max_response_bytes = 1 << 30;
    let mut stream = Anthropic::try_new(config)
        .unwrap()
        .stream(&ask())
        .await
        .unwrap();
    let stalled = settled(&mut written).await;
    // What the kernel's buffers of both sides take, and the little that is read ahead.
    assert!(stalled < 16 << 20, "{stalled} bytes were written to nobody");
    // Reading on lets it write on.
    let mut read = 0;
    while read < 2 * stalled + (1 << 20) {
        match stream.next().await {
            Some(Ok(StreamEvent::Text(text))) => read += text.len(),
            Some(Ok(_)) => {}
            other => unreachable!("{other:?}"),
        }
    }
    assert!(*written.borrow() > stalled);
}

#[tokio::test]
async fn dropping_a_stream_closes_its_connection() {
    let answer = [HEAD.as_bytes(), &chunk(start_event().as_bytes())].concat();
    let mut server = Server::start(vec![Act::Hold(answer)]).await;
    let stream = client(&server.url(), patient())
        .stream(&ask())
        .await
        .unwrap();
    assert!(matches!(server.next().await, Seen::Request(_)));
    drop(stream);
    assert_eq!(server.next().await, Seen::ClientLeft);
}

#[tokio::test]
async fn tokens_are_counted_by_the_providers_endpoint() {
    let mock = mock_with(None).await;
    for request in [ask(), json_request()] {
        for name in ["claude-sonnet-4-5", "claude-opus-4-1"] {
            let model = model(&mock, name, patient());
            let counted = model.count_tokens(&request).await.unwrap().unwrap();
            let used = model.complete(&request).await.unwrap().usage;
            assert_eq!(counted, used.prompt_tokens(), "{name}");
        }
    }
    mock.inject(Fault::Overloaded, 1);
    let error = sonnet(&mock).count_tokens(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    mock.inject(Fault::Status(http::StatusCode::NOT_FOUND), 1);
    assert_eq!(sonnet(&mock).count_tokens(&ask()).await.unwrap(), None);
    mock.inject(Fault::MalformedJson, 1);
    let error = sonnet(&mock).count_tokens(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_failure_to_connect() {
    // RFC 6761: `.invalid` never resolves.
    let mut config = config("https://llm-client.invalid", patient());
    config.timeouts = Timeouts::try_new(LONG, LONG, LONG).unwrap();
    let error = Anthropic::try_new(config)
        .unwrap()
        .stream(&ask())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_reset_while_sending_is_a_broken_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut some = [0; 1000];
        let _ = stream.read(&mut some).await.unwrap();
        // Unread bytes and no lingering: a reset, while most of the request is unsent.
        stream.set_zero_linger().unwrap();
    });
    let request = Request::builder(10)
        .user("x".repeat(30 << 20))
        .build()
        .unwrap();
    let error = client(&url, patient()).stream(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.is_retryable());
}
