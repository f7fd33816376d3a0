//! Comparing, counting together, rate limits: what several replicas lean on.

use std::time::Duration;

use bytes::Bytes;

use super::{LIFETIME, MOST_OF_IT, Subject, assert_refused};
use crate::{Added, Addition, ErrorKind, MAX_ADDITIONS, MAX_COUNTERS, Rate, StoreError, TimeLeft};

/// Values are replaced only where what was expected is there, byte for byte.
///
/// # Errors
/// Where the engine failed.
pub async fn values_are_compared(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:compared";
    let (one, two) = (Bytes::from_static(b"one\0"), Bytes::from_static(b"two"));
    let cas = async |expected: Option<&[u8]>, value: &Bytes, life| {
        store
            .compare_and_set(key, expected, value.clone(), life)
            .await
    };
    assert!(!cas(Some(b""), &one, None).await?);
    assert_eq!(store.get(key).await?, None);
    assert!(cas(None, &one, None).await?);
    assert!(!cas(None, &two, None).await?);
    assert!(!cas(Some(b"one"), &two, None).await?);
    assert!(!cas(Some(b""), &two, None).await?);
    assert_eq!(store.get(key).await?, Some(one.clone()));
    assert!(cas(Some(&one), &two, Some(LIFETIME)).await?);
    assert!(matches!(store.time_left(key).await?, TimeLeft::For(_)));
    assert!(cas(Some(&two), &Bytes::new(), None).await?);
    assert_eq!(store.time_left(key).await?, TimeLeft::Forever);
    assert!(!cas(None, &one, None).await?);
    assert!(cas(Some(b""), &one, Some(LIFETIME)).await?);
    subject.advance(LIFETIME * 2).await;
    assert!(!cas(Some(&one), &two, None).await?);
    assert!(cas(None, &two, None).await?);
    assert!(store.delete(key).await?);

    store.increment(key, 1, None).await?;
    let refused = cas(None, &one, None).await;
    assert_refused(refused, ErrorKind::WrongKind);
    let refused = cas(Some(b"1"), &one, None).await;
    assert_refused(refused, ErrorKind::WrongKind);
    assert!(store.delete(key).await?);
    assert_refused(
        cas(None, &one, Some(Duration::ZERO)).await,
        ErrorKind::InvalidArgument,
    );
    Ok(())
}

/// Counters are read together, in the order asked, each as often as asked.
///
/// # Errors
/// Where the engine failed.
pub async fn counters_are_read_together(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let [a, b, none] = ["a", "b", "none"].map(|name| format!("conformance:read:{name}"));
    store.increment(&a, i64::MAX, None).await?;
    store.increment(&b, -7, Some(LIFETIME)).await?;
    let found = store.counters(&[&b, &none, &a, &b]).await?;
    assert_eq!(found, [-7, 0, i64::MAX, -7]);
    subject.advance(LIFETIME * 2).await;
    assert_eq!(store.counters(&[&b, &a]).await?, [0, i64::MAX]);
    assert!(store.counters(&[]).await?.is_empty());
    store.set(&b, Bytes::from_static(b"1"), None).await?;
    assert_refused(store.counters(&[&a, &b]).await, ErrorKind::WrongKind);
    assert_refused(store.counters(&[&a, ""]).await, ErrorKind::InvalidArgument);
    let too_many = vec![a.as_str(); MAX_COUNTERS + 1];
    assert_refused(store.counters(&too_many).await, ErrorKind::InvalidArgument);
    assert!(store.delete(&a).await?);
    assert!(store.delete(&b).await?);
    Ok(())
}

/// Additions happen all or not at all, and sums beyond 2⁵³ are exact.
///
/// # Errors
/// Where the engine failed.
pub async fn additions_go_together(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let [day, month] = ["day", "month"].map(|name| format!("conformance:{{add}}:{name}"));
    let both = async |by: i64, limits: [Option<i64>; 2]| {
        let [first, second] = limits;
        let additions = [add(&day, by, first), add(&month, by, second)];
        store.add_all(&additions).await
    };
    // One more than a double can tell.
    let large = (1_i64 << 53) + 1;
    assert_eq!(
        both(large, [Some(large), None]).await?,
        Added::All(vec![large; 2])
    );
    let over = Added::Over {
        index: 0,
        current: large,
    };
    assert_eq!(both(1, [Some(large), None]).await?, over);
    let over = Added::Over {
        index: 1,
        current: large,
    };
    assert_eq!(both(1, [None, Some(large)]).await?, over);
    assert_eq!(store.counters(&[&day, &month]).await?, [large; 2]);
    // To the limit is within it; and what takes off may, though the rest is still over.
    let raised = both(1, [Some(large + 1), None]).await?;
    assert_eq!(raised, Added::All(vec![large + 1; 2]));
    assert_eq!(
        both(-1, [Some(5), Some(0)]).await?,
        Added::All(vec![large; 2])
    );
    assert_eq!(both(0, [Some(0), None]).await?, Added::All(vec![large; 2]));

    // A sum that doesn't fit changes nothing, wherever it stands.
    let beyond = [add(&day, 5, None), add(&month, i64::MAX, None)];
    assert_refused(store.add_all(&beyond).await, ErrorKind::InvalidArgument);
    assert_eq!(store.counters(&[&day, &month]).await?, [large; 2]);
    assert!(store.delete(&day).await?);
    // What was not there before is not there after a refusal.
    let refused = [add(&day, 5, Some(5)), add(&month, 1, Some(1))];
    assert!(matches!(
        store.add_all(&refused).await?,
        Added::Over { index: 1, .. }
    ));
    assert_eq!(store.time_left(&day).await?, TimeLeft::Absent);
    assert_eq!(store.add_all(&[]).await?, Added::All(vec![]));
    assert!(store.delete(&month).await?);
    additions_are_checked(subject, &day, &month).await
}

