//! The two who read from Redis: bytes over a connection, and the cache as the service has it.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cache::{Cache, CacheConfig, CacheKey, Computed, Keep, Mode, Policy, Status};
use store::test_util::redis::Server;
use store::{
    Deployment, EmbeddedConfig, EmbeddedStore, KeyClass, KeyClasses, RedisConfig, RedisStore,
    ResilientConfig, ResilientStore, SystemClock,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::kept;
use crate::bench::llm::client::record_metrics;
use crate::bench::llm::latency::Ask;
use crate::error::Error;

/// Answers that are read in turn.
const ANSWERS: usize = 1_000;
/// Longest wait for Redis, and for the answers to be written there.
const PATIENCE: Duration = Duration::from_secs(20);
/// What keys begin with at the server.
const PREFIX: &str = "ai:";

/// One of the two.
pub enum Tier {
    /// A GET over one connection, one at a time: the least that a read can cost.
    Raw {
        connection: Mutex<TcpStream>,
        /// The commands, as bytes.
        gets: Vec<Vec<u8>>,
        next: AtomicUsize,
    },
    /// The cache, with no room in memory, so that every answer comes from the store.
    Cached {
        cache: Cache,
        keys: Vec<CacheKey>,
        next: AtomicUsize,
    },
}

impl Tier {
    /// Both, over the same answers at `server`.
    ///
    /// # Errors
    ///
    /// [`Error::Bench`] when the answers can't be put there.
    pub async fn pair(server: &Server) -> Result<Vec<Arc<Self>>, Error> {
        record_metrics()?;
        let (cache, keys) = filled(server).await?;
        let gets = keys.iter().map(|key| {
            let name = format!("{PREFIX}{}", key.store_name());
            format!("*2\r\n$3\r\nGET\r\n${}\r\n{name}\r\n", name.len()).into_bytes()
        });
        let stream = TcpStream::connect(("127.0.0.1", server.port())).await;
        let stream = stream.map_err(Error::io("connect to redis"))?;
        stream.set_nodelay(true).map_err(Error::io("set TCP up"))?;
        let raw = Self::Raw {
            connection: Mutex::new(stream),
            gets: gets.collect(),
            next: AtomicUsize::new(0),
        };
        let next = AtomicUsize::new(0);
        let cached = Self::Cached { cache, keys, next };
        Ok(vec![Arc::new(raw), Arc::new(cached)])
    }

    /// What the report calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Raw { .. } => "raw GET",
            Self::Cached { .. } => "answer from Redis",
        }
    }
}

impl Ask for Tier {
    async fn ask(&self) -> bool {
        match self {
            Self::Raw {
                connection,
                gets,
                next,
            } => {
                let Some(get) = in_turn(gets, next) else {
                    return false;
                };
                let mut connection = connection.lock().await;
                exchange(&mut connection, get)
                    .await
                    .is_ok_and(|found| found)
            }
            Self::Cached { cache, keys, next } => {
                let Some(key) = in_turn(keys, next) else {
                    return false;
                };
                let answer = read(cache, key).await;
                answer.is_ok_and(|status| status == Status::Hit)
            }
        }
    }
}

fn in_turn<'a, T>(all: &'a [T], next: &AtomicUsize) -> Option<&'a T> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    all.get(index.checked_rem(all.len())?)
}

/// Sends a GET, and reads the bulk to its end; false for none.
async fn exchange(connection: &mut TcpStream, get: &[u8]) -> io::Result<bool> {
    connection.write_all(get).await?;
    let mut buffer = Vec::with_capacity(2 * kept::ANSWER_BYTES);
    loop {
        if connection.read_buf(&mut buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = buffer.iter().position(|&byte| byte == b'\n') else {
            continue;
        };
        let head = buffer
            .get(1..end)
            .and_then(|head| std::str::from_utf8(head).ok());
        let length: i64 = head.and_then(|head| head.trim().parse().ok()).unwrap_or(-1);
        let Ok(length) = usize::try_from(length) else {
            return Ok(false);
        };
        if buffer.len() >= end + 1 + length + 2 {
            return Ok(true);
        }
    }
}

/// The answer under `key`, which is computed where there is none.
async fn read(cache: &Cache, key: &CacheKey) -> Result<Status, cache::CacheError<Infallible>> {
    let policy = Policy::new(PATIENCE);
    let compute = || async { Ok::<_, Infallible>(computed()) };
    let answer = cache.get_or_compute(key, policy, Mode::Normal, compute);
    answer.await.map(|answer| answer.status)
}

fn computed() -> Computed {
    let text = "{\"regla\":\"IVA\",\"dice\":\"$1.234.567\"},".repeat(kept::ANSWER_BYTES / 35);
    let keep = Keep::For(Duration::from_secs(900));
    Computed::new(Bytes::from(text), keep)
}

/// The cache as the service has it, but without room in memory, and keys whose answers are at
/// the server.
async fn filled(server: &Server) -> Result<(Cache, Vec<CacheKey>), Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Bench(format!("the cache: {error}"));
    let clock = || Arc::new(SystemClock);
    let mut config = RedisConfig::new(Deployment::Standalone(server.host()));
    PREFIX.clone_into(&mut config.prefix);
    let redis = RedisStore::start(config).map_err(|error| failed(&error))?;
    redis
        .ready(PATIENCE)
        .await
        .map_err(|error| failed(&error))?;
    let local = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock());
    let local = Arc::new(local.map_err(|error| failed(&error))?);
    let classes = KeyClasses::new(KeyClass::Durable).with("cache:", KeyClass::Ephemeral);
    let resilient = ResilientConfig::new(classes);
    let store = ResilientStore::start(redis, local, resilient, clock()).await;
    let store = Arc::new(store.map_err(|error| failed(&error))?);
    let config = CacheConfig {
        l1_bytes: 1,
        ..CacheConfig::default()
    };
    let cache = Cache::new(&config, &["validate"], Some(store), clock());
    let cache = cache.map_err(|error| failed(&error))?;
    let mut keys = Vec::with_capacity(ANSWERS);
    for number in 0..ANSWERS {
        let key = CacheKey::builder("validate", "76000000-0")
            .bytes("n", &number.to_le_bytes())
            .finish();
        read(&cache, &key).await.map_err(|error| failed(&error))?;
        keys.push(key);
    }
    if !cache.drain(PATIENCE).await {
        return Err(Error::Bench("the answers aren't written".to_owned()));
    }
    Ok((cache, keys))
}
