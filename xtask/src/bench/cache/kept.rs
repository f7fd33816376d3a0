//! The hidden `bench-kept`: hits in the process's memory and the memory that answers take, in a
//! process of its own, whose memory nobody else has touched.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cache::{Cache, CacheConfig, CacheKey, Computed, Keep, Mode, Policy};
use serde::{Deserialize, Serialize};
use store::SystemClock;
use tokio::runtime::Runtime;

use crate::bench::machine;
use crate::bench::report::median;
use crate::error::Error;

/// How long an answer is.
pub const ANSWER_BYTES: usize = 2_048;
/// Answers that are kept.
const ANSWERS: u64 = 10_000;
/// Batches of hits: on a busy machine most of them still run undisturbed.
const BATCHES: usize = 400;
const HITS_A_BATCH: u32 = 500;

/// What it found.
#[derive(Serialize, Deserialize)]
pub struct KeptFigures {
    /// A hit with its key in hand, in microseconds: the median of the batches.
    pub hit_us: f64,
    /// Answers that are kept.
    pub answers: u64,
    /// Their own bytes.
    pub raw_kib: u64,
    /// What they add to the resident memory.
    pub resident_kib: u64,
}

impl KeptFigures {
    /// Memory as a multiple of the answers' own bytes.
    pub fn ratio(&self) -> f64 {
        self.resident_kib as f64 / self.raw_kib.max(1) as f64
    }

    /// Prints them for a person.
    pub fn print(&self) {
        let Self {
            hit_us,
            answers,
            raw_kib,
            resident_kib,
        } = self;
        println!(
            "\nhit in the process: {hit_us:.2} us (median of {BATCHES} batches)\n{answers} answers \
             of {ANSWER_BYTES} bytes: raw {raw_kib} KiB, resident +{resident_kib} KiB ({:.2} times)",
            self.ratio()
        );
    }
}

/// Measures, and prints one line of JSON.
///
/// # Errors
///
/// [`Error::Bench`] when the cache fails, or the system doesn't say what memory is taken.
pub fn run() -> Result<(), Error> {
    let runtime = Runtime::new().map_err(Error::io("start a runtime"))?;
    let figures = runtime.block_on(keep())?;
    let line = serde_json::to_string(&figures);
    println!("{}", line.map_err(|error| Error::Bench(error.to_string()))?);
    Ok(())
}

async fn keep() -> Result<KeptFigures, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Bench(format!("the cache: {error}"));
    let cache = Cache::new(
        &CacheConfig::default(),
        &["validate"],
        None,
        Arc::new(SystemClock),
    );
    let cache = cache.map_err(|error| failed(&error))?;
    let hit = hits(&cache).await.map_err(|error| failed(&error))?;
    let before = resident_kib()?;
    for number in 0..ANSWERS {
        let kept = ask(&cache, &key(number)).await;
        kept.map_err(|error| failed(&error))?;
    }
    cache.run_housekeeping();
    let answers = cache.stats().entries;
    Ok(KeptFigures {
        hit_us: hit,
        answers,
        raw_kib: answers * ANSWER_BYTES as u64 / 1024,
        resident_kib: resident_kib()?.saturating_sub(before),
    })
}

/// The median time of a hit, in microseconds.
async fn hits(cache: &Cache) -> Result<f64, cache::CacheError<Infallible>> {
    let key = key(u64::MAX);
    ask(cache, &key).await?;
    let mut batches = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        let begun = Instant::now();
        for _ in 0..HITS_A_BATCH {
            ask(cache, &key).await?;
        }
        batches.push(begun.elapsed().as_secs_f64() * 1e6 / f64::from(HITS_A_BATCH));
    }
    Ok(median(&batches).unwrap_or(0.0))
}

async fn ask(cache: &Cache, key: &CacheKey) -> Result<(), cache::CacheError<Infallible>> {
    let compute = || async {
        let value = Bytes::from(vec![b'x'; ANSWER_BYTES]);
        Ok::<_, Infallible>(Computed::new(value, Keep::For(Duration::from_secs(900))))
    };
    let policy = Policy::new(Duration::from_secs(10));
    let answer = cache.get_or_compute(key, policy, Mode::Normal, compute);
    black_box(answer.await?);
    Ok(())
}

fn key(number: u64) -> CacheKey {
    CacheKey::builder("validate", "76000000-0")
        .bytes("n", &number.to_le_bytes())
        .finish()
}

fn resident_kib() -> Result<u64, Error> {
    machine::field("/proc/self/status", "VmRSS")
        .and_then(|value| machine::kibibytes(&value))
        .ok_or_else(|| Error::Bench("no memory figures in /proc/self/status".to_owned()))
}
