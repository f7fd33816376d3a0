//! Work that outlives the call that began it: bounded, and waited for at the end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Most pieces of work under way.
const MAX_TASKS: u32 = 4_096;
/// Most time for each.
const TASK_TIME: Duration = Duration::from_secs(10);

/// Runs short pieces of work in tasks of their own. Clones share one bound.
#[derive(Debug, Clone)]
pub(crate) struct Detached(Arc<Semaphore>);

impl Detached {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_TASKS as usize)))
    }

    /// Starts a piece of work; false where too many are under way. It is given up after 10 s.
    #[must_use]
    pub(crate) fn run(
        &self,
        runtime: &Handle,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else {
            return false;
        };
        runtime.spawn(async move {
            if timeout(TASK_TIME, work).await.is_err() {
                tracing::warn!("work after a call took too long and was given up");
            }
            drop(permit);
        });
        true
    }

    /// Waits until what is under way has ended. Each piece has its limit of time, and so has
    /// this.
    pub(crate) async fn idle(&self) {
        let _ = self.0.acquire_many(MAX_TASKS).await;
    }

    /// How many pieces are under way.
    pub(crate) fn under_way(&self) -> usize {
        (MAX_TASKS as usize).saturating_sub(self.0.available_permits())
    }
}
