//! What stands between the service and its model: the budget, the ledger, the breaker, the
//! second model, and where each shows.

use mock_anthropic::{Answer, Config, Fault, MockServer};
use serde_json::{Value, json};

use crate::support::{Options, Reply, Request, Service, factura_con, valid};

const MESSAGES: &str = "/v1/messages";
const CHAT: &str = "/v1/chat/completions";
const SECOND: &str = "qwen3-32b";

/// A model that finds nothing to remark, each time.
async fn content() -> MockServer {
    let mock = MockServer::start(Config::default()).await.unwrap();
    let review = json!({ "confidence": 97, "findings": [] }).to_string();
    mock.answer_with(Answer::always(review));
    mock
}

/// A document that no other request has.
fn document(name: &str) -> Value {
    json!({ "company_id": 1, "dte_data": factura_con(name) })
}

async fn get(service: &Service, path: &str) -> Value {
    let reply = service.send(Request::get(path)).await;
    assert!(reply.status.is_success(), "{reply:?}");
    reply.json()
}

/// A part of `Server-Timing`, in milliseconds.
fn timing(reply: &Reply, name: &str) -> f64 {
    let header = reply.header("server-timing");
    let part = header.split(", ").find_map(|part| part.strip_prefix(name));
    part.unwrap()
        .strip_prefix(";dur=")
        .unwrap()
        .parse()
        .unwrap()
}

/// Dollars as the report writes them, exactly: in 10⁻¹² of one.
fn pico(value: &Value) -> i128 {
    let text = value.to_string();
    let text = text.trim_matches('"');
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
    let exponent: i32 = exponent.parse().unwrap();
    let power = 12 + exponent - i32::try_from(fraction.len()).unwrap();
    digits * 10_i128.pow(u32::try_from(power).unwrap())
}

#[tokio::test]
async fn over_the_keys_budget_the_rules_answer_and_say_so() {
    let mock = content().await;
    let options = Options::default().model(&mock, 20_000);
    let service = options
        .config("[budget]\nkey_day_usd = \"0.000001\"\n")
        .start()
        .await;
    let reply = service.send(Request::validate(&valid())).await;
    let verdict = reply.json();
    assert_eq!(
        (reply.status.as_u16(), &verdict["degraded"]),
        (200, &json!(true))
    );
    let warnings = verdict["warnings"].to_string();
    assert!(warnings.contains("presupuesto"), "{warnings}");
    assert_eq!(mock.stats().requests_to(MESSAGES), 0, "nothing is asked");
    let health = get(&service, "/health").await;
    let model = &health["dependencies"]["anthropic"];
    assert_eq!(model["consecutive_failures"], 0, "the model is well");
    let costs = get(&service, "/metrics/costs").await;
    assert_eq!(costs["summary"]["total_calls"], 0);
}

#[tokio::test]
async fn costs_are_the_providers_own_and_a_hit_is_money_saved() {
    let mock = content().await;
    let service = Options::default().model(&mock, 20_000).start().await;
    for name in ["Cemento", "Clavos", "Arena", "Ripio"] {
        let reply = service.send(Request::validate(&document(name))).await;
        assert_eq!(reply.json()["degraded"], false, "{reply:?}");
        let (total, upstream) = (timing(&reply, "total"), timing(&reply, "upstream"));
        assert!(upstream > 0.0 && upstream <= total, "{upstream} of {total}");
    }
    let said = mock.stats().usage;
    // Claude Sonnet 4.5: 3 and 15 USD a million; a write 3.75, a read 0.30. In 10⁻¹² USD.
    let cost = i128::from(said.input_tokens) * 3_000_000
        + i128::from(said.output_tokens) * 15_000_000
        + i128::from(said.cache_creation_input_tokens) * 3_750_000
        + i128::from(said.cache_read_input_tokens) * 300_000;
    let costs = settled(&service, 4).await;
    assert_eq!(pico(&costs["summary"]["total_cost_usd"]), cost, "{costs}");
    let tokens = said.input_tokens
        + said.output_tokens
        + said.cache_creation_input_tokens
        + said.cache_read_input_tokens;
    assert_eq!(costs["summary"]["total_tokens"], tokens);
    assert_eq!(costs["by_operation"]["validate"], costs["summary"]);

    // Three of the four read what the first one wrote.
    let health = get(&service, "/health").await;
    let rate = health["metrics"]["prompt_cache_hit_rate"].as_f64().unwrap();
    let (read, all) = (said.cache_read_input_tokens, tokens - said.output_tokens);
    assert!(rate > 0.5 && read > 0, "{rate}: {read} of {all}");

    // The same again costs nothing, and what it had cost is saved.
    let again = service.send(Request::validate(&document("Arena"))).await;
    assert_eq!(again.header("x-cache"), "hit");
    assert!(timing(&again, "upstream") == 0.0);
    let saved = until(&service, |costs| pico(&costs["summary"]["saved_usd"]) > 0).await;
    assert_eq!(pico(&saved["summary"]["total_cost_usd"]), cost);
    assert!(pico(&saved["summary"]["saved_usd"]) < cost, "{saved}");
    assert_eq!(mock.stats().requests_to(MESSAGES), 4);
}

#[tokio::test]
async fn a_breaker_opens_and_the_second_model_answers_and_is_named() {
    let (first, second) = (content().await, content().await);
    assert!(first.inject(
        Fault::Status(http::StatusCode::INTERNAL_SERVER_ERROR),
        1_000
    ));
    let url = format!("{}/v1", second.base_url());
    let options = Options::default().model(&first, 20_000);
    let options = options.config(&format!(
        "[second_model]\nbase_url = \"{url}\"\nname = \"{SECOND}\"\n"
    ));
    let service = options.start().await;
    let mut asked = 0;
    loop {
        let body = document(&format!("Cemento {asked}"));
        let verdict = service.send(Request::validate(&body)).await.json();
        assert_eq!(
            (&verdict["degraded"], &verdict["model"]),
            (&json!(false), &json!(SECOND)),
            "{verdict}"
        );
        asked += 1;
        let health = get(&service, "/health").await;
        let model = &health["dependencies"]["anthropic"];
        if model["circuit"] == "open" {
            assert_eq!(model["status"], "open");
            break;
        }
        assert!(asked < 30, "it doesn't open: {health}");
    }
    assert_eq!(second.stats().requests_to(CHAT), asked);
    // Behind an open breaker the first one has its peace.
    let before = first.stats().requests_to(MESSAGES);
    let verdict = service
        .send(Request::validate(&document("Arena")))
        .await
        .json();
    assert_eq!(verdict["model"], SECOND);
    assert_eq!(first.stats().requests_to(MESSAGES), before);
    // Both are in one ledger, the second one's tokens by its own figures.
    let calls = asked + 1;
    let costs = settled(&service, calls).await;
    let said = second.stats().usage;
    assert_eq!(
        costs["by_model"][SECOND]["total_tokens"],
        said.input_tokens + said.output_tokens,
        "{costs}"
    );
}

/// The costs once so many calls are booked.
async fn settled(service: &Service, calls: u64) -> Value {
    until(service, |costs| costs["summary"]["total_calls"] == calls).await
}

/// The costs once they fit: bookings are written after their answers.
async fn until(service: &Service, fits: impl Fn(&Value) -> bool) -> Value {
    let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let costs = get(service, "/metrics/costs").await;
        if fits(&costs) {
            return costs;
        }
        assert!(tokio::time::Instant::now() < limit, "{costs}");
    }
}
