//! The compose file: names, files, variables and networks that it refers to are there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::files::{list, read, root, text, yaml};
use super::kubernetes::drains_within;
use super::report;

const FOLDER: &str = "deploy/compose";

fn compose() -> Value {
    yaml("deploy/compose/compose.yaml")
}

fn services(compose: &Value) -> impl Iterator<Item = (&String, &Value)> {
    compose["services"].as_object().into_iter().flatten()
}

#[test]
fn every_variable_is_in_the_example_and_nothing_else_is() {
    let wanted: BTreeSet<String> = read("deploy/compose/compose.yaml")
        .split("${")
        .skip(1)
        .map(|part| {
            part.chars()
                .take_while(|c| c.is_ascii_uppercase() || *c == '_')
                .collect()
        })
        .collect();
    let given: BTreeSet<String> = read("deploy/compose/.env.example")
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
        .filter(|name| !name.starts_with('#'))
        .collect();
    assert_eq!(wanted, given);
}

#[test]
fn the_service_is_given_variables_that_it_reads() {
    let documented = read("docs/configuration.md");
    let compose = compose();
    let environment = compose["services"]["ai-service"]["environment"].as_object();
    let names = environment.expect("the service's environment").keys();
    let strangers: Vec<String> = names
        .filter(|name| !documented.contains(&format!("`{name}`")))
        .cloned()
        .collect();
    report(
        "variables that docs/configuration.md doesn't know",
        &strangers,
    );
}

#[test]
fn containers_may_do_as_little_as_possible() {
    let compose = compose();
    let mut violations = Vec::new();
    for (name, service) in services(&compose) {
        let bare = service["read_only"] == true
            && service["cap_drop"][0] == "ALL"
            && service["security_opt"][0] == "no-new-privileges:true";
        if !bare {
            violations.push(format!("{name}: not hardened"));
        }
        let image = text(service, "/image");
        if name != "ai-service" && (!image.contains(':') || image.ends_with(":latest")) {
            violations.push(format!("{name}: {image} isn't pinned"));
        }
        let beyond = list(service, "/ports").iter().filter(|port| {
            !port
                .as_str()
                .is_some_and(|port| port.starts_with("127.0.0.1:"))
        });
        violations.extend(beyond.map(|port| format!("{name}: {port} is open to the network")));
    }
    report("containers", &violations);
}

#[test]
fn what_services_refer_to_is_there() {
    let compose = compose();
    let mut violations = Vec::new();
    for (name, service) in services(&compose) {
        for volume in list(service, "/volumes").iter().filter_map(Value::as_str) {
            let source = volume.split(':').next().unwrap_or_default();
            let is_there = if source.starts_with('.') {
                root().join(FOLDER).join(source).exists()
            } else {
                compose["volumes"].get(source).is_some()
            };
            if !is_there {
                violations.push(format!("{name}: no volume {source}"));
            }
        }
        for network in list(service, "/networks").iter().filter_map(Value::as_str) {
            if compose["networks"].get(network).is_none() {
                violations.push(format!("{name}: no network {network}"));
            }
        }
        let waits = service["depends_on"].as_object().into_iter().flatten();
        for (other, _) in
            waits.filter(|(other, _)| compose["services"][*other]["healthcheck"].is_null())
        {
            violations.push(format!(
                "{name}: waits for {other}, which has no health check"
            ));
        }
    }
    report("compose", &violations);
}

#[test]
fn secrets_are_files_as_compose_copies_no_others_into_a_read_only_container() {
    let compose = compose();
    let declared = compose["secrets"].as_object().into_iter().flatten();
    let others: Vec<&String> = declared
        .filter(|(_, secret)| secret["file"].is_null())
        .map(|(name, _)| name)
        .collect();
    assert!(others.is_empty(), "{others:?}");
    let asked = list(&compose["services"]["prometheus"], "/secrets");
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let read = text(
        &prometheus,
        "/scrape_configs/0/authorization/credentials_file",
    );
    let mounted = asked
        .iter()
        .filter_map(Value::as_str)
        .map(|name| format!("/run/secrets/{name}"));
    assert_eq!(mounted.collect::<Vec<_>>(), [read]);
    assert!(text(&compose, "/secrets/ai_service_key/file").starts_with("./secrets/"));
}

#[test]
fn hosts_are_services_on_a_network_in_common() {
    let compose = compose();
    let networks = |name: &str| {
        let all = list(&compose["services"][name], "/networks").iter();
        all.filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    let meet = |a: &str, b: &str| !networks(a).is_disjoint(&networks(b));
    let sentinels = text(
        &compose["services"]["ai-service"],
        "/environment/REDIS_SENTINEL_HOSTS",
    );
    for host in sentinels.split(',') {
        let (name, port) = host.split_once(':').expect("a port");
        assert!(
            meet("ai-service", name) && meet("redis-master", name),
            "{name}"
        );
        assert_eq!(port, "26379");
        // What it tells the other sentinels.
        assert_eq!(compose["services"][name]["hostname"], name);
        assert_eq!(
            compose["services"][name]["environment"]["MASTER_HOST"],
            "redis-master"
        );
    }
    assert!(meet("ai-service", "redis-master") && meet("ai-service", "redis-replica"));
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let target = text(&prometheus, "/scrape_configs/0/static_configs/0/targets/0");
    assert_eq!(target, "ai-service:8002");
    assert!(meet("prometheus", "ai-service") && meet("grafana", "prometheus"));
    let source = yaml("deploy/grafana/provisioning/datasources/prometheus.yaml");
    assert_eq!(
        text(&source, "/datasources/0/url"),
        "http://prometheus:9090"
    );
}

#[test]
fn the_service_is_given_the_time_that_draining_takes() {
    let compose = compose();
    let given = text(&compose["services"]["ai-service"], "/stop_grace_period");
    let seconds: i64 = given.trim_end_matches('s').parse().expect("seconds");
    assert!(
        seconds * 1_000 > drains_within(&toml::Table::new()),
        "{given}"
    );
}
