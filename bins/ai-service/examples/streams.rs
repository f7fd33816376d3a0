//! A thousand streams at once through the real binary: gaps, memory, ends, and how long a first
//! word takes through it. `cargo xtask streams` builds and runs it.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement: what fails should be seen"
)]

#[path = "streams/relay.rs"]
mod relay;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use mock_anthropic::{Config, Delay, Fault, MockServer, Pace};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval, sleep};

use relay::Relay;

const KEY: &str = "clave-de-prueba-0123456789abcdef";
const TOKENS_PER_SECOND: f64 = 20.0;
/// The mock's own pace.
const TOKEN: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(60);
/// Between two that are opened: a thousand within two seconds. All at once they hold a tenth more
/// afterwards, since what opening takes for a moment is taken by hundreds at the same time.
const OPENING: Duration = Duration::from_millis(2);
/// Streams asked one after the other for the time of a first word.
const FIRST_WORDS: usize = 300;

/// The goals (issue 6).
const MOST_ADDED: Duration = Duration::from_millis(250);
const MOST_KIB: u64 = 24;
const FIRST_EVENT: Duration = Duration::from_millis(1);

/// What one reader saw.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    events: usize,
    largest_gap: Duration,
    done: bool,
    error: bool,
}

/// A service in front of the stand-in.
struct World {
    mock: MockServer,
    service: Child,
    addr: SocketAddr,
    count: usize,
    missed: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let binary = args.next().expect("the path of the ai-service binary");
    // It runs in a folder of its own.
    let binary = std::path::absolute(binary).unwrap();
    let count: usize = args.next().map_or(1_000, |text| text.parse().unwrap());
    let plain = Config {
        answer_tokens: 160,
        ..Config::default()
    };
    // As the provider speaks: TLS, and HTTP/2 within.
    let secure = Config {
        tls: true,
        ..plain.clone()
    };
    let missed = {
        // What goes by is read on its way, and therefore isn't encrypted.
        let mock = MockServer::start(plain).await.unwrap();
        let relay = Relay::start(mock.addr()).await.unwrap();
        let (_service, addr) = start(&binary, &relay.url()).await;
        let first = first_words(&mock, &relay, addr).await;
        !report_first_words(&first)
    };
    let mock = MockServer::start(secure).await.unwrap();
    let (service, addr) = start(&binary, &mock.base_url()).await;
    let mut world = World {
        mock,
        service,
        addr,
        count,
        missed,
    };
    // What the first streams bring to life (the tokeniser's vocabulary, say) isn't a stream's.
    warm_up(&world).await;
    let pace = Pace::new(Delay::NONE, TOKENS_PER_SECOND);
    world.mock.set_pace(pace);
    world.run("all read", 0, "done").await;
    world.run("a third stopped", 3, "done").await;
    let cut = Fault::CutStream(Some(40));
    let times = u32::try_from(count).unwrap();
    world.mock.inject(cut, times);
    world.run("upstream cut in the middle", 0, "error").await;
    ExitCode::from(u8::from(world.missed))
}

