//! Rules for manifests, and the arrows between the crates.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::metadata::{Package, metadata};
use super::{files, report};

/// The arrows of the design: which crates of the workspace a crate may use. They point down
/// only, and a crate that isn't here may use none.
const ARROWS: &[(&str, &[&str])] = &[
    ("store", &[]),
    ("findings", &[]),
    ("dte", &["findings"]),
    ("observability", &[]),
    ("mock-anthropic", &[]),
    ("llm-client", &["store"]),
    ("cache", &["store"]),
    ("knowledge-base", &["store"]),
    ("payroll", LOW),
    (
        "matching",
        &["cache", "dte", "knowledge-base", "llm-client", "store"],
    ),
    ("sii-monitor", LOW),
    ("chat", LOW),
    ("http-api", BELOW_HTTP),
    (
        "ai-service",
        &[
            "cache",
            "chat",
            "dte",
            "http-api",
            "knowledge-base",
            "llm-client",
            "matching",
            "observability",
            "payroll",
            "sii-monitor",
            "store",
        ],
    ),
    (
        "xtask",
        &[
            "dte",
            "knowledge-base",
            "llm-client",
            "matching",
            "observability",
            "payroll",
            "store",
        ],
    ),
];
const LOW: &[&str] = &["cache", "findings", "knowledge-base", "llm-client", "store"];
const BELOW_HTTP: &[&str] = &[
    "cache",
    "chat",
    "dte",
    "findings",
    "knowledge-base",
    "llm-client",
    "matching",
    "observability",
    "payroll",
    "sii-monitor",
    "store",
];

#[test]
fn every_crate_has_the_workspace_lints_and_says_what_it_is() {
    let mut violations = Vec::new();
    for package in metadata().members() {
        let manifest = manifest(package);
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        if lints.and_then(Value::as_bool) != Some(true) {
            violations.push(format!("{}: no [lints] workspace = true", package.name));
        }
        let description = package.description.as_deref().unwrap_or_default();
        if description.trim().is_empty() {
            violations.push(format!("{}: no description", package.name));
        }
    }
    report("manifests", &violations);
}

#[test]
fn dependencies_are_named_in_the_workspace_only() {
    let mut violations = Vec::new();
    for package in metadata().members() {
        for (name, dependency) in dependencies(&manifest(package)) {
            let inherited = dependency.get("workspace").and_then(Value::as_bool) == Some(true);
            if !inherited {
                violations.push(format!("{}: {name}", package.manifest()));
            }
        }
    }
    report(
        "write `name.workspace = true`, and the version in the root",
        &violations,
    );
}

#[test]
fn every_workspace_dependency_is_used() {
    let used: BTreeSet<String> = metadata()
        .members()
        .flat_map(|package| dependencies(&manifest(package)))
        .map(|(name, _)| name)
        .collect();
    let root: Table = files::read("Cargo.toml")
        .parse()
        .expect("the root manifest");
    let declared = root["workspace"]["dependencies"]
        .as_table()
        .expect("workspace dependencies");
    let unused: Vec<String> = declared
        .keys()
        .filter(|name| !used.contains(*name))
        .cloned()
        .collect();
    report(
        "take what nobody uses off the workspace's dependencies",
        &unused,
    );
}

#[test]
fn arrows_point_down_only() {
    let names = metadata().member_names();
    let mut violations = Vec::new();
    for package in metadata().members() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            violations.push(format!(
                "{}: not in ARROWS; where does it stand?",
                package.name
            ));
            continue;
        };
        // Tests may look across: they build no arrow into what is shipped.
        let shipped = package
            .dependencies
            .iter()
            .filter(|d| d.kind.as_deref() != Some("dev"));
        let internal = shipped.filter(|dependency| names.contains(dependency.name.as_str()));
        for dependency in internal.filter(|d| !allowed.contains(&d.name.as_str())) {
            violations.push(format!("{} -> {}", package.name, dependency.name));
        }
    }
    report("dependencies follow the design's arrows", &violations);
}

#[test]
fn the_table_of_arrows_has_no_cycle() {
    // Each crate may only use crates that stand before it.
    for (position, (name, allowed)) in ARROWS.iter().enumerate() {
        for used in *allowed {
            let place = ARROWS.iter().position(|(other, _)| other == used);
            assert!(
                place.is_some_and(|place| place < position),
                "{name} -> {used}"
            );
        }
    }
}

fn manifest(package: &Package) -> Table {
    files::read(&package.manifest())
        .parse()
        .expect("a manifest that cargo has read")
}

/// All dependencies of a manifest: normal, dev and build, also those for one platform.
fn dependencies(manifest: &Table) -> Vec<(String, Value)> {
    let mut tables = vec![manifest];
    if let Some(Value::Table(targets)) = manifest.get("target") {
        tables.extend(targets.values().filter_map(Value::as_table));
    }
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    tables
        .into_iter()
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(|table| {
            table
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
        })
        .collect()
}
