//! The client against the Messages API's stand-in: the same calls that production makes.

use std::time::Duration;

use futures_util::StreamExt as _;
use llm_client::{
    Anthropic, AnthropicConfig, CacheLifetime, Completion, Error, ErrorKind, LanguageModel,
    Request, Stage, StopReason, SystemBlock, Timeouts, TrustRoots,
};
use mock_anthropic::{Answer, CERTIFICATE, Config, Delay, Fault, MockServer, Pace};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

/// A limit that no test is meant to reach.
const LONG: Duration = Duration::from_secs(30);

async fn mock() -> MockServer {
    MockServer::start(Config::default()).await.unwrap()
}

fn client(mock: &MockServer, model: &str) -> Anthropic {
    let mut config = AnthropicConfig::new(SecretString::from("sk-ant-test"), model);
    config.base_url = mock.base_url();
    config.timeouts = Timeouts::try_new(LONG, LONG, LONG).unwrap();
    Anthropic::try_new(config).unwrap()
}

fn text_request() -> Request {
    Request::builder(100).user("hola").build().unwrap()
}

fn json_request() -> Request {
    let schema = json!({
        "type": "object",
        "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"],
        "additionalProperties": false
    });
    Request::builder(100)
        .user("¿cuadra?")
        .json("verdict", schema)
        .build()
        .unwrap()
}

async fn complete(model: &str, request: &Request, answer: Answer) -> Result<Completion, Error> {
    let mock = mock().await;
    mock.answer_with(answer);
    client(&mock, model).complete(request).await
}

