//! An engine of this process's own, over redb: a file, or memory.
//!
//! Reads run on the runtime's blocking pool, as many at a time as the configuration says.
//! Writes queue for one thread, which commits what has queued up at once and answers after the
//! commit: what was acknowledged survives the process, rate limits excepted. See [`EmbeddedStore`].

mod config;
mod contract;
mod engine;
mod fault;
mod open;
mod ops;
mod record;
mod tables;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use redb::{Database, ReadTransaction};
use tokio::sync::{Mutex, Semaphore, oneshot};
use tokio::time::timeout;

pub use self::config::EmbeddedConfig;
use self::engine::{Engine, Reopen};
use self::fault::Failure;
pub use self::open::{OpenError, OpenErrorKind};
use self::tables::{Limits, Tables};
use self::writer::{Call, Message, Writer};
use crate::pubsub::Hub;
use crate::{Clock, ErrorKind, StoreError, StoreKind};

/// Dead records and members that one call of [`EmbeddedStore::sweep`] removes at most.
const SWEEP_PER_CALL: u64 = 4_096;

/// What a queued write takes of [`EmbeddedConfig::queue_bytes`] beside its value.
const CALL_BYTES: usize = 1_024;

/// A [`crate::Store`] in a file, or in memory, that belongs to this process alone.
///
/// **Room.** At most [`EmbeddedConfig::max_bytes`]. When that is reached, what is dead goes
/// first, then values that have an end, the soonest first. Values without an end, counters,
/// sets and leases are never evicted; with only those left, a write fails with
/// [`ErrorKind::Full`].
///
/// **Waiting.** Every call ends within [`EmbeddedConfig::deadline`]. A write that finds no
/// place in the queue until then fails with [`ErrorKind::Full`] and has not happened. A write
/// that was queued but not answered until then fails with [`ErrorKind::Timeout`] and may still
/// happen, as does one whose future is dropped after it was queued.
///
/// **Failures of the disk.** All writes of the failed commit get the error (for each of them it
/// is open whether it happened), and the file is opened again, at once and then at most once a
/// second, until that works.
///
/// **Rate limits** wait for no disk: it has them with the next write that does, or within
/// [`EmbeddedConfig::settle_interval`]. A process that is killed gives back what was taken since.
///
/// **The end.** [`Self::close`] commits what is queued and returns when the file is free.
/// Dropping the store does the same in the background.
pub struct EmbeddedStore {
    kind: StoreKind,
    config: EmbeddedConfig,
    engine: Arc<Engine>,
    writer: Sender<Message>,
    closed: Mutex<Option<oneshot::Receiver<()>>>,
    reads: Arc<Semaphore>,
    places: Arc<Semaphore>,
    places_bytes: Arc<Semaphore>,
    hub: Arc<Hub>,
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("kind", &self.kind)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the store in the file at `path`, made with its folder (for this user alone) where
    /// missing. Has no deadline: after a crash the whole file is checked first.
    ///
    /// # Errors
    /// [`OpenErrorKind`] says which; [`OpenErrorKind::Locked`] where another process has it.
    pub async fn open(
        path: impl AsRef<Path>,
        config: EmbeddedConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let open = move || {
            let cache_bytes = config.cache_bytes;
            let database = open::open_file(&path, cache_bytes)?;
            let reopen: Reopen = Box::new(move || open::open_file(&path, cache_bytes));
            Self::start(
                StoreKind::EmbeddedFile,
                database,
                Some(reopen),
                config,
                clock,
            )
        };
        tokio::task::spawn_blocking(open)
            .await
            .unwrap_or_else(|error| Err(OpenError::new(OpenErrorKind::Thread, error)))
    }

    /// A new, empty store in this process's memory. Takes about a millisecond.
    ///
    /// # Errors
    /// [`OpenErrorKind::Thread`] if the system gives no thread.
    pub fn in_memory(config: EmbeddedConfig, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let database = open::open_memory()?;
        Self::start(StoreKind::EmbeddedMemory, database, None, config, clock)
    }

    fn start(
        kind: StoreKind,
        database: Database,
        reopen: Option<Reopen>,
        config: EmbeddedConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let limits = Limits {
            max_bytes: config.max_bytes,
            max_set_members: config.max_set_members.max(1),
        };
        let engine = Arc::new(Engine::new(database, reopen, clock, limits));
        let (writer, closed) = Writer {
            engine: Arc::clone(&engine),
            batch_len: config.batch_len.max(1),
            sweep_interval: config.sweep_interval,
            settle_interval: config.settle_interval,
        }
        .spawn()
        .map_err(|error| OpenError::new(OpenErrorKind::Thread, error))?;
        Ok(Self {
            kind,
            engine,
            writer,
            closed: Mutex::new(Some(closed)),
            reads: semaphore(config.concurrent_reads),
            places: semaphore(config.queue_len),
            places_bytes: semaphore(config.queue_bytes),
            hub: Hub::new(),
            config,
        })
    }

