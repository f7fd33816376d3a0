//! Tests of reservations: exact in every order of events, over processes that come and go.

use std::time::SystemTime;

use bytes::Bytes;
use proptest::prelude::*;
use store::{EmbeddedConfig, EmbeddedStore, ManualClock};

use super::*;
use crate::budget::keys::TAG;

const CENT: Usd = Usd::from_cents(1);

fn noon() -> SystemTime {
    let noon: jiff::Timestamp = "2026-11-22T15:00:00Z".parse().unwrap();
    noon.into()
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(noon()))
}

fn store(clock: &Arc<ManualClock>) -> Arc<EmbeddedStore> {
    let clock: Arc<dyn Clock> = clock.clone();
    Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), clock).unwrap())
}

fn limits(total: i64, account: i64) -> BudgetLimits {
    BudgetLimits {
        total_day: Some(Usd::from_cents(total)),
        account_day: Some(Usd::from_cents(account)),
        ..BudgetLimits::default()
    }
}

fn book(store: &Arc<EmbeddedStore>, clock: &Arc<ManualClock>, limits: BudgetLimits) -> Book {
    Book::new(store.clone(), clock.clone(), limits)
}

async fn committed(store: &EmbeddedStore, purse: &Purse) -> i64 {
    let key = purse.committed(Day::at(noon()).date());
    store.counters(&[&key]).await.unwrap()[0]
}

fn cents(count: i64) -> Usd {
    Usd::from_cents(count)
}

#[tokio::test]
async fn a_reservation_becomes_the_real_cost() {
    let clock = clock();
    let store = store(&clock);
    let book = book(&store, &clock, limits(100, 100));
    let reservation = book.reserve(Some("erp"), cents(10)).await.unwrap();
    assert_eq!(committed(&store, &Purse::Total).await, cents(10).pico());
    let entry = Entry {
        key: format!("{TAG}:x"),
        by: 7,
        lifetime: None,
    };
    book.settle(&reservation, cents(4)).await.unwrap();
    book.enter(&[entry]).await.unwrap();
    assert_eq!(committed(&store, &Purse::Total).await, cents(4).pico());
    let account = Purse::of_account("erp");
    assert_eq!(committed(&store, &account).await, cents(4).pico());
    let open = account.open(reservation.day.date(), reservation.slot());
    let rest = store.counters(&[&open, "{llm}:x"]).await.unwrap();
    assert_eq!(rest, [0, 7]);
}

#[tokio::test]
async fn the_refusal_names_the_limit_and_takes_nothing() {
    let clock = clock();
    let store = store(&clock);
    let book = book(&store, &clock, limits(100, 30));
    let _held = book.reserve(Some("erp"), cents(25)).await.unwrap();
    let over = book.reserve(Some("erp"), cents(6)).await.unwrap_err();
    assert_eq!(over.scope, LimitScope::AccountDay);
    assert_eq!(over.used, Amount::Dollars(cents(25)));
    assert_eq!(over.over_by(), Amount::Dollars(CENT));
    assert_eq!(over.resets_after, Some(Duration::from_secs(12 * 3_600)));
    assert_eq!(committed(&store, &Purse::Total).await, cents(25).pico());
    let over = book.reserve(None, cents(76)).await.unwrap_err();
    assert_eq!(over.scope, LimitScope::TotalDay);
    assert!(book.reserve(Some("otro"), cents(30)).await.is_ok());
}

#[tokio::test]
async fn what_a_dead_process_reserved_is_given_back_and_a_late_settlement_stays_exact() {
    let clock = clock();
    let store = store(&clock);
    let (one, two) = (
        book(&store, &clock, limits(100, 100)),
        book(&store, &clock, limits(100, 100)),
    );
    drop(one.reserve(Some("erp"), cents(40)).await.unwrap());
    let slow = one.reserve(Some("erp"), cents(50)).await.unwrap();
    assert!(two.reserve(Some("erp"), cents(20)).await.is_err());
    clock.advance(Duration::from_secs(1_800 + 900));
    let late = two.reserve(Some("erp"), cents(20)).await.unwrap();
    assert_eq!(committed(&store, &Purse::Total).await, cents(20).pico());
    one.settle(&slow, cents(55)).await.unwrap();
    two.settle(&late, cents(15)).await.unwrap();
    for purse in [Purse::Total, Purse::of_account("erp")] {
        assert_eq!(committed(&store, &purse).await, cents(70).pico());
    }
}

