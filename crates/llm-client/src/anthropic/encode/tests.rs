//! The exact JSON that goes out.

use serde_json::{Value, json};

use super::*;
use crate::{Message, SystemBlock, Temperature};

fn sent(model: &str, request: &Request) -> Value {
    let bytes = encode(model, &Capabilities::of(model), request, Ask::Whole).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"findings": {"type": "array", "items": {"type": "string"}}},
        "required": ["findings"],
        "additionalProperties": false
    })
}

fn full_request() -> Request {
    Request::builder(512)
        .system(SystemBlock::new("r".repeat(8192)).cached(CacheLifetime::OneHour))
        .system(SystemBlock::new("hoy es lunes"))
        .user("factura 1")
        .message(Message::assistant("bien"))
        .user("factura 2")
        .temperature(Temperature::try_from_hundredths(20).unwrap())
        .json("findings", schema())
        .build()
        .unwrap()
}

#[test]
fn a_plain_request_has_nothing_to_spare() {
    let request = Request::builder(64).user("hola").build().unwrap();
    assert_eq!(
        sent("claude-sonnet-4-5", &request),
        json!({
            "model": "claude-sonnet-4-5",
            "max_tokens": 64,
            "messages": [{"role": "user", "content": "hola"}]
        })
    );
}

#[test]
fn a_full_request_uses_native_structured_output() {
    assert_eq!(
        sent("claude-sonnet-4-5", &full_request()),
        json!({
            "model": "claude-sonnet-4-5",
            "max_tokens": 512,
            "temperature": 0.2,
            "system": [
                {
                    "type": "text",
                    "text": "r".repeat(8192),
                    "cache_control": {"type": "ephemeral", "ttl": "1h"}
                },
                {"type": "text", "text": "hoy es lunes"}
            ],
            "messages": [
                {"role": "user", "content": "factura 1"},
                {"role": "assistant", "content": "bien"},
                {"role": "user", "content": "factura 2"}
            ],
            "output_config": {"format": {"type": "json_schema", "schema": schema()}}
        })
    );
}

#[test]
fn an_older_model_is_made_to_call_one_tool() {
    let body = sent("claude-opus-4-1", &full_request());
    assert_eq!(body.get("output_config"), None);
    assert_eq!(
        body["tools"],
        json!([{
            "name": "findings",
            "description": TOOL_DESCRIPTION,
            "input_schema": schema()
        }])
    );
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": "findings", "disable_parallel_tool_use": true})
    );
}

#[test]
fn a_model_that_refuses_the_temperature_is_not_sent_it() {
    for model in ["claude-opus-4-7", "claude-opus-4-8", "claude-future-9"] {
        assert_eq!(
            sent(model, &full_request()).get("temperature"),
            None,
            "{model}"
        );
    }
}

#[test]
fn a_mark_under_the_models_minimum_is_left_out() {
    // Sonnet 4.5 wants 1024 tokens, at two characters each at the least.
    let request = Request::builder(1)
        .system(SystemBlock::new("a".repeat(1000)).cached(CacheLifetime::FiveMinutes))
        .system(SystemBlock::new("b".repeat(2000)).cached(CacheLifetime::FiveMinutes))
        .user("hola")
        .build()
        .unwrap();
    let body = sent("claude-sonnet-4-5", &request);
    assert_eq!(body["system"][0].get("cache_control"), None);
    assert_eq!(
        body["system"][1]["cache_control"],
        json!({"type": "ephemeral", "ttl": "5m"})
    );
    let body = sent("claude-haiku-4-5", &request);
    assert_eq!(body["system"][1].get("cache_control"), None);
}

#[test]
fn a_forced_tool_counts_towards_the_prefix() {
    let request = |schema| {
        Request::builder(1)
            .system(SystemBlock::new("a".repeat(1500)).cached(CacheLifetime::FiveMinutes))
            .user("hola")
            .json("findings", schema)
            .build()
            .unwrap()
    };
    let short = sent("claude-opus-4-1", &request(json!({"type": "object"})));
    assert_eq!(short["system"][0].get("cache_control"), None);
    let long = json!({"type": "object", "description": "d".repeat(1000)});
    let long = sent("claude-opus-4-1", &request(long));
    assert!(long["system"][0].get("cache_control").is_some());
}

#[test]
fn characters_are_counted_not_bytes() {
    let request = Request::builder(1).user("ñandú").build().unwrap();
    assert_eq!(request.prompt_chars(), 5);
}
