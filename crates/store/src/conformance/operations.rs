//! What each operation does, one caller at a time.

use std::time::Duration;

use bytes::Bytes;

use super::{LIFETIME, Subject, assert_refused};
use crate::{
    ErrorKind, Lease, MAX_KEY_BYTES, MAX_MEMBER_BYTES, MAX_VALUE_BYTES, Store, StoreError, TimeLeft,
};

/// Values: set, replaced, set only if absent, deleted; empty and large ones.
///
/// # Errors
/// Where the engine failed.
pub async fn values_are_kept(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:values";
    assert_eq!(store.get(key).await?, None);
    assert_eq!(store.time_left(key).await?, TimeLeft::Absent);
    assert!(!store.delete(key).await?);
    store.set(key, Bytes::from_static(b"one"), None).await?;
    assert_eq!(store.get(key).await?, Some(Bytes::from_static(b"one")));
    assert_eq!(store.time_left(key).await?, TimeLeft::Forever);
    store.set(key, Bytes::from_static(b"two"), None).await?;
    assert!(
        !store
            .set_if_absent(key, Bytes::from_static(b"no"), None)
            .await?
    );
    assert_eq!(store.get(key).await?, Some(Bytes::from_static(b"two")));
    assert!(store.delete(key).await?);
    assert_eq!(store.get(key).await?, None);
    assert!(store.set_if_absent(key, Bytes::new(), None).await?);
    assert_eq!(store.get(key).await?, Some(Bytes::new()));
    assert!(store.delete(key).await?);

    let large = Bytes::from(vec![b'x'; MAX_VALUE_BYTES]);
    store.set(key, large.clone(), None).await?;
    assert_eq!(store.get(key).await?, Some(large));
    assert!(store.delete(key).await?);
    store.flush().await?;
    let health = store.health().await;
    assert!(health.up, "{health:?}");
    assert_eq!(health.reason, None);
    Ok(())
}

/// Counters: from zero, down as well, to the ends of `i64` and not beyond.
///
/// # Errors
/// Where the engine failed.
pub async fn counters_count(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:counters";
    assert_eq!(store.increment(key, 5, None).await?, 5);
    assert_eq!(store.increment(key, -7, None).await?, -2);
    assert_eq!(store.increment(key, 0, None).await?, -2);
    assert_eq!(store.time_left(key).await?, TimeLeft::Forever);
    assert!(store.delete(key).await?);
    for end in [i64::MAX, i64::MIN] {
        assert_eq!(store.increment(key, end, None).await?, end);
        let beyond = store.increment(key, end.signum(), None).await;
        assert_refused(beyond, ErrorKind::InvalidArgument);
        assert_eq!(store.increment(key, 0, None).await?, end);
        assert!(store.delete(key).await?);
    }
    Ok(())
}

/// Sets: a member is in once; an empty set is gone; neighbours don't mix.
///
/// # Errors
/// Where the engine failed.
pub async fn sets_hold_members(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let (key, neighbour) = ("conformance:sets", "conformance:sets2");
    assert!(store.set_members(key, 10).await?.is_empty());
    assert!(!store.set_remove(key, "a").await?);
    for member in ["a", "b", "ñandú"] {
        assert!(store.set_insert(key, member, None).await?);
        assert!(!store.set_insert(key, member, None).await?);
    }
    assert!(store.set_insert(neighbour, "z", None).await?);
    assert_eq!(sorted(&*store, key).await?, ["a", "b", "ñandú"]);
    assert_eq!(store.set_members(key, 2).await?.len(), 2);
    assert!(store.set_members(key, 0).await?.is_empty());
    assert!(store.set_remove(key, "a").await?);
    assert!(!store.set_remove(key, "a").await?);
    assert!(store.set_remove(key, "b").await?);
    assert!(store.set_remove(key, "ñandú").await?);
    assert_eq!(store.time_left(key).await?, TimeLeft::Absent);
    assert!(!store.delete(key).await?);

    // What was deleted doesn't come back with the next member.
    assert!(store.set_insert(key, "old", None).await?);
    assert!(store.delete(key).await?);
    assert!(store.set_insert(key, "new", None).await?);
    assert_eq!(sorted(&*store, key).await?, ["new"]);
    // Nor when a value has lain in its place.
    store.set(key, Bytes::from_static(b"value"), None).await?;
    assert!(store.delete(key).await?);
    assert!(store.set_insert(key, "newer", None).await?);
    assert_eq!(sorted(&*store, key).await?, ["newer"]);
    assert_eq!(sorted(&*store, neighbour).await?, ["z"]);
    assert!(store.delete(key).await?);
    assert!(store.delete(neighbour).await?);
    Ok(())
}

/// Leases: one owner, who may have it anew; a fence that grows with every new holder.
///
/// # Errors
/// Where the engine failed.
pub async fn leases_exclude(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:leases";
    let first = fence(store.acquire_lease(key, "ana", LIFETIME).await?);
    assert_eq!(
        fence_again(store.acquire_lease(key, "ana", LIFETIME).await?),
        first
    );
    match store.acquire_lease(key, "luis", LIFETIME).await? {
        Lease::Held { owner, remaining } => {
            assert_eq!(owner, "ana");
            assert!(
                remaining <= LIFETIME && !remaining.is_zero(),
                "{remaining:?}"
            );
        }
        granted => assert!(matches!(granted, Lease::Held { .. }), "{granted:?}"),
    }
    assert!(!store.release_lease(key, "luis").await?);
    assert!(store.release_lease(key, "ana").await?);
    assert!(!store.release_lease(key, "ana").await?);
    let second = fence_again(store.acquire_lease(key, "luis", LIFETIME).await?);
    assert!(second > first, "{second} after {first}");

    subject.advance(LIFETIME * 2).await;
    assert!(!store.release_lease(key, "luis").await?);
    let third = fence_again(store.acquire_lease(key, "ana", LIFETIME).await?);
    assert!(third > second, "{third} after {second}");

    // An owner who asks in time keeps it past the first end.
    subject.advance(LIFETIME / 2).await;
    assert_eq!(
        fence_again(store.acquire_lease(key, "ana", LIFETIME).await?),
        third
    );
    subject.advance(LIFETIME * 3 / 4).await;
    let held = store.acquire_lease(key, "luis", LIFETIME).await?;
    assert!(matches!(held, Lease::Held { .. }), "{held:?}");
    assert!(store.release_lease(key, "ana").await?);
    Ok(())
}

