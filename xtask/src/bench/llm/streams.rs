//! The hidden `bench-streams`: holds streams through the whole stack, in a process of its own,
//! and says what memory they take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use llm_client::{ConcurrencyConfig, LanguageModel, StreamEvent};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::client;
use crate::bench::machine;
use crate::error::Error;

/// How long all are held and watched, once each has begun.
const HELD: Duration = Duration::from_secs(5);
const WATCH_EVERY: Duration = Duration::from_millis(100);
/// The longest wait for the last of them to begin.
const BEGIN_LIMIT: Duration = Duration::from_secs(30);

/// The longest answer: more than is read of it.
const MAX_TOKENS: u32 = 8_000;

/// What the hidden `bench-streams` takes.
#[derive(clap::Args)]
pub struct Args {
    /// The stand-in that streams
    #[arg(long)]
    base_url: String,
    /// Streams held at once
    #[arg(long, default_value_t = 1_000)]
    streams: u32,
}

/// What streams take.
#[derive(Serialize, Deserialize)]
pub struct StreamFigures {
    /// Streams held at once.
    pub held: u64,
    /// Streams that didn't begin, or ended early.
    pub failed: u64,
    /// Resident before the first of them, the vocabulary loaded, in MiB.
    pub idle_mib: f64,
    /// The most that was resident while all were held.
    pub held_mib: f64,
    /// Pieces of text a second, over all streams.
    pub pieces_per_second: f64,
}

/// Measures, and prints one line of JSON.
///
/// # Errors
///
/// [`Error::Bench`] when the system doesn't say what memory is taken.
pub fn run(args: &Args) -> Result<(), Error> {
    let runtime = Runtime::new().map_err(Error::io("start a runtime"))?;
    let figures = runtime.block_on(hold(args))?;
    let line = serde_json::to_string(&figures);
    println!("{}", line.map_err(|error| Error::Bench(error.to_string()))?);
    // What still streams must not hold the process.
    runtime.shutdown_background();
    Ok(())
}

#[derive(Default)]
struct Counts {
    begun: AtomicU64,
    failed: AtomicU64,
    pieces: AtomicU64,
}

async fn hold(args: &Args) -> Result<StreamFigures, Error> {
    client::record_metrics()?;
    let (meter, _store) = client::meter().await?;
    // As many as are asked for, at once: it isn't the limit that is measured.
    let limit = ConcurrencyConfig {
        initial: args.streams,
        max: args.streams,
        ..ConcurrencyConfig::default()
    };
    let model = client::stack(client::provider(&args.base_url)?, &meter, limit);
    begin_one(&*model).await?;
    let idle_mib = resident_mib()?;
    let counts = Arc::new(Counts::default());
    let mut streams = JoinSet::new();
    for _ in 0..args.streams {
        streams.spawn(listen(Arc::clone(&model), Arc::clone(&counts)));
    }
    let wanted = u64::from(args.streams);
    let limit = Instant::now() + BEGIN_LIMIT;
    while counts.begun.load(Ordering::Relaxed) < wanted && Instant::now() < limit {
        sleep(WATCH_EVERY).await;
    }
    let (began, before) = (Instant::now(), counts.pieces.load(Ordering::Relaxed));
    let mut held_mib = 0.0_f64;
    while began.elapsed() < HELD {
        held_mib = held_mib.max(resident_mib()?);
        sleep(WATCH_EVERY).await;
    }
    let pieces = counts.pieces.load(Ordering::Relaxed) - before;
    Ok(StreamFigures {
        held: counts.begun.load(Ordering::Relaxed),
        failed: counts.failed.load(Ordering::Relaxed),
        idle_mib,
        held_mib,
        pieces_per_second: pieces as f64 / began.elapsed().as_secs_f64(),
    })
}

/// Begins a stream and leaves it, so that what the first one brings to life isn't counted.
async fn begin_one(model: &dyn LanguageModel) -> Result<(), Error> {
    let begun = model.stream(&client::question(MAX_TOKENS)?).await;
    let mut events = begun.map_err(|error| Error::Bench(error.to_string()))?;
    let _ = events.next().await;
    Ok(())
}

/// One stream, read to its end.
async fn listen(model: Arc<dyn LanguageModel>, counts: Arc<Counts>) {
    if let Ok(question) = client::question(MAX_TOKENS)
        && let Ok(mut events) = model.stream(&question).await
    {
        counts.begun.fetch_add(1, Ordering::Relaxed);
        while let Some(Ok(event)) = events.next().await {
            if matches!(event, StreamEvent::Text(_)) {
                counts.pieces.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    counts.failed.fetch_add(1, Ordering::Relaxed);
}

fn resident_mib() -> Result<f64, Error> {
    let field = machine::field("/proc/self/status", "VmRSS");
    let kib = field.and_then(|value| machine::kibibytes(&value));
    kib.map(|kib| kib as f64 / 1024.0)
        .ok_or_else(|| Error::Bench("no memory figures in /proc/self/status".to_owned()))
}
