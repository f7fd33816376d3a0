//! How a mock is set up.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{clock::Clock, faults::FaultRule, pace::Pace};

/// Everything that can be chosen; `Config::default()` is what a test wants.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; by default a free port of 127.0.0.1.
    pub listen: SocketAddr,
    /// Speak TLS by [`crate::CERTIFICATE`], and HTTP/2 where the client wants it: as the provider
    /// does. By default plain HTTP/1.1.
    pub tls: bool,
    /// The only key that is accepted; `None`: any, but one must be given.
    pub api_key: Option<String>,
    /// Speed of answers; a request's headers and the control API can change it.
    pub pace: Pace,
    /// Length of made-up texts in tokens, at most 100,000.
    pub answer_tokens: u32,
    /// Faults in force from the start.
    pub faults: Vec<FaultRule>,
    /// Refuse schemas that structured output doesn't support, as the real API does.
    pub strict_schemas: bool,
    /// Ages cached prefixes and rate-limit windows.
    pub clock: Clock,
    /// Same seed, same ids, latencies and fault draws.
    pub seed: u64,
    /// Most prefixes in the prompt cache.
    pub max_prefixes: usize,
    /// Tell in each answer's `anthropic-ratelimit-*` headers what is left of 4,000 requests a
    /// minute. A client that heeds them slows down: a load test leaves them out.
    pub rate_limit_headers: bool,
    /// Largest body of a request; the real limit is 32 MB.
    pub max_body_bytes: usize,
    /// Requests kept for [`crate::MockServer::requests`], of 64 KiB at most each.
    pub kept_requests: usize,
    /// How long a hang lasts before the connection is reset after all.
    pub hang_limit: Duration,
    /// Most connections at once; further ones wait.
    pub max_connections: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: false,
            api_key: None,
            pace: Pace::INSTANT,
            answer_tokens: 60,
            faults: Vec::new(),
            strict_schemas: true,
            clock: Clock::system(),
            seed: 1,
            max_prefixes: 10_000,
            rate_limit_headers: true,
            max_body_bytes: 32_000_000,
            kept_requests: 32,
            hang_limit: Duration::from_secs(300),
            max_connections: 10_000,
        }
    }
}
