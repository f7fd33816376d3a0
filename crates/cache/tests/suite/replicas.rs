//! Several caches over one store: one computation for all of them, whatever happens to any.
//!
//! The store's clock is the test's, so that a lease ends only when the test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use cache::{
    Cache, CacheConfig, CacheError, CacheKey, Classify, Computed, Cost, Keep, Mode, Policy,
    Replicas, Sharing, Status,
};
use futures_util::future::join_all;
use store::{Clock, Lease, ManualClock, Store};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, timeout};

use crate::common::{Broken, Figures, LIFETIME, Outcome, SharedStore, Stage, kept, key};

/// A quarter of it is longer than any test takes: no sign of life is counted as a claim.
const LEASE: Duration = Duration::from_secs(60);
/// Longer than any test takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);
const POLICY: Policy = Policy::new(PATIENCE);

/// Several replicas.
struct Fleet {
    caches: Vec<Cache>,
    figures: Vec<Figures>,
    store: Arc<SharedStore>,
    clock: Arc<ManualClock>,
}

impl Fleet {
    fn new(replicas: usize) -> Self {
        let config = CacheConfig {
            // How busy the machine is is no matter here.
            store_read_deadline_ms: 60_000,
            store_write_deadline_ms: 60_000,
            lease_ms: 60_000,
            // Only messages wake who waits, unless a test says otherwise.
            poll_ms: 60_000,
            ..CacheConfig::default()
        };
        Self::with(replicas, &config)
    }

    /// Who waits looks often.
    fn polling(replicas: usize) -> Self {
        let config = CacheConfig {
            store_read_deadline_ms: 60_000,
            store_write_deadline_ms: 60_000,
            lease_ms: 60_000,
            poll_ms: 1,
            ..CacheConfig::default()
        };
        Self::with(replicas, &config)
    }

    fn with(replicas: usize, config: &CacheConfig) -> Self {
        let config = CacheConfig {
            replicas: Replicas::On,
            ..config.clone()
        };
        let clock = Arc::new(ManualClock::at(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        ));
        let store = SharedStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let (mut caches, mut all_figures) = (Vec::new(), Vec::new());
        for _ in 0..replicas {
            let figures = Figures::default();
            let cache = metrics::with_local_recorder(&figures, || {
                let store = Arc::clone(&store) as Arc<dyn Store>;
                let clock = Arc::clone(&clock) as Arc<dyn Clock>;
                Cache::new(&config, &["validate"], Some(store), clock)
            });
            caches.push(cache.unwrap());
            all_figures.push(figures);
        }
        Self {
            caches,
            figures: all_figures,
            store,
            clock,
        }
    }

    /// A call in a task of its own.
    fn call(&self, replica: usize, stage: &Stage, mode: Mode) -> JoinHandle<Outcome> {
        let stage = stage.clone();
        self.compute(
            replica,
            mode,
            |_| Sharing::Process,
            || stage.play(Ok(kept("staged"))),
        )
    }

    fn compute<F, Fut>(
        &self,
        replica: usize,
        mode: Mode,
        classify: Classify<Broken>,
        compute: F,
    ) -> JoinHandle<Outcome>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Computed, Broken>> + Send + 'static,
    {
        let (cache, key) = (self.caches[replica].clone(), key("a"));
        tokio::spawn(async move {
            cache
                .get_or_compute_sharing(&key, POLICY, mode, classify, compute)
                .await
        })
    }

    /// Returns when one more replica has begun to listen and has asked for the lease since.
    async fn somebody_waits(&self, waiting: usize) {
        let waits = async {
            while self.store.listeners.load(Ordering::SeqCst) < waiting {
                yield_now().await;
            }
            // Two claims of each, and one of the leader.
            while self.store.leases.load(Ordering::SeqCst) < 2 * waiting + 1 {
                yield_now().await;
            }
        };
        timeout(PATIENCE, waits).await.unwrap();
    }

