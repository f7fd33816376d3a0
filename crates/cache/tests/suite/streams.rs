//! One stream for all who ask while it flows, whenever they come and however fast they read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cache::{
    CacheConfig, CacheError, CacheKey, Cost, Keep, Mode, Policy, Status, StreamEnd, StreamReader,
    StreamWriter,
};
use tokio::sync::{Mutex, mpsc};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep, timeout};

use crate::common::{Broken, Fault, LIFETIME, POLICY, World, key};

type Reader = StreamReader<Broken>;

const COST: Cost = Cost {
    pico_usd: 7,
    tokens: 3,
};

/// A computation whose events the test gives, one by one.
#[derive(Clone)]
struct Source {
    steps: mpsc::UnboundedSender<Step>,
    taps: Arc<Mutex<mpsc::UnboundedReceiver<Step>>>,
    runs: Arc<AtomicUsize>,
}

enum Step {
    Event(String),
    End(Result<Keep, Broken>),
    Panic,
}

impl Source {
    fn new() -> Self {
        let (steps, taps) = mpsc::unbounded_channel();
        Self {
            steps,
            taps: Arc::new(Mutex::new(taps)),
            runs: Arc::default(),
        }
    }

    async fn flow(self, writer: StreamWriter<Broken>) -> Result<StreamEnd, Broken> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let mut taps = self.taps.lock().await;
        loop {
            match taps.recv().await.expect("the test holds the other end") {
                Step::Event(event) => writer.write(event),
                Step::End(end) => return end.map(|keep| StreamEnd::new(keep).cost(COST)),
                Step::Panic => panic!("as the test wants"),
            }
        }
    }

    fn give(&self, event: impl ToString) {
        assert!(self.steps.send(Step::Event(event.to_string())).is_ok());
    }

    fn end(&self, end: Result<Keep, Broken>) {
        assert!(self.steps.send(Step::End(end)).is_ok());
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    async fn open(
        &self,
        world: &World,
        key: &CacheKey,
        policy: Policy,
        mode: Mode,
    ) -> Result<Reader, CacheError<Broken>> {
        let source = self.clone();
        world
            .cache
            .stream_or_join(key, policy, mode, |writer| source.flow(writer))
            .await
    }

    async fn read(&self, world: &World, key: &CacheKey) -> Reader {
        self.open(world, key, POLICY, Mode::Normal).await.unwrap()
    }
}

/// A reader of what is kept: a computation would fail.
async fn kept(world: &World, key: &CacheKey) -> Result<Reader, CacheError<Broken>> {
    world
        .cache
        .stream_or_join(key, POLICY, Mode::Normal, |_| async { Err(Broken(99)) })
        .await
}

async fn event(reader: &mut Reader) -> Bytes {
    reader.next().await.expect("an event").expect("no error")
}

/// All events to the end.
async fn all(mut reader: Reader) -> Vec<Bytes> {
    let mut events = Vec::new();
    while let Some(event) = reader.next().await {
        events.push(event.unwrap());
    }
    events
}

async fn let_others_run() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_that_come_at_different_moments_read_one_stream() {
    let world = World::new();
    let (source, key) = (Source::new(), key("a"));
    let mut readers: Vec<JoinHandle<(Status, Vec<Bytes>)>> = Vec::new();
    for number in 0..50 {
        for _ in 0..4 {
            let reader = source.read(&world, &key).await;
            readers.push(tokio::spawn(
                async move { (reader.status(), all(reader).await) },
            ));
        }
        source.give(format!("evento {number} ñ\n\n"));
    }
    source.end(Ok(Keep::For(LIFETIME)));
    let expected: Vec<Bytes> = (0..50)
        .map(|number| Bytes::from(format!("evento {number} ñ\n\n")))
        .collect();
    let mut statuses = Vec::new();
    for reader in readers {
        let (status, events) = reader.await.unwrap();
        assert_eq!(events, expected);
        statuses.push(status);
    }
    assert_eq!(source.runs(), 1);
    let joined = statuses
        .iter()
        .filter(|status| **status == Status::Coalesced);
    assert_eq!((statuses[0], joined.count()), (Status::Miss, 199));
    world.settle().await;

    // Afterwards it is replayed, here and by another replica, event by event.
    for world in [&world, &world.replica()] {
        for _ in 0..2 {
            let reader = kept(world, &key).await.unwrap();
            assert_eq!((reader.status(), reader.cost()), (Status::Hit, Some(COST)));
            assert_eq!(all(reader).await, expected);
        }
    }
    let stats = world.cache.stats();
    assert_eq!((stats.misses, stats.coalesced, stats.l1_hits), (1, 199, 2));
    assert_eq!(stats.saved.pico_usd, 201 * COST.pico_usd);
    assert_eq!(stats.saved.tokens, 201 * COST.tokens);
    assert_eq!(stats.flights, 0);
}

