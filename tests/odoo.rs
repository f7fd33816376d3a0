//! The snippets of `docs/odoo.md`, run as they stand against the real binary: each must print what
//! the page says that it prints.
//!
//! `cargo xtask test` makes the virtual environment and names its interpreter in
//! `AI_SERVICE_TEST_PYTHON`; without that variable the test says why it is skipped.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use crate::support::{KEY, Options, Request, Site};

const PAGE: &str = include_str!("../docs/odoo.md");

const DEADLINE: Duration = Duration::from_secs(60);

/// The fenced blocks of a language, in the page's order.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = PAGE.split(fence.as_str()).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

/// A circular in an index.
fn entry(number: &str, day: &str) -> String {
    format!(
        "<h5>Circular N° {number} del {day} de Enero del 2026</h5>\
         <p>La guía de despacho deberá llevar la patente.</p>"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_snippet_prints_what_the_page_says() {
    let Some(python) = std::env::var_os("AI_SERVICE_TEST_PYTHON") else {
        println!("skipped: AI_SERVICE_TEST_PYTHON isn't set; `cargo xtask test` sets it");
        return;
    };
    let site = Site::start().await;
    let (first, url) = (entry("10", "15"), site.url("/indice.htm"));
    site.set("/indice.htm", &first);
    let options = Options::default()
        .config("[indicators]\nfetch = false\n[sii_monitor]\ndefault_sources = false\n")
        .config("request_interval_ms = 0\nallow_private_hosts = [\"127.0.0.1\"]\n")
        .config("[[sii_monitor.sources]]\nkey = \"circulares\"\nkind = \"index\"\n")
        .config(&format!("url = \"{url}\"\n"));
    let service = options.start().await;
    // The first visit learns what is there; then something is published.
    let learned = Request::post("/api/ai/sii/monitor", &json!({}));
    assert_eq!(service.send(learned).await.json()["status"], "success");
    site.set("/indice.htm", &(entry("11", "30") + &first));
    let run = Command::new(python)
        .args(["-c", &blocks("python").concat()])
        .env("AI_SERVICE_URL", format!("http://{}", service.addr))
        .env("AI_SERVICE_KEY", KEY)
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(DEADLINE, run).await.unwrap().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    assert_eq!(printed, blocks("text").concat(), "{errors}");
}

#[test]
fn every_route_of_an_erp_has_its_snippet() {
    let code = blocks("python").concat();
    for route in [
        "/api/ai/validate",
        "/api/ai/reception/match_po",
        "/api/ai/reconcile",
        "/api/ai/analytics/suggest_project",
        "/api/ai/analytics/stats",
        "/api/payroll/validate",
        "/api/payroll/indicators/",
        "/api/ai/sii/monitor",
        "/api/ai/sii/status",
        "/api/ai/sii/news",
        "/api/ai/sii/news/",
        "/metrics/costs",
        "/health",
    ] {
        assert!(code.contains(route), "{route}");
    }
}
