//! Tests of metering: what is let in, what is booked, and that nothing is left behind.

use std::time::SystemTime;

use futures_util::StreamExt;
use futures_util::future::join_all;
use store::{EmbeddedConfig, EmbeddedStore, ManualClock};

use super::*;
use crate::budget::day::Day;
use crate::budget::keys::Purse;
use crate::test_util::{Outcome, ScriptedModel, Step, completion};
use crate::{CostPeriod, CostSummary, Stage, StreamEvent, SystemBlock, Usage};

const MODEL: &str = "claude-sonnet-4-5";
/// What the script's 10 input and 5 output tokens cost: 0.000105 USD.
const CALL: Usd = Usd::from_micros(105);

fn noon() -> SystemTime {
    let noon: jiff::Timestamp = "2026-11-22T15:00:00Z".parse().unwrap();
    noon.into()
}

fn memory() -> Arc<EmbeddedStore> {
    let clock = Arc::new(ManualClock::at(noon()));
    let config = EmbeddedConfig {
        deadline: Duration::from_secs(20),
        ..EmbeddedConfig::default()
    };
    Arc::new(EmbeddedStore::in_memory(config, clock).unwrap())
}

async fn meter(store: &Arc<EmbeddedStore>, config: MeterConfig) -> Meter {
    let clock = Arc::new(ManualClock::at(noon()));
    let meter = Meter::new(config, store.clone(), clock);
    meter.tokens().ready().await;
    meter
}

fn daily(limit: Usd) -> MeterConfig {
    MeterConfig {
        limits: BudgetLimits {
            total_day: Some(limit),
            account_day: Some(limit),
            ..BudgetLimits::default()
        },
        ..MeterConfig::default()
    }
}

fn metered(model: &ScriptedModel, meter: &Meter) -> Metered {
    Metered::new(Arc::new(model.clone()), meter.clone())
}

fn request() -> Request {
    Request::builder(100)
        .operation("validate")
        .account("erp")
        .user("¿Cuadra esta factura?")
        .build()
        .unwrap()
}

async fn booked(meter: &Meter) -> CostSummary {
    meter.settled().await;
    let report = meter.ledger().report(CostPeriod::Today, None).await;
    report.unwrap().summary
}

async fn committed(store: &EmbeddedStore) -> Usd {
    let key = Purse::Total.committed(Day::at(noon()).date());
    Usd::from_pico(store.counters(&[&key]).await.unwrap()[0])
}

/// What is open in the slot that all these tests are in.
async fn open_in_store(store: &EmbeddedStore) -> i64 {
    let day = Day::at(noon());
    let key = Purse::Total.open(day.date(), day.seconds() / 900);
    store.counters(&[&key]).await.unwrap()[0]
}

#[tokio::test]
async fn a_call_is_reserved_made_settled_and_booked() {
    let store = memory();
    let meter = meter(&store, daily(Usd::from_cents(10))).await;
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::text("sí"));
    let metered = metered(&model, &meter);
    assert_eq!((metered.model(), metered.origin()), (MODEL, "scripted"));
    metered.complete(&request()).await.unwrap();
    let found = booked(&meter).await;
    assert_eq!(found.total_cost_usd, CALL);
    assert_eq!((found.total_calls, found.total_tokens), (1, 15));
    assert_eq!(committed(&store).await, CALL);
    assert_eq!(open_in_store(&store).await, 0);
    let of_account = meter.ledger().report(CostPeriod::Today, Some("erp"));
    assert_eq!(of_account.await.unwrap().summary.total_cost_usd, CALL);
    assert!(
        meter.tokens().calibration(MODEL).is_some(),
        "it has learned"
    );
}

#[tokio::test]
async fn a_request_over_its_own_limits_is_never_sent() {
    let (store, model) = (memory(), ScriptedModel::new(MODEL));
    let meter = meter(&store, MeterConfig::default()).await;
    let metered = metered(&model, &meter);
    let long = Request::builder(1_000)
        .user("una factura muy larga ".repeat(40_000))
        .build()
        .unwrap();
    let error = metered.complete(&long).await.unwrap_err();
    let over = error.over_limit().unwrap();
    assert_eq!(
        (error.kind(), over.scope),
        (ErrorKind::Budget, LimitScope::RequestTokens)
    );
    assert_eq!(
        (over.limit, over.resets_after),
        (Amount::Tokens(100_000), None)
    );
    assert!(matches!(over.over_by(), Amount::Tokens(tokens) if tokens > 50_000));
    let talkative = Request::builder(90_000).user("hola").build().unwrap();
    let error = metered.complete(&talkative).await.unwrap_err();
    let over = error.over_limit().unwrap();
    assert_eq!(over.scope, LimitScope::RequestCost);
    assert_eq!(over.limit, Amount::Dollars(Usd::from_cents(100)));
    assert_eq!(model.calls().started, 0);
}

