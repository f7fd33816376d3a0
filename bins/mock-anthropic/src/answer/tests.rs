//! What is said, and where it ends.

use super::*;
use crate::request::Route;
use serde_json::json;

fn request(changes: &[(&str, Value)]) -> Request {
    let mut body = json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 1_000,
        "messages": [{"role": "user", "content": "¿Está bien esta factura?"}],
    });
    for (name, value) in changes {
        body[*name] = value.clone();
    }
    Request::parse(body.to_string().as_bytes(), Route::Messages, true).unwrap()
}

fn answer(request: &Request, scripted: Option<Answer>) -> Composed {
    compose(request, scripted, 60, &Sequence::new(1)).unwrap()
}

fn said(composed: &Composed) -> &str {
    composed.block.as_ref().map_or("", Block::payload)
}

fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["confidence"],
        "properties": {"confidence": {"type": "integer"}},
    })
}

fn forced() -> Request {
    request(&[
        (
            "tools",
            json!([{"name": "veredicto", "input_schema": schema()}]),
        ),
        ("tool_choice", json!({"type": "tool", "name": "veredicto"})),
    ])
}

#[test]
fn a_text_depends_on_the_prompt_alone_and_has_its_length() {
    let one = answer(&request(&[]), None);
    assert_eq!(one, answer(&request(&[]), None));
    assert_eq!(
        (one.output_tokens, one.stop_reason.as_str()),
        (60, "end_turn")
    );
    let other = request(&[(
        "messages",
        json!([{"role": "user", "content": "¿Y esta otra?"}]),
    )]);
    assert_ne!(said(&one), said(&answer(&other, None)));
}

#[test]
fn a_text_is_never_endless() {
    let request = request(&[("max_tokens", json!(u32::MAX))]);
    let composed = compose(&request, None, u32::MAX, &Sequence::new(1)).unwrap();
    assert_eq!(composed.output_tokens, 100_000);
}

#[test]
fn max_tokens_cuts() {
    let cut = answer(&request(&[("max_tokens", json!(7))]), None);
    assert_eq!(
        (cut.output_tokens, cut.stop_reason.as_str()),
        (7, "max_tokens")
    );
    assert!(said(&cut).len() <= 28);
    let warming = answer(&request(&[("max_tokens", json!(0))]), None);
    assert_eq!((warming.block, warming.output_tokens), (None, 0));
    assert_eq!(warming.stop_reason, "max_tokens");
}

#[test]
fn the_first_stop_sequence_ends_the_text() {
    let stops = request(&[("stop_sequences", json!(["cuatro", "dos", "nunca"]))]);
    let stopped = answer(&stops, Some(Answer::once("uno dos tres cuatro")));
    assert_eq!(said(&stopped), "uno ");
    assert_eq!(stopped.stop_reason, "stop_sequence");
    assert_eq!(stopped.stop_sequence.as_deref(), Some("dos"));
    let free = answer(&stops, Some(Answer::once("uno")));
    assert_eq!(
        (free.stop_reason.as_str(), free.stop_sequence),
        ("end_turn", None)
    );
}

#[test]
fn a_schema_is_answered_with_its_instance() {
    let format = json!({"format": {"type": "json_schema", "schema": schema()}});
    let composed = answer(&request(&[("output_config", format.clone())]), None);
    assert_eq!(said(&composed), r#"{"confidence":0}"#);
    let nonsense = answer(
        &request(&[("output_config", format)]),
        Some(Answer::once("¿qué?")),
    );
    assert_eq!(said(&nonsense), "¿qué?");
}

#[test]
fn a_forced_tool_is_called() {
    let composed = answer(&forced(), None);
    let Some(Block::Tool { id, name, json }) = &composed.block else {
        panic!("{composed:?}")
    };
    assert!(id.starts_with("toolu_"));
    assert_eq!(
        (name.as_str(), json.as_str()),
        ("veredicto", r#"{"confidence":0}"#)
    );
    assert_eq!(composed.stop_reason, "tool_use");
}

#[test]
fn a_forced_tool_takes_a_scripted_object_and_nothing_else() {
    let called = answer(&forced(), Some(Answer::once(r#"{"confidence": 99}"#)));
    assert!(matches!(&called.block, Some(Block::Tool { json, .. }) if json.contains("99")));
    let spoken = answer(&forced(), Some(Answer::once("[1]")));
    assert_eq!(spoken.block, Some(Block::Text("[1]".to_owned())));
    assert_eq!(spoken.stop_reason, "end_turn");
}

#[test]
fn a_script_chooses_the_stop_reason() {
    let refused = answer(
        &request(&[]),
        Some(Answer::once("No.").stopped_by("refusal")),
    );
    assert_eq!(refused.stop_reason, "refusal");
}
