//! A shared store that may go away, with the local engine as its stand-in.

mod away;
mod both;
mod breaker;
mod class;
mod contract;
mod entry;
mod flush;
mod journal;
mod known;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use metrics::{counter, gauge, histogram};
use tokio::sync::{Mutex, RwLock};

use self::breaker::{Breaker, Silence};
pub use self::class::{KeyClass, KeyClasses, ResilientConfig};
use self::journal::Journal;
use self::known::KnownCounters;
use crate::redis::{Once, Task};
use crate::{
    Added, Addition, Clock, ErrorKind, Problem, RedisStore, StandbyHealth, Store, StoreError,
    StoreHealth, Subscription,
};

/// The shared store, as the resilient one needs it.
#[async_trait]
pub(crate) trait Remote: Store {
    /// As [`Store::add_all`], once however often it is sent.
    async fn add_once(
        &self,
        additions: &[Addition<'_>],
        once: Once<'_>,
    ) -> Result<Added, StoreError>;

    /// Whether it takes writes.
    async fn probe(&self) -> Result<(), Problem>;

    /// Returns when another server has taken the place of one that was away.
    async fn reached(&self);

    /// As [`Store::subscribe`], without waiting for a server that may be away.
    fn listen(&self, channel: &str) -> Result<Subscription, StoreError>;
}

#[async_trait]
impl Remote for RedisStore {
    async fn add_once(
        &self,
        additions: &[Addition<'_>],
        once: Once<'_>,
    ) -> Result<Added, StoreError> {
        self.add(additions, Some(once), "adding to counters").await
    }

    async fn probe(&self) -> Result<(), Problem> {
        Self::probe(self).await
    }

    async fn reached(&self) {
        Self::reached(self).await;
    }

    fn listen(&self, channel: &str) -> Result<Subscription, StoreError> {
        Self::listen(self, channel)
    }
}

/// A [`Store`] over Redis that goes on without it.
///
/// **A breaker** keeps a frozen or slow server from costing a caller more than one
/// [`crate::RedisConfig::command_timeout`], however many calls it makes: after the first time-out
/// nobody asks any more until a write in the background has worked. If that works at once, the
/// machine had only stumbled, and nothing else happens; if it doesn't, up to
/// [`ResilientConfig::failures_to_open`] failures in a row, the store is away. As many refusals
/// in a row, which cost nobody time, say the same. A server that is only full is still read.
///
/// **While it is away**, what happens depends on the key's class: see [`KeyClass`]. Rate limits
/// go by the local engine, whatever the class. Leases are refused with
/// [`ErrorKind::Unavailable`]: two who both believe to hold one are worse than none. Channels
/// reach this process only.
///
/// **The journal** tells the shared store what was written to durable keys meanwhile, in order,
/// with what is left of each lifetime. An addition happens exactly once, also where the call
/// that began it timed out, the connection broke, or the process was killed in between (with a
/// file as the local engine). It is bounded; where it is full, writing is [`ErrorKind::Full`].
/// A limit was checked against what was known here when the addition was made, and is not
/// checked again. Other writes are told until that worked, so that one whose answer was lost may
/// happen twice; a network that brings the first copy late, after a newer write of the same key,
/// brings the older value back. A comparison that no longer holds, because another process has written
/// meanwhile, changes nothing and is counted.
///
/// **Metrics**: `store_shared_up`, `store_outages_total`, `store_suspicions_total` (time-outs
/// that nobody else waited after, outages or not), `store_journal_entries`,
/// `store_dropped_total{operation}`, `store_journal_conflicts_total`, and
/// `store_away_total{operation}` and `store_operation_seconds{operation,outcome}` with the
/// outcomes `shared`, `local` and `error`.
pub struct ResilientStore {
    shared: Arc<Shared>,
    _tasks: [Task; 2],
}

/// What the store shares with its background.
struct Shared {
    remote: Arc<dyn Remote>,
    local: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    config: ResilientConfig,
    breaker: Breaker,
    journal: Arc<Journal>,
    known: KnownCounters,
    /// Held for reading while a key is changed here, for writing while they are forgotten.
    overlay: RwLock<()>,
    /// Held while a counter is begun here.
    beginning: Mutex<()>,
    dropped: AtomicU64,
}

impl fmt::Debug for ResilientStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResilientStore")
            .field("remote", &self.shared.remote)
            .field("local", &self.shared.local)
            .finish_non_exhaustive()
    }
}

impl ResilientStore {
    /// `redis` in front, `local` as its stand-in. Reads the journal that an earlier process may
    /// have left in `local`; doesn't wait for Redis.
    ///
    /// # Errors
    /// Where `local` can't be read.
    pub async fn start(
        redis: RedisStore,
        local: Arc<dyn Store>,
        config: ResilientConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        Self::over(Arc::new(redis), local, config, clock).await
    }