    /// Removes things whose lifetime is over, a bounded number of them, as the writer does by
    /// itself beside every commit and when idle. Returns how many keys went: call again while
    /// it isn't 0 to remove all.
    ///
    /// # Errors
    /// As every operation: see [`ErrorKind`].
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        self.write("sweeping", 0, |tables| {
            Ok(ops::sweep(tables, SWEEP_PER_CALL)?)
        })
        .await
    }

    /// Refuses new calls, commits what is queued, and frees the file. Calling it again does
    /// nothing more.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if that takes longer than the deadline; it goes on regardless.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.reads.close();
        self.places.close();
        self.places_bytes.close();
        self.hub.close();
        // If it hears nothing any more, it has gone already.
        drop(self.writer.send(Message::Stop));
        let wait = async {
            let mut closed = self.closed.lock().await;
            if let Some(receiver) = closed.as_mut() {
                // An error means that the thread is gone, which is what is waited for.
                drop(receiver.await);
                *closed = None;
            }
        };
        timeout(self.config.deadline, wait)
            .await
            .map_err(|_| StoreError::new(ErrorKind::Timeout, "closing the store"))
    }

    /// Runs `read` on the blocking pool, within the deadline and the bound on readers.
    async fn read<T: Send + 'static>(
        &self,
        context: &'static str,
        read: impl FnOnce(&ReadTransaction, u64) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let run = async {
            let permit = Arc::clone(&self.reads)
                .acquire_owned()
                .await
                .map_err(|_| StoreError::new(ErrorKind::Unavailable, context))?;
            let engine = Arc::clone(&self.engine);
            tokio::task::spawn_blocking(move || {
                let _permit = permit;
                engine.read(read)
            })
            .await
            .map_err(|error| StoreError::with_source(ErrorKind::Unavailable, context, error))?
            .map_err(|failure| failure.into_error(context))
        };
        timeout(self.config.deadline, run)
            .await
            .unwrap_or_else(|_| Err(StoreError::new(ErrorKind::Timeout, context)))
    }

    /// Queues `operation`, which holds `bytes` of value, and waits until the disk has it.
    async fn write<T, F>(
        &self,
        context: &'static str,
        bytes: usize,
        operation: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.queue(context, bytes, true, operation).await
    }

    /// Queues `operation` and waits for its commit, which `survives` the process or needn't.
    async fn queue<T, F>(
        &self,
        context: &'static str,
        bytes: usize,
        survives: bool,
        operation: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let started = tokio::time::Instant::now();
        let deadline = started + self.config.deadline;
        let room = tokio::time::timeout_at(deadline, self.room(bytes))
            .await
            .map_err(|_| StoreError::new(ErrorKind::Full, context))?
            .map_err(|_| StoreError::new(ErrorKind::Unavailable, context))?;
        let (reply, answer) = oneshot::channel();
        let call = Call {
            context,
            survives,
            operation: Some(operation),
            outcome: None,
            reply,
            room,
        };
        self.writer
            .send(Message::Run(Box::new(call)))
            .map_err(|_| StoreError::new(ErrorKind::Unavailable, context))?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::new(ErrorKind::Unavailable, context)),
            Err(_) => Err(StoreError::new(ErrorKind::Timeout, context)),
        }
    }

    /// A place in the queue of writes, for one call and for its value's bytes.
    async fn room(
        &self,
        bytes: usize,
    ) -> Result<[tokio::sync::OwnedSemaphorePermit; 2], tokio::sync::AcquireError> {
        // A value larger than the whole bound takes all of it, rather than wait for good.
        let weight = bytes
            .saturating_add(CALL_BYTES)
            .min(self.config.queue_bytes.max(1));
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        let place = Arc::clone(&self.places).acquire_owned().await?;
        let bytes = Arc::clone(&self.places_bytes)
            .acquire_many_owned(weight)
            .await?;
        Ok([place, bytes])
    }
}

/// A semaphore of `permits`, within what tokio allows.
fn semaphore(permits: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(permits.clamp(1, Semaphore::MAX_PERMITS)))
}
