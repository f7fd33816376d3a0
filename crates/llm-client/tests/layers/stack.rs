//! Each choice of layers answers; the money agrees with the provider; nothing is left behind.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::future::join_all;
use llm_client::{
    Amount, Anthropic, AnthropicConfig, Breaker, BreakerConfig, BudgetLimits, CacheLifetime,
    ConcurrencyConfig, ConcurrencyLimit, CostPeriod, CostReport, ErrorKind, LanguageModel, Meter,
    MeterConfig, Metered, OpenAiCompatible, OpenAiConfig, PrefixCache, PrefixCacheConfig,
    PriceTable, Request, RetryBudget, RetryPolicy, Retrying, SystemBlock, Usage, Usd,
};
use mock_anthropic::{Answer, Config, Fault, MockServer};
use store::{Clock, EmbeddedConfig, EmbeddedStore, ManualClock, Store};

pub(crate) const MODEL: &str = "claude-sonnet-4-5";

fn clock() -> Arc<dyn Clock> {
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_359_600);
    Arc::new(ManualClock::at(noon))
}

pub(crate) fn memory() -> Arc<dyn Store> {
    Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), clock()).unwrap())
}

async fn mock() -> MockServer {
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(Answer::always("Todo cuadra, no hay nada que corregir."));
    mock
}

fn client(mock: &MockServer) -> Arc<dyn LanguageModel> {
    let mut config = AnthropicConfig::new("sk-ant-mock".into(), MODEL);
    config.base_url = mock.base_url();
    Arc::new(Anthropic::try_new(config).unwrap())
}

pub(crate) fn meter(store: &Arc<dyn Store>, limits: BudgetLimits) -> Meter {
    let config = MeterConfig {
        limits,
        ..MeterConfig::default()
    };
    Meter::new(config, Arc::clone(store), clock())
}

fn request(rules: &str) -> Request {
    Request::builder(200)
        .operation("validate")
        .account("erp-sur")
        .system(SystemBlock::new(rules).cached(CacheLifetime::FiveMinutes))
        .user("Neto 1000, IVA 190, total 1190.")
        .build()
        .unwrap()
}

pub(crate) fn long_rules() -> String {
    "El IVA es el 19 % del neto, y el total es la suma de ambos. ".repeat(100)
}

/// A provider under some of the layers, a bit for each.
struct Stack {
    model: Arc<dyn LanguageModel>,
    limit: Option<ConcurrencyLimit>,
    prefix: Option<PrefixCache>,
}

fn stack(layers: u8, provider: Arc<dyn LanguageModel>, meter: &Meter) -> Stack {
    let with = |bit: u8| layers & (1 << bit) != 0;
    let (mut model, mut limit, mut prefix) = (provider, None, None);
    if with(0) {
        model = Arc::new(Metered::new(model, meter.clone()));
    }
    if with(1) {
        let config = PrefixCacheConfig::default();
        let layer = PrefixCache::new(model, &PriceTable::built_in(), config);
        prefix = Some(layer.clone());
        model = Arc::new(layer);
    }
    if with(2) {
        let layer = ConcurrencyLimit::new(model, ConcurrencyConfig::default());
        limit = Some(layer.clone());
        model = Arc::new(layer);
    }
    if with(3) {
        model = Arc::new(Breaker::new(model, BreakerConfig::default()));
    }
    if with(4) {
        let budget = Arc::new(RetryBudget::new(20, 100));
        // The waits are left out: what is tested here doesn't depend on them.
        let layer = Retrying::new(model, RetryPolicy::default(), budget);
        model = Arc::new(layer.with_pause(|_| std::future::ready(())));
    }
    Stack {
        model,
        limit,
        prefix,
    }
}

async fn report(meter: &Meter) -> CostReport {
    meter.settled().await;
    let report = meter.ledger().report(CostPeriod::Today, None).await;
    report.unwrap()
}

#[tokio::test]
async fn every_choice_of_layers_answers_whole_and_streamed() {
    let (mock, store) = (mock().await, memory());
    let meter = meter(&store, BudgetLimits::default());
    let asked = request("Revisas facturas.");
    for layers in 0..32 {
        let Stack { model, limit, .. } = stack(layers, client(&mock), &meter);
        assert_eq!(model.model(), MODEL);
        let whole = model.complete(&asked).await.unwrap();
        let stream = model.stream(&asked).await.unwrap();
        let streamed = stream.completion().await.unwrap();
        assert_eq!(whole.text, streamed.text, "layers {layers:05b}");
        assert_eq!(whole.usage, streamed.usage);
        assert!(model.count_tokens(&asked).await.unwrap().is_some());
        if let Some(limit) = limit {
            assert_eq!((limit.stats().in_flight, limit.stats().queued), (0, 0));
        }
    }
    let found = report(&meter).await.summary;
    assert_eq!(found.total_calls, 32, "every other choice is metered");
    assert_eq!(meter.open_reservations(), 0);
}

