//! What can only be seen from inside: commits shared, faults of the disk, full queues, bounds,
//! damaged records.

use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use std::{future, io};

use bytes::Bytes;
use redb::backends::InMemoryBackend;
use redb::{BackendError, StorageBackend};

use super::*;
use crate::{MAX_MEMBER_BYTES, ManualClock, Rate, Store, TimeLeft};

/// A disk in memory that can be made to fail, and that outlives the database on it.
#[derive(Debug, Clone)]
struct Disk(Arc<DiskState>);

#[derive(Debug)]
struct DiskState {
    data: InMemoryBackend,
    full: AtomicBool,
    syncs: AtomicU64,
}

impl Disk {
    fn new() -> Self {
        Self(Arc::new(DiskState {
            data: InMemoryBackend::new(),
            full: AtomicBool::new(false),
            syncs: AtomicU64::new(0),
        }))
    }

    fn fill(&self, full: bool) {
        self.0.full.store(full, Ordering::SeqCst);
    }

    /// What a process finds that starts after this one was killed now.
    fn after_a_kill(&self) -> Self {
        let mut bytes = vec![0; usize::try_from(self.0.data.len().unwrap()).unwrap()];
        self.0.data.read(0, &mut bytes).unwrap();
        let next = Self::new();
        next.0.data.set_len(bytes.len() as u64).unwrap();
        next.0.data.write(0, &bytes).unwrap();
        next
    }

    fn syncs(&self) -> u64 {
        self.0.syncs.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), io::Error> {
        match self.0.full.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        self.0.data.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.0.data.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.check()?;
        self.0.data.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.check()?;
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.check()?;
        self.0.data.write(offset, data)
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

fn clock() -> Arc<ManualClock> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    Arc::new(ManualClock::at(now))
}

fn on_disk(disk: &Disk, config: EmbeddedConfig) -> EmbeddedStore {
    let database = open::open_backend(disk.clone(), config.cache_bytes).unwrap();
    let (disk, cache_bytes) = (disk.clone(), config.cache_bytes);
    let reopen: Reopen = Box::new(move || open::open_backend(disk.clone(), cache_bytes));
    EmbeddedStore::start(
        StoreKind::EmbeddedFile,
        database,
        Some(reopen),
        config,
        clock(),
    )
    .unwrap()
}

fn in_memory(config: EmbeddedConfig) -> (Arc<EmbeddedStore>, Arc<ManualClock>) {
    let clock = clock();
    let store = EmbeddedStore::in_memory(config, clock.clone()).unwrap();
    (Arc::new(store), clock)
}

/// Holds the writer still, from when this returns until the sender is dropped.
async fn stop_writer(store: &Arc<EmbeddedStore>) -> Sender<()> {
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let (entered, inside) = oneshot::channel();
    let blocked = Arc::clone(store);
    tokio::spawn(async move {
        let stand = move |_: &mut Tables<'_>| {
            entered.send(()).unwrap();
            // Ends with an error when the sender is dropped.
            gate.recv().unwrap_err();
            Ok(())
        };
        blocked.write("standing", 0, stand).await
    });
    inside.await.unwrap();
    release
}