#[tokio::test]
async fn who_comes_late_reads_what_has_gone_by_and_then_follows() {
    let world = World::new();
    let (source, key) = (Source::new(), key("a"));
    let mut first = source.read(&world, &key).await;
    for number in 0..3 {
        source.give(number);
        assert_eq!(event(&mut first).await, number.to_string());
    }
    let mut late = source.read(&world, &key).await;
    for number in 0..3 {
        assert_eq!(event(&mut late).await, number.to_string());
    }
    source.give("live");
    assert_eq!(event(&mut late).await, "live");
    // The first one goes; the stream doesn't.
    drop(first);
    source.give("last");
    assert_eq!(event(&mut late).await, "last");
    assert_eq!(late.cost(), None);
    source.end(Ok(Keep::No));
    assert!(late.next().await.is_none() && late.next().await.is_none());
    assert_eq!(late.cost(), Some(COST));
    // It wasn't worth keeping.
    world.settle().await;
    assert_eq!((world.store.writes(), source.runs()), (0, 1));
    let next = kept(&world, &key).await;
    assert_eq!(first_error(next).await.compute_error(), Some(&Broken(99)));
}

/// The error of a stream without events, whether it came before the opening or after it.
async fn first_error(opened: Result<Reader, CacheError<Broken>>) -> CacheError<Broken> {
    match opened {
        Ok(mut reader) => reader.next().await.expect("an error").unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn an_error_comes_after_the_events_before_it_and_nothing_is_kept() {
    let world = World::new();
    for (end, number) in [(Step::End(Err(Broken(7))), 0), (Step::Panic, 1)] {
        let (source, key) = (Source::new(), key(&format!("{number}")));
        let mut readers = [
            source.read(&world, &key).await,
            source.read(&world, &key).await,
        ];
        source.give("partial");
        assert!(source.steps.send(end).is_ok());
        for reader in &mut readers {
            assert_eq!(event(reader).await, "partial");
            let error = reader.next().await.unwrap().unwrap_err();
            match number {
                0 => assert_eq!(error.compute_error(), Some(&Broken(7))),
                _ => assert!(matches!(error, CacheError::Panicked)),
            }
            assert!(reader.next().await.is_none());
        }
        // The key is free at once.
        let again = Source::new();
        again.end(Ok(Keep::No));
        assert!(all(again.read(&world, &key).await).await.is_empty());
        assert_eq!(again.runs(), 1);
    }
    world.settle().await;
    assert_eq!(world.store.writes(), 0);
}

#[tokio::test]
async fn who_reads_too_slowly_is_told_and_holds_up_nobody() {
    let config = CacheConfig {
        max_stream_bytes: 500,
        ..CacheConfig::default()
    };
    let world = World::with(&config);
    let (source, key) = (Source::new(), key("a"));
    let mut slow = source.read(&world, &key).await;
    let mut quick = source.read(&world, &key).await;
    for number in 0..100 {
        source.give(number);
        assert_eq!(event(&mut quick).await, number.to_string());
    }
    let error = slow.next().await.unwrap().unwrap_err();
    assert!(matches!(error, CacheError::Lagged) && !error.is_retryable());
    assert_eq!(error.fault(), cache::Fault::Caller);
    assert!(slow.next().await.is_none());
    let lagged = r#"cache_failures_total{kind="lagged",operation="validate"}"#;
    assert_eq!(world.figures.count(lagged), 1);
    // Whoever comes now would miss the beginning: it gets a stream of its own.
    let other = Source::new();
    let reader = other.read(&world, &key).await;
    assert_eq!(reader.status(), Status::Miss);
    other.end(Ok(Keep::No));
    source.end(Ok(Keep::For(LIFETIME)));
    assert!(all(reader).await.is_empty());
    assert!(all(quick).await.is_empty());
    world.settle().await;
    assert_eq!(world.store.writes(), 0);
}

#[tokio::test]
async fn a_stream_finishes_alone_and_is_kept() {
    let world = World::new();
    let (source, key) = (Source::new(), key("a"));
    drop(source.read(&world, &key).await);
    source.give("nobody hears it");
    source.end(Ok(Keep::For(LIFETIME)));
    world.settle().await;
    let events = all(kept(&world, &key).await.unwrap()).await;
    assert_eq!(events, ["nobody hears it"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_reads_ends_after_its_grace_if_so_asked() {
    let world = World::new();
    let (source, key) = (Source::new(), key("a"));
    let policy = POLICY.cancel_when_alone(Duration::from_secs(5));
    let first = source.open(&world, &key, policy, Mode::Normal).await;
    drop(first.unwrap());
    sleep(Duration::from_secs(4)).await;
    // Somebody comes within the grace and the stream goes on.
    let mut second = source
        .open(&world, &key, policy, Mode::Normal)
        .await
        .unwrap();
    assert_eq!(second.status(), Status::Coalesced);
    sleep(Duration::from_secs(20)).await;
    source.give("still there");
    assert_eq!(event(&mut second).await, "still there");
    let begin = Instant::now();
    assert_eq!(Arc::strong_count(&source.runs), 2);
    drop(second);
    world.settle().await;
    assert_eq!(begin.elapsed().as_secs(), 5);
    // The computation has been dropped.
    assert_eq!(Arc::strong_count(&source.runs), 1);
    let abandoned = r#"cache_computations_total{operation="validate",result="abandoned"}"#;
    assert_eq!(world.figures.count(abandoned), 1);
}

#[tokio::test]
async fn a_refresh_joins_what_is_computed_and_not_what_is_kept() {
    let world = World::new();
    let key = key("a");
    let old = Source::new();
    old.give("old");
    old.end(Ok(Keep::For(LIFETIME)));
    assert_eq!(all(old.read(&world, &key).await).await, ["old"]);
    world.settle().await;

    let new = Source::new();
    let first = new.open(&world, &key, POLICY, Mode::Refresh).await.unwrap();
    let second = new.open(&world, &key, POLICY, Mode::Refresh).await.unwrap();
    assert_eq!(
        (first.status(), second.status()),
        (Status::Miss, Status::Coalesced)
    );
    new.give("new");
    new.end(Ok(Keep::For(LIFETIME)));
    for reader in [first, second] {
        assert_eq!(all(reader).await, ["new"]);
    }
    world.settle().await;
    assert_eq!(new.runs(), 1);
    assert_eq!(all(kept(&world, &key).await.unwrap()).await, ["new"]);
    let replica = world.replica();
    assert_eq!(all(kept(&replica, &key).await.unwrap()).await, ["new"]);
}

#[tokio::test]
async fn a_refresh_makes_a_stream_that_is_looking_compute() {
    let writer = World::new();
    let key = key("a");
    let old = Source::new();
    old.end(Ok(Keep::For(LIFETIME)));
    all(old.read(&writer, &key).await).await;
    writer.settle().await;

    let world = writer.replica();
    world.store.set_fault(Fault::Gate);
    let new = Source::new();
    let open = |mode| {
        let (cache, new) = (world.cache.clone(), new.clone());
        tokio::spawn(async move {
            let flow = |writer| new.flow(writer);
            cache
                .stream_or_join(&key, POLICY, mode, flow)
                .await
                .unwrap()
        })
    };
    let normal = open(Mode::Normal);
    world.store.somebody_at_gate().await;
    let refresh = open(Mode::Refresh);
    let_others_run().await;
    world.store.set_fault(Fault::None);
    world.store.open_gate();
    new.give("new");
    new.end(Ok(Keep::For(LIFETIME)));
    for reader in [normal, refresh] {
        assert_eq!(all(reader.await.unwrap()).await, ["new"]);
    }
    assert_eq!(new.runs(), 1);
}

#[tokio::test]
async fn a_bypass_neither_joins_nor_keeps_and_ends_with_its_reader() {
    let world = World::new();
    let (source, key) = (Source::new(), key("a"));
    let shared = source.read(&world, &key).await;
    let own = Source::new();
    let bypass = own.open(&world, &key, POLICY, Mode::Bypass).await.unwrap();
    assert_eq!(bypass.status(), Status::Bypass);
    own.give("own");
    own.end(Ok(Keep::For(LIFETIME)));
    assert_eq!(all(bypass).await, ["own"]);
    source.end(Ok(Keep::No));
    assert!(all(shared).await.is_empty());
    world.settle().await;
    assert_eq!(world.store.writes(), 0);

    let left = Source::new();
    drop(left.open(&world, &key, POLICY, Mode::Bypass).await.unwrap());
    let dropped = async {
        while Arc::strong_count(&left.runs) > 1 {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), dropped).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_readers_wait_and_the_limit_ends_the_stream() {
    let world = World::new();
    let (source, key) = (Source::new(), key("a"));
    let policy = Policy::new(Duration::from_secs(2)).compute_limit(Duration::from_secs(10));
    let mut reader = source
        .open(&world, &key, policy, Mode::Normal)
        .await
        .unwrap();
    source.give("one");
    assert_eq!(event(&mut reader).await, "one");
    let begin = Instant::now();
    let error = reader.next().await.unwrap().unwrap_err();
    assert!(matches!(error, CacheError::WaitTimeout));
    assert_eq!(begin.elapsed().as_secs(), 2);
    // Others go on, as long as the computation may.
    let patient = Policy::new(Duration::from_secs(60));
    let mut reader = source
        .open(&world, &key, patient, Mode::Normal)
        .await
        .unwrap();
    assert_eq!(event(&mut reader).await, "one");
    let error = reader.next().await.unwrap().unwrap_err();
    assert!(matches!(error, CacheError::ComputeTimeout));
    assert_eq!(begin.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn over_the_bound_a_stream_flows_for_its_reader_only() {
    let config = CacheConfig {
        max_flights: 1,
        ..CacheConfig::default()
    };
    let world = World::with(&config);
    let (first, second) = (Source::new(), Source::new());
    let one = first.read(&world, &key("a")).await;
    let two = second.read(&world, &key("b")).await;
    assert_eq!(two.status(), Status::Miss);
    second.give("alone");
    second.end(Ok(Keep::For(LIFETIME)));
    assert_eq!(all(two).await, ["alone"]);
    let alone = r#"cache_uncoalesced_total{operation="validate"}"#;
    assert_eq!(world.figures.count(alone), 1);
    // It is kept all the same.
    assert_eq!(all(kept(&world, &key("b")).await.unwrap()).await, ["alone"]);
    first.end(Ok(Keep::No));
    assert!(all(one).await.is_empty());
}

#[tokio::test]
async fn an_answer_is_no_stream_and_a_stream_no_answer() {
    let world = World::new();
    let key = key("a");
    world.ask(&key, Mode::Normal, "whole").await.unwrap();
    let source = Source::new();
    source.give("event");
    source.end(Ok(Keep::For(LIFETIME)));
    let reader = source.read(&world, &key).await;
    assert_eq!(reader.status(), Status::Miss);
    assert_eq!(all(reader).await, ["event"]);
    let answer = world.ask(&key, Mode::Normal, "again").await.unwrap();
    assert_eq!(
        (answer.status, &answer.value[..]),
        (Status::Miss, &b"again"[..])
    );
}

#[tokio::test]
async fn readers_learn_that_the_task_was_ended_from_outside() {
    let world = World::new();
    let (source, key) = (Source::new(), key("a"));
    let other = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let entered = other.enter();
    let opening = source.read(&world, &key);
    tokio::pin!(opening);
    assert!(futures_util::poll!(&mut opening).is_pending());
    drop(entered);
    let mut reader = opening.await;
    other.shutdown_background();
    let error = reader.next().await.unwrap().unwrap_err();
    assert!(matches!(error, CacheError::Lost));
    assert_eq!(world.cache.stats().flights, 0);
}
