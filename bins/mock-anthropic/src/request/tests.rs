//! What the API refuses, and with which words.

use super::*;
use serde_json::json;

fn valid() -> Value {
    json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": "hola"}],
    })
}

fn parse(body: &Value) -> Result<Request, ApiError> {
    Request::parse(body.to_string().as_bytes(), Route::Messages, true)
}

/// The valid body with one field changed; null takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut body = valid();
    if value.is_null() {
        body.as_object_mut().unwrap().remove(name);
    } else {
        body[name] = value;
    }
    body
}

fn messages(list: Value) -> Value {
    with("messages", list)
}

fn marked(count: usize, ttl: &str) -> Vec<Value> {
    let mark = json!({"type": "ephemeral", "ttl": ttl});
    vec![json!({"type": "text", "text": "x", "cache_control": mark}); count]
}

#[test]
fn what_is_wrong_is_refused() {
    let user = |content: Value| messages(json!([{"role": "user", "content": content}]));
    let mut mixed = marked(1, "5m");
    mixed.extend(marked(1, "1h"));
    let table = [
        (with("model", Value::Null), 400, "model: Field required"),
        (
            with("model", json!(3)),
            400,
            "model: Input should be a valid string",
        ),
        (with("model", json!("gpt-4o")), 404, "model: gpt-4o"),
        (
            with("max_tokens", Value::Null),
            400,
            "max_tokens: Field required",
        ),
        (
            with("max_tokens", json!(-1)),
            400,
            "max_tokens: Input should be",
        ),
        (
            with("stream", json!("yes")),
            400,
            "stream: Input should be a valid boolean",
        ),
        (
            with("stop_sequences", json!([""])),
            400,
            "stop_sequences: Input should be",
        ),
        (
            with("temperature", json!(1.5)),
            400,
            "temperature: Input should be",
        ),
        (
            with("messages", Value::Null),
            400,
            "messages: Field required",
        ),
        (
            messages(json!({})),
            400,
            "messages: Input should be a valid list",
        ),
        (
            messages(json!([])),
            400,
            "messages: at least one message is required",
        ),
        (
            messages(json!(["hola"])),
            400,
            "messages.0: Input should be an object",
        ),
        (
            messages(json!([{"content": "x"}])),
            400,
            "messages.0.role: Field required",
        ),
        (
            messages(json!([{"role": "robot", "content": "x"}])),
            400,
            "Unexpected role \"robot\"",
        ),
        (
            messages(json!([{"role": "assistant", "content": "x"}])),
            400,
            "must use the \"user\" role",
        ),
        (
            messages(json!([{"role": "user"}])),
            400,
            "messages.0.content: Field required",
        ),
        (
            user(json!("")),
            400,
            "messages.0: all messages must have non-empty content",
        ),
        (
            user(json!([])),
            400,
            "messages.0: all messages must have non-empty content",
        ),
        (user(json!(7)), 400, "messages.0.content: Input should be"),
        (
            user(json!([{"text": "x"}])),
            400,
            "messages.0.content.0.type: Field required",
        ),
        (
            user(json!([{"type": "text", "text": ""}])),
            400,
            "text content blocks must be non-empty",
        ),
        (with("system", json!(7)), 400, "system: Input should be"),
        (
            with("system", json!([{"type": "image"}])),
            400,
            "system.0.type: Input should be 'text'",
        ),
        (
            with("system", json!(marked(5, "5m"))),
            400,
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        (
            with("system", json!(marked(1, "2h"))),
            400,
            "system.0.cache_control.ttl: Input should be '5m' or '1h'",
        ),
        (
            with("system", json!(mixed)),
            400,
            "must not come after a ttl='5m'",
        ),
        (
            with("cache_control", json!({"type": "eternal"})),
            400,
            "cache_control.type: Input should be 'ephemeral'",
        ),
        (
            with("tools", json!({})),
            400,
            "tools: Input should be a valid list",
        ),
        (
            with("tools", json!([{"name": "t"}])),
            400,
            "tools.0.custom.input_schema: Field required",
        ),
        (
            with("tools", json!([{"input_schema": {}}])),
            400,
            "tools.0.name: Field required",
        ),
        (
            with("tool_choice", json!({"type": "tool", "name": "t"})),
            400,
            "Tool 't' not found",
        ),
        (
            with("tool_choice", json!({"type": "tool"})),
            400,
            "tool_choice.tool.name: Field required",
        ),
        (
            with("tool_choice", json!({"type": "any"})),
            400,
            "while providing tools",
        ),
        (
            with("tool_choice", json!({"type": "some"})),
            400,
            "tool_choice.type",
        ),
        (
            with("output_config", json!({"format": {"type": "xml"}})),
            400,
            "output_config.format.type",
        ),
        (
            with("output_config", json!({"format": {"type": "json_schema"}})),
            400,
            "output_config.format.schema: Field required",
        ),
        (
            with(
                "output_config",
                json!({"format": {"type": "json_schema", "schema": {"type": "object"}}}),
            ),
            400,
            "output_config.format.schema: For 'object' type",
        ),
        (json!([]), 400, "must be a JSON object"),
    ];
    for (body, status, part) in table {
        let error = parse(&body).unwrap_err();
        assert_eq!(error.status.as_u16(), status, "{body}: {}", error.message);
        assert!(error.message.contains(part), "{body}: {}", error.message);
    }
    let error = Request::parse(b"{", Route::Messages, true).unwrap_err();
    assert!(
        error.message.contains("not valid JSON"),
        "{}",
        error.message
    );
}

#[test]
fn what_is_right_is_taken() {
    for body in [
        valid(),
        with("max_tokens", json!(0)),
        with("temperature", json!(0.3)),
        with("system", json!("Eres un revisor.")),
        with("system", json!(marked(4, "1h"))),
        with(
            "tools",
            json!([{"type": "web_search_20250305", "name": "web_search"}]),
        ),
        // Turns of one side in a row are joined, not refused.
        messages(json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])),
        messages(json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "{"}])),
        messages(json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}])),
        messages(json!([{"role": "user", "content": "a"}, {"role": "system", "content": "b"}])),
    ] {
        assert!(parse(&body).is_ok(), "{body}");
    }
}

