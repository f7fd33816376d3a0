//! Servers that come late, die, freeze, fill up, are demoted: the store says so in time, and
//! comes back by itself.

use std::time::{Duration, Instant};

use bytes::Bytes;
use store::test_util::redis::{Sentinels, Server, free_port, until};
use store::test_util::{Link, Proxy};
use store::{
    Conclusion, Deployment, ErrorKind, Problem, RedisConfig, RedisHost, RedisStore, Store,
};

use crate::common::{PATIENCE, config, started};

/// As the tests', but giving up early, where giving up is what is tested.
fn brisk(deployment: Deployment) -> RedisConfig {
    let mut config = config(deployment);
    config.command_timeout = Duration::from_millis(300);
    config.connect_timeout = Duration::from_millis(300);
    config.unresponsive_timeout = Duration::from_millis(400);
    config
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

async fn writes_again(store: &RedisStore) {
    until("writes to work", async || {
        store.set("again", Bytes::new(), None).await.is_ok()
    })
    .await
    .unwrap();
}

/// Waits until `a` can be read again, and is this.
async fn reads(store: &RedisStore, expected: Option<Bytes>) {
    until("reads to work", async || {
        store.get("a").await.ok() == Some(expected.clone())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_is_missed_at_once_and_found_again() {
    let mut server = Server::start(&[]).await.unwrap();
    let store = started(config(Deployment::Standalone(server.host()))).await;
    let mut listener = store.subscribe("news").await.unwrap();
    server.kill().unwrap();
    until("the connections to be known as broken", async || {
        let begun = Instant::now();
        let refused = store.get("a").await.map_err(|error| error.kind());
        // Refused at once, not after the patience of the configuration.
        refused == Err(ErrorKind::Unavailable) && begun.elapsed() < Duration::from_secs(1)
    })
    .await
    .unwrap();
    assert!(!store.health().await.up);
    server.restart().await.unwrap();
    writes_again(&store).await;
    assert_eq!(store.health().await.problem, None);
    // A script that the new server has never seen.
    assert_eq!(store.increment("n", 1, None).await.unwrap(), 1);
    // The subscription is taken up again.
    until("a message to arrive", async || {
        store.publish("news", text("hello")).await.unwrap();
        let next = tokio::time::timeout(Duration::from_millis(100), listener.next());
        next.await.ok().flatten() == Some(text("hello"))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_costs_the_timeout_and_is_found_again() {
    let server = Server::start(&[]).await.unwrap();
    let store = started(brisk(Deployment::Standalone(server.host()))).await;
    store.set("a", text("1"), None).await.unwrap();
    server.freeze().unwrap();
    let begun = Instant::now();
    let error = store.get("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    until("the freeze to be told", async || {
        let health = store.health().await;
        !health.up && health.problem.is_some()
    })
    .await
    .unwrap();
    // Long enough for the client to give up its connections.
    until("the connections to be given up", async || {
        store.health().await.topology.unwrap().connections_up == 0
    })
    .await
    .unwrap();
    server.thaw().unwrap();
    store.ready(PATIENCE).await.unwrap();
    assert_eq!(store.get("a").await.unwrap(), Some(text("1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_breaks_in_any_way_heals() {
    let server = Server::start(&[]).await.unwrap();
    let proxy = Proxy::before(server.port()).await.unwrap();
    let host = RedisHost::new("127.0.0.1", proxy.port());
    let store = started(brisk(Deployment::Standalone(host))).await;
    for link in [Link::Cut, Link::Freeze, Link::Delay(Duration::from_secs(1))] {
        proxy.set(link);
        until("the trouble to be noticed", async || {
            store.get("a").await.is_err()
        })
        .await
        .unwrap();
        proxy.set(Link::Pass);
        reads(&store, None).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_late_is_found() {
    let port = free_port().unwrap();
    let host = RedisHost::new("127.0.0.1", port);
    let store = RedisStore::start(config(Deployment::Standalone(host))).unwrap();
    assert!(!store.health().await.up);
    let refused = store.get("a").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    let _server = Server::start_on(port, &[]).await.unwrap();
    store.ready(PATIENCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_is_read_and_its_writes_are_full() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"])
        .await
        .unwrap();
    let store = started(config(Deployment::Standalone(server.host()))).await;
    store.set("a", text("1"), None).await.unwrap();
    store.increment("n", 1, None).await.unwrap();
    let life = Duration::from_secs(9);
    store.acquire_lease("made", "ana", life).await.unwrap();
    let mut told = store.subscribe("made").await.unwrap();
    server
        .command(&["CONFIG", "SET", "maxmemory", "1"])
        .await
        .unwrap();
    let full = Some(ErrorKind::Full);
    let kind = |error: store::StoreError| error.kind();
    assert_eq!(
        store.set("b", text("2"), None).await.map_err(kind).err(),
        full
    );
    assert_eq!(
        store.increment("n", 1, None).await.map_err(kind).err(),
        full
    );
    let lease = store.acquire_lease("l", "ana", life).await;
    assert_eq!(lease.map_err(kind).err(), full);
    // What finds no room is told nevertheless, and nobody has to wait for its lease to end.
    let conclusion = Conclusion {
        lease: "made",
        owner: "ana",
        value: Some(("m", text("3"), life)),
        message: text("told"),
    };
    let concluded = store.conclude(conclusion).await;
    assert_eq!(concluded.map_err(kind).err(), full);
    assert_eq!(told.next().await, Some(text("told")));
    assert!(!store.release_lease("made", "ana").await.unwrap());
    assert_eq!(store.get("m").await.unwrap(), None);
    assert_eq!(store.get("a").await.unwrap(), Some(text("1")));
    assert_eq!(store.counters(&["n"]).await.unwrap(), [1]);
    let health = store.health().await;
    assert_eq!((health.up, health.problem), (true, Some(Problem::Full)));
    server
        .command(&["CONFIG", "SET", "maxmemory", "0"])
        .await
        .unwrap();
    writes_again(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_made_a_replica_takes_no_writes_until_it_is_a_master() {
    let master = Server::start(&[]).await.unwrap();
    let server = Server::start(&[]).await.unwrap();
    let store = started(config(Deployment::Standalone(server.host()))).await;
    let port = master.port().to_string();
    server
        .command(&["REPLICAOF", "127.0.0.1", &port])
        .await
        .unwrap();
    let refused = store.set("a", text("1"), None).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    until("the demotion to be told", async || {
        store.health().await.problem == Some(Problem::ReadOnly)
    })
    .await
    .unwrap();
    server.command(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    writes_again(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_is_followed_however_it_comes() {
    let mut group = Sentinels::start().await.unwrap();
    let store = started(brisk(group.deployment())).await;
    store.set("a", text("1"), None).await.unwrap();

    // By order of an operator: the old master lives on, as a replica, and no connection breaks.
    let order = ["SENTINEL", "FAILOVER", "mymaster"];
    group.sentinels[0].command(&order).await.unwrap();
    group.another_master(0).await.unwrap();
    writes_again(&store).await;
    let second = group.master().await.unwrap();
    until("the new master to be told", async || {
        let topology = store.health().await.topology.unwrap();
        topology.masters == [group.servers[second].host().to_string()]
    })
    .await
    .unwrap();
    reads(&store, Some(text("1"))).await;

    // By death, with the first sentinel of the list frozen: fred alone would wait for it.
    group.sentinels[0].freeze().unwrap();
    group.servers[second].kill().unwrap();
    group.another_master(second).await.unwrap();
    writes_again(&store).await;
    reads(&store, Some(text("1"))).await;
    assert_eq!(store.increment("n", 1, None).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_are_read_where_asked() {
    let group = Sentinels::start().await.unwrap();
    let mut config = config(group.deployment());
    config.replica_read_prefixes = vec!["cache:".to_owned()];
    let store = started(config).await;
    store.set("cache:a", text("1"), None).await.unwrap();
    store.set("other", text("1"), None).await.unwrap();
    until("a replica to be read", async || {
        assert!(store.get("other").await.unwrap().is_some());
        let mut reads = 0;
        for server in &group.servers[1..] {
            // Replication itself brings no GET.
            let stats = server.command(&["INFO", "commandstats"]).await.unwrap();
            reads += usize::from(stats.text().unwrap().contains("cmdstat_get:"));
        }
        store.get("cache:a").await.unwrap();
        reads > 0
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_pool_grows_to_its_bound() {
    let server = Server::start(&[]).await.unwrap();
    let mut config = config(Deployment::Standalone(server.host()));
    config.pool_start = 1;
    config.pool_max = 3;
    config.pool_grows_at = 2;
    let store = std::sync::Arc::new(started(config).await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200 {
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move { store.set(&number.to_string(), Bytes::new(), None).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(store.health().await.topology.unwrap().connections, 3);
    store.close();
    let refused = store.get("a").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert_eq!(store.health().await.problem, Some(Problem::Closed));
    // No connection is left but the one that asks.
    until("the connections to be gone", async || {
        let list = server.command(&["CLIENT", "LIST"]).await.unwrap();
        list.text().unwrap().lines().count() == 1
    })
    .await
    .unwrap();
}