#[tokio::test]
async fn a_new_day_is_a_new_budget_and_the_call_is_the_days_it_began_on() {
    let clock = clock();
    let store = store(&clock);
    let book = book(&store, &clock, limits(10, 10));
    let held = book.reserve(None, cents(10)).await.unwrap();
    clock.advance(Duration::from_secs(12 * 3_600));
    let next = book.reserve(None, cents(10)).await.unwrap();
    assert_ne!(held.day.date(), next.day.date());
    book.settle(&held, cents(3)).await.unwrap();
    assert_eq!(committed(&store, &Purse::Total).await, cents(3).pico());
    assert!(
        book.reserve(None, CENT).await.is_err(),
        "today is full still"
    );
}

#[tokio::test]
async fn with_the_store_away_each_process_keeps_the_limits_for_itself() {
    let clock = clock();
    let store = store(&clock);
    let book = book(&store, &clock, limits(10, 8));
    let before = book.reserve(Some("erp"), cents(4)).await.unwrap();
    store.close().await.unwrap();
    let here = book.reserve(Some("erp"), cents(4)).await.unwrap();
    let over = book.reserve(Some("erp"), CENT).await.unwrap_err();
    assert_eq!(over.scope, LimitScope::AccountDay);
    assert_eq!(
        over.used,
        Amount::Dollars(cents(8)),
        "what came before counts"
    );
    assert!(book.settle(&here, CENT).await.is_err());
    assert!(book.settle(&before, CENT).await.is_err());
    assert!(book.reserve(Some("erp"), cents(6)).await.is_ok());
}

#[tokio::test]
async fn without_a_daily_limit_the_store_isnt_asked() {
    let clock = clock();
    let store = store(&clock);
    store.close().await.unwrap();
    let book = book(&store, &clock, BudgetLimits::default());
    let reservation = book.reserve(Some("erp"), Usd::MAX).await.unwrap();
    assert!(book.settle(&reservation, Usd::MAX).await.is_ok());
}

#[tokio::test]
async fn a_counter_that_holds_something_else_is_a_store_that_is_away() {
    let clock = clock();
    let store = store(&clock);
    let key = Purse::Total.committed(Day::at(noon()).date());
    store
        .set(&key, Bytes::from_static(b"x"), None)
        .await
        .unwrap();
    let book = book(&store, &clock, limits(10, 10));
    assert!(book.reserve(None, cents(10)).await.is_ok());
    assert!(book.reserve(None, CENT).await.is_err());
}

/// What may happen to reservations, in any order.
#[derive(Debug, Clone)]
enum Step {
    Reserve { cents: i64, account: bool },
    Settle { which: usize, cents: i64 },
    Forget { which: usize },
    Wait { minutes: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..40_i64, any::<bool>()).prop_map(|(cents, account)| Step::Reserve { cents, account }),
        3 => (0..8_usize, 0..60_i64).prop_map(|(which, cents)| Step::Settle { which, cents }),
        1 => (0..8_usize).prop_map(|which| Step::Forget { which }),
        1 => (1..50_u64).prop_map(|minutes| Step::Wait { minutes }),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever dies, waits or settles late: once the rest has been given back, the counter
    /// holds what was settled and nothing else.
    #[test]
    fn the_sum_is_what_was_settled(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clock = clock();
            let store = store(&clock);
            let book = book(&store, &clock, limits(100, 60));
            let (mut held, mut settled) = (Vec::new(), 0);
            for step in steps {
                match step {
                    Step::Reserve { cents: count, account } => {
                        let account = account.then_some("erp");
                        held.extend(book.reserve(account, cents(count)).await);
                    }
                    Step::Settle { which, cents: count } if which < held.len() => {
                        let reservation: Reservation = held.swap_remove(which);
                        book.settle(&reservation, cents(count)).await.unwrap();
                        settled += cents(count).pico();
                    }
                    Step::Forget { which } if which < held.len() => drop(held.swap_remove(which)),
                    Step::Wait { minutes } => {
                        // Nine hours are left of the day after all the waiting.
                        let spent = clock.now().duration_since(noon()).unwrap().as_secs();
                        if spent + minutes * 60 < 3 * 3_600 {
                            clock.advance(Duration::from_secs(minutes * 60));
                        }
                    }
                    Step::Settle { .. } | Step::Forget { .. } => {}
                }
            }
            drop(held);
            clock.advance(Duration::from_secs(4 * 3_600));
            let full = book.reserve(None, cents(1_000)).await;
            prop_assert!(full.is_err());
            prop_assert_eq!(committed(&store, &Purse::Total).await, settled);
            Ok(())
        })?;
    }
}
