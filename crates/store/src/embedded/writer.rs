//! The one thread that writes: it takes what has queued up, runs it in one transaction,
//! commits once, and only then answers.

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

    /// Answers the caller, now that the batch's fate is known.
    fn finish(self: Box<Self>, fate: Result<(), &Fault>);
}

/// The [`Job`] of one operation.
pub(super) struct Call<T, F> {
    pub(super) context: &'static str,
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
        let mut failed_at = None;
        loop {
            let (batch, last) = self.next_batch(inbox);
            if !batch.is_empty() || !last {
                self.work(batch, &mut failed_at);
            }
            if last {
                return;
            }
        }
    }

    /// Waits for work, and takes all that is there up to the bound. Empty when the idle
    /// interval has passed. Says whether it is the last.
    fn next_batch(&self, inbox: &Receiver<Message>) -> (Vec<Box<dyn Job>>, bool) {
        let mut batch = Vec::new();
        match inbox.recv_timeout(self.sweep_interval) {
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
    fn work(&self, mut batch: Vec<Box<dyn Job>>, failed_at: &mut Option<Instant>) {
        if !self.engine.is_open()
            && failed_at.is_none_or(|failed: Instant| failed.elapsed() >= REOPEN_PAUSE)
        {
            self.mend(failed_at);
        }
        let fate = self
            .engine
            .with(|database| self.commit(database, &mut batch));
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
            self.mend(failed_at);
        }
        for job in batch {
            job.finish(fault.as_ref().map_or(Ok(()), Err));
        }
    }

    fn mend(&self, failed_at: &mut Option<Instant>) {
        match self.engine.reopen() {
            Ok(()) => *failed_at = None,
            Err(error) => {
                tracing::error!(kind = ?error.kind(), %error, "store can't be opened again");
                *failed_at = Some(Instant::now());
            }
        }
    }

    /// Runs a batch in one transaction. Nothing is written if nothing has changed.
    fn commit(&self, database: &Database, batch: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        let mut transaction = database.begin_write().map_err(Fault::from)?;
        transaction
            .set_durability(Durability::Immediate)
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
        if tables.finish()? {
            transaction.commit().map_err(Fault::from)?;
        } else {
            transaction.abort().map_err(Fault::from)?;
        }
        Ok(())
    }
}
