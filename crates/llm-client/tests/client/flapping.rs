//! Five hundred calls at once through a provider that fails three times in ten.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use llm_client::{
    Anthropic, Breaker, BreakerConfig, Error, LanguageModel, Request, RetryBudget, RetryPolicy,
    Retrying, Timeouts,
};
use mock_anthropic::{Config, MockServer};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{LONG, config};

const CALLS: u64 = 500;
/// What each call is given.
const DEADLINE: Duration = Duration::from_secs(10);
/// What a hung provider is given, so that the test doesn't take as long as a deadline.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a busy machine may take to notice that a deadline is past.
const SLACK: Duration = Duration::from_secs(5);

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

struct Ended {
    took: Duration,
    result: Result<(), Error>,
}

async fn call(model: Arc<dyn LanguageModel>, streamed: bool) -> Ended {
    let begun = Instant::now();
    let request = Request::builder(20)
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

fn layered(mock: &MockServer, budget: &Arc<RetryBudget>) -> Arc<dyn LanguageModel> {
    let limits = Timeouts::try_new(PATIENCE, PATIENCE, PATIENCE).unwrap();
    let limits = limits.with_idle(PATIENCE).unwrap();
    let provider = Anthropic::try_new(config(&mock.base_url(), limits)).unwrap();
    let breaker = Breaker::new(Arc::new(provider), BreakerConfig::default());
    let policy = RetryPolicy {
        first_wait: Duration::from_millis(100),
        ..RetryPolicy::default()
    };
    Arc::new(Retrying::new(Arc::new(breaker), policy, Arc::clone(budget)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_ends_in_time_and_nothing_is_left_behind() {
    let before = alive_tasks();
    let mock = MockServer::start(Config::default()).await.unwrap();
    for rule in FAULTS {
        assert!(mock.inject_rule(rule.parse().unwrap()));
    }
    let (percent, floor) = (10, 20);
    let budget = Arc::new(RetryBudget::new(percent, floor));
    let model = layered(&mock, &budget);
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        calls.spawn(call(Arc::clone(&model), number % 2 == 0));
    }
    let mut ends = BTreeMap::<&str, usize>::new();
    while let Some(ended) = calls.join_next().await {
        let Ended { took, result } = ended.unwrap();
        assert!(took < DEADLINE + SLACK, "{took:?}: {result:?}");
        let word = result.map_or_else(|error| error.kind().as_str(), |()| "ok");
        *ends.entry(word).or_default() += 1;
    }
    println!("{ends:?} in {:?}", begun.elapsed());
    assert!(ends["ok"] > 100, "{ends:?}");
    assert!(ends.len() > 1, "some faults were met: {ends:?}");

    let attempts = mock.stats().requests_to("/v1/messages");
    let seconds = begun.elapsed().as_secs() + 1;
    let affordable = CALLS * u64::from(percent) / 100 + u64::from(floor) + seconds;
    println!("{attempts} attempts for {CALLS} calls; {affordable} retries were affordable");
    assert!(attempts <= CALLS + affordable);

    // No exchange, connection or task is left.
    let quiet = mock.wait_for(LONG, |stats| stats.in_flight == 0).await;
    assert!(
        quiet.is_ok(),
        "{:?}",
        quiet.err().map(|stats| stats.in_flight)
    );
    assert_eq!(
        Arc::strong_count(&model),
        1,
        "nobody holds the model any more"
    );
    drop(model);
    mock.shutdown().await;
    let patience = Instant::now() + LONG;
    while alive_tasks() > before && Instant::now() < patience {
        tokio::task::yield_now().await;
    }
    assert_eq!(alive_tasks(), before);
}

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}
