//! The answer's JSON and its events.

use super::*;
use serde_json::json;

fn usage() -> PromptUsage {
    PromptUsage {
        input: 10,
        read: 2_000,
        written_5m: 30,
        written_1h: 4,
    }
}

fn composed(block: Option<Block>, output_tokens: u32) -> Composed {
    Composed {
        block,
        stop_reason: "end_turn".to_owned(),
        stop_sequence: None,
        output_tokens,
    }
}

fn reply(composed: &Composed) -> Reply<'_> {
    Reply {
        id: "msg_1",
        model: "claude-sonnet-4-5",
        composed,
        usage: usage(),
    }
}

/// Name and data of each event.
fn read(events: &[Event]) -> Vec<(String, Value)> {
    events
        .iter()
        .map(|event| {
            let text = std::str::from_utf8(&event.bytes).unwrap();
            let (name, data) = text.split_once('\n').unwrap();
            let data = data
                .strip_prefix("data: ")
                .unwrap()
                .strip_suffix("\n\n")
                .unwrap();
            let name = name.strip_prefix("event: ").unwrap();
            (name.to_owned(), serde_json::from_str(data).unwrap())
        })
        .collect()
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_whole_answer_has_every_field() {
    let composed = composed(Some(Block::Text("Hola".to_owned())), 1);
    let body: Value = serde_json::from_slice(&reply(&composed).body()).unwrap();
    assert_eq!(
        body,
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": [{"type": "text", "text": "Hola"}],
            "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {
                "input_tokens": 10,
                "cache_creation_input_tokens": 34,
                "cache_read_input_tokens": 2000,
                "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 4},
                "output_tokens": 1,
                "service_tier": "standard",
            },
        })
    );
}

#[test]
fn a_tool_input_is_an_object_even_when_it_was_cut_off() {
    for (json, wanted) in [(r#"{"a":1}"#, json!({"a": 1})), (r#"{"a":"#, json!({}))] {
        let block = Block::Tool {
            id: "t".to_owned(),
            name: "n".to_owned(),
            json: json.to_owned(),
        };
        let composed = composed(Some(block), 1);
        let body: Value = serde_json::from_slice(&reply(&composed).body()).unwrap();
        assert_eq!(body["content"][0]["input"], wanted);
    }
}

#[test]
fn events_come_in_order_and_add_up() {
    let text = "La factura está bien. ".repeat(10);
    let composed = composed(Some(Block::Text(text.clone())), 56);
    let events = read(&reply(&composed).events(Pace::INSTANT));
    let delta = "content_block_delta";
    assert_eq!(
        names(&events),
        [
            "message_start",
            "content_block_start",
            "ping",
            delta,
            delta,
            "ping",
            delta,
            delta,
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    let said: String = events
        .iter()
        .filter_map(|(_, data)| data["delta"]["text"].as_str())
        .collect();
    assert_eq!(said, text);
    for (name, data) in &events {
        assert_eq!(
            data["type"],
            json!(name),
            "the data repeats the event's name"
        );
    }
    assert_eq!(events[0].1["message"]["usage"]["output_tokens"], 1);
    assert_eq!(events[0].1["message"]["stop_reason"], json!(null));
    let delta = &events[events.len() - 2].1;
    assert_eq!(delta["usage"]["output_tokens"], 56, "cumulative");
    assert_eq!(delta["usage"]["cache_read_input_tokens"], 2_000);
    assert_eq!(delta["delta"]["stop_reason"], "end_turn");
}

#[test]
fn a_tool_input_is_streamed_in_pieces() {
    let json = format!(r#"{{"a":"{}"}}"#, "x".repeat(200));
    let block = Block::Tool {
        id: "t".to_owned(),
        name: "n".to_owned(),
        json: json.clone(),
    };
    let composed = composed(Some(block), 52);
    let events = read(&reply(&composed).events(Pace::INSTANT));
    assert_eq!(
        events[1].1["content_block"],
        json!({"type": "tool_use", "id": "t", "name": "n", "input": {}})
    );
    let sent: String = events
        .iter()
        .filter_map(|(_, data)| data["delta"]["partial_json"].as_str())
        .collect();
    assert_eq!(sent, json);
}

#[test]
fn events_keep_the_pace() {
    let composed = composed(Some(Block::Text("a".repeat(400))), 100);
    let events = reply(&composed).events(Pace::new(crate::pace::Delay::NONE, 32.0));
    assert_eq!(events[0].after, Duration::ZERO);
    let last = events[events.len() - 1].after;
    assert_eq!(last, Duration::from_millis(3_125));
    assert!(events.windows(2).all(|pair| pair[0].after <= pair[1].after));
}

#[test]
fn nothing_said_is_still_a_stream() {
    let composed = composed(None, 0);
    let events = read(&reply(&composed).events(Pace::INSTANT));
    assert_eq!(
        names(&events),
        ["message_start", "message_delta", "message_stop"]
    );
}
