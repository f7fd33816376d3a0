//! What a server can be told, with its defaults.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use crate::cors::Cors;
use crate::keyring::Keyring;
use crate::peers::TrustedProxies;
use crate::tls::Tls;

/// Bounds on what clients may send and on how long anything takes. Every one has a default
/// that suits an ERP; but for the bound on delay none can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes.
    pub max_body_bytes: usize,
    /// Largest request head (request line and headers), in bytes.
    pub max_head_bytes: usize,
    /// Longest wait for a request's head, also on an idle connection.
    pub head_timeout: Duration,
    /// Longest wait for a request's body once its head is there.
    pub body_timeout: Duration,
    /// What a body must come at after its first five seconds, in bytes a second on the average.
    pub min_body_rate: NonZeroU32,
    /// Longest time from a request's body to its answer.
    pub request_timeout: Duration,
    /// Longest wait for the model inside a request; always shorter than `request_timeout`, so
    /// that the rules can still answer.
    pub model_timeout: Duration,
    /// Longest wait for a client to take more of its answer.
    pub write_timeout: Duration,
    /// Connections held at once. The next one takes the place of an idle one; where none is
    /// idle it is answered 503 and closed.
    pub max_connections: NonZeroUsize,
    /// The same for the connections of one address that isn't a trusted proxy.
    pub max_connections_per_peer: NonZeroUsize,
    /// Wrong keys that one address may present in a minute; the next one is answered 429. A good
    /// key always opens.
    pub failed_keys_per_minute: NonZeroU32,
    /// Requests worked on at once; the next one is answered 503.
    pub max_in_flight: NonZeroUsize,
    /// Streams at once, beside those requests; the next one is answered 503.
    pub max_streams: NonZeroUsize,
    /// Bytes of the bodies of those requests; the next request is answered 503. Working on a
    /// body takes some three times its size.
    pub max_in_flight_bytes: usize,
    /// How late the runtime may come to what is due. Where it is later for longer than a moment,
    /// and busy, requests are answered 503 until it isn't. Zero: nobody looks.
    pub overload_delay: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 2 * 1024 * 1024,
            max_head_bytes: 32 * 1024,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(15),
            min_body_rate: const { NonZeroU32::new(1_024).unwrap() },
            request_timeout: Duration::from_secs(30),
            model_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(30),
            max_connections: const { NonZeroUsize::new(4_096).unwrap() },
            max_connections_per_peer: const { NonZeroUsize::new(2_048).unwrap() },
            failed_keys_per_minute: const { NonZeroU32::new(60).unwrap() },
            max_in_flight: const { NonZeroUsize::new(1_024).unwrap() },
            max_streams: const { NonZeroUsize::new(2_000).unwrap() },
            max_in_flight_bytes: 128 * 1024 * 1024,
            overload_delay: Duration::from_millis(10),
        }
    }
}

/// How a server of this API behaves.
#[derive(Debug)]
pub struct Config {
    /// Who may ask, at first: [`crate::Controls::replace_keys`] changes it.
    pub keys: Arc<Keyring>,
    /// What the listener speaks TLS with; none: plain HTTP.
    pub tls: Option<Tls>,
    /// The web pages that may ask.
    pub cors: Cors,
    /// Whose word on the client's address is taken.
    pub proxies: TrustedProxies,
    /// Bounds on sizes, times and numbers.
    pub limits: Limits,
    /// Whether `GET /metrics` needs no key.
    pub metrics_public: bool,
    /// How long a verdict is kept.
    pub validate_lifetime: Duration,
    /// How long the other answers that are found by figures are kept (1 hour).
    pub answer_lifetime: Duration,
    /// The version that `/health` tells.
    pub version: &'static str,
}

impl Config {
    /// The defaults, with these keys.
    #[must_use]
    pub fn new(keys: Keyring, version: &'static str) -> Self {
        Self {
            keys: Arc::new(keys),
            tls: None,
            cors: Cors::default(),
            proxies: TrustedProxies::default(),
            limits: Limits::default(),
            metrics_public: false,
            validate_lifetime: Duration::from_secs(15 * 60),
            answer_lifetime: Duration::from_secs(60 * 60),
            version,
        }
    }
}
