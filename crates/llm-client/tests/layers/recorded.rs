//! Prediction against "30 % of the input", on traffic recorded from the mock over HTTP: what was
//! asked, what the answers took, in their order; then replayed through both.
//!
//! The lengths of questions and answers are drawn by the operations that the service has; what
//! the figures are is the mock's word (its usage, its own pace), as the client read it.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use llm_client::{
    Anthropic, AnthropicConfig, Capabilities, Completion, LanguageModel, Observed, Predictor,
    Request, StreamEvent, SystemBlock, TokenCounter,
};
use mock_anthropic::{Answer, Config, Delay, MockServer, Pace};

use super::stack::MODEL;

/// Calls that only teach.
const LESSONS: usize = 120;
const CALLS: usize = 900;

/// One operation: its rules' length in characters, the medians and spreads (of the logarithm) of
/// the question in characters and of the answer in tokens, and its limit.
struct Kind {
    operation: &'static str,
    rules: usize,
    question: (f64, f64),
    answer: (f64, f64),
    max_tokens: u32,
    streams: bool,
}

const KINDS: [Kind; 3] = [
    Kind {
        operation: "validate",
        rules: 12_000,
        question: (3_000.0, 0.5),
        answer: (180.0, 0.45),
        max_tokens: 1_500,
        streams: false,
    },
    Kind {
        operation: "chat",
        rules: 6_000,
        question: (2_400.0, 0.6),
        answer: (320.0, 0.55),
        max_tokens: 1_024,
        streams: true,
    },
    Kind {
        operation: "match_po",
        rules: 2_500,
        question: (4_000.0, 0.4),
        answer: (90.0, 0.25),
        max_tokens: 512,
        streams: false,
    },
];

/// Deterministic random numbers: a 64-bit linear congruence, and normal ones by Box and Muller.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        let (factor, step) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.0 = self.0.wrapping_mul(factor).wrapping_add(step);
        f64::from(u32::try_from(self.0 >> 33).unwrap()) / f64::from(1_u32 << 31)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and small"
    )]
    fn log_normal(&mut self, (median, sigma): (f64, f64)) -> usize {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.uniform()).cos();
        (median * (sigma * normal).exp()).max(1.0) as usize
    }
}

/// One call of the record.
struct Recorded {
    kind: &'static Kind,
    /// The input as the provider counted it.
    input_tokens: u64,
    observed: Observed,
}

fn words(chars: usize) -> String {
    "El neto y el IVA suman el total. "
        .chars()
        .cycle()
        .take(chars)
        .collect()
}

/// Makes the calls one after the other, and writes down what each took.
async fn record() -> Vec<Recorded> {
    let pace = Pace::new(
        Delay::LogNormal {
            p50: Duration::from_millis(1),
            p95: Duration::from_millis(3),
        },
        200_000.0,
    );
    let config = Config {
        pace,
        ..Config::default()
    };
    let mock = MockServer::start(config).await.unwrap();
    let mut config = AnthropicConfig::new("sk-ant-mock".into(), MODEL);
    config.base_url = mock.base_url();
    let model = Anthropic::try_new(config).unwrap();
    let (mut random, counter) = (Random(20_261_122), TokenCounter::new());
    let mut record = Vec::new();
    for call in 0..CALLS {
        let kind = &KINDS[call % KINDS.len()];
        // The stand-in takes four bytes for a token.
        let said = words(4 * random.log_normal(kind.answer));
        mock.answer_with(Answer::once(said));
        let request = Request::builder(kind.max_tokens)
            .operation(kind.operation)
            .system(SystemBlock::new(words(kind.rules)))
            .user(words(random.log_normal(kind.question)))
            .build()
            .unwrap();
        let begun = Instant::now();
        let (completion, first_event) = ask(&model, &request, kind.streams).await;
        let usage = completion.usage;
        record.push(Recorded {
            kind,
            input_tokens: usage.prompt_tokens(),
            observed: Observed {
                input_tokens: counter.by_characters(MODEL, &request).expected,
                output_tokens: usage.output_tokens,
                latency: begun.elapsed(),
                first_event,
                cost: Capabilities::of(MODEL).prices.unwrap().cost(&usage),
            },
        });
    }
    assert_eq!(mock.stats().requests_to("/v1/messages"), CALLS as u64);
    record
}

async fn ask(
    model: &Anthropic,
    request: &Request,
    streams: bool,
) -> (Completion, Option<Duration>) {
    if !streams {
        return (model.complete(request).await.unwrap(), None);
    }
    let begun = Instant::now();
    let mut events = model.stream(request).await.unwrap();
    let first = begun.elapsed();
    while let Some(event) = events.next().await {
        if let StreamEvent::Finished(completion) = event.unwrap() {
            return (completion, Some(first));
        }
    }
    unreachable!("a stream without an end is an error");
}

/// How good one way to predict was.
#[derive(Default)]
struct Marks {
    calls: f64,
    off: f64,
    held: f64,
    reserved: f64,
    used: f64,
    beyond: f64,
}

impl Marks {
    fn add(&mut self, median: f64, p95: f64, actual: f64) {
        self.calls += 1.0;
        self.off += (median - actual).abs();
        self.held += f64::from(u8::from(actual <= p95));
        self.reserved += p95;
        self.used += actual;
        self.beyond += (actual - p95).max(0.0);
    }

    fn print(&self, name: &str) {
        println!(
            "| {name} | {:.0} | {:.1} % | {:.2} | {:.2} % |",
            self.off / self.calls,
            100.0 * self.held / self.calls,
            self.reserved / self.used,
            100.0 * self.beyond / self.used,
        );
    }
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Prints the table of `docs/costs.md`: run it with `--nocapture`.
#[tokio::test]
async fn on_recorded_traffic_it_beats_thirty_per_cent_of_the_input() {
    let (predictor, mut predicted, mut fixed) =
        (Predictor::new(), Marks::default(), Marks::default());
    for (call, recorded) in record().await.iter().enumerate() {
        let Recorded { kind, observed, .. } = recorded;
        let input = observed.input_tokens;
        let found = predictor.predict(kind.operation, MODEL, input, kind.max_tokens);
        if call >= LESSONS {
            let output = float(observed.output_tokens);
            let (p50, p95) = (found.output_tokens.p50, found.output_tokens.p95);
            predicted.add(float(p50.unwrap()), float(p95.unwrap()), output);
            let share = 0.3 * float(recorded.input_tokens);
            let share = share.min(f64::from(kind.max_tokens));
            fixed.add(share, share, output);
        }
        predictor.observe(kind.operation, MODEL, observed);
    }
    predicted.print("this predictor");
    fixed.print("30 % of the input");
    assert!(predicted.off < fixed.off * 0.3, "mean error");
    let held = predicted.held / predicted.calls;
    assert!((0.92..0.98).contains(&held), "{held}");
    assert!(predicted.reserved < fixed.reserved, "reserved");
    assert!(predicted.beyond < predicted.used * 0.03, "beyond");
}