/// As production: TLS, HTTP/2 within. A call that is cut is not the end of those beside it.
#[tokio::test]
async fn over_tls_a_cut_ends_one_call_and_not_the_connection_that_others_share() {
    let config = Config {
        tls: true,
        ..Config::default()
    };
    let mock = MockServer::start(config).await.unwrap();
    let mut config = AnthropicConfig::new(SecretString::from("sk-ant-test"), "claude-sonnet-4-5");
    config.base_url = mock.base_url();
    config.trust_roots = TrustRoots::Pem(CERTIFICATE.to_owned());
    config.timeouts = Timeouts::try_new(LONG, LONG, LONG).unwrap();
    let client = Anthropic::try_new(config).unwrap();
    let request = text_request();
    client.complete(&request).await.unwrap();
    // Paced, so that both are under way at once.
    mock.set_pace(Pace::new(Delay::NONE, 200.0));
    mock.inject(Fault::CutStream(Some(5)), 1);
    let mut cut = client.stream(&request).await.unwrap();
    let whole = client.stream(&request).await.unwrap();
    let error = loop {
        match cut.next().await.expect("it ends with an error") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let completion = whole.completion().await.unwrap();
    assert_eq!(completion.stop_reason, StopReason::EndTurn);
    mock.inject(Fault::Cut, 1);
    let error = client.complete(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    client.complete(&request).await.unwrap();
}

#[tokio::test]
async fn text_comes_back_with_its_usage() {
    let answer = Answer::once("Todo cuadra.");
    let completion = complete("claude-sonnet-4-5", &text_request(), answer)
        .await
        .unwrap();
    assert_eq!(completion.text, "Todo cuadra.");
    assert_eq!(completion.stop_reason, StopReason::EndTurn);
    assert!(completion.usage.input_tokens > 0 && completion.usage.output_tokens > 0);
    assert!(!completion.usage.estimated);
    assert!(completion.request_id.is_some());
}

#[tokio::test]
async fn json_comes_back_natively_and_through_a_forced_tool() {
    for model in ["claude-sonnet-4-5", "claude-opus-4-1"] {
        let answer = Answer::once(r#"{"ok": true}"#);
        let completion = complete(model, &json_request(), answer).await.unwrap();
        let value: Value = completion.decode_json().unwrap();
        assert_eq!(value, json!({"ok": true}), "{model}");
    }
}

#[tokio::test]
async fn json_that_was_refused_or_cut_is_an_error_that_cost_tokens() {
    for (reason, kind) in [
        ("refusal", ErrorKind::Refused),
        ("max_tokens", ErrorKind::Truncated),
    ] {
        let answer = Answer::once(r#"{"ok": true}"#).stopped_by(reason);
        let error = complete("claude-sonnet-4-5", &json_request(), answer)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.usage().unwrap().total() > 0);
    }
}

#[tokio::test]
async fn a_cached_prefix_is_written_once_and_then_read() {
    let rules = "Una regla sobre facturas. ".repeat(1000);
    for lifetime in [CacheLifetime::FiveMinutes, CacheLifetime::OneHour] {
        let mock = mock().await;
        let model = client(&mock, "claude-sonnet-4-5");
        let request = Request::builder(10)
            .system(SystemBlock::new(rules.as_str()).cached(lifetime))
            .user("hola")
            .build()
            .unwrap();
        let first = model.complete(&request).await.unwrap().usage;
        let second = model.complete(&request).await.unwrap().usage;
        let by_lifetime = match lifetime {
            CacheLifetime::FiveMinutes => first.cache_creation_5m_input_tokens,
            CacheLifetime::OneHour => first.cache_creation_1h_input_tokens,
        };
        assert!(by_lifetime > 1024);
        assert_eq!(first.cache_creation_input_tokens(), by_lifetime);
        assert_eq!(first.cache_read_input_tokens, 0);
        assert_eq!(second.cache_read_input_tokens, by_lifetime);
        assert_eq!(second.cache_creation_input_tokens(), 0);
        assert_eq!(first.prompt_tokens(), second.prompt_tokens());
    }
}

#[tokio::test]
async fn each_fault_has_its_kind_and_the_next_call_is_well() {
    let status = |code| Fault::Status(http::StatusCode::from_u16(code).unwrap());
    let rows = [
        (Fault::RateLimit(None), ErrorKind::RateLimited, true),
        (Fault::SpendLimit(None), ErrorKind::SpendLimit, false),
        (Fault::Overloaded, ErrorKind::Overloaded, true),
        (Fault::ServerError, ErrorKind::Upstream, true),
        (status(401), ErrorKind::Authentication, false),
        (status(413), ErrorKind::TooLarge, false),
        (
            status(504),
            ErrorKind::Timeout {
                stage: Stage::Provider,
            },
            true,
        ),
        (Fault::Cut, ErrorKind::Connection, true),
        (Fault::CutBody, ErrorKind::Connection, true),
        (Fault::MalformedJson, ErrorKind::InvalidResponse, false),
        (Fault::ErrorEvent(None), ErrorKind::Overloaded, true),
    ];
    let mock = mock().await;
    let model = client(&mock, "claude-sonnet-4-5");
    for (fault, kind, retryable) in rows {
        let name = fault.name();
        assert!(mock.inject(fault, 1));
        let error = model.complete(&text_request()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error:?}");
        assert_eq!(error.is_retryable(), retryable, "{name}");
        model.complete(&text_request()).await.unwrap();
    }
}

#[tokio::test]
async fn a_wait_that_the_provider_asks_for_is_kept_as_it_is() {
    let mock = mock().await;
    let model = client(&mock, "claude-sonnet-4-5");
    for (asked, expected) in [
        (None, None),
        (Some("3600"), Some(Duration::from_secs(3600))),
        (Some("1500ms"), Some(Duration::from_millis(1500))),
        (Some("nonsense"), None),
    ] {
        mock.inject(Fault::RateLimit(asked.map(str::to_owned)), 1);
        let error = model.complete(&text_request()).await.unwrap_err();
        assert_eq!(error.retry_after(), expected, "{asked:?}");
    }
}

#[tokio::test]
async fn an_answer_in_small_pieces_is_whole() {
    let mock = mock().await;
    mock.inject(Fault::Trickle(Duration::from_millis(1)), 1);
    mock.answer_with(Answer::once("ñandú"));
    let model = client(&mock, "claude-sonnet-4-5");
    assert_eq!(model.complete(&text_request()).await.unwrap().text, "ñandú");
}

#[tokio::test]
async fn a_hang_ends_at_the_deadline_and_the_provider_sees_the_client_leave() {
    for fault in [Fault::Hang, Fault::HangStream(None)] {
        let mock = mock().await;
        mock.inject(fault, 1);
        let request = Request::builder(10)
            .user("hola")
            .deadline(Instant::now() + Duration::from_millis(200))
            .build()
            .unwrap();
        let model = client(&mock, "claude-sonnet-4-5");
        let error = model.complete(&request).await.unwrap_err();
        let stage = Stage::Deadline;
        assert_eq!(error.kind(), ErrorKind::Timeout { stage });
        let left = mock.wait_for(LONG, |stats| stats.cancelled_by_client == 1);
        assert!(left.await.is_ok());
    }
}
