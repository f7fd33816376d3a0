//! What a call leaves behind, seen by a recorder made for these tests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};

use super::*;
use crate::{StopReason, SystemBlock};

/// Sums what is recorded, by name and labels; of a gauge it has the last value.
#[derive(Default, Clone)]
pub(crate) struct Sums(Arc<Mutex<BTreeMap<String, f64>>>);

struct Cell(Sums, String);

impl Cell {
    fn add(&self, value: f64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.add(approximate(value));
    }

    fn absolute(&self, value: u64) {
        self.add(approximate(value));
    }
}

impl GaugeFn for Cell {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.0.0.lock().unwrap().insert(self.1.clone(), value);
    }
}

impl HistogramFn for Cell {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Sums {
    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::new(Cell(self.clone(), name))
    }

    pub(crate) fn rows(&self) -> Vec<(String, f64)> {
        let sums = self.0.lock().unwrap();
        sums.iter()
            .map(|(name, sum)| (name.clone(), *sum))
            .collect()
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell(key))
    }
}

/// Keeps the fields of the one span that is opened under it.
#[derive(Default, Clone)]
struct Fields(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut fields = self.0.lock().unwrap();
        fields.insert(field.name(), format!("{value:?}"));
    }
}

impl Subscriber for Fields {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn question() -> Request {
    let request = Request::builder(100).system(SystemBlock::new("Sé breve."));
    request.user("¿Está bien la factura 7?").build().unwrap()
}

fn span_of(result: &Result<Completion, Error>) -> BTreeMap<&'static str, String> {
    let fields = Fields::default();
    let subscriber = fields.clone();
    tracing::subscriber::with_default(subscriber, || {
        Call::start(&instruments(), &question()).finish(result.as_ref());
    });
    fields.0.lock().unwrap().clone()
}

fn completion() -> Completion {
    Completion {
        text: "TEXTO-DE-LA-RESPUESTA".to_owned(),
        stop_reason: StopReason::EndTurn,
        usage: USAGE,
        provider: Provider::Anthropic,
        model: "m-1".to_owned(),
        request_id: Some("req_1".to_owned()),
        rate_limits: None,
        elapsed: Duration::ZERO,
    }
}

const USAGE: Usage = Usage {
    input_tokens: 1,
    output_tokens: 2,
    cache_read_input_tokens: 30,
    cache_creation_5m_input_tokens: 400,
    cache_creation_1h_input_tokens: 5000,
    estimated: false,
};

const DURATION: &str = "gen_ai.client.operation.duration{gen_ai.operation.name=chat,\
    gen_ai.provider.name=anthropic,gen_ai.request.model=m";
const TOKENS: &str = "gen_ai.client.token.usage{gen_ai.operation.name=chat,\
    gen_ai.provider.name=anthropic,gen_ai.request.model=m,gen_ai.token.type=";
const PROMPT: &str =
    "llm_prompt_tokens_total{gen_ai.provider.name=anthropic,gen_ai.request.model=m,cache=";

fn instruments() -> Arc<Instruments> {
    Arc::new(Instruments::new(Provider::Anthropic, "m", false))
}

async fn three_seconds(act: impl FnOnce(Call)) -> Vec<(String, f64)> {
    let sums = Sums::default();
    let _guard = metrics::set_default_local_recorder(&sums);
    let call = Call::start(&instruments(), &question());
    tokio::time::advance(Duration::from_secs(3)).await;
    act(call);
    sums.rows()
}

fn token_rows() -> Vec<(String, f64)> {
    vec![
        (format!("{TOKENS}input}}"), 5431.0),
        (format!("{TOKENS}output}}"), 2.0),
        (format!("{PROMPT}none}}"), 1.0),
        (format!("{PROMPT}read}}"), 30.0),
        (format!("{PROMPT}write_1h}}"), 5000.0),
        (format!("{PROMPT}write_5m}}"), 400.0),
    ]
}

