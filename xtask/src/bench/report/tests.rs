//! The report's arithmetic and marks.

use super::*;

fn figures(name: &'static str, rounds: &[f64], failures: &[(&str, u64)]) -> Figures {
    Figures {
        name,
        requests_per_second: 0.0,
        rounds: rounds.to_vec(),
        latency_rate: 0.0,
        p50_us: 0.0,
        p99_us: 0.0,
        max_us: 0.0,
        generator_lag_p50_us: 0.0,
        generator_lag_p99_us: 0.0,
        measured: 0,
        failures: failures
            .iter()
            .map(|(kind, count)| ((*kind).to_owned(), *count))
            .collect(),
    }
}

fn report(targets: Vec<Figures>, rules_us: f64, idle: f64, ready: Option<f64>) -> Report {
    let settings = Settings {
        seconds: 1,
        rounds: 3,
        connections: 1,
        latency_load: 0.5,
        cores: "apart".to_owned(),
    };
    let rules = vec![RulesFigures {
        name: "rules",
        p50_us: rules_us,
        p99_us: 0.0,
        calls: 1,
    }];
    let memory = Memory {
        resident_mib: idle,
        peak_mib: idle,
    };
    let memory = vec![MemoryFigures {
        server: "no model",
        idle: memory,
        loaded: memory,
    }];
    let start = ready.map(|time| StartFigures::new(vec![time]));
    Report::new(
        Machine::describe(),
        settings,
        targets,
        rules,
        memory,
        start,
        1,
    )
}

#[test]
fn medians() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0]), Some(3.0));
    assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
}

#[test]
fn the_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_the_best() {
    let hello = figures("hello", &[100.0, 200.0, 100.0], &[]);
    let cached = figures("validate-cached", &[60.0, 80.0, 90.0], &[]);
    assert_eq!(ratio(&[hello, cached]), Some(0.6));
    assert_eq!(ratio(&[figures("hello", &[1.0], &[])]), None);
}

#[test]
fn limits_themselves_are_met() {
    let hello = || figures("hello", &[100.0], &[]);
    let cached = |rate| figures("validate-cached", &[rate], &[]);
    let met = report(vec![hello(), cached(60.0)], 200.0, 25.0, Some(100.0));
    assert_eq!(met.missed(), 0);
    let missed = report(vec![hello(), cached(59.9)], 200.1, 25.1, Some(100.1));
    assert_eq!(missed.missed(), 4);
}

#[test]
fn what_was_not_measured_is_neither_met_nor_missed() {
    let report = report(Vec::new(), 1.0, 1.0, None);
    assert_eq!(
        report
            .goals
            .iter()
            .filter(|goal| goal.met.is_none())
            .count(),
        2
    );
    assert_eq!(report.missed(), 0);
}

#[test]
fn failures_are_added_over_targets_and_kinds() {
    let wrong = figures("live", &[1.0], &[("status 500", 2), ("status 503", 1)]);
    let report = report(
        vec![wrong, figures("hello", &[1.0], &[("status 404", 4)])],
        0.0,
        0.0,
        None,
    );
    assert_eq!(report.failures(), 7);
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["targets"][0]["failures"]["status 500"], 2);
}
