//! Tests of prediction over traffic as the service has it, against a fixed share.

use super::*;
use crate::Capabilities;

const MODEL: &str = "claude-sonnet-4-5";

/// Deterministic random numbers: a 64-bit linear congruence, and normal ones by Box and Muller.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 33).unwrap()) / f64::from(1_u32 << 31)
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }
}

/// One kind of call: input and output log-normal, the output correlated with the input.
struct Kind {
    operation: &'static str,
    input: (f64, f64),
    output: (f64, f64),
    follows_input: f64,
    max_tokens: u32,
}

/// A long cached prompt with a short verdict; a chat; a long extraction; a short choice.
const KINDS: [Kind; 4] = [
    kind("validate", (5_200.0, 0.25), (180.0, 0.45), 0.3, 1_024),
    kind("chat", (2_600.0, 0.60), (320.0, 0.55), 0.2, 1_024),
    kind("sii_monitor", (9_000.0, 0.50), (1_300.0, 0.40), 0.7, 4_096),
    kind("suggest_project", (1_900.0, 0.40), (90.0, 0.25), 0.1, 512),
];

const fn kind(
    operation: &'static str,
    input: (f64, f64),
    output: (f64, f64),
    follows_input: f64,
    max_tokens: u32,
) -> Kind {
    Kind {
        operation,
        input,
        output,
        follows_input,
        max_tokens,
    }
}

impl Kind {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and small"
    )]
    fn draw(&self, random: &mut Random) -> Observed {
        let input = random.log_normal(self.input.0, self.input.1);
        let follows = (input / self.input.0).powf(self.follows_input);
        let output = random.log_normal(self.output.0, self.output.1) * follows;
        let output = output.clamp(1.0, f64::from(self.max_tokens)) as u64;
        let seconds = random.log_normal(0.7, 0.3) + f64::from(output as u32) / 60.0;
        let (input, prices) = (input as u64, Capabilities::of(MODEL).prices.unwrap());
        Observed {
            input_tokens: input,
            output_tokens: output,
            latency: Duration::from_secs_f64(seconds),
            first_event: None,
            cost: prices.most(input, output, None),
        }
    }
}

/// How good one way to predict was.
#[derive(Default)]
struct Marks {
    calls: f64,
    off: f64,
    pinball: f64,
    held: f64,
    reserved: f64,
    spent: f64,
    under: f64,
}

impl Marks {
    fn add(&mut self, median: f64, p95: f64, actual: f64) {
        self.calls += 1.0;
        self.off += (median - actual).abs();
        let miss = actual - p95;
        self.pinball += if miss >= 0.0 {
            0.95 * miss
        } else {
            -0.05 * miss
        };
        self.held += if miss <= 0.0 { 1.0 } else { 0.0 };
        self.reserved += p95;
        self.spent += actual;
        self.under += miss.max(0.0);
    }

    fn row(&self, name: &str) -> String {
        format!(
            "| {name} | {:.0} | {:.1} | {:.1} % | {:.2} | {:.2} % |",
            self.off / self.calls,
            self.pinball / self.calls,
            100.0 * self.held / self.calls,
            self.reserved / self.spent,
            100.0 * self.under / self.spent,
        )
    }
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// 20,000 calls of four operations; the first 400 only teach.
fn traffic() -> (Marks, Marks, Marks, Predictor) {
    let (mut random, predictor) = (Random(20_261_122), Predictor::new());
    let (mut predicted, mut fixed, mut most) = <(Marks, Marks, Marks)>::default();
    for call in 0..20_000 {
        let kind = &KINDS[call % KINDS.len()];
        let actual = kind.draw(&mut random);
        let tokens = actual.input_tokens;
        let found = predictor
            .predict(kind.operation, MODEL, tokens, kind.max_tokens)
            .output_tokens;
        if call >= 400 {
            let output = float(actual.output_tokens);
            let (p50, p95) = (found.p50.unwrap(), found.p95.unwrap());
            predicted.add(float(p50), float(p95), output);
            let share = (float(tokens) * 0.3).min(f64::from(kind.max_tokens));
            fixed.add(share, share, output);
            let bound = f64::from(kind.max_tokens);
            most.add(bound, bound, output);
        }
        predictor.observe(kind.operation, MODEL, &actual);
    }
    (predicted, fixed, most, predictor)
}

/// Prints the table of `docs/costs.md`: run it with `--nocapture`.
#[test]
fn it_beats_thirty_per_cent_of_the_input_in_every_respect() {
    let (predicted, fixed, most, _) = traffic();
    println!("{}", predicted.row("this predictor"));
    println!("{}", fixed.row("30 % of the input"));
    println!("{}", most.row("`max_tokens`"));
    assert!(predicted.off < fixed.off * 0.3, "MAE");
    assert!(
        predicted.pinball < fixed.pinball * 0.75,
        "pinball loss at 0.95"
    );
    let held = predicted.held / predicted.calls;
    assert!((0.94..0.965).contains(&held), "{held}");
    assert!(predicted.reserved < fixed.reserved * 0.85);
    assert!(predicted.under < predicted.spent * 0.02);
}

#[test]
fn its_calibration_error_is_small_for_every_quantity() {
    let (.., predictor) = traffic();
    let series = predictor.series.lock().unwrap();
    assert_eq!(series.len(), KINDS.len());
    for ((operation, _), series) in series.iter() {
        for (quantity, errors) in series.calibration_errors() {
            if quantity == "first_event" {
                assert_eq!(errors, [None; 3]);
                continue;
            }
            for (error, bound) in errors.into_iter().zip([0.15, 0.07, 0.03]) {
                let error = error.unwrap();
                assert!(error.abs() < bound, "{operation} {quantity}: {error}");
            }
        }
    }
}

#[test]
fn it_never_exceeds_max_tokens_and_starts_with_nothing() {
    let predictor = Predictor::new();
    assert_eq!(
        predictor.predict("chat", MODEL, 1_000, 100),
        Prediction::default()
    );
    let observed = Observed {
        input_tokens: 1_000,
        output_tokens: 800,
        latency: Duration::from_secs(4),
        first_event: Some(Duration::from_millis(700)),
        cost: Usd::from_micros(15_000),
    };
    predictor.observe("chat", MODEL, &observed);
    let found = predictor.predict("chat", MODEL, 1_000, 100);
    assert_eq!(found.output_tokens.p50, Some(100));
    assert_eq!(found.output_tokens.p95, None);
    let first = found.first_event.p50.unwrap();
    assert!(first.abs_diff(Duration::from_millis(700)) < Duration::from_millis(1));
    assert!(found.cost.p50.unwrap().minus(observed.cost).pico().abs() < 10_000);
}

#[test]
fn extreme_figures_are_survived_and_the_number_of_series_is_bounded() {
    let predictor = Predictor::new();
    let wild = Observed {
        input_tokens: u64::MAX,
        output_tokens: u64::MAX,
        latency: Duration::MAX,
        first_event: Some(Duration::ZERO),
        cost: Usd::from_pico(-1),
    };
    for series in 0..MAX_PREDICTED_SERIES + 5 {
        for _ in 0..3 {
            predictor.observe("chat", &format!("m{series}"), &wild);
        }
    }
    assert_eq!(predictor.series.lock().unwrap().len(), MAX_PREDICTED_SERIES);
    let found = predictor.predict("chat", "m0", 0, u32::MAX);
    assert!(found.output_tokens.p50.unwrap() <= u64::from(u32::MAX));
    assert_eq!(found.cost.p50, Some(Usd::ZERO));
}
