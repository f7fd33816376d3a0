//! Bodies as ERPs send them, right and wrong.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn of(body: &Value) -> Result<Ask, Problem> {
    decode(body.to_string().as_bytes())
}

/// Where and of what kind the errors of a 422 are.
fn errors(body: &Value) -> Vec<(String, String)> {
    let problem = of(body).unwrap_err();
    assert_eq!(problem.status(), 422, "{body}");
    let wire: Value = serde_json::from_slice(&problem.encode("id")).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = wire["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| (text(&error["loc"][1]), text(&error["type"])))
        .collect()
}

fn pair(name: &str, kind: &str) -> (String, String) {
    (name.to_owned(), kind.to_owned())
}

#[test]
fn each_form_of_the_document() {
    let data = of(&json!({ "dte_data": { "tipo_dte": 33 }, "company_id": 1 })).unwrap();
    assert_eq!(data.document, Document::Json(r#"{"tipo_dte":33}"#.into()));
    assert_eq!(
        (data.mode, data.model_check),
        (Mode::Emission, ModelCheck::Auto)
    );
    let xml = of(&json!({ "dte_xml": "<DTE/>", "company_id": 1 })).unwrap();
    assert_eq!(xml.document, Document::XmlText("<DTE/>".into()));
    let coded = of(&json!({ "dte_xml_base64": "PERURS8+", "company_id": 1 })).unwrap();
    assert_eq!(coded.document, Document::XmlBase64("PERURS8+".into()));
}

#[test]
fn what_python_sends_for_nothing_is_nothing() {
    let ask = of(&json!({
        "dte_data": { "tipo_dte": 33 }, "dte_xml": false, "dte_xml_base64": "",
        "company_id": 7.0, "history": false, "mode": null, "model_check": false, "extra": 1,
    }))
    .unwrap();
    assert_eq!((ask.company, ask.history), (7, None));
    let ask = of(&json!({ "dte_xml": "<DTE/>", "company_id": 1, "history": [] })).unwrap();
    assert_eq!(ask.history, None);
}

#[test]
fn every_wrong_value_is_told() {
    let body = json!({ "company_id": 0, "history": [1], "mode": "ambos", "model_check": 3 });
    assert_eq!(
        errors(&body),
        [
            pair("company_id", "greater_than"),
            pair("dte_data", "missing"),
            pair("history", "list_type"),
            pair("mode", "enum"),
            pair("model_check", "enum"),
        ]
    );
}

#[test]
fn one_wrong_value_at_a_time() {
    let with = |name: &str, value: Value| {
        let mut body = json!({ "dte_data": {}, "company_id": 1 });
        body[name] = value;
        body
    };
    let item = json!({ "error_code": "x", "message": "m".repeat(2_000) });
    for (body, error) in [
        (
            with("company_id", json!(-1)),
            pair("company_id", "greater_than"),
        ),
        (
            with("company_id", json!("1")),
            pair("company_id", "greater_than"),
        ),
        (
            with("company_id", json!(1.5)),
            pair("company_id", "greater_than"),
        ),
        (
            with("company_id", Value::Null),
            pair("company_id", "missing"),
        ),
        (
            with("dte_xml", json!("<DTE/>")),
            pair("dte_xml", "conflict"),
        ),
        (with("history", json!("x")), pair("history", "list_type")),
        (
            with("history", json!(vec![json!({}); 101])),
            pair("history", "too_long"),
        ),
        (
            with("history", json!(vec![item; 60])),
            pair("history", "too_long"),
        ),
        (
            json!({ "dte_xml": 5, "company_id": 1 }),
            pair("dte_xml", "string_type"),
        ),
        (
            json!({ "dte_xml_base64": {}, "company_id": 1 }),
            pair("dte_xml_base64", "string_type"),
        ),
    ] {
        assert_eq!(errors(&body), [error], "{body}");
    }
}

#[test]
fn what_is_no_object_or_no_json() {
    let status = |body: &[u8]| decode(body).unwrap_err().status().as_u16();
    for body in ["[]", "1", "null", "\"x\""] {
        assert_eq!(status(body.as_bytes()), 422, "{body}");
    }
    for body in [
        &b""[..],
        b"{",
        b"{\"a\":1,}",
        b"\xff",
        b"{\"a\": \"\xf3\"}",
        b"{} {}",
        b"NaN",
    ] {
        assert_eq!(status(body), 400, "{body:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn no_json_panics(
        company in "(-?[0-9]{1,25}(\\.[0-9]{0,5})?|null|false|\"[a-z]*\"|\\{\\})",
        document in "(\"[<a-z]*\"|\\{\"tipo_dte\":[0-9]{1,4}\\}|null|\\[\\])",
    ) {
        let body = format!(r#"{{"company_id":{company},"dte_data":{document}}}"#);
        if let Err(problem) = decode(body.as_bytes()) {
            prop_assert!([400, 422].contains(&problem.status().as_u16()));
        }
    }
}
