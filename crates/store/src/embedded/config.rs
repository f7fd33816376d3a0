//! The bounds of an embedded engine, each with a default that fits a small server.

use std::time::Duration;

/// The bounds of an [`crate::EmbeddedStore`]. A count of 0 is taken as 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedConfig {
    /// Most bytes held: keys, payloads, members, and 64 bytes for each. Default 256 MiB. The
    /// file (or the memory) itself may take about twice this, for pages that are partly empty.
    pub max_bytes: u64,
    /// Most members of one set. Default 65,536.
    pub max_set_members: u64,
    /// Longest wait for any one call. Default 2 s.
    pub deadline: Duration,
    /// Most writes accepted and not yet answered. Default 1,024.
    pub queue_len: usize,
    /// Most bytes of values accepted and not yet answered. Default 64 MiB.
    pub queue_bytes: usize,
    /// Most writes that share one commit. Default 256.
    pub batch_len: usize,
    /// Most reads at the same time, each on a thread of the runtime's blocking pool. Default 16.
    pub concurrent_reads: usize,
    /// Memory for pages of the file. Default 16 MiB. The engine in memory takes at most 1 MiB.
    pub cache_bytes: usize,
    /// How often an idle engine looks for things whose lifetime is over. Default 30 s.
    pub sweep_interval: Duration,
    /// How long what nobody counts on to survive the process (rate limits) may be in memory alone
    /// before it is written to the disk as well. Default 1 s.
    pub settle_interval: Duration,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            max_bytes: 256 * 1024 * 1024,
            max_set_members: 65_536,
            deadline: Duration::from_secs(2),
            queue_len: 1_024,
            queue_bytes: 64 * 1024 * 1024,
            batch_len: 256,
            concurrent_reads: 16,
            cache_bytes: 16 * 1024 * 1024,
            sweep_interval: Duration::from_secs(30),
            settle_interval: Duration::from_secs(1),
        }
    }
}
