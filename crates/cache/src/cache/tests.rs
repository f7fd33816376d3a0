//! What can't be brought about from outside: a call that looked just before a flight landed,
//! and joins just after.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use store::SystemClock;

use super::Cache;
use crate::flight::Landing;
use crate::inner::Order;
use crate::metrics::Source;
use crate::{CacheConfig, CacheKey, Computed, Keep, Mode, Policy, Sharing};

fn computed(value: &'static [u8]) -> Result<Computed, ()> {
    Ok(Computed::new(
        Bytes::from_static(value),
        Keep::For(Duration::from_secs(60)),
    ))
}

#[tokio::test]
async fn who_comes_between_two_flights_finds_what_the_first_one_left() {
    for max_flights in [1, 2] {
        let config = CacheConfig {
            max_flights,
            ..CacheConfig::default()
        };
        let cache = Cache::new(&config, &[], None, Arc::new(SystemClock)).unwrap();
        let policy = Policy::new(Duration::from_secs(30));
        let key = CacheKey::builder("validate", "1").finish();
        let other = CacheKey::builder("validate", "2").finish();
        // With room for one flight, this one leaves the next call alone.
        let order = |key| Order {
            key,
            policy,
            after_ms: None,
            failures: 0,
        };
        let (order, other) = (order(key), order(other));
        let all = |(): &()| Sharing::Process;
        let never = cache.slow(&other, Mode::Normal, all, std::future::pending);
        tokio::pin!(never);

        let first = cache.slow(&order, Mode::Normal, all, || async { computed(b"first") });
        let (landing, source) = first.await;
        assert!(matches!(
            (landing, source),
            (Landing::Computed(..), Source::Miss)
        ));
        assert!(futures_util::poll!(&mut never).is_pending());
        let second = cache.slow(&order, Mode::Normal, all, || async { computed(b"again") });
        let (landing, _) = second.await;
        let Landing::Found(entry, Source::L1) = landing else {
            panic!("it computed again");
        };
        assert_eq!(entry.value, "first");
    }
}