#[tokio::test]
async fn near_a_limit_the_providers_own_count_decides() {
    let store = memory();
    let config = MeterConfig {
        limits: BudgetLimits {
            request_tokens: Some(140),
            ..BudgetLimits::default()
        },
        ..MeterConfig::default()
    };
    let meter = meter(&store, config).await;
    let near = Request::builder(100)
        .user("una factura con algunas palabras que son unas cuantas y algunas más por si acaso")
        .build()
        .unwrap();
    assert!(meter.tokens().estimate(MODEL, &near).upper > 40);
    for (said, allowed) in [(40, true), (41, false)] {
        let model = ScriptedModel::new(MODEL)
            .otherwise(Outcome::text("sí"))
            .counting(said);
        let result = metered(&model, &meter).complete(&near).await;
        assert_eq!(result.is_ok(), allowed);
    }
    let silent = ScriptedModel::new(MODEL).otherwise(Outcome::text("sí"));
    let result = metered(&silent, &meter).complete(&near).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Budget);
}

#[tokio::test]
async fn a_failure_is_billed_if_it_may_have_been() {
    let rows = [
        (ErrorKind::Connect, false),
        (ErrorKind::RateLimited, false),
        (ErrorKind::Overloaded, false),
        (
            ErrorKind::Timeout {
                stage: Stage::Connect,
            },
            false,
        ),
        (
            ErrorKind::Timeout {
                stage: Stage::Total,
            },
            true,
        ),
        (ErrorKind::Connection, true),
    ];
    for (kind, billed) in rows {
        let store = memory();
        let meter = meter(&store, daily(Usd::from_cents(10))).await;
        let model = ScriptedModel::new(MODEL).then(Outcome::fail(kind));
        metered(&model, &meter)
            .complete(&request())
            .await
            .unwrap_err();
        let found = booked(&meter).await;
        assert_eq!(found.total_calls > 0, billed, "{kind:?}");
        assert_eq!(committed(&store).await, found.total_cost_usd, "{kind:?}");
        assert_eq!(open_in_store(&store).await, 0);
    }
    let store = memory();
    let meter = meter(&store, daily(Usd::from_cents(10))).await;
    let usage = completion("x").usage;
    let truncated = Error::new(ErrorKind::Truncated).with_usage(usage);
    let model = ScriptedModel::new(MODEL).then(Outcome::Fail(truncated));
    metered(&model, &meter)
        .complete(&request())
        .await
        .unwrap_err();
    assert_eq!(booked(&meter).await.total_cost_usd, CALL);
}

