//! Recording and alert rules: metrics that exist, runbooks, cases, and the same in Kubernetes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::files::{in_folder, list, read, root, text, yaml};
use super::{metrics, report};

const RULES: &str = "deploy/prometheus/rules";
const CASES: &str = "deploy/prometheus/tests";
const RUNBOOKS: &str = "https://github.com/ai-service-cl/ai-service/blob/main/docs/runbooks/";

/// One rule.
pub struct Rule {
    pub file: String,
    pub alert: Option<String>,
    pub record: Option<String>,
    pub expr: String,
    whole: Value,
}

/// All rules.
pub fn all() -> Vec<Rule> {
    in_folder(RULES, ".yml")
        .iter()
        .flat_map(|file| of_file(file))
        .collect()
}

fn of_file(file: &str) -> Vec<Rule> {
    let document = yaml(file);
    let rules = list(&document, "/groups")
        .iter()
        .flat_map(|group| list(group, "/rules"));
    rules
        .map(|rule| Rule {
            file: file.to_owned(),
            alert: rule["alert"].as_str().map(str::to_owned),
            record: rule["record"].as_str().map(str::to_owned),
            expr: text(rule, "/expr").to_owned(),
            whole: rule.clone(),
        })
        .collect()
}

fn alerts() -> Vec<Rule> {
    let alerts: Vec<Rule> = all()
        .into_iter()
        .filter(|rule| rule.alert.is_some())
        .collect();
    assert!(alerts.len() >= 20, "{} alerts", alerts.len());
    alerts
}

#[test]
fn rules_use_metrics_and_labels_that_exist() {
    let recorded = metrics::recorded();
    let mut violations = Vec::new();
    for rule in all() {
        let name = rule.alert.as_ref().or(rule.record.as_ref());
        let place = format!(
            "{} {}",
            rule.file,
            name.map_or("a rule without a name", |n| n)
        );
        violations.extend(metrics::violations(&place, &rule.expr, &recorded));
        if rule.alert.is_some() == rule.record.is_some() {
            violations.push(format!("{place}: is neither an alert nor a recording rule"));
        }
    }
    report("rules", &violations);
}

#[test]
fn labels_in_the_texts_of_an_alert_are_labels_of_its_result() {
    let recorded = metrics::recorded();
    let mut violations = Vec::new();
    for rule in alerts() {
        let known = metrics::result_labels(&rule.expr, &recorded);
        for field in ["summary", "description"] {
            let text = text(&rule.whole, &format!("/annotations/{field}"));
            for part in text.split("$labels.").skip(1) {
                let label: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if !known.contains(&label) {
                    violations.push(format!("{:?}: {field} speaks of {label}", rule.alert));
                }
            }
        }
    }
    report("labels in annotations", &violations);
}

#[test]
fn every_alert_says_how_bad_it_is_and_has_a_runbook_and_no_runbook_is_left_over() {
    let mut violations = Vec::new();
    let mut used = BTreeSet::from(["README.md".to_owned()]);
    let index = read("docs/runbooks/README.md");
    for rule in alerts() {
        let name = rule.alert.clone().unwrap_or_default();
        let severity = text(&rule.whole, "/labels/severity");
        if !["critical", "warning", "info"].contains(&severity) {
            violations.push(format!("{name}: severity {severity:?}"));
        }
        let is_empty = |field: &str| text(&rule.whole, &format!("/annotations/{field}")).is_empty();
        violations.extend(
            ["summary", "description"]
                .into_iter()
                .filter(|f| is_empty(f))
                .map(|f| format!("{name}: no {f}")),
        );
        let url = text(&rule.whole, "/annotations/runbook_url");
        let Some(page) = url.strip_prefix(RUNBOOKS) else {
            violations.push(format!("{name}: runbook_url {url:?}"));
            continue;
        };
        used.insert(page.to_owned());
        if !root().join("docs/runbooks").join(page).is_file() {
            violations.push(format!("{name}: there is no docs/runbooks/{page}"));
        } else if !read(&format!("docs/runbooks/{page}")).starts_with(&format!("# {name}\n")) {
            violations.push(format!("docs/runbooks/{page} is not headed {name}"));
        }
        if !index.contains(&format!("| [{name}]({page}) | {severity} |")) {
            violations.push(format!(
                "docs/runbooks/README.md: no line for {name}, {severity}"
            ));
        }
    }
    for page in in_folder("docs/runbooks", ".md") {
        let page = page.trim_start_matches("docs/runbooks/");
        if !used.contains(page) {
            violations.push(format!("docs/runbooks/{page}: no alert leads to it"));
        }
    }
    report("alerts and runbooks", &violations);
}

#[test]
fn every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let mut cases: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for file in in_folder(CASES, ".yml") {
        let document = yaml(&file);
        let tests = list(&document, "/tests").iter();
        for case in tests.flat_map(|test| list(test, "/alert_rule_test")) {
            let count = cases
                .entry(text(case, "/alertname").to_owned())
                .or_default();
            if list(case, "/exp_alerts").is_empty() {
                count.1 += 1;
            } else {
                count.0 += 1;
            }
        }
    }
    let missing: Vec<String> = alerts()
        .into_iter()
        .filter_map(|rule| rule.alert)
        .filter(|name| {
            cases
                .get(name)
                .is_none_or(|(fires, silent)| *fires == 0 || *silent == 0)
        })
        .collect();
    report(
        "alerts without a case that fires and one that doesn't",
        &missing,
    );
}

#[test]
fn names_are_there_once() {
    let mut seen = BTreeSet::new();
    let twice: Vec<String> = all()
        .into_iter()
        .filter_map(|rule| rule.alert.or(rule.record))
        .filter(|name| !seen.insert(name.clone()))
        .collect();
    report("names that are there twice", &twice);
}

#[test]
fn the_prometheus_rule_of_kubernetes_holds_the_same_groups() {
    let files = in_folder(RULES, ".yml");
    let groups: Vec<Value> = files
        .iter()
        .flat_map(|file| list(&yaml(file), "/groups").to_vec())
        .collect();
    let resource = yaml("deploy/kubernetes/monitoring/prometheus-rule.yaml");
    assert_eq!(
        list(&resource, "/spec/groups"),
        groups,
        "run `cargo xtask deploy-rules`"
    );
}
