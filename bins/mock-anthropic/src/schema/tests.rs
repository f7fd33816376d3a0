//! Schemas and the instances made of them.

use super::*;
use serde_json::json;

#[test]
fn instances_by_schema() {
    let table = [
        (json!({"const": 7}), json!(7)),
        (json!({"enum": ["send", "reject"]}), json!("send")),
        (json!({"type": "string"}), json!("texto")),
        (json!({"type": "string", "minLength": 7}), json!("textote")),
        (json!({"type": "string", "maxLength": 2}), json!("te")),
        (
            json!({"type": "string", "format": "date"}),
            json!("2026-01-01"),
        ),
        (json!({"type": "boolean"}), json!(false)),
        (json!({"type": "null"}), json!(null)),
        (json!({"type": "integer"}), json!(0)),
        (
            json!({"type": "integer", "minimum": 0, "maximum": 100}),
            json!(50),
        ),
        (json!({"type": "integer", "minimum": 3}), json!(3)),
        (json!({"type": "integer", "maximum": -3}), json!(-3)),
        (json!({"type": "integer", "exclusiveMinimum": 3}), json!(4)),
        (
            json!({"type": "integer", "minimum": 1, "maximum": 20, "multipleOf": 7}),
            json!(14),
        ),
        (
            json!({"type": "integer", "minimum": 9, "maximum": 15, "multipleOf": 10}),
            json!(10),
        ),
        (
            json!({"type": "number", "minimum": 0, "maximum": 1}),
            json!(0.5),
        ),
        (json!({"type": "number", "exclusiveMinimum": 2}), json!(3.0)),
        (json!({"type": ["string", "null"]}), json!("texto")),
        (
            json!({"anyOf": [{"type": "null"}, {"type": "string"}]}),
            json!(null),
        ),
        (json!({"oneOf": [{"type": "integer"}]}), json!(0)),
        (
            json!({"type": "array", "items": {"type": "string"}}),
            json!([]),
        ),
        (
            json!({"type": "array", "items": {"type": "integer"}, "minItems": 2}),
            json!([0, 0]),
        ),
        (json!(true), json!({})),
        (
            json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}}),
            json!({"a": 0, "b": {}}),
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}),
            json!({"a": 0}),
        ),
        (
            json!({"$defs": {"n": {"type": "integer"}}, "type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}}),
            json!({"a": 0}),
        ),
        (
            json!({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}),
            json!({"a": 1, "b": 2}),
        ),
    ];
    for (schema, wanted) in table {
        assert_eq!(instance(&schema), Ok(wanted), "{schema}");
    }
}

#[test]
fn what_has_no_end_is_refused() {
    let recursive = json!({
        "type": "object", "additionalProperties": false, "properties": {"next": {"$ref": "#"}},
    });
    assert!(instance(&recursive).unwrap_err().contains("Recursive"));
    assert!(
        check_supported(&recursive)
            .unwrap_err()
            .contains("Recursive")
    );
    let dangling = json!({"$ref": "#/$defs/none"});
    assert!(instance(&dangling).unwrap_err().contains("#/$defs/none"));
}

#[test]
fn what_structured_output_refuses() {
    let closed = |property: Value| json!({"type": "object", "additionalProperties": false, "properties": {"a": property}});
    for (schema, part) in [
        (
            json!({"type": "object", "properties": {}}),
            "additionalProperties",
        ),
        (closed(json!({"type": "object"})), "additionalProperties"),
        (
            closed(json!({"type": "integer", "minimum": 0, "maximum": 9})),
            "minimum, maximum",
        ),
        (
            closed(json!({"type": "string", "maxLength": 9})),
            "'string' type, properties maxLength",
        ),
        (
            closed(json!({"type": "array", "items": {}, "minItems": 2})),
            "minItems",
        ),
        (
            closed(json!({"anyOf": [{"type": "number", "multipleOf": 2}]})),
            "multipleOf",
        ),
        (
            closed(json!({"$ref": "https://example.cl/schema"})),
            "could not be resolved",
        ),
        (json!("string"), "must be an object"),
    ] {
        let problem = check_supported(&schema).unwrap_err();
        assert!(problem.contains(part), "{schema}: {problem}");
    }
    let good = closed(json!({"type": "array", "minItems": 1, "items": {"enum": ["a", null]}}));
    assert_eq!(check_supported(&good), Ok(()));
}

#[test]
fn a_small_schema_can_not_grow_without_bound() {
    // Each level refers twice to the next: 2^14 objects from 15 definitions.
    let level = |n: usize| {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        json!({
            "type": "object", "additionalProperties": false,
            "properties": {"a": next, "b": next},
        })
    };
    let mut defs: Map<String, Value> = (0..14).map(|n| (format!("d{n}"), level(n))).collect();
    defs.insert("d14".to_owned(), json!({"type": "null"}));
    let doubling = json!({"$defs": defs, "$ref": "#/$defs/d0"});
    assert_eq!(instance(&doubling), Err(ENDLESS.to_owned()));
    assert_eq!(check_supported(&doubling), Err(ENDLESS.to_owned()));
    let many = |items: Value| json!({"type": "array", "minItems": 100, "items": items});
    let cube = many(many(many(json!({"type": "null"}))));
    assert_eq!(instance(&cube), Err(ENDLESS.to_owned()));
}