    fn flights(&self, replica: usize, course: &str) -> u64 {
        let name = format!(r#"cache_replica_flights_total{{course="{course}"}}"#);
        self.figures[replica].count(&name)
    }

    async fn settle(&self) {
        for cache in &self.caches {
            assert!(cache.drain(PATIENCE).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_replicas_with_three_hundred_calls_each_compute_once() {
    let fleet = Fleet::new(3);
    let runs = Arc::new(AtomicUsize::new(0));
    let calls = (0..900).map(|number| {
        let runs = Arc::clone(&runs);
        fleet.compute(
            number % 3,
            Mode::Normal,
            |_| Sharing::Process,
            move || async move {
                runs.fetch_add(1, Ordering::SeqCst);
                yield_now().await;
                let cost = Cost {
                    pico_usd: 5,
                    tokens: 2,
                };
                Ok(kept("once").cost(cost))
            },
        )
    });
    let mut misses = 0;
    for answer in join_all(calls).await {
        let answer = answer.unwrap().unwrap();
        assert_eq!(answer.value, "once");
        misses += usize::from(answer.status == Status::Miss);
    }
    assert_eq!((runs.load(Ordering::SeqCst), misses), (1, 1));
    fleet.settle().await;
    // All replicas together, as each of them knows it.
    for cache in &fleet.caches {
        let totals = cache.shared_totals().await.unwrap();
        assert_eq!((totals.lookups(), totals.misses), (900, 1));
        assert_eq!(
            totals.saved,
            Cost {
                pico_usd: 899 * 5,
                tokens: 899 * 2
            }
        );
    }
}

#[tokio::test]
async fn who_waits_is_told_the_answer() {
    let fleet = Fleet::new(2);
    let stage = Stage::new();
    let leader = fleet.call(0, &stage, Mode::Normal);
    stage.has_begun().await;
    let follower = fleet.call(1, &stage, Mode::Normal);
    fleet.somebody_waits(1).await;
    let reads = fleet.store.reads.load(Ordering::SeqCst);
    stage.end();
    assert_eq!(leader.await.unwrap().unwrap().status, Status::Miss);
    let answer = follower.await.unwrap().unwrap();
    assert_eq!(
        (answer.status, &answer.value[..]),
        (Status::Coalesced, &b"staged"[..])
    );
    assert_eq!(stage.runs(), 1);
    fleet.settle().await;
    // It was told, not read; and it is in memory from now on.
    assert_eq!(fleet.store.reads.load(Ordering::SeqCst), reads);
    assert!(fleet.caches[1].get_local(&key("a")).is_some());
    assert_eq!((fleet.flights(0, "led"), fleet.flights(1, "told")), (1, 1));
    let stats = fleet.caches[1].stats();
    assert_eq!((stats.coalesced, stats.coalesced_elsewhere), (1, 1));
    let name = r#"cache_requests_total{operation="validate",result="coalesced",tier="replica"}"#;
    assert_eq!(fleet.figures[1].count(name), 1);
}

#[tokio::test]
async fn an_answer_that_is_not_kept_is_told_to_those_who_wait_and_to_nobody_else() {
    let fleet = Fleet::new(2);
    let stage = Stage::new();
    let passing = |stage: Stage| {
        let value = Computed::new("degraded", Keep::No);
        move || stage.play(Ok(value))
    };
    let all = |_: &Broken| Sharing::Process;
    let leader = fleet.compute(0, Mode::Normal, all, passing(stage.clone()));
    stage.has_begun().await;
    let follower = fleet.compute(1, Mode::Normal, all, passing(stage.clone()));
    fleet.somebody_waits(1).await;
    stage.end();
    for call in [leader, follower] {
        assert_eq!(call.await.unwrap().unwrap().value, "degraded");
    }
    assert_eq!(stage.runs(), 1);
    fleet.settle().await;
    let next = fleet.call(1, &stage, Mode::Normal);
    stage.has_begun().await;
    stage.end();
    assert_eq!(next.await.unwrap().unwrap().status, Status::Miss);
}

#[tokio::test]
async fn an_answer_too_large_to_be_told_is_found_in_the_store() {
    let fleet = Fleet::new(2);
    let stage = Stage::new();
    // Noise: it doesn't compress.
    let mut noise = vec![0; 200_000];
    let mut hash = 1_u64;
    for byte in &mut noise {
        hash = hash.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = (hash >> 56) as u8;
    }
    let large = Bytes::from(noise);
    let compute = |stage: Stage| {
        let value = Computed::new(large.clone(), Keep::For(LIFETIME));
        move || stage.play(Ok(value))
    };
    let all = |_: &Broken| Sharing::Process;
    let leader = fleet.compute(0, Mode::Normal, all, compute(stage.clone()));
    stage.has_begun().await;
    let follower = fleet.compute(1, Mode::Normal, all, compute(stage.clone()));
    fleet.somebody_waits(1).await;
    stage.end();
    for (call, status) in [(leader, Status::Miss), (follower, Status::Coalesced)] {
        let answer = call.await.unwrap().unwrap();
        assert_eq!((answer.status, answer.value), (status, large.clone()));
    }
    assert_eq!((stage.runs(), fleet.flights(1, "found")), (1, 1));
}

#[tokio::test]
async fn a_lost_message_costs_a_moment_and_no_computation() {
    for deaf in [false, true] {
        let fleet = Fleet::polling(2);
        fleet.store.mute.store(true, Ordering::SeqCst);
        fleet.store.deaf.store(deaf, Ordering::SeqCst);
        let stage = Stage::new();
        let leader = fleet.call(0, &stage, Mode::Normal);
        stage.has_begun().await;
        let follower = fleet.call(1, &stage, Mode::Normal);
        while fleet.store.leases.load(Ordering::SeqCst) < 3 {
            yield_now().await;
        }
        stage.end();
        assert_eq!(leader.await.unwrap().unwrap().status, Status::Miss);
        let answer = timeout(PATIENCE, follower).await.unwrap();
        assert_eq!(answer.unwrap().unwrap().status, Status::Coalesced);
        assert_eq!((stage.runs(), fleet.flights(1, "found")), (1, 1));
    }
}

#[tokio::test]
async fn a_leaders_death_promotes_a_follower_when_its_lease_ends() {
    let fleet = Fleet::polling(3);
    let stage = Stage::new();
    let dying = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let entered = dying.enter();
    let _leader = fleet.call(0, &stage, Mode::Normal);
    drop(entered);
    stage.has_begun().await;
    let followers: Vec<_> = (0..60)
        .map(|number| fleet.call(1 + number % 2, &stage, Mode::Normal))
        .collect();
    fleet.somebody_waits(2).await;
    // Its process is gone with all its tasks: nobody renews, releases or tells.
    dying.shutdown_background();
    fleet.clock.advance(LEASE);
    stage.has_begun().await;
    stage.end();
    for follower in followers {
        assert_eq!(follower.await.unwrap().unwrap().value, "staged");
    }
    assert_eq!(stage.runs(), 2);
}

#[tokio::test]
async fn a_leader_renews_its_lease_as_long_as_it_computes() {
    let config = CacheConfig {
        store_read_deadline_ms: 60_000,
        lease_ms: 8,
        ..CacheConfig::default()
    };
    let fleet = Fleet::with(1, &config);
    let stage = Stage::new();
    let leader = fleet.call(0, &stage, Mode::Normal);
    stage.has_begun().await;
    let name = lease_name(&key("a"));
    let ask = async || {
        let lease = fleet.store.acquire_lease(&name, "other", LEASE).await;
        lease.unwrap()
    };
    // Many leases' time goes by, each time after a sign of life.
    for _ in 0..20 {
        let renewed = async {
            while let Lease::Held { remaining, .. } = ask().await
                && remaining < Duration::from_millis(8)
            {
                yield_now().await;
            }
        };
        timeout(PATIENCE, renewed).await.unwrap();
        assert!(matches!(ask().await, Lease::Held { .. }));
        fleet.clock.advance(Duration::from_millis(7));
    }
    stage.end();
    leader.await.unwrap().unwrap();
    fleet.settle().await;
    // It has given it back.
    assert!(matches!(ask().await, Lease::Granted { .. }));
}

fn lease_name(key: &CacheKey) -> String {
    let name = key.store_name();
    let hash = name.rsplit(':').next().unwrap();
    format!("cache:v2:flight:{hash}")
}

#[tokio::test]
async fn a_lease_that_nobody_holds_any_more_blocks_until_it_ends() {
    let fleet = Fleet::polling(1);
    let name = lease_name(&key("a"));
    let orphan = fleet.store.acquire_lease(&name, "nobody", LEASE).await;
    assert!(matches!(orphan, Ok(Lease::Granted { .. })));
    let stage = Stage::new();
    let call = fleet.call(0, &stage, Mode::Normal);
    fleet.somebody_waits(1).await;
    assert_eq!(stage.runs(), 0);
    fleet.clock.advance(LEASE);
    stage.has_begun().await;
    stage.end();
    assert_eq!(call.await.unwrap().unwrap().status, Status::Miss);
}

#[tokio::test]
async fn a_final_error_is_everybodys_and_told_by_its_code() {
    let fleet = Fleet::new(2);
    let stage = Stage::new();
    let call = |replica| {
        let stage = stage.clone();
        fleet.compute(
            replica,
            Mode::Normal,
            |error| Sharing::Everywhere(error.0 as u16),
            || stage.play(Err(Broken(422))),
        )
    };
    let leader = call(0);
    stage.has_begun().await;
    let followers = [call(0), call(1), call(1)];
    fleet.somebody_waits(1).await;
    stage.end();
    assert_eq!(
        leader.await.unwrap().unwrap_err().compute_error(),
        Some(&Broken(422))
    );
    for (number, follower) in followers.into_iter().enumerate() {
        let error = follower.await.unwrap().unwrap_err();
        match number {
            0 => assert_eq!(error.compute_error(), Some(&Broken(422))),
            _ => assert!(matches!(error, CacheError::Elsewhere(Some(422)))),
        }
        assert!(!error.is_retryable());
    }
    assert_eq!(stage.runs(), 1);
}

#[tokio::test]
async fn after_an_error_that_is_not_final_one_of_those_who_wait_tries_and_then_no_more() {
    for second in [Ok(()), Err(())] {
        let fleet = Fleet::new(3);
        let stages = [Stage::new(), Stage::new()];
        let call = |replica, stage: &Stage, end: Result<Computed, Broken>| {
            let stage = stage.clone();
            fleet.compute(
                replica,
                Mode::Normal,
                |_| Sharing::Nobody,
                || stage.play(end),
            )
        };
        let leader = call(0, &stages[0], Err(Broken(1)));
        stages[0].has_begun().await;
        let followers: Vec<_> = [0, 0, 1, 1, 2, 2]
            .map(|replica| {
                let end = second.map(|()| kept("second")).map_err(|()| Broken(2));
                call(replica, &stages[1], end)
            })
            .into();
        fleet.somebody_waits(2).await;
        stages[0].end();
        let error = leader.await.unwrap().unwrap_err();
        assert_eq!(error.compute_error(), Some(&Broken(1)));
        stages[1].has_begun().await;
        // Those at home listen by now, or it is they who compute: a message that comes before
        // would be lost to them.
        let at_home = async {
            let claims = || fleet.store.leases.load(Ordering::SeqCst);
            while claims() < 9 && (claims() < 8 || fleet.flights(0, "led") < 2) {
                yield_now().await;
            }
        };
        timeout(PATIENCE, at_home).await.unwrap();
        stages[1].end();
        for follower in followers {
            match (second, follower.await.unwrap()) {
                (Ok(()), answer) => assert_eq!(answer.unwrap().value, "second"),
                (Err(()), answer) => {
                    let error = answer.unwrap_err();
                    let own = error.compute_error() == Some(&Broken(2));
                    assert!(
                        own || matches!(error, CacheError::Elsewhere(None)),
                        "{error:?}"
                    );
                }
            }
        }
        assert_eq!((stages[0].runs(), stages[1].runs()), (1, 1));
    }
}

#[tokio::test]
async fn a_refresh_waits_for_a_computation_elsewhere_but_takes_nothing_from_before() {
    let fleet = Fleet::new(2);
    let old = fleet.compute(
        0,
        Mode::Normal,
        |_| Sharing::Process,
        || async { Ok(kept("old")) },
    );
    old.await.unwrap().unwrap();
    fleet.settle().await;
    let stage = Stage::new();
    let first = fleet.call(0, &stage, Mode::Refresh);
    stage.has_begun().await;
    let (leases, listeners) = (&fleet.store.leases, &fleet.store.listeners);
    let before = leases.load(Ordering::SeqCst);
    let second = fleet.call(1, &stage, Mode::Refresh);
    while leases.load(Ordering::SeqCst) < before + 2 || listeners.load(Ordering::SeqCst) < 1 {
        yield_now().await;
    }
    stage.end();
    for (call, status) in [(first, Status::Miss), (second, Status::Coalesced)] {
        let answer = call.await.unwrap().unwrap();
        assert_eq!((answer.status, &answer.value[..]), (status, &b"staged"[..]));
    }
    assert_eq!(stage.runs(), 1);

    // Nobody computes: what lies in the store is from before, so it computes itself.
    fleet.settle().await;
    let third = fleet.call(1, &stage, Mode::Refresh);
    stage.has_begun().await;
    stage.end();
    assert_eq!(third.await.unwrap().unwrap().status, Status::Miss);
}

#[tokio::test]
async fn one_replica_renews_for_all() {
    let fleet = Fleet::new(2);
    let policy = POLICY.stale_while_revalidate(LIFETIME);
    let ask = |replica: usize, stage: Option<&Stage>| {
        let (cache, stage) = (fleet.caches[replica].clone(), stage.cloned());
        async move {
            let compute = || async move {
                match stage {
                    Some(stage) => stage.play(Ok(kept("new"))).await,
                    None => Ok(kept("old")),
                }
            };
            let a = key("a");
            let answer = cache.get_or_compute(&a, policy, Mode::Normal, compute);
            answer.await.unwrap()
        }
    };
    for replica in [0, 1] {
        assert_eq!(ask(replica, None).await.value, "old");
        fleet.settle().await;
    }
    fleet.clock.advance(LIFETIME);
    let stage = Stage::new();
    assert_eq!(ask(0, Some(&stage)).await.status, Status::Stale);
    stage.has_begun().await;
    let claims = fleet.store.leases.load(Ordering::SeqCst);
    assert_eq!(ask(1, Some(&stage)).await.status, Status::Stale);
    let waits = async {
        while fleet.store.leases.load(Ordering::SeqCst) < claims + 2 {
            yield_now().await;
        }
    };
    timeout(PATIENCE, waits).await.unwrap();
    stage.end();
    fleet.settle().await;
    for replica in [0, 1] {
        let answer = ask(replica, None).await;
        assert_eq!(
            (answer.status, &answer.value[..]),
            (Status::Hit, &b"new"[..])
        );
    }
    assert_eq!(stage.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_store_leaves_each_replica_to_itself() {
    let fleet = Fleet::with(2, &CacheConfig::default());
    fleet.store.frozen.store(true, Ordering::SeqCst);
    let stages = [Stage::new(), Stage::new()];
    let begin = Instant::now();
    let calls: Vec<_> = (0..20)
        .map(|number| fleet.call(number % 2, &stages[number % 2], Mode::Normal))
        .collect();
    for stage in &stages {
        stage.has_begun().await;
        stage.end();
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().value, "staged");
    }
    let cost = begin.elapsed();
    assert!(cost < Duration::from_millis(55), "{cost:?}");
    assert_eq!((stages[0].runs(), stages[1].runs()), (1, 1));
}

#[tokio::test]
async fn an_engine_of_one_process_is_asked_for_no_lease() {
    for (replicas, leases) in [(Replicas::Auto, 0), (Replicas::Off, 0), (Replicas::On, 1)] {
        let clock = Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH));
        let store = SharedStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let config = CacheConfig {
            store_read_deadline_ms: 60_000,
            replicas,
            ..CacheConfig::default()
        };
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let cache = Cache::new(&config, &[], Some(shared), clock).unwrap();
        let compute = || async { Ok::<_, Broken>(kept("value")) };
        let key = key("a");
        let answer = cache
            .get_or_compute(&key, POLICY, Mode::Normal, compute)
            .await;
        assert_eq!(answer.unwrap().status, Status::Miss);
        assert!(cache.drain(PATIENCE).await);
        assert_eq!(store.leases.load(Ordering::SeqCst), leases, "{replicas:?}");
    }
}
