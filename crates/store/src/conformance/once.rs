//! What is computed once for all who ask.

use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{LIFETIME, Subject, assert_refused};
use crate::{Conclusion, ErrorKind, Lease, MAX_VALUE_BYTES, StoreError, ValueOrLease};

/// Longest that a message may be under way.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where there is a value nothing is asked of the lease; where there is none one gets the lease, and
/// ends with the value put, those who listen told and the lease free.
///
/// # Errors
/// Where the engine failed.
pub async fn what_is_made_once_is_there_for_all(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let (key, lease) = ("conformance:once:value", "conformance:once:lease");
    let ask = |owner: &'static str| {
        let store = subject.store();
        async move { store.get_or_lease(key, lease, owner, LIFETIME).await }
    };
    let mut ear = store.subscribe(lease).await?;
    assert_granted(ask("ana").await?);
    let answer = ask("luis").await?;
    assert!(
        matches!(&answer, ValueOrLease::Lease(Lease::Held { owner, remaining })
            if owner == "ana" && *remaining <= LIFETIME && !remaining.is_zero()),
        "{answer:?}"
    );
    let value = Bytes::from_static(b"\0made\xff");
    let conclusion = |owner, value| Conclusion {
        lease,
        owner,
        value,
        message: Bytes::from_static(b"told\0"),
    };
    let put = Some((key, value.clone(), LIFETIME));
    store.conclude(conclusion("ana", put)).await?;
    let heard = tokio::time::timeout(PATIENCE, ear.next()).await;
    assert_eq!(heard.ok().flatten().as_deref(), Some(&b"told\0"[..]));
    assert_eq!(ask("luis").await?, ValueOrLease::Value(value.clone()));
    assert_eq!(store.get(key).await?, Some(value));
    // The value has its lifetime, and nobody has the lease.
    subject.advance(LIFETIME * 2).await;
    assert_granted(ask("luis").await?);

    // Who has no lease any more tells, and takes nobody's away.
    store.conclude(conclusion("ana", None)).await?;
    let heard = tokio::time::timeout(PATIENCE, ear.next()).await;
    assert!(heard.ok().flatten().is_some());
    let held = ask("ana").await?;
    assert!(
        matches!(held, ValueOrLease::Lease(Lease::Held { .. })),
        "{held:?}"
    );
    store.conclude(conclusion("luis", None)).await?;
    assert_granted(ask("ana").await?);
    assert!(store.release_lease(lease, "ana").await?);

    // A value that can't be kept holds nobody up.
    assert_granted(ask("ana").await?);
    let put = Some((key, Bytes::from(vec![0; MAX_VALUE_BYTES + 1]), LIFETIME));
    let refused = store.conclude(conclusion("ana", put)).await;
    assert_refused(refused, ErrorKind::InvalidArgument);
    let heard = tokio::time::timeout(PATIENCE, ear.next()).await;
    assert!(heard.ok().flatten().is_some());
    assert!(!store.release_lease(lease, "ana").await?);

    // A key of another kind is no value.
    store.increment(key, 1, None).await?;
    assert_refused(ask("ana").await, ErrorKind::WrongKind);
    assert!(store.delete(key).await?);
    let refused = store.get_or_lease("", lease, "ana", LIFETIME).await;
    assert_refused(refused, ErrorKind::InvalidArgument);
    let refused = store.get_or_lease(key, lease, "ana", Duration::ZERO).await;
    assert_refused(refused, ErrorKind::InvalidArgument);
    Ok(())
}

/// Of many who ask at once, one is to make the value.
///
/// # Errors
/// Where the engine failed.
pub async fn one_of_many_is_to_make_it(subject: &dyn Subject) -> Result<(), StoreError> {
    let (key, lease) = ("conformance:once:many", "conformance:once:many:lease");
    let mut tasks = JoinSet::new();
    for caller in 0..100 {
        let store = subject.store();
        tasks.spawn(async move {
            let owner = format!("caller-{caller}");
            let answer = store.get_or_lease(key, lease, &owner, LIFETIME).await?;
            Ok::<_, StoreError>((owner, answer))
        });
    }
    let mut winners = Vec::new();
    while let Some(answer) = tasks.join_next().await {
        let answer = answer.map_err(|_| StoreError::new(ErrorKind::Engine, "joining"))?;
        let (owner, answer) = answer?;
        if let ValueOrLease::Lease(Lease::Granted { .. }) = answer {
            winners.push(owner);
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    for winner in winners {
        assert!(subject.store().release_lease(lease, &winner).await?);
    }
    Ok(())
}

fn assert_granted(answer: ValueOrLease) {
    let granted = matches!(answer, ValueOrLease::Lease(Lease::Granted { .. }));
    assert!(granted, "{answer:?}");
}
