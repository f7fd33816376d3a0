//! What the cache costs: an answer from Redis beside a raw GET of the same bytes, an answer from
//! the process's memory, and the memory that answers take.
//!
//! The raw GET goes over one connection of our own to the same server, at the same fixed rate and
//! in turns with the cache, so that a difference is the cache's. `redis-benchmark` says in the
//! same run what Redis's own client makes of that server.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use store::test_util::redis::Server;
use tokio::process::Command;
use tokio::time::timeout;

use super::llm::latency::{self, Round};
use super::report::{Goal, median};
use crate::error::Error;
use crate::launch::Args;
use kept::KeptFigures;
use tier::Tier;

pub mod kept;
mod tier;

/// Reads a second: the rate that the target is for.
const RATE: f64 = 1_000.0;
/// What an answer from Redis may take beyond a raw GET, in microseconds, at the median and in
/// one of a hundred.
const ADDED_P50_US: f64 = 150.0;
const ADDED_P99_US: f64 = 500.0;
/// An answer from the process's memory, in microseconds, at most.
const HIT_US: f64 = 5.0;
/// Memory of answers as a multiple of their own bytes, at most.
const KEPT_RATIO: f64 = 1.5;
/// The name that `--filter` looks at.
pub const NAME: &str = "cache-tiers";

/// Load before the first round.
const WARM_UP: Duration = Duration::from_millis(500);
/// Commands of `redis-benchmark`, and the longest that it, or the process of the kept answers,
/// may take.
const COMMANDS: &str = "20000";
const LIMIT: Duration = Duration::from_secs(60);

/// What the cache costs.
#[derive(Serialize)]
pub struct CacheFigures {
    /// The raw GET, then the cache over Redis. None where there is no Redis on this machine.
    reads: Vec<ReadFigures>,
    /// `redis-benchmark`'s GET over one connection, one after the other, where it is installed.
    redis_benchmark: Option<BenchmarkFigures>,
    /// Hits in the process, and the memory of what is kept.
    kept: KeptFigures,
}

/// Latencies of reads, in microseconds from the intended send time: of each the median of the
/// rounds.
#[derive(Serialize)]
struct ReadFigures {
    name: &'static str,
    p50_us: f64,
    p99_us: f64,
    /// Beyond the raw GET of the same round.
    added_p50_us: f64,
    added_p99_us: f64,
    answered: u64,
    failed: u64,
}

/// What `redis-benchmark` says.
#[derive(Serialize)]
struct BenchmarkFigures {
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
}

impl CacheFigures {
    /// Reads that weren't answered from where they should.
    pub fn failures(&self) -> u64 {
        self.reads.iter().map(|read| read.failed).sum()
    }

    /// The project's targets.
    pub fn goals(figures: Option<&Self>) -> Vec<Goal> {
        let read = figures.and_then(|figures| figures.reads.last());
        let kept = figures.map(|figures| &figures.kept);
        vec![
            Goal::at_most(
                "answer from Redis, added p50",
                "us",
                ADDED_P50_US,
                read.map(|read| read.added_p50_us),
            ),
            Goal::at_most(
                "answer from Redis, added p99",
                "us",
                ADDED_P99_US,
                read.map(|read| read.added_p99_us),
            ),
            Goal::at_most(
                "hit in the process",
                "us",
                HIT_US,
                kept.map(|kept| kept.hit_us),
            ),
            Goal::at_most(
                "10,000 kept of 2 KB / raw",
                "x",
                KEPT_RATIO,
                kept.map(KeptFigures::ratio),
            ),
        ]
    }

    /// Prints them for a person.
    pub fn print(&self) {
        if self.reads.is_empty() {
            println!("\nno redis-server on this machine: `cargo xtask test` installs one");
        } else {
            println!(
                "\nreads from Redis: open loop at {RATE} a second, each beside the raw GET of the \
                 same round\n\n{:<24} {:>9} {:>9} {:>11} {:>11} {:>9}",
                "", "p50 us", "p99 us", "added p50", "added p99", "errors"
            );
        }
        for read in &self.reads {
            println!(
                "{:<24} {:>9.0} {:>9.0} {:>11.0} {:>11.0} {:>9}",
                read.name,
                read.p50_us,
                read.p99_us,
                read.added_p50_us,
                read.added_p99_us,
                read.failed
            );
        }
        if let Some(figures) = &self.redis_benchmark {
            println!(
                "{:<24} {:>9.0} {:>9.0}   closed loop, {:.0} a second",
                "redis-benchmark GET", figures.p50_us, figures.p99_us, figures.requests_per_second
            );
        }
        self.kept.print();
    }
}

/// Measures all of it.
///
/// # Errors
///
/// [`Error::Bench`] when a server or the process of the kept answers misbehaves.
pub async fn measure(args: &Args, bin: &Path) -> Result<CacheFigures, Error> {
    let kept = kept_elsewhere(bin).await?;
    let server = match Server::start(&[]).await {
        Ok(server) => server,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(CacheFigures {
                reads: Vec::new(),
                redis_benchmark: None,
                kept,
            });
        }
        Err(error) => return Err(Error::io("start redis-server")(error)),
    };
    let reads = reads(&Tier::pair(&server).await?, args).await?;
    let redis_benchmark = redis_benchmark(server.port()).await?;
    Ok(CacheFigures {
        reads,
        redis_benchmark,
        kept,
    })
}

