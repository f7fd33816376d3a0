//! Expressions against the catalogue of metrics: names, labels, their values, bounds of buckets.

use std::collections::{BTreeMap, BTreeSet};

use observability::catalogue::{self, Kind, Metric, Values};

use super::promql::{Matcher, Query, Selector, parse};
use super::rules;

/// Labels that Prometheus and the operator put on what they scrape.
const OF_THE_TARGET: [&str; 5] = ["job", "instance", "namespace", "pod", "service"];

/// Metrics of Prometheus itself and of the blackbox exporter.
const FOREIGN: [&str; 2] = ["up", "probe_ssl_earliest_cert_expiry"];

/// What recording rules make: name and labels.
pub type Recorded = BTreeMap<String, BTreeSet<String>>;

/// The names that recording rules make, with the labels that they leave.
pub fn recorded() -> Recorded {
    let rules = rules::all().into_iter();
    let recorded = rules.filter_map(|rule| Some((rule.record?, parse(&rule.expr))));
    recorded
        .map(|(name, query)| {
            (
                name,
                query
                    .grouping
                    .into_iter()
                    .filter(|label| label != "le")
                    .collect(),
            )
        })
        .collect()
}

/// What is wrong with an expression; each line begins with `place`.
pub fn violations(place: &str, expression: &str, recorded: &Recorded) -> Vec<String> {
    let query = parse(expression);
    let mut wrong: Vec<String> = query
        .selectors
        .iter()
        .filter_map(|selector| of_selector(selector, recorded).err())
        .collect();
    let known = labels(&query, recorded);
    let strangers = query
        .grouping
        .iter()
        .filter(|label| !known.contains(*label));
    wrong.extend(strangers.map(|label| format!("groups by {label}, which nothing in it has")));
    if query.selectors.is_empty() {
        wrong.push("uses no metric".to_owned());
    }
    wrong
        .iter()
        .map(|what| format!("{place}: {what}"))
        .collect()
}

/// The labels that the result of an expression may have.
pub fn result_labels(expression: &str, recorded: &Recorded) -> BTreeSet<String> {
    let query = parse(expression);
    if query.grouping.is_empty() {
        return labels(&query, recorded);
    }
    query.grouping.into_iter().collect()
}

fn labels(query: &Query, recorded: &Recorded) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = OF_THE_TARGET.map(str::to_owned).into();
    for selector in &query.selectors {
        if let Some(labels) = recorded.get(&selector.metric) {
            all.extend(labels.iter().cloned());
        } else if let Some((metric, part)) = find(&selector.metric) {
            all.extend(metric.labels.iter().map(|label| exposed(label.name)));
            all.extend((part == "_bucket").then(|| "le".to_owned()));
        }
    }
    all
}

fn of_selector(selector: &Selector, recorded: &Recorded) -> Result<(), String> {
    let name = selector.metric.as_str();
    if FOREIGN.contains(&name) {
        return Ok(());
    }
    if let Some(labels) = recorded.get(name) {
        let stranger = selector
            .matchers
            .iter()
            .find(|m| !labels.contains(&m.label));
        return stranger.map_or(Ok(()), |m| Err(format!("{name} has no label {}", m.label)));
    }
    let (metric, part) = find(name).ok_or_else(|| format!("there is no metric {name}"))?;
    let function = selector.function.as_deref().unwrap_or_default();
    if metric.kind == Kind::Gauge && matches!(function, "rate" | "irate" | "increase") {
        return Err(format!("{function} of {name}, which is a gauge"));
    }
    selector
        .matchers
        .iter()
        .try_for_each(|matcher| of_matcher(metric, part, matcher))
}

/// A metric by the name of one of its series, and the ending that a histogram's series have.
fn find(series: &str) -> Option<(&'static Metric, &'static str)> {
    let parts = ["_bucket", "_count", "_sum"];
    let histogram = parts.into_iter().find_map(|part| {
        let metric = catalogue::find(series.strip_suffix(part)?)?;
        (metric.kind == Kind::Histogram).then_some((metric, part))
    });
    let plain = || catalogue::find(series).filter(|metric| metric.kind != Kind::Histogram);
    histogram.or_else(|| Some((plain()?, "")))
}

/// As Prometheus sees a name of the GenAI conventions.
fn exposed(label: &str) -> String {
    label.replace('.', "_")
}

fn of_matcher(metric: &Metric, part: &str, matcher: &Matcher) -> Result<(), String> {
    let label = matcher.label.as_str();
    // What a dashboard's reader chooses.
    if OF_THE_TARGET.contains(&label) {
        return Ok(());
    }
    let wanted = matcher.value.split('|');
    if label == "le" && part == "_bucket" {
        let stranger = wanted.into_iter().find(|bound| !is_bound(metric, bound));
        return stranger.map_or(Ok(()), |bound| {
            Err(format!("{} has no bucket {bound}", metric.name))
        });
    }
    let found = metric
        .labels
        .iter()
        .find(|known| exposed(known.name) == label);
    let found = found.ok_or_else(|| format!("{} has no label {label}", metric.name))?;
    let Values::Words(words) = found.values else {
        return Ok(());
    };
    let stranger = wanted
        .into_iter()
        .find(|value| !value.is_empty() && !words.contains(value));
    stranger.map_or(Ok(()), |value| {
        Err(format!("{label} of {} is never {value:?}", metric.name))
    })
}

fn is_bound(metric: &Metric, bound: &str) -> bool {
    let bound: Option<f64> = bound.parse().ok();
    bound.is_some_and(|bound| metric.buckets.contains(&bound))
}

#[test]
fn what_is_wrong_is_found() {
    let recorded = Recorded::from([(
        "job:x:rate5m".to_owned(),
        BTreeSet::from(["job".to_owned()]),
    )]);
    let wrong = |expression: &str| violations("here", expression, &recorded).join("; ");
    for (expression, says) in [
        (
            "rate(http_requests_total[5m])",
            "there is no metric http_requests_total",
        ),
        (
            "rate(http_request_duration_seconds[5m])",
            "there is no metric",
        ),
        (
            "rate(http_request_duration_seconds_bucket{le=\"0.3\"}[5m])",
            "has no bucket 0.3",
        ),
        (
            "rate(cache_requests_total{result=\"hits\"}[5m])",
            "is never \"hits\"",
        ),
        (
            "rate(cache_requests_total{route=\"x\"}[5m])",
            "has no label route",
        ),
        (
            "sum by (route) (rate(cache_requests_total[5m]))",
            "groups by route",
        ),
        ("rate(http_requests_in_flight[5m])", "which is a gauge"),
        ("job:x:rate5m{endpoint=\"x\"}", "has no label endpoint"),
        ("vector(1)", "uses no metric"),
    ] {
        assert!(
            wrong(expression).contains(says),
            "{expression}: {}",
            wrong(expression)
        );
    }
    let right = "sum by (job, le) (rate(http_request_duration_seconds_bucket{le=~\"10|10.0\", status=~\"5..\"}[5m])) and on (job) job:x:rate5m";
    assert_eq!(wrong(right), "");
    assert_eq!(
        wrong("sum by (gen_ai_request_model) (llm_breaker_state)"),
        ""
    );
}
