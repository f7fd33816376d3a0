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
        Lease::Granted { fence, .. } => fence,
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
            Ok(Ok(Lease::Granted { fence: present, .. })) if present == fence => renewed = asked,
            // A new fence: it had run out in between, and another may have had it.
            Ok(Ok(_)) => return,
            Ok(Err(_)) | Err(_) => {}
        }
        if renewed.elapsed() >= lifetime * 2 / 3 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::{EmbeddedConfig, EmbeddedStore, ManualClock};

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn who_loses_the_lease_stops_and_leaves_it_to_its_owner() {
        let clock = Arc::new(ManualClock::at(std::time::UNIX_EPOCH));
        let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap();
        let work = async {
            // Time passes for the store and not for this replica: it hung.
            clock.advance(LIFETIME * 2);
            let other = store
                .acquire_lease("l", "other", LIFETIME * 60)
                .await
                .unwrap();
            assert!(matches!(other, Lease::Granted { .. }));
            std::future::pending::<()>().await;
        };
        let turn = under(&store, "l", "one", LIFETIME, work).await.unwrap();
        assert_eq!(turn, Turn::Lost);
        let third = under(&store, "l", "third", LIFETIME, async {})
            .await
            .unwrap();
        assert_eq!(third, Turn::Held("other".into()));
    }

    #[tokio::test]
    async fn a_lease_that_had_run_out_is_lost_although_nobody_took_it() {
        let clock = Arc::new(ManualClock::at(std::time::UNIX_EPOCH));
        let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap();
        let work = async {
            clock.advance(LIFETIME * 2);
            // Somebody came and went.
            store.acquire_lease("l", "other", LIFETIME).await.unwrap();
            store.release_lease("l", "other").await.unwrap();
            std::future::pending::<()>().await;
        };
        let turn = under(&store, "l", "one", LIFETIME, work).await.unwrap();
        assert_eq!(turn, Turn::Lost);
        // And what it took anew in finding out is given back.
        let next = under(&store, "l", "next", LIFETIME, async { 7 })
            .await
            .unwrap();
        assert_eq!(next, Turn::Done(7));
    }
}
