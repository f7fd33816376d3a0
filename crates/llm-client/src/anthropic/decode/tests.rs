//! Every form of answer, good and bad.

use http::HeaderValue;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{CacheLifetime, Fault, SystemBlock, Usage};

fn text_request() -> Request {
    Request::builder(100).user("hola").build().unwrap()
}

fn json_request() -> Request {
    Request::builder(100)
        .user("hola")
        .json("answer", json!({"type": "object"}))
        .build()
        .unwrap()
}

fn read(model: &str, request: &Request, body: &[u8]) -> Result<Completion, Error> {
    let mut headers = HeaderMap::new();
    headers.insert("request-id", HeaderValue::from_static("req_1"));
    decode(
        body,
        &Context {
            asked_model: model,
            capabilities: &Capabilities::of(model),
            request,
            headers: &headers,
            status: StatusCode::OK,
            elapsed: Duration::from_millis(7),
        },
    )
}

fn read_value(model: &str, request: &Request, body: &Value) -> Result<Completion, Error> {
    read(model, request, body.to_string().as_bytes())
}

fn sonnet(request: &Request, body: &Value) -> Result<Completion, Error> {
    read_value("claude-sonnet-4-5", request, body)
}

fn answer(text: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 12, "output_tokens": 3}
    })
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

#[test]
fn a_plain_answer() {
    let completion = sonnet(&text_request(), &answer("hola")).unwrap();
    assert_eq!(
        completion,
        Completion {
            text: "hola".to_owned(),
            stop_reason: StopReason::EndTurn,
            usage: Usage {
                input_tokens: 12,
                output_tokens: 3,
                ..Usage::default()
            },
            provider: Provider::Anthropic,
            model: "claude-sonnet-4-5-20250929".to_owned(),
            request_id: Some("req_1".to_owned()),
            rate_limits: None,
            elapsed: Duration::from_millis(7),
        }
    );
}

#[test]
fn text_blocks_are_joined_and_unknown_ones_skipped() {
    let content = json!([
        {"type": "thinking", "thinking": "…", "signature": "x"},
        {"type": "text", "text": "a"},
        {"type": "new_kind", "text": "no"},
        {"type": "text", "text": "b"}
    ]);
    let completion = sonnet(&text_request(), &with(answer(""), "content", content)).unwrap();
    assert_eq!(completion.text, "ab");
}

#[test]
fn free_text_that_was_cut_is_an_answer_with_its_reason() {
    let body = with(answer("hol"), "stop_reason", json!("max_tokens"));
    let completion = sonnet(&text_request(), &body).unwrap();
    assert_eq!(completion.stop_reason, StopReason::MaxTokens);
}

#[test]
fn cache_tokens_are_read_by_lifetime() {
    let usage = json!({
        "input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 9,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5}
    });
    let usage = sonnet(&text_request(), &with(answer("x"), "usage", usage))
        .unwrap()
        .usage;
    assert_eq!(usage.cache_read_input_tokens, 3);
    assert_eq!(usage.cache_creation_5m_input_tokens, 4);
    assert_eq!(usage.cache_creation_1h_input_tokens, 5);
    assert_eq!(usage.prompt_tokens(), 13);
}

#[test]
fn written_tokens_without_a_lifetime_take_the_dearest_one_that_was_asked() {
    let usage = json!({
        "input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": null,
        "cache_creation_input_tokens": 9
    });
    let body = with(answer("x"), "usage", usage);
    let five = sonnet(&text_request(), &body).unwrap().usage;
    assert_eq!(five.cache_creation_5m_input_tokens, 9);
    let request = Request::builder(1)
        .system(SystemBlock::new("reglas").cached(CacheLifetime::OneHour))
        .user("hola")
        .build()
        .unwrap();
    let hour = sonnet(&request, &body).unwrap().usage;
    assert_eq!(hour.cache_creation_1h_input_tokens, 9);
    assert_eq!(hour.cache_creation_5m_input_tokens, 0);
}

#[test]
fn a_missing_usage_is_estimated_upwards_and_flagged() {
    for missing in [with(answer("12345678"), "usage", Value::Null), {
        let mut body = answer("12345678");
        body.as_object_mut().unwrap().remove("usage");
        body
    }] {
        let usage = sonnet(&text_request(), &missing).unwrap().usage;
        assert!(usage.estimated);
        assert_eq!((usage.input_tokens, usage.output_tokens), (2, 4));
    }
}

