//! The one thread that writes: it takes what has queued up, runs it in one transaction,
//! commits once, and only then answers. Where nothing of it has to survive the process, the commit
//! stays in memory until the next that does, or until [`Writer::settle_interval`] has passed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use redb::{Database, Durability};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::engine::Engine;
use super::fault::{Failure, Fault};
use super::tables::Tables;
use crate::{ErrorKind, StoreError};

/// Dead records and members that one commit removes beside its own work.
const SWEEP_PER_COMMIT: u64 = 64;
/// Dead records and members that one idle step removes.
const SWEEP_WHEN_IDLE: u64 = 1_024;
/// Time between attempts to open the engine again.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// What the thread is told.
pub(super) enum Message {
    /// Do this.
    Run(Box<dyn Job>),
    /// Finish what came before, close the engine, and go.
    Stop,
}

/// A queued write that waits for its answer.
pub(super) trait Job: Send {
    /// Runs it in the batch's transaction. An error means that the whole batch has failed.
    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), Fault>;

    /// Whether its caller counts on it to survive the process.
    fn survives(&self) -> bool;

    /// Answers the caller, now that the batch's fate is known.
    fn finish(self: Box<Self>, fate: Result<(), &Fault>);
}

/// The [`Job`] of one operation.
pub(super) struct Call<T, F> {
    pub(super) context: &'static str,
    pub(super) survives: bool,
    pub(super) operation: Option<F>,
    pub(super) outcome: Option<Result<T, StoreError>>,
    pub(super) reply: oneshot::Sender<Result<T, StoreError>>,
    /// Its places in the queue, given back with the answer.
    pub(super) room: [OwnedSemaphorePermit; 2],
}

impl<T, F> Job for Call<T, F>
where
    T: Send,
    F: FnOnce(&mut Tables<'_>) -> Result<T, Failure> + Send,
{
    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), Fault> {
        let Some(operation) = self.operation.take() else {
            return Ok(());
        };
        self.outcome = Some(match operation(tables) {
            Ok(value) => Ok(value),
            Err(Failure::Operation(error)) => Err(error),
            Err(Failure::Engine(fault)) => return Err(fault),
        });
        Ok(())
    }

    fn survives(&self) -> bool {
        self.survives
    }

    fn finish(self: Box<Self>, fate: Result<(), &Fault>) {
        let answer = match (fate, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Err(fault), _) => Err(fault.to_error(self.context)),
            (Ok(()), None) => Err(StoreError::new(ErrorKind::Engine, self.context)),
        };
        drop(self.room);
        // A caller that stopped waiting has no use for the answer.
        drop(self.reply.send(answer));
    }
}

/// The writer's thread before it runs.
pub(super) struct Writer {
    pub(super) engine: Arc<Engine>,
    pub(super) batch_len: usize,
    pub(super) sweep_interval: Duration,
    pub(super) settle_interval: Duration,
}

/// What the thread remembers from one batch to the next.
#[derive(Default)]
struct Memory {
    /// When the engine could last not be opened.
    failed_at: Option<Instant>,
    /// Since when there are commits that no disk has.
    unsettled_since: Option<Instant>,
}

