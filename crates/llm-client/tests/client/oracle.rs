//! Retries, held against the official SDK: the same faults of the same stand-in, the same
//! attempts and waits, row by row. Where this crate means to differ, a row says how and why.
//!
//! `cargo xtask test` installs the SDK and names its interpreter in `AI_SERVICE_TEST_PYTHON`;
//! without that variable the test says why it is skipped.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use llm_client::{
    Anthropic, AnthropicConfig, Error, Jitter, LanguageModel, Request, RetryBudget, RetryPolicy,
    Retrying, Timeouts,
};
use mock_anthropic::{Config, MockServer};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::LONG;

/// The SDK's run: some fifty rows, three of which reach a time-out of 0.3 s three times.
const DEADLINE: Duration = Duration::from_secs(120);

/// How far two waits may lie apart that were counted from an HTTP date, in seconds: dates are
/// whole seconds, and the two runs are some seconds apart.
const DATE_TOLERANCE: f64 = 15.0;

/// How many requests a fault strikes that is to outlast all retries.
const ALWAYS: u32 = 1000;

#[derive(Debug, Clone, Serialize)]
struct Row {
    name: String,
    fault: String,
    times: u32,
    stream: bool,
    /// Of one attempt, in seconds.
    timeout: f64,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    name: String,
    attempts: u64,
    waits: Vec<f64>,
    outcome: String,
}

/// Where this crate differs from the SDK on purpose.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "rate_limit=61",
        "a wait of over 60 s is not taken from the provider: the caller's answer can't wait so long",
    ),
    ("rate_limit=3600", "as above"),
    (
        "spend_limit",
        "a reached spend limit passes by no wait that a caller has",
    ),
    (
        "stream: cut_stream=0",
        "nothing has come of the stream, so the call can be made again; the SDK has returned by then",
    ),
    ("stream: cut_stream=1", "as above: no text has gone out"),
    ("stream: spend_limit", "as for a call that isn't streamed"),
];

fn difference(name: &str) -> Option<&'static str> {
    DIFFERENCES
        .iter()
        .find(|row| row.0 == name)
        .map(|row| row.1)
}

fn http_date(from_now: i64) -> String {
    let at = std::time::SystemTime::now();
    let at = if from_now < 0 {
        at - Duration::from_secs(from_now.unsigned_abs())
    } else {
        at + Duration::from_secs(from_now.unsigned_abs())
    };
    httpdate(at)
}

fn httpdate(at: std::time::SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).unwrap();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn rows() -> Vec<Row> {
    let row = |name: &str, fault: &str, times: u32, stream: bool| Row {
        name: name.to_owned(),
        fault: fault.to_owned(),
        times,
        stream,
        timeout: if fault.starts_with("hang") { 0.3 } else { 20.0 },
    };
    let always = |fault: &str| row(fault, fault, ALWAYS, false);
    let mut rows: Vec<Row> = [
        400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 425, 429, 500, 501, 502, 503, 504, 507,
        529,
    ]
    .iter()
    .map(|status| always(&format!("status={status}")))
    .collect();
    rows.extend(
        [
            "rate_limit",
            "rate_limit=0",
            "rate_limit=1",
            "rate_limit=2.5",
            "rate_limit=-3",
            "rate_limit=nonsense",
            "rate_limit=60",
            "rate_limit=61",
            "rate_limit=3600",
            "rate_limit=250ms",
            "rate_limit=0ms",
            "spend_limit",
            "should_retry=400,true",
            "should_retry=401,true",
            "should_retry=429,false",
            "should_retry=500,false",
            "overloaded",
            "server_error",
            "cut",
            "cut_body",
            "hang",
            "malformed_json",
        ]
        .map(always),
    );
    rows.push(row(
        "date in 30 s",
        &format!("rate_limit={}", http_date(30)),
        ALWAYS,
        false,
    ));
    rows.push(row(
        "date past",
        &format!("rate_limit={}", http_date(-30)),
        ALWAYS,
        false,
    ));
    for fault in ["overloaded", "rate_limit=3", "cut", "status=409"] {
        rows.push(row(&format!("once: {fault}"), fault, 1, false));
        rows.push(row(&format!("twice: {fault}"), fault, 2, false));
        rows.push(row(&format!("stream: {fault}"), fault, ALWAYS, true));
        rows.push(row(&format!("stream once: {fault}"), fault, 1, true));
    }
    for fault in [
        "status=400",
        "spend_limit",
        "hang",
        "cut_stream=0",
        "cut_stream=1",
        "cut_stream",
        "error_event",
    ] {
        rows.push(row(&format!("stream: {fault}"), fault, ALWAYS, true));
    }
    rows
}

