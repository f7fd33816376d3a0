//! The database behind a slot: it can be closed, and opened again after a failure of the disk,
//! under the feet of those who use it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use redb::{Database, ReadTransaction, ReadableDatabase};

use super::fault::{Failure, Fault};
use super::open::OpenError;
use super::tables::Limits;
use crate::{Clock, ErrorKind};

/// Opens the engine's home again. None for a home that lives only as long as its handle.
pub(super) type Reopen = Box<dyn Fn() -> Result<Database, OpenError> + Send + Sync>;

/// What readers and the writer share.
pub(super) struct Engine {
    slot: RwLock<Option<Database>>,
    reopen: Option<Reopen>,
    clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
}

impl Engine {
    pub(super) fn new(
        database: Database,
        reopen: Option<Reopen>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Self {
        Self {
            slot: RwLock::new(Some(database)),
            reopen,
            clock,
            limits,
        }
    }

    /// Now, in Unix milliseconds.
    pub(super) fn now(&self) -> u64 {
        self.micros() / 1_000
    }

    /// Now, in Unix microseconds.
    pub(super) fn micros(&self) -> u64 {
        self.clock
            .now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_micros()
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// Runs `read` on what is committed. Blocks.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction, u64) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with(|database| {
            let transaction = database.begin_read().map_err(Fault::from)?;
            read(&transaction, self.now())
        })
    }

    /// Runs `work` on the database, if it is open. A panic in there is a fault like others:
    /// redb may meet pages that make no sense on a disk that lies. Blocks.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let slot = self.slot.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = slot.as_ref() else {
            return Err(Failure::Engine(Fault::closed()));
        };
        panic::catch_unwind(AssertUnwindSafe(|| work(database))).unwrap_or_else(|_| {
            Err(Failure::Engine(Fault::new(
                ErrorKind::Corrupt,
                "the engine panicked",
            )))
        })
    }

    /// Whether the database is open.
    pub(super) fn is_open(&self) -> bool {
        self.slot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Closes the database and opens it again, where its home allows: redb refuses everything
    /// after a failure of the disk. It stays closed if that fails. Blocks.
    pub(super) fn reopen(&self) -> Result<(), OpenError> {
        let Some(reopen) = &self.reopen else {
            return Ok(());
        };
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        drop(slot.take());
        *slot = Some(reopen()?);
        Ok(())
    }

    /// Closes the database for good. Blocks.
    pub(super) fn close(&self) {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = slot.take()
            && let Err(error) = database.close()
        {
            // Nothing acknowledged is lost: the next open repairs the file.
            tracing::warn!(%error, "store closed with an error");
        }
    }
}
