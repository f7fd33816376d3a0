//! One computation for all who ask at once, whatever happens to any of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{Broken, LIFETIME, Outcome, POLICY, Stage, World, kept, key, let_others_run};
use bytes::Bytes;
use cache::{CacheConfig, CacheError, Computed, Fault, Keep, Mode, Policy, Sharing, Status};
use futures_util::future::join_all;
use futures_util::poll;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn a_thousand_identical_calls_compute_once() {
    let world = World::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let key = key("a");
    let calls = (0..1000).map(|_| {
        let runs = Arc::clone(&runs);
        world
            .cache
            .get_or_compute(&key, POLICY, Mode::Normal, move || async move {
                runs.fetch_add(1, Ordering::SeqCst);
                Ok::<_, Broken>(kept("once"))
            })
    });
    let answers = join_all(calls).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let first = answers[0].as_ref().unwrap();
    assert_eq!(first.status, Status::Miss);
    for answer in &answers[1..] {
        let answer = answer.as_ref().unwrap();
        assert_eq!(answer.status, Status::Coalesced);
        // The same bytes in memory, not copies.
        assert_eq!(answer.value.as_ptr(), first.value.as_ptr());
    }
    let stats = world.cache.stats();
    assert_eq!((stats.misses, stats.coalesced, stats.hits()), (1, 999, 0));
    assert_eq!(world.store.reads(), 1);
    world.settle().await;
    assert_eq!(world.store.writes(), 1);
    assert_eq!(world.cache.stats().flights, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_calls_from_many_threads_compute_once() {
    for round in 0..20 {
        let world = World::new();
        // Only the first tier and the flights keep a call that comes just as a flight lands
        // from computing again.
        world.store.set_fault(crate::common::Fault::Fail);
        let runs = Arc::new(AtomicUsize::new(0));
        let key = key(&format!("round {round}"));
        let calls = (0..1000).map(|_| {
            let (cache, runs) = (world.cache.clone(), Arc::clone(&runs));
            tokio::spawn(async move {
                cache
                    .get_or_compute(&key, POLICY, Mode::Normal, move || async move {
                        runs.fetch_add(1, Ordering::SeqCst);
                        yield_now().await;
                        Ok::<_, Broken>(kept("once"))
                    })
                    .await
            })
        });
        for answer in join_all(calls).await {
            assert_eq!(answer.unwrap().unwrap().value, "once");
        }
        assert_eq!(runs.load(Ordering::SeqCst), 1, "round {round}");
        let stats = world.cache.stats();
        assert_eq!(stats.lookups(), 1000);
        assert_eq!(stats.misses, 1);
    }
}

#[tokio::test]
async fn followers_outlive_a_leader_that_is_dropped() {
    let world = World::new();
    let stage = Stage::new();
    let leader = stage.call(&world, key("a"), Mode::Normal);
    stage.has_begun().await;
    let follower = stage.call(&world, key("a"), Mode::Normal);
    let_others_run().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    stage.end();
    let answer = follower.await.unwrap().unwrap();
    assert_eq!(
        (answer.status, &answer.value[..]),
        (Status::Coalesced, &b"staged"[..])
    );
    assert_eq!(stage.runs(), 1);
}

#[tokio::test]
async fn the_work_is_done_and_kept_when_all_waiters_are_gone() {
    let world = World::new();
    let stage = Stage::new();
    let calls = [(); 3].map(|()| stage.call(&world, key("a"), Mode::Normal));
    stage.has_begun().await;
    for call in calls {
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    stage.end();
    world.settle().await;
    assert_eq!(world.kept(&key("a")).await.value, "staged");
    assert!(world.store.peek(&key("a").store_name()).is_some());
    assert_eq!(stage.runs(), 1);
}

#[tokio::test]
async fn a_panic_is_everybodys_error_and_frees_the_key() {
    let world = World::new();
    let key = key("a");
    let calls = (0..3).map(|_| {
        world
            .cache
            .get_or_compute(&key, POLICY, Mode::Normal, || async {
                yield_now().await;
                panic!("as the test wants")
            })
    });
    for outcome in join_all(calls).await {
        let error: CacheError<Broken> = outcome.unwrap_err();
        assert!(matches!(error, CacheError::Panicked));
        assert!(!error.is_retryable());
        assert_eq!(error.fault(), Fault::Computation);
    }
    let answer = world.ask(&key, Mode::Normal, "well").await.unwrap();
    assert_eq!(answer.status, Status::Miss);
    let panicked = r#"cache_computations_total{operation="validate",result="panicked"}"#;
    assert_eq!(world.figures.count(panicked), 1);
}

#[tokio::test]
async fn a_panic_before_the_first_await_is_caught_in_every_mode() {
    let world = World::new();
    for mode in [Mode::Normal, Mode::Refresh, Mode::Bypass] {
        let outcome: Outcome = world
            .cache
            .get_or_compute(
                &key("a"),
                POLICY,
                mode,
                || -> std::future::Ready<Result<Computed, Broken>> { panic!("as the test wants") },
            )
            .await;
        assert!(matches!(outcome, Err(CacheError::Panicked)), "{mode:?}");
    }
    assert_eq!(world.cache.stats().flights, 0);
}

#[tokio::test]
async fn an_error_is_shared_and_never_kept() {
    let world = World::new();
    let key = key("a");
    let calls = (0..3).map(|number| {
        world
            .cache
            .get_or_compute(&key, POLICY, Mode::Normal, move || async move {
                yield_now().await;
                Err(Broken(number))
            })
    });
    let errors: Vec<_> = join_all(calls)
        .await
        .into_iter()
        .map(|outcome| match outcome.unwrap_err() {
            CacheError::Compute(error) => error,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(*errors[0], Broken(0));
    assert!(errors.iter().all(|error| Arc::ptr_eq(error, &errors[0])));
    world.settle().await;
    assert_eq!(world.store.writes(), 0);
    let answer = world.ask(&key, Mode::Normal, "well").await.unwrap();
    assert_eq!(answer.status, Status::Miss);
}

#[tokio::test]
async fn after_an_error_that_may_pass_one_of_those_who_wait_tries_once_for_all() {
    for second_is_well in [true, false] {
        let world = World::new();
        let (stage, runs, a) = (Stage::new(), Arc::new(AtomicUsize::new(0)), key("a"));
        let calls = (0..20).map(|_| {
            let (stage, runs) = (stage.clone(), Arc::clone(&runs));
            let compute = move || async move {
                let first = runs.fetch_add(1, Ordering::SeqCst) == 0;
                let well = !first && second_is_well;
                stage
                    .play(if well {
                        Ok(kept("well"))
                    } else {
                        Err(Broken(1))
                    })
                    .await
            };
            let nobody = |_: &Broken| Sharing::Nobody;
            let (mode, cache) = (Mode::Normal, &world.cache);
            cache.get_or_compute_sharing(&a, POLICY, mode, nobody, compute)
        });
        let play = async {
            for _ in 0..2 {
                stage.has_begun().await;
                stage.end();
            }
        };
        let (answers, ()) = tokio::join!(join_all(calls), play);
        let failed = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(failed, if second_is_well { 1 } else { 20 });
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn what_is_not_worth_keeping_goes_to_those_who_wait_only() {
    let world = World::new();
    for keep in [Keep::No, Keep::For(Duration::ZERO)] {
        let key = key("a");
        let calls = (0..3).map(|_| {
            world
                .cache
                .get_or_compute(&key, POLICY, Mode::Normal, move || async move {
                    let value = Bytes::from_static(b"degraded");
                    Ok::<_, Broken>(Computed::new(value, keep))
                })
        });
        let statuses = join_all(calls).await.into_iter().map(|a| a.unwrap().status);
        let expected = [Status::Miss, Status::Coalesced, Status::Coalesced];
        assert!(statuses.eq(expected));
        world.settle().await;
        assert_eq!((world.store.writes(), world.cache.stats().hits()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_on_time_and_the_work_goes_on() {
    let world = World::new();
    let begin = Instant::now();
    let slow = || async {
        sleep(Duration::from_secs(10)).await;
        Ok::<_, Broken>(kept("slow"))
    };
    let call = |wait| {
        let (cache, key) = (world.cache.clone(), key("a"));
        tokio::spawn(async move {
            let policy = Policy::new(Duration::from_secs(wait));
            let outcome = cache.get_or_compute(&key, policy, Mode::Normal, slow).await;
            (outcome, begin.elapsed())
        })
    };
    let (leader, patient, hasty) = (call(2), call(20), call(1));
    for (call, seconds) in [(hasty, 1), (leader, 2)] {
        let (outcome, after) = call.await.unwrap();
        let error = outcome.unwrap_err();
        assert!(matches!(error, CacheError::WaitTimeout) && error.is_retryable());
        // A timer may be a millisecond late.
        assert_eq!(after.as_secs(), seconds);
    }
    let (answer, after) = patient.await.unwrap();
    assert_eq!(answer.unwrap().status, Status::Coalesced);
    assert_eq!(after.as_secs(), 10);
    assert_eq!(world.kept(&key("a")).await.value, "slow");
    let timeouts = r#"cache_failures_total{kind="wait_timeout",operation="validate"}"#;
    assert_eq!(world.figures.count(timeouts), 2);
}

#[tokio::test(start_paused = true)]
async fn a_computation_can_not_hold_its_key_for_ever() {
    let world = World::new();
    let policy = Policy::new(Duration::from_secs(60)).compute_limit(Duration::from_secs(5));
    let begin = Instant::now();
    let outcome: Outcome = world
        .cache
        .get_or_compute(&key("a"), policy, Mode::Normal, std::future::pending)
        .await;
    assert!(matches!(outcome, Err(CacheError::ComputeTimeout)));
    assert_eq!(begin.elapsed().as_secs(), 5);
    let answer = world.ask(&key("a"), Mode::Normal, "well").await.unwrap();
    assert_eq!(answer.status, Status::Miss);
}

#[tokio::test]
async fn a_waiter_takes_the_place_of_a_task_that_was_ended_from_outside() {
    let world = World::new();
    let stage = Stage::new();
    let other = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let entered = other.enter();
    let _leader = stage.call(&world, key("a"), Mode::Normal);
    drop(entered);
    stage.has_begun().await;
    let key = key("a");
    let never = || async { Err(Broken(1)) };
    let follower = world
        .cache
        .get_or_compute(&key, POLICY, Mode::Normal, never);
    tokio::pin!(follower);
    assert!(poll!(&mut follower).is_pending());
    other.shutdown_background();
    // It takes the lost leader's place.
    let error = follower.await.unwrap_err();
    assert_eq!(error.compute_error(), Some(&Broken(1)));
    assert_eq!(world.cache.stats().flights, 0);
    let answer = world.ask(&key, Mode::Normal, "well").await.unwrap();
    assert_eq!(answer.status, Status::Miss);
}

#[tokio::test]
async fn a_refresh_reads_nothing_and_replaces_what_was_kept() {
    let world = World::new();
    let key = key("a");
    world.ask(&key, Mode::Normal, "old").await.unwrap();
    world.settle().await;
    let reads = world.store.reads();
    let answer = world.ask(&key, Mode::Refresh, "new").await.unwrap();
    assert_eq!(
        (answer.status, &answer.value[..]),
        (Status::Miss, &b"new"[..])
    );
    assert_eq!(world.store.reads(), reads);
    assert_eq!(world.kept(&key).await.value, "new");
    world.settle().await;
    assert_eq!(world.replica().kept(&key).await.value, "new");
    let stats = world.cache.stats();
    assert_eq!((stats.refreshes, stats.misses, stats.l1_hits), (1, 1, 1));
}

#[tokio::test]
async fn a_refresh_joins_a_computation_that_is_running() {
    let world = World::new();
    let stage = Stage::new();
    let normal = stage.call(&world, key("a"), Mode::Normal);
    stage.has_begun().await;
    let refresh = stage.call(&world, key("a"), Mode::Refresh);
    let_others_run().await;
    stage.end();
    assert_eq!(normal.await.unwrap().unwrap().status, Status::Miss);
    assert_eq!(refresh.await.unwrap().unwrap().status, Status::Coalesced);
    assert_eq!(stage.runs(), 1);
}

#[tokio::test]
async fn a_refresh_makes_a_flight_that_is_reading_compute() {
    let writer = World::new();
    writer.ask(&key("a"), Mode::Normal, "old").await.unwrap();
    writer.settle().await;

    let world = writer.replica();
    let stage = Stage::new();
    world.store.set_fault(crate::common::Fault::Gate);
    let normal = stage.call(&world, key("a"), Mode::Normal);
    world.store.somebody_at_gate().await;
    let refresh = stage.call(&world, key("a"), Mode::Refresh);
    let_others_run().await;
    world.store.set_fault(crate::common::Fault::None);
    world.store.open_gate();
    stage.has_begun().await;
    stage.end();
    for call in [normal, refresh] {
        assert_eq!(call.await.unwrap().unwrap().value, "staged");
    }
    assert_eq!(stage.runs(), 1);
    assert_eq!(world.kept(&key("a")).await.value, "staged");
}

#[tokio::test]
async fn a_normal_call_joins_a_refresh() {
    let world = World::new();
    let stage = Stage::new();
    let refresh = stage.call(&world, key("a"), Mode::Refresh);
    stage.has_begun().await;
    let normal = stage.call(&world, key("a"), Mode::Normal);
    let_others_run().await;
    stage.end();
    assert_eq!(refresh.await.unwrap().unwrap().status, Status::Miss);
    assert_eq!(normal.await.unwrap().unwrap().status, Status::Coalesced);
    assert_eq!(stage.runs(), 1);
}

#[tokio::test]
async fn a_bypass_neither_reads_nor_keeps_nor_joins() {
    let world = World::new();
    let stage = Stage::new();
    let calls = [(); 2].map(|()| stage.call(&world, key("a"), Mode::Bypass));
    for _ in &calls {
        stage.has_begun().await;
        stage.end();
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status, Status::Bypass);
    }
    world.settle().await;
    assert_eq!((world.store.reads(), world.store.writes()), (0, 0));
    let answer = world.ask(&key("a"), Mode::Normal, "first").await.unwrap();
    assert_eq!(answer.status, Status::Miss);
    let stats = world.cache.stats();
    assert_eq!((stats.bypasses, stats.lookups()), (2, 1));
}

#[tokio::test]
async fn a_bypass_ends_with_its_caller() {
    let world = World::new();
    let stage = Stage::new();
    let call = stage.call(&world, key("a"), Mode::Bypass);
    stage.has_begun().await;
    assert_eq!(Arc::strong_count(&stage.runs), 2);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(Arc::strong_count(&stage.runs), 1);
}

#[tokio::test]
async fn over_the_bound_on_flights_a_call_computes_on_its_own() {
    let config = CacheConfig {
        max_flights: 1,
        ..CacheConfig::default()
    };
    let world = World::with(&config);
    let stage = Stage::new();
    let first = stage.call(&world, key("a"), Mode::Normal);
    stage.has_begun().await;
    let second = Stage::new();
    let others = [(); 2].map(|()| second.call(&world, key("b"), Mode::Normal));
    for _ in &others {
        second.has_begun().await;
    }
    second.end();
    second.end();
    for call in others {
        assert_eq!(call.await.unwrap().unwrap().status, Status::Miss);
    }
    assert_eq!(world.kept(&key("b")).await.value, "staged");
    // The first one still flies and can still be joined.
    let joined = stage.call(&world, key("a"), Mode::Normal);
    let_others_run().await;
    stage.end();
    assert_eq!(first.await.unwrap().unwrap().status, Status::Miss);
    assert_eq!(joined.await.unwrap().unwrap().status, Status::Coalesced);
    assert_eq!((stage.runs(), second.runs()), (1, 2));
    let alone = r#"cache_uncoalesced_total{operation="validate"}"#;
    assert_eq!(world.figures.count(alone), 2);
}

#[tokio::test]
async fn callers_with_errors_of_different_types_do_not_meet() {
    let world = World::new();
    let key = key("a");
    let one = world
        .cache
        .get_or_compute(&key, POLICY, Mode::Normal, || async { Err(Broken(1)) });
    let two = world
        .cache
        .get_or_compute(&key, POLICY, Mode::Normal, || async { Err("text") });
    let (one, two) = tokio::join!(one, two);
    assert_eq!(one.unwrap_err().compute_error(), Some(&Broken(1)));
    assert_eq!(two.unwrap_err().compute_error(), Some(&"text"));
}

#[tokio::test(start_paused = true)]
async fn draining_waits_for_what_is_under_way_but_not_for_ever() {
    let world = World::new();
    let stage = Stage::new();
    let call = stage.call(&world, key("a"), Mode::Normal);
    stage.has_begun().await;
    assert!(!world.cache.drain(Duration::from_secs(1)).await);
    stage.end();
    assert!(world.cache.drain(Duration::from_secs(1)).await);
    assert!(call.await.unwrap().is_ok());
    let lifetime = world.store.lifetime(&key("a").store_name());
    assert_eq!(lifetime, Some(LIFETIME));
}