async fn reads(tiers: &[Arc<Tier>], args: &Args) -> Result<Vec<ReadFigures>, Error> {
    let span = Duration::from_secs(args.seconds);
    for tier in tiers {
        latency::pace(tier, RATE, WARM_UP).await?;
    }
    let mut rounds: Vec<Vec<Round>> = tiers.iter().map(|_| Vec::new()).collect();
    for round in 1..=args.rounds {
        println!("    reads from Redis, round {round} of {}", args.rounds);
        for (tier, rounds) in tiers.iter().zip(&mut rounds) {
            rounds.push(latency::pace(tier, RATE, span).await?);
        }
    }
    let Some(raw) = rounds.first() else {
        return Ok(Vec::new());
    };
    let figures = tiers.iter().zip(&rounds);
    Ok(figures
        .map(|(tier, rounds)| ReadFigures::new(tier.name(), rounds, raw))
        .collect())
}

impl ReadFigures {
    fn new(name: &'static str, rounds: &[Round], raw: &[Round]) -> Self {
        let middle = |values: Vec<f64>| median(&values).unwrap_or(0.0);
        let of = |figure: fn(&Round) -> f64| middle(rounds.iter().map(figure).collect());
        let added = |figure: fn(&Round) -> f64| {
            let pairs = rounds.iter().zip(raw);
            middle(
                pairs
                    .map(|(round, raw)| figure(round) - figure(raw))
                    .collect(),
            )
        };
        Self {
            name,
            p50_us: of(|round| round.p50_us),
            p99_us: of(|round| round.p99_us),
            added_p50_us: added(|round| round.p50_us),
            added_p99_us: added(|round| round.p99_us),
            answered: rounds.iter().map(|round| round.answered).sum(),
            failed: rounds.iter().map(|round| round.failed).sum(),
        }
    }
}

/// Redis's own client: one connection, one GET after the other, of a value as long as ours.
async fn redis_benchmark(port: u16) -> Result<Option<BenchmarkFigures>, Error> {
    let mut command = Command::new("redis-benchmark");
    command
        .args(["-p", &port.to_string(), "-c", "1", "-n", COMMANDS])
        .args([
            "-d",
            &kept::ANSWER_BYTES.to_string(),
            "-t",
            "set,get",
            "--csv",
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let slow = |_| Error::Bench(format!("redis-benchmark takes over {LIMIT:?}"));
    match timeout(LIMIT, command.output()).await.map_err(slow)? {
        Ok(output) => Ok(benchmark_line(&String::from_utf8_lossy(&output.stdout))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("run redis-benchmark")(error)),
    }
}

/// `"GET","rps","avg","min","p50","p95","p99","max"`, times in milliseconds.
fn benchmark_line(csv: &str) -> Option<BenchmarkFigures> {
    let line = csv.lines().find(|line| line.starts_with("\"GET\""))?;
    let fields: Vec<f64> = line
        .split(',')
        .skip(1)
        .map(|field| field.trim_matches('"').parse())
        .collect::<Result<_, _>>()
        .ok()?;
    Some(BenchmarkFigures {
        requests_per_second: *fields.first()?,
        p50_us: fields.get(3)? * 1e3,
        p99_us: fields.get(5)? * 1e3,
    })
}

/// Runs the process that keeps answers, and reads what it found.
async fn kept_elsewhere(bin: &Path) -> Result<KeptFigures, Error> {
    println!("    kept answers");
    let mut command = Command::new(bin.join("xtask"));
    command
        .arg("bench-kept")
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let slow = |_| Error::Bench(format!("bench-kept takes over {LIMIT:?}"));
    let output = timeout(LIMIT, command.output())
        .await
        .map_err(slow)?
        .map_err(Error::io("run bench-kept"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        Error::Bench(format!("bench-kept: {error}: {said}{complaint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_benchmarks_line_is_read() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\
                   \"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n\
                   \"SET\",\"1.0\",\"9\",\"9\",\"9\",\"9\",\"9\",\"9\"\n\
                   \"GET\",\"25000.50\",\"0.040\",\"0.016\",\"0.039\",\"0.055\",\"0.071\",\"0.5\"\n";
        let figures = benchmark_line(csv).unwrap();
        assert_eq!(figures.requests_per_second, 25_000.5);
        assert_eq!((figures.p50_us, figures.p99_us), (39.0, 71.0));
        assert!(benchmark_line("\"GET\",\"1\"\n").is_none());
        assert!(benchmark_line("").is_none());
    }

    #[test]
    fn what_is_added_is_beyond_the_raw_read_of_the_same_round() {
        let round = |p50_us, p99_us| Round {
            p50_us,
            p99_us,
            answered: 5,
            failed: 1,
        };
        let raw = [
            round(100.0, 400.0),
            round(300.0, 900.0),
            round(110.0, 410.0),
        ];
        let tier = [
            round(180.0, 600.0),
            round(380.0, 950.0),
            round(200.0, 700.0),
        ];
        let figures = ReadFigures::new("tier", &tier, &raw);
        assert_eq!((figures.added_p50_us, figures.added_p99_us), (80.0, 200.0));
        assert_eq!((figures.answered, figures.failed), (15, 3));
        let goals = CacheFigures::goals(None);
        assert!(goals.iter().all(|goal| goal.met.is_none()));
    }
}
