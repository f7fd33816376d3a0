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