#[tokio::test]
async fn a_dropped_call_is_billed_by_an_upper_estimate() {
    let store = memory();
    let meter = meter(&store, daily(Usd::from_cents(10))).await;
    let model = ScriptedModel::new(MODEL).then(Outcome::Hang);
    let metered = metered(&model, &meter);
    let asked = request();
    tokio::select! {
        _ = metered.complete(&asked) => unreachable!("it hangs"),
        () = model.called(1) => {}
    }
    let found = booked(&meter).await;
    assert_eq!((found.total_calls, found.total_output_tokens), (1, 100));
    assert_eq!(committed(&store).await, found.total_cost_usd);
    assert_eq!(
        (open_in_store(&store).await, meter.open_reservations()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_reserves_gives_everything_back() {
    let store = memory();
    let meter = meter(&store, daily(Usd::from_cents(10))).await;
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::text("sí"));
    let metered = metered(&model, &meter);
    let asked = request();
    let mut call = Box::pin(metered.complete(&asked));
    assert!(futures_util::poll!(&mut call).is_pending());
    drop(call);
    let found = booked(&meter).await;
    assert_eq!((model.calls().started, found.total_calls), (0, 0));
    assert_eq!(committed(&store).await, Usd::ZERO);
    assert_eq!(
        (open_in_store(&store).await, meter.open_reservations()),
        (0, 0)
    );
    let looked = Purse::Total.committed(Day::at(noon()).date());
    let left = store.time_left(&looked).await.unwrap();
    assert_ne!(left, store::TimeLeft::Absent, "it had reserved");
}

#[tokio::test]
async fn a_stream_is_billed_by_its_end_or_by_what_had_come() {
    let store = memory();
    let meter = meter(&store, daily(Usd::from_cents(10))).await;
    let model = ScriptedModel::new(MODEL)
        .then(Outcome::pieces(&["to", "do"]))
        .then(Outcome::stream(&["abcdefgh", "ijkl"], Step::Hang))
        .then(Outcome::stream(
            &["abcd"],
            Step::Fail(Error::new(ErrorKind::Interrupted)),
        ));
    let metered = metered(&model, &meter);
    let whole = metered.stream(&request()).await.unwrap();
    assert_eq!(whole.completion().await.unwrap().text, "todo");
    assert_eq!(booked(&meter).await.total_cost_usd, CALL);

    let mut dropped = metered.stream(&request()).await.unwrap();
    for _ in 0..3 {
        dropped.next().await.unwrap().unwrap();
    }
    drop(dropped);
    let found = booked(&meter).await;
    // 12 characters make 6 tokens at the most; the prompt's 10 were told at the start.
    assert_eq!(
        (found.total_output_tokens, found.total_input_tokens),
        (11, 20)
    );

    let mut broken = metered.stream(&request()).await.unwrap();
    while let Some(Ok(event)) = broken.next().await {
        assert!(!matches!(event, StreamEvent::Finished(_)));
    }
    assert!(broken.next().await.is_none());
    drop(broken);
    let found = booked(&meter).await;
    assert_eq!((found.total_calls, found.total_output_tokens), (3, 13));
    assert_eq!(committed(&store).await, found.total_cost_usd);
    assert_eq!(
        (open_in_store(&store).await, meter.open_reservations()),
        (0, 0)
    );
}

#[tokio::test]
async fn two_stacks_on_one_store_never_exceed_the_day_and_settle_to_the_exact_sum() {
    let store = memory();
    let limit = Usd::from_cents(1);
    let (one, two) = (
        meter(&store, daily(limit)).await,
        meter(&store, daily(limit)).await,
    );
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::text("sí"));
    let stacks = [metered(&model, &one), metered(&model, &two)];
    let call = |index: usize| {
        let (stack, store) = (stacks[index % 2].clone(), Arc::clone(&store));
        async move {
            let result = stack.complete(&request()).await;
            assert!(committed(&store).await <= limit, "over the limit");
            result
        }
    };
    let results = join_all((0..200).map(call)).await;
    one.settled().await;
    two.settled().await;
    let answered = results.iter().filter(|result| result.is_ok()).count();
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), ErrorKind::Budget);
        assert!(error.retry_after().is_some());
    }
    assert!(answered > 0 && answered < 200, "{answered}");
    let expected = CALL.pico() * i64::try_from(answered).unwrap();
    assert_eq!(committed(&store).await, Usd::from_pico(expected));
    assert_eq!(booked(&one).await.total_cost_usd, Usd::from_pico(expected));
    assert_eq!(model.calls().started, answered);
    assert_eq!(open_in_store(&store).await, 0);
    assert_eq!(one.open_reservations() + two.open_reservations(), 0);
}

#[tokio::test]
async fn five_hundred_calls_with_faults_and_cancellations_leave_nothing_open() {
    let store = memory();
    let meter = meter(&store, daily(Usd::from_cents(10_000))).await;
    let model = ScriptedModel::new(MODEL);
    for call in 0..500 {
        model.push(match call % 10 {
            0 => Outcome::Hang,
            1 => Outcome::fail(ErrorKind::Overloaded),
            2 => Outcome::fail(ErrorKind::Connection),
            _ => Outcome::pieces(&["una ", "respuesta"]),
        });
    }
    let metered = metered(&model, &meter);
    let call = |index: usize| {
        let (metered, model) = (metered.clone(), model.clone());
        async move {
            let asked = request();
            if index.is_multiple_of(3) {
                let Ok(mut events) = metered.stream(&asked).await else {
                    return;
                };
                // Every other stream is left after its first event.
                events.next().await.unwrap().unwrap();
                if index.is_multiple_of(2) {
                    let _ = events.completion().await;
                }
                return;
            }
            tokio::select! {
                _ = metered.complete(&asked) => {}
                _ = model.until(|calls| calls.started == 500) => {}
            }
        }
    };
    let calls = join_all((0..500).map(call));
    tokio::select! {
        _ = calls => {}
        // Streams that hang before their first event are dropped with everything else.
        () = model.until(|calls| calls.finished + calls.dropped == 500) => {}
        () = model.until(|calls| calls.started == 500 && calls.in_flight() <= 50) => {}
    }
    let found = booked(&meter).await;
    assert_eq!(model.calls().in_flight(), 0);
    assert_eq!(meter.open_reservations(), 0);
    assert_eq!(committed(&store).await, found.total_cost_usd);
    assert_eq!(open_in_store(&store).await, 0);
    assert!(found.total_calls > 300);
}