#[tokio::test]
async fn the_ledger_agrees_with_the_provider_to_the_token_and_the_pico_dollar() {
    let (mock, store) = (mock().await, memory());
    let meter = meter(&store, BudgetLimits::default());
    let Stack { model, prefix, .. } = stack(0b11111, client(&mock), &meter);
    let rules = long_rules();
    for call in 0..20 {
        let asked = request(&rules);
        if call % 2 == 0 {
            model.complete(&asked).await.unwrap();
        } else {
            let mut events = model.stream(&asked).await.unwrap();
            while let Some(event) = events.next().await {
                event.unwrap();
            }
        }
    }
    let found = report(&meter).await;
    let said = mock.stats().usage;
    let usage = Usage {
        input_tokens: said.input_tokens,
        output_tokens: said.output_tokens,
        cache_read_input_tokens: said.cache_read_input_tokens,
        cache_creation_5m_input_tokens: said.cache_creation_input_tokens,
        ..Usage::default()
    };
    assert_eq!(found.summary.total_calls, 20);
    assert_eq!(found.summary.total_tokens, usage.total());
    let prices = PriceTable::built_in().of(MODEL).prices;
    assert_eq!(found.summary.total_cost_usd, prices.cost(&usage));
    assert_eq!(found.by_operation["validate"], found.summary);
    assert_eq!(found.by_model[MODEL], found.summary);
    assert!(said.cache_read_input_tokens > 0 && said.cache_creation_input_tokens > 0);
    let cached = prefix.unwrap().stats();
    assert_eq!(cached.read_tokens, said.cache_read_input_tokens);
    assert_eq!(cached.saved_usd, found.summary.prompt_cache_saved_usd);
    assert!(cached.hit_rate() > 0.8);
}

#[tokio::test]
async fn a_second_model_of_the_mocks_own_answers_whole_and_streamed() {
    let mock = mock().await;
    let config = OpenAiConfig::new(format!("{}/v1", mock.base_url()), "qwen3-32b");
    let model = OpenAiCompatible::try_new(config).unwrap();
    let asked = request("Revisas facturas.");
    let whole = model.complete(&asked).await.unwrap();
    let streamed = model.stream(&asked).await.unwrap();
    let streamed = streamed.completion().await.unwrap();
    assert_eq!(whole.text, "Todo cuadra, no hay nada que corregir.");
    assert_eq!((&whole.text, whole.usage), (&streamed.text, streamed.usage));
    assert_eq!(streamed.model, "qwen3-32b");
    assert!(!streamed.usage.estimated, "the last chunk tells it");
    let said = mock.stats().usage;
    assert_eq!(said.output_tokens, whole.usage.output_tokens * 2);
    assert_eq!(mock.stats().requests_to("/v1/chat/completions"), 2);
}

#[tokio::test]
async fn siblings_pay_for_one_write_of_their_prefix() {
    let (mock, store) = (mock().await, memory());
    let meter = meter(&store, BudgetLimits::default());
    let asked = request(&long_rules());
    let Stack { model, prefix, .. } = stack(0b00011, client(&mock), &meter);
    let results = join_all((0..8).map(|_| model.complete(&asked))).await;
    let written = results.into_iter().map(Result::unwrap);
    let writes = written.filter(|answer| answer.usage.cache_creation_input_tokens() > 0);
    assert_eq!(writes.count(), 1);
    assert_eq!(prefix.unwrap().writing(), 0);
}

#[tokio::test]
async fn over_the_days_budget_the_provider_isnt_asked() {
    let (mock, store) = (mock().await, memory());
    let limit = Usd::from_micros(10);
    let limits = BudgetLimits {
        total_day: Some(limit),
        ..BudgetLimits::default()
    };
    let meter = meter(&store, limits);
    let Stack { model, .. } = stack(0b11111, client(&mock), &meter);
    let error = model.complete(&request("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    assert_eq!(error.over_limit().unwrap().limit, Amount::Dollars(limit));
    assert!(error.retry_after().is_some());
    assert_eq!(mock.stats().requests_to("/v1/messages"), 0);
}

#[tokio::test]
async fn five_hundred_calls_with_a_third_of_them_failing_leave_nothing_behind() {
    let (mock, store) = (mock().await, memory());
    for fault in [
        Fault::Overloaded,
        Fault::ServerError,
        Fault::Cut,
        Fault::CutBody,
        Fault::MalformedJson,
        Fault::NoUsage,
    ] {
        assert!(mock.inject(fault, 25));
    }
    let limits = BudgetLimits {
        total_day: Some(Usd::from_cents(10_000)),
        account_day: Some(Usd::from_cents(10_000)),
        ..BudgetLimits::default()
    };
    let meter = meter(&store, limits);
    let layers = stack(0b10111, client(&mock), &meter);
    let (limit, prefix) = (layers.limit.unwrap(), layers.prefix.unwrap());
    let model = layers.model;
    let rules = long_rules();
    let call = |index: usize| {
        let (model, rules) = (Arc::clone(&model), rules.as_str());
        async move {
            let asked = request(rules);
            match index % 4 {
                0 => model.complete(&asked).await.is_ok(),
                // Left after its first event.
                1 => match model.stream(&asked).await {
                    Ok(mut events) => events.next().await.is_some(),
                    Err(_) => false,
                },
                // Left before or after it began, as it comes.
                2 => tokio::select! {
                    result = model.complete(&asked) => result.is_ok(),
                    () = yields(index) => false,
                },
                _ => match model.stream(&asked).await {
                    Ok(events) => events.completion().await.is_ok(),
                    Err(_) => false,
                },
            }
        }
    };
    let mut answered = 0;
    for batch in 0..10 {
        let calls = (batch * 50..(batch + 1) * 50).map(call);
        answered += join_all(calls).await.into_iter().filter(|ok| *ok).count();
    }
    assert!(answered > 100, "{answered}");
    let found = report(&meter).await.summary;
    let stats = limit.stats();
    assert_eq!((stats.in_flight, stats.queued), (0, 0));
    assert_eq!((prefix.writing(), meter.open_reservations()), (0, 0));
    let spent = store.counters(&["{llm}:spent:2026-11-22:*"]).await.unwrap();
    assert_eq!(Usd::from_pico(spent[0]), found.total_cost_usd);
    assert!(found.total_cost_usd > Usd::ZERO);
    let quiet = mock.wait_for(Duration::from_secs(10), |stats| stats.in_flight == 0);
    assert!(quiet.await.is_ok());
}

/// Gives way so many times.
async fn yields(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}
