//! What `/metrics` shows after requests of every kind is what the catalogue says, and what the
//! log shows of them is nobody's secret.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use http::Method;
use mock_anthropic::{Answer, Config, Fault, MockServer};
use observability::catalogue::{self, Kind, Shown, Values};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::{KEY, Options, Request, Service, factura_con, valid};

/// A sample: its name as in the text, its labels.
type Sample = (String, Vec<(String, String)>);

/// The families with their kinds, and every sample.
fn parse(text: &str) -> (BTreeMap<String, String>, Vec<Sample>) {
    let mut families = BTreeMap::new();
    let mut samples = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap();
            let before = families.insert(name.to_owned(), kind.to_owned());
            assert_eq!(before, None, "{name} is there twice");
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            samples.push((name.to_owned(), labels_of(labels)));
        }
    }
    (families, samples)
}

fn labels_of(text: &str) -> Vec<(String, String)> {
    let text = text.strip_suffix('}').unwrap_or(text);
    let pairs = text.split("\",").filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once("=\"").unwrap();
            (name.to_owned(), value.trim_end_matches('"').to_owned())
        })
        .collect()
}

/// Requests of every kind: good and bad, kept and computed, whole and streamed.
async fn drive(service: &Service, mock: &MockServer) {
    mock.answer_with(Answer::always(
        json!({ "confidence": 90, "findings": [] }).to_string(),
    ));
    mock.inject(Fault::Overloaded, 1);
    let send = async |request: Request| service.send(request).await.status.as_u16();
    assert_eq!(send(Request::validate(&valid())).await, 200);
    assert_eq!(send(Request::validate(&valid())).await, 200);
    let other = json!({ "company_id": 1, "dte_data": factura_con("Arena") });
    let refreshed = Request::validate(&other).header("cache-control", "no-cache");
    assert_eq!(send(refreshed).await, 200);
    let broken = Request::validate(&json!({})).body("{");
    assert_eq!(send(broken).await, 400);
    assert_eq!(
        send(Request::validate(&json!({ "dte_data": 7 }))).await,
        422
    );
    assert_eq!(send(Request::get("/no/such/route")).await, 404);
    assert_eq!(
        send(Request::get("/live").without("authorization")).await,
        200
    );
    let stranger = Request::get("/metrics/costs").header("authorization", "Bearer wrong");
    assert_eq!(send(stranger).await, 401);
    let question = json!({ "message": "¿Cómo anulo una factura aceptada por el SII?" });
    assert_eq!(
        send(Request::post("/api/chat/message", &question)).await,
        200
    );
    assert_eq!(
        send(Request::post("/api/chat/message/stream", &question)).await,
        200
    );
    assert_eq!(
        send(Request::post("/api/chat/session/new", &json!({}))).await,
        200
    );
    assert_eq!(send(Request::get("/health")).await, 200);
    assert_eq!(send(Request::bare(Method::DELETE, "/live")).await, 405);
}

async fn text_of(service: &Service) -> String {
    let reply = service.send(Request::get("/metrics")).await;
    String::from_utf8(reply.body.to_vec()).unwrap()
}

#[tokio::test]
async fn the_service_shows_what_the_catalogue_says_and_nothing_else() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    let service = Options::default().model(&mock, 20_000).start().await;
    drive(&service, &mock).await;
    let text = text_of(&service).await;
    let (families, samples) = parse(&text);
    for (name, kind) in &families {
        let metric = catalogue::find(name).unwrap_or_else(|| panic!("{name} isn't catalogued"));
        assert_eq!(metric.kind.as_str(), kind, "{name}");
        let help = format!("# HELP {name} {}\n", metric.help);
        assert!(text.contains(&help), "no {help}");
    }
    labels_are_the_catalogues(&samples);
    for metric in catalogue::metrics().filter(|metric| metric.shown == Shown::Always) {
        let name = metric.exposed();
        assert!(families.contains_key(&name), "{name} isn't there");
    }
    for driven in [
        "http_request_duration_seconds",
        "http_errors_total",
        "chat_answers_total",
        "chat_sessions_total",
        "gen_ai_client_operation_duration",
        "gen_ai_client_operation_time_to_first_chunk",
        "gen_ai_client_token_usage",
        "llm_prompt_tokens_total",
        "llm_cost_nanodollars_total",
        "llm_reservations_open",
        "llm_retries_total",
        "llm_concurrency_limit",
        "llm_concurrency_in_flight",
        "llm_price_known",
        "llm_price_table_date_seconds",
        "llm_prompt_cache_hit_rate",
    ] {
        assert!(families.contains_key(driven), "{driven} isn't there");
    }
    let line = |wanted: &str| assert!(text.contains(wanted), "no {wanted} in {text}");
    line(r#"http_errors_total{endpoint="/api/ai/validate",code="invalid_json"} 1"#);
    line(r#"http_errors_total{endpoint="unmatched",code="not_found"} 1"#);
    line(r#"cache_requests_total{operation="validate",tier="l1",result="hit"} 1"#);
    line("knowledge_documents ");
    let computed = |line: &Value| line["cache"] == "miss" && line["tokens"].is_number();
    let line = service.log(computed).await;
    assert!(line["cost_nano_usd"].as_u64().unwrap() > 0, "{line}");
    let kept = service.log(|line| line["cache"] == "hit").await;
    assert_eq!(
        (&kept["tokens"], &kept["cost_nano_usd"]),
        (&Value::Null, &Value::Null)
    );
    let health = service.send(Request::get("/health")).await.json();
    assert!(health["metrics"]["latency_ms"]["/api/ai/validate"]["p99"].is_number());
    promtool(&text).await;
}

fn labels_are_the_catalogues(samples: &[Sample]) {
    let mut values: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (name, labels) in samples {
        let metric = catalogue::find(name).or_else(|| {
            let suffixes = ["_bucket", "_sum", "_count"];
            let stem = suffixes
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))?;
            catalogue::find(stem).filter(|metric| metric.kind == Kind::Histogram)
        });
        let metric = metric.unwrap_or_else(|| panic!("{name} isn't catalogued"));
        for (label, value) in labels.iter().filter(|(label, _)| label != "le") {
            let known = metric
                .labels
                .iter()
                .find(|known| known.name.replace('.', "_") == *label);
            let known = known.unwrap_or_else(|| panic!("{name} has a label {label}"));
            if let Values::Words(words) = known.values {
                assert!(words.contains(&value.as_str()), "{name}: {label}={value}");
            }
            let seen = values.entry((metric.exposed(), label.clone())).or_default();
            seen.insert(value.clone());
            assert!(
                seen.len() <= known.values.max(),
                "{name}: {label}: {seen:?}"
            );
        }
    }
}

