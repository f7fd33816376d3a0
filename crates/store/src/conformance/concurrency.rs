//! What holds when many ask at the same time.

use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{LIFETIME, Subject};
use crate::{Added, Addition, ErrorKind, Lease, Rate, StoreError};

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

/// Of many who add to a budget together, exactly as many get through as it has room for, and
/// all counters tell the same.
///
/// # Errors
/// Where the engine failed.
pub async fn additions_never_exceed(subject: &dyn Subject) -> Result<(), StoreError> {
    const LIMIT: i64 = CALLERS as i64 / 2;
    let store = subject.store();
    let keys = ["conformance:{budget}:a", "conformance:{budget}:b"];
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS {
        let store = subject.store();
        tasks.spawn(async move {
            // Only one of the two is limited, so that a half-made addition shows.
            let limits = [(caller % 2 == 0).then_some(LIMIT), Some(LIMIT)];
            let mut additions = [0, 1].map(|index| Addition {
                key: keys[index],
                by: 1,
                limit: limits[index],
                lifetime: None,
            });
            if caller % 3 == 0 {
                additions.reverse();
            }
            store.add_all(&additions).await
        });
    }
    let done = joined(tasks).await?;
    let through = done
        .iter()
        .filter(|added| matches!(added, Added::All(_)))
        .count();
    assert_eq!(through as i64, LIMIT, "{done:?}");
    assert_eq!(store.counters(&keys).await?, [LIMIT; 2]);
    for key in keys {
        assert!(store.delete(key).await?);
    }
    Ok(())
}

/// Of many who ask a rate limit, exactly the burst gets through.
///
/// # Errors
/// Where the engine failed.
pub async fn bursts_are_exact(subject: &dyn Subject) -> Result<(), StoreError> {
    const BURST: u32 = CALLERS as u32 / 4;
    let store = subject.store();
    let key = "conformance:together:rate";
    let rate = Rate::per(BURST, Duration::from_secs(86_400))?;
    let mut tasks = JoinSet::new();
    for _ in 0..CALLERS {
        let store = subject.store();
        tasks.spawn(async move { store.throttle(key, rate, 1).await });
    }
    let answers = joined(tasks).await?;
    let through = answers.iter().filter(|answer| answer.allowed).count();
    assert_eq!(through as u32, BURST);
    assert!(store.delete(key).await?);
    Ok(())
}

/// Of many who replace the same value, one wins each round, and none is lost.
///
/// # Errors
/// Where the engine failed.
pub async fn comparing_loses_nothing(subject: &dyn Subject) -> Result<(), StoreError> {
    const WRITERS: usize = 8;
    let store = subject.store();
    let key = "conformance:together:compared";
    store.set(key, Bytes::new(), None).await?;
    let mut tasks = JoinSet::new();
    for _ in 0..WRITERS {
        let store = subject.store();
        tasks.spawn(async move {
            // Appends one byte: whoever loses a round reads again.
            loop {
                let before = store.get(key).await?.unwrap_or_default();
                let after = Bytes::from([&before[..], b"x"].concat());
                if store
                    .compare_and_set(key, Some(&before), after, None)
                    .await?
                {
                    return Ok(());
                }
            }
        });
    }
    joined(tasks).await?;
    let written = store.get(key).await?.unwrap_or_default();
    assert_eq!(written.len(), WRITERS);
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
