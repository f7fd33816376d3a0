//! Field access with the API's own wording of what is wrong.

use serde_json::{Map, Value};

use crate::error::ApiError;

/// The same error, with the path of the object that holds the field before it.
pub(super) fn under(path: &str, mut error: ApiError) -> ApiError {
    error.message = format!("{path}.{}", error.message);
    error
}

/// 400 with this message when the condition holds.
pub(super) fn forbidden(condition: bool, message: &str) -> Result<(), ApiError> {
    if condition {
        Err(ApiError::invalid(message))
    } else {
        Ok(())
    }
}

/// The object that a value must be.
pub(super) fn object(value: Value, path: &str) -> Result<Map<String, Value>, ApiError> {
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(ApiError::invalid(format!(
            "{path}: Input should be an object"
        ))),
    }
}

/// A string that must be there.
pub(super) fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Result<&'a str, ApiError> {
    match map.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ApiError::invalid(format!(
            "{name}: Input should be a valid string"
        ))),
        None => Err(ApiError::invalid(format!("{name}: Field required"))),
    }
}

/// A count of zero or more that must be there.
pub(super) fn count(map: &Map<String, Value>, name: &str) -> Result<u32, ApiError> {
    let value = map
        .get(name)
        .ok_or_else(|| ApiError::invalid(format!("{name}: Field required")))?;
    value
        .as_u64()
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| {
            ApiError::invalid(format!(
                "{name}: Input should be a valid integer, greater than or equal to 0"
            ))
        })
}

/// A flag; absent is false.
pub(super) fn bool_field(map: &Map<String, Value>, name: &str) -> Result<bool, ApiError> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(ApiError::invalid(format!(
            "{name}: Input should be a valid boolean"
        ))),
    }
}

/// A list of strings; absent is empty.
pub(super) fn strings(map: &Map<String, Value>, name: &str) -> Result<Vec<String>, ApiError> {
    let wrong = || ApiError::invalid(format!("{name}: Input should be a valid list of strings"));
    match map.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| {
                item.as_str()
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned)
                    .ok_or_else(wrong)
            })
            .collect(),
        Some(_) => Err(wrong()),
    }
}

/// An optional number between 0 and `most`.
pub(super) fn at_most(map: &Map<String, Value>, name: &str, most: f64) -> Result<(), ApiError> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(value) => match value.as_f64() {
            Some(number) if (0.0..=most).contains(&number) => Ok(()),
            _ => Err(ApiError::invalid(format!(
                "{name}: Input should be a number in range"
            ))),
        },
    }
}
