//! Tests of the ledger: by operation, model, account and day, exact to the last digit.

use std::time::SystemTime;

use store::{Clock, EmbeddedConfig, EmbeddedStore, ManualClock};

use super::*;
use crate::BudgetLimits;

fn clock() -> Arc<ManualClock> {
    let noon: jiff::Timestamp = "2026-11-29T15:00:00Z".parse().unwrap();
    Arc::new(ManualClock::at(SystemTime::from(noon)))
}

fn ledger(clock: &Arc<ManualClock>) -> (Ledger, Arc<EmbeddedStore>) {
    let clock: Arc<dyn Clock> = clock.clone();
    // A busy machine mustn't lose bookings.
    let config = EmbeddedConfig {
        deadline: Duration::from_secs(20),
        ..EmbeddedConfig::default()
    };
    let store = EmbeddedStore::in_memory(config, Arc::clone(&clock)).unwrap();
    let store = Arc::new(store);
    let book = Book::new(store.clone(), clock, BudgetLimits::default());
    (
        Ledger::new(Arc::new(book), store.clone(), Detached::new()),
        store,
    )
}

async fn book(ledger: &Ledger, operation: &'static str, model: &str, account: &str, pico: i64) {
    let booking = Booking {
        operation,
        model: model.to_owned(),
        account: Some(account.into()),
        usage: Usage {
            input_tokens: 100,
            output_tokens: 11,
            ..Usage::default()
        },
        cost: Usd::from_pico(pico),
        prompt_saved: Usd::ZERO,
    };
    let day = ledger.0.book.today();
    ledger.record(&Handle::current(), &day, &booking);
}

async fn cost(ledger: &Ledger, period: CostPeriod, account: Option<&str>) -> i64 {
    let report = ledger.report(period, account).await.unwrap();
    report.summary.total_cost_usd.pico()
}

#[tokio::test]
async fn rows_add_up_by_operation_model_and_account() {
    let (ledger, _) = ledger(&clock());
    book(&ledger, "validate", "claude-sonnet-4-5", "norte", 1).await;
    book(&ledger, "validate", "claude-haiku-4-5", "norte", 20).await;
    book(&ledger, "chat", "claude-haiku-4-5", "sur ñ:*", 300).await;
    let report = ledger.report(CostPeriod::Today, None).await.unwrap();
    assert_eq!(report.summary.total_cost_usd.pico(), 321);
    assert_eq!(
        (report.summary.total_calls, report.summary.total_tokens),
        (3, 333)
    );
    assert_eq!(report.summary.avg_tokens_per_call, 111.0);
    assert_eq!(report.summary.avg_cost_per_call.pico(), 107);
    assert_eq!(report.by_operation["validate"].total_cost_usd.pico(), 21);
    assert_eq!(
        report.by_model["claude-haiku-4-5"].total_cost_usd.pico(),
        320
    );
    assert_eq!(cost(&ledger, CostPeriod::Today, Some("sur ñ:*")).await, 300);
    assert_eq!(cost(&ledger, CostPeriod::Today, Some("nadie")).await, 0);
}

#[tokio::test]
async fn days_and_months_are_chilean_and_end() {
    let clock = clock();
    let (ledger, _) = ledger(&clock);
    book(&ledger, "chat", "m", "a", 1).await;
    let day = Duration::from_secs(86_400);
    clock.advance(day);
    book(&ledger, "chat", "m", "a", 10).await;
    assert_eq!(cost(&ledger, CostPeriod::Yesterday, None).await, 1);
    assert_eq!(cost(&ledger, CostPeriod::Today, None).await, 10);
    assert_eq!(cost(&ledger, CostPeriod::ThisMonth, None).await, 11);
    clock.advance(day);
    book(&ledger, "chat", "m", "a", 100).await;
    assert_eq!(cost(&ledger, CostPeriod::Yesterday, None).await, 10);
    assert_eq!(
        cost(&ledger, CostPeriod::ThisMonth, None).await,
        100,
        "December"
    );
    assert_eq!(cost(&ledger, CostPeriod::AllTime, Some("a")).await, 111);
}

#[tokio::test]
async fn a_cached_answer_costs_nothing_and_adds_to_what_is_saved() {
    let (ledger, _) = ledger(&clock());
    book(&ledger, "chat", "m", "a", 70).await;
    let saved = Saved {
        operation: "chat",
        model: "m",
        account: Some("a"),
        tokens: 111,
        cost: Usd::from_pico(70),
    };
    for _ in 0..3 {
        ledger.record_saved(&saved);
    }
    ledger.flush().await;
    for account in [None, Some("a")] {
        let report = ledger.report(CostPeriod::Today, account).await.unwrap();
        let found = report.by_operation["chat"].clone();
        assert_eq!((found.saved_calls, found.saved_tokens), (3, 333));
        assert_eq!(found.saved_usd.pico(), 210);
        assert_eq!((found.total_calls, found.total_cost_usd.pico()), (1, 70));
    }
    ledger.record_saved(&saved);
    ledger.flush().await;
    let report = ledger.report(CostPeriod::AllTime, None).await.unwrap();
    assert_eq!(report.summary.saved_calls, 4);
}

