//! What is past its lifetime, or nearly: served, renewed, and never mistaken for fresh.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache::{CacheConfig, CacheError, CacheKey, Cost, Mode, Policy, Status};
use tokio::task::yield_now;

use crate::common::{Broken, Fault, LIFETIME, Outcome, POLICY, Stage, World, kept, key};

const SECOND: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_secs(60);
const REVALIDATE: Policy = POLICY.stale_while_revalidate(WINDOW);
const IF_ERROR: Policy = POLICY.stale_if_error(WINDOW);

async fn ask(world: &World, policy: Policy, value: Result<&'static str, u32>) -> Outcome {
    world
        .cache
        .get_or_compute(&key("a"), policy, Mode::Normal, move || async move {
            value.map(kept).map_err(Broken)
        })
        .await
}

/// A world with an answer whose lifetime has just ended.
async fn world_with_stale(policy: Policy) -> World {
    let world = World::new();
    ask(&world, policy, Ok("old")).await.unwrap();
    world.settle().await;
    world.clock.advance(LIFETIME);
    world
}

#[tokio::test]
async fn a_stale_answer_is_served_while_one_computation_renews_it() {
    let world = world_with_stale(REVALIDATE).await;
    let stage = Stage::new();
    for _ in 0..10 {
        let play = stage.clone();
        let compute = || play.play(Ok(kept("new")));
        let answer = world
            .cache
            .get_or_compute(&key("a"), REVALIDATE, Mode::Normal, compute)
            .await
            .unwrap();
        assert_eq!(
            (answer.status, &answer.value[..]),
            (Status::Stale, &b"old"[..])
        );
        assert_eq!(answer.age, LIFETIME);
    }
    stage.has_begun().await;
    stage.end();
    world.settle().await;
    assert_eq!(stage.runs(), 1);
    let answer = ask(&world, REVALIDATE, Err(0)).await.unwrap();
    assert_eq!(
        (answer.status, &answer.value[..]),
        (Status::Hit, &b"new"[..])
    );
    assert_eq!(world.replica().kept(&key("a")).await.value, "new");
    let stats = world.cache.stats();
    assert_eq!(
        (stats.stale, stats.l1_hits, stats.misses, stats.hits()),
        (10, 1, 1, 11)
    );
    let renewals = r#"cache_renewals_total{operation="validate",reason="stale"}"#;
    assert_eq!(world.figures.count(renewals), 1);
}

