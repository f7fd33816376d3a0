//! Five hundred calls at once, whole and streamed, through every layer, to a provider that
//! fails three times in ten: each ends in time, and nothing is left behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use llm_client::{
    Anthropic, AnthropicConfig, Breaker, BreakerConfig, BudgetLimits, CacheLifetime,
    ConcurrencyConfig, ConcurrencyLimit, CostPeriod, Error, LanguageModel, Meter, Metered,
    PrefixCache, PrefixCacheConfig, Request, RetryBudget, RetryPolicy, Retrying, SystemBlock,
    Timeouts, Usd,
};
use mock_anthropic::{Config, MockServer};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::stack::{MODEL, long_rules, memory, meter};

const CALLS: u64 = 500;
/// What each call is given.
const DEADLINE: Duration = Duration::from_secs(10);
/// What a hung provider is given, so that the test doesn't take as long as a deadline.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a busy machine may take to notice that a deadline is past, and to come to rest.
const SLACK: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(60);
/// Retries: percent of the calls, and those that are allowed anyway.
const RETRIES: (u8, u32) = (10, 20);

/// Faults that strike by themselves: three requests in ten meet one of them.
const FAULTS: [&str; 7] = [
    "overloaded;probability=0.07",
    "server_error;probability=0.06",
    "cut;probability=0.05",
    "hang;probability=0.05",
    "cut_body;probability=0.04",
    "hang_stream;probability=0.03",
    "rate_limit=1;probability=0.01",
];

/// The layers as the service puts them together, and handles of those that can be asked.
struct Stack {
    model: Arc<dyn LanguageModel>,
    limit: ConcurrencyLimit,
    prefix: PrefixCache,
}

fn stack(mock: &MockServer, meter: &Meter) -> Stack {
    let mut config = AnthropicConfig::new("sk-ant-mock".into(), MODEL);
    config.base_url = mock.base_url();
    let limits = Timeouts::try_new(PATIENCE, PATIENCE, PATIENCE).unwrap();
    config.timeouts = limits.with_idle(PATIENCE).unwrap();
    let provider = Arc::new(Anthropic::try_new(config).unwrap());
    let metered = Arc::new(Metered::new(provider, meter.clone()));
    let prefix = PrefixCache::new(metered, meter.prices(), PrefixCacheConfig::default());
    // All may wait: how many do and are served is what is tested.
    let concurrency = ConcurrencyConfig {
        initial: 64,
        queue: 512,
        ..ConcurrencyConfig::default()
    };
    let limit = ConcurrencyLimit::new(Arc::new(prefix.clone()), concurrency);
    let breaker = Breaker::new(Arc::new(limit.clone()), BreakerConfig::default());
    let budget = Arc::new(RetryBudget::new(RETRIES.0, RETRIES.1));
    let policy = RetryPolicy {
        first_wait: Duration::from_millis(100),
        ..RetryPolicy::default()
    };
    let model = Arc::new(Retrying::new(Arc::new(breaker), policy, budget));
    Stack {
        model,
        limit,
        prefix,
    }
}

async fn call(model: Arc<dyn LanguageModel>, rules: Arc<str>, streamed: bool) -> Ended {
    let begun = Instant::now();
    let request = Request::builder(20)
        .operation("validate")
        .account("erp-sur")
        .system(SystemBlock::new(rules).cached(CacheLifetime::FiveMinutes))
        .user("¿está bien la factura?")
        .deadline(begun + DEADLINE)
        .build()
        .unwrap();
    let result = if streamed {
        match model.stream(&request).await {
            Ok(stream) => stream.completion().await.map(|_| ()),
            Err(error) => Err(error),
        }
    } else {
        model.complete(&request).await.map(|_| ())
    };
    Ended {
        took: begun.elapsed(),
        result,
    }
}

struct Ended {
    took: Duration,
    result: Result<(), Error>,
}

fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Waits until it holds; the tasks that are to end need their turns.
async fn comes_true(what: &str, holds: impl Fn() -> bool) {
    let patience = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < patience, "{what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_ends_in_time_and_no_layer_keeps_anything() {
    let store = memory();
    let before = alive_tasks();
    let mock = MockServer::start(Config::default()).await.unwrap();
    for rule in FAULTS {
        assert!(mock.inject_rule(rule.parse().unwrap()));
    }
    let plenty = Some(Usd::from_cents(10_000));
    let limits = BudgetLimits {
        total_day: plenty,
        account_day: plenty,
        ..BudgetLimits::default()
    };
    let meter = meter(&store, limits);
    let Stack {
        model,
        limit,
        prefix,
    } = stack(&mock, &meter);
    let rules: Arc<str> = long_rules().into();
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        let (model, rules) = (Arc::clone(&model), Arc::clone(&rules));
        calls.spawn(call(model, rules, number % 2 == 0));
    }
    let mut ends = BTreeMap::<&str, usize>::new();
    while let Some(ended) = calls.join_next().await {
        let Ended { took, result } = ended.unwrap();
        assert!(took < DEADLINE + SLACK, "{took:?}: {result:?}");
        let word = result.map_or_else(|error| error.kind().as_str(), |()| "ok");
        *ends.entry(word).or_default() += 1;
    }
    let took = begun.elapsed();
    println!("{ends:?} in {took:?}");
    assert!(ends["ok"] > 50, "{ends:?}");
    assert!(ends.len() > 1, "some faults were met: {ends:?}");

    // The mock also heard of no more than the calls and the retries that they could pay.
    let (percent, floor) = RETRIES;
    let paid = CALLS * u64::from(percent) / 100 + u64::from(floor) + took.as_secs() + 1;
    let attempts = mock.stats().requests_to("/v1/messages");
    println!("{attempts} attempts for {CALLS} calls; {paid} retries were affordable");
    assert!(attempts <= CALLS + paid);

    // No place, queue entry, prefix or reservation is kept.
    meter.settled().await;
    comes_true("a place is kept", || {
        let stats = limit.stats();
        (stats.in_flight, stats.queued) == (0, 0)
    })
    .await;
    assert_eq!(prefix.writing(), 0);
    comes_true("a reservation is kept", || meter.open_reservations() == 0).await;
    let report = meter.ledger().report(CostPeriod::Today, None).await;
    let spent = store.counters(&["{llm}:spent:2026-11-22:*"]).await.unwrap();
    assert_eq!(
        Usd::from_pico(spent[0]),
        report.unwrap().summary.total_cost_usd
    );

    // No exchange and no task either.
    let quiet = mock.wait_for(LONG, |stats| stats.in_flight == 0).await;
    assert!(quiet.is_ok(), "{:?}", quiet.err());
    assert_eq!(Arc::strong_count(&model), 1);
    drop((model, limit, prefix, meter));
    mock.shutdown().await;
    comes_true("a task is left", || alive_tasks() <= before).await;
}
