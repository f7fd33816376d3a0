//! Anything but the schema is an error.

use super::*;

#[test]
fn a_review_is_exactly_what_the_schema_says() {
    let good = r#"{"confidence":88,"findings":[{"severity":"warning","message":" Glosa genérica ","path":"lineas[0].nombre"}]}"#;
    let review = Review::parse(good).unwrap();
    assert_eq!((review.confidence(), review.findings.len()), (88, 1));
    assert_eq!(review.findings[0].message, "Glosa genérica");

    let long = format!(
        r#"{{"severity":"info","message":"{}","path":""}}"#,
        "x".repeat(601)
    );
    let many = vec![r#"{"severity":"info","message":"x","path":""}"#; 21].join(",");
    for (text, kind) in [
        ("", ReviewErrorKind::Shape),
        ("Claro, aquí está:", ReviewErrorKind::Shape),
        (r#"{"confidence":88}"#, ReviewErrorKind::Shape),
        (
            r#"{"confidence":88,"findings":[]} y nada más"#,
            ReviewErrorKind::Shape,
        ),
        (
            r#"{"confidence":88,"findings":[],"recommendation":"send"}"#,
            ReviewErrorKind::Shape,
        ),
        (
            r#"{"confidence":88.5,"findings":[]}"#,
            ReviewErrorKind::Shape,
        ),
        (
            r#"{"confidence":"88","findings":[]}"#,
            ReviewErrorKind::Shape,
        ),
        (
            r#"{"confidence":101,"findings":[]}"#,
            ReviewErrorKind::Confidence,
        ),
        (
            r#"{"confidence":-1,"findings":[]}"#,
            ReviewErrorKind::Confidence,
        ),
        (
            r#"{"confidence":9,"findings":[{"severity":"error","message":"x","path":""}]}"#,
            ReviewErrorKind::Shape,
        ),
        (
            r#"{"confidence":9,"findings":[{"severity":"info","message":" ","path":""}]}"#,
            ReviewErrorKind::Text,
        ),
        (
            &format!(r#"{{"confidence":9,"findings":[{long}]}}"#),
            ReviewErrorKind::Text,
        ),
        (
            &format!(r#"{{"confidence":9,"findings":[{many}]}}"#),
            ReviewErrorKind::TooMany,
        ),
    ] {
        assert_eq!(Review::parse(text).unwrap_err().kind(), kind, "{text}");
    }
}

#[test]
fn the_schema_says_what_the_confidence_is_about() {
    let schema = review_schema("la liquidación está correcta");
    let about = schema["properties"]["confidence"]["description"].as_str();
    assert_eq!(
        about,
        Some("0 a 100: qué tan seguro es que la liquidación está correcta")
    );
}
