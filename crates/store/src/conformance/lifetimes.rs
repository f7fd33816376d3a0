//! How lifetimes begin, change and end.

use bytes::Bytes;

use super::{LIFETIME, MOST_OF_IT, Subject};
use crate::{StoreError, TimeLeft};

/// What has ended is absent to every operation.
///
/// # Errors
/// Where the engine failed.
pub async fn lifetimes_end(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:ends";
    store
        .set(key, Bytes::from_static(b"v"), Some(LIFETIME))
        .await?;
    let left = store.time_left(key).await?;
    assert!(
        matches!(left, TimeLeft::For(left) if left <= LIFETIME),
        "{left:?}"
    );
    subject.advance(MOST_OF_IT).await;
    assert_eq!(store.get(key).await?, Some(Bytes::from_static(b"v")));
    let left = store.time_left(key).await?;
    assert!(
        matches!(left, TimeLeft::For(left) if left <= LIFETIME - MOST_OF_IT),
        "{left:?}"
    );
    subject.advance(MOST_OF_IT).await;
    assert_eq!(store.get(key).await?, None);
    assert_eq!(store.time_left(key).await?, TimeLeft::Absent);
    assert!(!store.expire(key, LIFETIME).await?);
    assert!(!store.delete(key).await?);

    // What is dead is no obstacle, whatever it was.
    store.set(key, Bytes::new(), Some(LIFETIME)).await?;
    subject.advance(LIFETIME * 2).await;
    assert!(
        store
            .set_if_absent(key, Bytes::new(), Some(LIFETIME))
            .await?
    );
    subject.advance(LIFETIME * 2).await;
    assert_eq!(store.increment(key, 3, Some(LIFETIME)).await?, 3);
    subject.advance(LIFETIME * 2).await;
    assert!(store.set_insert(key, "m", Some(LIFETIME)).await?);
    subject.advance(LIFETIME * 2).await;
    store.acquire_lease(key, "ana", LIFETIME).await?;
    subject.advance(LIFETIME * 2).await;
    assert_eq!(store.get(key).await?, None);
    assert!(!store.delete(key).await?);
    Ok(())
}

/// A write, or `expire`, replaces the lifetime that was there.
///
/// # Errors
/// Where the engine failed.
pub async fn lifetimes_follow_the_last_write(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:anew";
    let value = Bytes::from_static(b"v");
    store.set(key, value.clone(), Some(LIFETIME)).await?;
    subject.advance(MOST_OF_IT).await;
    assert!(store.expire(key, LIFETIME).await?);
    subject.advance(MOST_OF_IT).await;
    assert_eq!(store.get(key).await?, Some(value.clone()));
    // A set that did nothing gives no lifetime.
    assert!(!store.set_if_absent(key, value.clone(), None).await?);
    subject.advance(MOST_OF_IT).await;
    assert_eq!(store.get(key).await?, None);

    store.set(key, value.clone(), Some(LIFETIME)).await?;
    store.set(key, value.clone(), None).await?;
    subject.advance(LIFETIME * 2).await;
    assert_eq!(store.time_left(key).await?, TimeLeft::Forever);
    assert!(store.expire(key, LIFETIME).await?);
    subject.advance(LIFETIME * 2).await;
    assert_eq!(store.time_left(key).await?, TimeLeft::Absent);
    Ok(())
}

/// A counter's lifetime is that of the call that made it, so that its window ends in time.
///
/// # Errors
/// Where the engine failed.
pub async fn counters_keep_their_window(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:window";
    assert_eq!(store.increment(key, 1, Some(LIFETIME)).await?, 1);
    subject.advance(MOST_OF_IT).await;
    assert_eq!(store.increment(key, 1, Some(LIFETIME)).await?, 2);
    assert_eq!(store.increment(key, 1, None).await?, 3);
    subject.advance(MOST_OF_IT).await;
    assert_eq!(store.increment(key, 1, Some(LIFETIME)).await?, 1);
    assert!(store.delete(key).await?);
    Ok(())
}

/// A set has one lifetime: any insert that gives one starts it anew for all members.
///
/// # Errors
/// Where the engine failed.
pub async fn sets_live_and_die_whole(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:whole";
    assert!(store.set_insert(key, "a", Some(LIFETIME)).await?);
    subject.advance(MOST_OF_IT).await;
    // Without a lifetime, the set's own stays.
    assert!(store.set_insert(key, "b", None).await?);
    let left = store.time_left(key).await?;
    assert!(
        matches!(left, TimeLeft::For(left) if left <= LIFETIME - MOST_OF_IT),
        "{left:?}"
    );
    // With one, it starts anew, also for a member that was in already.
    assert!(!store.set_insert(key, "b", Some(LIFETIME)).await?);
    subject.advance(MOST_OF_IT).await;
    assert_eq!(store.set_members(key, 9).await?.len(), 2);
    subject.advance(MOST_OF_IT).await;
    assert!(store.set_members(key, 9).await?.is_empty());
    assert!(!store.set_remove(key, "a").await?);
    assert!(store.set_insert(key, "c", None).await?);
    assert_eq!(store.set_members(key, 9).await?, ["c"]);
    assert!(store.delete(key).await?);
    Ok(())
}
