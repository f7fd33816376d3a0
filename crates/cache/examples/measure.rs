//! What the cache costs here: `cargo run --release -p cache --example measure`.
//!
//! Prints the time to make a key of a 3 KB invoice, the time of a hit in the process with the
//! key in hand, and the memory that 10,000 answers of 2 KB take against their raw bytes.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cache::{Cache, CacheConfig, CacheError, CacheKey, Computed, Keep, KeyError, Mode, Policy};
use store::SystemClock;

const BATCHES: usize = 400;
const KEYS_A_BATCH: u32 = 50;
const HITS_A_BATCH: u32 = 500;
const ANSWERS: u64 = 10_000;
const ANSWER_BYTES: usize = 2_048;

#[derive(Debug, thiserror::Error)]
enum MeasureError {
    #[error(transparent)]
    Config(#[from] cache::ConfigError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Cache(#[from] CacheError<std::convert::Infallible>),
}

/// An invoice with 18 lines as an ERP sends it.
fn invoice() -> String {
    let mut lines = String::new();
    for line in 1..=18 {
        let comma = if line > 1 { ", " } else { "" };
        // Writing to a string can't fail.
        let _written = write!(
            lines,
            r#"{comma}{{"numero_linea": {line}, "nombre": "Servicio de mantenci\u00f3n N° {line}", "cantidad": 1.50, "unidad": "HRS", "precio_unitario": 25000.0, "monto": 37500, "exento": false}}"#
        );
    }
    format!(
        r#"{{"tipo_dte": 33, "folio": 1234, "fecha_emision": "2026-11-22", "rut_emisor": "76000000-0", "razon_social_emisor": "Ficticia y Cía. Ltda.", "rut_receptor": "77000000-K", "monto_neto": 675000, "tasa_iva": 19, "monto_iva": 128250, "monto_total": 803250, "lineas": [{lines}]}}"#
    )
}

fn key(text: &str) -> Result<CacheKey, KeyError> {
    Ok(CacheKey::builder("validate", "76000000-0")
        .version("rules", "3")
        .version("prompt", "7")
        .model("claude-sonnet-4-5")
        .json(text, &["request_id"])?
        .finish())
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

/// Times of short batches: on a busy machine most of them still run undisturbed.
#[derive(Default)]
struct Batches(Vec<Duration>);

impl Batches {
    fn add(&mut self, begin: Instant, count: u32) {
        self.0.push(begin.elapsed() / count);
    }

    fn figures(mut self) -> String {
        self.0.sort_unstable();
        let at = |share: usize| self.0.get(self.0.len() * share / 100).copied();
        let (median, best) = (at(50).unwrap_or_default(), at(0).unwrap_or_default());
        format!("{median:?} (median of {BATCHES} batches, best {best:?})")
    }
}

fn computed(bytes: usize) -> Computed {
    Computed::new(
        Bytes::from(vec![b'x'; bytes]),
        Keep::For(Duration::from_secs(900)),
    )
}

#[tokio::main]
async fn main() -> Result<(), MeasureError> {
    let cache = Cache::new(
        &CacheConfig::default(),
        &["validate", "match", "chat"],
        None,
        Arc::new(SystemClock),
    )?;
    let policy = Policy::new(Duration::from_secs(1));

    let text = invoice();
    let mut batches = Batches::default();
    for _ in 0..BATCHES {
        let begin = Instant::now();
        for _ in 0..KEYS_A_BATCH {
            black_box(key(black_box(&text))?);
        }
        batches.add(begin, KEYS_A_BATCH);
    }
    println!("key of {} bytes: {}", text.len(), batches.figures());

    let key = key(&text)?;
    cache
        .get_or_compute(&key, policy, Mode::Normal, || async {
            Ok(computed(ANSWER_BYTES))
        })
        .await?;
    let mut batches = Batches::default();
    for _ in 0..BATCHES {
        let begin = Instant::now();
        for _ in 0..HITS_A_BATCH {
            let answer = cache
                .get_or_compute(&key, policy, Mode::Normal, || async { Ok(computed(0)) })
                .await?;
            black_box(answer);
        }
        batches.add(begin, HITS_A_BATCH);
    }
    println!("hit in the process: {}", batches.figures());

    let before = resident_kib();
    let begin = Instant::now();
    for number in 0..ANSWERS {
        let key = CacheKey::builder("chat", "1")
            .bytes("n", &number.to_le_bytes())
            .finish();
        cache
            .get_or_compute(&key, policy, Mode::Normal, || async {
                Ok(computed(ANSWER_BYTES))
            })
            .await?;
    }
    println!("miss: {:?}", begin.elapsed() / ANSWERS as u32);
    cache.run_housekeeping();
    let stats = cache.stats();
    let raw_kib = stats.entries * ANSWER_BYTES as u64 / 1024;
    let resident_kib = resident_kib().saturating_sub(before);
    println!(
        "{} answers of {ANSWER_BYTES} bytes: raw {raw_kib} KiB, accounted {} KiB, resident +{resident_kib} KiB: {:.2} times the raw bytes",
        stats.entries,
        stats.bytes / 1024,
        resident_kib as f64 / raw_kib.max(1) as f64,
    );
    Ok(())
}
