//! The first minute: start it with nothing configured, paste the line that it prints.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::support::Options;

#[tokio::test]
async fn the_printed_line_can_be_pasted_and_works() {
    // An empty variable counts as unset: no key is configured.
    let options = Options::default().env("AI_SERVICE_API_KEY", "");
    let mut child = options
        .command()
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let find = async {
        loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("it prints a curl line");
            if line.starts_with("curl ") {
                return line;
            }
        }
    };
    let line = tokio::time::timeout(Duration::from_secs(60), find)
        .await
        .unwrap();
    let output = Command::new("sh")
        .arg("-c")
        .arg(&line)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{line}\n{output:?}");
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["recommendation"], "send", "{verdict}");
    assert_eq!(verdict["degraded"], true, "{verdict}");
}

#[tokio::test]
async fn nobody_reading_what_is_printed_is_no_reason_to_end() {
    let options = Options::default().env("AI_SERVICE_API_KEY", "");
    let full = || {
        let file = std::fs::OpenOptions::new().write(true).open("/dev/full");
        Stdio::from(file.unwrap())
    };
    let status = options
        .command()
        .arg("check-config")
        .stdout(full())
        .status();
    assert_eq!(status.await.unwrap().code(), Some(0));
    let mut child = options.command().stdout(full()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let listens = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("listening") {
                return true;
            }
        }
        false
    };
    let listens = tokio::time::timeout(Duration::from_secs(60), listens);
    assert!(listens.await.unwrap());
    // It goes on to serve: it ends by the signal and not by itself.
    let pid = child.id().unwrap();
    let kill = Command::new("kill")
        .args(["-INT", &pid.to_string()])
        .status()
        .await;
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}
