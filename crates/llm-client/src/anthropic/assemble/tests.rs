//! Every order and kind of events.

use serde_json::{Value, json};

use super::*;
use crate::Capabilities;

fn text_request() -> Request {
    Request::builder(100).user("12345678").build().unwrap()
}

fn json_request() -> Request {
    Request::builder(100)
        .user("hola")
        .json("verdict", json!({"type": "object"}))
        .build()
        .unwrap()
}

struct Run {
    assembler: Assembler,
    out: Out,
}

impl Run {
    fn new(model: &str, request: &Request) -> Self {
        let context = decode::Context {
            asked_model: model,
            capabilities: &Capabilities::of(model),
            request,
            headers: &http::HeaderMap::new(),
            status: StatusCode::OK,
            elapsed: std::time::Duration::ZERO,
        };
        Self {
            assembler: Assembler::new(&context, Instant::now(), 1000),
            out: Out::new(),
        }
    }

    fn raw(&mut self, name: &str, data: &[u8]) -> Result<(), Error> {
        let event = Event {
            name: name.as_bytes().to_vec(),
            data: data.to_vec(),
        };
        self.assembler.take(&event, &mut self.out)
    }

    /// Takes an event that is named as its type says.
    fn event(&mut self, data: &Value) -> Result<(), Error> {
        self.raw(data["type"].as_str().unwrap(), data.to_string().as_bytes())
    }

    fn all(mut self, events: &[Value]) -> Result<Vec<StreamEvent>, Error> {
        for event in events {
            self.event(event)?;
        }
        Ok(self.out.into())
    }
}

fn run(request: &Request, events: &[Value]) -> Result<Vec<StreamEvent>, Error> {
    Run::new("claude-sonnet-4-5", request).all(events)
}

fn start(usage: Value) -> Value {
    json!({"type": "message_start", "message": {"model": "claude-x", "usage": usage}})
}

fn block(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn text(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn end_block(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str, usage: Value) -> Value {
    json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage})
}

fn stop() -> Value {
    json!({"type": "message_stop"})
}

fn text_block() -> Value {
    block(0, json!({"type": "text", "text": ""}))
}

fn tool_block(name: &str) -> Value {
    block(
        0,
        json!({"type": "tool_use", "id": "t", "name": name, "input": {}}),
    )
}

fn json_piece(piece: &str) -> Value {
    delta(
        0,
        json!({"type": "input_json_delta", "partial_json": piece}),
    )
}

fn known() -> Value {
    json!({"input_tokens": 10, "output_tokens": 1})
}

fn finished(events: &[StreamEvent]) -> &Completion {
    match events.last() {
        Some(StreamEvent::Finished(completion)) => completion,
        other => unreachable!("the end is missing: {other:?}"),
    }
}

fn said(events: &[StreamEvent]) -> String {
    let text = |event: &StreamEvent| match event {
        StreamEvent::Text(text) => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

#[test]
fn text_comes_in_pieces_and_whole_at_the_end() {
    let events = run(
        &text_request(),
        &[
            start(json!({
                "input_tokens": 10, "output_tokens": 1, "cache_creation_input_tokens": 5,
                "cache_creation": {"ephemeral_1h_input_tokens": 5, "ephemeral_5m_input_tokens": 0}
            })),
            json!({"type": "ping"}),
            text_block(),
            text(0, "Todo "),
            text(0, ""),
            text(0, "cuadra"),
            end_block(0),
            end("end_turn", json!({"output_tokens": 7})),
            stop(),
        ],
    )
    .unwrap();
    let kinds: Vec<_> = events
        .iter()
        .map(|event| match event {
            StreamEvent::Started { .. } => "started",
            StreamEvent::Text(_) => "text",
            StreamEvent::Usage(_) => "usage",
            StreamEvent::Finished(_) => "finished",
        })
        .collect();
    assert_eq!(kinds, ["started", "text", "text", "usage", "finished"]);
    let completion = finished(&events);
    assert_eq!(completion.text, "Todo cuadra");
    assert_eq!(completion.model, "claude-x");
    let usage = completion.usage;
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.estimated),
        (10, 7, false)
    );
    assert_eq!(
        usage.cache_creation_1h_input_tokens, 5,
        "kept from the start"
    );
}

