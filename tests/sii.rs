//! The tax service's monitor through HTTP: a site that the test publishes on, what is told of it,
//! and a chat that answers from it in the same minute.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use store::test_util::redis::until;

use crate::support::{Options, Request, Service, Site};

const MONITOR: &str = "/api/ai/sii/monitor";
const QUESTION: &str = "¿Desde cuándo la guía de despacho debe llevar la patente del vehículo?";

fn entry(number: u32, about: &str) -> String {
    format!(
        "<h5><a href='/circu{number}.htm'>Circular N° {number} del {number} de Noviembre del \
         2026</a></h5><p>{about}</p>"
    )
}

fn table(november: &str) -> String {
    let rows: String = (1..=9)
        .map(|month| format!("<tr><td>Mes {month}</td><td>69.{month}00</td></tr>"))
        .collect();
    format!(
        "<h2>Unidad Tributaria Mensual (UTM)</h2><table>{rows}\
         <tr><td>UTM Noviembre</td><td>{november}</td></tr></table>"
    )
}

/// Settings of a monitor over a local site alone.
fn watching(site: &Site) -> String {
    let source = |key: &str, more: &str| {
        let url = site.url(&format!("/{key}.htm"));
        format!("[[sii_monitor.sources]]\nkey = \"{key}\"\nurl = \"{url}\"\n{more}\n")
    };
    format!(
        "[sii_monitor]\ndefault_sources = false\nrequest_interval_ms = 0\nlook_seconds = 1\n\
         lease_seconds = 3\nallow_private_hosts = [\"127.0.0.1\"]\n\
         webhook = {{ url = \"{}\", secret = \"secreto-de-prueba\" }}\n{}{}",
        site.url("/aviso"),
        source("circulares", "kind = \"index\"\ntipo = \"circular\""),
        source("utm", "kind = \"table\""),
    )
}

/// A site as it was before anything new.
async fn published() -> Site {
    let site = Site::start().await;
    let known = entry(8, "Uno.") + &entry(9, "Dos.") + &entry(10, "Tres.");
    site.set("/circulares.htm", &known);
    site.set("/utm.htm", &table("69.542"));
    site
}

/// The page of a circular, and its entry at the top of the index.
fn publish(site: &Site, number: u32, before: &str, text: &str) -> String {
    let text = format!("<h1>Circular N° {number}</h1><p>{text}</p>");
    site.set(&format!("/circu{number}.htm"), &text);
    let index = entry(number, "Patente del vehículo en la guía de despacho.") + before;
    site.set("/circulares.htm", &index);
    index
}

/// Knowledge of the operator's own: a dated figure.
fn knowledge(folder: &Path) -> String {
    let path = folder.join("conocimiento");
    std::fs::create_dir(&path).unwrap();
    let article = "---\ntitle: \"Valor de la UTM\"\nmodule: general\nvalid_from: 2026-11-01\n---\n\
                   La UTM de noviembre es $69.542.\n";
    std::fs::write(path.join("utm.md"), article).unwrap();
    format!("[knowledge]\npath = {path:?}\n")
}

async fn get(service: &Service, path: &str) -> Value {
    let reply = service.send(Request::get(path)).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()
}

