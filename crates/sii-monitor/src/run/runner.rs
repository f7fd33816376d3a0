//! A monitor that works in the background of a service, until that drains.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use super::Monitor;
use super::report::RunReport;
use super::turn::new_id;
use crate::archive::ArchiveError;

/// A monitor in tasks of its own: who asks for a run may go away, the run goes on.
#[derive(Debug)]
pub struct Runner {
    monitor: Arc<Monitor>,
    /// Every task holds a receiver: closed means that all have ended.
    tasks: watch::Sender<()>,
}

impl Runner {
    /// Serves the monitor, from now on, on the current tokio runtime.
    #[must_use]
    pub fn spawn(monitor: Arc<Monitor>) -> Self {
        let (tasks, alive) = watch::channel(());
        let served = Arc::clone(&monitor);
        tokio::spawn(async move {
            served.serve().await;
            drop(alive);
        });
        Self { monitor, tasks }
    }

    /// The monitor itself.
    #[must_use]
    pub const fn monitor(&self) -> &Arc<Monitor> {
        &self.monitor
    }

    /// Begins a run and waits for its report for so long; a run that takes longer goes on, and
    /// the answer is [`super::RunStatus::Running`] with its id. So it is where another run goes
    /// on already, with that one's id.
    ///
    /// # Errors
    /// [`ArchiveError`] where the store is out of reach.
    pub async fn ask(&self, force: bool, patience: Duration) -> Result<RunReport, ArchiveError> {
        let (began, run_id) = (Instant::now(), new_id());
        let (tell, told) = oneshot::channel();
        let (monitor, alive, id) = (
            Arc::clone(&self.monitor),
            self.tasks.subscribe(),
            run_id.clone(),
        );
        tokio::spawn(async move {
            let outcome = monitor.run_as(id, force).await;
            if let Err(Err(error)) = tell.send(outcome) {
                tracing::warn!(%error, "a run that nobody waits for any more failed");
            }
            drop(alive);
        });
        match timeout(patience, told).await {
            Ok(Ok(outcome)) => outcome,
            // Late, or it panicked: its status tells.
            Err(_) | Ok(Err(_)) => Ok(RunReport::running(run_id, began.elapsed())),
        }
    }

    /// Shuts the monitor down and waits for its tasks to end, at most for so long; says whether
    /// all did.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.monitor.shut_down();
        timeout(limit, self.tasks.closed()).await.is_ok()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.monitor.shut_down();
    }
}
