//! Traces from the real binary, read by OpenTelemetry's own protobuf messages in Python, and a
//! collector that hangs.
//!
//! The receiver needs the environment of `cargo xtask test`, as `anthropic_sdk.rs` does.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mock_anthropic::{Answer, Config, Fault, MockServer};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};

use crate::support::{Options, Request, Service, valid};

const LIMIT: Duration = Duration::from_secs(60);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// The receiver, and the spans that came so far.
struct Receiver {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    endpoint: String,
    spans: Vec<Value>,
}

impl Receiver {
    /// None where there is no Python environment for it.
    async fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("AI_SERVICE_TEST_PYTHON") else {
            println!("skipped: AI_SERVICE_TEST_PYTHON isn't set; `cargo xtask test` sets it");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python");
        let mut child = Command::new(python)
            .arg(script.join("otlp_receiver.py"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = line(&mut lines).await;
        Some(Self {
            _child: child,
            lines,
            endpoint: format!("http://127.0.0.1:{port}"),
            spans: Vec::new(),
        })
    }

    /// The span that fits, now or soon; those of its trace came before it or with it.
    async fn root(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(span) = self.spans.iter().find(|span| fits(span)) {
                return span.clone();
            }
            let line = line(&mut self.lines).await;
            self.spans.push(serde_json::from_str(&line).unwrap());
        }
    }

    /// The children of a span, in the order of their beginnings.
    fn children(&self, span: &Value) -> Vec<&Value> {
        let children = self.spans.iter();
        let mut children: Vec<_> = children
            .filter(|child| child["parent"] == span["span"] && child["trace"] == span["trace"])
            .collect();
        children.sort_by_key(|child| child["start"].as_u64());
        children
    }

    /// The names below a span, a level an indentation.
    fn tree(&self, span: &Value, depth: usize) -> String {
        let name = span["name"].as_str().unwrap();
        let events = span["events"].as_array().unwrap().iter();
        let events: String = events
            .map(|event| format!(" ({})", event["name"].as_str().unwrap()))
            .collect();
        let mut tree = format!("{}{name}{events}\n", "  ".repeat(depth));
        for child in self.children(span) {
            tree.push_str(&self.tree(child, depth + 1));
        }
        tree
    }

    /// The spans of this name in a span's trace.
    fn named(&self, root: &Value, name: &str) -> Vec<&Value> {
        let spans = self.spans.iter();
        spans
            .filter(|span| span["trace"] == root["trace"] && span["name"] == name)
            .collect()
    }
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let next = tokio::time::timeout(LIMIT, lines.next_line());
    let line = next.await.expect("no span came in time").unwrap();
    line.expect("the receiver ended")
}

fn review() -> Answer {
    Answer::always(json!({ "confidence": 90, "findings": [] }).to_string())
}

fn of_route(route: &'static str) -> impl Fn(&Value) -> bool {
    move |span| span["kind"] == "SERVER" && span["attributes"]["http.route"] == route
}

#[tokio::test]
async fn a_collector_gets_the_spans_of_a_validation_and_of_a_stream() {
    let Some(mut receiver) = Receiver::start().await else {
        return;
    };
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(review());
    mock.inject(Fault::Overloaded, 1);
    let service = Options::default()
        .model(&mock, 20_000)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint)
        .start()
        .await;
    validation(&service, &mock, &mut receiver).await;
    mock.reset();
    stream(&service, &mut receiver).await;
    let text = serde_json::to_string(&receiver.spans).unwrap();
    for content in [
        "Cemento",
        "76192083",
        "12345678",
        "factura aceptada",
        "clave-de-prueba",
    ] {
        assert!(!text.contains(content), "{content} is in a span");
    }
}