async fn run(service: &Service) -> Value {
    let body = json!({ "force": true });
    let reply = service.send(Request::post(MONITOR, &body)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// The ids of the documents that a question finds.
async fn found(service: &Service, words: &str) -> Vec<String> {
    let path = format!("/api/chat/knowledge/search?top_k=10&query={words}");
    let found = get(service, &path).await;
    let results = found["results"].as_array().unwrap();
    let ids = results.iter().map(|hit| hit["id"].as_str().unwrap());
    ids.map(|id| id.split('#').next().unwrap().to_owned())
        .collect()
}

async fn citations(service: &Service) -> Vec<Value> {
    let body = json!({ "message": QUESTION });
    let reply = service
        .send(Request::post("/api/chat/message", &body))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["citations"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_circular_is_published_and_the_chat_cites_it() {
    let site = published().await;
    let options = Options::default().config(&watching(&site));
    let mut service = options.start().await;
    let status = get(&service, "/api/ai/sii/status").await;
    assert_eq!(
        (&status["status"], &status["next_execution"]),
        (&json!("never_run"), &Value::Null)
    );
    let first = run(&service).await;
    assert_eq!(
        (&first["status"], &first["news_created"]),
        (&json!("success"), &json!(0)),
        "{first}"
    );
    let url = site.url("/circu11.htm");
    let cites = async |service: &Service| {
        let cited = citations(service).await;
        cited.into_iter().find(|one| one["url"] == json!(url))
    };
    assert_eq!(cites(&service).await, None);

    let began = Instant::now();
    let known = entry(8, "Uno.") + &entry(9, "Dos.") + &entry(10, "Tres.");
    let text = "La guía de despacho debe llevar la patente del vehículo que traslada los bienes. \
                Rige a contar del 1° de enero de 2027.";
    publish(&site, 11, &known, text);
    site.set("/utm.htm", &table("69.611"));
    let second = run(&service).await;
    assert_eq!(
        (&second["status"], &second["news_created"]),
        (&json!("success"), &json!(2)),
        "{second}"
    );
    let new = cites(&service).await.expect("it isn't cited");
    println!("published, found, told and cited in {:?}", began.elapsed());
    let id = new["id"].as_str().unwrap();
    assert!(id.starts_with("sii/circular-11-2026"), "{new}");
    told(&service, &site, &second).await;
    paged(&service).await;
    // And so it is after a restart, before any run.
    service.signal("TERM").await;
    assert!(service.ended().await.success());
    let service = options.start().await;
    assert_eq!(cites(&service).await, Some(new));
}

#[tokio::test]
async fn a_figure_that_is_replaced_is_found_no_more() {
    let site = published().await;
    let options = Options::default();
    let knowledge = knowledge(&options.dir());
    let options = options.config(&(watching(&site) + &knowledge));
    let mut service = options.start().await;
    run(&service).await;
    assert_eq!(found(&service, "valor+UTM+noviembre").await, ["utm"]);
    site.set("/utm.htm", &table("69.611"));
    assert_eq!(run(&service).await["news_created"], 1);
    let ended = async |service: &Service| {
        let now = found(service, "valor+UTM+noviembre").await;
        assert!(!now.contains(&"utm".to_owned()), "{now:?}");
        assert!(
            now.iter().any(|id| id.starts_with("sii/cambio-")),
            "{now:?}"
        );
    };
    ended(&service).await;
    service.signal("TERM").await;
    assert!(service.ended().await.success());
    ended(&options.start().await).await;
}

/// The news through polling, the channel, the status and the figures.
async fn told(service: &Service, site: &Site, report: &Value) {
    let item = get(service, "/api/ai/sii/news/circular-11-2026").await;
    assert_eq!(item["vigencia"], "2027-01-01", "{item}");
    assert_eq!(item["numero"], "11");
    assert_eq!(report["notifications_sent"], 2, "{report}");
    let told = site.posted("/aviso");
    assert!(
        told.iter()
            .any(|body| body["items"][0]["id"] == "circular-11-2026"),
        "{told:?}"
    );
    let status = get(service, "/api/ai/sii/status").await;
    assert_eq!(status["last_run"]["run_id"], report["run_id"], "{status}");
    assert_eq!(status["news_count_last_24h"], 2);
    assert_eq!(status["sources"][0]["last_status"], "changed", "{status}");
    let metrics = service.send(Request::get("/metrics")).await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    for line in [
        "sii_monitor_visits_total{source=\"circulares\",status=\"changed\"} 1",
        "sii_monitor_visit_duration_seconds_bucket{source=\"utm\",le=\"60\"} 2",
        "sii_monitor_notices_total{channel=\"webhook\",result=\"sent\"} 2",
        "sii_monitor_sink_total{result=\"accepted\"} 2",
    ] {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    for family in metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE sii_monitor_"))
    {
        let name = family.split(' ').next().unwrap();
        let help = format!("# HELP sii_monitor_{name} ");
        assert!(metrics.contains(&help), "{name} has no help");
    }
}

/// Pages, filters, and what makes no sense.
async fn paged(service: &Service) {
    let first = get(service, "/api/ai/sii/news?limit=1").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/api/ai/sii/news?limit=1&cursor={cursor}");
    let second = get(service, &path).await;
    assert!(second["next_cursor"].is_null());
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    for (query, count) in [
        ("", 2),
        ("since=2026-01-01", 2),
        ("since=2026-01-01+00:00:00", 2),
        ("since=2999-01-01T00:00:00Z", 0),
        ("min_priority=1", 2),
        ("min_priority=", 2),
    ] {
        let page = get(service, &format!("/api/ai/sii/news?{query}")).await;
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{query}");
    }
    for query in [
        "since=ayer",
        "since=2026-02-30",
        "min_priority=6",
        "limit=0",
        "limit=101",
        "cursor=x",
        "cursor=-5_a",
    ] {
        let path = format!("/api/ai/sii/news?{query}");
        let reply = service.send(Request::get(&path)).await;
        assert_eq!(reply.status, 400, "{query}: {reply:?}");
    }
    for id in ["nada", "circular-11-2026%00", &"x".repeat(2_000)] {
        let path = format!("/api/ai/sii/news/{id}");
        let reply = service.send(Request::get(&path)).await;
        assert_eq!(reply.status, 404, "{id}: {reply:?}");
        assert_eq!(reply.json()["code"], "news_not_found");
    }
}

#[tokio::test]
async fn a_run_that_goes_on_is_told_and_ends_with_the_service() {
    let site = published().await;
    site.set("/utm.htm", "<p>{hang}</p>");
    let mut service = Options::default()
        .config(&watching(&site))
        .config("[limits]\nrequest_timeout_ms = 4000\nmodel_timeout_ms = 2000\n")
        .start()
        .await;
    let first = run(&service).await;
    assert_eq!(first["status"], "running", "{first}");
    let second = run(&service).await;
    assert_eq!(
        (&second["status"], &second["run_id"]),
        (&json!("running"), &first["run_id"])
    );
    service.signal("INT").await;
    assert!(service.ended().await.success(), "{}", service.log_text());
}

#[tokio::test]
async fn private_addresses_are_refused_unless_they_are_allowed() {
    let site = published().await;
    let config = watching(&site).replace("[\"127.0.0.1\"]", "[]");
    let service = Options::default().config(&config).start().await;
    let report = run(&service).await;
    assert_eq!(report["status"], "error", "{report}");
    assert_eq!(report["errors"].as_array().unwrap().len(), 2);
    for error in report["errors"].as_array().unwrap() {
        let error = error.as_str().unwrap();
        assert!(error.contains(": private_address: "), "{error}");
    }
}

#[tokio::test]
async fn a_monitor_that_is_off_says_so() {
    let options = Options::default().config("[sii_monitor]\nmode = \"off\"\n");
    let service = options.start().await;
    let reply = service.send(Request::post(MONITOR, &json!({}))).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (404, &json!("monitor_off"))
    );
    let status = get(&service, "/api/ai/sii/status").await;
    assert_eq!(status["orchestrator_initialized"], false);
    let news = get(&service, "/api/ai/sii/news").await;
    assert_eq!(news, json!({ "items": [], "next_cursor": null }));
}

#[tokio::test]
async fn on_schedule_it_runs_by_itself() {
    let site = published().await;
    let config =
        watching(&site).replace("[sii_monitor]\n", "[sii_monitor]\nmode = \"scheduled\"\n");
    let service = Options::default().config(&config).start().await;
    // The first run is due at once.
    until("the first run to end", async || {
        get(&service, "/api/ai/sii/status").await["status"] == "success"
    })
    .await
    .unwrap();
    let status = get(&service, "/api/ai/sii/status").await;
    assert!(status["next_execution"].is_string(), "{status}");
    let metrics = service.send(Request::get("/metrics")).await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let told = "sii_monitor_runs_total{status=\"success\"} 1";
    assert!(metrics.contains(told), "{metrics}");
}
