//! Channels: who listens hears, who doesn't loses nothing.

use std::time::Duration;

use bytes::Bytes;

use super::{Subject, assert_refused};
use crate::{ErrorKind, MAX_MESSAGE_BYTES, StoreError, Subscription};

/// Longest that a message may be under way.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every listener hears what is published after it began, in order; channels don't mix, and
/// share no names with keys.
///
/// # Errors
/// Where the engine failed.
pub async fn listeners_hear(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let (channel, other) = ("conformance:channel", "conformance:channel2");
    store
        .publish(channel, Bytes::from_static(b"nobody"))
        .await?;
    let mut one = store.subscribe(channel).await?;
    let mut two = store.subscribe(channel).await?;
    let mut neighbour = store.subscribe(other).await?;
    store.set(channel, Bytes::new(), None).await?;
    let large = Bytes::from(vec![b'x'; MAX_MESSAGE_BYTES]);
    for message in [Bytes::from_static(b"a\0b"), Bytes::new(), large.clone()] {
        store.publish(channel, message).await?;
    }
    store.publish(other, Bytes::from_static(b"other")).await?;
    for listener in [&mut one, &mut two] {
        assert_eq!(next(listener).await.as_deref(), Some(&b"a\0b"[..]));
        assert_eq!(next(listener).await.as_deref(), Some(&b""[..]));
        assert_eq!(next(listener).await.as_ref(), Some(&large));
    }
    assert_eq!(next(&mut neighbour).await.as_deref(), Some(&b"other"[..]));

    // One who goes leaves the others listening, and may come back.
    drop(one);
    store.publish(channel, Bytes::from_static(b"2")).await?;
    assert_eq!(next(&mut two).await.as_deref(), Some(&b"2"[..]));
    drop(two);
    let mut again = store.subscribe(channel).await?;
    store.publish(channel, Bytes::from_static(b"3")).await?;
    assert_eq!(next(&mut again).await.as_deref(), Some(&b"3"[..]));
    assert!(store.delete(channel).await?);

    let refused = store.publish("", Bytes::new()).await;
    assert_refused(refused, ErrorKind::InvalidArgument);
    assert_refused(store.subscribe("").await, ErrorKind::InvalidArgument);
    let too_large = Bytes::from(vec![0; MAX_MESSAGE_BYTES + 1]);
    let refused = store.publish(channel, too_large).await;
    assert_refused(refused, ErrorKind::InvalidArgument);
    Ok(())
}

async fn next(listener: &mut Subscription) -> Option<Bytes> {
    tokio::time::timeout(PATIENCE, listener.next())
        .await
        .unwrap_or(None)
}
