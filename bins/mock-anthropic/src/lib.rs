//! # mock-anthropic
//!
//! A stand-in for the Anthropic Messages API, as a library and as a program. It speaks the
//! protocol well enough for the official Python SDK: messages whole and streamed,
//! `count_tokens`, prompt caching with the real rules, structured output, forced tools, the
//! real error bodies; and OpenAI's chat completions, for a second model. It is deterministic, fast, and fails in eighteen ways when told to.
//!
//! ## When to use it
//!
//! - In a test of a client: [`MockServer::start`] in the test's own process, faults and
//!   answers set through the handle, the counters asserted afterwards.
//! - As the upstream of a load test: with no latency it costs a few dozen microseconds a
//!   request; with `--latency-ms lognormal:800,2500 --tokens-per-second 60` it waits as a
//!   model does.
//! - To try the service without an account: `cargo run --release -p mock-anthropic`. The
//!   options, the faults and the control API are in `docs/mock-anthropic.md`.
//!
//! ## Example
//!
//! ```
//! use std::time::Duration;
//!
//! use mock_anthropic::{Answer, Config, Fault, MockServer};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let mock = MockServer::start(Config::default()).await?;
//! mock.inject(Fault::Overloaded, 1);
//! mock.answer_with(Answer::once("Todo cuadra."));
//!
//! let body = r#"{"model":"claude-sonnet-4-5","max_tokens":50,
//!     "messages":[{"role":"user","content":"¿Está bien esta factura?"}]}"#;
//! let mut answers = Vec::new();
//! for _attempt in 0..2 {
//!     let mut connection = tokio::net::TcpStream::connect(mock.addr()).await?;
//!     let head = format!(
//!         "POST /v1/messages HTTP/1.1\r\nhost: mock\r\nx-api-key: any\r\n\
//!          anthropic-version: 2023-06-01\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
//!         body.len(),
//!     );
//!     connection.write_all(format!("{head}{body}").as_bytes()).await?;
//!     let mut answer = String::new();
//!     connection.read_to_string(&mut answer).await?;
//!     answers.push(answer);
//! }
//! assert!(answers[0].starts_with("HTTP/1.1 529"));
//! assert!(answers[1].starts_with("HTTP/1.1 200") && answers[1].contains("Todo cuadra."));
//!
//! let stats = mock.stats();
//! assert_eq!(stats.requests_to("/v1/messages"), 2);
//! assert_eq!(stats.responses_of("/v1/messages", 529), 1);
//! mock.wait_for(Duration::from_secs(5), |stats| stats.in_flight == 0).await.unwrap();
//! mock.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! ## Guarantees
//!
//! - **Deterministic**: the same seed and the same requests in the same order give the same
//!   ids, texts, latencies and fault draws. The tokens are an estimate that anyone can repeat:
//!   see [`estimate_tokens`].
//! - **The cache is the real one's**: marks on tools, system and messages (at most 4, one hour
//!   before five minutes), the model's minimum, the 20-block look-back, 5-minute and 1-hour
//!   lifetimes renewed by a read, and an entry that can be read only once the answer that
//!   wrote it has begun. Its [`Clock`] is injected, so no test waits.
//! - **A client that leaves is noticed** and counted ([`Stats::cancelled_by_client`]), and a
//!   test can wait for it ([`MockServer::wait_for`]).
//! - **Bounded**: prefixes, rules, scripted answers, kept requests, bodies, connections, and
//!   every wait, also a hang ([`Config::hang_limit`]).
//! - A request is checked before a fault may strike it: a wrong one uses no fault up.
//!
//! ## Absent on purpose
//!
//! Batches, files and the models list, thinking blocks and citations, server tools, `container`
//! and `diagnostics`, and enforced rate limits: the headers count, a 429 comes only from a fault.
//! What the answers say means nothing.

mod answer;
mod body;
mod chat;
mod clock;
mod config;
mod control;
mod delivery;
mod error;
mod faults;
mod pace;
mod prompt;
mod prompt_cache;
mod random;
mod rate;
mod request;
mod schema;
mod server;
mod service;
mod state;
mod stats;
mod tls;
mod tokens;
mod wire;

pub use answer::Answer;
pub use clock::Clock;
pub use config::Config;
pub use faults::{FAULT_NAMES, Fault, FaultError, FaultRule};
pub use pace::{Delay, Pace, PaceError};
pub use server::MockServer;
pub use stats::{RecordedRequest, Stats, UsageTotals};
pub use tls::{CERTIFICATE, server_tls};
pub use tokens::estimate_tokens;
