//! How documents are fetched: whom we are, how fast, how much, how long.

use std::time::Duration;

/// How documents are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchConfig {
    /// Who asks: product, version, and where to complain.
    pub agent: String,
    /// The time between two requests to one host.
    pub interval: Duration,
    /// Requests to one host at a time.
    pub at_a_time: usize,
    /// How often a request that failed is tried again.
    pub retries: u32,
    /// The wait before the first retry; it doubles.
    pub backoff: Duration,
    /// The longest `Retry-After` that is waited for; a longer one ends the request.
    pub max_retry_after: Duration,
    /// To open a connection.
    pub connect: Duration,
    /// To the answer's head, connecting included.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// One attempt, from its beginning to its end.
    pub whole: Duration,
    /// Bytes of a body as it comes.
    pub max_bytes: usize,
    /// Bytes that it unpacks to.
    pub max_unpacked: usize,
    /// Hosts that may have private addresses: for tests, or a mirror in the operator's network.
    /// Names or addresses, without port.
    pub allow_hosts: Vec<String>,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            agent: concat!(
                "ai-service-sii-monitor/",
                env!("CARGO_PKG_VERSION"),
                " (+",
                env!("CARGO_PKG_REPOSITORY"),
                ")"
            )
            .to_owned(),
            interval: Duration::from_secs(1),
            at_a_time: 2,
            retries: 2,
            backoff: Duration::from_secs(2),
            max_retry_after: Duration::from_secs(60),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(20),
            idle: Duration::from_secs(15),
            whole: Duration::from_secs(60),
            max_bytes: 16 * 1024 * 1024,
            max_unpacked: 48 * 1024 * 1024,
            allow_hosts: Vec::new(),
        }
    }
}
