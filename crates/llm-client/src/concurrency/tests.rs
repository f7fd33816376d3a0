//! Tests of the layer, in simulated time: convergence, order, refusals, no place lost.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::test_util::{Outcome, ScriptedModel, completion};
use crate::{RateLimit, Stage};

const MODEL: &str = "claude-sonnet-4-5";
const SECOND: Duration = Duration::from_secs(1);

fn config(initial: u32, queue: u32) -> ConcurrencyConfig {
    ConcurrencyConfig {
        initial,
        queue,
        ..ConcurrencyConfig::default()
    }
}

fn limited(model: &ScriptedModel, config: ConcurrencyConfig) -> ConcurrencyLimit {
    ConcurrencyLimit::new(Arc::new(model.clone()), config)
}

fn request() -> Request {
    Request::builder(10).user("hola").build().unwrap()
}

fn by(deadline: Instant) -> Request {
    Request::builder(10)
        .user("hola")
        .deadline(deadline)
        .build()
        .unwrap()
}

/// A provider that bears so many calls at once, each of half a second, and refuses the others.
#[derive(Debug)]
struct Capacity {
    calls: AtomicUsize,
    in_flight: AtomicUsize,
    refused: AtomicUsize,
}

#[async_trait]
impl LanguageModel for Capacity {
    fn provider(&self) -> Provider {
        Provider::Scripted
    }

    fn model(&self) -> &str {
        MODEL
    }

    fn origin(&self) -> &str {
        "simulated"
    }

    async fn complete(&self, _: &Request) -> Result<Completion, Error> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let fits = before < self.calls.load(Ordering::Relaxed);
        sleep(Duration::from_millis(if fits { 500 } else { 20 })).await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if fits {
            return Ok(completion("ok"));
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(ErrorKind::Overloaded))
    }
}

#[tokio::test(start_paused = true)]
async fn it_finds_the_providers_capacity_and_follows_it() {
    let provider = Arc::new(Capacity {
        calls: AtomicUsize::new(20),
        in_flight: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
    });
    let limit = ConcurrencyLimit::new(provider.clone(), config(8, 200));
    let workers = (0..100).map(|_| async {
        loop {
            if limit.complete(&request()).await.is_err() {
                sleep(SECOND / 10).await;
            }
        }
    });
    let watch = async {
        for (capacity, seconds) in [(20, 30), (5, 10), (40, 60), (1, 20)] {
            provider.calls.store(capacity, Ordering::Relaxed);
            sleep(SECOND * seconds).await;
            provider.refused.store(0, Ordering::Relaxed);
            let (mut sum, mut samples) = (0, 0);
            for _ in 0..100 {
                sleep(SECOND / 5).await;
                sum += limit.stats().limit;
                samples += 1;
            }
            let mean = sum / samples;
            let refused = provider.refused.load(Ordering::Relaxed);
            println!("capacity {capacity}: limit {mean} on average, {refused} refused in 20 s");
            let low = (capacity * 3 / 5).max(1);
            assert!(
                (low..=capacity + 2).contains(&mean),
                "{mean} for {capacity}"
            );
            assert!(refused < 60, "{refused} refused at {capacity}");
        }
    };
    tokio::select! {
        _ = join_all(workers) => unreachable!("they work for ever"),
        () = watch => {}
    }
}

