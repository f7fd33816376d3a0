//! Grafana's dashboards: metrics that exist, ids that are one's own, units, a data source to choose.

use std::collections::BTreeSet;

use serde_json::Value;

use super::files::{in_folder, list, read, text, yaml};
use super::{metrics, report};

const FOLDER: &str = "deploy/grafana/dashboards";

fn dashboards() -> Vec<(String, Value)> {
    let parse = |path: String| {
        let value =
            serde_json::from_str(&read(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        (path, value)
    };
    in_folder(FOLDER, ".json").into_iter().map(parse).collect()
}

/// Panels that show something.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    list(dashboard, "/panels")
        .iter()
        .filter(|panel| text(panel, "/type") != "row")
}

/// Every expression as Prometheus gets it, with choices in place of variables.
pub fn expressions() -> Vec<String> {
    let all = dashboards();
    let targets = all.iter().flat_map(|(_, dashboard)| {
        let annotations = list(dashboard, "/annotations/list").iter();
        panels(dashboard)
            .flat_map(|panel| list(panel, "/targets"))
            .chain(annotations)
    });
    let chosen = |target: &Value| {
        text(target, "/expr")
            .replace("$__rate_interval", "5m")
            .replace("$job", "ai-service")
            .replace("$instance", ".+")
    };
    targets.map(chosen).collect()
}

#[test]
fn panels_use_metrics_and_labels_that_exist() {
    let recorded = metrics::recorded();
    let mut violations = Vec::new();
    let mut queries = 0;
    for (path, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            let place = format!("{path}, {:?}", text(panel, "/title"));
            for target in list(panel, "/targets") {
                queries += 1;
                let expression = text(target, "/expr");
                violations.extend(metrics::violations(&place, expression, &recorded));
                let known = metrics::result_labels(expression, &recorded);
                let legend = text(target, "/legendFormat").split("{{").skip(1);
                let strangers = legend
                    .filter_map(|part| part.split("}}").next())
                    .filter(|label| !known.contains(*label));
                violations
                    .extend(strangers.map(|label| format!("{place}: the legend names {label}")));
            }
        }
        for annotation in list(&dashboard, "/annotations/list") {
            violations.extend(metrics::violations(
                &path,
                text(annotation, "/expr"),
                &recorded,
            ));
        }
    }
    report("panels", &violations);
    assert!(queries >= 100, "{queries} queries");
}

#[test]
fn panels_have_ids_of_their_own_units_queries_and_the_chosen_data_source() {
    let mut violations = Vec::new();
    for (path, dashboard) in dashboards() {
        let mut ids = BTreeSet::new();
        for panel in list(&dashboard, "/panels") {
            if !ids.insert(panel["id"].as_u64()) {
                violations.push(format!("{path}: panel {} is there twice", panel["id"]));
            }
        }
        for panel in panels(&dashboard) {
            let place = format!("{path}, {:?}", text(panel, "/title"));
            if text(panel, "/fieldConfig/defaults/unit").is_empty() {
                violations.push(format!("{place}: no unit"));
            }
            let targets = list(panel, "/targets");
            let refs: BTreeSet<&str> = targets
                .iter()
                .map(|target| text(target, "/refId"))
                .collect();
            if targets.is_empty() || refs.len() != targets.len() {
                violations.push(format!("{place}: no queries, or two with one name"));
            }
            let sources = targets
                .iter()
                .chain([panel])
                .map(|has| text(has, "/datasource/uid"));
            if sources.into_iter().any(|uid| uid != "${datasource}") {
                violations.push(format!("{place}: a data source that can't be chosen"));
            }
        }
    }
    report("panels", &violations);
}

#[test]
fn no_panel_lies_over_another_or_beyond_the_edge() {
    let mut violations = Vec::new();
    for (path, dashboard) in dashboards() {
        let mut taken = BTreeSet::new();
        for panel in list(&dashboard, "/panels") {
            let at = |field: &str| panel["gridPos"][field].as_u64().unwrap_or(u64::MAX);
            let (x, y, w, h) = (at("x"), at("y"), at("w"), at("h"));
            let fits = x.saturating_add(w) <= 24 && h <= 40;
            let free =
                fits && (x..x + w).all(|column| (y..y + h).all(|row| taken.insert((column, row))));
            if !free {
                violations.push(format!("{path}, {:?}: at {x}, {y}", text(panel, "/title")));
            }
        }
    }
    report("places of panels", &violations);
}

#[test]
fn dashboards_have_their_own_names_and_let_source_job_and_replica_be_chosen() {
    let mut uids = BTreeSet::new();
    let mut violations = Vec::new();
    for (path, dashboard) in dashboards() {
        let uid = text(&dashboard, "/uid");
        if path != format!("{FOLDER}/{uid}.json") || !uids.insert(uid.to_owned()) {
            violations.push(format!("{path}: uid {uid:?}"));
        }
        let variables: Vec<&str> = list(&dashboard, "/templating/list")
            .iter()
            .map(|v| text(v, "/name"))
            .collect();
        if variables != ["datasource", "job", "instance"] {
            violations.push(format!("{path}: variables {variables:?}"));
        }
        if text(&dashboard, "/title").is_empty() || text(&dashboard, "/description").is_empty() {
            violations.push(format!("{path}: no title or no description"));
        }
    }
    report("dashboards", &violations);
}

#[test]
fn every_dashboard_is_brought_to_kubernetes() {
    let kustomization = yaml("deploy/grafana/kustomization.yaml");
    let brought: BTreeSet<String> = list(&kustomization, "/configMapGenerator")
        .iter()
        .flat_map(|map| list(map, "/files"))
        .filter_map(|file| Some(format!("deploy/grafana/{}", file.as_str()?)))
        .collect();
    let there: BTreeSet<String> = in_folder(FOLDER, ".json").into_iter().collect();
    assert_eq!(brought, there);
}
