//! What Redis hears nothing of, and what it hears later: answers that no model is needed for
//! (`docs/adr/0007`), and how often projects were suggested.

use mock_anthropic::{Answer, Config, MockServer};
use serde_json::{Value, json};
use store::test_util::Reply as Wire;
use store::test_util::redis::{Server, until};

use crate::alone;
use crate::redis_asking::Asked;
use crate::redis_outages::well;
use crate::support::{Options, Request, Service};

const SUGGEST: &str = "/api/ai/analytics/suggest_project";

/// A purchase for one of two projects; no model is ever asked.
fn purchase(company: u64, number: u32) -> Value {
    json!({
        "company_id": company, "partner_vat": "76192083-9",
        "invoice_lines": [
            { "description": format!("Cemento, guía {number}"), "quantity": 1, "price": 5_000 },
        ],
        "available_projects": [{ "id": 3, "name": "Obra" }, { "id": 4, "name": "Bodega" }],
    })
}

/// An invoice and the one order that it is for: the figures decide alone.
fn received() -> Value {
    let line = json!({ "description": "Cemento 25 kg", "quantity": 10, "price": 5_000 });
    json!({
        "company_id": 1,
        "dte_data": {
            "partner_vat": "76192083-9", "total_amount": 59_500, "date": "2026-11-20",
            "lines": [line],
        },
        "pending_pos": [{
            "id": 1, "name": "P00001", "partner_vat": "76192083-9", "amount_total": 59_500,
            "date_order": "2026-11-18", "lines": [line],
        }],
    })
}

/// Nearly nothing is paid: the rules reject it.
fn payslip() -> Value {
    json!({
        "employee_id": 7, "period": "2026-03", "wage": 1_000_000,
        "lines": [
            { "code": "BASIC", "name": "Sueldo base", "amount": 1_000_000 },
            { "code": "AFP", "name": "AFP Uno", "amount": -100_000 },
        ],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_a_model_is_kept_in_memory_only() {
    let _turn = alone().await;
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(Answer::always(r#"{"confidence": 93, "findings": []}"#));
    let mut server = Server::start(&[]).await.unwrap();
    let url = format!("redis://127.0.0.1:{}", server.port());
    let options = Options::default().model(&mock, 20_000);
    let service = options.env("REDIS_URL", &url).start().await;
    well(&service).await;
    let others = [
        ("/api/payroll/validate", payslip()),
        ("/api/ai/reception/match_po", received()),
        (SUGGEST, purchase(1, 1)),
    ];
    for expected in ["miss", "hit"] {
        for asked in [Asked::rules(1, 1), Asked::model(1, 2)] {
            let (reply, _) = asked.ask(service.addr).await;
            assert_eq!(reply.header("x-cache"), expected, "{asked:?}");
        }
        for (path, body) in &others {
            let reply = service.send(Request::post(path, body)).await;
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(reply.header("x-cache"), expected, "{path}");
        }
    }
    let asked = mock.stats().requests_to("/v1/messages");
    assert_eq!(asked, 1, "only one of them is the model's");
    let kept = async || server.command(&["KEYS", "*cache:v1:*"]).await;
    until(
        "the model's verdict to be written",
        async || matches!(kept().await, Ok(Wire::Many(keys)) if !keys.is_empty()),
    )
    .await
    .unwrap();
    let Ok(Wire::Many(keys)) = kept().await else {
        panic!("Redis doesn't tell its keys");
    };
    let names: Vec<_> = keys.iter().filter_map(Wire::text).collect();
    let answers = |name: &&String| !name.contains(":totals") && !name.contains("flush");
    let answers: Vec<_> = names.iter().filter(answers).collect();
    assert!(
        matches!(*answers, [only] if only.contains("cache:v1:validate:")),
        "{names:?}"
    );
    server.kill().unwrap();
}

/// What was suggested to a company, as its key is told.
async fn total(service: &Service, company: u64) -> Option<u64> {
    let path = format!("/api/ai/analytics/stats?company_id={company}");
    let reply = service.send(Request::get(&path)).await;
    let body = reply.json();
    let fresh = reply.status == 200 && body["degraded"].is_null();
    fresh.then(|| body["total_suggestions"].as_u64())?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suggestions_while_redis_is_frozen_are_counted_once_when_it_is_back() {
    const EACH: u32 = 20;
    let _turn = alone().await;
    let server = Server::start(&[]).await.unwrap();
    let url = format!("redis://127.0.0.1:{}", server.port());
    let service = Options::default().env("REDIS_URL", &url).start().await;
    well(&service).await;
    let suggest = async |company: u64, from: u32| {
        for number in from..from + EACH {
            let reply = service
                .send(Request::post(SUGGEST, &purchase(company, number)))
                .await;
            assert_eq!(reply.status, 200, "{}", reply.json());
        }
    };
    suggest(1, 0).await;
    assert_eq!(total(&service, 1).await, Some(u64::from(EACH)));
    server.freeze().unwrap();
    suggest(1, EACH).await;
    suggest(2, 0).await;
    server.thaw().unwrap();
    // Who gave them tells them all the time; another replica when they are in Redis.
    let other = Options::default().env("REDIS_URL", &url).start().await;
    for replica in [&service, &other] {
        let all = async || {
            let (one, two) = (total(replica, 1).await, total(replica, 2).await);
            one == Some(u64::from(2 * EACH)) && two == Some(u64::from(EACH))
        };
        until("every suggestion to be counted", all).await.unwrap();
    }
    // The key's own figures have both companies.
    let reply = other.send(Request::get("/api/ai/analytics/stats")).await;
    assert_eq!(reply.json()["total_suggestions"], 3 * EACH);
}
