//! JSON schemas: what structured output supports, and the instance that the mock answers with.
//!
//! The instance is minimal and benign, and always the same for a schema:
//!
//! | schema | instance |
//! |---|---|
//! | `const`, `enum` | the constant, the first of the list |
//! | `default`, `examples` | not looked at |
//! | `anyOf`, `oneOf` | of the first branch |
//! | `allOf` | the branches' objects joined |
//! | `$ref` | of what it points to in the same document |
//! | several types | of the first one |
//! | object | its `required` properties; all of its properties where `required` is absent |
//! | array | `minItems` items (0 when absent, at most 100) |
//! | integer, number | the middle of the bounds (halves down); the only bound; else 0; then up (down, at an upper bound) to a `multipleOf` |
//! | string | one of its `format`, else `texto` fitted to `minLength` and `maxLength` |
//! | boolean | `false` |
//! | null | `null` |
//!
//! `pattern` isn't looked at.

use serde_json::{Map, Number, Value};

/// Deepest nesting; a recursive schema would have no end.
const MAX_DEPTH: usize = 32;

/// Most schemas looked at for one request: references to references could be a great many.
const MAX_NODES: u32 = 20_000;

const ENDLESS: &str = "Recursive, too deeply nested or too large schemas are not supported";

/// Most items of an array, whatever `minItems` says.
const MAX_ITEMS: u64 = 100;

/// Longest string, whatever `minLength` says.
const MAX_LENGTH: u64 = 10_000;

/// What structured output refuses in a schema, as the API refuses it: objects must be closed
/// (`additionalProperties: false`), no bounds on numbers, strings or arrays (other than
/// `minItems` 0 or 1), no recursion, no reference out of the document.
pub(crate) fn check_supported(schema: &Value) -> Result<(), String> {
    check(schema, &mut Walk::new(schema), 0)
}

/// A walk through a schema that ends.
struct Walk<'a> {
    root: &'a Value,
    left: u32,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Value) -> Self {
        Self {
            root,
            left: MAX_NODES,
        }
    }

    fn enter(&mut self, depth: usize) -> Result<(), String> {
        self.left = self.left.saturating_sub(1);
        if depth > MAX_DEPTH || self.left == 0 {
            Err(ENDLESS.to_owned())
        } else {
            Ok(())
        }
    }
}

fn check(schema: &Value, walk: &mut Walk<'_>, depth: usize) -> Result<(), String> {
    walk.enter(depth)?;
    let Value::Object(map) = schema else {
        return Err("A schema must be an object".to_owned());
    };
    if map.contains_key("$ref") {
        return check(resolve(map, walk.root)?, walk, depth + 1);
    }
    let kind = first_type(map);
    let open = map.get("additionalProperties") != Some(&Value::Bool(false));
    if kind == Some("object") && open {
        return Err(
            "For 'object' type, 'additionalProperties' must be explicitly set to false".to_owned(),
        );
    }
    let refused = refused_keywords(map);
    if !refused.is_empty() {
        let kind = kind.unwrap_or("any");
        return Err(format!(
            "For '{kind}' type, properties {} are not supported",
            refused.join(", ")
        ));
    }
    for child in children(map) {
        check(child, walk, depth + 1)?;
    }
    Ok(())
}

fn refused_keywords(map: &Map<String, Value>) -> Vec<&str> {
    const REFUSED: [&str; 12] = [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "patternProperties",
    ];
    let mut refused: Vec<&str> = REFUSED
        .into_iter()
        .filter(|name| map.contains_key(*name))
        .collect();
    if map
        .get("minItems")
        .is_some_and(|least| !matches!(least.as_u64(), Some(0 | 1)))
    {
        refused.push("minItems");
    }
    refused
}

fn children(map: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let of_maps = ["properties", "$defs", "definitions"]
        .into_iter()
        .filter_map(|name| map.get(name).and_then(Value::as_object))
        .flat_map(|children| children.values());
    let of_lists = ["anyOf", "oneOf", "allOf"]
        .into_iter()
        .filter_map(|name| map.get(name).and_then(Value::as_array))
        .flatten();
    of_maps.chain(of_lists).chain(map.get("items"))
}

/// The instance that the module's table describes.
///
/// # Errors
///
/// In words: a reference that leads nowhere, or recursion without an end.
pub(crate) fn instance(schema: &Value) -> Result<Value, String> {
    make(schema, &mut Walk::new(schema), 0)
}

fn make(schema: &Value, walk: &mut Walk<'_>, depth: usize) -> Result<Value, String> {
    walk.enter(depth)?;
    // `true`, the schema of anything.
    let Value::Object(map) = schema else {
        return Ok(Value::Object(Map::new()));
    };
    if map.contains_key("$ref") {
        return make(resolve(map, walk.root)?, walk, depth + 1);
    }
    if let Some(constant) = map.get("const") {
        return Ok(constant.clone());
    }
    if let Some(first) = list(map, "enum").first() {
        return Ok(first.clone());
    }
    let branches = [list(map, "anyOf"), list(map, "oneOf")];
    if let Some(first) = branches.into_iter().find_map(<[Value]>::first) {
        return make(first, walk, depth + 1);
    }
    if !list(map, "allOf").is_empty() {
        return join(list(map, "allOf"), walk, depth + 1);
    }
    match first_type(map) {
        Some("array") => array(map, walk, depth),
        Some("integer") => Ok(Value::from(integer(map))),
        Some("number") => Ok(number(map)),
        Some("string") => Ok(Value::String(string(map))),
        Some("boolean") => Ok(Value::Bool(false)),
        Some("null") => Ok(Value::Null),
        _ => object(map, walk, depth),
    }
}

