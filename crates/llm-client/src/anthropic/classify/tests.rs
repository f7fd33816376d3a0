//! Statuses, bodies and headers, row by row.

use http::HeaderValue;
use proptest::prelude::*;
use serde_json::json;

use std::time::Duration;

use super::*;
use crate::Fault;

/// 2026-11-22T12:00:00Z.
const NOW: &str = "2026-11-22T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn failed(status: u16, pairs: &[(&'static str, &str)], body: &str) -> Error {
    failure(
        StatusCode::from_u16(status).unwrap(),
        &headers(pairs),
        body.as_bytes(),
        now(),
    )
}

fn body(kind: &str) -> String {
    json!({"type": "error", "error": {"type": kind, "message": "why"}, "request_id": "req_b"})
        .to_string()
}

fn wait(pairs: &[(&'static str, &str)]) -> Option<Duration> {
    retry_after(&headers(pairs), now())
}

#[test]
fn each_status_has_its_kind_fault_and_retryability() {
    let provider = ErrorKind::Timeout {
        stage: Stage::Provider,
    };
    let rows = [
        (300, ErrorKind::InvalidResponse, Fault::Provider, false),
        (302, ErrorKind::InvalidResponse, Fault::Provider, false),
        (400, ErrorKind::InvalidRequest, Fault::Caller, false),
        (401, ErrorKind::Authentication, Fault::Configuration, false),
        (402, ErrorKind::Billing, Fault::Configuration, false),
        (403, ErrorKind::Permission, Fault::Configuration, false),
        (404, ErrorKind::NotFound, Fault::Configuration, false),
        (405, ErrorKind::InvalidRequest, Fault::Caller, false),
        (408, provider, Fault::Provider, true),
        (409, ErrorKind::Conflict, Fault::Provider, true),
        (413, ErrorKind::TooLarge, Fault::Caller, false),
        (418, ErrorKind::InvalidRequest, Fault::Caller, false),
        (422, ErrorKind::InvalidRequest, Fault::Caller, false),
        (429, ErrorKind::RateLimited, Fault::Caller, true),
        (500, ErrorKind::Upstream, Fault::Provider, true),
        (502, ErrorKind::Upstream, Fault::Provider, true),
        (503, ErrorKind::Upstream, Fault::Provider, true),
        (504, provider, Fault::Provider, true),
        (529, ErrorKind::Overloaded, Fault::Provider, true),
        (599, ErrorKind::Upstream, Fault::Provider, true),
    ];
    for (status, kind, fault, retryable) in rows {
        // With no body, with an unreadable one, and with one that means nothing.
        for body in ["", "<html>", r#"{"error":{"type":"new_error"}}"#] {
            let error = failed(status, &[], body);
            assert_eq!(error.kind(), kind, "{status} {body}");
            assert_eq!(error.fault(), fault, "{status}");
            assert_eq!(error.is_retryable(), retryable, "{status}");
            assert_eq!(error.status().unwrap().as_u16(), status);
        }
    }
}

#[test]
fn the_type_speaks_where_the_status_does_not() {
    for (kind_word, kind) in [
        ("invalid_request_error", ErrorKind::InvalidRequest),
        ("authentication_error", ErrorKind::Authentication),
        ("billing_error", ErrorKind::Billing),
        ("permission_error", ErrorKind::Permission),
        ("not_found_error", ErrorKind::NotFound),
        ("conflict_error", ErrorKind::Conflict),
        ("request_too_large", ErrorKind::TooLarge),
        ("rate_limit_error", ErrorKind::RateLimited),
        (
            "timeout_error",
            ErrorKind::Timeout {
                stage: Stage::Provider,
            },
        ),
        ("overloaded_error", ErrorKind::Overloaded),
        ("api_error", ErrorKind::Upstream),
    ] {
        assert_eq!(failed(503, &[], &body(kind_word)).kind(), kind);
    }
    // A status with a meaning of its own wins.
    assert_eq!(
        failed(401, &[], &body("overloaded_error")).kind(),
        ErrorKind::Authentication
    );
}

#[test]
fn a_spend_limit_is_told_from_a_rate_limit_and_never_retried() {
    let body = json!({"type": "error", "error": {
        "type": "rate_limit_error", "message": "limit",
        "details": {"error_code": "enforced_spend_limit_reached"}
    }})
    .to_string();
    for pairs in [&[][..], &[("x-should-retry", "true")][..]] {
        let error = failed(429, pairs, &body);
        assert_eq!(error.kind(), ErrorKind::SpendLimit);
        assert_eq!(error.fault(), Fault::Configuration);
        assert!(!error.is_retryable());
    }
    let other = body.replace("enforced_spend_limit_reached", "something_else");
    assert_eq!(failed(429, &[], &other).kind(), ErrorKind::RateLimited);
    assert_eq!(failed(400, &[], &body).kind(), ErrorKind::InvalidRequest);
}

#[test]
fn the_provider_decides_on_retries_where_it_says_so() {
    assert!(!failed(529, &[("x-should-retry", "false")], "").is_retryable());
    assert!(failed(400, &[("x-should-retry", "true")], "").is_retryable());
    assert!(failed(500, &[("x-should-retry", "maybe")], "").is_retryable());
    assert!(!failed(400, &[("x-should-retry", "maybe")], "").is_retryable());
}

#[test]
fn retry_after_in_every_form() {
    let date = ("date", "Sun, 22 Nov 2026 10:00:00 GMT");
    let seconds = |s: f64| Some(Duration::from_secs_f64(s));
    for (pairs, expected) in [
        (&[][..], None),
        (&[("retry-after", "1")], seconds(1.0)),
        (&[("retry-after", " 2.5 ")], seconds(2.5)),
        (&[("retry-after", "3600")], seconds(3600.0)),
        (&[("retry-after", "0")], seconds(0.0)),
        (&[("retry-after", "-1")], None),
        (&[("retry-after", "NaN")], None),
        (&[("retry-after", "inf")], None),
        (&[("retry-after", "1e300")], None),
        (&[("retry-after", "soon")], None),
        (&[("retry-after", "")], None),
        (
            &[("retry-after-ms", "250"), ("retry-after", "9")],
            seconds(0.25),
        ),
        (
            &[("retry-after-ms", "x"), ("retry-after", "9")],
            seconds(9.0),
        ),
        // A date from the local clock, from the answer's own, and one that is past.
        (
            &[("retry-after", "Sun, 22 Nov 2026 12:00:30 GMT")],
            seconds(30.0),
        ),
        (
            &[("retry-after", "Sun, 22 Nov 2026 10:00:05 GMT"), date],
            seconds(5.0),
        ),
        (
            &[("retry-after", "Sun, 22 Nov 2026 10:00:05 GMT")],
            seconds(0.0),
        ),
        (
            &[
                ("retry-after", "Sun, 22 Nov 2026 12:00:07 GMT"),
                ("date", "garbled"),
            ],
            seconds(7.0),
        ),
    ] {
        assert_eq!(wait(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn the_id_comes_from_the_header_or_else_the_body_and_is_bounded() {
    let header = failed(500, &[("request-id", "req_h")], &body("api_error"));
    assert_eq!(header.request_id(), Some("req_h"));
    assert_eq!(header.upstream_message(), Some("why"));
    let from_body = failed(500, &[], &body("api_error"));
    assert_eq!(from_body.request_id(), Some("req_b"));
    for bad in ["", "two words", &"x".repeat(129)] {
        assert_eq!(failed(500, &[("request-id", bad)], "").request_id(), None);
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(
        status in 100_u16..1000,
        body in proptest::collection::vec(any::<u8>(), 0..100),
        wait in "[ -~]{0,40}",
    ) {
        let error = failure(
            StatusCode::from_u16(status).unwrap(),
            &headers(&[("retry-after", &wait), ("date", &wait)]),
            &body,
            now(),
        );
        prop_assert_eq!(error.status().unwrap().as_u16(), status);
    }

    #[test]
    fn whole_seconds_are_exact(seconds in 0_u32..1_000_000) {
        prop_assert_eq!(
            wait(&[("retry-after", &seconds.to_string())]),
            Some(Duration::from_secs(u64::from(seconds)))
        );
    }
}
