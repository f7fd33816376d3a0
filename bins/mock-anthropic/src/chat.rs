//! OpenAI's chat completions, as vLLM and its like speak them: so that one mock can be the
//! second model as well. The same answers, pace, faults and counters as for messages.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    answer::Block,
    error::ApiError,
    pace::Pace,
    prompt::{Prompt, Section},
    request::{Output, Request},
    schema,
    wire::{Event, Reply, json_bytes, next_piece},
};

/// What an answer may have where nobody said it.
const DEFAULT_MAX_TOKENS: u32 = 4_096;

/// Reads and checks a body. Any model is known; tools aren't.
pub(crate) fn parse(body: &Map<String, Value>, strict_schemas: bool) -> Result<Request, ApiError> {
    let model = body.get("model").and_then(Value::as_str);
    let model = model.filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| ApiError::invalid("model: Field required"))?;
    let limit = ["max_completion_tokens", "max_tokens"]
        .into_iter()
        .find_map(|name| body.get(name).filter(|value| !value.is_null()));
    let max_tokens = match limit {
        None => DEFAULT_MAX_TOKENS,
        Some(limit) => limit
            .as_u64()
            .and_then(|limit| u32::try_from(limit).ok())
            .filter(|limit| *limit > 0)
            .ok_or_else(|| ApiError::invalid("max_tokens: Input should be a positive integer"))?,
    };
    let mut prompt = Prompt::default();
    let output = output(body, strict_schemas, &mut prompt)?;
    lay_messages(&mut prompt, body.get("messages"))?;
    Ok(Request {
        model: model.to_owned(),
        max_tokens,
        stream: body.get("stream") == Some(&Value::Bool(true)),
        stop_sequences: Vec::new(),
        output,
        min_cacheable: u32::MAX,
        prompt,
    })
}

fn output(
    body: &Map<String, Value>,
    strict: bool,
    prompt: &mut Prompt,
) -> Result<Output, ApiError> {
    let format = body.get("response_format").unwrap_or(&Value::Null);
    match format.get("type").and_then(Value::as_str) {
        None | Some("text") => Ok(Output::Text),
        Some("json_object") => Ok(Output::Json(json!({"type": "object"}))),
        Some("json_schema") => {
            let wanted = format.pointer("/json_schema/schema");
            let wanted = wanted.ok_or_else(|| {
                ApiError::invalid("response_format.json_schema.schema: Field required")
            })?;
            if strict {
                schema::check_supported(wanted).map_err(|problem| {
                    ApiError::invalid(format!("response_format.json_schema.schema: {problem}"))
                })?;
            }
            prompt.push_plain(Section::System, wanted.clone());
            Ok(Output::Json(wanted.clone()))
        }
        Some(_) => Err(ApiError::invalid(
            "response_format.type: Input should be 'text', 'json_object' or 'json_schema'",
        )),
    }
}

fn lay_messages(prompt: &mut Prompt, messages: Option<&Value>) -> Result<(), ApiError> {
    let messages = messages
        .and_then(Value::as_array)
        .filter(|all| !all.is_empty());
    let messages = messages.ok_or_else(|| ApiError::invalid("messages: Field required"))?;
    for (index, message) in messages.iter().enumerate() {
        let role = match message.get("role").and_then(Value::as_str) {
            Some("system" | "developer") => None,
            Some("user") => Some("user"),
            Some("assistant") => Some("assistant"),
            _ => {
                return Err(ApiError::invalid(format!(
                    "messages.{index}.role: Input should be 'system', 'user' or 'assistant'"
                )));
            }
        };
        let text = message.get("content").and_then(Value::as_str);
        let text = text.ok_or_else(|| {
            ApiError::invalid(format!(
                "messages.{index}.content: Input should be a string"
            ))
        })?;
        prompt.begin_message();
        let section = match role {
            None => Section::System,
            Some(_) => Section::Messages,
        };
        prompt.push_text(section, role, text.to_owned());
    }
    Ok(())
}

