//! One at a time over all replicas.

use std::future::Future;
use std::time::Duration;

use store::{Lease, Store, StoreError};
use tokio::time::{Instant, sleep, timeout};

/// What came of asking for a lease.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn<T> {
    /// The work was done under it.
    Done(T),
    /// Somebody else has it.
    Held(String),
    /// It was lost while the work went on, which was stopped where it was.
    Lost,
}

/// Does the work under a lease, and renews that three times in its lifetime. The work stops when
/// the lease may be another's: when it is refused, or couldn't be renewed for two thirds of it.
/// Dropped, it leaves the lease to run out.
pub(super) async fn under<T>(
    store: &dyn Store,
    key: &str,
    owner: &str,
    lifetime: Duration,
    work: impl Future<Output = T>,
) -> Result<Turn<T>, StoreError> {
    let fence = match store.acquire_lease(key, owner, lifetime).await? {
        Lease::Granted { fence } => fence,
        Lease::Held { owner, .. } => return Ok(Turn::Held(owner)),
    };
    let done = tokio::select! {
        done = work => Turn::Done(done),
        () = lost(store, key, owner, lifetime, fence) => Turn::Lost,
    };
    // Also after a loss: a lease that is another's isn't given up by this.
    if let Err(error) = store.release_lease(key, owner).await {
        tracing::info!(%error, key, "a lease is left to run out");
    }
    Ok(done)
}

/// Resolves when the lease can't be counted on any more.
async fn lost(store: &dyn Store, key: &str, owner: &str, lifetime: Duration, fence: u64) {
    let mut renewed = Instant::now();
    loop {
        sleep(lifetime / 3).await;
        let asked = Instant::now();
        let answer = timeout(lifetime / 3, store.acquire_lease(key, owner, lifetime)).await;
        match answer {
            Ok(Ok(Lease::Granted { fence: present })) if present == fence => renewed = asked,
            // A new fence: it had run out in between, and another may have had it.
            Ok(Ok(_)) => return,
            Ok(Err(_)) | Err(_) => {}
        }
        if renewed.elapsed() >= lifetime * 2 / 3 {
            return;
        }
    }
}
