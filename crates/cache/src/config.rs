//! The cache's bounds and deadlines.

use std::time::Duration;

use serde::Deserialize;

use crate::frame;
use crate::{AdaptiveConfig, ConfigError};

/// The cache's bounds and deadlines. Every field has a default; an unknown one is an error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Memory for answers in the process, in bytes, with what keeping them costs
    /// (64 MiB). An answer that doesn't fit lives in the store only.
    pub l1_bytes: u64,
    /// The largest answer that is kept, in bytes (1 MiB).
    pub max_value_bytes: usize,
    /// The longest that an answer is kept, whatever its computation says, in seconds
    /// (31 days).
    pub max_lifetime_seconds: u64,
    /// How long a read of the store may take until it counts as a miss, in milliseconds (50).
    pub store_read_deadline_ms: u64,
    /// How long a write to the store may take until it is given up, in milliseconds (1,000).
    pub store_write_deadline_ms: u64,
    /// Writes to the store under way at a time (256). One more is dropped and counted.
    pub max_pending_writes: usize,
    /// Computations under way at a time that others can join (1,024). One more runs in its
    /// caller's own task and can't be joined.
    pub max_flights: usize,
    /// The part of a stream that is held for those who join it or read slowly, in bytes
    /// (1 MiB). A longer stream isn't kept, can't be joined any more, and tells readers who lie
    /// further behind that they do.
    pub max_stream_bytes: usize,
    /// Answers from this size on are compressed in the store, in bytes (1,024).
    pub compress_from_bytes: usize,
    /// Whether replicas that share the store compute an answer only once (`auto`).
    pub replicas: Replicas,
    /// How long a replica that computes may be silent until another one takes over, in
    /// milliseconds (2,000). It gives a sign of life four times as often.
    pub lease_ms: u64,
    /// How often a replica that waits for another one looks whether it missed its message, in
    /// milliseconds (250).
    pub poll_ms: u64,
    /// Which hit rate earns which lifetime, where a policy lets lifetimes adapt.
    pub adaptive: AdaptiveConfig,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            l1_bytes: 64 * 1024 * 1024,
            max_value_bytes: 1024 * 1024,
            max_lifetime_seconds: 31 * 24 * 60 * 60,
            store_read_deadline_ms: 50,
            store_write_deadline_ms: 1_000,
            max_pending_writes: 256,
            max_flights: 1_024,
            max_stream_bytes: 1024 * 1024,
            compress_from_bytes: 1_024,
            replicas: Replicas::Auto,
            lease_ms: 2_000,
            poll_ms: 250,
            adaptive: AdaptiveConfig::default(),
        }
    }
}

/// Whether replicas that share the store compute an answer only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Replicas {
    /// If the store is a server that others can share: not for the embedded engine.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never: each replica computes for itself. The answers are shared all the same.
    Off,
}

/// More permits than this a semaphore can't hold, and nobody needs.
const MAX_COUNT: usize = 1_000_000;

/// Ten years: every sum with it stays far inside a timestamp.
const MAX_LIFETIME_SECONDS: u64 = 10 * 366 * 24 * 60 * 60;

impl CacheConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`ConfigError`] with the first field that is zero or beyond its bound.
    pub fn check(&self) -> Result<(), ConfigError> {
        positive("l1_bytes", self.l1_bytes, u64::MAX)?;
        positive(
            "max_value_bytes",
            self.max_value_bytes as u64,
            frame::MAX_VALUE_BYTES as u64,
        )?;
        positive(
            "max_lifetime_seconds",
            self.max_lifetime_seconds,
            MAX_LIFETIME_SECONDS,
        )?;
        positive(
            "store_read_deadline_ms",
            self.store_read_deadline_ms,
            60_000,
        )?;
        positive(
            "store_write_deadline_ms",
            self.store_write_deadline_ms,
            60_000,
        )?;
        positive(
            "max_pending_writes",
            self.max_pending_writes as u64,
            MAX_COUNT as u64,
        )?;
        positive("max_flights", self.max_flights as u64, MAX_COUNT as u64)?;
        positive(
            "max_stream_bytes",
            self.max_stream_bytes as u64,
            frame::MAX_VALUE_BYTES as u64,
        )?;
        positive(
            "compress_from_bytes",
            self.compress_from_bytes as u64,
            u64::MAX,
        )?;
        // Four signs of life, each of which may take as long as a read.
        if self.lease_ms < 4 || self.lease_ms > 60_000 {
            return Err(ConfigError::new("lease_ms", "must be from 4 to 60000"));
        }
        positive("poll_ms", self.poll_ms, 60_000)?;
        self.adaptive.check(MAX_LIFETIME_SECONDS)
    }

    pub(crate) fn store_read_deadline(&self) -> Duration {
        Duration::from_millis(self.store_read_deadline_ms)
    }

    pub(crate) fn store_write_deadline(&self) -> Duration {
        Duration::from_millis(self.store_write_deadline_ms)
    }

    pub(crate) fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    pub(crate) fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    pub(crate) fn max_lifetime(&self) -> Duration {
        Duration::from_secs(self.max_lifetime_seconds)
    }
}

fn positive(field: &'static str, value: u64, max: u64) -> Result<(), ConfigError> {
    match value {
        0 => Err(ConfigError::new(field, "must be more than 0")),
        _ if value > max => Err(ConfigError::new(field, "is beyond its bound")),
        _ => Ok(()),
    }
}