#[test]
fn an_estimate_never_exceeds_what_the_model_was_allowed() {
    let body = with(answer(&"x".repeat(10_000)), "usage", Value::Null);
    let usage = sonnet(&text_request(), &body).unwrap().usage;
    assert_eq!(usage.output_tokens, 100);
}

#[test]
fn json_is_one_value_and_nothing_else() {
    let good = sonnet(&json_request(), &answer(" {\"a\": 1}\n")).unwrap();
    assert_eq!(good.text, "{\"a\": 1}");
    for text in [
        "",
        "no",
        "{\"a\": 1} Espero que sirva.",
        "```json\n{}\n```",
        "{} {}",
        "{\"a\":",
    ] {
        let error = sonnet(&json_request(), &answer(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOutput, "{text}");
        assert_eq!(error.usage().unwrap().total(), 15, "{text}");
        assert!(!error.is_retryable(), "{text}");
    }
}

#[test]
fn json_that_was_cut_or_refused_is_an_error_of_its_kind() {
    for (reason, kind) in [
        ("max_tokens", ErrorKind::Truncated),
        ("model_context_window_exceeded", ErrorKind::Truncated),
        ("refusal", ErrorKind::Refused),
    ] {
        let body = with(answer("{}"), "stop_reason", json!(reason));
        let error = sonnet(&json_request(), &body).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.request_id(), Some("req_1"));
        assert_eq!(error.usage().unwrap().output_tokens, 3);
    }
}

#[test]
fn a_forced_tools_input_is_the_answer_as_it_was_written() {
    let body = br#"{"model": "claude-opus-4-1", "stop_reason": "tool_use",
        "content": [{"type": "text", "text": "Aqui va"},
            {"type": "tool_use", "id": "t", "name": "answer", "input": {"n": 1.10, "m": 123456789012345678901}}],
        "usage": {"input_tokens": 1, "output_tokens": 1}}"#;
    let completion = read("claude-opus-4-1", &json_request(), body).unwrap();
    assert_eq!(
        completion.text,
        r#"{"n": 1.10, "m": 123456789012345678901}"#
    );
    let other = read_value("claude-opus-4-1", &json_request(), &answer("{}"));
    assert_eq!(other.unwrap_err().kind(), ErrorKind::InvalidOutput);
}

#[test]
fn what_is_no_message_is_an_invalid_response() {
    let bodies = [
        "",
        "null",
        "[]",
        "{}",
        "<html>502</html>",
        r#"{"content": 1}"#,
        r#"{"content": [{"text": "x"}]}"#,
        r#"{"content": [], "usage": {"input_tokens": -1, "output_tokens": 0}}"#,
        r#"{"content": [], "usage": {"input_tokens": "1", "output_tokens": 0}}"#,
        "{\"content\": [{\"type\": \"text\", \"te",
    ];
    for body in bodies {
        let error = read("m", &text_request(), body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{body}");
        assert_eq!(error.fault(), Fault::Provider);
        assert_eq!(error.status(), Some(StatusCode::OK));
        assert!(!error.is_retryable());
    }
}

#[test]
fn an_error_with_a_status_of_success_is_an_error() {
    let body = json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}});
    let error = sonnet(&text_request(), &body).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(error.is_retryable());
    assert_eq!(error.upstream_message(), Some("busy"));
}

#[test]
fn a_completion_decodes_into_a_type_or_says_that_it_cannot() {
    let completion = sonnet(&json_request(), &answer(r#"{"a": [1, 2]}"#)).unwrap();
    let decoded: std::collections::HashMap<String, Vec<u32>> = completion.decode_json().unwrap();
    assert_eq!(decoded["a"], [1, 2]);
    let error = completion.decode_json::<Vec<u32>>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOutput);
    assert_eq!(error.usage(), Some(completion.usage));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read("m", &json_request(), &bytes).is_err());
    }

    #[test]
    fn any_text_comes_back_as_it_is(text in ".{0,100}") {
        let completion = sonnet(&text_request(), &answer(&text)).unwrap();
        prop_assert_eq!(completion.text, text);
    }
}
