//! The axes of each kind, and what an error never shows.

use super::*;

const ALL: [ErrorKind; 26] = [
    ErrorKind::Connect,
    ErrorKind::Connection,
    ErrorKind::Interrupted,
    ErrorKind::Timeout { stage: Stage::Idle },
    ErrorKind::Timeout {
        stage: Stage::Connect,
    },
    ErrorKind::Timeout {
        stage: Stage::FirstByte,
    },
    ErrorKind::Timeout {
        stage: Stage::Total,
    },
    ErrorKind::Timeout {
        stage: Stage::Deadline,
    },
    ErrorKind::Timeout {
        stage: Stage::Provider,
    },
    ErrorKind::RateLimited,
    ErrorKind::SpendLimit,
    ErrorKind::Overloaded,
    ErrorKind::Authentication,
    ErrorKind::Permission,
    ErrorKind::Billing,
    ErrorKind::InvalidRequest,
    ErrorKind::NotFound,
    ErrorKind::TooLarge,
    ErrorKind::Conflict,
    ErrorKind::Upstream,
    ErrorKind::InvalidResponse,
    ErrorKind::InvalidOutput,
    ErrorKind::Refused,
    ErrorKind::Truncated,
    ErrorKind::CircuitOpen,
    ErrorKind::Cancelled,
];

#[test]
fn only_the_named_kinds_are_retryable() {
    let retryable: Vec<_> = ALL
        .into_iter()
        .filter(|kind| Error::new(*kind).is_retryable())
        .map(ErrorKind::as_str)
        .collect();
    assert_eq!(
        retryable,
        [
            "connect",
            "connection",
            "interrupted",
            "timeout_idle",
            "timeout_connect",
            "timeout_first_byte",
            "timeout_total",
            "timeout_provider",
            "rate_limited",
            "overloaded",
            "conflict",
            "upstream",
        ]
    );
}

#[test]
fn each_kind_has_a_label_and_a_text_of_its_own() {
    let labels: std::collections::BTreeSet<_> = ALL.iter().map(|kind| kind.as_str()).collect();
    let texts: std::collections::BTreeSet<_> = ALL.iter().map(ToString::to_string).collect();
    assert_eq!(labels.len(), ALL.len());
    assert_eq!(texts.len(), ALL.len());
    for text in texts {
        assert!(text.starts_with(|c: char| c.is_ascii_lowercase()), "{text}");
        assert!(!text.ends_with('.'), "{text}");
    }
}

#[test]
fn a_fault_says_who_has_to_act() {
    for (kind, fault) in [
        (ErrorKind::Connect, Fault::Network),
        (
            ErrorKind::Timeout {
                stage: Stage::Deadline,
            },
            Fault::Caller,
        ),
        (
            ErrorKind::Timeout {
                stage: Stage::FirstByte,
            },
            Fault::Provider,
        ),
        (ErrorKind::Authentication, Fault::Configuration),
        (ErrorKind::SpendLimit, Fault::Configuration),
        (ErrorKind::RateLimited, Fault::Caller),
        (ErrorKind::Overloaded, Fault::Provider),
    ] {
        assert_eq!(Error::new(kind).fault(), fault, "{kind}");
    }
}

#[test]
fn a_spend_limit_is_never_retryable() {
    let error = Error::new(ErrorKind::SpendLimit).with_retryable(true);
    assert!(!error.is_retryable());
    assert!(
        Error::new(ErrorKind::InvalidRequest)
            .with_retryable(true)
            .is_retryable()
    );
}

#[test]
fn the_providers_message_is_bounded_and_stays_out_of_the_texts() {
    let message = format!("prompt\nsays{}", "ñ".repeat(1000));
    let error = Error::new(ErrorKind::InvalidRequest)
        .with_status(StatusCode::BAD_REQUEST)
        .with_upstream_message(&message);
    let kept = error.upstream_message().unwrap();
    assert_eq!(kept.chars().count(), MAX_UPSTREAM_MESSAGE_CHARS);
    assert!(kept.starts_with("prompt says"));
    assert_eq!(
        error.to_string(),
        "call the model: invalid request (status 400)"
    );
    assert!(!format!("{error:?}").contains("prompt"));
}

#[test]
fn a_mistaken_request_is_an_error_with_its_cause() {
    let error = Error::from(InvalidRequest::NoMessages);
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.source().unwrap().to_string(), "there is no message");
}