/// Prometheus' own judgement, where it is installed: it is on the machines of the tests.
async fn promtool(text: &str) {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut promtool) = started else {
        println!("skipped: there is no promtool; `cargo xtask test` installs it");
        return;
    };
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).await.unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    println!("promtool check metrics: {} {said}", output.status);
}

#[tokio::test]
async fn no_line_of_the_log_tells_what_a_client_sent() {
    const CANARY: &str = "Canario7391";
    const RUT: &str = "12.345.678-5";
    const EMAIL: &str = "juana.perez@correo.cl";
    let mock = MockServer::start(Config::default()).await.unwrap();
    let service = Options::default()
        .model(&mock, 20_000)
        .env("LOG_LEVEL", "trace")
        .start()
        .await;
    let body = json!({ "company_id": 1, "dte_data": factura_con(CANARY),
        "history": [{ "error_code": CANARY, "message": CANARY }] });
    let question = json!({ "message": CANARY, "user_context": { "user_name": CANARY,
        "user_email": EMAIL, "company_rut": RUT } });
    let requests = [
        Request::validate(&body),
        Request::validate(&body).header("user-agent", CANARY),
        Request::validate(&body).header("cookie", CANARY),
        Request::validate(&body).header("referer", CANARY),
        Request::validate(&body).header("traceparent", CANARY),
        Request::validate(&body).header("x-forwarded-for", CANARY),
        Request::validate(&body).header("authorization", &format!("Bearer {CANARY}")),
        Request::validate(&body).header("x-api-key", CANARY),
        Request::validate(&body).header("content-type", CANARY),
        Request::validate(&body).header("x-request-id", KEY),
        Request::validate(&body).header("x-request-id", &format!("id-{RUT}")),
        Request::validate(&body).header("x-request-id", EMAIL),
        Request::validate(&json!({ CANARY: CANARY, "dte_data": CANARY })),
        Request::validate(&body).body(format!("{{\"{CANARY}")),
        Request::post("/api/chat/message", &question),
        Request::post("/api/chat/message/stream", &question),
        Request::get(&format!("/{CANARY}")),
        Request::get(&format!("/api/chat/session/{CANARY}")),
        Request::get(&format!("/api/payroll/indicators/{CANARY}")),
        Request::get(&format!(
            "/api/chat/knowledge/search?q={CANARY}&module={CANARY}"
        )),
        Request::bare(Method::from_bytes(CANARY.as_bytes()).unwrap(), "/live"),
    ];
    let sent = requests.len();
    for request in requests {
        service.send(request).await;
    }
    // The last one's line comes after those of all before it.
    let last = Request::get("/live").header("x-request-id", "the-last-one");
    service.send(last).await;
    service
        .log(|line| line["request_id"] == "the-last-one")
        .await;
    let text = service.log_text();
    let lines = text.lines().filter(|line| line.contains("\"request\""));
    assert!(lines.count() >= sent, "{text}");
    for secret in [
        CANARY,
        RUT,
        EMAIL,
        KEY,
        "12345678-5",
        "76192083-9",
        "sk-ant-prueba",
    ] {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
    assert!(
        text.contains("id-[rut]") && text.contains("[email]"),
        "{text}"
    );
}
