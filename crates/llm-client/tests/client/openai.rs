//! The second provider, against a socket that plays what vLLM, llama.cpp and Ollama send.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use llm_client::{
    Anthropic, Completion, ConfigError, Error, ErrorKind, Fallback, LanguageModel, MaxTokensField,
    OpenAiCompatible, OpenAiConfig, Provider, Request, ResponseFormat, Stage, StopReason,
    StreamEvent, SystemBlock, Temperature, Timeouts,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{Act, LONG, SHORT, Seen, Server, ask, client, http, patient};

fn config(server: &Server) -> OpenAiConfig {
    let mut config = OpenAiConfig::new(format!("{}/v1", server.url()), "qwen3-8b");
    config.timeouts = patient();
    config
}

fn json_request() -> Request {
    Request::builder(50)
        .system(SystemBlock::new("Revisas facturas."))
        .system(SystemBlock::new("En español."))
        .user("¿cuadra?")
        .temperature(Temperature::ZERO)
        .json("verdict", json!({"type": "object"}))
        .build()
        .unwrap()
}

fn answer(message: &Value, reason: &str, usage: &Value) -> String {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "qwen3-8b-awq",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": usage
    })
    .to_string()
}

fn good(text: &str) -> String {
    let usage = json!({
        "prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24,
        "prompt_tokens_details": {"cached_tokens": 16}
    });
    answer(
        &json!({"role": "assistant", "content": text}),
        "stop",
        &usage,
    )
}

async fn completed(status: u16, headers: &[&str], body: &str) -> Result<Completion, Error> {
    completed_for(&ask(), status, headers, body).await
}

async fn completed_for(
    request: &Request,
    status: u16,
    headers: &[&str],
    body: &str,
) -> Result<Completion, Error> {
    let server = Server::start(vec![Act::Reply(http(status, headers, body))]).await;
    let model = OpenAiCompatible::try_new(config(&server)).unwrap();
    model.complete(request).await
}

fn chunk(delta: &Value, reason: &Value) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": reason});
    format!(
        "data: {}\n\n",
        json!({"id": "c1", "model": "m1", "choices": [choice]})
    )
}

fn text(text: &str) -> String {
    chunk(&json!({"content": text}), &Value::Null)
}

fn end(reason: &str) -> String {
    chunk(&json!({}), &json!(reason))
}

fn usage(output: u64) -> String {
    let usage = json!({"prompt_tokens": 9, "completion_tokens": output});
    format!(
        "data: {}\n\n",
        json!({"id": "c1", "choices": [], "usage": usage})
    )
}

const DONE: &str = "data: [DONE]\n\n";

fn event_stream(parts: &[String]) -> Vec<u8> {
    let kind = "content-type: text/event-stream; charset=utf-8";
    http(200, &[kind], &parts.concat())
}

async fn streamed_for(request: &Request, act: Act) -> (Vec<String>, Result<Completion, Error>) {
    let server = Server::start(vec![act]).await;
    let model = OpenAiCompatible::try_new(config(&server)).unwrap();
    let mut stream = match model.stream(request).await {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut texts = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(StreamEvent::Text(text)) => texts.push(text),
            Ok(StreamEvent::Finished(completion)) => return (texts, Ok(completion)),
            Ok(_) => {}
            Err(error) => return (texts, Err(error)),
        }
    }
    unreachable!("a stream ends with an answer or an error")
}

async fn streamed(parts: &[String]) -> (Vec<String>, Result<Completion, Error>) {
    streamed_for(&ask(), Act::Reply(event_stream(parts))).await
}