#[tokio::test]
async fn a_stale_answer_from_the_store_is_served_and_renewed_too() {
    let world = world_with_stale(REVALIDATE).await.replica();
    let answer = ask(&world, REVALIDATE, Ok("new")).await.unwrap();
    assert_eq!(
        (answer.status, &answer.value[..]),
        (Status::Stale, &b"old"[..])
    );
    world.settle().await;
    assert_eq!(ask(&world, REVALIDATE, Err(0)).await.unwrap().value, "new");
    let stale = r#"cache_requests_total{operation="validate",result="stale",tier="l2"}"#;
    assert_eq!(world.figures.count(stale), 1);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_old_answer_to_its_window() {
    let world = world_with_stale(REVALIDATE).await;
    for _ in 0..3 {
        let answer = ask(&world, REVALIDATE, Err(1)).await.unwrap();
        assert_eq!(answer.status, Status::Stale);
        world.settle().await;
    }
    world.clock.advance(WINDOW - SECOND);
    assert_eq!(
        ask(&world, REVALIDATE, Err(1)).await.unwrap().status,
        Status::Stale
    );
    world.settle().await;
    world.clock.advance(SECOND);
    let error = ask(&world, REVALIDATE, Err(2)).await.unwrap_err();
    assert_eq!(error.compute_error(), Some(&Broken(2)));
}

#[tokio::test]
async fn a_renewal_that_fails_is_not_tried_again_with_every_hit() {
    let world = world_with_stale(REVALIDATE).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let hit = async || {
        let runs = Arc::clone(&runs);
        let compute = || async move {
            runs.fetch_add(1, Ordering::SeqCst);
            Err(Broken(1))
        };
        let a = key("a");
        let answer = world
            .cache
            .get_or_compute(&a, REVALIDATE, Mode::Normal, compute);
        assert_eq!(answer.await.unwrap().status, Status::Stale);
        world.settle().await;
    };
    for (seconds, expected) in [(0, 1), (4, 1), (1, 2), (4, 2), (1, 3)] {
        world.clock.advance(Duration::from_secs(seconds));
        for _ in 0..5 {
            hit().await;
        }
        assert_eq!(runs.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test]
async fn who_allows_nothing_stale_gets_nothing_stale() {
    let world = world_with_stale(REVALIDATE).await;
    assert!(world.cache.get_local(&key("a")).is_none());
    let error = ask(&world, POLICY, Err(1)).await.unwrap_err();
    assert_eq!(error.compute_error(), Some(&Broken(1)));
    let answer = ask(&world.replica(), POLICY, Ok("new")).await.unwrap();
    assert_eq!(answer.status, Status::Miss);
    // Nor who insists on a new one.
    let world = world_with_stale(IF_ERROR).await;
    let a = key("a");
    let insist = world
        .cache
        .get_or_compute(&a, IF_ERROR, Mode::Refresh, || async { Err(Broken(1)) });
    assert!(insist.await.is_err());
}

#[tokio::test]
async fn after_an_error_a_stale_answer_helps_everybody_who_waited() {
    for fresh_process in [false, true] {
        let mut world = world_with_stale(IF_ERROR).await;
        if fresh_process {
            world = world.replica();
        }
        let calls = (0..3).map(|_| async {
            let answer = ask(&world, IF_ERROR, Err(1)).await.unwrap();
            assert_eq!(
                (answer.status, &answer.value[..]),
                (Status::Stale, &b"old"[..])
            );
        });
        futures_util::future::join_all(calls).await;
        // A new answer is tried for every time, and taken when it comes.
        assert_eq!(
            ask(&world, IF_ERROR, Ok("new")).await.unwrap().status,
            Status::Miss
        );
        assert_eq!(
            ask(&world, IF_ERROR, Err(1)).await.unwrap().status,
            Status::Hit
        );
        let stats = world.cache.stats();
        // In the first process there was one more, for the old answer.
        assert_eq!(
            (stats.stale, stats.misses),
            (3, if fresh_process { 1 } else { 2 })
        );
    }
    let world = world_with_stale(IF_ERROR).await;
    world.clock.advance(WINDOW);
    assert!(ask(&world, IF_ERROR, Err(1)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_helps_who_has_no_time_left() {
    let policy = IF_ERROR.compute_limit(Duration::from_secs(90));
    let world = world_with_stale(policy).await;
    let outcome: Result<_, CacheError<Broken>> = world
        .cache
        .get_or_compute(&key("a"), policy, Mode::Normal, std::future::pending)
        .await;
    assert_eq!(outcome.unwrap().status, Status::Stale);
}

#[tokio::test]
async fn the_store_keeps_it_as_long_as_it_may_be_of_use_and_no_longer_than_the_maximum() {
    for (max, seconds) in [(86_400, 960), (910, 910), (900, 900)] {
        let config = CacheConfig {
            max_lifetime_seconds: max,
            ..CacheConfig::default()
        };
        let world = World::with(&config);
        ask(&world, IF_ERROR, Ok("old")).await.unwrap();
        world.settle().await;
        let lifetime = world.store.lifetime(&key("a").store_name());
        assert_eq!(lifetime, Some(Duration::from_secs(seconds)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hit_near_the_end_renews_beforehand_if_so_asked() {
    let early = POLICY.refresh_early();
    let runs = Arc::new(AtomicUsize::new(0));
    let slow = |world: &World, policy| {
        let (cache, runs) = (world.cache.clone(), Arc::clone(&runs));
        async move {
            let compute = move || async move {
                runs.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(2)).await;
                Ok::<_, Broken>(kept("value"))
            };
            let a = key("a");
            let answer = cache.get_or_compute(&a, policy, Mode::Normal, compute);
            answer.await.unwrap().status
        }
    };
    for (policy, expected) in [(POLICY, 1), (early, 2)] {
        runs.store(0, Ordering::SeqCst);
        let world = World::new();
        assert_eq!(slow(&world, policy).await, Status::Miss);
        // Far from the end nothing happens.
        for _ in 0..1_000 {
            assert_eq!(slow(&world, policy).await, Status::Hit);
        }
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        // A millisecond before the end a renewal is all but certain, and there is one only.
        world.clock.advance(LIFETIME - Duration::from_millis(1));
        for _ in 0..20 {
            assert_eq!(slow(&world, policy).await, Status::Hit);
            yield_now().await;
        }
        world.settle().await;
        assert_eq!(runs.load(Ordering::SeqCst), expected);
        world.clock.advance(Duration::from_millis(1));
        if expected == 2 {
            // It never ended.
            assert!(world.cache.get_local(&key("a")).is_some());
        }
    }
}

#[tokio::test]
async fn a_renewal_takes_over_what_another_replica_has_renewed() {
    let world = world_with_stale(REVALIDATE).await;
    let other = world.replica();
    assert_eq!(
        ask(&other, REVALIDATE, Ok("new")).await.unwrap().status,
        Status::Stale
    );
    other.settle().await;
    // The second one finds the new one in the store instead of computing.
    assert_eq!(ask(&world, REVALIDATE, Err(1)).await.unwrap().value, "old");
    world.settle().await;
    assert_eq!(ask(&world, REVALIDATE, Err(1)).await.unwrap().value, "new");
}

#[tokio::test]
async fn a_store_that_is_away_does_not_keep_it_from_being_renewed() {
    let world = world_with_stale(REVALIDATE).await;
    world.store.set_fault(Fault::Fail);
    assert_eq!(
        ask(&world, REVALIDATE, Ok("new")).await.unwrap().status,
        Status::Stale
    );
    world.settle().await;
    assert_eq!(ask(&world, REVALIDATE, Err(1)).await.unwrap().value, "new");
}

#[tokio::test]
async fn lifetimes_follow_the_hit_rate_of_their_class_up_to_the_maximum() {
    let hour = Duration::from_secs(3_600);
    let day = Duration::from_secs(86_400);
    let key_of = |class, input: u32| {
        CacheKey::builder("validate", "1")
            .class(class)
            .bytes("input", &input.to_le_bytes())
            .finish()
    };
    let world = World::new();
    let ask = async |key: CacheKey, max| {
        let policy = POLICY.adaptive(max);
        let compute = || async {
            let keep = cache::Keep::For(Duration::from_secs(86_400));
            Ok::<_, Broken>(cache::Computed::new("value", keep))
        };
        let answer = world
            .cache
            .get_or_compute(&key, policy, Mode::Normal, compute);
        answer.await.unwrap();
        world.settle().await;
        world.store.lifetime(&key.store_name()).unwrap()
    };
    // Classes are made when their first key comes.
    let _recorder = metrics::set_default_local_recorder(&world.figures);
    // Nothing is known yet.
    assert_eq!(ask(key_of("hot", 0), day).await.as_secs(), 300);
    for _ in 0..30 {
        ask(key_of("hot", 0), day).await;
    }
    // The class is no part of the key: these are others.
    for input in 100..130 {
        ask(key_of("cold", input), day).await;
    }
    assert_eq!(ask(key_of("hot", 1), day).await, hour);
    assert_eq!(ask(key_of("cold", 99), day).await.as_secs(), 300);
    // The operation's maximum holds.
    assert_eq!(
        ask(key_of("hot", 2), Duration::from_secs(600))
            .await
            .as_secs(),
        600
    );
    let of = |metric: &str, class| {
        let name = format!(r#"{metric}{{class="{class}",operation="validate"}}"#);
        world.figures.gauge(&name)
    };
    assert!((of("cache_adaptive_lifetime_seconds", "hot") - 3_600.0).abs() < 1.0);
    assert!(of("cache_hit_rate", "hot") > 0.8);
    assert!(of("cache_hit_rate", "cold") < 0.1);
    // Hours without hits, and it is as unknown as before.
    world.clock.advance(10 * hour);
    assert_eq!(ask(key_of("hot", 3), day).await.as_secs(), 300);
}

#[tokio::test]
async fn classes_are_bounded() {
    const NAMES: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let world = World::new();
    let _recorder = metrics::set_default_local_recorder(&world.figures);
    for at in 0..NAMES.len() {
        let key = CacheKey::builder("validate", "1")
            .class(&NAMES[at..=at])
            .finish();
        world.ask(&key, Mode::Normal, "value").await.unwrap();
    }
    let rates = world.figures.names();
    let rates = rates
        .iter()
        .filter(|name| name.starts_with("cache_hit_rate") && name.contains("\"validate\""));
    assert_eq!(rates.count(), 32);
}

#[tokio::test]
async fn what_a_hit_saves_is_counted_and_told() {
    let world = World::new();
    let cost = Cost {
        pico_usd: 1_234_567,
        tokens: 890,
    };
    let ask = async |world: &World, mode| {
        let compute = move || async move { Ok::<_, Broken>(kept("value").cost(cost)) };
        let a = key("a");
        let answer = world.cache.get_or_compute(&a, POLICY, mode, compute);
        let answer = answer.await.unwrap();
        assert_eq!(answer.cost, cost);
        answer.status
    };
    for (mode, status) in [
        (Mode::Normal, Status::Miss),
        (Mode::Normal, Status::Hit),
        (Mode::Refresh, Status::Miss),
        (Mode::Bypass, Status::Bypass),
    ] {
        assert_eq!(ask(&world, mode).await, status);
    }
    assert_eq!(world.cache.stats().saved, cost);
    world.settle().await;
    let replica = world.replica();
    assert_eq!(ask(&replica, Mode::Normal).await, Status::Hit);
    assert_eq!(replica.cache.stats().saved, cost);
    let dollars = r#"cache_saved_pico_usd_total{operation="validate"}"#;
    let tokens = r#"cache_saved_tokens_total{operation="validate"}"#;
    assert_eq!(world.figures.count(dollars), cost.pico_usd);
    assert_eq!(world.figures.count(tokens), cost.tokens);
}
