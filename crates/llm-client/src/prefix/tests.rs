//! Tests of the layer: marks where they pay, one writer, nobody left at the door.

use futures_util::future::join_all;
use tokio::time::sleep;

use super::*;
use crate::test_util::{Outcome, ScriptedModel, Step, completion};
use crate::{ErrorKind, SystemBlock, Usd};

const MODEL: &str = "claude-sonnet-4-5";
const SECOND: Duration = Duration::from_secs(1);

fn layer(model: &ScriptedModel) -> PrefixCache {
    PrefixCache::new(
        Arc::new(model.clone()),
        &PriceTable::built_in(),
        PrefixCacheConfig::default(),
    )
}

/// Instructions that may be over Sonnet's minimum of 1,024 tokens.
fn rules() -> SystemBlock {
    SystemBlock::new("Revisa el IVA de cada línea. ".repeat(200))
}

fn marked() -> Request {
    Request::builder(10)
        .system(rules().cached(CacheLifetime::FiveMinutes))
        .user("hola")
        .build()
        .unwrap()
}

fn unmarked(first: &str) -> Request {
    Request::builder(10)
        .system(SystemBlock::new(first))
        .system(rules())
        .system(SystemBlock::new("Hoy es otro día."))
        .user("hola")
        .build()
        .unwrap()
}

fn answer(read: u64, written: u64) -> Completion {
    let mut answer = completion("ok");
    answer.usage = Usage {
        input_tokens: 50,
        cache_read_input_tokens: read,
        cache_creation_5m_input_tokens: written,
        output_tokens: 5,
        ..Usage::default()
    };
    answer
}

/// A stream that begins after a second and ends nine later.
fn slow(read: u64, written: u64) -> Outcome {
    let end = answer(read, written);
    Outcome::Stream(vec![
        Step::Wait(SECOND),
        Step::Event(StreamEvent::Started {
            request_id: None,
            model: MODEL.to_owned(),
            usage: end.usage,
            rate_limits: None,
        }),
        Step::Wait(SECOND * 9),
        Step::Event(StreamEvent::Finished(end)),
    ])
}

fn marks(request: &Request) -> Vec<bool> {
    let marks = request.system().iter().map(|block| block.cache().is_some());
    marks.collect()
}

