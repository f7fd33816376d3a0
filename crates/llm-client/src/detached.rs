//! Work that outlives the call that began it: bounded, and waited for at the end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// Most pieces of work under way.
const MAX_TASKS: usize = 4_096;
/// Most of them that work at the same time; the others wait. A burst of calls that end
/// together would else overrun the store's queue.
const MAX_AT_ONCE: usize = 32;
/// Most time for each, the wait included.
const TASK_TIME: Duration = Duration::from_secs(10);

/// Runs short pieces of work in tasks of their own. Clones share one bound.
#[derive(Debug, Clone)]
pub(crate) struct Detached(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    under_way: watch::Sender<usize>,
    places: Semaphore,
}

/// A piece of work under way, until it is dropped.
pub(crate) struct UnderWay(Detached);

impl Detached {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            under_way: watch::Sender::new(0),
            places: Semaphore::new(MAX_AT_ONCE),
        }))
    }

    /// Starts a piece of work; false where too many are under way. It is given up after 10 s.
    #[must_use]
    pub(crate) fn run(
        &self,
        runtime: &Handle,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let Some(under_way) = self.track() else {
            return false;
        };
        runtime.spawn(async move {
            let work = async {
                // The semaphore is never closed.
                let _place = under_way.0.0.places.acquire().await;
                work.await;
            };
            if timeout(TASK_TIME, work).await.is_err() {
                tracing::warn!("work after a call took too long and was given up");
            }
            drop(under_way);
        });
        true
    }

    /// Counts work of the caller's own as under way until the guard is dropped; `None` where
    /// too much is.
    pub(crate) fn track(&self) -> Option<UnderWay> {
        let fits = self.0.under_way.send_if_modified(|count| {
            let fits = *count < MAX_TASKS;
            *count += usize::from(fits);
            fits
        });
        fits.then(|| UnderWay(self.clone()))
    }

    /// Waits for a moment when nothing is under way. Each piece has its limit of time.
    pub(crate) async fn idle(&self) {
        // The sender lives in `self`, so that the wait can't end by its loss.
        let _ = self
            .0
            .under_way
            .subscribe()
            .wait_for(|count| *count == 0)
            .await;
    }

    /// How many pieces are under way.
    pub(crate) fn under_way(&self) -> usize {
        *self.0.under_way.borrow()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let count = &self.0.0.under_way;
        count.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_is_bounded_waited_for_and_given_up_in_the_end() {
        let (detached, runtime) = (Detached::new(), Handle::current());
        for _ in 0..MAX_TASKS {
            assert!(detached.run(&runtime, std::future::pending()));
        }
        assert!(!detached.run(&runtime, std::future::ready(())));
        let waiting = detached.clone();
        let waiter = tokio::spawn(async move { waiting.idle().await });
        tokio::task::yield_now().await;
        assert_eq!(detached.under_way(), MAX_TASKS);
        waiter.await.unwrap();
        assert_eq!(detached.under_way(), 0);
        assert!(detached.run(&runtime, std::future::ready(())));
    }

    #[tokio::test]
    async fn whoever_waits_holds_nobody_up() {
        let (detached, runtime) = (Detached::new(), Handle::current());
        let (release, held) = tokio::sync::oneshot::channel::<()>();
        let work = async move {
            let _ = held.await;
        };
        assert!(detached.run(&runtime, work));
        let waiting = detached.clone();
        let waiter = tokio::spawn(async move { waiting.idle().await });
        tokio::task::yield_now().await;
        assert!(detached.run(&runtime, std::future::ready(())));
        drop(release);
        waiter.await.unwrap();
    }
}
