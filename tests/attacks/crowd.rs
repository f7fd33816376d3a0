//! Those who hold connections without asking, and those who guess keys.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

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

/// Presents wrong keys one after the other until told to stop.
pub fn guess_keys(addr: SocketAddr, stop: &Arc<AtomicBool>) -> Vec<JoinHandle<Guesses>> {
    let guess = |number: usize| {
        let stop = Arc::clone(stop);
        tokio::spawn(async move {
            let mut guesses = Guesses::default();
            for try_number in 0_u64.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let key = format!("clave-{number}-{try_number}");
                let request = Request::bare(Method::GET, "/metrics").header("x-api-key", &key);
                match request
                    .try_send(addr)
                    .await
                    .map(|reply| reply.status.as_u16())
                {
                    Ok(401) => guesses.refused += 1,
                    Ok(429) => guesses.throttled += 1,
                    Ok(_) => guesses.others += 1,
                    Err(_) => guesses.cut += 1,
                }
            }
            guesses
        })
    };
    (0..GUESSERS).map(guess).collect()
}