#[tokio::test]
async fn with_history_a_call_reserves_what_calls_like_it_take() {
    let store = memory();
    let meter = meter(&store, daily(Usd::from_cents(1_000))).await;
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::text("sí"));
    let metered = metered(&model, &meter);
    for _ in 0..110 {
        metered.complete(&request()).await.unwrap();
    }
    meter.settled().await;
    let before = committed(&store).await;
    model.push(Outcome::Hang);
    let asked = request();
    let while_it_hangs = async {
        model.called(111).await;
        committed(&store).await.minus(before)
    };
    let reserved = tokio::select! {
        _ = metered.complete(&asked) => unreachable!("it hangs"),
        reserved = while_it_hangs => reserved,
    };
    let most = Usd::from_micros(1_500);
    assert!(
        reserved >= CALL && reserved <= CALL.plus(CALL),
        "{reserved}, not {most}"
    );
    let hint = meter.predict(MODEL, &asked);
    assert_eq!(hint.output_tokens.p95, Some(5));
    assert!(hint.latency.p50.is_some());
}

#[tokio::test]
async fn with_the_store_away_calls_go_on_within_a_local_limit() {
    let store = memory();
    let meter = meter(&store, daily(Usd::from_micros(2_000))).await;
    store.close().await.unwrap();
    let model = ScriptedModel::new(MODEL).otherwise(Outcome::text("sí"));
    let metered = metered(&model, &meter);
    let mut answered = 0;
    let refused = loop {
        match metered.complete(&request()).await {
            Ok(_) => answered += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Budget);
    assert!((1..20).contains(&answered), "{answered}");
    meter.settled().await;
    assert_eq!(meter.open_reservations(), 0);
    assert!(
        meter
            .ledger()
            .report(CostPeriod::Today, None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn the_provider_cache_is_booked_with_what_it_saved() {
    let store = memory();
    let meter = meter(&store, MeterConfig::default()).await;
    let mut answer = completion("sí");
    answer.usage = Usage {
        input_tokens: 100,
        cache_read_input_tokens: 900,
        output_tokens: 10,
        ..Usage::default()
    };
    let model = ScriptedModel::new(MODEL).then(Outcome::Complete(answer));
    let asked = Request::builder(100)
        .system(SystemBlock::new("reglas").cached(CacheLifetime::FiveMinutes))
        .user("x")
        .build()
        .unwrap();
    metered(&model, &meter).complete(&asked).await.unwrap();
    let found = booked(&meter).await;
    assert_eq!(found.total_input_tokens, 1_000);
    assert_eq!(found.prompt_cache_read_tokens, 900);
    assert!((found.prompt_cache_hit_rate - 0.9).abs() < 1e-9);
    // 900 tokens at 3 less 0.30 USD a million.
    assert_eq!(found.prompt_cache_saved_usd, Usd::from_micros(2_430));
}

#[tokio::test(start_paused = true)]
async fn a_first_event_far_over_its_prediction_is_a_time_out() {
    let store = memory();
    let meter = meter(&store, MeterConfig::default()).await;
    let model = ScriptedModel::new(MODEL).latency(Duration::from_secs(2));
    let model = model.otherwise(Outcome::pieces(&["sí"]));
    let metered = metered(&model, &meter);
    let asked = request();
    // Nothing is predicted yet, and then 2 s: four times that are waited for.
    for _ in 0..20 {
        let stream = metered.stream(&asked).await.unwrap();
        stream.completion().await.unwrap();
        meter.settled().await;
    }
    let usual = meter.predict(MODEL, &asked).first_event.p95.unwrap();
    assert!(usual.abs_diff(Duration::from_secs(2)) < Duration::from_millis(100));
    model.push(Outcome::Hang);
    let began = Instant::now();
    let error = metered.stream(&asked).await.err().unwrap();
    let stage = Stage::FirstByte;
    assert_eq!(error.kind(), ErrorKind::Timeout { stage });
    let limit = usual * FIRST_EVENT_FACTOR;
    assert!(began.elapsed().abs_diff(limit) < Duration::from_millis(100));
    meter.settled().await;
    assert_eq!(meter.open_reservations(), 0);
}
