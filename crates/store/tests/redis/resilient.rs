//! The stand-in over real servers: nothing is lost, nothing is doubled, nobody waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use store::test_util::redis::{Cluster, Sentinels, Server, free_port, until};
use store::test_util::{Link, Proxy};
use store::{
    Added, Addition, Deployment, EmbeddedConfig, EmbeddedStore, ErrorKind, KeyClass, KeyClasses,
    Problem, Rate, RedisConfig, RedisHost, RedisStore, ResilientConfig, ResilientStore, Store,
    SystemClock,
};

use crate::common::config;

fn classes() -> ResilientConfig {
    let classes = KeyClasses::new(KeyClass::Durable)
        .with("cache:", KeyClass::Ephemeral)
        .with("limit:", KeyClass::Local);
    let mut config = ResilientConfig::new(classes);
    config.deadline = Duration::from_secs(10);
    config.probe_min = Duration::from_millis(10);
    config.probe_max = Duration::from_millis(100);
    config
}

/// A stand-in in memory.
fn memory() -> Arc<dyn Store> {
    let clock = Arc::new(SystemClock);
    Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), clock).unwrap())
}

async fn over(redis: RedisConfig, local: Arc<dyn Store>) -> ResilientStore {
    let redis = RedisStore::start(redis).unwrap();
    ResilientStore::start(redis, local, classes(), Arc::new(SystemClock))
        .await
        .unwrap()
}

/// Waits until the shared store is there and knows all.
async fn settled(store: &ResilientStore) {
    until("the shared store to be there and to know all", async || {
        let standby = store.health().await.standby.unwrap();
        let there = store.get("cache:there").await.is_ok();
        there && !standby.active && standby.journal_len == 0 && {
            let lease = store.acquire_lease("there", "me", Duration::from_secs(60));
            lease.await.is_ok()
        }
    })
    .await
    .unwrap();
}

