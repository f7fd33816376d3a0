//! Kubernetes' manifests: what they refer to is there, and both autoscalers want the same.

use serde_json::Value;
use toml::Table;

use super::files::{in_folder, list, read, text, yaml};
use super::{metrics, report};

const FOLDER: &str = "deploy/kubernetes";

fn manifest(path: &str) -> Value {
    yaml(&format!("{FOLDER}/{path}.yaml"))
}

fn pod() -> Value {
    manifest("base/deployment")["spec"]["template"].clone()
}

fn container() -> Value {
    let pod = pod();
    let containers = list(&pod, "/spec/containers");
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

/// Whether each label of `selector` is in `labels`, and there is one.
fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().filter(|wanted| !wanted.is_empty());
    wanted.is_some_and(|wanted| wanted.iter().all(|(name, value)| &labels[name] == value))
}

#[test]
fn selectors_select_what_they_are_meant_to() {
    let (pod, service) = (pod(), manifest("base/service"));
    let pod = &pod["metadata"]["labels"];
    for (path, selector) in [
        ("base/deployment", "/spec/selector/matchLabels"),
        ("base/service", "/spec/selector"),
        ("base/poddisruptionbudget", "/spec/selector/matchLabels"),
        ("base/networkpolicy", "/spec/podSelector/matchLabels"),
    ] {
        let selector = manifest(path)
            .pointer(selector)
            .cloned()
            .unwrap_or_default();
        assert!(selects(&selector, pod), "{path}: {selector}");
    }
    let monitor = manifest("monitoring/servicemonitor");
    let labels = &service["metadata"]["labels"];
    assert!(selects(&monitor["spec"]["selector"]["matchLabels"], labels));
    // The rules select by the job's name, which is this label's value.
    let job = labels[text(&monitor, "/spec/jobLabel")].as_str();
    assert_eq!(job, Some("ai-service"));
}

#[test]
fn ports_that_are_named_are_there_and_the_service_listens_on_them() {
    let container = container();
    let port = &list(&container, "/ports")[0];
    let (name, number) = (&port["name"], &port["containerPort"]);
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        assert_eq!(&container[probe]["httpGet"]["port"], name, "{probe}");
        let path = text(&container, &format!("/{probe}/httpGet/path"));
        assert!(["/live", "/ready"].contains(&path), "{probe}: {path}");
    }
    let service = manifest("base/service");
    assert_eq!(&service["spec"]["ports"][0]["targetPort"], name);
    let policy = manifest("base/networkpolicy");
    assert_eq!(&policy["spec"]["ingress"][0]["ports"][0]["port"], name);
    let monitor = manifest("monitoring/servicemonitor");
    let scraped = &monitor["spec"]["endpoints"][0]["port"];
    assert_eq!(scraped, &service["spec"]["ports"][0]["name"]);
    let listen = config()["listen"].as_str().expect("listen").to_owned();
    assert_eq!(listen, format!("0.0.0.0:{number}"));
}

fn config() -> Table {
    read("deploy/kubernetes/base/config.toml")
        .parse()
        .expect("base/config.toml")
}

#[test]
fn configuration_state_and_secret_are_where_the_service_looks_for_them() {
    let container = container();
    let mount = |name: &str| {
        let mounts = list(&container, "/volumeMounts").iter();
        let found = mounts.clone().find(|mount| mount["name"] == *name);
        text(found.expect("a mount"), "/mountPath").to_owned()
    };
    let arguments: Vec<&str> = list(&container, "/args")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        arguments,
        [
            "serve",
            "--config",
            &format!("{}/config.toml", mount("config"))
        ]
    );
    let store = config()["store"]["path"]
        .as_str()
        .map(str::to_owned)
        .unwrap_or_default();
    assert!(store.starts_with(&mount("state")), "{store}");
    let secret = manifest("base/secret.example");
    assert_eq!(
        container["envFrom"][0]["secretRef"]["name"],
        secret["metadata"]["name"]
    );
    let documented = read("docs/configuration.md");
    let names = secret["stringData"]
        .as_object()
        .expect("the Secret's names");
    let strangers: Vec<&String> = names
        .keys()
        .filter(|name| !documented.contains(&format!("| `{name}` |")))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    let monitor = manifest("monitoring/servicemonitor");
    let key = text(&monitor, "/spec/endpoints/0/authorization/credentials/key");
    assert!(names.contains_key(key), "{key}");
}

/// The longest that the service drains, in milliseconds: grace, deadline, the last writes.
pub fn drains_within(config: &Table) -> i64 {
    let drain = |key: &str, default| {
        let table = config.get("drain").and_then(|drain| drain.get(key));
        table.and_then(toml::Value::as_integer).unwrap_or(default)
    };
    drain("grace_ms", 2_000) + drain("deadline_ms", 30_000) + 5_000
}

#[test]
fn the_pod_is_given_the_time_that_draining_takes() {
    let given = pod()["spec"]["terminationGracePeriodSeconds"]
        .as_i64()
        .unwrap_or(30);
    assert!(given * 1_000 > drains_within(&config()), "{given} s");
}