fn list<'a>(map: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    map.get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn first_type(map: &Map<String, Value>) -> Option<&str> {
    match map.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        _ => None,
    }
}

fn resolve<'a>(map: &Map<String, Value>, root: &'a Value) -> Result<&'a Value, String> {
    let reference = map.get("$ref").and_then(Value::as_str).unwrap_or_default();
    reference
        .strip_prefix('#')
        .and_then(|pointer| root.pointer(pointer))
        .ok_or_else(|| format!("Reference '{reference}' could not be resolved"))
}

fn join(branches: &[Value], walk: &mut Walk<'_>, depth: usize) -> Result<Value, String> {
    let mut joined = Map::new();
    for branch in branches {
        match make(branch, walk, depth)? {
            Value::Object(more) => joined.extend(more),
            other => return Ok(other),
        }
    }
    Ok(Value::Object(joined))
}

fn object(map: &Map<String, Value>, walk: &mut Walk<'_>, depth: usize) -> Result<Value, String> {
    let none = Map::new();
    let properties = map
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let required = map.get("required").and_then(Value::as_array);
    let wanted = |name: &str| required.is_none_or(|names| names.iter().any(|each| each == name));
    let mut made = Map::new();
    for (name, property) in properties.iter().filter(|(name, _)| wanted(name)) {
        made.insert(name.clone(), make(property, walk, depth + 1)?);
    }
    Ok(Value::Object(made))
}

fn array(map: &Map<String, Value>, walk: &mut Walk<'_>, depth: usize) -> Result<Value, String> {
    let least = map
        .get("minItems")
        .and_then(Value::as_u64)
        .unwrap_or(0)
        .min(MAX_ITEMS);
    let items = map.get("items").unwrap_or(&Value::Bool(true));
    (0..least)
        .map(|_| make(items, walk, depth + 1))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

fn integer(map: &Map<String, Value>) -> i64 {
    let bound = |name: &str| map.get(name).and_then(whole);
    let low = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|n| n.saturating_add(1)));
    let high = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|n| n.saturating_sub(1)));
    let middle = match (low, high) {
        (Some(low), Some(high)) => i64::midpoint(low, high.max(low)),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => 0,
    };
    match bound("multipleOf") {
        Some(step) if step > 1 => {
            let down = middle.saturating_sub(middle.rem_euclid(step));
            let up = if down == middle {
                middle
            } else {
                down.saturating_add(step)
            };
            if high.is_some_and(|high| up > high) {
                down
            } else {
                up
            }
        }
        _ => middle,
    }
}

/// A bound as an integer, also when it is written `5.0`.
fn whole(value: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float saturates, as a bound may"
    )]
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|float| float as i64))
}

fn number(map: &Map<String, Value>) -> Value {
    let bound = |name: &str| map.get(name).and_then(Value::as_f64);
    let low = bound("minimum").or_else(|| bound("exclusiveMinimum"));
    let high = bound("maximum").or_else(|| bound("exclusiveMaximum"));
    let middle = match (low, high) {
        (Some(low), Some(high)) => f64::midpoint(low, high),
        (Some(low), None) if map.contains_key("exclusiveMinimum") => low + 1.0,
        (None, Some(high)) if map.contains_key("exclusiveMaximum") => high - 1.0,
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => 0.0,
    };
    let middle = match bound("multipleOf") {
        Some(step) if step > 0.0 => (middle / step).ceil() * step,
        _ => middle,
    };
    Number::from_f64(middle).map_or(Value::from(0), Value::Number)
}

fn string(map: &Map<String, Value>) -> String {
    let known = match map.get("format").and_then(Value::as_str) {
        Some("date-time") => Some("2026-01-01T00:00:00Z"),
        Some("date") => Some("2026-01-01"),
        Some("time") => Some("00:00:00Z"),
        Some("duration") => Some("PT1S"),
        Some("email") => Some("persona@example.cl"),
        Some("hostname") => Some("example.cl"),
        Some("uri") => Some("https://example.cl/"),
        Some("ipv4") => Some("192.0.2.1"),
        Some("ipv6") => Some("2001:db8::1"),
        Some("uuid") => Some("00000000-0000-4000-8000-000000000000"),
        _ => None,
    };
    if let Some(known) = known {
        return known.to_owned();
    }
    let bound = |name: &str| map.get(name).and_then(Value::as_u64);
    let least = bound("minLength").unwrap_or(0).min(MAX_LENGTH);
    let most = bound("maxLength").unwrap_or(MAX_LENGTH);
    let length = 5_u64.max(least).min(most);
    "texto"
        .chars()
        .cycle()
        .take(usize::try_from(length).unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests;