/// A key holds one kind of thing; asking it for another is refused and changes nothing.
///
/// # Errors
/// Where the engine failed.
pub async fn kinds_are_kept_apart(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let keys = ["value", "counter", "set", "lease"].map(|kind| format!("conformance:kind:{kind}"));
    let [value, counter, set, lease] = &keys;
    store.set(value, Bytes::from_static(b"v"), None).await?;
    store.increment(counter, 1, None).await?;
    store.set_insert(set, "m", None).await?;
    store.acquire_lease(lease, "ana", LIFETIME).await?;
    for key in &keys {
        if key != value {
            assert_refused(store.get(key).await, ErrorKind::WrongKind);
        }
        if key != counter {
            let sum = store.increment(key, 1, None).await;
            assert_refused(sum, ErrorKind::WrongKind);
        }
        if key != set {
            assert_refused(store.set_insert(key, "x", None).await, ErrorKind::WrongKind);
            assert_refused(store.set_remove(key, "x").await, ErrorKind::WrongKind);
            assert_refused(store.set_members(key, 1).await, ErrorKind::WrongKind);
        }
        if key != lease {
            let taken = store.acquire_lease(key, "ana", LIFETIME).await;
            assert_refused(taken, ErrorKind::WrongKind);
            let released = store.release_lease(key, "ana").await;
            assert_refused(released, ErrorKind::WrongKind);
        }
        assert!(!store.set_if_absent(key, Bytes::new(), None).await?);
    }
    assert_eq!(store.get(value).await?, Some(Bytes::from_static(b"v")));
    assert_eq!(store.increment(counter, 0, None).await?, 1);
    assert_eq!(store.set_members(set, 9).await?, ["m"]);
    for key in &keys {
        store.set(key, Bytes::from_static(b"over"), None).await?;
        assert_eq!(store.get(key).await?, Some(Bytes::from_static(b"over")));
        assert!(store.delete(key).await?);
    }
    Ok(())
}

/// Arguments outside their domain are the caller's fault, and change nothing.
///
/// # Errors
/// Where the engine failed.
pub async fn arguments_are_checked(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let longest = "k".repeat(MAX_KEY_BYTES);
    store.set(&longest, Bytes::from_static(b"v"), None).await?;
    assert!(store.delete(&longest).await?);
    for bad in [String::new(), "k".repeat(MAX_KEY_BYTES + 1)] {
        assert_refused(store.get(&bad).await, ErrorKind::InvalidArgument);
        let set = store.set(&bad, Bytes::new(), None).await;
        assert_refused(set, ErrorKind::InvalidArgument);
        assert_refused(store.delete(&bad).await, ErrorKind::InvalidArgument);
        assert_refused(
            store.increment(&bad, 1, None).await,
            ErrorKind::InvalidArgument,
        );
        assert_refused(store.time_left(&bad).await, ErrorKind::InvalidArgument);
    }
    let key = "conformance:arguments";
    for bad in [String::new(), "m".repeat(MAX_MEMBER_BYTES + 1)] {
        let inserted = store.set_insert(key, &bad, None).await;
        assert_refused(inserted, ErrorKind::InvalidArgument);
        let taken = store.acquire_lease(key, &bad, LIFETIME).await;
        assert_refused(taken, ErrorKind::InvalidArgument);
    }
    let too_large = Bytes::from(vec![0; MAX_VALUE_BYTES + 1]);
    let set = store.set(key, too_large.clone(), None).await;
    assert_refused(set, ErrorKind::InvalidArgument);
    let set = store.set_if_absent(key, too_large, None).await;
    assert_refused(set, ErrorKind::InvalidArgument);

    let zero = Duration::ZERO;
    let set = store.set(key, Bytes::new(), Some(zero)).await;
    assert_refused(set, ErrorKind::InvalidArgument);
    let sum = store.increment(key, 1, Some(zero)).await;
    assert_refused(sum, ErrorKind::InvalidArgument);
    assert_refused(store.expire(key, zero).await, ErrorKind::InvalidArgument);
    let taken = store.acquire_lease(key, "ana", zero).await;
    assert_refused(taken, ErrorKind::InvalidArgument);
    assert_eq!(store.time_left(key).await?, TimeLeft::Absent);
    Ok(())
}

/// All members under `key`, in order.
async fn sorted(store: &dyn Store, key: &str) -> Result<Vec<String>, StoreError> {
    let mut members = store.set_members(key, 100).await?;
    members.sort();
    Ok(members)
}

/// The fence of a lease that must have been granted, of a key that has been held before.
fn fence_again(lease: Lease) -> u64 {
    assert!(!matches!(lease, Lease::Granted { first: true, .. }));
    fence(lease)
}

/// The fence of a lease that must have been granted.
fn fence(lease: Lease) -> u64 {
    match lease {
        Lease::Granted { fence, .. } => fence,
        Lease::Held { owner, .. } => {
            assert_eq!(owner, "nobody", "the lease should have been free");
            0
        }
    }
}
