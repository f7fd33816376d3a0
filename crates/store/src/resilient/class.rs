//! What becomes of a key while the shared store is away.

use std::time::Duration;

/// What becomes of a key while the shared store is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyClass {
    /// It can be made again, such as a cached answer: reading finds nothing, writing is dropped
    /// and counted, and what would need an answer (counting, comparing, inserting) is
    /// [`crate::ErrorKind::Unavailable`].
    Ephemeral,
    /// It is worth keeping within this process, such as a rate limit: the local engine answers.
    /// What it counts there is not carried over afterwards.
    Local,
    /// It must not be lost, such as the cost ledger: it is written to the local engine and to
    /// the journal, which tells the shared store in order once it is back. Reading what this
    /// process doesn't know is [`crate::ErrorKind::Unavailable`], never absent.
    Durable,
}

/// The class of every key, by its prefix; the longest that fits counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyClasses {
    rules: Vec<(String, KeyClass)>,
    otherwise: KeyClass,
}

impl KeyClasses {
    /// All keys are `otherwise`.
    #[must_use]
    pub fn new(otherwise: KeyClass) -> Self {
        Self {
            rules: Vec::new(),
            otherwise,
        }
    }

    /// Those that begin with `prefix` are `class`.
    ///
    /// ```
    /// use store::{KeyClass, KeyClasses};
    ///
    /// let classes = KeyClasses::new(KeyClass::Durable)
    ///     .with("cache:", KeyClass::Ephemeral)
    ///     .with("cache:hits:", KeyClass::Local);
    /// assert_eq!(classes.of("cache:hits:l1"), KeyClass::Local);
    /// assert_eq!(classes.of("cache:k"), KeyClass::Ephemeral);
    /// assert_eq!(classes.of("ledger:2026-11"), KeyClass::Durable);
    /// ```
    #[must_use]
    pub fn with(mut self, prefix: impl Into<String>, class: KeyClass) -> Self {
        self.rules.push((prefix.into(), class));
        self.rules
            .sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        self
    }

    /// The class of `key`.
    #[must_use]
    pub fn of(&self, key: &str) -> KeyClass {
        self.rules
            .iter()
            .find(|(prefix, _)| key.starts_with(prefix.as_str()))
            .map_or(self.otherwise, |(_, class)| *class)
    }

    /// The strictest class of several keys that are dealt with together.
    pub(super) fn of_all<'a>(&self, keys: impl Iterator<Item = &'a str>) -> KeyClass {
        keys.map(|key| self.of(key)).max().unwrap_or(self.otherwise)
    }
}

/// The bounds of a [`crate::ResilientStore`]. Counts of 0 are taken as 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResilientConfig {
    /// What becomes of which key.
    pub classes: KeyClasses,
    /// Failures one after the other after which the shared store is away: refusals of calls, or
    /// looks in the background after a call timed out, which is the first of them. Nobody waits
    /// for it after the first time-out either way. Default 3.
    pub failures_to_open: u32,
    /// Longest wait for the shared store beyond its own deadline, as a last resort. Default
    /// 250 ms.
    pub deadline: Duration,
    /// First pause between two looks whether an open breaker may close; it doubles.
    /// Default 100 ms.
    pub probe_min: Duration,
    /// Longest such pause. Default 1 s.
    pub probe_max: Duration,
    /// Most writes that the journal holds. Default 10,000.
    pub journal_len: usize,
    /// Most bytes of keys and values that the journal holds. Default 64 MiB.
    pub journal_bytes: usize,
    /// Most counters whose last sum is kept in mind, for answering while the shared store is
    /// away. Default 4,096.
    pub known_counters: usize,
}

impl ResilientConfig {
    /// The defaults, for these classes.
    #[must_use]
    pub fn new(classes: KeyClasses) -> Self {
        Self {
            classes,
            failures_to_open: 3,
            deadline: Duration::from_millis(250),
            probe_min: Duration::from_millis(100),
            probe_max: Duration::from_secs(1),
            journal_len: 10_000,
            journal_bytes: 64 * 1024 * 1024,
            known_counters: 4_096,
        }
    }
}
