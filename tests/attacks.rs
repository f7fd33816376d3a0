//! Clients that mean harm, thousands at a time, beside honest ones who must not notice.
//!
//! Times are printed and bounded loosely, as this is mostly a debug build on a machine that does
//! other things. To measure a release build: `AI_SERVICE_BINARY=target/release/ai-service cargo
//! test -p ai-service --test attacks -- --nocapture`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]
#![expect(
    dead_code,
    unused_imports,
    reason = "what other programs of tests use of the support"
)]

#[path = "attacks/corpus.rs"]
mod corpus;
#[path = "attacks/crowd.rs"]
mod crowd;
#[path = "attacks/honest.rs"]
mod honest;
mod support;

use std::time::Duration;

use corpus::Fate;
use crowd::{Crowd, Guessers};
use honest::Times;
use support::{KEY, Options, Request, Service, valid};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(20);

/// Times within which honest clients must stay, as a multiple of those without an attack and
/// from which figure on that counts: far wider than what a release build keeps.
const SLOWER: u32 = 20;
const BUT_NOT_UNDER: Duration = Duration::from_millis(400);

/// How often they come.
const WAVES: usize = 3;

/// One test after the other: each measures.
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The statuses of the answers to these bytes, and whether the connection was closed after them.
async fn answers(service: &Service, bytes: &[u8], wanted: Option<usize>) -> (Vec<u16>, bool) {
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    // It may be closed before all of it is sent.
    let _ = stream.write_all(bytes).await;
    let mut text = Vec::new();
    let mut part = [0; 4096];
    let all = async {
        loop {
            let statuses = statuses(&text);
            if wanted.is_some_and(|wanted| statuses.len() >= wanted) {
                return false;
            }
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => return true,
                Ok(read) => text.extend_from_slice(&part[..read]),
            }
        }
    };
    let closed = tokio::time::timeout(LIMIT, all).await;
    (statuses(&text), closed.unwrap_or(false))
}

fn statuses(text: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(text);
    let parts = text.split("HTTP/1.1 ").skip(1);
    parts
        .filter_map(|part| part.get(..3)?.parse().ok())
        .collect()
}

/// The entries of the corpus that have another fate than they should.
async fn all_wrong(service: &Service) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, text, fate) in corpus::CORPUS {
        let bytes = corpus::bytes(text, KEY);
        let (wanted, expected) = match fate {
            Fate::Open(list) => (Some(list.len()), list.to_vec()),
            Fate::Closed(status) => (None, vec![*status]),
            Fate::Dropped => (None, Vec::new()),
        };
        let (got, closed) = answers(service, &bytes, wanted).await;
        let fits = match fate {
            Fate::Open(_) => got == expected,
            Fate::Closed(_) => got == expected && closed,
            Fate::Dropped => (got.is_empty() || got == [400]) && closed,
        };
        if !fits {
            wrong.push(format!(
                "{name}: {got:?}, closed: {closed}; expected {fate:?}"
            ));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_proper_request_is_refused_and_smuggles_nothing() {
    let _one = ONE.lock().await;
    let config = "[limits]\nhead_timeout_ms = 3000\n";
    let service = Options::default().config(config).start().await;
    assert!(corpus::CORPUS.len() >= 60, "{}", corpus::CORPUS.len());
    let wrong = all_wrong(&service).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Only now has the service all that it loads in the background.
    honest::run(&service, 200).await;
    let before = service.memory_kib("VmRSS").await;
    assert!(all_wrong(&service).await.is_empty());
    assert_eq!(service.send(Request::validate(&valid())).await.status, 200);
    let grown = service.memory_kib("VmRSS").await.saturating_sub(before);
    println!(
        "{} malformed requests; {grown} KiB more",
        corpus::CORPUS.len()
    );
    assert!(grown < 16 * 1024, "{grown} KiB more");
    assert!(!service.log_text().contains("panicked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_idle_and_guessing_clients_leave_the_honest_ones_alone() {
    let _one = ONE.lock().await;
    let service = Service::start().await;
    let (slow, idle) = crowd::sizes();
    honest::run(&service, 200).await;
    let (mut calm, mut pressed) = (Times::default(), Times::default());
    let mut guesses = crowd::Guesses::default();
    let mut memory = Vec::new();
    // In turns: a machine that has slower moments has them in both.
    for _wave in 0..WAVES {
        calm.add(honest::run(&service, 2_000).await);
        if memory.is_empty() {
            memory.push(service.memory_kib("VmRSS").await);
        }
        let guessers = Guessers::start(service.addr);
        let mut heads = Crowd::slow_heads(service.addr, slow).await;
        let silent = Crowd::idle(service.addr, idle).await;
        for _ in 0..4 {
            heads.drip().await;
            pressed.add(honest::run(&service, 500).await);
        }
        memory.push(service.memory_kib("VmRSS").await);
        guesses.add(&guessers.stop().await);
        drop((heads, silent));
    }
    println!("{slow} slow heads, {idle} idle, {guesses:?}");
    println!("honest clients without: {calm}");
    println!("honest clients beside:  {pressed}");
    let factor = pressed.quantile(99).as_secs_f64() / calm.quantile(99).as_secs_f64();
    println!("p99 beside over without: {factor:.2}");
    println!("resident KiB before, and with each wave: {memory:?}");
    assert_eq!((calm.failed, pressed.failed), (0, 0));
    assert_eq!(guesses.others, 0, "{guesses:?}");
    assert!(guesses.refused > 0 && guesses.throttled > 0, "{guesses:?}");
    let bound = (calm.quantile(99) * SLOWER).max(BUT_NOT_UNDER);
    assert!(pressed.quantile(99) <= bound, "over {bound:?}");
    // What the 4,096 connections that there may be take, in a debug build.
    assert!(memory[1] - memory[0] < 192 * 1024, "{memory:?}");
    let last = memory.last().unwrap();
    assert!(*last < memory[1] + 48 * 1024, "it grows: {memory:?}");
}
