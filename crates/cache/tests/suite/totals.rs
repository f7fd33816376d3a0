//! What all replicas have done together.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cache::{Cache, CacheConfig, Mode};
use store::{Clock, Store, SystemClock};
use tokio::time::timeout;

use crate::common::{Broken, POLICY, SharedStore, kept, key};

const PATIENCE: Duration = Duration::from_secs(100);

fn replicas<const N: usize>(config: &CacheConfig) -> (Arc<SharedStore>, [Cache; N]) {
    let clock = Arc::new(SystemClock);
    let store = SharedStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let caches = std::array::from_fn(|_| {
        let store = Arc::clone(&store) as Arc<dyn Store>;
        Cache::new(config, &["validate"], Some(store), clock.clone()).unwrap()
    });
    (store, caches)
}

fn patient() -> CacheConfig {
    CacheConfig {
        store_read_deadline_ms: 60_000,
        store_write_deadline_ms: 60_000,
        ..CacheConfig::default()
    }
}

async fn ask(cache: &Cache, input: &str) {
    let key = key(input);
    let compute = || async { Ok::<_, Broken>(kept("value")) };
    let answer = cache
        .get_or_compute(&key, POLICY, Mode::Normal, compute)
        .await;
    answer.unwrap();
}

#[tokio::test]
async fn every_replica_sees_what_all_have_done_and_a_restart_loses_nothing() {
    let (store, [one, two]) = replicas(&patient());
    for _ in 0..3 {
        ask(&one, "a").await;
    }
    // Nothing shared yet: each sees its own.
    assert_eq!(two.shared_totals().await.unwrap().lookups(), 0);
    assert_eq!(one.shared_totals().await.unwrap().lookups(), 3);
    assert!(one.share_totals().await && one.share_totals().await);
    ask(&two, "b").await;
    let totals = two.shared_totals().await.unwrap();
    assert_eq!((totals.l1_hits, totals.misses), (2, 2));
    assert!((totals.hit_rate() - 0.5).abs() < f64::EPSILON);
    // The end of a process shares the rest.
    ask(&one, "a").await;
    assert!(one.drain(PATIENCE).await && two.drain(PATIENCE).await);
    drop((one, two));
    let next = Cache::new(&patient(), &[], Some(store), Arc::new(SystemClock)).unwrap();
    let totals = next.shared_totals().await.unwrap();
    assert_eq!((totals.l1_hits, totals.misses), (3, 2));
    assert_eq!(next.stats().lookups(), 0);
}

#[tokio::test]
async fn what_the_store_does_not_take_goes_with_the_next_batch() {
    let config = CacheConfig {
        store_write_deadline_ms: 1,
        ..patient()
    };
    let (store, [cache]) = replicas(&config);
    ask(&cache, "a").await;
    store.frozen.store(true, Ordering::SeqCst);
    assert!(!cache.share_totals().await);
    store.frozen.store(false, Ordering::SeqCst);
    // The deadline is short: try until the engine was quick enough.
    let shared = async { while !cache.share_totals().await {} };
    timeout(PATIENCE, shared).await.unwrap();
    let other = Cache::new(&patient(), &[], Some(store), Arc::new(SystemClock)).unwrap();
    assert!(other.shared_totals().await.unwrap().misses >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_store_gives_no_totals_and_no_wait() {
    let (store, [cache]) = replicas::<1>(&CacheConfig::default());
    store.frozen.store(true, Ordering::SeqCst);
    let begin = tokio::time::Instant::now();
    assert_eq!(cache.shared_totals().await, None);
    assert!(begin.elapsed() < Duration::from_millis(55));
    let alone = Cache::new(&CacheConfig::default(), &[], None, Arc::new(SystemClock)).unwrap();
    ask(&alone, "a").await;
    assert_eq!(alone.shared_totals().await.unwrap().misses, 1);
}

#[tokio::test]
async fn sharing_goes_on_by_itself_and_ends_with_the_cache() {
    let (store, [cache, other]) = replicas(&patient());
    let task = cache.spawn_sharing(Duration::from_millis(1));
    ask(&cache, "a").await;
    let shared = async {
        while other.shared_totals().await.unwrap().misses < 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, shared).await.unwrap();
    assert!(cache.drain(PATIENCE).await);
    drop((cache, store));
    timeout(PATIENCE, task).await.unwrap().unwrap();
}