/// Polls `call` once, so that it is queued.
async fn queue<T>(mut call: std::pin::Pin<&mut (impl Future<Output = T> + ?Sized)>) {
    future::poll_fn(|context| {
        assert!(call.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    // Many polls in one go would use up tokio's budget, and then not queue.
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn queued_writes_share_a_commit() {
    let disk = Disk::new();
    let store = Arc::new(on_disk(&disk, EmbeddedConfig::default()));
    let gate = stop_writer(&store).await;
    let keys: Vec<_> = (0..100).map(|key| format!("key-{key}")).collect();
    let mut calls: Vec<_> = keys
        .iter()
        .map(|key| store.set(key, Bytes::from_static(b"v"), None))
        .collect();
    for call in &mut calls {
        queue(call.as_mut()).await;
    }
    let before = disk.syncs();
    drop(gate);
    for call in calls {
        call.await.unwrap();
    }
    let commits = disk.syncs() - before;
    assert!((1..=3).contains(&commits), "{commits} syncs for 100 writes");
}

#[tokio::test]
async fn what_changes_nothing_is_not_committed() {
    let disk = Disk::new();
    let store = on_disk(&disk, EmbeddedConfig::default());
    let before = disk.syncs();
    assert!(!store.delete("absent").await.unwrap());
    assert!(
        !store
            .expire("absent", Duration::from_secs(1))
            .await
            .unwrap()
    );
    store.flush().await.unwrap();
    assert_eq!(disk.syncs(), before);
}

/// Five permits an hour.
fn rate() -> Rate {
    Rate::per(5, Duration::from_secs(3_600)).unwrap()
}

/// What is left of the limit, without taking any.
async fn left(store: &EmbeddedStore) -> u32 {
    store.throttle("limit", rate(), 0).await.unwrap().remaining
}

#[tokio::test]
async fn a_rate_limit_waits_for_no_disk_and_goes_along_with_the_next_write() {
    let disk = Disk::new();
    let config = EmbeddedConfig {
        settle_interval: Duration::from_secs(3_600),
        ..EmbeddedConfig::default()
    };
    let store = on_disk(&disk, config.clone());
    let before = disk.syncs();
    for remaining in [4, 3] {
        let answer = store.throttle("limit", rate(), 1).await.unwrap();
        assert!(answer.allowed);
        assert_eq!(answer.remaining, remaining);
    }
    assert_eq!(disk.syncs(), before);
    let left_after_a_kill = || async {
        let store = on_disk(&disk.after_a_kill(), config.clone());
        left(&store).await
    };
    assert_eq!(left_after_a_kill().await, 5);

    let value = Bytes::from_static(b"v");
    store.set("durable", value, None).await.unwrap();
    assert_eq!(left_after_a_kill().await, 3);

    store.throttle("limit", rate(), 1).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(left_after_a_kill().await, 2);

    store.throttle("limit", rate(), 1).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(left(&on_disk(&disk, config)).await, 1);
}

#[tokio::test]
async fn a_rate_limit_is_on_the_disk_before_long() {
    let disk = Disk::new();
    let config = EmbeddedConfig {
        settle_interval: Duration::from_millis(1),
        ..EmbeddedConfig::default()
    };
    let store = on_disk(&disk, config);
    let before = disk.syncs();
    store.throttle("limit", rate(), 1).await.unwrap();
    while disk.syncs() == before {
        tokio::task::yield_now().await;
    }
    // Once it is, nothing is written any more.
    store.flush().await.unwrap();
    let settled = disk.syncs();
    store.flush().await.unwrap();
    assert_eq!(disk.syncs(), settled);
    let again = on_disk(&disk.after_a_kill(), EmbeddedConfig::default());
    assert_eq!(left(&again).await, 4);
}

#[tokio::test]
async fn rate_limits_that_never_pause_are_settled_meanwhile() {
    let disk = Disk::new();
    let config = EmbeddedConfig {
        settle_interval: Duration::ZERO,
        batch_len: 1,
        ..EmbeddedConfig::default()
    };
    let store = Arc::new(on_disk(&disk, config));
    let gate = stop_writer(&store).await;
    let keys: Vec<_> = (0..40).map(|key| format!("limit-{key}")).collect();
    let mut calls: Vec<_> = keys
        .iter()
        .map(|key| store.throttle(key, rate(), 1))
        .collect();
    for call in &mut calls {
        queue(call.as_mut()).await;
    }
    let before = disk.syncs();
    drop(gate);
    for call in calls {
        assert!(call.await.unwrap().allowed);
    }
    let settled = disk.syncs() - before;
    assert!(settled >= 20, "{settled} syncs while 40 limits were asked");
}

#[tokio::test]
async fn a_failing_write_does_not_spoil_its_neighbours() {
    let (store, _) = in_memory(EmbeddedConfig::default());
    store.set("value", Bytes::new(), None).await.unwrap();
    let gate = stop_writer(&store).await;
    let mut before = store.increment("counter", 1, None);
    let mut wrong = store.increment("value", 1, None);
    let mut after = store.increment("counter", 1, None);
    queue(before.as_mut()).await;
    queue(wrong.as_mut()).await;
    queue(after.as_mut()).await;
    drop(gate);
    assert_eq!(before.await.unwrap(), 1);
    assert_eq!(wrong.await.unwrap_err().kind(), ErrorKind::WrongKind);
    assert_eq!(after.await.unwrap(), 2);
}

#[tokio::test]
async fn a_panic_fails_its_batch_and_nothing_else() {
    let (store, _) = in_memory(EmbeddedConfig::default());
    store.increment("counter", 1, None).await.unwrap();
    let broken = store.write("breaking", 0, |tables| -> Result<(), Failure> {
        ops::increment(tables, "counter", 1, None)?;
        panic!("a page makes no sense")
    });
    assert_eq!(broken.await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(store.increment("counter", 1, None).await.unwrap(), 2);
}

#[tokio::test]
async fn a_full_disk_fails_writes_until_there_is_room() {
    let disk = Disk::new();
    let store = on_disk(&disk, EmbeddedConfig::default());
    store
        .set("kept", Bytes::from_static(b"v"), None)
        .await
        .unwrap();
    disk.fill(true);
    let error = store.set("lost", Bytes::from(vec![7; 100_000]), None).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.is_retryable());
    // Opening it again fails too, while the disk is full: it is down, and says so.
    let health = store.health().await;
    assert!(!health.up, "{health:?}");
    assert!(health.reason.is_some());
    let error = store.get("kept").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    disk.fill(false);
    // The pause between attempts is real time: end it as the writer would.
    store.engine.reopen().unwrap();
    assert_eq!(store.get("kept").await.unwrap().unwrap(), "v");
    store
        .set("new", Bytes::from_static(b"w"), None)
        .await
        .unwrap();
    assert_eq!(store.get("new").await.unwrap().unwrap(), "w");
}

#[tokio::test]
async fn a_disk_that_failed_once_is_opened_again_at_once() {
    let disk = Disk::new();
    let store = on_disk(&disk, EmbeddedConfig::default());
    store
        .set("kept", Bytes::from_static(b"v"), None)
        .await
        .unwrap();
    let failed = store.write("failing", 0, move |tables| {
        ops::set(tables, "lost", b"v", None)?;
        Err::<(), _>(redb::StorageError::Io(io::ErrorKind::StorageFull.into()).into())
    });
    assert_eq!(failed.await.unwrap_err().kind(), ErrorKind::Full);
    store.increment("after", 1, None).await.unwrap();
    assert_eq!(store.get("lost").await.unwrap(), None);
    assert_eq!(store.get("kept").await.unwrap().unwrap(), "v");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_not_answered_times_out_and_still_happens() {
    let (store, _) = in_memory(EmbeddedConfig::default());
    let gate = stop_writer(&store).await;
    let error = store.set("slow", Bytes::new(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable());
    drop(gate);
    tokio::time::resume();
    store.flush().await.unwrap();
    assert!(store.get("slow").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_what_finds_no_place_in_time() {
    for (config, len) in [
        (
            EmbeddedConfig {
                queue_len: 2,
                ..EmbeddedConfig::default()
            },
            0,
        ),
        (
            EmbeddedConfig {
                queue_bytes: 10_000,
                ..EmbeddedConfig::default()
            },
            7_500,
        ),
    ] {
        let (store, _) = in_memory(config);
        let gate = stop_writer(&store).await;
        let value = Bytes::from(vec![0; len]);
        let mut queued = store.set("queued", value.clone(), None);
        queue(queued.as_mut()).await;
        let error = store.set("refused", value, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full);
        drop((queued, gate));
        tokio::time::resume();
        store.flush().await.unwrap();
        assert!(store.get("queued").await.unwrap().is_some());
        assert!(store.get("refused").await.unwrap().is_none());
        tokio::time::pause();
    }
}

#[tokio::test]
async fn what_is_dead_goes_first_then_what_ends_soonest() {
    let (store, clock) = in_memory(EmbeddedConfig {
        max_bytes: 4 * 1_100,
        ..EmbeddedConfig::default()
    });
    let value = Bytes::from(vec![0; 1_000]);
    let set = async |key: &str, seconds: Option<u64>| {
        let lifetime = seconds.map(Duration::from_secs);
        store.set(key, value.clone(), lifetime).await
    };
    set("dead", Some(1)).await.unwrap();
    set("late", Some(90)).await.unwrap();
    set("soon", Some(60)).await.unwrap();
    set("always", None).await.unwrap();
    clock.advance(Duration::from_secs(2));
    set("first", Some(99)).await.unwrap();
    let alive = async || {
        let mut alive = Vec::new();
        for key in ["late", "soon", "always", "first", "second", "pinned"] {
            if store.get(key).await.unwrap().is_some() {
                alive.push(key);
            }
        }
        alive
    };
    assert_eq!(alive().await, ["late", "soon", "always", "first"]);
    set("second", Some(99)).await.unwrap();
    assert_eq!(alive().await, ["late", "always", "first", "second"]);
    for key in ["pinned", "pinned2", "pinned3"] {
        set(key, None).await.unwrap();
    }
    assert_eq!(alive().await, ["always", "pinned"]);
    let error = set("too much", Some(9)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    // A counter needs little, but there is less.
    for number in 0..10 {
        let sum = store.increment(&format!("c{number}"), 1, None).await;
        if let Err(error) = sum {
            assert_eq!(error.kind(), ErrorKind::Full);
            break;
        }
        assert!(number < 9, "the bound doesn't hold");
    }
    // Replacing what is there needs no more than the difference.
    set("always", None).await.unwrap();
    assert!(store.delete("pinned").await.unwrap());
    set("room again", Some(9)).await.unwrap();
}

#[tokio::test]
async fn a_dead_set_makes_room_with_its_members() {
    let (store, clock) = in_memory(EmbeddedConfig {
        max_bytes: 2_000,
        ..EmbeddedConfig::default()
    });
    let minute = Some(Duration::from_secs(60));
    let long = "m".repeat(MAX_MEMBER_BYTES);
    store.set_insert("set", &long, minute).await.unwrap();
    store.set_insert("set", "other", minute).await.unwrap();
    let value = Bytes::from(vec![0; 1_800]);
    let error = store.set("key", value.clone(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    clock.advance(Duration::from_secs(60));
    store.set("key", value, None).await.unwrap();
    assert_eq!(store.health().await.keys, Some(1));
}

#[tokio::test]
async fn a_lifetime_ends_on_the_millisecond() {
    let (store, clock) = in_memory(EmbeddedConfig::default());
    let (step, last) = (Duration::from_millis(999), Duration::from_millis(1));
    let second = Some(step + last);
    let again = async || {
        let value = store.set_if_absent("value", Bytes::new(), second).await;
        let sum = store.increment("counter", 1, second).await;
        (value.unwrap(), sum.unwrap())
    };
    assert_eq!(again().await, (true, 1));
    clock.advance(step);
    assert_eq!(again().await, (false, 2));
    assert_eq!(store.time_left("value").await.unwrap(), TimeLeft::For(last));
    // Nothing commits, and so sweeps, between the end and the question.
    clock.advance(last);
    assert_eq!(store.time_left("value").await.unwrap(), TimeLeft::Absent);
    assert_eq!(store.get("value").await.unwrap(), None);
    assert_eq!(again().await, (true, 1));
    // Less than a millisecond counts as one.
    let least = Some(Duration::from_nanos(1));
    store.set("value", Bytes::new(), least).await.unwrap();
    assert_eq!(store.time_left("value").await.unwrap(), TimeLeft::For(last));
}

#[tokio::test]
async fn a_set_has_a_bound() {
    let (store, _) = in_memory(EmbeddedConfig {
        max_set_members: 2,
        ..EmbeddedConfig::default()
    });
    assert!(store.set_insert("set", "a", None).await.unwrap());
    assert!(store.set_insert("set", "b", None).await.unwrap());
    assert!(!store.set_insert("set", "b", None).await.unwrap());
    let error = store.set_insert("set", "c", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(store.set_remove("set", "a").await.unwrap());
    assert!(store.set_insert("set", "c", None).await.unwrap());
}

#[tokio::test]
async fn the_account_returns_to_zero() {
    let (store, clock) = in_memory(EmbeddedConfig::default());
    let minute = Some(Duration::from_secs(60));
    for number in 0..20 {
        let key = format!("key-{number}");
        store
            .set(&key, Bytes::from(vec![0; number]), minute)
            .await
            .unwrap();
        store.set_insert("set", &key, minute).await.unwrap();
        store.set_insert("other", &key, None).await.unwrap();
        store
            .increment(&format!("c{number}"), 1, minute)
            .await
            .unwrap();
    }
    for number in 0..20 {
        let key = format!("key-{number}");
        assert!(store.set_remove("other", &key).await.unwrap());
        store.expire(&key, Duration::from_secs(9)).await.unwrap();
    }
    assert!(account(&store).await.0 > 0);
    clock.advance(Duration::from_secs(61));
    while store.sweep().await.unwrap() > 0 {}
    assert_eq!(account(&store).await, (0, 0));
    assert_eq!(store.health().await.keys, Some(0));
}

/// Bytes held, and how many of them may be evicted, as the file says.
async fn account(store: &EmbeddedStore) -> (u64, u64) {
    let read = |transaction: &ReadTransaction, _: u64| -> Result<_, Failure> {
        let meta = transaction.open_table(tables::META)?;
        let number = |name| -> Result<u64, redb::StorageError> {
            Ok(meta.get(name)?.map_or(0, |number| number.value()))
        };
        Ok((number("bytes")?, number("evictable_bytes")?))
    };
    store.read("accounting", read).await.unwrap()
}

#[tokio::test]
async fn a_damaged_record_is_an_error_and_can_be_replaced() {
    let disk = Disk::new();
    for damage in [
        &b""[..],
        b"\x01",
        b"\x09\x01\0\0\0\0\0\0\0\0v",
        b"\x01\x02\0\0\0\0\0\0\0\0v",
    ] {
        let database = open::open_backend(disk.clone(), 1 << 20).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut records = transaction.open_table(tables::RECORDS).unwrap();
            records.insert("bad", damage).unwrap();
            records.insert("worse", damage).unwrap();
        }
        transaction.commit().unwrap();
        database.close().unwrap();
        let store = on_disk(&disk, EmbeddedConfig::default());
        // The last one's header is whole, and says that it is dead.
        if damage.len() < 11 || damage[0] != 1 {
            for result in [
                store.get("bad").await.map(|_| ()),
                store.time_left("bad").await.map(|_| ()),
                store.increment("bad", 1, None).await.map(|_| ()),
                store.set_members("bad", 1).await.map(|_| ()),
                store
                    .set_if_absent("bad", Bytes::new(), None)
                    .await
                    .map(|_| ()),
            ] {
                assert_eq!(result.unwrap_err().kind(), ErrorKind::Corrupt);
            }
            assert!(store.delete("worse").await.unwrap());
        }
        store
            .set("bad", Bytes::from_static(b"good"), None)
            .await
            .unwrap();
        assert_eq!(store.get("bad").await.unwrap().unwrap(), "good");
        assert_eq!(store.get("worse").await.unwrap(), None);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn close_commits_what_is_queued_and_refuses_the_rest() {
    let disk = Disk::new();
    let store = Arc::new(on_disk(&disk, EmbeddedConfig::default()));
    let gate = stop_writer(&store).await;
    let mut queued = store.set("queued", Bytes::from_static(b"v"), None);
    queue(queued.as_mut()).await;
    let mut closing = Box::pin(store.close());
    queue(closing.as_mut()).await;
    let refused = store.set("refused", Bytes::new(), None).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert_eq!(
        store.get("queued").await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    drop(gate);
    closing.await.unwrap();
    queued.await.unwrap();
    store.close().await.unwrap();
    assert!(!store.health().await.up);
    let again = on_disk(&disk, EmbeddedConfig::default());
    assert_eq!(again.get("queued").await.unwrap().unwrap(), "v");
    assert_eq!(again.get("refused").await.unwrap(), None);
}

#[tokio::test]
async fn a_dropped_store_commits_what_is_queued() {
    let disk = Disk::new();
    let store = Arc::new(on_disk(&disk, EmbeddedConfig::default()));
    let gate = stop_writer(&store).await;
    let mut queued = store.set("queued", Bytes::from_static(b"v"), None);
    queue(queued.as_mut()).await;
    drop(queued);
    let closed = store.closed.lock().await.take().unwrap();
    let mut store = Some(store);
    drop(gate);
    // The task that stood in the writer's way has the store too, for a moment.
    while let Some(shared) = store.take() {
        store = Arc::try_unwrap(shared).err();
        tokio::task::yield_now().await;
    }
    closed.await.unwrap();
    let again = on_disk(&disk, EmbeddedConfig::default());
    assert_eq!(again.get("queued").await.unwrap().unwrap(), "v");
}

#[tokio::test]
async fn a_file_of_another_format_is_told_apart() {
    let disk = Disk::new();
    let database = open::open_backend(disk.clone(), 1 << 20).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(tables::META)
        .unwrap()
        .insert(tables::FORMAT_NAME, tables::FORMAT + 1)
        .unwrap();
    transaction.commit().unwrap();
    database.close().unwrap();
    let error = open::open_backend(disk, 1 << 20).unwrap_err();
    assert_eq!(error.kind(), OpenErrorKind::Format);
}
