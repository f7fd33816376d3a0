//! Every deployment keeps the contract.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use store::conformance;
use store::test_util::Reply;
use store::test_util::redis::{Cluster, Sentinels, Server, until};
use store::{Deployment, Lease, Store, StoreKind, TimeLeft};

use crate::common::{Redis, config, started};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_keeps_the_contract() {
    let server = Server::start(&[]).await.unwrap();
    let store = Arc::new(started(config(Deployment::Standalone(server.host()))).await);
    let subject = Redis {
        store: Arc::clone(&store),
        servers: vec![&server],
    };
    conformance::all(&subject).await.unwrap();
    let health = store.health().await;
    assert_eq!(
        (health.kind, health.problem),
        (StoreKind::RedisStandalone, None)
    );
    let topology = health.topology.unwrap();
    assert_eq!(topology.masters, [server.host().to_string()]);
    assert!(topology.connections_up > 0);
    assert!(topology.settings.contains(&("pool_max", 50)));

    // The suite cleans up after itself; the history of fences ends by itself.
    let left = server.command(&["KEYS", "*"]).await.unwrap();
    let Reply::Many(left) = left else {
        panic!("{left:?}");
    };
    let kept = |key: &Reply| {
        let key = key.text().unwrap_or_default();
        key.starts_with("ai:fence\0") || key == "ai:health:probe"
    };
    assert!(left.iter().all(kept), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_under_sentinels_keeps_the_contract() {
    let group = Sentinels::start().await.unwrap();
    let store = Arc::new(started(config(group.deployment())).await);
    let subject = Redis {
        store: Arc::clone(&store),
        servers: vec![&group.servers[0]],
    };
    conformance::all(&subject).await.unwrap();
    let health = store.health().await;
    assert_eq!(
        (health.kind, health.problem),
        (StoreKind::RedisSentinel, None)
    );
    let topology = health.topology.unwrap();
    assert_eq!(topology.masters, [group.servers[0].host().to_string()]);
    assert_eq!(topology.replicas.len(), 2);
    assert_eq!(topology.sentinels.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_the_contract() {
    let cluster = Cluster::start().await.unwrap();
    let store = Arc::new(started(config(cluster.deployment())).await);
    let subject = Redis {
        store: Arc::clone(&store),
        servers: cluster.nodes.iter().collect(),
    };
    conformance::all(&subject).await.unwrap();
    let health = store.health().await;
    assert_eq!(
        (health.kind, health.problem),
        (StoreKind::RedisCluster, None)
    );
    assert_eq!(health.topology.unwrap().masters.len(), 3);
}

/// The suite moves the server's time by hand; here it passes by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lifetimes_end_by_the_servers_own_clock() {
    let server = Server::start(&[]).await.unwrap();
    let store = started(config(Deployment::Standalone(server.host()))).await;
    let brief = Duration::from_millis(50);
    let short = Some(brief);
    store
        .set("value", Bytes::from_static(b"v"), short)
        .await
        .unwrap();
    store.increment("counter", 1, short).await.unwrap();
    store.set_insert("set", "m", short).await.unwrap();
    store.acquire_lease("lease", "ana", brief).await.unwrap();
    for key in ["value", "counter", "set", "lease"] {
        until("the end of a lifetime", async || {
            store.time_left(key).await.unwrap() == TimeLeft::Absent
        })
        .await
        .unwrap();
    }
    let forever = Some(Duration::MAX);
    store.set("value", Bytes::new(), forever).await.unwrap();
    let left = store.time_left("value").await.unwrap();
    assert!(matches!(left, TimeLeft::For(left) if left > Duration::from_secs(86_400 * 365_000)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_says_whether_anybody_had_it_before() {
    let server = Server::start(&[]).await.unwrap();
    let store = started(config(Deployment::Standalone(server.host()))).await;
    let take = async |owner: &str| {
        let lease = store.acquire_lease("lease", owner, Duration::from_secs(60));
        match lease.await.unwrap() {
            Lease::Granted { first, .. } => first,
            held @ Lease::Held { .. } => panic!("{held:?}"),
        }
    };
    assert!(take("ana").await);
    assert!(!take("ana").await, "a renewal");
    assert!(store.release_lease("lease", "ana").await.unwrap());
    assert!(!take("luis").await, "another holder");
    // A key that can't have a history in its own slot of a cluster can't tell.
    let odd = store.acquire_lease("odd}lease", "ana", Duration::from_secs(60));
    assert!(matches!(odd.await, Ok(Lease::Granted { first: false, .. })));
    // What every lease leaves behind ends soon.
    let keys = server.command(&["KEYS", "ai:fence*"]).await.unwrap();
    let Reply::Many(keys) = keys else {
        panic!("{keys:?}");
    };
    assert_eq!(keys.len(), 1);
    let key = keys[0].text().unwrap();
    let Reply::Integer(left) = server.command(&["PTTL", &key]).await.unwrap() else {
        panic!("no time to live");
    };
    assert!((600_000..=660_000).contains(&left), "{left}");
}