async fn ask_sdk(python: &std::ffi::OsStr, mock: &MockServer, rows: &[Row]) -> Vec<Outcome> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/sdk_retries.py");
    let mut command = Command::new(python);
    command.arg(script).env("MOCK_URL", mock.base_url());
    // Nothing of the caller's own account may reach the script.
    for name in [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
    ] {
        command.env_remove(name);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(&serde_json::to_vec(rows).unwrap())
        .await
        .unwrap();
    drop(stdin);
    let output = timeout(DEADLINE, child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn ask_crate(mock: &MockServer, row: &Row) -> Outcome {
    mock.reset();
    let rule = format!("{};times={}", row.fault, row.times);
    assert!(mock.inject_rule(rule.parse().unwrap()));
    let limit = Duration::from_secs_f64(row.timeout);
    let mut config = AnthropicConfig::new(SecretString::from("sk-ant-oracle"), "claude-sonnet-4-5");
    config.base_url = mock.base_url();
    config.timeouts = Timeouts::try_new(LONG, limit, LONG).unwrap();
    let waits = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&waits);
    let model = Retrying::new(
        Arc::new(Anthropic::try_new(config).unwrap()),
        RetryPolicy::default(),
        Arc::new(RetryBudget::default()),
    )
    .with_jitter(Jitter::none())
    .with_pause(move |wait: Duration| {
        record.lock().unwrap().push(wait.as_secs_f64());
        std::future::ready(())
    });
    let request = Request::builder(50)
        .user("¿Está bien esta factura?")
        .build()
        .unwrap();
    let result = if row.stream {
        match model.stream(&request).await {
            Ok(stream) => stream.completion().await,
            Err(error) => Err(error),
        }
    } else {
        model.complete(&request).await
    };
    let outcome = result.map_or_else(|error: Error| error.kind().as_str(), |_| "ok");
    let waits = waits.lock().unwrap().clone();
    Outcome {
        name: row.name.clone(),
        attempts: mock.stats().requests_to("/v1/messages"),
        waits,
        outcome: outcome.to_owned(),
    }
}

/// Whether two runs are alike: ends well or not, attempts, waits.
fn alike(theirs: &Outcome, ours: &Outcome) -> bool {
    let tolerance = if ours.name == "date in 30 s" {
        DATE_TOLERANCE
    } else {
        0.001
    };
    let ends = (theirs.outcome == "ok") == (ours.outcome == "ok");
    let waits = theirs.waits.iter().zip(&ours.waits);
    ends && theirs.attempts == ours.attempts
        && theirs.waits.len() == ours.waits.len()
        && waits.into_iter().all(|(a, b)| (a - b).abs() <= tolerance)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_are_the_official_sdks_but_for_what_is_listed() {
    let Some(python) = std::env::var_os("AI_SERVICE_TEST_PYTHON") else {
        println!("skipped: AI_SERVICE_TEST_PYTHON isn't set; `cargo xtask test` sets it");
        return;
    };
    let mock = MockServer::start(Config::default()).await.unwrap();
    let rows = rows();
    let theirs = ask_sdk(&python, &mock, &rows).await;
    assert_eq!(theirs.len(), rows.len());
    let mut wrong = Vec::new();
    let mut different = 0;
    for (row, theirs) in rows.iter().zip(&theirs) {
        let ours = timeout(LONG, ask_crate(&mock, row)).await.unwrap();
        let reason = difference(&row.name);
        let alike = alike(theirs, &ours);
        different += usize::from(!alike);
        println!(
            "{:32} SDK {} {:?} {} | here {} {:?} {} {}",
            row.name,
            theirs.attempts,
            theirs.waits,
            theirs.outcome,
            ours.attempts,
            ours.waits,
            ours.outcome,
            reason
                .map(|reason| format!("| {reason}"))
                .unwrap_or_default(),
        );
        if alike != reason.is_none() {
            wrong.push(row.name.clone());
        }
    }
    println!("{} rows, {different} of them differ on purpose", rows.len());
    assert!(wrong.is_empty(), "not as listed: {wrong:?}");
    assert_eq!(different, DIFFERENCES.len(), "each is a row");
}