/// The body that a client with these settings sends.
async fn sent(
    request: &Request,
    stream: bool,
    set: impl FnOnce(&mut OpenAiConfig),
) -> (String, Value) {
    let mut server = Server::start(vec![Act::Reply(http(200, &[], &good("{}")))]).await;
    let mut config = config(&server);
    set(&mut config);
    let model = OpenAiCompatible::try_new(config).unwrap();
    if stream {
        assert!(model.stream(request).await.is_ok());
    } else {
        assert!(model.complete(request).await.is_ok());
    }
    let Seen::Request(request) = server.next().await else {
        unreachable!("the first thing is a request")
    };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn a_call_sends_what_such_endpoints_take() {
    let (head, body) = sent(&json_request(), false, |_| {}).await;
    assert!(
        head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(!head.contains("authorization"), "no key was given");
    assert_eq!(
        body,
        json!({
            "model": "qwen3-8b", "max_tokens": 50, "temperature": 0.0,
            "messages": [
                {"role": "system", "content": "Revisas facturas.\n\nEn español."},
                {"role": "user", "content": "¿cuadra?"}
            ],
            "response_format": {"type": "json_schema", "json_schema": {
                "name": "verdict", "strict": true, "schema": {"type": "object"}
            }}
        })
    );
    let (head, body) = sent(&json_request(), true, |config| {
        config.api_key = Some(SecretString::from("sk-local"));
        config.max_tokens_field = MaxTokensField::MaxCompletionTokens;
        config.response_format = ResponseFormat::JsonObject;
        config.temperature = false;
    })
    .await;
    assert!(head.contains("authorization: Bearer sk-local"));
    assert_eq!(body["max_completion_tokens"], 50);
    assert!(body.get("max_tokens").is_none() && body.get("temperature").is_none());
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    let system = body["messages"][0]["content"].as_str().unwrap();
    assert!(system.contains("JSON Schema") && system.contains(r#"{"type":"object"}"#));
    let (_, body) = sent(&ask(), true, |config| config.stream_usage = false).await;
    assert_eq!(body["stream"], true);
    assert!(body.get("stream_options").is_none() && body.get("response_format").is_none());
}

#[tokio::test]
async fn an_answer_is_read_with_its_tokens_counted_once() {
    let headers = [
        "x-request-id: r-7",
        "x-ratelimit-remaining-requests: 4",
        "x-ratelimit-reset-requests: 1s",
    ];
    let completion = completed(200, &headers, &good("todo bien")).await.unwrap();
    assert_eq!(completion.text, "todo bien");
    assert_eq!(completion.provider, Provider::OpenAiCompatible);
    assert_eq!(completion.model, "qwen3-8b-awq");
    assert_eq!(completion.stop_reason, StopReason::EndTurn);
    assert_eq!(completion.request_id.as_deref(), Some("r-7"));
    let usage = completion.usage;
    assert_eq!((usage.input_tokens, usage.cache_read_input_tokens), (4, 16));
    assert_eq!((usage.prompt_tokens(), usage.output_tokens), (20, 4));
    let requests = completion.rate_limits.unwrap().requests.unwrap();
    assert_eq!(requests.reset_after, Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn usage_that_is_absent_is_estimated() {
    for usage in [Value::Null, json!({}), json!({"prompt_tokens": 3})] {
        let body = answer(&json!({"content": "12345678"}), "stop", &usage);
        let usage = completed(200, &[], &body).await.unwrap().usage;
        assert!(usage.estimated && usage.input_tokens > 0, "{usage:?}");
        assert_eq!(usage.output_tokens, 4);
    }
}

#[tokio::test]
async fn json_is_one_value_or_an_error_of_its_kind() {
    let none = Value::Null;
    for (message, reason, kind) in [
        (json!({"content": "{\"ok\": 1}"}), "stop", None),
        (
            json!({"content": "{\"ok\": 1} Saludos"}),
            "stop",
            Some(ErrorKind::InvalidOutput),
        ),
        (
            json!({"content": "{\"ok\""}),
            "length",
            Some(ErrorKind::Truncated),
        ),
        (
            json!({"content": null}),
            "stop",
            Some(ErrorKind::InvalidOutput),
        ),
        (
            json!({"content": ""}),
            "content_filter",
            Some(ErrorKind::Refused),
        ),
        (
            json!({"content": null, "refusal": "no"}),
            "stop",
            Some(ErrorKind::Refused),
        ),
    ] {
        let body = answer(&message, reason, &none);
        let result = completed_for(&json_request(), 200, &[], &body).await;
        match result {
            Ok(completion) => assert_eq!((kind, &*completion.text), (None, "{\"ok\": 1}")),
            Err(error) => {
                assert_eq!(Some(error.kind()), kind, "{message}");
                assert!(error.usage().unwrap().prompt_tokens() > 0);
                assert!(error.request_id().is_some());
            }
        }
    }
}

#[tokio::test]
async fn failures_have_the_same_kinds_in_every_form_that_they_come_in() {
    let openai = |code: &str| json!({"error": {"message": "TEXTO-DEL-PROVEEDOR", "code": code}});
    for (status, body, kind, retryable) in [
        (
            401,
            openai("invalid_api_key"),
            ErrorKind::Authentication,
            false,
        ),
        (
            429,
            openai("rate_limit_exceeded"),
            ErrorKind::RateLimited,
            true,
        ),
        (
            429,
            openai("insufficient_quota"),
            ErrorKind::SpendLimit,
            false,
        ),
        (
            400,
            openai("context_length_exceeded"),
            ErrorKind::TooLarge,
            false,
        ),
        (
            404,
            json!({"error": "model 'x' not found"}),
            ErrorKind::NotFound,
            false,
        ),
        (
            400,
            json!({"object": "error", "message": "TEXTO-DEL-PROVEEDOR", "code": 400}),
            ErrorKind::InvalidRequest,
            false,
        ),
        (
            422,
            json!({"detail": [{"loc": ["body"]}]}),
            ErrorKind::InvalidRequest,
            false,
        ),
        (
            503,
            json!({"error": {"code": 503, "message": "Loading model"}}),
            ErrorKind::Upstream,
            true,
        ),
        (
            200,
            json!({"error": {"code": 503, "message": "x"}}),
            ErrorKind::Upstream,
            true,
        ),
        (
            200,
            json!({"id": "x", "choices": []}),
            ErrorKind::InvalidResponse,
            false,
        ),
        (200, json!([]), ErrorKind::InvalidResponse, false),
        (500, Value::Null, ErrorKind::Upstream, true),
    ] {
        let error = completed(status, &["retry-after: 3"], &body.to_string())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}");
        assert_eq!(error.is_retryable(), retryable, "{status} {body}");
        assert_eq!(error.retry_after().is_some(), status >= 400);
        crate::support::assert_shows_no_secret(&error);
    }
}

#[tokio::test]
async fn a_stream_is_read_however_the_endpoint_tells_its_usage() {
    let head = chunk(&json!({"role": "assistant", "content": ""}), &Value::Null);
    for (tail, output, estimated) in [
        // OpenAI, vLLM: after the end, before `[DONE]`.
        (vec![usage(7), DONE.to_owned()], 7, false),
        // With every chunk: the last one holds.
        (vec![usage(3), usage(9), DONE.to_owned()], 9, false),
        // Not at all.
        (vec![DONE.to_owned()], 5, true),
        // No `[DONE]` either.
        (vec![], 5, true),
    ] {
        let mut parts = vec![
            ": keepalive\n\n".to_owned(),
            head.clone(),
            text("año "),
            text("\u{1f980} bien"),
            end("stop"),
        ];
        parts.extend(tail);
        let (texts, end) = streamed(&parts).await;
        let completion = end.unwrap();
        assert_eq!(texts, ["año ", "\u{1f980} bien"]);
        assert_eq!(completion.text, "año \u{1f980} bien");
        assert_eq!(
            (completion.usage.output_tokens, completion.usage.estimated),
            (output, estimated)
        );
        assert_eq!(completion.model, "m1");
        assert_eq!(completion.request_id.as_deref(), Some("c1"));
    }
}

#[tokio::test]
async fn usage_before_the_end_of_a_stream_is_only_as_of_then() {
    let with_usage = json!({
        "id": "c1", "choices": [{"index": 0, "delta": {"content": "12345678"}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1}
    });
    let parts = [format!("data: {with_usage}\n\n"), text("12345678")];
    let (texts, end) = streamed(&parts).await;
    assert_eq!(texts.len(), 2);
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let usage = error.usage().unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.estimated),
        (9, 8, true)
    );
}

#[tokio::test]
async fn an_error_within_a_stream_is_an_error_of_its_kind() {
    for (error, kind) in [
        (
            json!({"code": 429, "message": "TEXTO-DEL-PROVEEDOR"}),
            ErrorKind::RateLimited,
        ),
        (json!({"code": "500", "message": "x"}), ErrorKind::Upstream),
        (json!({"message": "sin código"}), ErrorKind::Upstream),
    ] {
        let parts = [
            text("algo"),
            format!("data: {}\n\n", json!({"error": error})),
        ];
        let (texts, end) = streamed(&parts).await;
        assert_eq!(texts, ["algo"]);
        let error = end.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.usage().is_some());
    }
}

#[tokio::test]
async fn reasoning_is_no_text_but_is_paid_for() {
    let parts = [
        chunk(&json!({"reasoning_content": "12345678"}), &Value::Null),
        text("sí"),
        end("stop"),
        DONE.to_owned(),
    ];
    let (texts, end) = streamed(&parts).await;
    assert_eq!(texts, ["sí"]);
    assert_eq!(end.unwrap().usage.output_tokens, 5);
}

#[tokio::test]
async fn an_endpoint_that_cannot_stream_answers_whole() {
    let reply = http(200, &["content-type: application/json"], &good("entero"));
    let (texts, end) = streamed_for(&ask(), Act::Reply(reply)).await;
    assert_eq!(texts, ["entero"]);
    assert_eq!(end.unwrap().usage.output_tokens, 4);
}

#[tokio::test]
async fn each_wait_has_its_limit() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".to_owned();
    let short = Timeouts::try_new(LONG, SHORT, LONG).unwrap();
    let idle = patient().with_idle(SHORT).unwrap();
    for (sent, timeouts, stage) in [
        (head.clone(), short, Stage::FirstByte),
        (head + &text("x"), idle, Stage::Idle),
    ] {
        let mut server = Server::start(vec![Act::Hold(sent.into_bytes())]).await;
        let mut config = config(&server);
        config.timeouts = timeouts;
        let model = OpenAiCompatible::try_new(config).unwrap();
        let error = match model.stream(&ask()).await {
            Ok(stream) => stream.completion().await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::Timeout { stage });
        assert!(matches!(server.next().await, Seen::Request(_)));
        assert_eq!(server.next().await, Seen::ClientLeft);
    }
}

#[tokio::test]
async fn settings_are_checked() {
    let server = Server::start(Vec::new()).await;
    let with = |set: fn(&mut OpenAiConfig)| {
        let mut config = config(&server);
        set(&mut config);
        OpenAiCompatible::try_new(config).unwrap_err()
    };
    assert!(matches!(with(|c| c.model.clear()), ConfigError::Model));
    assert!(matches!(
        with(|c| c.base_url = "x".to_owned()),
        ConfigError::BaseUrl
    ));
    let insecure = with(|c| c.base_url = "http://vllm.internal/v1".to_owned());
    assert!(matches!(insecure, ConfigError::InsecureBaseUrl));
    let blank = with(|c| c.api_key = Some(SecretString::from(" ")));
    assert!(matches!(blank, ConfigError::ApiKey));
    assert!(matches!(
        with(|c| c.max_response_bytes = 0),
        ConfigError::MaxResponseBytes
    ));
    let mut config = config(&server);
    config.api_key = Some(SecretString::from("sk-secreta"));
    let shown = format!(
        "{config:?} {:?}",
        OpenAiCompatible::try_new(config.clone()).unwrap()
    );
    assert!(!shown.contains("sk-secreta"));
}

#[tokio::test]
async fn the_completion_says_which_of_two_providers_answered() {
    let down = Server::start(vec![Act::Close, Act::Close]).await;
    let up = Server::start(vec![
        Act::Reply(http(200, &["connection: close"], &good("de reserva"))),
        Act::Reply(event_stream(&[
            text("de reserva"),
            end("stop"),
            DONE.to_owned(),
        ])),
    ])
    .await;
    let first: Anthropic = client(&down.url(), patient());
    let second = OpenAiCompatible::try_new(config(&up)).unwrap();
    let model = Fallback::new(Arc::new(first), Arc::new(second));
    let whole = model.complete(&ask()).await.unwrap();
    let streamed = model
        .stream(&ask())
        .await
        .unwrap()
        .completion()
        .await
        .unwrap();
    for completion in [whole, streamed] {
        assert_eq!(completion.text, "de reserva");
        assert_eq!(completion.provider, Provider::OpenAiCompatible);
    }
}
