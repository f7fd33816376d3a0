//! The server against its own description, by schemathesis: no 5xx, no undocumented status, no
//! answer of another shape, no good request refused and no bad one taken.
//!
//! `cargo xtask test` makes the virtual environment and names its interpreter in
//! `AI_SERVICE_TEST_PYTHON`; without that variable the test says why it is skipped.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::support::{KEY, Options};

/// The run takes half a minute on two cores.
const DEADLINE: Duration = Duration::from_secs(300);

/// The fewest requests that count as a run.
const LEAST_CASES: u64 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_does_what_its_description_says() {
    let Some(python) = std::env::var_os("AI_SERVICE_TEST_PYTHON") else {
        println!("skipped: AI_SERVICE_TEST_PYTHON isn't set; `cargo xtask test` sets it");
        return;
    };
    let options = Options::default()
        .config("[indicators]\nfetch = false\n[sii_monitor]\ndefault_sources = false\n");
    let service = options.start().await;
    let program = Path::new(&python).with_file_name("schemathesis");
    let settings = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/python/schemathesis.toml")
        .canonicalize()
        .unwrap();
    let run = Command::new(program)
        // It leaves its examples behind in the folder that it runs in.
        .current_dir(options.dir())
        .arg("--config-file")
        .arg(settings)
        .args(["run", &format!("http://{}/openapi.json", service.addr)])
        .args(["-H", &format!("Authorization: Bearer {KEY}")])
        .args(["--checks", "all", "--max-examples", "80"])
        // CPython 3.11 parses its own sources wrongly from two threads at once: one worker.
        .args(["--generation-deterministic", "--workers", "1", "--no-color"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(DEADLINE, run).await.unwrap().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{printed}{errors}");
    assert!(
        output.status.success(),
        "{}\n{printed}{errors}",
        output.status
    );
    let cases = printed
        .lines()
        .find_map(|line| line.trim().split_once(" generated"))
        .and_then(|(count, _)| count.parse::<u64>().ok());
    assert!(cases.unwrap() >= LEAST_CASES, "only {cases:?} cases");
}
