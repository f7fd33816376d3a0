//! A request's body: checked as the API checks it, and laid out as a [`Prompt`].

mod fields;

use serde_json::{Map, Value};

use crate::{
    chat,
    error::ApiError,
    prompt::{Prompt, Section},
    schema,
    tokens::Model,
};
use fields::{at_most, bool_field, count, forbidden, object, strings, text};

/// Most messages in one request (the API's own limit).
const MAX_MESSAGES: usize = 100_000;

/// Which route a body came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Messages,
    /// OpenAI's chat completions.
    Chat,
    CountTokens,
}

/// What kind of answer is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Output {
    Text,
    /// `output_config.format`: the text is JSON of this schema.
    Json(Value),
    /// `tool_choice` names this tool (or says `any`): its input is of this schema.
    Tool {
        name: String,
        schema: Value,
    },
}

/// A valid request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) model: String,
    pub(crate) max_tokens: u32,
    pub(crate) stream: bool,
    pub(crate) stop_sequences: Vec<String>,
    pub(crate) output: Output,
    pub(crate) min_cacheable: u32,
    pub(crate) prompt: Prompt,
}

impl Request {
    /// Reads and checks a body. `strict_schemas` refuses what structured output doesn't support.
    pub(crate) fn parse(body: &[u8], route: Route, strict_schemas: bool) -> Result<Self, ApiError> {
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            ApiError::invalid(format!("The request body is not valid JSON: {error}"))
        })?;
        let Value::Object(mut body) = body else {
            return Err(ApiError::invalid("The request body must be a JSON object"));
        };
        if route == Route::Chat {
            return chat::parse(&body, strict_schemas);
        }
        let id = text(&body, "model")?.to_owned();
        let model = Model::parse(&id)
            .ok_or_else(|| ApiError::new(http::StatusCode::NOT_FOUND, format!("model: {id}")))?;
        check_sampling(&body, model, &id)?;
        let max_tokens = match route {
            Route::Messages => count(&body, "max_tokens")?,
            Route::Chat | Route::CountTokens => 0,
        };
        let output = output(&body, strict_schemas)?;
        let stream = bool_field(&body, "stream")?;
        let stop_sequences = strings(&body, "stop_sequences")?;
        let prompt = layout(&mut body, model)?;
        let min_cacheable = model.min_cacheable();
        Ok(Self {
            model: id,
            max_tokens,
            stream,
            stop_sequences,
            output,
            min_cacheable,
            prompt,
        })
    }
}

fn check_sampling(body: &Map<String, Value>, model: Model<'_>, id: &str) -> Result<(), ApiError> {
    for (name, most) in [("temperature", 1.0), ("top_p", 1.0), ("top_k", f64::MAX)] {
        at_most(body, name, most)?;
        if !model.takes_sampling() && body.get(name).is_some_and(|value| !value.is_null()) {
            return Err(ApiError::invalid(format!(
                "`{name}` is not supported for model {id}"
            )));
        }
    }
    Ok(())
}

fn output(body: &Map<String, Value>, strict: bool) -> Result<Output, ApiError> {
    let format = body
        .get("output_config")
        .and_then(|config| config.get("format"));
    let format = format.filter(|format| !format.is_null());
    if let Some(schema) = format
        .map(|format| format_schema(format, strict))
        .transpose()?
    {
        return Ok(Output::Json(schema.clone()));
    }
    let tools = body
        .get("tools")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let Some(choice) = body.get("tool_choice").filter(|choice| !choice.is_null()) else {
        return Ok(Output::Text);
    };
    let tool = match choice.get("type").and_then(Value::as_str) {
        Some("auto" | "none") => return Ok(Output::Text),
        Some("any") => tools.first().ok_or_else(|| {
            ApiError::invalid("tool_choice: `any` may only be specified while providing tools")
        })?,
        Some("tool") => named_tool(tools, choice)?,
        _ => {
            return Err(ApiError::invalid(
                "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'",
            ));
        }
    };
    Ok(Output::Tool {
        name: tool
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        schema: tool
            .get("input_schema")
            .cloned()
            .unwrap_or(Value::Bool(true)),
    })
}

