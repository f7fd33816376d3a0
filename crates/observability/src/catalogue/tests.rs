//! What holds of every entry.

use std::collections::BTreeSet;

use super::*;

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte))
}

#[test]
fn names_are_prometheus_own_and_none_is_there_twice() {
    let mut seen = BTreeSet::new();
    for metric in metrics() {
        let name = metric.exposed();
        assert!(is_name(metric.name), "{name}");
        assert!(seen.insert(name.clone()), "{name} is there twice");
        let is_counter = metric.kind == Kind::Counter;
        assert_eq!(name.ends_with("_total"), is_counter, "{name}");
        for suffix in ["_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(suffix), "{name} ends in {suffix}");
        }
        assert_eq!(find(&name).map(|found| found.name), Some(metric.name));
    }
    assert_eq!(find("nothing_like_it"), None);
}

#[test]
fn a_unit_is_in_the_name() {
    for metric in metrics() {
        let name = metric.exposed();
        let stem = name.strip_suffix("_total").unwrap_or(&name);
        let ending = match metric.unit {
            // The GenAI conventions' own names have none.
            Unit::Seconds if !metric.name.contains('.') => "_seconds",
            Unit::Bytes => "_bytes",
            Unit::NanoDollars => "_nanodollars",
            Unit::PicoDollars => "_pico_usd",
            Unit::Dollars => "_usd",
            _ => "",
        };
        assert!(
            stem.ends_with(ending),
            "{name} is in {}",
            metric.unit.as_str()
        );
    }
}

#[test]
fn help_is_one_line_that_says_something() {
    for metric in metrics() {
        let help = metric.help;
        assert!(help.len() >= 15 && !help.contains('\n'), "{}", metric.name);
        assert!(!help.ends_with('.') && !help.contains("  "), "{help}");
        let first = help.chars().next().unwrap_or(' ');
        assert!(first.is_uppercase(), "{help}");
    }
}

#[test]
fn labels_are_bounded_and_never_what_identifies_somebody() {
    const IDENTIFIES: [&str; 9] = [
        "id",
        "request_id",
        "session",
        "session_id",
        "rut",
        "company",
        "company_id",
        "user",
        "caller",
    ];
    for metric in metrics() {
        let mut seen = BTreeSet::new();
        for label in metric.labels {
            assert!(is_name(label.name), "{}", label.name);
            assert!(seen.insert(label.name), "{} twice", label.name);
            assert!(!IDENTIFIES.contains(&label.name), "{}", label.name);
            assert!((1..=64).contains(&label.values.max()), "{}", label.name);
            // `le` and `quantile` are Prometheus' own on some kinds.
            let reserved =
                label.name == "le" || (label.name == "quantile" && metric.kind == Kind::Histogram);
            assert!(!reserved, "{} on {}", label.name, metric.name);
        }
        assert!(metric.max_series() <= 64 * 24 * 8, "{}", metric.name);
    }
}

#[test]
fn histograms_have_rising_buckets_and_nothing_else_has() {
    for metric in metrics() {
        let is_histogram = metric.kind == Kind::Histogram;
        assert_eq!(!metric.buckets.is_empty(), is_histogram, "{}", metric.name);
        assert!(
            metric.buckets.windows(2).all(|pair| pair[0] < pair[1]),
            "{}",
            metric.name
        );
        assert!(metric.buckets.len() <= 40, "{}", metric.name);
    }
}
