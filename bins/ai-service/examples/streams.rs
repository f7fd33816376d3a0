//! A thousand streams at once through the real binary: gaps, memory, ends.
//!
//! `cargo build --release -p ai-service --bins --examples && target/release/examples/streams
//! target/release/ai-service [COUNT]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement: what fails should be seen"
)]

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use mock_anthropic::{Config, Delay, Fault, MockServer, Pace};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

const KEY: &str = "clave-de-prueba-0123456789abcdef";
const TOKENS_PER_SECOND: f64 = 20.0;
/// The mock's own pace.
const TOKEN: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(60);

/// What one reader saw.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    events: usize,
    largest_gap: Duration,
    done: bool,
    error: bool,
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let binary = args.next().expect("the path of the ai-service binary");
    let count: usize = args.next().map_or(1_000, |text| text.parse().unwrap());
    let config = Config {
        answer_tokens: 160,
        ..Config::default()
    };
    let mock = MockServer::start(config).await.unwrap();
    let (child, addr) = start(&binary, &mock).await;
    first_events(&mock, addr).await;
    mock.set_pace(Pace::new(Delay::NONE, TOKENS_PER_SECOND));

    run("all read", &child, addr, count, 0, &mock).await;
    run("a third stopped", &child, addr, count, 3, &mock).await;
    mock.inject(Fault::CutStream(Some(40)), u32::try_from(count).unwrap());
    run("upstream cut in the middle", &child, addr, count, 0, &mock).await;
}

async fn start(binary: &str, mock: &MockServer) -> (Child, SocketAddr) {
    let folder = std::env::temp_dir().join(format!("ai-service-streams-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let config = folder.join("ai-service.toml");
    std::fs::write(&config, "[store]\nengine = \"memory\"\n").unwrap();
    let mut child = Command::new(binary)
        .current_dir(&folder)
        .arg("--config")
        .arg(config)
        .env("AI_SERVICE_LISTEN", "127.0.0.1:0")
        .env("AI_SERVICE_API_KEY", KEY)
        .env("ANTHROPIC_API_KEY", "sk-ant-prueba")
        .env("ANTHROPIC_BASE_URL", mock.base_url())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let addr = loop {
        let line = lines.next_line().await.unwrap().expect("it ended");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if line["message"] == "listening" {
            break line["addr"].as_str().unwrap().parse().unwrap();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, addr)
}

async fn open(addr: SocketAddr, question: &str) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(addr).await.unwrap();
    let body = serde_json::json!({ "message": question }).to_string();
    let head = format!(
        "POST /api/chat/message/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    BufReader::with_capacity(1_024, connection)
}

/// How long after the model's first byte the first event is here, one stream at a time.
async fn first_events(mock: &MockServer, addr: SocketAddr) {
    let wait = Duration::from_millis(100);
    mock.set_pace(Pace::new(Delay::Fixed(wait), 0.0));
    let mut added = Vec::new();
    for number in 0..30 {
        let begun = Instant::now();
        let mut reader = open(addr, &format!("¿Cómo anulo la factura {number}?")).await;
        let mut line = String::new();
        while !line.starts_with("data: ") {
            line.clear();
            assert!(reader.read_line(&mut line).await.unwrap() > 0);
        }
        added.push(begun.elapsed().saturating_sub(wait));
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).await.unwrap();
    }
    added.sort();
    println!(
        "request to first event, less the mock's {wait:?}: p50 {:?}, p90 {:?} (both ways, \
         search, session and the mock included)",
        added[added.len() / 2],
        added[added.len() * 9 / 10]
    );
}

async fn read(mut reader: BufReader<TcpStream>) -> Seen {
    let mut seen = Seen::default();
    let mut last: Option<Instant> = None;
    let mut line = String::new();
    loop {
        line.clear();
        match tokio::time::timeout(LIMIT, reader.read_line(&mut line)).await {
            Ok(Ok(1..)) => {}
            _ => return seen,
        }
        if !line.starts_with("data: ") {
            continue;
        }
        let now = Instant::now();
        if let Some(last) = last {
            seen.largest_gap = seen.largest_gap.max(now - last);
        }
        last = Some(now);
        seen.events += 1;
        seen.done |= line.contains(r#""type":"done""#);
        seen.error |= line.contains(r#""type":"error""#);
    }
}

/// One in `stopped` readers reads nothing (0: all read).
async fn run(
    name: &str,
    child: &Child,
    addr: SocketAddr,
    count: usize,
    stopped: usize,
    mock: &MockServer,
) {
    let before = resident_kib(child).await;
    let mut held = Vec::new();
    let mut readers = Vec::new();
    for number in 0..count {
        let question = format!("{name}: ¿cómo anulo la factura número {number}?");
        let reader = open(addr, &question).await;
        if stopped > 0 && number % stopped == 0 {
            held.push(reader);
        } else {
            readers.push(tokio::spawn(read(reader)));
        }
    }
    sleep(Duration::from_secs(2)).await;
    let (during, upstream) = (resident_kib(child).await, mock.stats().in_flight);
    let mut all = Vec::new();
    for reader in readers {
        all.push(reader.await.unwrap());
    }
    let added = all
        .iter()
        .map(|seen| seen.largest_gap.saturating_sub(TOKEN))
        .max();
    let events: usize = all.iter().map(|seen| seen.events).sum();
    println!(
        "{name}: {count} streams ({upstream} of the model at once), {} read, {events} events, \
         done {}, error {}, largest gap added {:?}, resident per stream {} KiB",
        all.len(),
        all.iter().filter(|seen| seen.done).count(),
        all.iter().filter(|seen| seen.error).count(),
        added.unwrap_or_default(),
        during.saturating_sub(before) / count as u64,
    );
    drop(held);
}

async fn resident_kib(child: &Child) -> u64 {
    let path = format!("/proc/{}/status", child.id().unwrap());
    let text = tokio::fs::read_to_string(path).await.unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