#[test]
fn usage_is_cumulative_and_replaces() {
    let events = run(
        &text_request(),
        &[
            start(json!({"input_tokens": 10, "output_tokens": 3, "cache_read_input_tokens": 4})),
            end(
                "end_turn",
                json!({"input_tokens": 12, "output_tokens": 5, "cache_read_input_tokens": null}),
            ),
            end("end_turn", json!({"output_tokens": 9})),
            stop(),
        ],
    )
    .unwrap();
    let usage = finished(&events).usage;
    assert_eq!((usage.input_tokens, usage.output_tokens), (12, 9));
    assert_eq!(usage.cache_read_input_tokens, 4);
}

#[test]
fn what_is_unknown_is_skipped() {
    let request = text_request();
    let mut run = Run::new("claude-sonnet-4-5", &request);
    run.event(&start(known())).unwrap();
    run.raw("new_event", b"not even json").unwrap();
    run.raw("ping", b"").unwrap();
    run.event(&block(0, json!({"type": "thinking", "thinking": ""})))
        .unwrap();
    run.event(&delta(
        0,
        json!({"type": "thinking_delta", "thinking": "mmm"}),
    ))
    .unwrap();
    run.event(&delta(
        0,
        json!({"type": "signature_delta", "signature": "x"}),
    ))
    .unwrap();
    run.event(&end_block(0)).unwrap();
    run.event(&block(1, json!({"type": "text", "text": "a"})))
        .unwrap();
    run.event(&delta(
        1,
        json!({"type": "citations_delta", "citation": {"text": 1}}),
    ))
    .unwrap();
    run.event(&block(
        2,
        json!({"type": "new", "text": {}, "name": [], "input": 7}),
    ))
    .unwrap();
    run.event(&delta(
        2,
        json!({"type": "new_delta", "text": [1], "partial_json": {}}),
    ))
    .unwrap();
    run.event(&text(1, "b")).unwrap();
    run.event(&text(9, "of a block that never began")).unwrap();
    run.event(&end("new_reason", json!({"output_tokens": 1})))
        .unwrap();
    // An event without a name is known by its type.
    run.raw("", stop().to_string().as_bytes()).unwrap();
    let events: Vec<_> = run.out.into();
    let completion = finished(&events);
    assert_eq!(completion.text, "ab");
    assert_eq!(completion.stop_reason, StopReason::Unknown);
}

#[test]
fn every_stop_reason_ends_a_text() {
    for reason in [
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "pause_turn",
        "refusal",
    ] {
        let events = [
            start(known()),
            text_block(),
            text(0, "x"),
            end(reason, known()),
            stop(),
        ];
        let events = run(&text_request(), &events).unwrap();
        assert_eq!(finished(&events).stop_reason.as_str(), reason);
    }
}

#[test]
fn json_is_one_value_or_an_error_of_its_kind() {
    let usage = json!({"output_tokens": 8});
    for (answer, reason, expected) in [
        (" {\"ok\": true}\n", "end_turn", Ok("{\"ok\": true}")),
        ("{\"ok\": tr", "max_tokens", Err(ErrorKind::Truncated)),
        ("No puedo.", "refusal", Err(ErrorKind::Refused)),
        (
            "{\"ok\": true} Espero que sirva.",
            "end_turn",
            Err(ErrorKind::InvalidOutput),
        ),
        (
            "```json\n{}\n```",
            "end_turn",
            Err(ErrorKind::InvalidOutput),
        ),
        ("", "end_turn", Err(ErrorKind::InvalidOutput)),
    ] {
        let events = [
            start(known()),
            text_block(),
            text(0, answer),
            end_block(0),
            end(reason, usage.clone()),
            stop(),
        ];
        match (run(&json_request(), &events), expected) {
            (Ok(events), Ok(text)) => assert_eq!(finished(&events).text, text),
            (Err(error), Err(kind)) => {
                assert_eq!(error.kind(), kind, "{answer}");
                assert_eq!(error.usage().unwrap().output_tokens, 8);
            }
            (found, _) => unreachable!("{answer}: {found:?}"),
        }
    }
}

