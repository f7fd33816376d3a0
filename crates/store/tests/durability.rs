//! What was acknowledged is there after the process is gone, however it went.
//!
//! The tests run this very test binary again as a child, which is told by its environment to
//! write to a file until it is killed, and says on its output what was acknowledged.

#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use store::{EmbeddedConfig, EmbeddedStore, ErrorKind, OpenError, Store, SystemClock};

/// Names the file that a child writes to.
const FILE: &str = "STORE_TEST_FILE";
/// Starts each line in which a child says what was acknowledged.
const MARK: &str = "acknowledged ";
/// Starts each line in which a child says how a write failed.
const FAILED: &str = "failed ";

async fn try_open(path: &Path) -> Result<EmbeddedStore, OpenError> {
    EmbeddedStore::open(path, EmbeddedConfig::default(), Arc::new(SystemClock)).await
}

async fn open(path: &Path) -> EmbeddedStore {
    try_open(path).await.unwrap()
}

/// The value of the how-manieth write: long, so that commits are many pages.
fn value(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(1_000)
}

/// The test `name` of this binary as a child that writes to `file`; `limit` bounds the size
/// of its files, in KiB.
fn child(name: &str, file: &Path, limit: Option<u32>) -> Child {
    let binary = std::env::current_exe().unwrap();
    let limit = limit.map_or(String::new(), |kib| {
        // Soft, so that it can be lifted; the signal is ignored, as a server would.
        format!("trap '' XFSZ; ulimit -S -f {};", kib * 2)
    });
    Command::new("sh")
        .arg("-c")
        .arg(format!("{limit} exec \"$0\" \"$@\""))
        .arg(binary)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A line to the parent, at once.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").unwrap();
    out.flush().unwrap();
}

#[tokio::test]
async fn a_clean_close_keeps_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = open(&path).await;
    store.set("value", "v".into(), None).await.unwrap();
    store.increment("counter", 7, None).await.unwrap();
    store.set_insert("set", "member", None).await.unwrap();
    store.close().await.unwrap();
    let store = open(&path).await;
    assert_eq!(store.get("value").await.unwrap().unwrap(), "v");
    assert_eq!(store.increment("counter", 0, None).await.unwrap(), 7);
    assert_eq!(store.set_members("set", 9).await.unwrap(), ["member"]);
}

/// As a child: writes until it is killed. As a test of its own: nothing to do.
#[tokio::test]
async fn writer_child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let store = open(Path::new(&path)).await;
    for number in 0.. {
        let key = format!("key-{number}");
        let set = store.set(&key, value(number).into(), None);
        let sum = store.increment("count", 1, None);
        let (set, sum) = tokio::join!(set, sum);
        set.unwrap();
        sum.unwrap();
        say(&format!("{MARK}{number}"));
    }
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut least_count = 0;
    for writes in [1, 10, 37] {
        let mut child = child("writer_child", &path, None);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            let Some(number) = line.strip_prefix(MARK) else {
                continue;
            };
            seen.push(number.parse::<u64>().unwrap());
            if seen.len() == writes {
                // The child is in the middle of the next ones.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen.len() >= writes, "the child wrote {seen:?}");
        least_count += seen.len() as i64;

        let store = open(&path).await;
        for number in &seen {
            let kept = store.get(&format!("key-{number}")).await.unwrap();
            assert_eq!(kept.unwrap(), value(*number), "after {writes} writes");
        }
        let count = store.increment("count", 0, None).await.unwrap();
        // At most the one in flight at each kill was committed without a word.
        assert!((least_count..=least_count + 1).contains(&count), "{count}");
        least_count = count;
        store.close().await.unwrap();
    }
}

/// As a child: writes until there is no room, then waits for a line and goes on.
#[tokio::test]
async fn full_child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let store = open(Path::new(&path)).await;
    let mut waited = false;
    for number in 0.. {
        let key = format!("key-{number}");
        match store.set(&key, value(number).into(), None).await {
            Ok(()) => say(&format!("{MARK}{number}")),
            Err(error) if error.kind() == ErrorKind::Full && !waited => {
                waited = true;
                say(&format!("{FAILED}{:?}", error.kind()));
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).unwrap();
            }
            // Until its next attempt to open the file, the store says that it is down.
            Err(error) if error.kind() == ErrorKind::Unavailable && waited => {}
            Err(error) => say(&format!("{FAILED}unexpectedly: {error}")),
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_until_there_is_room_again() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        // Without it the limit can't be lifted; the unit tests have the same with a false disk.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut child = child("full_child", &path, Some(2_048));
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut failed = None;
    while let Some(Ok(line)) = lines.next() {
        if let Some(error) = line.strip_prefix(FAILED) {
            assert_eq!((error, &failed), ("Full", &None));
            failed = Some(error.to_owned());
            let lifted = Command::new("prlimit")
                .args(["--pid", &child.id().to_string(), "--fsize=unlimited"])
                .status();
            assert!(lifted.unwrap().success());
            writeln!(input, "go on").unwrap();
        } else if let Some(number) = line.strip_prefix(MARK) {
            let seen = if failed.is_none() {
                &mut before
            } else {
                &mut after
            };
            seen.push(number.parse::<u64>().unwrap());
            if after.len() == 5 {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    assert_eq!(failed.as_deref(), Some("Full"));
    assert!(
        !before.is_empty() && after.len() >= 5,
        "{before:?} {after:?}"
    );
    let store = open(&path).await;
    for number in before.iter().chain(&after) {
        let kept = store.get(&format!("key-{number}")).await.unwrap();
        assert_eq!(kept.unwrap(), value(*number));
    }
}

/// As a child: opens the store, where there is no room for it, and says what came of it.
#[tokio::test]
async fn opening_child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let opened = try_open(Path::new(&path)).await;
    say(&format!(
        "{FAILED}{:?}",
        opened.err().map(|error| error.kind())
    ));
}

#[tokio::test]
async fn a_new_store_on_a_full_disk_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let output = child("opening_child", &path, Some(4)).wait_with_output();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    let said = output.lines().find_map(|line| line.strip_prefix(FAILED));
    assert_eq!(said, Some("Some(DiskFull)"), "{output}");
}