async fn away(store: &ResilientStore) {
    until("the outage to be noticed", async || {
        drop(store.get("cache:away").await);
        store.health().await.standby.unwrap().active
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absent_at_the_start_it_answers_and_catches_up() {
    let port = free_port().unwrap();
    let host = RedisHost::new("127.0.0.1", port);
    let store = over(config(Deployment::Standalone(host)), memory()).await;
    assert_eq!(store.get("cache:a").await.unwrap(), None);
    assert_eq!(store.increment("ledger", 7, None).await.unwrap(), 7);
    store
        .set("news", Bytes::from_static(b"1"), None)
        .await
        .unwrap();
    let rate = Rate::per(1, Duration::from_secs(60)).unwrap();
    assert!(store.throttle("limit:a", rate, 1).await.unwrap().allowed);
    let health = store.health().await;
    assert!(!health.up && health.reason.is_some());

    let server = Server::start_on(port, &[]).await.unwrap();
    settled(&store).await;
    let sum = server.command(&["HGET", "ai:ledger", "c"]).await.unwrap();
    assert_eq!(sum.text().as_deref(), Some("7"));
    assert_eq!(
        store.get("news").await.unwrap(),
        Some(Bytes::from_static(b"1"))
    );
    assert!(store.health().await.up);
}

/// Many writers, while the network is cut, frozen and healed again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_addition_happens_once_whatever_the_network_does() {
    let server = Server::start(&[]).await.unwrap();
    let proxy = Proxy::before(server.port()).await.unwrap();
    let mut redis = config(Deployment::Standalone(RedisHost::new(
        "127.0.0.1",
        proxy.port(),
    )));
    redis.command_timeout = Duration::from_millis(30);
    redis.connect_timeout = Duration::from_millis(300);
    redis.unresponsive_timeout = Duration::from_millis(200);
    let store = Arc::new(over(redis, memory()).await);
    settled(&store).await;

    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4_i64 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let (own, mut sum) = (format!("{{l}}:{writer}"), 0);
            for by in 1..=200 {
                let both = ["{l}:total", own.as_str()].map(|key| Addition {
                    key,
                    by,
                    limit: None,
                    lifetime: None,
                });
                match store.add_all(&both).await {
                    Ok(added) => {
                        assert!(matches!(added, Added::All(_)));
                        sum += by;
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Full),
                }
                tokio::task::yield_now().await;
            }
            (own, sum)
        });
    }
    let links = [
        Link::Delay(Duration::from_millis(50)),
        Link::Cut,
        Link::Pass,
        Link::Freeze,
        Link::Pass,
    ];
    let mut done = Vec::new();
    let mut turn = 0;
    while done.len() < 4 {
        proxy.set(links[turn % links.len()]);
        turn += 1;
        let next = tokio::time::timeout(Duration::from_millis(60), writers.join_next());
        if let Ok(Some(writer)) = next.await {
            done.push(writer.unwrap());
        }
    }
    proxy.set(Link::Pass);
    settled(&store).await;
    let mut total = 0;
    for (own, sum) in done {
        assert_eq!(store.counters(&[&own]).await.unwrap(), [sum]);
        total += sum;
    }
    assert_eq!(store.counters(&["{l}:total"]).await.unwrap(), [total]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let open = async || {
        let clock = Arc::new(SystemClock);
        let store = EmbeddedStore::open(&path, EmbeddedConfig::default(), clock);
        Arc::new(store.await.unwrap())
    };
    let server = Server::start(&[]).await.unwrap();
    let proxy = Proxy::before(server.port()).await.unwrap();
    let redis = || {
        let host = RedisHost::new("127.0.0.1", proxy.port());
        let mut redis = config(Deployment::Standalone(host));
        redis.command_timeout = Duration::from_millis(200);
        redis
    };
    let local = open().await;
    let store = over(redis(), local.clone()).await;
    settled(&store).await;
    assert_eq!(store.increment("ledger", 1, None).await.unwrap(), 1);
    proxy.set(Link::Freeze);
    // The first of them are sent, and their answers held back: the server will have done them.
    for sum in 2..=20 {
        assert_eq!(store.increment("ledger", 1, None).await.unwrap(), sum);
    }
    store.flush().await.unwrap();
    drop(store);
    local.close().await.unwrap();
    proxy.set(Link::Pass);

    let store = over(redis(), open().await).await;
    settled(&store).await;
    assert_eq!(store.counters(&["ledger"]).await.unwrap(), [20]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_or_slow_server_costs_nobody_much() {
    let server = Server::start(&[]).await.unwrap();
    let proxy = Proxy::before(server.port()).await.unwrap();
    let host = RedisHost::new("127.0.0.1", proxy.port());
    let store = over(RedisConfig::new(Deployment::Standalone(host)), memory()).await;
    settled(&store).await;
    for trouble in ["frozen", "slow"] {
        match trouble {
            "frozen" => server.freeze().unwrap(),
            _ => proxy.set(Link::Delay(Duration::from_secs(1))),
        }
        away(&store).await;
        let begun = Instant::now();
        for number in 0..300_i64 {
            assert_eq!(store.get("cache:a").await.unwrap(), None);
            store.increment("ledger", 1, None).await.unwrap();
            store.increment("limit:a", number, None).await.unwrap();
        }
        // Each of the 900 calls asking a server that doesn't answer would take 36 s.
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "{:?}",
            begun.elapsed()
        );
        server.thaw().unwrap();
        proxy.set(Link::Pass);
        settled(&store).await;
    }
    assert_eq!(store.counters(&["ledger"]).await.unwrap(), [600]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_or_read_only_server_is_gone_around() {
    let server = Server::start(&[]).await.unwrap();
    let other = Server::start(&[]).await.unwrap();
    let store = over(config(Deployment::Standalone(server.host())), memory()).await;
    settled(&store).await;
    store
        .set("cache:a", Bytes::from_static(b"1"), None)
        .await
        .unwrap();
    assert_eq!(store.increment("ledger", 1, None).await.unwrap(), 1);

    server
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .await
        .unwrap();
    assert_eq!(store.increment("ledger", 1, None).await.unwrap(), 2);
    store.set("cache:b", Bytes::new(), None).await.unwrap();
    assert!(store.get("cache:a").await.unwrap().is_some());
    let health = store.health().await;
    assert_eq!(health.problem, Some(Problem::Full));
    server
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .await
        .unwrap();
    settled(&store).await;
    assert_eq!(store.counters(&["ledger"]).await.unwrap(), [2]);

    let port = other.port().to_string();
    server
        .command(&["REPLICAOF", "127.0.0.1", &port])
        .await
        .unwrap();
    for sum in 3..=12 {
        assert_eq!(store.increment("ledger", 1, None).await.unwrap(), sum);
    }
    server.command(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    settled(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_loses_no_addition() {
    let mut group = Sentinels::start().await.unwrap();
    let mut redis = config(group.deployment());
    redis.command_timeout = Duration::from_millis(200);
    let store = over(redis, memory()).await;
    settled(&store).await;
    for sum in 1..=10 {
        assert_eq!(store.increment("ledger", 1, None).await.unwrap(), sum);
    }
    // Replication is asynchronous: what is counted here has reached a replica.
    let waited = group.servers[0]
        .command(&["WAIT", "2", "5000"])
        .await
        .unwrap();
    assert_eq!(waited.text().as_deref(), Some("2"));
    group.servers[0].kill().unwrap();
    for _ in 0..50 {
        store.increment("ledger", 1, None).await.unwrap();
    }
    group.another_master(0).await.unwrap();
    settled(&store).await;
    assert_eq!(store.counters(&["ledger"]).await.unwrap(), [60]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_wants_keys_that_are_added_to_together_to_share_a_slot() {
    let cluster = Cluster::start().await.unwrap();
    let store = over(config(cluster.deployment()), memory()).await;
    settled(&store).await;
    let add = |keys: [&'static str; 2]| {
        keys.map(|key| Addition {
            key,
            by: 1,
            limit: None,
            lifetime: None,
        })
    };
    let apart = store.add_all(&add(["a", "b"])).await;
    assert_eq!(apart.unwrap_err().kind(), ErrorKind::InvalidArgument);
    let together = store.add_all(&add(["{t}:a", "{t}:b"])).await.unwrap();
    assert_eq!(together, Added::All(vec![1, 1]));
    let many: Vec<String> = (0..50).map(|number| format!("n:{number}")).collect();
    for key in &many {
        store.increment(key, 1, None).await.unwrap();
    }
    let keys: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(store.counters(&keys).await.unwrap(), [1; 50]);
}

/// Two processes, one rate: they share the server's clock and its state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_share_one_rate() {
    let server = Server::start(&[]).await.unwrap();
    let rate = Rate::per(40, Duration::from_secs(86_400)).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let store = over(config(Deployment::Standalone(server.host())), memory()).await;
        settled(&store).await;
        let store = Arc::new(store);
        for _ in 0..100 {
            let store = Arc::clone(&store);
            tasks.spawn(async move { store.throttle("limit:shared", rate, 1).await.unwrap() });
        }
    }
    let mut allowed = 0;
    while let Some(throttled) = tasks.join_next().await {
        allowed += usize::from(throttled.unwrap().allowed);
    }
    assert_eq!(allowed, 40);
}
