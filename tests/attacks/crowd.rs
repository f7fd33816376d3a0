//! Those who hold connections without asking, and those who guess keys.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use http::Method;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::Request;

/// What the attack is made of.
const SLOW: usize = 2_000;
const IDLE: usize = 10_000;
/// Files that the test needs for itself.
const OWN: usize = 500;
const GUESSERS: usize = 2;

/// How many slow and idle connections this machine can hold open.
pub fn sizes() -> (usize, usize) {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let limit = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    let limit = limit.unwrap_or(usize::MAX).saturating_sub(OWN);
    if limit >= SLOW + IDLE {
        return (SLOW, IDLE);
    }
    println!("scaled down: this process may open {limit} files");
    (limit / 6, limit / 6 * 5)
}

/// Connections that are held.
pub struct Crowd(Vec<TcpStream>);

impl Crowd {
    /// So many that have sent a part of a head.
    pub async fn slow_heads(addr: SocketAddr, count: usize) -> Self {
        let mut crowd = Self::idle(addr, count).await;
        crowd
            .say(b"GET /live HTTP/1.1\r\nhost: a\r\nx-slow: ")
            .await;
        crowd
    }

    /// So many that say nothing.
    pub async fn idle(addr: SocketAddr, count: usize) -> Self {
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            streams.push(TcpStream::connect(addr).await.unwrap());
        }
        Self(streams)
    }

    /// Each sends one more byte of its head.
    pub async fn drip(&mut self) {
        self.say(b"x").await;
    }

    async fn say(&mut self, bytes: &[u8]) {
        for stream in &mut self.0 {
            // Those that were sent away can't.
            let _ = stream.write_all(bytes).await;
        }
    }
}

/// What guessing brought.
#[derive(Debug, Default)]
pub struct Guesses {
    /// 401.
    pub refused: u32,
    /// 429.
    pub throttled: u32,
    /// No answer: sent away.
    pub cut: u32,
    /// Anything else.
    pub others: u32,
}

impl Guesses {
    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.refused += other.refused;
        self.throttled += other.throttled;
        self.cut += other.cut;
        self.others += other.others;
    }
}

/// Those who present wrong keys, one after the other, until they are called off.
pub struct Guessers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Guesses>>,
}

impl Guessers {
    /// Each in a thread of its own that the system runs last: the attackers' own work is done on
    /// other machines, only what they make the service do is its affair.
    pub fn start(addr: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let guess = |number: usize| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                yield_to_others();
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(guess_keys(addr, number, &stop))
            })
        };
        let threads = (0..GUESSERS).map(guess).collect();
        Self { stop, threads }
    }

    /// What came of it.
    pub async fn stop(self) -> Guesses {
        self.stop.store(true, Ordering::Relaxed);
        let join = || {
            let mut all = Guesses::default();
            for thread in self.threads {
                all.add(&thread.join().unwrap());
            }
            all
        };
        tokio::task::spawn_blocking(join).await.unwrap()
    }
}

/// Gives this thread the lowest priority.
fn yield_to_others() {
    let link = std::fs::read_link("/proc/thread-self").unwrap();
    let thread = link.file_name().unwrap().to_owned();
    let mut renice = std::process::Command::new("renice");
    renice.args(["-n", "19", "-p"]).arg(thread);
    let output = renice.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

async fn guess_keys(addr: SocketAddr, number: usize, stop: &AtomicBool) -> Guesses {
    let mut guesses = Guesses::default();
    for try_number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("clave-{number}-{try_number}");
        let request = Request::bare(Method::GET, "/metrics").header("x-api-key", &key);
        let reply = request.try_send(addr).await;
        match reply.map(|reply| reply.status.as_u16()) {
            Ok(401) => guesses.refused += 1,
            Ok(429) => guesses.throttled += 1,
            Ok(_) => guesses.others += 1,
            Err(_) => guesses.cut += 1,
        }
    }
    guesses
}