/// The body of an answer that isn't streamed.
pub(crate) fn body(reply: &Reply<'_>) -> Bytes {
    json_bytes(&json!({
        "id": reply.id,
        "object": "chat.completion",
        "model": reply.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": said(reply)},
            "finish_reason": finish_reason(reply),
        }],
        "usage": usage(reply),
    }))
}

/// The chunks of a streamed answer at this pace. The last one has the usage, asked for or not.
pub(crate) fn events(reply: &Reply<'_>, pace: Pace) -> Vec<Event> {
    let mut events = Vec::new();
    let mut push = |after, choices: Value, usage: Value| {
        let chunk = json!({
            "id": reply.id,
            "object": "chat.completion.chunk",
            "model": reply.model,
            "choices": choices,
            "usage": usage,
        });
        let bytes = data(&json_bytes(&chunk));
        events.push(Event { after, bytes });
    };
    let choice = |delta: Value, reason: Option<&str>| json!([{"index": 0, "delta": delta, "finish_reason": reason}]);
    let first = json!({"role": "assistant", "content": ""});
    push(pace.after_tokens(0), choice(first, None), Value::Null);
    let (mut rest, mut sent) = (said(reply), 0);
    while !rest.is_empty() {
        let piece = next_piece(rest, pace.tokens_per_event());
        rest = &rest[piece.len()..];
        sent += pace.tokens_per_event();
        let delta = json!({"content": piece});
        push(pace.after_tokens(sent), choice(delta, None), Value::Null);
    }
    let end = pace.after_tokens(reply.composed.output_tokens);
    push(
        end,
        choice(json!({}), Some(finish_reason(reply))),
        Value::Null,
    );
    push(end, json!([]), usage(reply));
    events.push(Event {
        after: end,
        bytes: data(b"[DONE]"),
    });
    events
}

fn said<'a>(reply: &'a Reply<'_>) -> &'a str {
    reply.composed.block.as_ref().map_or("", Block::payload)
}

fn finish_reason(reply: &Reply<'_>) -> &'static str {
    match reply.composed.stop_reason.as_str() {
        "max_tokens" => "length",
        "refusal" => "content_filter",
        _ => "stop",
    }
}

fn usage(reply: &Reply<'_>) -> Value {
    let (prompt, completion) = (reply.usage.input, reply.composed.output_tokens);
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt.saturating_add(completion),
    })
}

fn data(json: &[u8]) -> Bytes {
    Bytes::from([b"data: ", json, b"\n\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &Value) -> Result<Request, ApiError> {
        parse(body.as_object().unwrap(), true)
    }

    fn minimal() -> Value {
        json!({"model": "qwen", "messages": [{"role": "user", "content": "hola"}]})
    }

    #[test]
    fn a_body_is_read() {
        let mut body = minimal();
        body["max_completion_tokens"] = json!(7);
        body["stream"] = json!(true);
        body["response_format"] = json!({"type": "json_schema", "json_schema": {"schema": {
            "type": "object", "properties": {}, "required": [], "additionalProperties": false,
        }}});
        let request = parsed(&body).unwrap();
        assert_eq!((request.model.as_str(), request.max_tokens), ("qwen", 7));
        assert!(request.stream && matches!(request.output, Output::Json(_)));
        assert_eq!(request.prompt.last_words(), "hola");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, wrong) in [
            ("model", json!("")),
            ("max_tokens", json!(0)),
            ("max_tokens", json!("ten")),
            ("messages", json!([])),
            ("messages", json!([{"role": "tool", "content": "x"}])),
            ("messages", json!([{"role": "user", "content": 1}])),
            ("response_format", json!({"type": "xml"})),
            ("response_format", json!({"type": "json_schema"})),
        ] {
            let mut body = minimal();
            body[name] = wrong;
            let error = parsed(&body).unwrap_err();
            assert!(error.message.starts_with(name), "{}", error.message);
        }
    }
}
