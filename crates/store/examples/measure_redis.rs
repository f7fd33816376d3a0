//! What the store adds to Redis: the time of a value's reading through it, beside a raw `GET`
//! over one socket, and what a frozen server costs those who ask.
//!
//! `cargo run --release -p store --example measure_redis`

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use store::test_util::redis::Server;
use store::{
    Deployment, EmbeddedConfig, EmbeddedStore, KeyClass, KeyClasses, RedisConfig, RedisStore,
    ResilientConfig, ResilientStore, Store, SystemClock,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of the value.
const VALUE: usize = 2_048;
/// Readings of each kind.
const READINGS: usize = 10_000;
/// Time between two readings: 1,000 a second.
const PERIOD: Duration = Duration::from_millis(1);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome<()> {
    let server = Server::start(&[]).await?;
    let redis = || RedisStore::start(RedisConfig::new(Deployment::Standalone(server.host())));
    let direct = redis()?;
    direct.ready(Duration::from_secs(10)).await?;
    let value = Bytes::from(vec![b'x'; VALUE]);
    direct.set("cache:k", value, None).await?;

    let clock = Arc::new(SystemClock);
    let local = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone())?;
    let classes = KeyClasses::new(KeyClass::Durable).with("cache:", KeyClass::Ephemeral);
    let config = ResilientConfig::new(classes);
    let behind = redis()?;
    behind.ready(Duration::from_secs(10)).await?;
    let resilient = ResilientStore::start(behind, Arc::new(local), config, clock).await?;

    // The three take turns, so that what else the machine does is shared.
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).await?;
    socket.set_nodelay(true)?;
    let (mut raw, mut store, mut stood) = (Vec::new(), Vec::new(), Vec::new());
    let mut ticks = tokio::time::interval(PERIOD);
    for _ in 0..READINGS {
        ticks.tick().await;
        let begun = Instant::now();
        raw_get(&mut socket).await?;
        raw.push(begun.elapsed());
        let begun = Instant::now();
        direct.get("cache:k").await?;
        store.push(begun.elapsed());
        let begun = Instant::now();
        resilient.get("cache:k").await?;
        stood.push(begun.elapsed());
    }
    show("GET over a socket", &mut raw);
    show("RedisStore::get", &mut store);
    show("ResilientStore::get", &mut stood);

    server.freeze()?;
    let mut frozen = Vec::new();
    for _ in 0..1_000 {
        ticks.tick().await;
        let begun = Instant::now();
        resilient.get("cache:k").await?;
        frozen.push(begun.elapsed());
    }
    server.thaw()?;
    show("ResilientStore::get, server frozen", &mut frozen);
    Ok(())
}

async fn raw_get(socket: &mut TcpStream) -> io::Result<()> {
    socket
        .write_all(b"*2\r\n$3\r\nGET\r\n$10\r\nai:cache:k\r\n")
        .await?;
    let mut reply = [0; VALUE + 9];
    socket.read_exact(&mut reply).await.map(drop)
}

/// Prints the quantiles.
#[expect(clippy::print_stdout, reason = "its purpose")]
fn show(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| {
        let index = times.len().saturating_sub(1) * share / 1_000;
        times.get(index).copied().unwrap_or_default()
    };
    println!(
        "{what}: p50 {:?}, p99 {:?}, p99.9 {:?}, n {}",
        at(500),
        at(990),
        at(999),
        times.len()
    );
}
