//! Bounds and times of a chat.

use std::time::Duration;

/// How a chat behaves. Every bound has a default that suits an ERP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// How long a session lives after its last message (1 h).
    pub session_lifetime: Duration,
    /// Messages that a session keeps, user's and assistant's together (10).
    pub kept_messages: usize,
    /// Of those, what goes into a prompt, in tokens (3,000): the newest come first.
    pub history_tokens: u64,
    /// Passages in a prompt (5).
    pub passages: usize,
    /// Longest answer that the model may write, in tokens (1,024).
    pub max_tokens: u32,
    /// Longest answer that is passed on, in bytes (32 KiB).
    pub max_answer_bytes: usize,
    /// Longest wait for a whole answer (20 s); then the best passages answer.
    pub message_limit: Duration,
    /// Longest time of a stream (120 s).
    pub stream_limit: Duration,
    /// How long a stream goes on that nobody reads (50 ms).
    pub abandon_after: Duration,
    /// How long a stream can be resumed after its end (60 s).
    pub retention: Duration,
    /// Ended streams that are held for that (1,000); the oldest go first.
    pub max_retained: usize,
    /// Readers of one stream at a time (8).
    pub max_readers: usize,
    /// How long an answer to a first question is shared (5 min).
    pub answer_lifetime: Duration,
    /// Only answers above this confidence are shared (80).
    pub share_above: u8,
    /// Longest wait for one operation of the store (2 s).
    pub store_limit: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            session_lifetime: Duration::from_secs(60 * 60),
            kept_messages: 10,
            history_tokens: 3_000,
            passages: 5,
            max_tokens: 1_024,
            max_answer_bytes: 32 * 1024,
            message_limit: Duration::from_secs(20),
            stream_limit: Duration::from_secs(120),
            abandon_after: Duration::from_millis(50),
            retention: Duration::from_secs(60),
            max_retained: 1_000,
            max_readers: 8,
            answer_lifetime: Duration::from_secs(5 * 60),
            share_above: 80,
            store_limit: Duration::from_secs(2),
        }
    }
}