    async fn over(
        remote: Arc<dyn Remote>,
        local: Arc<dyn Store>,
        config: ResilientConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let (len, bytes) = (config.journal_len, config.journal_bytes);
        let shared = Arc::new(Shared {
            journal: Arc::new(Journal::open(Arc::clone(&local), len, bytes).await?),
            breaker: Breaker::new(config.failures_to_open),
            known: KnownCounters::new(config.known_counters),
            overlay: RwLock::new(()),
            beginning: Mutex::new(()),
            dropped: AtomicU64::new(0),
            remote,
            local,
            clock,
            config,
        });
        shared.gauges();
        let tasks = [
            Task::spawn(flush::watch(Arc::clone(&shared))),
            Task::spawn(flush::flush(Arc::clone(&shared))),
        ];
        Ok(Self {
            shared,
            _tasks: tasks,
        })
    }

    /// Asks the shared store at once, without waiting for the next look in the background, and
    /// goes back to it where it answers: for an operator who knows that it is well. Says whether
    /// it is asked from now on.
    pub async fn retry_now(&self) -> bool {
        if !self.shared.breaker.is_closed() && flush::look(&self.shared).await.is_ok() {
            self.shared.came_back();
        }
        self.shared.breaker.is_closed()
    }
}

/// How a call of the shared store ended.
enum Answer<T> {
    /// It answered.
    There(T),
    /// It is away. Where it was asked, it may have done it or not.
    Away { asked: bool },
}

impl Shared {
    /// Asks the shared store, unless the breaker is open.
    ///
    /// # Errors
    /// What the store answered to that very call; never that it is away.
    async fn ask<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<Answer<T>, StoreError> {
        if !self.breaker.is_closed() {
            return Ok(Answer::Away { asked: false });
        }
        let started = Instant::now();
        let answer = tokio::time::timeout(self.config.deadline, call)
            .await
            .unwrap_or_else(|_| Err(StoreError::new(ErrorKind::Timeout, operation)));
        match answer {
            Ok(answer) => {
                self.breaker.success();
                record(operation, "shared", started);
                Ok(Answer::There(answer))
            }
            Err(error) => match error.kind() {
                ErrorKind::Unavailable | ErrorKind::Timeout => {
                    record(operation, "error", started);
                    self.gave_no_answer(&error);
                    Ok(Answer::Away { asked: true })
                }
                // It answers, and has no room: reading goes on.
                ErrorKind::Full => Ok(Answer::Away { asked: false }),
                _ => {
                    self.breaker.success();
                    Err(error)
                }
            },
        }
    }

    fn gave_no_answer(&self, error: &StoreError) {
        let opens = match error.kind() {
            ErrorKind::Timeout => {
                let silence = self.breaker.silence();
                if silence != Silence::NoNews {
                    counter!("store_suspicions_total").increment(1);
                }
                silence == Silence::Opened
            }
            _ => self.breaker.failure(),
        };
        if opens {
            self.went_away(Problem::of(error.kind()));
        }
    }

    fn went_away(&self, problem: Problem) {
        counter!("store_outages_total").increment(1);
        self.gauges();
        let problem = problem.as_str();
        tracing::warn!(problem, "the shared store is away: going on without it");
    }

    fn came_back(&self) {
        if self.breaker.close() {
            self.gauges();
            tracing::info!(journal = self.journal.len(), "the shared store is back");
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge of at most some millions"
    )]
    fn gauges(&self) {
        gauge!("store_shared_up").set(if self.breaker.is_open() { 0.0 } else { 1.0 });
        gauge!("store_journal_entries").set(self.journal.len() as f64);
    }

    /// Something short-lived is not written.
    fn drop_write(&self, operation: &'static str) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        counter!("store_dropped_total", "operation" => operation).increment(1);
    }

    /// Now, in Unix milliseconds.
    fn now(&self) -> u64 {
        let now = self.clock.now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = now.unwrap_or(Duration::ZERO).as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX)
    }

    /// The end of a lifetime that begins now; none for one that has no end.
    fn end(&self, lifetime: Option<Duration>) -> Option<u64> {
        let millis = lifetime?.as_nanos().div_ceil(1_000_000);
        self.now().checked_add(u64::try_from(millis).ok()?)
    }

    /// The health of both, in one.
    async fn health(&self) -> StoreHealth {
        let mut health = self.remote.health().await;
        let active = self.breaker.is_open();
        if active {
            health.up = false;
        }
        health.standby = Some(StandbyHealth {
            active,
            journal_len: self.journal.len() as u64,
            journal_max: self.journal.max_len() as u64,
            dropped: self.dropped.load(Ordering::Relaxed),
            outages: self.breaker.outages(),
        });
        health
    }
}

/// Records how long a call took.
fn record(operation: &'static str, outcome: &'static str, started: Instant) {
    histogram!("store_operation_seconds", "operation" => operation, "outcome" => outcome)
        .record(started.elapsed().as_secs_f64());
}

/// That the shared store is away, and nothing here knows the answer.
fn unavailable(context: &'static str) -> StoreError {
    StoreError::new(ErrorKind::Unavailable, context)
}
