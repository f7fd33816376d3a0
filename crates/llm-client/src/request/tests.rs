//! What a request refuses, and what it keeps.

use std::time::Duration;

use serde_json::json;

use super::*;

fn with_marks(marks: &[CacheLifetime]) -> Result<Request, InvalidRequest> {
    marks
        .iter()
        .fold(Request::builder(10).user("hola"), |builder, lifetime| {
            builder.system(SystemBlock::new("reglas").cached(*lifetime))
        })
        .build()
}

fn with_json(name: &str, schema: Value) -> Result<Request, InvalidRequest> {
    Request::builder(10).user("hola").json(name, schema).build()
}

#[test]
fn a_request_keeps_what_it_was_given() {
    let deadline = Instant::now() + Duration::from_secs(1);
    let request = Request::builder(256)
        .system(SystemBlock::new("reglas").cached(CacheLifetime::OneHour))
        .system(SystemBlock::new("contexto"))
        .user("hola")
        .message(Message::assistant("¿sí?"))
        .user("¿está bien?")
        .temperature(Temperature::ZERO)
        .deadline(deadline)
        .build()
        .unwrap();
    assert_eq!(request.max_tokens(), 256);
    assert_eq!(request.system()[0].cache(), Some(CacheLifetime::OneHour));
    assert_eq!(request.system()[1].text(), "contexto");
    let roles: Vec<_> = request.messages().iter().map(Message::role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
    assert_eq!(request.temperature(), Some(Temperature::ZERO));
    assert_eq!(request.output(), &Output::Text);
    assert_eq!(request.deadline(), Some(deadline));
}

#[test]
fn messages_must_be_there_and_be_the_users_at_both_ends() {
    let empty = Request::builder(1).build();
    assert_eq!(empty, Err(InvalidRequest::NoMessages));
    let blank = Request::builder(1).user("a").user(" \n").build();
    assert_eq!(blank, Err(InvalidRequest::BlankMessage { index: 1 }));
    let prefilled = Request::builder(1)
        .user("a")
        .message(Message::assistant("{"))
        .build();
    assert_eq!(prefilled, Err(InvalidRequest::NotFromUser));
    let reversed = Request::builder(1)
        .message(Message::assistant("a"))
        .user("b")
        .build();
    assert_eq!(reversed, Err(InvalidRequest::NotFromUser));
    let none = Request::builder(0).user("a").build();
    assert_eq!(none, Err(InvalidRequest::ZeroMaxTokens));
    let none = Request::builder(1).user("a").attempt_limit(Duration::ZERO);
    assert_eq!(none.build(), Err(InvalidRequest::ZeroAttemptLimit));
    let blank_system = Request::builder(1)
        .user("a")
        .system(SystemBlock::new(""))
        .build();
    assert_eq!(
        blank_system,
        Err(InvalidRequest::BlankSystemBlock { index: 0 })
    );
}

#[test]
fn cache_marks_are_at_most_four_and_one_hour_comes_first() {
    use CacheLifetime::{FiveMinutes, OneHour};
    assert!(with_marks(&[OneHour, OneHour, FiveMinutes, FiveMinutes]).is_ok());
    assert_eq!(
        with_marks(&[OneHour; 5]),
        Err(InvalidRequest::TooManyCacheMarks { count: 5 })
    );
    assert_eq!(
        with_marks(&[FiveMinutes, OneHour]),
        Err(InvalidRequest::CacheOrder)
    );
}

#[test]
fn the_output_needs_a_plain_name_and_an_object_schema() {
    let object = json!({"type": "object"});
    assert!(with_json("invoice_findings", object.clone()).is_ok());
    for name in ["", "con espacio", "ñ", &"x".repeat(65)] {
        assert_eq!(
            with_json(name, object.clone()),
            Err(InvalidRequest::OutputName),
            "{name}"
        );
    }
    for schema in [json!({"type": "array"}), json!(true), json!({})] {
        assert_eq!(with_json("x", schema), Err(InvalidRequest::SchemaNotObject));
    }
}

#[test]
fn a_temperature_is_exact_and_at_most_one() {
    let warm = Temperature::try_from_hundredths(20).unwrap();
    assert_eq!(warm.hundredths(), 20);
    assert_eq!(serde_json::to_string(&warm.as_f64()).unwrap(), "0.2");
    assert!(Temperature::try_from_hundredths(100).is_ok());
    assert_eq!(
        Temperature::try_from_hundredths(101),
        Err(InvalidRequest::Temperature)
    );
}

#[test]
fn cloning_shares_the_long_texts() {
    let rules: Arc<str> = Arc::from("reglas largas");
    let request = Request::builder(1)
        .system(SystemBlock::new(Arc::clone(&rules)))
        .user("a")
        .build()
        .unwrap();
    let copy = request.clone();
    assert!(std::ptr::eq(copy.system()[0].text(), &raw const *rules));
}
