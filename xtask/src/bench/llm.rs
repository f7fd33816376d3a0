//! What the layers around a model cost: latency over a bare hyper client, and memory of streams.
//!
//! All clients ask the same stand-in, a process of its own, at the same fixed rate and in turns,
//! so that a difference between them is the client's.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::process::Command;
use tokio::time::timeout;

use super::server::{Kind, Server};
use crate::error::Error;
use crate::launch::Args;
use client::Client;
use streams::StreamFigures;

pub(super) mod client;
pub(super) mod latency;
pub mod streams;

/// Requests a second: the rate that the target is for.
pub const RATE: f64 = 1_000.0;
/// What the stack may add to a bare call, in microseconds, at the median and in one call of a
/// hundred.
pub const ADDED_P50_US: f64 = 60.0;
pub const ADDED_P99_US: f64 = 300.0;
/// What 1,000 held streams may take above idle.
pub const STREAMS_MIB: f64 = 40.0;
/// The name that `--filter` looks at.
pub const NAME: &str = "llm";

/// Load before the first round, for connections, the prompt's prefix and the vocabulary.
const WARM_UP: Duration = Duration::from_millis(1_500);
/// The longest that the process of the streams may take.
const STREAMS_LIMIT: Duration = Duration::from_secs(90);
/// How fast the stand-in streams, in tokens a second, and how long an answer is: longer than
/// anybody reads it here.
const STREAM_RATE: u32 = 20;
const STREAM_TOKENS: u32 = 4_000;

/// What the layers cost.
#[derive(Serialize)]
pub struct LlmFigures {
    /// Each client, the bare one first.
    pub clients: Vec<ClientFigures>,
    /// What 1,000 streams take.
    pub streams: StreamFigures,
}

/// One client's latency, in microseconds from the intended send time.
#[derive(Serialize)]
pub struct ClientFigures {
    /// Its name.
    pub name: &'static str,
    /// The median, and one call of a hundred: of each the median of the rounds.
    pub p50_us: f64,
    pub p99_us: f64,
    /// What it adds to the bare client of the same round: of each the median of the rounds.
    pub added_p50_us: f64,
    pub added_p99_us: f64,
    /// Calls that were answered, and that weren't.
    pub answered: u64,
    pub failed: u64,
}

impl LlmFigures {
    /// Calls that weren't answered, and streams that didn't begin or ended early.
    pub fn failures(&self) -> u64 {
        let calls: u64 = self.clients.iter().map(|client| client.failed).sum();
        calls + self.streams.failed
    }

    /// Prints them for a person.
    pub fn print(&self) {
        println!(
            "\nmodel clients: open loop at {RATE} calls/s, each beside the bare client of the same \
             round\n\n{:<24} {:>9} {:>9} {:>11} {:>11} {:>9}",
            "", "p50 us", "p99 us", "added p50", "added p99", "errors"
        );
        for client in &self.clients {
            println!(
                "{:<24} {:>9.0} {:>9.0} {:>11.0} {:>11.0} {:>9}",
                client.name,
                client.p50_us,
                client.p99_us,
                client.added_p50_us,
                client.added_p99_us,
                client.failed
            );
        }
        let StreamFigures {
            held,
            failed,
            idle_mib,
            held_mib,
            pieces_per_second,
        } = &self.streams;
        println!(
            "streams: {held} held ({failed} failed), {pieces_per_second:.0} pieces/s; memory \
             {idle_mib:.1} MiB idle, {held_mib:.1} MiB at most"
        );
    }
}

/// Measures both.
///
/// # Errors
///
/// [`Error::Bench`] when the stand-in or the process of the streams misbehaves.
pub async fn measure(args: &Args, bin: &Path) -> Result<LlmFigures, Error> {
    let model = Server::start(&Kind::Model, bin).await?;
    let clients = Client::all(&format!("http://{}", model.address)).await?;
    let clients = latencies(&clients, args).await?;
    model.stop().await?;
    let paced = Kind::PacedModel {
        tokens_per_second: STREAM_RATE,
        answer_tokens: STREAM_TOKENS,
    };
    let model = Server::start(&paced, bin).await?;
    let streams = hold_streams(bin, &format!("http://{}", model.address)).await?;
    model.stop().await?;
    Ok(LlmFigures { clients, streams })
}

async fn latencies(clients: &[Arc<Client>], args: &Args) -> Result<Vec<ClientFigures>, Error> {
    let span = Duration::from_secs(args.seconds);
    for client in clients {
        latency::pace(client, RATE, WARM_UP).await?;
    }
    let mut rounds: Vec<Vec<latency::Round>> = clients.iter().map(|_| Vec::new()).collect();
    for round in 1..=args.rounds {
        println!("    model clients, round {round} of {}", args.rounds);
        for (client, rounds) in clients.iter().zip(&mut rounds) {
            rounds.push(latency::pace(client, RATE, span).await?);
        }
    }
    let Some(bare) = rounds.first() else {
        return Ok(Vec::new());
    };
    let figures = clients.iter().zip(&rounds);
    Ok(figures
        .map(|(client, rounds)| ClientFigures::new(client.name(), rounds, bare))
        .collect())
}

impl ClientFigures {
    fn new(name: &'static str, rounds: &[latency::Round], bare: &[latency::Round]) -> Self {
        let of = |figure: fn(&latency::Round) -> f64| middle(rounds.iter().map(figure));
        let added = |figure: fn(&latency::Round) -> f64| {
            let pairs = rounds.iter().zip(bare);
            middle(pairs.map(|(round, bare)| figure(round) - figure(bare)))
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

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    super::report::median(&values).unwrap_or(0.0)
}

/// Runs the process that holds the streams, and reads what it found.
async fn hold_streams(bin: &Path, base_url: &str) -> Result<StreamFigures, Error> {
    println!("    1,000 streams");
    let mut command = Command::new(bin.join("xtask"));
    command
        .args(["bench-streams", "--base-url", base_url])
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ended = timeout(STREAMS_LIMIT, command.output()).await;
    let slow = |_| Error::Bench(format!("bench-streams takes over {STREAMS_LIMIT:?}"));
    let output = ended
        .map_err(slow)?
        .map_err(Error::io("run bench-streams"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        Error::Bench(format!("bench-streams: {error}: {said}{complaint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(p50_us: f64, p99_us: f64) -> latency::Round {
        latency::Round {
            p50_us,
            p99_us,
            answered: 10,
            failed: 1,
        }
    }

    #[test]
    fn what_is_added_is_the_median_of_the_rounds_own_differences() {
        let bare = [round(100.0, 900.0), round(200.0, 950.0), round(110.0, 1e6)];
        let stack = [round(150.0, 990.0), round(245.0, 990.0), round(170.0, 1e6)];
        let figures = ClientFigures::new("stack", &stack, &bare);
        assert_eq!((figures.added_p50_us, figures.added_p99_us), (50.0, 40.0));
        assert_eq!((figures.p50_us, figures.p99_us), (170.0, 990.0));
        assert_eq!((figures.answered, figures.failed), (30, 3));
    }
}
