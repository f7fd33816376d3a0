//! The mock as a program: options in, one line out when it is ready, until Ctrl-C or SIGTERM.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use mock_anthropic::{CERTIFICATE, Config, Delay, FaultRule, MockServer, Pace, PaceError};

/// A stand-in for the Anthropic Messages API, for tests, load and demos.
#[derive(Debug, Parser)]
#[command(name = "mock-anthropic")]
struct Options {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8100", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Wait for the first byte: milliseconds, or lognormal:P50,P95
    #[arg(long, default_value = "0", value_name = "MS")]
    latency_ms: Delay,
    /// Pace of the answers; 0: as fast as it can
    #[arg(long, default_value = "0", value_name = "N", value_parser = rate)]
    tokens_per_second: f64,
    /// Length of made-up texts
    #[arg(long, default_value_t = Config::default().answer_tokens, value_name = "TOKENS")]
    answer_tokens: u32,
    /// What goes wrong: `name[=parameter][;times=N][;probability=P][;path=/v1/...]`; may be repeated
    #[arg(long, value_name = "FAULT")]
    fault: Vec<FaultRule>,
    /// Speak TLS, and HTTP/2 where the client wants it; the certificate that is to be trusted is
    /// written to this file
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,
    /// The only key that is accepted; without it, any
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// Seed of ids, latencies and fault draws
    #[arg(long, default_value_t = Config::default().seed, value_name = "N")]
    seed: u64,
    /// Accept schemas that the real structured output refuses (bounds, open objects)
    #[arg(long)]
    lenient_schemas: bool,
    /// Leave out the headers that tell what is left of a rate limit: for load, which a client
    /// that heeds them would slow down
    #[arg(long)]
    no_rate_limit_headers: bool,
    /// Requests kept for /mock/stats
    #[arg(long, default_value_t = Config::default().kept_requests, value_name = "N")]
    kept_requests: usize,
}

fn rate(text: &str) -> Result<f64, PaceError> {
    let rate: f64 = text.parse().map_err(|_| PaceError::Rate)?;
    if rate.is_finite() && rate >= 0.0 {
        Ok(rate)
    } else {
        Err(PaceError::Rate)
    }
}

impl Options {
    fn config(self) -> Config {
        Config {
            listen: self.listen,
            tls: self.tls.is_some(),
            api_key: self.api_key,
            pace: Pace::new(self.latency_ms, self.tokens_per_second),
            answer_tokens: self.answer_tokens,
            faults: self.fault,
            strict_schemas: !self.lenient_schemas,
            seed: self.seed,
            rate_limit_headers: !self.no_rate_limit_headers,
            kept_requests: self.kept_requests,
            ..Config::default()
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell if even this can't be written.
            let _ = writeln!(io::stderr(), "mock-anthropic: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> io::Result<()> {
    let key = if options.api_key.is_some() {
        "(the --api-key)"
    } else {
        "anything"
    };
    if let Some(file) = &options.tls {
        tokio::fs::write(file, CERTIFICATE).await?;
    }
    let server = MockServer::start(options.config()).await?;
    // One line, so that a script can read it; the same line tells a person how to go on.
    writeln!(
        io::stdout(),
        "{url}  ready; point the service at it: ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={key}",
        url = server.base_url(),
    )?;
    stop_signal().await?;
    server.shutdown().await;
    Ok(())
}

#[cfg(unix)]
async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn stop_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