fn format_schema(format: &Value, strict: bool) -> Result<&Value, ApiError> {
    if format.get("type").and_then(Value::as_str) != Some("json_schema") {
        return Err(ApiError::invalid(
            "output_config.format.type: Input should be 'json_schema'",
        ));
    }
    let schema = format
        .get("schema")
        .ok_or_else(|| ApiError::invalid("output_config.format.schema: Field required"))?;
    if strict {
        schema::check_supported(schema).map_err(|problem| {
            ApiError::invalid(format!("output_config.format.schema: {problem}"))
        })?;
    }
    Ok(schema)
}

fn named_tool<'a>(tools: &'a [Value], choice: &Value) -> Result<&'a Value, ApiError> {
    let name = choice
        .get("name")
        .and_then(Value::as_str)
        .ok_or_else(|| ApiError::invalid("tool_choice.tool.name: Field required"))?;
    tools
        .iter()
        .find(|tool| tool.get("name").and_then(Value::as_str) == Some(name))
        .ok_or_else(|| ApiError::invalid(format!("Tool '{name}' not found in provided tools")))
}

/// Lays the prompt out in the order that the prefix cache goes by.
fn layout(body: &mut Map<String, Value>, model: Model<'_>) -> Result<Prompt, ApiError> {
    let mut prompt = Prompt::default();
    lay_tools(&mut prompt, body.remove("tools"))?;
    if let Some(format) = body
        .get("output_config")
        .and_then(|config| config.get("format"))
    {
        prompt.push_plain(Section::System, format.clone());
    }
    lay_system(&mut prompt, body.remove("system"))?;
    // A change in either leaves tools and system cached, and the messages not.
    for name in ["tool_choice", "thinking"] {
        prompt.salt_messages(name, body.get(name));
    }
    lay_messages(&mut prompt, body.remove("messages"), model)?;
    if let Some(mark) = body.get("cache_control").filter(|mark| !mark.is_null()) {
        prompt.mark_last(mark)?;
    }
    prompt.check_marks()?;
    Ok(prompt)
}

fn lay_tools(prompt: &mut Prompt, tools: Option<Value>) -> Result<(), ApiError> {
    let tools = match tools {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(tools)) => tools,
        Some(_) => return Err(ApiError::invalid("tools: Input should be a valid list")),
    };
    for (index, tool) in tools.into_iter().enumerate() {
        let path = format!("tools.{index}");
        let tool = object(tool, &path)?;
        text(&tool, "name").map_err(|error| fields::under(&path, error))?;
        // Only tools of the client's own carry a schema; server tools have a dated type.
        let own = tool
            .get("type")
            .and_then(Value::as_str)
            .is_none_or(|kind| kind == "custom");
        if own && !tool.get("input_schema").is_some_and(Value::is_object) {
            return Err(ApiError::invalid(format!(
                "{path}.custom.input_schema: Field required"
            )));
        }
        prompt.push(Section::Tools, None, tool, &path)?;
    }
    Ok(())
}

fn lay_system(prompt: &mut Prompt, system: Option<Value>) -> Result<(), ApiError> {
    match system {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) => {
            prompt.push_text(Section::System, None, text);
            Ok(())
        }
        Some(Value::Array(blocks)) => {
            for (index, block) in blocks.into_iter().enumerate() {
                let path = format!("system.{index}");
                let block = object(block, &path)?;
                if block.get("type").and_then(Value::as_str) != Some("text") {
                    return Err(ApiError::invalid(format!(
                        "{path}.type: Input should be 'text'"
                    )));
                }
                lay_block(prompt, Section::System, None, block, &path)?;
            }
            Ok(())
        }
        Some(_) => Err(ApiError::invalid(
            "system: Input should be a valid string or list",
        )),
    }
}