async fn start(binary: &Path, model: &str) -> (Child, SocketAddr) {
    let folder = std::env::temp_dir().join(format!("ai-service-streams-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let config = folder.join("ai-service.toml");
    std::fs::write(folder.join("model.pem"), mock_anthropic::CERTIFICATE).unwrap();
    let text = "[store]\nengine = \"memory\"\n[model]\nca_file = \"model.pem\"\n";
    std::fs::write(&config, text).unwrap();
    let mut child = Command::new(binary)
        .current_dir(&folder)
        .arg("--config")
        .arg(config)
        .env("AI_SERVICE_LISTEN", "127.0.0.1:0")
        .env("AI_SERVICE_API_KEY", KEY)
        .env("ANTHROPIC_API_KEY", "sk-ant-prueba")
        .env("ANTHROPIC_BASE_URL", model)
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

/// `small`: with little room for what isn't read.
async fn open(addr: SocketAddr, question: &str, small: bool) -> BufReader<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    if small {
        socket.set_recv_buffer_size(2_048).unwrap();
    }
    let mut connection = socket.connect(addr).await.unwrap();
    connection.set_nodelay(true).unwrap();
    let body = serde_json::json!({ "message": question }).to_string();
    let head = format!(
        "POST /api/chat/message/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    BufReader::with_capacity(1_024, connection)
}

async fn warm_up(world: &World) {
    let mut all = Vec::new();
    for number in 0..20 {
        let question = format!("¿Cuánto es el tope imponible de la AFP {number}?");
        all.push(tokio::spawn(read(open(world.addr, &question, false).await)));
    }
    for reader in all {
        reader.await.unwrap();
    }
    let mut last = 0;
    for _ in 0..20 {
        let now = resident_kib(&world.service).await;
        if now == last {
            break;
        }
        last = now;
        sleep(Duration::from_secs(1)).await;
    }
}

/// How long after the model's first word left it is here as an event, one stream at a time,
/// shortest first.
async fn first_words(mock: &MockServer, relay: &Relay, addr: SocketAddr) -> Vec<Duration> {
    // So that the word comes alone, and not with what the model says before it.
    mock.set_pace(Pace::new(Delay::Fixed(Duration::from_millis(20)), 200.0));
    let mut added = Vec::new();
    for number in 0..FIRST_WORDS {
        let question = format!("¿Cómo anulo la factura {number}?");
        let mut reader = open(addr, &question, false).await;
        let mut line = String::new();
        while !line.starts_with("data: ") {
            line.clear();
            assert!(reader.read_line(&mut line).await.unwrap() > 0);
        }
        let here = Instant::now();
        let left = relay.first_word().expect("a word passed the relay");
        added.push(here.saturating_duration_since(left));
        // Leaving is part of it: what isn't read is cancelled.
        drop(reader);
    }
    added.sort();
    added
}

/// Prints it; whether the goal is reached.
fn report_first_words(added: &[Duration]) -> bool {
    let quantile = |percent: usize| {
        let place = (added.len() * percent / 100).min(added.len() - 1);
        added.get(place).copied().unwrap_or_default()
    };
    let (median, high) = (quantile(50), quantile(99));
    println!(
        "model's first word to first event: p50 {median:?}, p99 {high:?} of {} (goal {FIRST_EVENT:?}: {})",
        added.len(),
        verdict(median <= FIRST_EVENT)
    );
    median <= FIRST_EVENT
}

fn verdict(reached: bool) -> &'static str {
    if reached { "pass" } else { "FAIL" }
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

impl World {
    /// One in `stopped` readers reads nothing (0: all read); the others must end as `end` says.
    async fn run(&mut self, name: &str, stopped: usize, end: &str) {
        let (before, cpu) = (resident_kib(&self.service).await, cpu(&self.service).await);
        let begun = Instant::now();
        let mut opening = interval(OPENING);
        let mut held = Vec::new();
        let mut readers = Vec::new();
        for number in 0..self.count {
            opening.tick().await;
            let question = format!("{name}: ¿cómo anulo la factura número {number}?");
            let stops = stopped > 0 && number % stopped == 0;
            let reader = open(self.addr, &question, stops).await;
            if stops {
                held.push(reader);
            } else {
                readers.push(tokio::spawn(read(reader)));
            }
        }
        let opened = begun.elapsed();
        sleep(Duration::from_secs(2)).await;
        let (during, upstream) = (
            resident_kib(&self.service).await,
            self.mock.stats().in_flight,
        );
        let mut all = Vec::new();
        for reader in readers {
            all.push(reader.await.unwrap());
        }
        let cpu = self::cpu(&self.service).await.saturating_sub(cpu);
        let gaps = all.iter().map(|seen| seen.largest_gap).max();
        let added = gaps.unwrap_or_default().saturating_sub(TOKEN);
        let events: usize = all.iter().map(|seen| seen.events).sum();
        let (done, errors) = (
            all.iter().filter(|seen| seen.done).count(),
            all.iter().filter(|seen| seen.error).count(),
        );
        let kib = during.saturating_sub(before) / self.count as u64;
        let ended = if end == "done" { done } else { errors };
        let reached = [added <= MOST_ADDED, kib <= MOST_KIB, ended == all.len()];
        println!(
            "{name}: {} streams opened in {opened:.1?} ({upstream} of the model at once), {events} \
             events, {cpu:.1?} of CPU\n  \
             ended in done {done}, in error {errors} of {} that read (goal all in {end}: {})\n  \
             largest gap added {added:.1?} (goal {MOST_ADDED:?}: {})\n  \
             resident per stream {kib} KiB (goal {MOST_KIB} KiB: {})",
            self.count,
            all.len(),
            verdict(reached[2]),
            verdict(reached[0]),
            verdict(reached[1]),
        );
        self.missed |= reached.contains(&false);
        drop(held);
        // The streams of those who left end before the next run begins.
        while self.mock.stats().in_flight > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Processor time that a process has taken so far.
async fn cpu(child: &Child) -> Duration {
    let path = format!("/proc/{}/stat", child.id().unwrap());
    let text = tokio::fs::read_to_string(path).await.unwrap();
    // After the name in brackets; user and system time are the 14th and 15th of all.
    let (_, rest) = text.rsplit_once(") ").unwrap();
    let fields = rest.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

async fn resident_kib(child: &Child) -> u64 {
    let path = format!("/proc/{}/status", child.id().unwrap());
    let text = tokio::fs::read_to_string(path).await.unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
