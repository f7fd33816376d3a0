//! The mock of the model's API, driven by the official Python SDK.
//!
//! `cargo xtask test` makes a virtual environment with the SDK and names its interpreter in
//! `AI_SERVICE_TEST_PYTHON`; without that variable the test says why it is skipped.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use mock_anthropic::{Config, MockServer};
use tokio::{process::Command, time::timeout};

/// The whole script takes a few seconds; its two retries wait up to 1.5 s of them.
const DEADLINE: Duration = Duration::from_secs(120);

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/anthropic_sdk.py")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_sdk_is_served() {
    let Some(python) = std::env::var_os("AI_SERVICE_TEST_PYTHON") else {
        println!("skipped: AI_SERVICE_TEST_PYTHON isn't set; `cargo xtask test` sets it");
        return;
    };
    let mock = MockServer::start(Config::default()).await.unwrap();
    let run = Command::new(python)
        .arg(script())
        .env("MOCK_URL", mock.base_url())
        // Nothing of the caller's own account may reach the script.
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("ANTHROPIC_AUTH_TOKEN")
        .env_remove("ANTHROPIC_BASE_URL")
        .env_remove("ANTHROPIC_CUSTOM_HEADERS")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(DEADLINE, run).await.unwrap().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{printed}{errors}");
    assert!(
        output.status.success(),
        "{}\n{printed}{errors}",
        output.status
    );
    mock.shutdown().await;
}