/// One validation that is tried again, then the same from the cache.
async fn validation(service: &Service, mock: &MockServer, receiver: &mut Receiver) {
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let request = Request::validate(&valid())
        .header("traceparent", &parent)
        .header("tracestate", "erp=abc");
    let reply = service.send(request).await;
    assert_eq!(reply.json()["degraded"], false, "{reply:?}");
    let root = receiver.root(of_route("/api/ai/validate")).await;
    let tree = receiver.tree(&root, 0);
    println!("{tree}");
    assert_eq!(
        tree,
        "POST /api/ai/validate (a call will be made again)\n  cache l1\n  rules\n  cache l1\n  \
         cache l2\n  chat claude-sonnet-4-6\n  chat claude-sonnet-4-6\n"
    );
    assert_eq!(
        (&root["trace"], &root["parent"]),
        (&json!(TRACE), &json!(CALLER))
    );
    assert_eq!(root["state"], "erp=abc");
    assert_eq!(root["resource"]["service.name"], "ai-service");
    assert_eq!(root["failed"], false, "a client got its answer");
    let attributes = &root["attributes"];
    assert_eq!(attributes["http.response.status_code"], 200);
    assert_eq!(attributes["cache.result"], "miss");
    let id = reply.header("x-request-id");
    assert_eq!(attributes["request.id"], id);
    let calls = receiver.named(&root, "chat claude-sonnet-4-6");
    assert_eq!(
        (&calls[0]["failed"], &calls[1]["failed"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(calls[0]["attributes"]["error.type"], "overloaded");
    let call = calls[1];
    assert_eq!(call["kind"], "CLIENT");
    assert_eq!(call["attributes"]["gen_ai.provider.name"], "anthropic");
    assert!(
        call["attributes"]["gen_ai.usage.input_tokens"]
            .as_u64()
            .unwrap()
            > 0
    );
    // The model's side would go on from this very call.
    let asked = mock.requests();
    let sent = &asked.last().unwrap().headers["traceparent"];
    let span = call["span"].as_str().unwrap();
    assert_eq!(sent, &format!("00-{TRACE}-{span}-01"));
    assert_eq!(asked.last().unwrap().headers["tracestate"], "erp=abc");
    let line = service.log(|line| line["request_id"] == id).await;
    assert_eq!(
        (&line["trace_id"], &line["span_id"]),
        (&json!(TRACE), &root["span"])
    );

    let reply = service.send(Request::validate(&valid())).await;
    assert_eq!(reply.header("x-cache"), "hit");
    let hit = |span: &Value| span["attributes"]["cache.result"] == "hit";
    let root = receiver.root(hit).await;
    assert_eq!(
        receiver.tree(&root, 0),
        "POST /api/ai/validate\n  cache l1\n"
    );
    assert_ne!(root["trace"], TRACE);
    assert_eq!(root["parent"], "");
    assert_eq!(receiver.children(&root)[0]["attributes"]["cache.hit"], true);
}

async fn stream(service: &Service, receiver: &mut Receiver) {
    let question = json!({ "message": "¿Cómo anulo una factura aceptada por el SII?" });
    let reply = service
        .send(Request::post("/api/chat/message/stream", &question))
        .await;
    assert_eq!(reply.status, 200);
    let root = receiver.root(of_route("/api/chat/message/stream")).await;
    let tree = receiver.tree(&root, 0);
    println!("{tree}");
    let names: Vec<_> = tree.lines().map(str::trim).collect();
    assert_eq!(names[0], "POST /api/chat/message/stream");
    assert!(names.contains(&"knowledge search"), "{tree}");
    assert!(names.contains(&"chat claude-sonnet-4-6"), "{tree}");
    let call = receiver.named(&root, "chat claude-sonnet-4-6")[0];
    assert!(
        call["attributes"]["gen_ai.usage.output_tokens"]
            .as_u64()
            .unwrap()
            > 0
    );
    assert!(
        root["end"].as_u64() >= call["end"].as_u64(),
        "the root ends last"
    );
}

#[tokio::test]
async fn content_is_in_the_spans_of_the_model_where_it_was_opted_into_and_never_in_the_log() {
    let Some(mut receiver) = Receiver::start().await else {
        return;
    };
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(review());
    let service = Options::default()
        .model(&mock, 20_000)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint)
        .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
        .start()
        .await;
    let reply = service.send(Request::validate(&valid())).await;
    let root = receiver.root(of_route("/api/ai/validate")).await;
    let call = receiver.named(&root, "chat claude-sonnet-4-6")[0];
    let told = |name: &str| call["attributes"][name].as_str().unwrap().to_owned();
    assert!(told("gen_ai.input.messages").contains("Cemento"));
    assert!(told("gen_ai.system_instructions").contains("\"type\":\"text\""));
    assert!(told("gen_ai.output.messages").contains("confidence"));
    let id = reply.header("x-request-id");
    let line = service.log(|line| line["request_id"] == id).await;
    assert!(!line.to_string().contains("Cemento"), "{line}");
}

#[tokio::test]
async fn by_ratio_nothing_is_kept_but_what_failed() {
    let Some(mut receiver) = Receiver::start().await else {
        return;
    };
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(review());
    let service = Options::default()
        .model(&mock, 20_000)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint)
        .env("OTEL_TRACES_SAMPLER_ARG", "0")
        .start()
        .await;
    for _ in 0..20 {
        assert_eq!(service.send(Request::get("/live")).await.status, 200);
    }
    mock.inject(Fault::Overloaded, 1);
    let reply = service.send(Request::validate(&valid())).await;
    assert_eq!(reply.status, 200);
    receiver.root(of_route("/api/ai/validate")).await;
    let strangers = receiver.spans.iter();
    let strangers = strangers.filter(|span| span["attributes"]["http.route"] == "/live");
    assert_eq!(strangers.count(), 0);
    // The model is told that it isn't sampled.
    let asked = mock.requests();
    let sent = asked.last().unwrap().headers["traceparent"].clone();
    assert!(sent.ends_with("-00"), "{sent:?}");
}

#[tokio::test]
async fn a_collector_that_hangs_costs_requests_nothing() {
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let service = Options::default()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .config("[traces]\ntimeout_ms = 200\n")
        .start()
        .await;
    assert_eq!(service.send(Request::get("/live")).await.status, 200);
    // The first batch is on its way, and stays there.
    let (_held, _) = tokio::time::timeout(LIMIT, silent.accept())
        .await
        .unwrap()
        .unwrap();
    let mut slowest = Duration::ZERO;
    for _ in 0..200 {
        let begun = std::time::Instant::now();
        assert_eq!(service.send(Request::get("/live")).await.status, 200);
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    let told = |line: &Value| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("the traces' collector takes nothing")
    };
    service.log(told).await;
    let text = service.send(Request::get("/metrics")).await;
    let text = String::from_utf8(text.body.to_vec()).unwrap();
    let dropped = r#"trace_spans_dropped_total{reason="export_failed"} "#;
    assert!(text.contains(dropped), "{text}");
}
