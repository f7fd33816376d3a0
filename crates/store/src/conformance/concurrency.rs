//! What holds when many ask at the same time.

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{LIFETIME, Subject};
use crate::{ErrorKind, Lease, StoreError};

/// How many ask at the same time.
const CALLERS: usize = 100;

/// Concurrent increments: none is lost, and every caller sees another sum.
///
/// # Errors
/// Where the engine failed.
pub async fn increments_sum_exactly(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:together:count";
    let mut tasks = JoinSet::new();
    for _ in 0..CALLERS {
        let store = subject.store();
        tasks.spawn(async move { store.increment(key, 1, None).await });
    }
    let mut sums = joined(tasks).await?;
    sums.sort_unstable();
    assert!(sums.into_iter().eq(1..=CALLERS as i64));
    assert_eq!(store.increment(key, 0, None).await?, CALLERS as i64);
    assert!(store.delete(key).await?);
    Ok(())
}

/// Of many who set what is absent, one does, and its value is there.
///
/// # Errors
/// Where the engine failed.
pub async fn one_of_many_sets_the_absent(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:together:absent";
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS {
        let store = subject.store();
        tasks.spawn(async move {
            let value = Bytes::from(caller.to_string());
            let won = store.set_if_absent(key, value.clone(), None).await?;
            Ok(won.then_some(value))
        });
    }
    let winners: Vec<_> = joined(tasks).await?.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(store.get(key).await?.as_ref(), winners.first());
    assert!(store.delete(key).await?);
    Ok(())
}

/// Of many who want the lease, one gets it, and the others are told who.
///
/// # Errors
/// Where the engine failed.
pub async fn one_of_many_gets_the_lease(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:together:lease";
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS {
        let store = subject.store();
        tasks.spawn(async move {
            let owner = format!("owner-{caller}");
            let lease = store.acquire_lease(key, &owner, LIFETIME).await?;
            Ok((owner, lease))
        });
    }
    let (granted, held): (Vec<_>, Vec<_>) = joined(tasks)
        .await?
        .into_iter()
        .partition(|(_, lease)| matches!(lease, Lease::Granted { .. }));
    let [(winner, _)] = granted.as_slice() else {
        assert_eq!(granted.len(), 1, "{granted:?}");
        return Ok(());
    };
    for (_, lease) in held {
        assert!(matches!(&lease, Lease::Held { owner, .. } if owner == winner));
    }
    assert!(store.release_lease(key, winner).await?);
    Ok(())
}

/// What all the tasks returned.
async fn joined<T: 'static>(
    mut tasks: JoinSet<Result<T, StoreError>>,
) -> Result<Vec<T>, StoreError> {
    let mut results = Vec::new();
    while let Some(task) = tasks.join_next().await {
        let result =
            task.map_err(|error| StoreError::with_source(ErrorKind::Engine, "joining", error))?;
        results.push(result?);
    }
    Ok(results)
}