#[test]
fn newer_models_refuse_sampling_and_prefill() {
    let mut body = with("temperature", json!(0.3));
    body["model"] = json!("claude-opus-4-7");
    assert!(
        parse(&body)
            .unwrap_err()
            .message
            .contains("`temperature` is not supported")
    );
    let mut body = messages(json!([
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "{"},
    ]));
    body["model"] = json!("claude-sonnet-4-6");
    assert!(parse(&body).unwrap_err().message.contains("prefill"));
}

#[test]
fn counting_needs_no_max_tokens() {
    let body = with("max_tokens", Value::Null).to_string();
    let request = Request::parse(body.as_bytes(), Route::CountTokens, true).unwrap();
    // "hola" and the message's own four.
    assert_eq!(request.prompt.tokens(), 5);
}

#[test]
fn the_wanted_output_is_recognised() {
    let schema = json!({"type": "object", "additionalProperties": false});
    let tools = json!([{"name": "a", "input_schema": schema}, {"name": "b", "input_schema": {}}]);
    let choose = |choice: Value| {
        let mut body = with("tools", tools.clone());
        body["tool_choice"] = choice;
        parse(&body).unwrap().output
    };
    let tool = |name: &str, schema: &Value| Output::Tool {
        name: name.to_owned(),
        schema: schema.clone(),
    };
    assert_eq!(choose(json!({"type": "auto"})), Output::Text);
    assert_eq!(choose(json!({"type": "any"})), tool("a", &schema));
    assert_eq!(
        choose(json!({"type": "tool", "name": "b"})),
        tool("b", &json!({}))
    );
    let format = json!({"format": {"type": "json_schema", "schema": schema}});
    assert_eq!(
        parse(&with("output_config", format)).unwrap().output,
        Output::Json(schema)
    );
}

#[test]
fn lenient_takes_any_schema() {
    let format = json!({"format": {"type": "json_schema", "schema": {"type": "object"}}});
    let body = with("output_config", format).to_string();
    assert!(Request::parse(body.as_bytes(), Route::Messages, false).is_ok());
}