/// The rest of [`additions_go_together`]: lifetimes, kinds, arguments.
async fn additions_are_checked(
    subject: &dyn Subject,
    day: &str,
    month: &str,
) -> Result<(), StoreError> {
    let store = subject.store();
    let lasting = |key, by| Addition {
        lifetime: Some(LIFETIME),
        ..add(key, by, None)
    };
    store.add_all(&[lasting(day, 1)]).await?;
    subject.advance(MOST_OF_IT).await;
    let sums = store.add_all(&[lasting(day, 1), lasting(month, 1)]).await?;
    assert_eq!(sums, Added::All(vec![2, 1]));
    subject.advance(MOST_OF_IT).await;
    assert_eq!(store.counters(&[day, month]).await?, [0, 1]);
    subject.advance(LIFETIME).await;

    store.set(month, Bytes::new(), None).await?;
    let mixed = [add(day, 1, None), add(month, 1, None)];
    assert_refused(store.add_all(&mixed).await, ErrorKind::WrongKind);
    assert_eq!(store.time_left(day).await?, TimeLeft::Absent);
    assert!(store.delete(month).await?);

    let twice = [add(day, 1, None), add(day, 1, None)];
    assert_refused(store.add_all(&twice).await, ErrorKind::InvalidArgument);
    let zero = [Addition {
        lifetime: Some(Duration::ZERO),
        ..add(day, 1, None)
    }];
    assert_refused(store.add_all(&zero).await, ErrorKind::InvalidArgument);
    let names: Vec<String> = (0..=MAX_ADDITIONS)
        .map(|index| format!("conformance:{{add}}:{index}"))
        .collect();
    let too_many: Vec<_> = names.iter().map(|name| add(name, 1, None)).collect();
    assert_refused(store.add_all(&too_many).await, ErrorKind::InvalidArgument);
    let most = too_many.get(1..).unwrap_or_default();
    assert!(matches!(store.add_all(most).await?, Added::All(_)));
    for addition in most {
        assert!(store.delete(addition.key).await?);
    }
    Ok(())
}

/// A rate limit lets a burst through, then as much as has come back.
///
/// # Errors
/// Where the engine failed.
pub async fn rates_are_limited(subject: &dyn Subject) -> Result<(), StoreError> {
    let store = subject.store();
    let key = "conformance:rate";
    // An interval that is long beside the time that a slow machine takes between two calls.
    let interval = Duration::from_secs(600);
    let rate = Rate::per(6, interval * 6)?.burst(3)?;
    let look = store.throttle(key, rate, 0).await?;
    assert!(look.allowed && look.remaining == 3 && look.reset_after.is_zero());
    assert_eq!(store.time_left(key).await?, TimeLeft::Absent);
    let first = store.throttle(key, rate, 1).await?;
    assert!(first.allowed && first.remaining == 2, "{first:?}");
    assert!(first.retry_after.is_zero());
    assert!(
        first.reset_after > interval / 2 && first.reset_after <= interval,
        "{first:?}"
    );
    let two = store.throttle(key, rate, 2).await?;
    assert!(two.allowed && two.remaining == 0, "{two:?}");
    let refused = store.throttle(key, rate, 1).await?;
    assert!(!refused.allowed && refused.remaining == 0, "{refused:?}");
    assert!(
        refused.retry_after > interval / 2 && refused.retry_after <= interval,
        "{refused:?}"
    );
    subject.advance(interval).await;
    let more = store.throttle(key, rate, 2).await?;
    assert!(!more.allowed && more.remaining == 1, "{more:?}");
    assert!(store.throttle(key, rate, 1).await?.allowed);
    assert!(!store.throttle(key, rate, 1).await?.allowed);
    // All back, and then nothing is kept.
    subject.advance(interval * 4).await;
    assert_eq!(store.time_left(key).await?, TimeLeft::Absent);
    assert!(store.throttle(key, rate, 3).await?.allowed);

    let never = store.throttle(key, rate, 4).await;
    assert_refused(never, ErrorKind::InvalidArgument);
    assert_refused(store.get(key).await, ErrorKind::WrongKind);
    assert_refused(store.increment(key, 1, None).await, ErrorKind::WrongKind);
    store.set(key, Bytes::new(), None).await?;
    assert_refused(store.throttle(key, rate, 1).await, ErrorKind::WrongKind);
    assert!(store.delete(key).await?);
    Ok(())
}

/// An addition without a lifetime.
fn add(key: &str, by: i64, limit: Option<i64>) -> Addition<'_> {
    Addition {
        key,
        by,
        limit,
        lifetime: None,
    }
}