#[test]
fn the_pod_may_do_as_little_as_possible() {
    let (pod, container) = (pod(), container());
    let spec = &pod["spec"];
    assert_eq!(spec["automountServiceAccountToken"], false);
    assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        spec["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    let context = &container["securityContext"];
    assert_eq!(context["allowPrivilegeEscalation"], false);
    assert_eq!(context["readOnlyRootFilesystem"], true);
    assert_eq!(context["capabilities"]["drop"][0], "ALL");
    assert!(container["resources"]["limits"]["memory"].is_string());
    assert!(container["resources"]["requests"]["cpu"].is_string());
}

#[test]
fn every_manifest_is_listed_and_every_listed_one_is_there() {
    let mut violations = Vec::new();
    for folder in ["base", "monitoring", "hpa", "keda"] {
        let kustomization = manifest(&format!("{folder}/kustomization"));
        let listed: Vec<&str> = list(&kustomization, "/resources")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let apart = [
            "kustomization.yaml",
            "secret.example.yaml",
            "adapter-values.yaml",
        ];
        for path in in_folder(&format!("{FOLDER}/{folder}"), ".yaml") {
            let name = path.rsplit('/').next().unwrap_or_default();
            if listed.contains(&name) == apart.contains(&name) {
                violations.push(path);
            }
        }
        let folders = ["../base", "../monitoring"];
        let files = listed.iter().filter(|name| !folders.contains(*name));
        files.for_each(|name| drop(read(&format!("{FOLDER}/{folder}/{name}"))));
    }
    report(
        "manifests not listed in their kustomization.yaml, or listed in spite",
        &violations,
    );
}

#[test]
fn both_autoscalers_scale_the_deployment_within_the_same_bounds_by_the_same_figures() {
    let (deployment, hpa, keda) = (
        manifest("base/deployment"),
        manifest("hpa/horizontalpodautoscaler"),
        manifest("keda/scaledobject"),
    );
    assert!(
        deployment["spec"]["replicas"].is_null(),
        "replicas are the autoscaler's"
    );
    for scaler in [&hpa, &keda] {
        let target = &scaler["spec"]["scaleTargetRef"];
        assert_eq!(target["name"], deployment["metadata"]["name"]);
        assert_eq!(target["kind"], deployment["kind"]);
    }
    assert_eq!(hpa["spec"]["minReplicas"], keda["spec"]["minReplicaCount"]);
    assert_eq!(hpa["spec"]["maxReplicas"], keda["spec"]["maxReplicaCount"]);
    let theirs = &keda["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"];
    assert_eq!(&hpa["spec"]["behavior"], theirs);
    let wanted = |pointer| quantity(text(&hpa, pointer));
    let thresholds = list(&keda, "/spec/triggers")
        .iter()
        .map(|t| quantity(text(t, "/metadata/threshold")));
    let ours = [
        wanted("/spec/metrics/0/pods/target/averageValue"),
        wanted("/spec/metrics/1/object/target/value"),
        wanted("/spec/metrics/2/pods/target/averageValue"),
    ];
    assert_eq!(thresholds.collect::<Vec<_>>(), ours);
}

/// A quantity in thousandths: `50`, `20m`, `0.02`.
fn quantity(text: &str) -> i64 {
    if let Some(milli) = text.strip_suffix('m') {
        return milli.parse().expect("a quantity");
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<3}");
    digits.parse().expect("a quantity")
}

/// What an adapter's rule asks Prometheus for in the end.
fn adapted(rule: &Value) -> String {
    let metric = text(rule, "/seriesQuery")
        .split('{')
        .next()
        .unwrap_or_default();
    text(rule, "/metricsQuery")
        .replace("<<.Series>>", metric)
        .replace("<<.LabelMatchers>>", "namespace=\"a\"")
        .replace("<<.GroupBy>>", "namespace")
}

/// All that autoscalers ask Prometheus for.
pub fn expressions() -> Vec<String> {
    let (values, keda) = (
        manifest("hpa/adapter-values"),
        manifest("keda/scaledobject"),
    );
    let rules = list(&values, "/rules/custom").iter();
    let rules = rules.flat_map(|rule| [text(rule, "/seriesQuery").to_owned(), adapted(rule)]);
    let triggers = list(&keda, "/spec/triggers").iter();
    rules
        .chain(triggers.map(|trigger| text(trigger, "/metadata/query").to_owned()))
        .collect()
}

#[test]
fn the_autoscalers_ask_for_metrics_that_exist() {
    let recorded = metrics::recorded();
    let expressions = expressions();
    assert!(expressions.len() >= 6, "{expressions:?}");
    let violations: Vec<String> = expressions
        .iter()
        .flat_map(|expression| metrics::violations(expression, expression, &recorded))
        .collect();
    report("autoscalers' queries", &violations);
    let hpa = manifest("hpa/horizontalpodautoscaler");
    let asked = [
        "/spec/metrics/0/pods/metric/name",
        "/spec/metrics/1/object/metric/name",
        "/spec/metrics/2/pods/metric/name",
    ];
    let asked = asked.map(|pointer| text(&hpa, pointer));
    let values = manifest("hpa/adapter-values");
    let served = list(&values, "/rules/custom").iter().map(|rule| {
        let renamed = text(rule, "/name/as");
        let series = text(rule, "/seriesQuery")
            .split('{')
            .next()
            .unwrap_or_default();
        if renamed.is_empty() { series } else { renamed }
    });
    assert!(served.eq(asked));
}
