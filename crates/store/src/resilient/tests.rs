//! The stand-in over a shared store that fails on demand.

use std::collections::HashSet;
use std::sync::Mutex as Lock;
use std::sync::atomic::AtomicU8;

use bytes::Bytes;

use super::*;
use crate::{EmbeddedConfig, EmbeddedStore, ErrorKind, Lease, ManualClock, Rate, TimeLeft};
use crate::{StoreKind, Throttled};

/// How the shared store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well = 0,
    /// Refuses all.
    Down = 1,
    /// Never answers.
    Hung = 2,
    /// Takes no writes.
    Full = 3,
    /// Does what it is asked, and the answer gets lost.
    Lossy = 4,
}

/// A shared store in memory.
#[derive(Debug)]
struct Fake {
    engine: EmbeddedStore,
    mood: AtomicU8,
    once: Lock<HashSet<(String, u64)>>,
    calls: AtomicU64,
}

impl Fake {
    fn new(clock: &Arc<ManualClock>) -> Arc<Self> {
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        Arc::new(Self {
            engine: EmbeddedStore::in_memory(patient(), clock).unwrap(),
            mood: AtomicU8::new(0),
            once: Lock::new(HashSet::new()),
            calls: AtomicU64::new(0),
        })
    }

    fn set_mood(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    async fn go<T>(
        &self,
        writes: bool,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match self.mood.load(Ordering::SeqCst) {
            1 => Err(StoreError::new(ErrorKind::Unavailable, "told to be down")),
            2 => std::future::pending().await,
            3 if writes => Err(StoreError::new(ErrorKind::Full, "told to be full")),
            4 => {
                call.await?;
                Err(StoreError::new(ErrorKind::Timeout, "told to lose answers"))
            }
            _ => call.await,
        }
    }
}

macro_rules! pass_on {
    ($($writes:literal fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl Store for Fake {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$out, StoreError> {
                self.go($writes, self.engine.$name($($arg),*)).await
            })*

            async fn health(&self) -> StoreHealth {
                let up = self.mood.load(Ordering::SeqCst) == 0;
                StoreHealth::new(StoreKind::RedisStandalone, up, Duration::ZERO)
            }
        }
    };
}

pass_on! {
    false fn get(key: &str) -> Option<Bytes>;
    true fn set(key: &str, value: Bytes, lifetime: Option<Duration>) -> ();
    true fn set_if_absent(key: &str, value: Bytes, lifetime: Option<Duration>) -> bool;
    true fn compare_and_set(
        key: &str, expected: Option<&[u8]>, value: Bytes, lifetime: Option<Duration>
    ) -> bool;
    true fn delete(key: &str) -> bool;
    false fn time_left(key: &str) -> TimeLeft;
    true fn expire(key: &str, lifetime: Duration) -> bool;
    true fn increment(key: &str, by: i64, lifetime: Option<Duration>) -> i64;
    false fn counters(keys: &[&str]) -> Vec<i64>;
    true fn add_all(additions: &[Addition<'_>]) -> Added;
    true fn throttle(key: &str, rate: Rate, cost: u32) -> Throttled;
    true fn set_insert(key: &str, member: &str, lifetime: Option<Duration>) -> bool;
    true fn set_remove(key: &str, member: &str) -> bool;
    false fn set_members(key: &str, limit: usize) -> Vec<String>;
    true fn acquire_lease(key: &str, owner: &str, lifetime: Duration) -> Lease;
    true fn release_lease(key: &str, owner: &str) -> bool;
    false fn publish(channel: &str, message: Bytes) -> ();
    false fn subscribe(channel: &str) -> Subscription;
    false fn flush() -> ();
}

#[async_trait]
impl Remote for Fake {
    async fn add_once(
        &self,
        additions: &[Addition<'_>],
        once: Once<'_>,
    ) -> Result<Added, StoreError> {
        assert!(once.open_from <= once.number);
        let new = || {
            let mut seen = self.once.lock().unwrap();
            seen.insert((once.writer.to_owned(), once.number))
        };
        self.go(true, async {
            match new() {
                true => self.engine.add_all(additions).await,
                false => Ok(Added::All(vec![0; additions.len()])),
            }
        })
        .await
    }

    async fn probe(&self) -> Result<(), Problem> {
        let probe = self.go(true, async { Ok(()) }).await;
        probe.map_err(|error| Problem::of(error.kind()))
    }

    async fn reached(&self) {
        std::future::pending().await
    }

    fn listen(&self, _: &str) -> Result<Subscription, StoreError> {
        crate::pubsub::Hub::new().subscribe("nothing")
    }
}

/// An engine's bounds on a machine that may be busy.
fn patient() -> EmbeddedConfig {
    EmbeddedConfig {
        deadline: Duration::from_secs(30),
        ..EmbeddedConfig::default()
    }
}

/// A shared store, the local one, and the store over both.
struct World {
    remote: Arc<Fake>,
    local: Arc<EmbeddedStore>,
    clock: Arc<ManualClock>,
    store: ResilientStore,
}

fn config() -> ResilientConfig {
    let classes = KeyClasses::new(KeyClass::Durable)
        .with("cache:", KeyClass::Ephemeral)
        .with("limit:", KeyClass::Local);
    ResilientConfig {
        deadline: Duration::from_millis(100),
        probe_min: Duration::from_millis(2),
        probe_max: Duration::from_millis(10),
        journal_len: 100,
        ..ResilientConfig::new(classes)
    }
}

async fn world() -> World {
    world_of(config()).await
}

async fn world_of(config: ResilientConfig) -> World {
    let clock = Arc::new(ManualClock::at(
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000),
    ));
    let time = Arc::clone(&clock) as Arc<dyn Clock>;
    let local = EmbeddedStore::in_memory(patient(), time).unwrap();
    let (remote, local) = (Fake::new(&clock), Arc::new(local));
    let store = over(&remote, &local, &clock, config).await;
    World {
        remote,
        local,
        clock,
        store,
    }
}

async fn over(
    remote: &Arc<Fake>,
    local: &Arc<EmbeddedStore>,
    clock: &Arc<ManualClock>,
    config: ResilientConfig,
) -> ResilientStore {
    let (remote, local) = (Arc::clone(remote), Arc::clone(local));
    ResilientStore::over(remote, local, config, Arc::clone(clock) as Arc<dyn Clock>)
        .await
        .unwrap()
}

impl World {
    /// The shared store goes away, and that is noticed.
    async fn go_away(&self, mood: Mood) {
        self.remote.set_mood(mood);
        self.is_away().await;
    }

    /// That the shared store is away is noticed.
    async fn is_away(&self) {
        let noticed = async {
            while !self.store.shared.breaker.is_open() {
                drop(self.store.get("cache:any").await);
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), noticed)
            .await
            .unwrap();
    }

    /// The shared store is well, and knows all.
    async fn come_back(&self) {
        self.remote.set_mood(Mood::Well);
        self.settled().await;
    }

    async fn settled(&self) {
        let settled = async {
            let shared = &self.store.shared;
            while !shared.breaker.is_closed() || !shared.journal.is_settled() {
                tokio::task::yield_now().await;
            }
            // What is forgotten is deleted under this.
            drop(shared.overlay.read().await);
        };
        tokio::time::timeout(Duration::from_secs(10), settled)
            .await
            .unwrap();
    }
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn kind<T>(result: Result<T, StoreError>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_shared_store_there_it_keeps_the_contract() {
    struct Subject(Arc<ResilientStore>, Arc<ManualClock>);
    #[async_trait]
    impl crate::conformance::Subject for Subject {
        fn store(&self) -> Arc<dyn Store> {
            self.0.clone()
        }

        async fn advance(&self, by: Duration) {
            self.1.advance(by);
        }
    }
    let patient = ResilientConfig {
        deadline: Duration::from_secs(30),
        ..config()
    };
    let world = world_of(patient).await;
    let subject = Subject(Arc::new(world.store), world.clock);
    crate::conformance::all(&subject).await.unwrap();
    assert_eq!(world.local.health().await.keys, Some(0));
}

#[tokio::test]
async fn while_it_is_away_each_class_has_its_way() {
    let world = world().await;
    let store = &world.store;
    store.set("cache:a", text("1"), None).await.unwrap();
    store.set("session:a", text("1"), None).await.unwrap();
    world.go_away(Mood::Down).await;
    let calls = world.remote.calls.load(Ordering::SeqCst);

    assert_eq!(store.get("cache:a").await.unwrap(), None);
    store.set("cache:a", text("2"), None).await.unwrap();
    assert!(!store.delete("cache:a").await.unwrap());
    let refused = store.set_if_absent("cache:a", text("2"), None).await;
    assert_eq!(kind(refused), Some(ErrorKind::Unavailable));

    let rate = Rate::per(1, Duration::from_secs(60)).unwrap();
    assert!(store.throttle("limit:a", rate, 1).await.unwrap().allowed);
    assert!(!store.throttle("limit:a", rate, 1).await.unwrap().allowed);
    assert_eq!(store.increment("limit:n", 2, None).await.unwrap(), 2);

    // What isn't known here is not absent.
    assert_eq!(
        kind(store.get("session:a").await),
        Some(ErrorKind::Unavailable)
    );
    assert_eq!(
        kind(store.set_members("news", 9).await),
        Some(ErrorKind::Unavailable)
    );
    assert_eq!(
        kind(store.counters(&["ledger"]).await),
        Some(ErrorKind::Unavailable)
    );
    assert_eq!(
        kind(store.time_left("ledger").await),
        Some(ErrorKind::Unavailable)
    );
    let lease = store
        .acquire_lease("job", "me", Duration::from_secs(9))
        .await;
    assert_eq!(kind(lease), Some(ErrorKind::Unavailable));

    // Nobody waited for it, but for the looks in the background.
    let health = store.health().await;
    assert!(!health.up);
    let standby = health.standby.unwrap();
    assert!(standby.active && standby.outages == 1 && standby.dropped == 2);
    assert!(world.remote.calls.load(Ordering::SeqCst) - calls < 100);
    world.come_back().await;
    assert_eq!(store.get("cache:a").await.unwrap(), Some(text("1")));
    assert!(!store.health().await.standby.unwrap().active);
}

#[tokio::test]
async fn durable_writes_are_told_in_order_when_it_is_back() {
    let world = world().await;
    let store = &world.store;
    store.set("s:deleted", text("old"), None).await.unwrap();
    store.increment("n:total", 100, None).await.unwrap();
    store.set_insert("news", "a", None).await.unwrap();
    world.go_away(Mood::Down).await;

    store.set("s:a", text("1"), None).await.unwrap();
    store
        .set("s:a", text("2"), Some(Duration::from_secs(60)))
        .await
        .unwrap();
    assert_eq!(store.get("s:a").await.unwrap(), Some(text("2")));
    assert!(
        store
            .compare_and_set("s:a", Some(b"2"), text("3"), None)
            .await
            .unwrap()
    );
    assert!(
        !store
            .compare_and_set("s:a", Some(b"2"), text("4"), None)
            .await
            .unwrap()
    );
    assert!(!store.set_if_absent("s:a", text("5"), None).await.unwrap());
    store.delete("s:deleted").await.unwrap();
    assert_eq!(store.get("s:deleted").await.unwrap(), None);
    store
        .set("s:short", text("x"), Some(Duration::from_secs(5)))
        .await
        .unwrap();
    store
        .set("s:long", text("x"), Some(Duration::from_secs(50)))
        .await
        .unwrap();

    // Sums go on from where they were known to be.
    assert_eq!(store.increment("n:total", 5, None).await.unwrap(), 105);
    let reserve = [Addition {
        key: "n:total",
        by: 20,
        limit: Some(120),
        lifetime: None,
    }];
    let over = Added::Over {
        index: 0,
        current: 105,
    };
    assert_eq!(store.add_all(&reserve).await.unwrap(), over);
    assert_eq!(store.increment("n:total", -3, None).await.unwrap(), 102);
    assert_eq!(store.counters(&["n:total"]).await.unwrap(), [102]);
    assert!(store.set_insert("news", "b", None).await.unwrap());
    store.set_remove("news", "a").await.unwrap();
    assert_eq!(store.health().await.standby.unwrap().journal_len, 10);

    world.clock.advance(Duration::from_secs(10));
    world.come_back().await;
    let remote = &world.remote.engine;
    assert_eq!(remote.get("s:a").await.unwrap(), Some(text("3")));
    assert_eq!(remote.time_left("s:a").await.unwrap(), TimeLeft::Forever);
    assert_eq!(remote.get("s:deleted").await.unwrap(), None);
    assert_eq!(remote.get("s:short").await.unwrap(), None);
    let left = TimeLeft::For(Duration::from_secs(40));
    assert_eq!(remote.time_left("s:long").await.unwrap(), left);
    assert_eq!(remote.counters(&["n:total"]).await.unwrap(), [102]);
    assert_eq!(remote.set_members("news", 9).await.unwrap(), ["b"]);
    // Here nothing is left but the journal's head.
    assert_eq!(world.local.health().await.keys, Some(1));
    assert_eq!(store.increment("n:total", 1, None).await.unwrap(), 103);
}

#[tokio::test]
async fn an_addition_whose_answer_was_lost_happens_once() {
    let world = world().await;
    world.remote.set_mood(Mood::Lossy);
    for _ in 0..20 {
        world.store.increment("n:total", 1, None).await.unwrap();
    }
    world.come_back().await;
    let sums = world.remote.engine.counters(&["n:total"]).await.unwrap();
    assert_eq!(sums, [20]);
}

#[tokio::test]
async fn a_reservation_that_may_have_happened_is_no_refusal() {
    let world = world().await;
    world.store.increment("n:spent", 10, None).await.unwrap();
    world.remote.set_mood(Mood::Lossy);
    let reserve = async |by| {
        let addition = Addition {
            key: "n:spent",
            by,
            limit: Some(12),
            lifetime: None,
        };
        world.store.add_all(&[addition]).await
    };
    // Asked there, whose answer is lost; here it would be too much.
    assert_eq!(kind(reserve(5).await), Some(ErrorKind::Timeout));
    world.go_away(Mood::Down).await;
    let over = Added::Over {
        index: 0,
        current: 10,
    };
    assert_eq!(reserve(5).await.unwrap(), over);
    assert_eq!(reserve(2).await.unwrap(), Added::All(vec![12]));
    world.come_back().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_however_it_flickers() {
    let world = world().await;
    let store = Arc::new(world.store);
    let moods = [
        Mood::Well,
        Mood::Lossy,
        Mood::Down,
        Mood::Full,
        Mood::Well,
        Mood::Hung,
    ];
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut sum = 0;
            for by in 1..=60 {
                // A full journal refuses clearly: such an addition isn't expected.
                if store.increment("n:total", by, None).await.is_ok() {
                    sum += by;
                }
            }
            sum
        });
    }
    let mut expected = 0;
    let mut turn = 0;
    while !tasks.is_empty() {
        world.remote.set_mood(moods[turn % moods.len()]);
        turn += 1;
        let next = tokio::time::timeout(Duration::from_millis(5), tasks.join_next()).await;
        expected += next.ok().flatten().map_or(0, Result::unwrap);
    }
    let world = World {
        store: Arc::into_inner(store).unwrap(),
        ..world
    };
    world.come_back().await;
    let sums = world.remote.engine.counters(&["n:total"]).await.unwrap();
    assert_eq!(sums, [expected]);
}

#[tokio::test]
async fn what_an_earlier_process_left_is_told_once() {
    let world = world().await;
    let store = &world.store;
    world.remote.set_mood(Mood::Lossy);
    store.increment("n:total", 1, None).await.unwrap();
    world.go_away(Mood::Down).await;
    store.increment("n:total", 2, None).await.unwrap();
    store.set("s:a", text("1"), None).await.unwrap();
    drop(world.store);

    let store = over(&world.remote, &world.local, &world.clock, config()).await;
    let world = World { store, ..world };
    // It is still away: what the journal knows whole is known, sums are not.
    assert_eq!(world.store.get("s:a").await.unwrap(), Some(text("1")));
    let sums = world.store.counters(&["n:total"]).await;
    assert_eq!(kind(sums), Some(ErrorKind::Unavailable));
    world.store.increment("n:total", 4, None).await.unwrap();
    world.come_back().await;
    let sums = world.remote.engine.counters(&["n:total"]).await.unwrap();
    assert_eq!(sums, [7]);
    assert_eq!(
        world.remote.engine.get("s:a").await.unwrap(),
        Some(text("1"))
    );
    drop(world.store);

    // Nothing is left for the next one.
    let store = over(&world.remote, &world.local, &world.clock, config()).await;
    assert_eq!(store.shared.journal.len(), 0);
}

#[tokio::test]
async fn a_full_journal_refuses_and_changes_nothing() {
    let world = world().await;
    world.go_away(Mood::Down).await;
    for _ in 0..100 {
        world.store.increment("n:total", 1, None).await.unwrap();
    }
    let refused = world.store.increment("n:total", 1, None).await;
    assert_eq!(kind(refused), Some(ErrorKind::Full));
    let refused = world.store.set("s:a", text("1"), None).await;
    assert_eq!(kind(refused), Some(ErrorKind::Full));
    assert_eq!(
        kind(world.store.get("s:a").await),
        Some(ErrorKind::Unavailable)
    );
    assert_eq!(
        kind(world.store.flush().await),
        Some(ErrorKind::Unavailable)
    );
    world.come_back().await;
    let sums = world.remote.engine.counters(&["n:total"]).await.unwrap();
    assert_eq!(sums, [100]);
    assert_eq!(world.store.get("s:a").await.unwrap(), None);
    world.store.flush().await.unwrap();
}

#[tokio::test]
async fn one_that_is_full_is_still_read() {
    let world = world().await;
    let store = &world.store;
    store.set("cache:a", text("1"), None).await.unwrap();
    store.set("s:a", text("1"), None).await.unwrap();
    world.remote.set_mood(Mood::Full);
    for _ in 0..10 {
        store.set("cache:a", text("2"), None).await.unwrap();
    }
    store.set("s:b", text("2"), None).await.unwrap();
    assert_eq!(store.get("cache:a").await.unwrap(), Some(text("1")));
    assert_eq!(store.get("s:a").await.unwrap(), Some(text("1")));
    assert_eq!(store.get("s:b").await.unwrap(), Some(text("2")));
    let standby = store.health().await.standby.unwrap();
    assert!(!standby.active && standby.dropped == 10 && standby.journal_len == 1);
    world.come_back().await;
    assert_eq!(
        world.remote.engine.get("s:b").await.unwrap(),
        Some(text("2"))
    );
}

#[tokio::test]
async fn a_hung_one_costs_one_call_its_deadline_and_nobody_else() {
    let world = world().await;
    world.remote.set_mood(Mood::Hung);
    let before = world.remote.calls.load(Ordering::SeqCst);
    let mut waited = 0;
    for _ in 0..200 {
        let started = Instant::now();
        assert_eq!(world.store.get("cache:a").await.unwrap(), None);
        if started.elapsed() >= config().deadline {
            waited += 1;
        }
    }
    assert_eq!(waited, 1);
    let asked = world.remote.calls.load(Ordering::SeqCst) - before;
    // That one, and the looks in the background, one at a time.
    assert!(asked <= 1 + 10, "{asked}");
    world.is_away().await;
    world.come_back().await;
}

/// A busy machine takes its time with one answer: no outage, and the next call goes there again.
#[tokio::test]
async fn a_stumble_is_no_outage() {
    let world = world().await;
    for stumble in 0..10 {
        world.remote.set_mood(Mood::Hung);
        assert_eq!(world.store.get("cache:a").await.unwrap(), None);
        world.remote.set_mood(Mood::Well);
        world.come_back().await;
        let value = text(if stumble % 2 == 0 { "even" } else { "odd" });
        world
            .store
            .set("cache:a", value.clone(), None)
            .await
            .unwrap();
        let there = world.remote.engine.get("cache:a").await.unwrap();
        assert_eq!(there, Some(value));
        world.remote.engine.delete("cache:a").await.unwrap();
    }
    let standby = world.store.health().await.standby.unwrap();
    assert!(!standby.active);
    assert_eq!(standby.outages, 0);
}

/// Those who ask at the same time wait at the same time, and nobody waits twice.
#[tokio::test]
async fn a_burst_waits_once() {
    let world = world().await;
    world.remote.set_mood(Mood::Hung);
    let started = Instant::now();
    let burst = (0..100).map(async |caller| {
        let key = format!("cache:{caller}");
        assert_eq!(world.store.get(&key).await.unwrap(), None);
        // What the same caller asks after it was told nothing costs it nothing more.
        let waited = started.elapsed();
        world.store.set(&key, text("1"), None).await.unwrap();
        assert_eq!(world.store.get(&key).await.unwrap(), None);
        started.elapsed() - waited
    });
    let more = futures_util::future::join_all(burst).await;
    let more = more.into_iter().max().unwrap();
    assert!(more < config().deadline, "{more:?}");
    let refused = world.store.acquire_lease("l", "me", Duration::from_secs(1));
    assert_eq!(refused.await.unwrap_err().kind(), ErrorKind::Unavailable);
    world.is_away().await;
    world.come_back().await;
}

#[tokio::test]
async fn what_can_never_be_told_is_counted_and_keeps_nothing_back() {
    let world = world().await;
    world.go_away(Mood::Down).await;
    world.store.set("s:a", text("1"), None).await.unwrap();
    assert!(
        world
            .store
            .compare_and_set("s:a", Some(b"1"), text("2"), None)
            .await
            .unwrap()
    );
    world.store.increment("n:total", 1, None).await.unwrap();
    world.store.set("s:b", text("1"), None).await.unwrap();
    // Meanwhile another process has made the counter something else.
    world
        .remote
        .engine
        .set("n:total", text("no counter"), None)
        .await
        .unwrap();
    world.come_back().await;
    assert_eq!(
        world.remote.engine.get("s:a").await.unwrap(),
        Some(text("2"))
    );
    assert_eq!(
        world.remote.engine.get("s:b").await.unwrap(),
        Some(text("1"))
    );
    let there = world.remote.engine.get("n:total").await.unwrap();
    assert_eq!(there, Some(text("no counter")));
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_nothing_half_done() {
    let world = world().await;
    world.go_away(Mood::Down).await;
    for number in 0..50 {
        let add = world.store.increment("n:total", 1, None);
        // Let go at the first wait.
        if number % 2 == 0 {
            drop(tokio::time::timeout(Duration::ZERO, add).await);
        } else {
            add.await.unwrap();
        }
    }
    world.come_back().await;
    let [sum] = world.remote.engine.counters(&["n:total"]).await.unwrap()[..] else {
        panic!("one counter");
    };
    assert!((25..=50).contains(&sum), "{sum}");
    let shared = &world.store.shared;
    let next = shared.journal.number().number;
    assert!(shared.journal.open_from() > next, "no number stays open");
}

#[tokio::test]
async fn channels_reach_this_process_while_it_is_away() {
    let world = world().await;
    let mut early = world.store.subscribe("c").await.unwrap();
    world.go_away(Mood::Down).await;
    let mut late = world.store.subscribe("c").await.unwrap();
    world.store.publish("c", text("1")).await.unwrap();
    assert_eq!(early.next().await, Some(text("1")));
    assert_eq!(late.next().await, Some(text("1")));
    world.come_back().await;
    world.store.publish("c", text("2")).await.unwrap();
    assert_eq!(early.next().await, Some(text("2")));
}

#[tokio::test]
async fn an_operator_s_word_brings_it_back_only_if_it_is_well() {
    let pause = Duration::from_secs(3_600);
    let world = world_of(ResilientConfig {
        probe_min: pause,
        probe_max: pause,
        ..config()
    })
    .await;
    assert!(world.store.retry_now().await, "nothing is wrong");
    world.go_away(Mood::Down).await;
    assert!(!world.store.retry_now().await);
    world.remote.set_mood(Mood::Well);
    assert!(world.store.retry_now().await);
    world.store.set("k", text("v"), None).await.unwrap();
    assert_eq!(world.remote.engine.get("k").await.unwrap(), Some(text("v")));
    // The background finds that it is back, and looks again the next time.
    world.go_away(Mood::Down).await;
    assert_eq!(world.store.shared.breaker.outages(), 2);
}