#[test]
fn a_row_has_a_place_for_each_figure() {
    for (place, field) in Field::ALL.into_iter().enumerate() {
        assert_eq!(field as usize, place);
    }
}

#[test]
fn outside_of_a_runtime_savings_wait_for_one() {
    let (ledger, _) = ledger(&clock());
    let saved = Saved {
        operation: "chat",
        model: "m",
        account: None,
        tokens: 1,
        cost: Usd::ZERO,
    };
    ledger.record_saved(&saved);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(ledger.report(CostPeriod::Today, None));
    assert_eq!(report.unwrap().summary.saved_calls, 1);
}

#[tokio::test]
async fn bookings_are_written_together_without_being_asked_for() {
    let (ledger, store) = ledger(&clock());
    let key = figure_key(ALL_TIME, &Purse::Total, Field::Calls, "chat m");
    for round in 1..=2 {
        for _ in 0..1_000 {
            book(&ledger, "chat", "m", "a", 7).await;
        }
        assert_eq!(ledger.0.detached.under_way(), 1, "one writer for all");
        ledger.0.detached.idle().await;
        assert_eq!(store.counters(&[&key]).await.unwrap(), [1_000 * round]);
    }
    book(&ledger, "chat", "m", "a", 7).await;
    assert_eq!(cost(&ledger, CostPeriod::Today, Some("a")).await, 14_007);
}

#[tokio::test]
async fn who_asks_while_others_write_reads_all_that_was_booked_before() {
    let (ledger, _) = ledger(&clock());
    let mut booked = 0;
    for _ in 0..200 {
        for _ in 0..5 {
            book(&ledger, "chat", "m", "a", 1).await;
            booked += 1;
        }
        let dropped = ledger.report(CostPeriod::Today, None);
        tokio::select! {
            biased;
            _ = dropped => {}
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(cost(&ledger, CostPeriod::Today, None).await, booked);
    }
}

#[tokio::test]
async fn rows_beyond_the_bound_are_written_by_themselves() {
    let (ledger, _) = ledger(&clock());
    for account in 0..300 {
        book(&ledger, "chat", "m", &account.to_string(), 1).await;
    }
    assert_eq!(cost(&ledger, CostPeriod::Today, Some("1")).await, 1);
    ledger.flush().await;
    assert_eq!(cost(&ledger, CostPeriod::Today, None).await, 300);
    assert_eq!(cost(&ledger, CostPeriod::Today, Some("299")).await, 1);
}

#[tokio::test]
async fn the_report_is_in_the_routes_shape_with_exact_numbers() {
    let (ledger, _) = ledger(&clock());
    book(&ledger, "chat", "m", "a", 10_500_000_001).await;
    let report = ledger.report(CostPeriod::Today, None).await.unwrap();
    let text = serde_json::to_string(&report).unwrap();
    assert!(
        text.starts_with(r#"{"period":"today","summary":{"total_calls":1,"#),
        "{text}"
    );
    assert!(
        text.contains(r#""total_cost_usd":0.010500000001,"#),
        "{text}"
    );
    assert!(text.contains(r#""by_operation":{"chat":{"#) && text.contains(r#""by_model":{"m":{"#));
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    for field in [
        "avg_tokens_per_call",
        "avg_cost_per_call",
        "saved_usd",
        "saved_tokens",
    ] {
        assert!(read["summary"][field].is_number(), "{field}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_an_error_that_may_pass() {
    let (ledger, store) = ledger(&clock());
    store.close().await.unwrap();
    let error = ledger.report(CostPeriod::Today, None).await.unwrap_err();
    assert!(error.is_retryable());
}

#[test]
fn a_periods_word_reads_back() {
    for word in ["today", "yesterday", "this_month", "all_time"] {
        assert_eq!(CostPeriod::parse(word).unwrap().as_str(), word);
    }
    assert_eq!(CostPeriod::parse("tomorrow"), None);
}

#[test]
fn a_row_fits_into_one_write() {
    let clock = clock();
    let day = Day::at(clock.now());
    let row = row_of(&"ñ".repeat(200), &"m".repeat(128));
    let account = "á".repeat(300);
    let all = Field::ALL.map(|field| (field, 1));
    let entries = entries(&day, Some(&account), &row, &all);
    assert!(entries.len() <= store::MAX_ADDITIONS);
    assert!(
        entries
            .iter()
            .all(|entry| entry.key.len() <= store::MAX_KEY_BYTES)
    );
}
