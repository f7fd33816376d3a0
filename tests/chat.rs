//! The chat through HTTP: sessions, answers, streams by independent readers, their ends.

use std::time::{Duration, Instant};

use http::Method;
use mock_anthropic::{Answer, Config, Delay, Fault, MockServer, Pace};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::{KEY, Options, Reply, Request, Service};

pub const STREAM: &str = "/api/chat/message/stream";
pub const ANULAR: &str = "¿Cómo anulo una factura aceptada por el SII?";
const LIMIT: Duration = Duration::from_secs(60);

pub async fn with_model() -> (MockServer, Service) {
    let mock = MockServer::start(Config::default()).await.unwrap();
    let service = Options::default().model(&mock, 20_000).start().await;
    (mock, service)
}

pub fn ask(message: &str) -> Value {
    json!({ "message": message })
}

async fn new_session(service: &Service) -> String {
    let reply = service
        .send(Request::post("/api/chat/session/new", &json!({})))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(
        reply.json()["welcome_message"]
            .as_str()
            .unwrap()
            .starts_with("Hola")
    );
    reply.json()["session_id"].as_str().unwrap().to_owned()
}

fn session(id: &str) -> String {
    format!("/api/chat/session/{id}")
}

/// The events of a stream: `data` as JSON, and `id`.
pub fn events(body: &[u8]) -> Vec<(Value, String)> {
    let text = std::str::from_utf8(body).unwrap();
    let parts = text
        .split("\n\n")
        .filter(|part| !part.is_empty() && !part.starts_with(':'));
    parts
        .map(|part| {
            let (data, id) = part.split_once("\nid: ").unwrap();
            let data = data.strip_prefix("data: ").unwrap();
            (serde_json::from_str(data).unwrap(), id.to_owned())
        })
        .collect()
}

pub fn text(events: &[(Value, String)]) -> String {
    let pieces = events.iter().filter(|(event, _)| event["type"] == "text");
    pieces
        .map(|(event, _)| event["content"].as_str().unwrap())
        .collect()
}