#[tokio::test(start_paused = true)]
async fn siblings_wait_for_the_first_ones_first_event_and_no_longer() {
    let model = ScriptedModel::new(MODEL)
        .then(slow(0, 2_000))
        .otherwise(Outcome::Complete(answer(2_000, 0)));
    let layer = layer(&model);
    let asked = marked();
    let start = Instant::now();
    let first = layer.complete(&asked);
    let others = async {
        model.called(1).await;
        let call = || async {
            layer.complete(&asked).await.unwrap();
            start.elapsed()
        };
        let times = join_all((0..5).map(|_| call())).await;
        assert_eq!(model.calls().started, 6);
        times
    };
    let (first, times) = tokio::join!(first, others);
    assert_eq!(first.unwrap().text, "ok");
    assert!(times.iter().all(|time| *time == SECOND), "{times:?}");
    let stats = layer.stats();
    assert_eq!((stats.read_tokens, stats.written_tokens), (10_000, 2_000));
    assert_eq!(stats.uncached_tokens, 300);
    // 10,000 reads save 2.70 and 2,000 writes cost 0.75 USD a million more.
    assert_eq!(stats.saved_usd, Usd::from_micros(27_000 - 1_500));
    assert!((stats.hit_rate() - 10_000.0 / 12_300.0).abs() < 1e-9);
    assert_eq!(layer.writing(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_bounded_and_no_more_than_half_the_time_that_is_left() {
    let model = ScriptedModel::new(MODEL)
        .then(Outcome::Hang)
        .otherwise(Outcome::Complete(answer(0, 2_000)));
    let layer = layer(&model);
    let (asked, start) = (marked(), Instant::now());
    let hurried = Request::builder(10)
        .system(rules().cached(CacheLifetime::FiveMinutes))
        .user("hola")
        .deadline(start + SECOND * 2)
        .build()
        .unwrap();
    let others = async {
        model.called(1).await;
        let patient = async {
            layer.complete(&asked).await.unwrap();
            start.elapsed()
        };
        let hurried = async {
            layer.complete(&hurried).await.unwrap();
            start.elapsed()
        };
        tokio::join!(patient, hurried)
    };
    tokio::select! {
        _ = layer.complete(&asked) => unreachable!("it hangs"),
        times = others => assert_eq!(times, (SECOND * 3, SECOND)),
    }
    assert_eq!(layer.writing(), 0, "the dropped one has passed its lead on");
}

#[tokio::test(start_paused = true)]
async fn where_the_first_fails_or_is_dropped_the_next_one_leads() {
    let model = ScriptedModel::new(MODEL)
        .then(Outcome::fail(ErrorKind::Overloaded))
        .then(slow(0, 2_000))
        .otherwise(Outcome::Complete(answer(2_000, 0)))
        .latency(SECOND / 10);
    let layer = layer(&model);
    let asked = marked();
    let results = join_all((0..4).map(|_| layer.complete(&asked))).await;
    let failed = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(failed, 1);
    assert_eq!((model.calls().started, layer.writing()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_prefix_that_isnt_cached_is_waited_for_once() {
    let model = ScriptedModel::new(MODEL)
        .otherwise(Outcome::Complete(answer(0, 0)))
        .latency(SECOND);
    let layer = layer(&model);
    let asked = marked();
    layer.complete(&asked).await.unwrap();
    // Past the five minutes of a mark: still nobody waits.
    sleep(SECOND * 400).await;
    let start = Instant::now();
    join_all((0..3).map(|_| layer.complete(&asked))).await;
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_prefix_goes_cold_when_its_lifetime_is_over() {
    let model = ScriptedModel::new(MODEL)
        .otherwise(Outcome::Complete(answer(2_000, 0)))
        .latency(SECOND);
    let layer = layer(&model);
    let asked = marked();
    layer.complete(&asked).await.unwrap();
    for (wait, took) in [(200, 1), (200, 1), (291, 2)] {
        sleep(SECOND * wait).await;
        let start = Instant::now();
        join_all((0..3).map(|_| layer.complete(&asked))).await;
        assert_eq!(start.elapsed(), SECOND * took, "after {wait} s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_is_marked_behind_its_longest_stable_block() {
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::Complete(answer(0, 2_000)));
    let layer = layer(&model);
    let changing = |day: &str| {
        Request::builder(10)
            .system(SystemBlock::new("Eres un revisor."))
            .system(rules())
            .system(SystemBlock::new(day))
            .user("hola")
            .build()
            .unwrap()
    };
    for day in ["lunes", "martes", "miércoles"] {
        layer.complete(&changing(day)).await.unwrap();
    }
    layer.complete(&unmarked("otro comienzo")).await.unwrap();
    let sent: Vec<_> = model.requests().iter().map(marks).collect();
    let none = vec![false; 3];
    let stable = vec![false, true, false];
    assert_eq!(sent, [none.clone(), stable.clone(), stable, none]);
}

#[tokio::test(start_paused = true)]
async fn a_short_prefix_and_marks_of_ones_own_are_left_alone() {
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::Complete(answer(0, 0)));
    let layer = layer(&model);
    let short = Request::builder(10)
        .system(SystemBlock::new("Breve."))
        .user("hola")
        .build()
        .unwrap();
    for _ in 0..3 {
        layer.complete(&short).await.unwrap();
        layer.complete(&marked()).await.unwrap();
    }
    let sent = model.requests();
    assert!(
        sent.iter()
            .all(|request| *request == short || *request == marked())
    );
}

#[tokio::test(start_paused = true)]
async fn the_number_of_prefixes_is_bounded_and_more_of_them_go_through() {
    let model = ScriptedModel::new(MODEL)
        .otherwise(Outcome::Complete(answer(0, 2_000)))
        .latency(SECOND);
    let config = PrefixCacheConfig {
        max_prefixes: 2,
        ..PrefixCacheConfig::default()
    };
    let layer = PrefixCache::new(Arc::new(model.clone()), &PriceTable::built_in(), config);
    let asked: Vec<Request> = (0..5)
        .map(|name| {
            let own = SystemBlock::new(format!("{name}{}", "x".repeat(4_000)));
            Request::builder(10)
                .system(own.cached(CacheLifetime::FiveMinutes))
                .user("hola")
                .build()
                .unwrap()
        })
        .collect();
    let start = Instant::now();
    let results = join_all(asked.iter().map(|request| layer.complete(request))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_is_counted_by_what_had_come() {
    let model = ScriptedModel::new(MODEL).then(slow(0, 2_000));
    let layer = layer(&model);
    let mut events = layer.stream(&marked()).await.unwrap();
    events.next().await.unwrap().unwrap();
    drop(events);
    assert_eq!(layer.stats().written_tokens, 2_000);
    assert_eq!(layer.writing(), 0);
}