fn lay_messages(
    prompt: &mut Prompt,
    messages: Option<Value>,
    model: Model<'_>,
) -> Result<(), ApiError> {
    let messages = match messages {
        Some(Value::Array(messages)) => messages,
        None => return Err(ApiError::invalid("messages: Field required")),
        Some(_) => return Err(ApiError::invalid("messages: Input should be a valid list")),
    };
    if messages.is_empty() {
        return Err(ApiError::invalid(
            "messages: at least one message is required",
        ));
    }
    forbidden(
        messages.len() > MAX_MESSAGES,
        "messages: at most 100000 messages are allowed",
    )?;
    let last = messages.len() - 1;
    for (index, message) in messages.into_iter().enumerate() {
        let path = format!("messages.{index}");
        let mut message = object(message, &path)?;
        let role = text(&message, "role").map_err(|error| fields::under(&path, error))?;
        let role = Role::parse(role, &path)?;
        check_turn(role, index, last, model)?;
        lay_content(
            prompt,
            role,
            message.remove("content"),
            index == last,
            &path,
        )?;
    }
    Ok(())
}

/// Whose turn a message is. Turns of one side in a row are joined by the API, not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    User,
    Assistant,
    System,
}

impl Role {
    fn parse(role: &str, path: &str) -> Result<Self, ApiError> {
        match role {
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            "system" => Ok(Self::System),
            _ => Err(ApiError::invalid(format!(
                "{path}.role: Unexpected role \"{role}\". Allowed roles are \"user\", \
                 \"assistant\" and \"system\""
            ))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }
}

fn check_turn(role: Role, index: usize, last: usize, model: Model<'_>) -> Result<(), ApiError> {
    forbidden(
        index == 0 && role != Role::User,
        "messages: first message must use the \"user\" role",
    )?;
    forbidden(
        index == last && role == Role::Assistant && !model.takes_prefill(),
        "This model does not support assistant message prefill. The conversation must end with \
         a user message.",
    )
}

fn lay_content(
    prompt: &mut Prompt,
    role: Role,
    content: Option<Value>,
    last: bool,
    path: &str,
) -> Result<(), ApiError> {
    let empty_allowed = last && role == Role::Assistant;
    let empty = || {
        ApiError::invalid(format!(
            "{path}: all messages must have non-empty content except for the optional final \
             assistant message"
        ))
    };
    prompt.begin_message();
    match content {
        None | Some(Value::Null) => {
            Err(ApiError::invalid(format!("{path}.content: Field required")))
        }
        Some(Value::String(text)) if text.is_empty() && !empty_allowed => Err(empty()),
        Some(Value::String(text)) => {
            prompt.push_text(Section::Messages, Some(role.name()), text);
            Ok(())
        }
        Some(Value::Array(blocks)) if blocks.is_empty() && !empty_allowed => Err(empty()),
        Some(Value::Array(blocks)) => {
            for (index, block) in blocks.into_iter().enumerate() {
                let path = format!("{path}.content.{index}");
                let block = object(block, &path)?;
                lay_block(prompt, Section::Messages, Some(role.name()), block, &path)?;
            }
            Ok(())
        }
        Some(_) => Err(ApiError::invalid(format!(
            "{path}.content: Input should be a valid string or list"
        ))),
    }
}

fn lay_block(
    prompt: &mut Prompt,
    section: Section,
    role: Option<&'static str>,
    block: Map<String, Value>,
    path: &str,
) -> Result<(), ApiError> {
    let kind = text(&block, "type").map_err(|error| fields::under(path, error))?;
    if kind == "text" {
        let words = text(&block, "text").map_err(|error| fields::under(path, error))?;
        forbidden(
            words.is_empty(),
            "messages: text content blocks must be non-empty",
        )?;
    }
    prompt.push(section, role, block, path)
}

#[cfg(test)]
mod tests;
