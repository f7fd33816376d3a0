//! Tests of counting: bounded, right for what is short, near for what is long, learning.

use std::time::{Duration, Instant};

use super::*;
use crate::SystemBlock;

const MODEL: &str = "claude-sonnet-4-5";

fn request(text: &str) -> Request {
    Request::builder(100).user(text).build().unwrap()
}

async fn counter() -> TokenCounter {
    let counter = TokenCounter::new();
    counter.ready().await;
    counter
}

fn usage(input_tokens: u64) -> Usage {
    Usage {
        input_tokens,
        ..Usage::default()
    }
}

/// An invoice's lines with changing figures, as prompts have them.
fn lines(count: usize) -> String {
    (0..count)
        .map(|n| {
            let price = n * 7_919 % 90_000;
            format!("{{\"nombre\":\"Tornillo {n}\",\"cantidad\":{n},\"monto\":{price}}},\n")
        })
        .collect()
}

#[test]
fn characters_bound_the_tokens_and_learn_apart_from_the_tokenizer() {
    let (counter, asked) = (TokenCounter::new(), request(&"x".repeat(3_000)));
    let first = counter.by_characters(MODEL, &asked);
    assert_eq!(first.method, CountMethod::Characters);
    assert_eq!((first.expected, first.upper), (1_012, 1_512));
    for _ in 0..60 {
        let estimate = counter.by_characters(MODEL, &asked);
        counter.observe(MODEL, &estimate, &usage(800));
    }
    let learned = counter.by_characters(MODEL, &asked);
    assert!(learned.expected.abs_diff(800) <= 8, "{learned:?}");
    assert_eq!(learned.upper, first.upper, "the bound stays");
    assert_eq!(counter.calibration(MODEL), None);
    // What is expected never exceeds the bound, whatever was learned.
    for _ in 0..60 {
        counter.observe(MODEL, &first, &usage(100_000));
    }
    let high = counter.by_characters(MODEL, &asked);
    assert_eq!(high.expected, high.upper);
}

#[tokio::test]
async fn a_short_text_is_counted_whole_and_a_long_one_by_a_sample_that_comes_near() {
    let counter = counter().await;
    let vocabulary = vocabulary::get().unwrap();
    let short = counter.estimate(MODEL, &request(&lines(100)));
    assert_eq!(short.method, CountMethod::Tokenizer);
    let exact = u64::try_from(vocabulary.count_ordinary(&lines(100))).unwrap();
    assert!(
        short.raw.abs_diff(exact + 12) <= 8,
        "{} for {exact}: pieces add little",
        short.raw
    );

    let long = lines(5_000);
    let estimate = counter.estimate(MODEL, &request(&long));
    assert_eq!(estimate.method, CountMethod::Sample);
    let exact = u64::try_from(vocabulary.count_ordinary(&long)).unwrap();
    let off = estimate.raw.abs_diff(exact);
    assert!(off * 100 < exact * 5, "{} for {exact}", estimate.raw);
    assert!(estimate.upper > exact);
}

#[tokio::test]
async fn a_prompt_of_parts_that_differ_is_held_by_its_upper_bound() {
    let counter = counter().await;
    let prose = "La factura lleva IVA sobre el neto. ".repeat(2_000);
    let request = Request::builder(100)
        .system(SystemBlock::new(prose.as_str()))
        .user(lines(500))
        .build()
        .unwrap();
    let vocabulary = vocabulary::get().unwrap();
    let exact = vocabulary.count_ordinary(&prose) + vocabulary.count_ordinary(&lines(500));
    let estimate = counter.estimate(MODEL, &request);
    assert!(
        estimate.upper >= u64::try_from(exact).unwrap(),
        "{estimate:?} for {exact}"
    );
}

#[tokio::test]
async fn the_estimate_follows_what_the_provider_says_model_by_model() {
    let counter = counter().await;
    let asked = request(&lines(50));
    let first = counter.estimate(MODEL, &asked);
    let actual = first.raw * 5 / 4;
    for _ in 0..60 {
        let estimate = counter.estimate(MODEL, &asked);
        counter.observe(MODEL, &estimate, &usage(actual));
    }
    let learned = counter.estimate(MODEL, &asked);
    assert!(learned.expected.abs_diff(actual) * 100 <= actual);
    assert!(learned.upper >= actual && learned.upper < first.upper);
    let (correction, error) = counter.calibration(MODEL).unwrap();
    assert!((correction - 1.25).abs() < 0.02 && error < 0.03);
    assert_eq!(counter.estimate("claude-opus-4-5", &asked), first);
}

#[tokio::test]
async fn estimated_usage_teaches_nothing_and_the_number_of_models_is_bounded() {
    let counter = counter().await;
    let asked = request("hola");
    let estimate = counter.estimate(MODEL, &asked);
    let guessed = Usage {
        estimated: true,
        ..usage(500)
    };
    counter.observe(MODEL, &estimate, &guessed);
    assert_eq!(counter.calibration(MODEL), None);
    for model in 0..MAX_CALIBRATED_MODELS + 10 {
        counter.observe(&format!("m{model}"), &estimate, &usage(20));
    }
    assert!(counter.calibration("m0").is_some());
    let beyond = format!("m{MAX_CALIBRATED_MODELS}");
    assert_eq!(counter.calibration(&beyond), None);
}

#[tokio::test]
async fn no_text_panics_or_takes_long() {
    let counter = counter().await;
    let texts = [
        "a".repeat(1 << 20),
        format!("x{}", " ".repeat(1 << 20)),
        format!("x{}", " \n\t".repeat(300_000)),
        "🧾".repeat(200_000),
        "\u{301}".repeat(10_000),
        "x\u{0}".repeat(5_000),
        "<|endoftext|>".repeat(900),
        "ñ".to_owned(),
    ];
    for text in texts {
        let asked = request(&text);
        let started = Instant::now();
        let estimate = counter.estimate(MODEL, &asked);
        assert!(estimate.expected > 0 && estimate.upper >= estimate.expected);
        // Far above what it takes, also unoptimised on a busy machine: it must not grow.
        let took = started.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}