#[tokio::test(start_paused = true)]
async fn an_answer_leaves_its_duration_and_its_tokens() {
    let rows = three_seconds(|call| call.finish(Ok(&completion()))).await;
    let mut expected = vec![(format!("{DURATION}}}"), 3.0)];
    expected.extend(token_rows());
    assert_eq!(rows, expected);
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_its_kind_and_the_tokens_it_cost() {
    let error = Error::new(ErrorKind::Refused).with_usage(USAGE);
    let rows = three_seconds(|call| call.finish(Err(&error))).await;
    let mut expected = vec![(format!("{DURATION},error.type=refused}}"), 3.0)];
    expected.extend(token_rows());
    assert_eq!(rows, expected);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_counted_as_cancelled() {
    let rows = three_seconds(drop).await;
    assert_eq!(rows, [(format!("{DURATION},error.type=cancelled}}"), 3.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_leaves_the_time_to_its_first_piece_and_between_pieces() {
    let sums = Sums::default();
    let _guard = metrics::set_default_local_recorder(&sums);
    let mut call = Call::start(&instruments(), &question());
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(2)).await;
        call.chunk();
    }
    call.cancel(Some(USAGE));
    let labels = DURATION.split_once('{').unwrap().1;
    let rows = sums.rows();
    for (name, value) in [(TIME_TO_FIRST_CHUNK, 2.0), (TIME_PER_OUTPUT_CHUNK, 4.0)] {
        assert!(
            rows.contains(&(format!("{name}{{{labels}}}"), value)),
            "{rows:?}"
        );
    }
    assert!(rows.contains(&(format!("{DURATION},error.type=cancelled}}"), 6.0)));
    assert!(token_rows().iter().all(|row| rows.contains(row)));
}

#[test]
fn buckets_are_those_of_the_conventions() {
    assert!(
        OPERATION_DURATION_BUCKETS
            .windows(2)
            .all(|w| (w[1] / w[0] - 2.0).abs() < 1e-9)
    );
    assert!(
        TOKEN_USAGE_BUCKETS
            .windows(2)
            .all(|w| (w[1] / w[0] - 4.0).abs() < 1e-9)
    );
}

#[test]
fn a_span_follows_the_conventions_and_holds_no_text() {
    let fields = span_of(&Ok(completion()));
    let expected = [
        ("gen_ai.operation.name", "\"chat\""),
        ("gen_ai.provider.name", "\"anthropic\""),
        ("gen_ai.request.model", "\"m\""),
        ("gen_ai.response.finish_reasons", "\"end_turn\""),
        ("gen_ai.response.id", "\"req_1\""),
        ("gen_ai.response.model", "\"m-1\""),
        ("gen_ai.usage.cache_creation.input_tokens", "5400"),
        ("gen_ai.usage.cache_read.input_tokens", "30"),
        ("gen_ai.usage.input_tokens", "5431"),
        ("gen_ai.usage.output_tokens", "2"),
        ("otel.kind", "\"client\""),
        ("otel.name", "chat m"),
    ];
    let expected = expected.map(|(name, value)| (name, value.to_owned()));
    assert_eq!(fields, BTreeMap::from(expected));
}

#[test]
fn the_span_of_a_failure_has_its_kind_and_not_the_providers_message() {
    let error = Error::new(ErrorKind::Overloaded).with_upstream_message("TEXTO-DEL-PROVEEDOR");
    let fields = span_of(&Err(error));
    assert_eq!(fields["error.type"], "\"overloaded\"");
    assert!(!format!("{fields:?}").contains("TEXTO"));
}

/// What a span holds of an answered call, with or without content.
fn contents(content: bool, request: &Request, answer: &str) -> BTreeMap<&'static str, String> {
    let fields = Fields::default();
    let instruments = Arc::new(Instruments::new(Provider::Anthropic, "m", content));
    let completed = Completion {
        text: answer.to_owned(),
        ..completion()
    };
    tracing::subscriber::with_default(fields.clone(), || {
        Call::start(&instruments, request).finish(Ok(&completed));
    });
    let fields = fields.0.lock().unwrap();
    fields.clone()
}

#[test]
fn a_span_holds_content_only_where_it_was_opted_into() {
    const NAMES: [&str; 3] = [
        "gen_ai.system_instructions",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
    ];
    let silent = contents(false, &question(), "Sí.");
    assert!(
        NAMES.iter().all(|name| !silent.contains_key(name)),
        "{silent:?}"
    );
    let open = contents(true, &question(), "Sí.");
    let told = NAMES.map(|name| serde_json::from_str::<String>(&open[name]).unwrap());
    assert_eq!(told[0], r#"[{"type":"text","content":"Sé breve."}]"#);
    assert_eq!(
        told[1],
        r#"[{"role":"user","parts":[{"type":"text","content":"¿Está bien la factura 7?"}]}]"#
    );
    assert_eq!(
        told[2],
        r#"[{"role":"assistant","parts":[{"type":"text","content":"Sí."}],"finish_reason":"end_turn"}]"#
    );
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let long = "ñ".repeat(content::MAX_TEXT_BYTES);
    let request = Request::builder(100)
        .user(format!("x{long}"))
        .build()
        .unwrap();
    let open = contents(true, &request, &long);
    for name in ["gen_ai.input.messages", "gen_ai.output.messages"] {
        let bytes = open[name].len();
        let bounds = content::MAX_TEXT_BYTES..content::MAX_TEXT_BYTES + 200;
        assert!(bounds.contains(&bytes), "{name}: {bytes}");
    }
}
