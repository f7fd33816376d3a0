//! The linters of others: Prometheus' own, hadolint, the schemas of Kubernetes and of Compose.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::files::{in_folder, root};
use super::{dashboards, kubernetes};

/// Runs a program in a folder of the repository; its output where it fails.
fn passes(folder: &str, program: PathBuf, arguments: &[String]) {
    let name = program.display().to_string();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root().join(folder))
        .output();
    let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(
        output.status.success(),
        "{name} {arguments:?}:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Prometheus' tool, where it is there: `cargo xtask test` installs it.
fn promtool(arguments: &[&str], files: Vec<String>) {
    if Command::new("promtool").arg("--version").output().is_err() {
        println!("skipped: there is no promtool here; `cargo xtask test` installs it");
        return;
    }
    let arguments: Vec<String> = arguments
        .iter()
        .map(ToString::to_string)
        .chain(files)
        .collect();
    passes("deploy/prometheus", "promtool".into(), &arguments);
}

fn below(folder: &str, ending: &str) -> Vec<String> {
    let whole = format!("deploy/prometheus/{folder}");
    let paths = in_folder(&whole, ending).into_iter();
    paths
        .map(|path| path.replace("deploy/prometheus/", ""))
        .collect()
}

#[test]
fn promtool_takes_the_rules() {
    promtool(&["check", "rules"], below("rules", ".yml"));
}

#[test]
fn promtool_takes_the_expressions_of_dashboards_and_autoscalers() {
    let expressions = [dashboards::expressions(), kubernetes::expressions()].concat();
    // JSON is YAML; a rule needs a name, and one name may be there twice with other labels.
    let rules: Vec<Value> = expressions
        .iter()
        .enumerate()
        .map(|(at, expr)| json!({"record": "panel:of:test", "labels": {"at": at.to_string()}, "expr": expr}))
        .collect();
    let file = json!({"groups": [{"name": "panels", "rules": rules}]});
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("panels.yml");
    std::fs::write(&path, file.to_string()).expect("the rules");
    promtool(&["check", "rules"], vec![path.display().to_string()]);
}

#[test]
fn promtool_takes_the_configuration() {
    let file = vec!["prometheus.yml".to_owned()];
    promtool(&["check", "config", "--syntax-only"], file);
}

#[test]
fn alerts_fire_and_are_silent_as_their_cases_say() {
    // Half of the files on each of two threads: it takes some seconds.
    let mut files = below("tests", ".yml");
    let (long, short): (Vec<_>, Vec<_>) = files.drain(..).partition(|path| path.contains("-long"));
    std::thread::scope(|scope| {
        for files in [long, short] {
            scope.spawn(|| promtool(&["test", "rules"], files));
        }
    });
}

/// A program of the environment of linters; `None` where there is none.
fn linter(name: &str) -> Option<PathBuf> {
    let Some(folder) = env::var_os("AI_SERVICE_TEST_LINTERS") else {
        println!("skipped: AI_SERVICE_TEST_LINTERS isn't set; `cargo xtask test` sets it");
        return None;
    };
    Some(PathBuf::from(folder).join(name))
}

#[test]
fn hadolint_finds_nothing_in_the_containerfile() {
    if let Some(hadolint) = linter("hadolint") {
        passes("deploy", hadolint, &["Containerfile".to_owned()]);
    }
}

#[test]
fn the_compose_file_is_of_its_schema() {
    if let Some(check) = linter("check-jsonschema") {
        let arguments = ["--builtin-schema", "vendor.compose-spec", "compose.yaml"];
        passes("deploy/compose", check, &arguments.map(str::to_owned));
    }
}

#[test]
fn manifests_are_of_the_schemas_of_the_oldest_and_the_newest_kubernetes() {
    let Some(validate) = linter("kubernetes-validate") else {
        return;
    };
    let mut manifests = in_folder("deploy/kubernetes/base", ".yaml");
    manifests.push("deploy/kubernetes/hpa/horizontalpodautoscaler.yaml".to_owned());
    manifests.retain(|path| !path.ends_with("kustomization.yaml"));
    for version in ["1.31", "1.35"] {
        let arguments = ["--strict", "--quiet", "-k", version].map(str::to_owned);
        passes("", validate.clone(), &[&arguments[..], &manifests].concat());
    }
}

#[test]
fn kustomize_puts_everything_together() {
    let version = Command::new("kubectl")
        .args(["version", "--client"])
        .output();
    if !version.is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no kubectl here");
        return;
    }
    for folder in [
        "deploy/kubernetes/hpa",
        "deploy/kubernetes/keda",
        "deploy/grafana",
    ] {
        passes(
            folder,
            "kubectl".into(),
            &["kustomize".to_owned(), ".".to_owned()],
        );
    }
}
