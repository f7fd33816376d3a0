//! What is kept where, for how long, and what a store that misbehaves costs.

use std::time::Duration;

use crate::common::{Broken, Fault, LIFETIME, POLICY, World, key, tenant_key};
use bytes::Bytes;
use cache::{AdaptiveConfig, AdaptiveStep, CacheConfig, Computed, Keep, Mode, Replicas, Status};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_answer_ages_and_ends_by_the_clock() {
    let world = World::new();
    let key = key("a");
    let first = world.ask(&key, Mode::Normal, "first").await.unwrap();
    assert_eq!((first.status, first.age), (Status::Miss, Duration::ZERO));
    world.clock.advance(LIFETIME - SECOND);
    let hit = world.kept(&key).await;
    assert_eq!((hit.status, hit.age), (Status::Hit, LIFETIME - SECOND));
    world.clock.advance(SECOND);
    // The fake keeps what has expired: neither tier's copy may be served.
    let next = world.ask(&key, Mode::Normal, "next").await.unwrap();
    assert_eq!((next.status, &next.value[..]), (Status::Miss, &b"next"[..]));
    assert_eq!(world.kept(&key).await.age, Duration::ZERO);
}

#[tokio::test]
async fn another_process_finds_it_in_the_store_and_then_at_home() {
    let world = World::new();
    let key = key("a");
    world.ask(&key, Mode::Normal, "shared").await.unwrap();
    world.settle().await;
    let other = world.replica();
    let reads = world.store.reads();
    world.clock.advance(SECOND);
    for _ in 0..2 {
        let hit = other.kept(&key).await;
        assert_eq!((hit.status, hit.age), (Status::Hit, SECOND));
        assert_eq!(hit.value, "shared");
    }
    assert_eq!(world.store.reads(), reads + 1);
    let stats = other.cache.stats();
    assert_eq!((stats.l2_hits, stats.l1_hits, stats.misses), (1, 1, 0));
    assert!((stats.hit_rate() - 1.0).abs() < f64::EPSILON);
    // What it took over ends when the original does.
    world.clock.advance(LIFETIME - SECOND);
    let next = other.ask(&key, Mode::Normal, "next").await.unwrap();
    assert_eq!(next.status, Status::Miss);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_store_costs_its_deadline_and_nothing_else() {
    let world = World::new();
    world.store.set_fault(Fault::Hang);
    let begin = Instant::now();
    let answer = world
        .ask(&key("a"), Mode::Normal, "computed")
        .await
        .unwrap();
    assert_eq!(answer.status, Status::Miss);
    let cost = begin.elapsed();
    assert!(
        (Duration::from_millis(50)..Duration::from_millis(55)).contains(&cost),
        "{cost:?}"
    );
    assert_eq!(world.kept(&key("a")).await.status, Status::Hit);
    // The write is given up on its own deadline.
    let begin = Instant::now();
    world.settle().await;
    assert!(begin.elapsed() <= Duration::from_millis(1_010));
    for call in ["read", "write"] {
        let name = format!(r#"cache_store_errors_total{{call="{call}",result="timeout"}}"#);
        assert_eq!(world.figures.count(&name), 1, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_in_memory_waits_for_no_store() {
    let world = World::new();
    let other = world.replica();
    world.store.set_fault(Fault::Hang);
    let begin = Instant::now();
    for (world, expected) in [
        (&world, Status::Miss),
        (&world, Status::Hit),
        (&other, Status::Miss),
    ] {
        let compute = || async { Ok::<_, Broken>(crate::common::kept("quick")) };
        let policy = POLICY.memory_only();
        let answer = world
            .cache
            .get_or_compute(&key("a"), policy, Mode::Normal, compute)
            .await
            .unwrap();
        assert_eq!(answer.status, expected);
    }
    world.settle().await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(world.store.reads(), 0);
    assert_eq!(world.cache.stats().misses, 1);
}

#[tokio::test]
async fn a_failing_store_costs_nothing_and_comes_back() {
    let world = World::new();
    world.store.set_fault(Fault::Fail);
    world.ask(&key("a"), Mode::Normal, "one").await.unwrap();
    world.settle().await;
    for call in ["read", "write"] {
        let name = format!(r#"cache_store_errors_total{{call="{call}",result="error"}}"#);
        assert_eq!(world.figures.count(&name), 1, "{call}");
    }
    world.store.set_fault(Fault::None);
    world.ask(&key("b"), Mode::Normal, "two").await.unwrap();
    world.settle().await;
    assert_eq!(world.replica().kept(&key("b")).await.value, "two");
}

#[tokio::test]
async fn without_a_store_the_first_tier_does() {
    let clock = std::sync::Arc::new(store::SystemClock);
    let cache = cache::Cache::new(&CacheConfig::default(), &[], None, clock).unwrap();
    for expected in [Status::Miss, Status::Hit] {
        let answer = cache
            .get_or_compute(&key("a"), POLICY, Mode::Normal, || async {
                Ok::<_, Broken>(crate::common::kept("alone"))
            })
            .await
            .unwrap();
        assert_eq!(answer.status, expected);
    }
    assert!(cache.drain(SECOND).await);
}

#[tokio::test]
async fn what_is_no_whole_answer_of_that_key_is_a_miss_and_counted() {
    let world = World::new();
    for input in ["mine", "other"] {
        world.ask(&key(input), Mode::Normal, "good").await.unwrap();
    }
    world.settle().await;
    let name = key("mine").store_name();
    let good = world.store.peek(&name).unwrap();
    let foreign = world.store.peek(&key("other").store_name()).unwrap();
    let damaged = |at: usize| {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1;
        Bytes::from(bytes)
    };
    let longer = [&good[..], b"!"].concat();
    let cases = [
        ("truncated", Bytes::new()),
        ("truncated", good.slice(..3)),
        ("truncated", good.slice(..39)),
        ("truncated", good.slice(..good.len() - 1)),
        ("trailing", Bytes::from(longer)),
        (
            "foreign",
            Bytes::from_static(b"{\"some\":\"text of another program\"}"),
        ),
        ("version", damaged(3)),
        ("checksum", damaged(4)),
        ("checksum", damaged(20)),
        ("checksum", damaged(28)),
        ("checksum", damaged(good.len() - 1)),
        ("checksum", foreign),
    ];
    for (reason, planted) in cases {
        world.store.plant(&name, planted.clone());
        let other = world.replica();
        let answer = other
            .ask(&key("mine"), Mode::Normal, "again")
            .await
            .unwrap();
        assert_eq!(answer.status, Status::Miss, "{reason} {planted:?}");
        assert_eq!(answer.value, "again");
        let metric = format!(r#"cache_rejected_values_total{{reason="{reason}"}}"#);
        assert_eq!(other.figures.count(&metric), 1, "{metric}");
        other.settle().await;
        assert_eq!(other.replica().kept(&key("mine")).await.value, "again");
    }
}

#[tokio::test]
async fn a_tenant_never_sees_anothers_answer() {
    let world = World::new();
    let (one, two) = (tenant_key("1", "same"), tenant_key("2", "same"));
    world.ask(&one, Mode::Normal, "of one").await.unwrap();
    let answer = world.ask(&two, Mode::Normal, "of two").await.unwrap();
    assert_eq!(answer.status, Status::Miss);
    assert_eq!(world.kept(&one).await.value, "of one");
    assert_eq!(world.kept(&two).await.value, "of two");
    world.settle().await;
    // Not even if the store mixes them up.
    let of_one = world.store.peek(&one.store_name()).unwrap();
    world.store.plant(&two.store_name(), of_one);
    let answer = world.replica().ask(&two, Mode::Normal, "anew").await;
    assert_eq!(answer.unwrap().value, "anew");
}

#[tokio::test]
async fn no_answer_is_kept_longer_than_the_maximum() {
    let config = CacheConfig {
        max_lifetime_seconds: 60,
        ..CacheConfig::default()
    };
    let world = World::with(&config);
    world.ask(&key("a"), Mode::Normal, "one").await.unwrap();
    world.settle().await;
    let lifetime = world.store.lifetime(&key("a").store_name());
    assert_eq!(lifetime, Some(Duration::from_secs(60)));
    world.clock.advance(Duration::from_secs(60));
    let next = world.ask(&key("a"), Mode::Normal, "two").await.unwrap();
    assert_eq!(next.status, Status::Miss);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_given_and_not_kept() {
    let config = CacheConfig {
        max_value_bytes: 4,
        ..CacheConfig::default()
    };
    let world = World::with(&config);
    for (input, value, kept) in [("a", "1234", true), ("b", "12345", false)] {
        for first in [true, false] {
            let answer = world.ask(&key(input), Mode::Normal, value).await.unwrap();
            let hit = kept && !first;
            assert_eq!(answer.status == Status::Hit, hit, "{input}");
            assert_eq!(answer.value, value);
        }
    }
    world.settle().await;
    assert_eq!(world.store.writes(), 1);
    let metric = r#"cache_rejected_values_total{reason="too_large"}"#;
    assert_eq!(world.figures.count(metric), 2);
}

#[tokio::test]
async fn memory_stays_within_its_bound() {
    let config = CacheConfig {
        l1_bytes: 1024 * 1024,
        ..CacheConfig::default()
    };
    let world = World::with(&config);
    for number in 0..5_000 {
        let answer = world
            .ask(&key(&format!("{number}")), Mode::Normal, FILLER)
            .await;
        answer.unwrap();
    }
    world.cache.run_housekeeping();
    let stats = world.cache.stats();
    assert!(stats.bytes <= config.l1_bytes, "{stats:?}");
    assert!(stats.bytes > config.l1_bytes / 2, "{stats:?}");
    // The overhead counts: by the values alone there would be room for 2,048.
    assert!(stats.entries <= 1024, "{stats:?}");
    let gauge = world.figures.gauge("cache_bytes");
    assert!((gauge - stats.bytes as f64).abs() < 1.0);
}

const FILLER: &str = {
    const BYTES: [u8; 512] = [b'x'; 512];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

#[tokio::test]
async fn a_small_answer_does_not_hold_on_to_the_buffer_it_was_cut_from() {
    let world = World::new();
    let buffer = Bytes::from(vec![b'x'; 1024 * 1024]);
    let cut = buffer.slice(10..20);
    let range = buffer.as_ptr_range();
    let answer = world
        .cache
        .get_or_compute(&key("a"), POLICY, Mode::Normal, || async {
            let keep = Keep::For(LIFETIME);
            Ok::<_, Broken>(Computed::new(cut, keep))
        })
        .await
        .unwrap();
    assert_eq!(answer.value, &b"xxxxxxxxxx"[..]);
    for value in [answer.value, world.kept(&key("a")).await.value] {
        assert!(!range.contains(&value.as_ptr()));
    }
}

#[tokio::test(start_paused = true)]
async fn writes_to_a_frozen_store_are_bounded() {
    let config = CacheConfig {
        max_pending_writes: 2,
        ..CacheConfig::default()
    };
    let world = World::with(&config);
    world.store.set_fault(Fault::Hang);
    for input in ["a", "b", "c", "d", "e"] {
        world
            .ask(&key(input), Mode::Refresh, "value")
            .await
            .unwrap();
        assert_eq!(world.kept(&key(input)).await.value, "value");
    }
    world.settle().await;
    assert_eq!(world.store.writes(), 2);
    let dropped = r#"cache_store_errors_total{call="write",result="dropped"}"#;
    assert_eq!(world.figures.count(dropped), 3);
    // There is room again.
    world.store.set_fault(Fault::None);
    world.ask(&key("f"), Mode::Refresh, "value").await.unwrap();
    world.settle().await;
    assert_eq!(world.replica().kept(&key("f")).await.value, "value");
}

#[tokio::test]
async fn every_call_is_counted_once_under_a_bounded_label() {
    let world = World::new();
    let unknown = cache::CacheKey::builder("made_up", "1").finish();
    for key in [key("a"), unknown] {
        for mode in [Mode::Normal, Mode::Normal, Mode::Refresh, Mode::Bypass] {
            world.ask(&key, mode, "value").await.unwrap();
        }
    }
    for operation in ["validate", "other"] {
        for (tier, result) in [
            ("l1", "hit"),
            ("none", "miss"),
            ("none", "refresh"),
            ("none", "bypass"),
        ] {
            let name = format!(
                r#"cache_requests_total{{operation="{operation}",result="{result}",tier="{tier}"}}"#
            );
            assert_eq!(world.figures.count(&name), 1, "{name}");
        }
    }
    // One hit in 16 is timed, the first one of them.
    assert_eq!(world.figures.count(r#"cache_lookup_seconds{tier="l1"}"#), 1);
    assert_eq!(world.figures.count(r#"cache_lookup_seconds{tier="l2"}"#), 2);
    let names = world.figures.names();
    assert!(
        !names.iter().any(|name| name.contains("made_up")),
        "{names:?}"
    );
    let stats = world.cache.stats();
    assert_eq!((stats.lookups(), stats.hits()), (4, 2));
    assert!((stats.hit_rate() - 0.5).abs() < f64::EPSILON);
}

#[test]
fn a_configuration_out_of_bounds_is_refused_by_name() {
    let good = CacheConfig::default;
    let cases = [
        (
            "l1_bytes",
            CacheConfig {
                l1_bytes: 0,
                ..good()
            },
        ),
        (
            "max_value_bytes",
            CacheConfig {
                max_value_bytes: usize::MAX,
                ..good()
            },
        ),
        (
            "max_lifetime_seconds",
            CacheConfig {
                max_lifetime_seconds: u64::MAX,
                ..good()
            },
        ),
        (
            "store_read_deadline_ms",
            CacheConfig {
                store_read_deadline_ms: 0,
                ..good()
            },
        ),
        (
            "store_write_deadline_ms",
            CacheConfig {
                store_write_deadline_ms: 60_001,
                ..good()
            },
        ),
        (
            "max_pending_writes",
            CacheConfig {
                max_pending_writes: 0,
                ..good()
            },
        ),
        (
            "max_flights",
            CacheConfig {
                max_flights: usize::MAX,
                ..good()
            },
        ),
    ];
    let step = |above_percent, lifetime_seconds| AdaptiveStep {
        above_percent,
        lifetime_seconds,
    };
    let adaptive = |change: fn(&mut AdaptiveConfig)| {
        let mut config = good();
        change(&mut config.adaptive);
        config
    };
    let mut unordered = good();
    unordered.adaptive.steps = vec![step(20, 900), step(50, 3_600)];
    let mut beyond = good();
    beyond.adaptive.steps = vec![step(100, 900)];
    let newer = [
        (
            "max_stream_bytes",
            CacheConfig {
                max_stream_bytes: 0,
                ..good()
            },
        ),
        (
            "compress_from_bytes",
            CacheConfig {
                compress_from_bytes: 0,
                ..good()
            },
        ),
        (
            "lease_ms",
            CacheConfig {
                lease_ms: 3,
                ..good()
            },
        ),
        (
            "lease_ms",
            CacheConfig {
                lease_ms: 60_001,
                ..good()
            },
        ),
        (
            "poll_ms",
            CacheConfig {
                poll_ms: 0,
                ..good()
            },
        ),
        ("adaptive.steps", unordered),
        ("adaptive.steps", beyond),
        (
            "adaptive.otherwise_seconds",
            adaptive(|a| a.otherwise_seconds = 0),
        ),
        (
            "adaptive.half_life_seconds",
            adaptive(|a| a.half_life_seconds = u64::MAX),
        ),
    ];
    for (field, config) in cases.into_iter().chain(newer) {
        assert_eq!(config.check().unwrap_err().field(), field);
    }
    assert!(good().check().is_ok());
    let parsed: CacheConfig = serde_json::from_str(r#"{"max_flights": 7}"#).unwrap();
    assert_eq!(
        parsed,
        CacheConfig {
            max_flights: 7,
            ..good()
        }
    );
    let parsed: CacheConfig = serde_json::from_str(
        r#"{"replicas": "off", "adaptive": {"steps": [{"above_percent": 60, "lifetime_seconds": 7}]}}"#,
    )
    .unwrap();
    assert_eq!(
        (parsed.replicas, &parsed.adaptive.steps[..]),
        (Replicas::Off, &[step(60, 7)][..])
    );
    assert!(serde_json::from_str::<CacheConfig>(r#"{"max_flight": 7}"#).is_err());
}
