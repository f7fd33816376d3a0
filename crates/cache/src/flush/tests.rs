//! What a flush covers, what it leaves, and how replicas learn of it.

use std::time::SystemTime;

use store::{Clock, EmbeddedConfig, EmbeddedStore, ManualClock, Store};

use super::*;
use crate::{CacheConfig, Computed, Keep, Mode, Policy, Status};

const SECOND: Duration = Duration::from_secs(1);

struct World {
    clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
}

impl World {
    fn new() -> Self {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = Arc::new(ManualClock::at(start));
        let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap();
        Self {
            clock,
            store: Arc::new(store),
        }
    }

    fn replica(&self) -> Cache {
        let store = Some(Arc::clone(&self.store));
        let clock: Arc<dyn Clock> = self.clock.clone();
        Cache::new(
            &CacheConfig::default(),
            &["validate", "match"],
            store,
            clock,
        )
        .unwrap()
    }
}

fn key(operation: &'static str, tenant: &str) -> CacheKey {
    CacheKey::builder(operation, tenant).finish()
}

async fn ask(cache: &Cache, key: &CacheKey) -> Status {
    let compute = || async {
        let keep = Keep::For(Duration::from_secs(3_600));
        Ok::<_, std::convert::Infallible>(Computed::new(&b"answer"[..], keep))
    };
    let policy = Policy::new(Duration::from_secs(30));
    let answer = cache
        .get_or_compute(key, policy, Mode::Normal, compute)
        .await;
    // So that the second tier has it.
    assert!(cache.drain(Duration::from_secs(10)).await);
    answer.unwrap().status
}

fn scope(operation: Option<&str>, tenant: Option<&str>) -> FlushScope {
    FlushScope {
        operation: operation.map(str::to_owned),
        tenant: tenant.map(str::to_owned),
    }
}

#[tokio::test]
async fn both_tiers_forget_what_is_in_scope_and_nothing_else() {
    let everything = [
        ("validate", "erp/1"),
        ("validate", "erp/2"),
        ("validate", "erp2/1"),
        ("match", "erp/1"),
    ];
    for (flush, gone) in [
        (scope(None, None), vec![0, 1, 2, 3]),
        (scope(Some("validate"), None), vec![0, 1, 2]),
        (scope(None, Some("erp")), vec![0, 1, 3]),
        (scope(None, Some("erp/1")), vec![0, 3]),
        (scope(Some("validate"), Some("erp/2")), vec![1]),
        (scope(Some("chat"), None), vec![]),
        (scope(Some("*"), None), vec![]),
    ] {
        let world = World::new();
        let (here, there) = (world.replica(), world.replica());
        for (operation, tenant) in everything {
            let key = key(operation, tenant);
            assert_eq!(ask(&here, &key).await, Status::Miss);
            assert_eq!(ask(&there, &key).await, Status::Hit, "from the store");
        }
        world.clock.advance(SECOND);
        assert_eq!(here.flush(&flush).await, Flushed::Everywhere);
        assert_eq!(there.share_flushes().await, Flushed::Everywhere);
        world.clock.advance(SECOND);
        for (index, (operation, tenant)) in everything.into_iter().enumerate() {
            let key = key(operation, tenant);
            let expected = if gone.contains(&index) {
                Status::Miss
            } else {
                Status::Hit
            };
            assert_eq!(ask(&here, &key).await, expected, "{flush:?}, {tenant}");
            assert_eq!(ask(&there, &key).await, Status::Hit, "what is new is kept");
        }
    }
}

#[tokio::test]
async fn a_replica_that_starts_later_knows_and_the_marks_end_with_the_entries() {
    let world = World::new();
    let here = world.replica();
    let key = key("validate", "erp/1");
    ask(&here, &key).await;
    world.clock.advance(SECOND);
    here.flush(&scope(None, None)).await;
    let later = world.replica();
    later.share_flushes().await;
    assert_eq!(ask(&later, &key).await, Status::Miss);
    world
        .clock
        .advance(CacheConfig::default().max_lifetime() + SECOND);
    later.share_flushes().await;
    assert!(later.inner.marks.list().is_empty());
    assert!(!later.inner.marks.any.load(Ordering::Acquire));
}

#[tokio::test]
async fn replicas_that_flush_beside_each_other_lose_nothing() {
    let world = World::new();
    let replicas: Vec<_> = (0..4).map(|_| world.replica()).collect();
    for (index, replica) in replicas.iter().enumerate() {
        let flushed = replica
            .flush(&scope(None, Some(&format!("erp{index}"))))
            .await;
        assert_eq!(flushed, Flushed::Everywhere);
    }
    for replica in &replicas {
        replica.share_flushes().await;
        assert_eq!(replica.inner.marks.list().len(), 4);
    }
}

#[tokio::test]
async fn a_computation_that_began_before_is_not_served_after() {
    let world = World::new();
    let cache = world.replica();
    let key = key("validate", "erp/1");
    let entry = |created_ms, compute_ms| Entry {
        value: Bytes::new(),
        shape: crate::entry::Shape::Whole,
        created_ms,
        fresh_until_ms: u64::MAX,
        expires_ms: u64::MAX,
        compute_ms,
        cost: crate::Cost::FREE,
        renew_from_ms: 0,
    };
    let at = cache.inner.now_ms();
    cache.flush(&scope(None, None)).await;
    let marks = &cache.inner.marks;
    assert!(marks.cover(&key, &entry(at + 500, 500)));
    assert!(!marks.cover(&key, &entry(at + 500, 499)));
}

#[test]
fn marks_are_bounded_and_read_back() {
    let mark = |at_ms, tenant| Mark {
        at_ms,
        operation: Some("validate".to_owned()),
        tenant,
    };
    let some = [mark(5, None), mark(7, Some(9))];
    assert_eq!(decode(&encode(&some)), some);
    assert_eq!(decode(b"nonsense\n5 x zz\n6 * *\n\xff").len(), 0);
    assert_eq!(decode(b"nonsense\n5 x zz\n6 * *\n").len(), 1);
    assert_eq!(merged(&some, &[mark(8, None)], 0).len(), 2);
    assert_eq!(merged(&some, &[], 6).len(), 1);
    let many: Vec<_> = (0..100).map(|i| mark(i, Some(i))).collect();
    let one = merged(&many, &[], 0);
    assert_eq!((one.len(), one[0].at_ms, one[0].tenant), (1, 99, None));
    assert_eq!(one[0].operation, None);
}
