//! The program: its options, its one line, its exit codes.
#![expect(clippy::unwrap_used, reason = "tests")]

#[expect(dead_code, reason = "each test file uses its part")]
mod support;

use std::process::Stdio;

use support::{DEADLINE, MESSAGES, message, open, post, read_until_broken};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

fn program(options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-anthropic"));
    command
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

#[tokio::test]
async fn it_prints_where_it_is_and_how_to_use_it() {
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--answer-tokens",
        "7",
        "--fault",
        "overloaded;times=1",
    ];
    let mut child = program(&options).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(DEADLINE, lines.next_line())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let url = line.split_whitespace().next().unwrap();
    assert!(
        line.contains(&format!(
            "ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY=anything"
        )),
        "{line}"
    );
    let addr = url.strip_prefix("http://").unwrap().parse().unwrap();
    for (status, part) in [(529, "overloaded_error"), (200, "\"output_tokens\":7")] {
        let (response, _task) = open(addr, post(MESSAGES, &message(), &[])).await;
        let response = response.unwrap();
        assert_eq!(response.status(), status);
        let (text, broken) = read_until_broken(response.into_body()).await;
        assert!(!broken && text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn over_tls_it_writes_down_whom_to_trust() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let options = ["--listen", "127.0.0.1:0", "--tls", file.to_str().unwrap()];
    let mut child = program(&options).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.unwrap();
    let line = line.unwrap().unwrap();
    assert!(line.starts_with("https://127.0.0.1:"), "{line}");
    let written = std::fs::read_to_string(file).unwrap();
    assert_eq!(written, mock_anthropic::CERTIFICATE);
}

#[tokio::test]
async fn wrong_options_end_it_with_a_reason() {
    for (options, code, reason) in [
        (["--fault", "explode"], 2, "no fault is called `explode`"),
        (["--latency-ms", "soon"], 2, "a delay is milliseconds"),
        (
            ["--tokens-per-second", "NaN"],
            2,
            "tokens per second is a number",
        ),
        (["--listen", "192.0.2.1:1"], 1, "mock-anthropic: "),
    ] {
        let output = timeout(DEADLINE, program(&options).output())
            .await
            .unwrap()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{options:?}: {errors}");
        assert!(errors.contains(reason), "{options:?}: {errors}");
    }
}