fn code(reply: &Reply) -> (u16, String) {
    (
        reply.status.as_u16(),
        reply.json()["code"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn without_a_model_the_shipped_articles_answer() {
    let service = Service::start().await;
    let reply = service
        .send(Request::post("/api/chat/message", &ask(ANULAR)))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    assert_eq!(answer["llm_used"], "none", "{answer}");
    assert_eq!(answer["plugin_used"], "l10n_cl_dte", "{answer}");
    assert!(
        answer["message"].as_str().unwrap().contains("[1]"),
        "{answer}"
    );
    assert!(
        !answer["citations"].as_array().unwrap().is_empty(),
        "{answer}"
    );
    assert!(
        (20..=70).contains(&answer["confidence"].as_u64().unwrap()),
        "{answer}"
    );
    let health = service.send(Request::get("/health")).await.json();
    let known = &health["dependencies"]["knowledge_base"];
    assert!(known["documents_count"].as_u64().unwrap() >= 60, "{known}");
    let path = "/api/chat/knowledge/search?query=anular+una+factura&top_k=2&module=l10n_cl_dte";
    let found = service.send(Request::get(path)).await.json();
    assert_eq!(found["results_found"], 2, "{found}");
    for name in [
        "id", "title", "module", "tags", "content", "score", "section", "snippet", "url",
    ] {
        assert!(found["results"][0].get(name).is_some(), "{name} in {found}");
    }
    let bad = service
        .send(Request::get("/api/chat/knowledge/search?query="))
        .await;
    assert_eq!(code(&bad), (400, "invalid_parameter".into()));
}

#[tokio::test]
async fn a_conversation_from_its_beginning_to_its_end() {
    let (mock, service) = with_model().await;
    let id = new_session(&service).await;
    mock.answer_with(Answer::once(
        "Se anula con una nota de crédito [1]. Según el SII [77].",
    ));
    let mut body = ask(ANULAR);
    body["session_id"] = json!(id);
    let answer = service
        .send(Request::post("/api/chat/message", &body))
        .await
        .json();
    assert_eq!(
        answer["message"], "Se anula con una nota de crédito [1]. Según el SII.",
        "{answer}"
    );
    assert_eq!(answer["session_id"], json!(id));
    assert!(
        answer["llm_used"].as_str().unwrap().starts_with("claude-"),
        "{answer}"
    );
    assert!(
        answer["tokens_used"]["total_tokens"].as_u64().unwrap() > 0,
        "{answer}"
    );
    assert_eq!(answer["sources"].as_array().unwrap().len(), 1, "{answer}");
    body["message"] = json!("¿Y el plazo?");
    mock.answer_with(Answer::once("Tiene que ver con el período [1]."));
    service
        .send(Request::post("/api/chat/message", &body))
        .await;
    let sent: Value = serde_json::from_slice(&mock.requests().last().unwrap().body).unwrap();
    assert_eq!(sent["messages"].as_array().unwrap().len(), 3, "{sent}");
    let view = service.send(Request::get(&session(&id))).await.json();
    assert_eq!(view["message_count"], 4, "{view}");
    assert_eq!(view["messages"][3]["role"], "assistant");
    let left = view["stats"]["ttl_remaining_seconds"].as_u64().unwrap();
    assert!((3_590..=3_600).contains(&left), "{view}");
    let delete = || {
        Request::bare(Method::DELETE, &session(&id))
            .header("authorization", &format!("Bearer {KEY}"))
    };
    let gone = service.send(delete()).await;
    assert_eq!(
        (gone.status.as_u16(), &gone.json()["status"]),
        (200, &json!("cleared"))
    );
    let not_there = (404, "session_not_found".to_owned());
    assert_eq!(code(&service.send(delete()).await), not_there);
    assert_eq!(
        code(&service.send(Request::get(&session(&id))).await),
        not_there
    );
    assert_eq!(
        code(
            &service
                .send(Request::post("/api/chat/message", &body))
                .await
        ),
        not_there
    );
    assert_eq!(
        code(&service.send(Request::get(&session("x"))).await),
        not_there
    );
}

#[tokio::test]
async fn a_session_of_another_key_is_not_there() {
    let other = "otra-clave-0123456789abcdef-0123456789";
    let keys = format!(
        "[[auth.keys]]\nname = \"uno\"\nkey = \"{KEY}\"\n[[auth.keys]]\nname = \"dos\"\nkey = \"{other}\"\ncompanies = [7]\n"
    );
    let service = Options::default()
        .env("AI_SERVICE_API_KEY", "")
        .config(&keys)
        .start()
        .await;
    let id = new_session(&service).await;
    let stranger = Request::get(&session(&id)).header("authorization", &format!("Bearer {other}"));
    assert_eq!(
        code(&service.send(stranger).await),
        (404, "session_not_found".into())
    );
    let foreign = json!({ "message": ANULAR, "user_context": { "company_id": 8 } });
    let foreign = Request::post("/api/chat/message", &foreign)
        .header("authorization", &format!("Bearer {other}"));
    assert_eq!(
        code(&service.send(foreign).await),
        (403, "company_not_allowed".into())
    );
}

#[tokio::test]
async fn wrong_bodies_are_refused_in_spanish() {
    let service = Service::start().await;
    for body in [
        json!({}),
        ask(""),
        ask(&"ñ".repeat(5_001)),
        json!({ "message": 7 }),
        json!({ "message": "hola", "session_id": "no" }),
        json!({ "message": "hola", "user_context": 7 }),
    ] {
        for path in ["/api/chat/message", STREAM] {
            let reply = service.send(Request::post(path, &body)).await;
            assert_eq!(code(&reply), (422, "invalid_request".into()), "{body}");
            assert!(
                reply.json()["detail"].as_str().unwrap().contains('«'),
                "{reply:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_stream_is_the_contracts_and_can_be_resumed() {
    let (mock, service) = with_model().await;
    let said = "Se anula con una nota de crédito que la referencia con código 1 [1].";
    mock.answer_with(Answer::once(said));
    let reply = service.send(Request::post(STREAM, &ask(ANULAR))).await;
    assert_eq!(reply.header("content-type"), "text/event-stream");
    assert_eq!(reply.header("cache-control"), "no-cache");
    assert_eq!(reply.header("x-accel-buffering"), "no");
    let all = events(&reply.body);
    assert_eq!(text(&all), said);
    let (done, _) = all.last().unwrap();
    assert_eq!(done["type"], "done");
    for name in [
        "sources",
        "confidence",
        "llm_used",
        "tokens_used",
        "session_id",
        "citations",
    ] {
        assert!(!done["metadata"][name].is_null(), "{name} in {done}");
    }
    let resume = |id: &str| Request::post(STREAM, &ask(ANULAR)).header("last-event-id", id);
    let rest = service.send(resume(&all[0].1)).await;
    assert_eq!(events(&rest.body), all[1..]);
    for odd in ["", "7", "0190aaaa-1111-7222-8333-444455556666:0"] {
        assert_eq!(
            code(&service.send(resume(odd)).await),
            (404, "stream_not_found".into())
        );
    }
    assert_eq!(mock.stats().requests_to("/v1/messages"), 1);
}

#[tokio::test]
async fn upstream_cut_in_the_middle_ends_in_an_error() {
    let (mock, service) = with_model().await;
    mock.answer_with(Answer::once(
        "Se anula con una nota de crédito [1]. ".repeat(40),
    ));
    mock.inject(Fault::CutStream(Some(6)), 1);
    let reply = service.send(Request::post(STREAM, &ask(ANULAR))).await;
    let all = events(&reply.body);
    let (last, _) = all.last().unwrap();
    assert_eq!(
        (&last["type"], &last["code"]),
        (&json!("error"), &json!("upstream_interrupted"))
    );
    assert!(!text(&all).is_empty());
    // One that fails before its first word is replaced.
    mock.inject(Fault::Status(http::StatusCode::UNAUTHORIZED), 1);
    let other = ask("¿Qué es un CAF y para qué sirven los folios?");
    let all = events(&service.send(Request::post(STREAM, &other)).await.body);
    assert_eq!(all.last().unwrap().0["metadata"]["llm_used"], "none");
}

/// Opens a stream by hand and reads until its first event.
async fn opened(service: &Service, body: &Value) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(service.addr).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "POST {STREAM} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    while !line.starts_with("data: ") {
        line.clear();
        let read = tokio::time::timeout(LIMIT, reader.read_line(&mut line))
            .await
            .unwrap();
        assert!(read.unwrap() > 0, "it ended");
    }
    reader
}

#[tokio::test]
async fn a_client_that_leaves_cancels_upstream() {
    let (mock, service) = with_model().await;
    mock.answer_with(Answer::once(
        "Se anula con una nota de crédito [1]. ".repeat(40),
    ));
    mock.set_pace(Pace::new(Delay::NONE, 20.0));
    let id = new_session(&service).await;
    let body = json!({ "message": ANULAR, "session_id": id });
    let connection = opened(&service, &body).await;
    let begun = Instant::now();
    drop(connection);
    let left = mock
        .wait_for(LIMIT, |stats| stats.cancelled_by_client == 1)
        .await;
    assert!(left.is_ok(), "{:?}", mock.stats());
    println!("cancelled after {:?}", begun.elapsed());
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let mut view = json!({ "message_count": 0 });
    while view["message_count"] != 2 {
        view = service.send(Request::get(&session(&id))).await.json();
    }
    assert_eq!(view["messages"][1]["partial"], true, "{view}");
}

#[tokio::test]
async fn a_drain_ends_streams_with_an_error() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(Answer::once(
        "Se anula con una nota de crédito [1]. ".repeat(40),
    ));
    mock.set_pace(Pace::new(Delay::NONE, 20.0));
    let options = Options::default()
        .model(&mock, 20_000)
        .config("[drain]\ngrace_ms = 0\ndeadline_ms = 300\n");
    let mut service = options.start().await;
    let mut stream = opened(&service, &ask(ANULAR)).await;
    service.signal("TERM").await;
    let mut rest = String::new();
    let read = tokio::time::timeout(LIMIT, stream.read_to_string(&mut rest))
        .await
        .unwrap();
    assert!(read.is_ok(), "{read:?}");
    assert!(rest.contains(r#""code":"shutting_down""#), "{rest}");
    assert!(
        rest.contains("\r\n0\r\n\r\n"),
        "it ends as it should: {rest}"
    );
    assert_eq!(service.ended().await.code(), Some(0));
}
