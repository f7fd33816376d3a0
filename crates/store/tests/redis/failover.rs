//! A frozen server holds up nobody: not a store whose sentinels have another master, and not
//! one that reads from replicas.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use store::test_util::Reply;
use store::test_util::redis::{MASTER_NAME, Sentinels, Server, until};
use store::{
    Deployment, EmbeddedConfig, EmbeddedStore, KeyClass, KeyClasses, RedisConfig, RedisStore,
    ResilientConfig, ResilientStore, Store, SystemClock,
};
use tokio::time::Instant;

use crate::common::PATIENCE;

/// From the sentinels' word to a store that writes to the new master, at most.
const RETURN: Duration = Duration::from_secs(2);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// The service's own configuration, but for a command's patience: the machine may be busy.
fn config(deployment: Deployment) -> RedisConfig {
    let mut config = RedisConfig::new(deployment);
    config.command_timeout = Duration::from_millis(250);
    config.replica_read_prefixes = vec!["cache:".to_owned()];
    config
}

/// A store as the service has it, with the sentinels in another order for each `turn`: one of
/// them leads a failover, and has another word on it than the others for a while.
async fn start(group: &Sentinels, turn: usize) -> ResilientStore {
    let sentinels = group.sentinels.iter().map(Server::host);
    let mut sentinels: Vec<_> = sentinels.collect();
    sentinels.rotate_left(turn);
    let master = MASTER_NAME.to_owned();
    let redis = RedisStore::start(config(Deployment::Sentinel { sentinels, master })).unwrap();
    redis.ready(PATIENCE).await.unwrap();
    let clock = || Arc::new(SystemClock);
    let local = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock()).unwrap();
    let classes = ResilientConfig::new(KeyClasses::new(KeyClass::Ephemeral));
    ResilientStore::start(redis, Arc::new(local), classes, clock())
        .await
        .unwrap()
}

/// Writes and reads until a write has come to `master`, and returns when that was.
async fn writes_to(store: &ResilientStore, key: &str, master: &Server) -> Instant {
    let name = format!("ai:{key}");
    until("the store to write to the new master", async || {
        // Dropped while the store is away, as what can be made again is.
        store.set(key, Bytes::new(), None).await.unwrap();
        store.get("cache:read").await.unwrap();
        let found = master.command(&["EXISTS", &name]).await;
        matches!(found, Ok(Reply::Integer(1)))
    })
    .await
    .unwrap();
    Instant::now()
}

/// When any sentinel has another master than the one in place `old`, and which.
async fn switched(group: &Sentinels, old: usize) -> (Instant, usize) {
    loop {
        for sentinel in &group.sentinels {
            let asked = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME];
            if let Ok(Reply::Many(address)) = sentinel.command(&asked).await
                && let Some(port) = address.get(1).and_then(Reply::text)
                && let Some(new) = group
                    .servers
                    .iter()
                    .position(|server| server.port().to_string() == port)
                && new != old
            {
                return (Instant::now(), new);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The longest that this process was kept from running, until dropped.
fn stumbles() -> (
    tokio::sync::watch::Receiver<Duration>,
    tokio::task::AbortHandle,
) {
    let (tell, told) = tokio::sync::watch::channel(Duration::ZERO);
    let task = tokio::spawn(async move {
        loop {
            let begun = Instant::now();
            tokio::time::sleep(PAUSE).await;
            let late = begun.elapsed().saturating_sub(PAUSE);
            tell.send_if_modified(|longest| std::mem::replace(longest, late.max(*longest)) < late);
        }
    });
    (told, task.abort_handle())
}

/// The master freezes twice, and stays frozen until the store is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_master_holds_up_nobody_once_there_is_another() {
    let group = Sentinels::start().await.unwrap();
    let mut stores = Vec::new();
    for turn in 0..3 {
        stores.push(start(&group, turn).await);
    }
    for round in 0..2 {
        let old = group.master().await.unwrap();
        group.servers[old].freeze().unwrap();
        let (longest, watching) = stumbles();
        let (switch, new) = tokio::time::timeout(PATIENCE, switched(&group, old))
            .await
            .unwrap();
        let server = &group.servers[new];
        let waiting = stores
            .iter()
            .enumerate()
            .map(async |(turn, store)| writes_to(store, &format!("{round}:{turn}"), server).await);
        let returned = join_all(waiting).await;
        watching.abort();
        let allowed = RETURN + *longest.borrow();
        let times: Vec<_> = returned.iter().map(|back| *back - switch).collect();
        println!("round {round}: back {times:.2?} after the switch, {allowed:.2?} allowed");
        assert!(times.iter().all(|time| *time <= allowed), "{times:?}");
        group.servers[old].thaw().unwrap();
        // All three are there again for the next round.
        until("the old master to follow", async || {
            let role = group.servers[old].command(&["ROLE"]).await;
            matches!(role, Ok(Reply::Many(role)) if role.contains(&Reply::Text("connected".into())))
        })
        .await
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_replica_costs_a_read_once_and_no_outage() {
    let group = Sentinels::start().await.unwrap();
    let store = start(&group, 0).await;
    store.set("cache:a", Bytes::new(), None).await.unwrap();
    until("both replicas to be read", async || {
        store.get("cache:a").await.unwrap();
        let mut read = 0;
        for server in &group.servers[1..] {
            let stats = server.command(&["INFO", "commandstats"]).await.unwrap();
            read += usize::from(stats.text().unwrap().contains("cmdstat_get:"));
        }
        read == 2
    })
    .await
    .unwrap();
    for server in &group.servers[1..] {
        server.freeze().unwrap();
    }
    let mut slow = 0;
    for _ in 0..100 {
        let begun = Instant::now();
        assert_eq!(store.get("cache:a").await.unwrap(), Some(Bytes::new()));
        // The patience with a replica is half of that with the master.
        slow += usize::from(begun.elapsed() > Duration::from_millis(100));
    }
    // Each of the two once, and once more for every second that a busy machine takes.
    assert!(
        slow <= 10,
        "{slow} of 100 reads waited for a frozen replica"
    );
    assert_eq!(store.health().await.standby.unwrap().outages, 0);
    for server in &group.servers[1..] {
        server.thaw().unwrap();
    }
}