impl Writer {
    /// Starts the thread. The receiver hears when it has closed the engine.
    pub(super) fn spawn(self) -> io::Result<(Sender<Message>, oneshot::Receiver<()>)> {
        // Bounded by the semaphores whose permits every call carries.
        let (sender, inbox) = channel();
        let (done, closed) = oneshot::channel();
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                self.run(&inbox);
                self.engine.close();
                // Nobody waits if the store was dropped.
                let _ = done.send(());
            })?;
        Ok((sender, closed))
    }

    fn run(&self, inbox: &Receiver<Message>) {
        let mut memory = Memory::default();
        loop {
            let (batch, last) = self.next_batch(inbox, &memory);
            self.work(batch, &mut memory);
            if last && memory.unsettled_since.is_some() {
                self.work(Vec::new(), &mut memory);
            }
            if last {
                return;
            }
        }
    }

    /// Waits for work, and takes all that is there up to the bound. Empty when there is none until
    /// it is time to sweep or to settle. Says whether it is the last.
    fn next_batch(&self, inbox: &Receiver<Message>, memory: &Memory) -> (Vec<Box<dyn Job>>, bool) {
        let mut batch = Vec::new();
        let settle = memory
            .unsettled_since
            .map(|since| self.settle_interval.saturating_sub(since.elapsed()));
        let idle = settle.map_or(self.sweep_interval, |left| left.min(self.sweep_interval));
        match inbox.recv_timeout(idle) {
            Ok(Message::Run(job)) => batch.push(job),
            Err(RecvTimeoutError::Timeout) => return (batch, false),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return (batch, true),
        }
        while batch.len() < self.batch_len {
            match inbox.try_recv() {
                Ok(Message::Run(job)) => batch.push(job),
                Ok(Message::Stop) => return (batch, true),
                Err(_) => break,
            }
        }
        (batch, false)
    }

    /// Commits a batch and answers it; mends the engine if that fails.
    fn work(&self, mut batch: Vec<Box<dyn Job>>, memory: &mut Memory) {
        let paused = |failed: Instant| failed.elapsed() < REOPEN_PAUSE;
        if !self.engine.is_open() && !memory.failed_at.is_some_and(paused) {
            self.mend(memory);
        }
        let fate = self
            .engine
            .with(|database| self.commit(database, &mut batch, memory));
        let fault = match fate {
            Ok(()) => None,
            Err(Failure::Engine(fault)) => Some(fault),
            Err(Failure::Operation(error)) => Some(Fault::new(error.kind(), error)),
        };
        if let Some(fault) = &fault
            && self.engine.is_open()
        {
            tracing::error!(
                kind = ?fault.kind,
                error = %fault.source,
                writes = batch.len(),
                "store failed to commit"
            );
            self.mend(memory);
        }
        for job in batch {
            job.finish(fault.as_ref().map_or(Ok(()), Err));
        }
    }

    /// What no disk had may be gone with it.
    fn mend(&self, memory: &mut Memory) {
        memory.unsettled_since = None;
        match self.engine.reopen() {
            Ok(()) => memory.failed_at = None,
            Err(error) => {
                tracing::error!(kind = ?error.kind(), %error, "store can't be opened again");
                memory.failed_at = Some(Instant::now());
            }
        }
    }

    /// Runs a batch in one transaction. Nothing is written if nothing has changed.
    fn commit(
        &self,
        database: &Database,
        batch: &mut [Box<dyn Job>],
        memory: &mut Memory,
    ) -> Result<(), Failure> {
        let due = |since: Instant| since.elapsed() >= self.settle_interval;
        let settles = batch.is_empty()
            || memory.unsettled_since.is_some_and(due)
            || batch.iter().any(|job| job.survives());
        let mut transaction = database.begin_write().map_err(Fault::from)?;
        transaction
            .set_durability(match settles {
                true => Durability::Immediate,
                false => Durability::None,
            })
            .map_err(|error| Fault::new(ErrorKind::Engine, error))?;
        let mut tables = Tables::open(&transaction, self.engine.limits, self.engine.micros())?;
        let sweep = match batch.len() {
            0 => SWEEP_WHEN_IDLE,
            _ => SWEEP_PER_COMMIT,
        };
        for job in batch {
            tables.set_time(self.engine.micros());
            job.apply(&mut tables)?;
        }
        tables.sweep(sweep)?;
        let changed = tables.finish()?;
        if settles && (changed || memory.unsettled_since.is_some()) {
            transaction.commit().map_err(Fault::from)?;
            memory.unsettled_since = None;
        } else if changed {
            transaction.commit().map_err(Fault::from)?;
            memory.unsettled_since.get_or_insert_with(Instant::now);
        } else {
            transaction.abort().map_err(Fault::from)?;
        }
        Ok(())
    }
}