#[test]
fn the_input_of_the_forced_tool_is_the_answer() {
    let model = "claude-opus-4-1";
    let tail = [
        end_block(0),
        end("tool_use", json!({"output_tokens": 8})),
        stop(),
    ];
    let with = |head: &[Value]| {
        let events: Vec<_> = head.iter().chain(&tail).cloned().collect();
        Run::new(model, &json_request()).all(&events)
    };
    let pieces = ["", "{\"o", "k\": 1.10", "0}"].map(json_piece);
    let head: Vec<_> = [start(known()), tool_block("verdict")]
        .into_iter()
        .chain(pieces)
        .collect();
    let events = with(&head).unwrap();
    assert_eq!(said(&events), "{\"ok\": 1.100}");
    assert_eq!(finished(&events).text, "{\"ok\": 1.100}");
    // No piece at all: what came at the start holds.
    let events = with(&[start(known()), tool_block("verdict")]).unwrap();
    assert_eq!(finished(&events).text, "{}");
    // Another tool, or only text.
    for head in [tool_block("other"), text_block()] {
        let error = with(&[start(known()), head, text(0, "{}"), json_piece("{}")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOutput);
    }
}

#[test]
fn an_error_event_is_an_error_of_its_kind() {
    for (kind, expected) in [
        ("overloaded_error", ErrorKind::Overloaded),
        ("rate_limit_error", ErrorKind::RateLimited),
        ("api_error", ErrorKind::Upstream),
        ("brand_new_error", ErrorKind::InvalidResponse),
    ] {
        let error = json!({"type": "error", "error": {"type": kind, "message": "x"}, "request_id": "req_2"});
        let error = run(&text_request(), &[start(known()), error]).unwrap_err();
        assert_eq!(error.kind(), expected);
        assert_eq!(error.request_id(), Some("req_2"));
    }
    let request = text_request();
    let error = Run::new("m", &request).raw("error", b"<html>").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
}

#[test]
fn a_missing_usage_is_estimated_from_what_was_said() {
    for (first, last) in [
        (Value::Null, Value::Null),
        (json!({"input_tokens": 4}), Value::Null),
        (known(), Value::Null),
    ] {
        let events = [
            start(first),
            text_block(),
            text(0, "12345678"),
            end("end_turn", last),
            stop(),
        ];
        let events = run(&text_request(), &events).unwrap();
        let usage = finished(&events).usage;
        assert!(usage.estimated);
        assert!(usage.input_tokens >= 4);
        assert_eq!(usage.output_tokens, 4);
    }
}

#[test]
fn a_prompt_that_is_told_at_the_end_is_estimated_until_then() {
    let request = text_request();
    let mut run = Run::new("m", &request);
    run.event(&start(json!({"input_tokens": 0, "output_tokens": 0})))
        .unwrap();
    let usage = run.assembler.usage_so_far();
    assert_eq!((usage.input_tokens, usage.estimated), (4, true));
    run.event(&end(
        "end_turn",
        json!({"input_tokens": 8, "output_tokens": 9}),
    ))
    .unwrap();
    let usage = run.assembler.usage_so_far();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.estimated),
        (8, 9, false)
    );
}

#[test]
fn the_end_of_the_body_ends_only_what_has_told_why_it_stopped() {
    let request = text_request();
    let mut run = Run::new("m", &request);
    for event in [start(known()), text_block(), text(0, "x")] {
        run.event(&event).unwrap();
    }
    assert!(run.assembler.end(&mut run.out).is_err());
    run.event(&end("end_turn", json!({"output_tokens": 2})))
        .unwrap();
    run.assembler.end(&mut run.out).unwrap();
    let events: Vec<_> = run.out.into();
    assert_eq!(finished(&events).usage.output_tokens, 2);
}

#[test]
fn what_is_kept_is_bounded() {
    let request = text_request();
    let mut run = Run::new("m", &request);
    run.event(&text_block()).unwrap();
    run.event(&text(0, &"x".repeat(1000))).unwrap();
    let error = run.event(&text(0, "x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    let mut run = Run::new("m", &request);
    let blocks = (0..1000).map(|index| run.event(&block(index, json!({"type": "text"}))));
    assert_eq!(blocks.filter(Result::is_ok).count(), MAX_OPEN_BLOCKS);
}

#[test]
fn data_that_break_the_protocol_are_invalid() {
    let request = text_request();
    for (name, data) in [
        ("message_start", &b"{}"[..]),
        ("content_block_delta", b"{\"index\": 0, \"delta\": {}}"),
        (
            "content_block_delta",
            b"{\"index\": 0, \"delta\": {\"type\": \"text_delta\", \"text\": \"\xC3\"}}",
        ),
        ("message_delta", b"[]"),
        ("message_delta", b"{\"usage\": {\"output_tokens\": -1}}"),
        ("", b"{}"),
        ("", b"nothing"),
    ] {
        let error = Run::new("m", &request).raw(name, data).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{name}");
        assert!(!error.is_retryable());
    }
}