#[tokio::test(start_paused = true)]
async fn streams_make_room_as_they_begin_and_not_once_more_as_they_end() {
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::pieces(&["una ", "respuesta"]));
    let limit = limited(&model, config(4, 200));
    let asked = request();
    let begun = join_all((0..100).map(|_| limit.stream(&asked))).await;
    let streams: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
    let stats = limit.stats();
    assert_eq!((stats.in_flight, stats.queued), (100, 0));
    // The first one was alone with four places, which says nothing of the fifth.
    assert_eq!(stats.limit, 103);
    for stream in streams {
        stream.completion().await.unwrap();
    }
    assert_eq!(limit.stats().limit, 103);
    assert_eq!(limit.stats().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn the_earliest_deadline_is_served_first() {
    let model = ScriptedModel::new(MODEL)
        .otherwise(Outcome::text("ok"))
        .latency(SECOND);
    let mut one = config(1, 10);
    one.max = 1;
    let limit = limited(&model, one);
    let order = Mutex::new(Vec::new());
    let start = Instant::now();
    let call = |name: usize, seconds: u32| {
        let (limit, order) = (&limit, &order);
        async move {
            limit.complete(&by(start + SECOND * seconds)).await.unwrap();
            order.lock().unwrap().push(name);
        }
    };
    let calls = [(0, 5), (1, 29), (2, 20), (3, 29), (4, 10)].map(|(name, at)| call(name, at));
    join_all(calls).await;
    assert_eq!(*order.lock().unwrap(), [0, 4, 2, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_queue_and_the_deadline_calls_are_refused_at_once() {
    let model = ScriptedModel::new(MODEL)
        .otherwise(Outcome::text("ok"))
        .latency(SECOND * 2);
    let mut one = config(1, 2);
    one.max = 1;
    let limit = limited(&model, one);
    limit.complete(&request()).await.unwrap();
    let asked = request();
    let held: Vec<_> = (0..2).map(|_| limit.complete(&asked)).collect();
    let calls = join_all(held);
    let late = async {
        model.called(2).await;
        let start = Instant::now();
        // Two seconds for the one that waits and two of its own.
        let error = limit.complete(&by(start + SECOND * 3)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Saturated);
        assert!(error.retry_after().unwrap() >= SECOND);
        let (one, two) = tokio::join!(limit.complete(&asked), limit.complete(&asked));
        let refused = [one, two].into_iter().filter_map(Result::err);
        let kinds: Vec<_> = refused.map(|error| error.kind()).collect();
        assert_eq!(kinds, [ErrorKind::Saturated], "the queue holds two");
        start.elapsed()
    };
    let (held, _) = tokio::join!(calls, late);
    assert!(held.iter().all(Result::is_ok));
    assert_eq!(limit.stats().queued, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_in_vain_is_told_so_and_leaves_the_queue() {
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::Hang);
    let mut one = config(1, 10);
    (one.max, one.max_wait) = (1, SECOND * 3);
    let limit = limited(&model, one);
    let asked = request();
    let hanging = limit.complete(&asked);
    let waiting = async {
        model.called(1).await;
        let start = Instant::now();
        let error = limit.complete(&asked).await.unwrap_err();
        (error.kind(), start.elapsed())
    };
    tokio::select! {
        _ = hanging => unreachable!("it hangs"),
        (kind, waited) = waiting => {
            assert_eq!((kind, waited), (ErrorKind::Saturated, SECOND * 3));
        }
    }
    let stats = limit.stats();
    assert_eq!((stats.in_flight, stats.queued), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_holds_everybody_back_and_ends() {
    let told = Error::new(ErrorKind::RateLimited).with_retry_after(Some(SECOND * 5));
    let model = ScriptedModel::new(MODEL)
        .then(Outcome::Fail(told))
        .otherwise(Outcome::text("ok"));
    let limit = limited(&model, config(4, 10));
    limit.complete(&request()).await.unwrap_err();
    let start = Instant::now();
    let error = limit.complete(&by(start + SECOND)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Saturated);
    assert_eq!(error.retry_after(), Some(SECOND * 5));
    assert_eq!(start.elapsed(), Duration::ZERO);
    limit.complete(&request()).await.unwrap();
    assert!(start.elapsed().abs_diff(SECOND * 5) < Duration::from_millis(10));
    assert_eq!(limit.stats().limit, 3);
}

#[tokio::test(start_paused = true)]
async fn an_account_with_nothing_left_waits_for_its_reset() {
    let mut last = completion("ok");
    let requests = Some(RateLimit {
        limit: Some(1),
        remaining: 0,
        reset_after: Some(SECOND * 7),
    });
    let limits = RateLimits {
        requests,
        ..RateLimits::default()
    };
    last.rate_limits = Some(Box::new(limits));
    let model = ScriptedModel::new(MODEL)
        .then(Outcome::Complete(last))
        .otherwise(Outcome::text("ok"));
    let limit = limited(&model, config(4, 10));
    limit.complete(&request()).await.unwrap();
    let start = Instant::now();
    limit.complete(&request()).await.unwrap();
    assert!(start.elapsed() >= SECOND * 7 && start.elapsed() < SECOND * 8);
}

#[tokio::test(start_paused = true)]
async fn no_place_is_lost_however_five_hundred_calls_end() {
    let model = ScriptedModel::new(MODEL).latency(SECOND / 10);
    for call in 0..500 {
        model.push(match call % 10 {
            0 => Outcome::Hang,
            1 => Outcome::fail(ErrorKind::Overloaded),
            2 => Outcome::fail(ErrorKind::Timeout {
                stage: Stage::FirstByte,
            }),
            _ => Outcome::pieces(&["una ", "respuesta"]),
        });
    }
    let limit = limited(
        &model.clone().otherwise(Outcome::text("ok")),
        config(20, 500),
    );
    let call = |index: usize| {
        let limit = limit.clone();
        async move {
            let asked = request();
            let patience = SECOND * u32::try_from(index % 7 + 1).unwrap();
            if index.is_multiple_of(2) {
                let _ = timeout(patience, limit.complete(&asked)).await;
                return;
            }
            let Ok(Ok(mut events)) = timeout(patience, limit.stream(&asked)).await else {
                return;
            };
            events.next().await.unwrap().unwrap();
            if index % 4 == 1 {
                let _ = events.completion().await;
            }
        }
    };
    join_all((0..500).map(call)).await;
    let stats = limit.stats();
    assert_eq!((stats.in_flight, stats.queued), (0, 0));
    assert_eq!(model.calls().in_flight(), 0);
    limit.complete(&request()).await.unwrap();
}
