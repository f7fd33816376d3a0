//! Whatever happens, nobody gets an answer to another question or of another tenant.

use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig, CacheKey, Computed, Keep, Mode, Replicas};
use futures_util::future::join_all;
use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert_eq, proptest};
use store::{Clock, ManualClock, Store};

use crate::common::{Broken, POLICY, SharedStore, tenant_key};

const REPLICAS: usize = 3;

/// One call: by which replica, for which tenant and input, how, and what becomes of it.
#[derive(Debug, Clone)]
struct Call {
    replica: usize,
    tenant: u8,
    input: u8,
    mode: Mode,
    fails: bool,
    keep: bool,
    /// Milliseconds that go by after the calls of one batch.
    pause_ms: u64,
}

fn call() -> impl Strategy<Value = Call> {
    (
        0..REPLICAS,
        0..3u8,
        0..3u8,
        0..8u8,
        any::<[bool; 2]>(),
        0..40_000u64,
    )
        .prop_map(
            |(replica, tenant, input, mode, [fails, keep], pause_ms)| Call {
                replica,
                tenant,
                input,
                mode: match mode {
                    0 => Mode::Refresh,
                    1 => Mode::Bypass,
                    _ => Mode::Normal,
                },
                fails,
                keep,
                pause_ms,
            },
        )
}

fn fleet(clock: &Arc<ManualClock>) -> Vec<Cache> {
    let store = SharedStore::new(Arc::clone(clock) as Arc<dyn Clock>);
    let config = CacheConfig {
        replicas: Replicas::On,
        poll_ms: 1,
        // Small: answers are thrown out all the time.
        l1_bytes: 4_000,
        ..CacheConfig::default()
    };
    (0..REPLICAS)
        .map(|_| {
            let store = Arc::clone(&store) as Arc<dyn Store>;
            let clock = Arc::clone(clock) as Arc<dyn Clock>;
            Cache::new(&config, &["validate"], Some(store), clock).unwrap()
        })
        .collect()
}

async fn make(cache: &Cache, call: &Call) -> Result<(), TestCaseError> {
    let key: CacheKey = tenant_key(&call.tenant.to_string(), &call.input.to_string());
    let value = format!("tenant {} input {}", call.tenant, call.input);
    let policy = POLICY
        .stale_while_revalidate(Duration::from_secs(20))
        .stale_if_error(Duration::from_secs(60))
        .refresh_early();
    let (fails, computed) = (call.fails, value.clone());
    let keep = if call.keep {
        Keep::For(Duration::from_secs(30))
    } else {
        Keep::No
    };
    let compute = move || async move {
        tokio::task::yield_now().await;
        if fails {
            return Err(Broken(1));
        }
        Ok(Computed::new(computed, keep))
    };
    let answer = cache.get_or_compute(&key, policy, call.mode, compute).await;
    if let Ok(answer) = answer {
        prop_assert_eq!(&answer.value[..], value.as_bytes());
    }
    Ok(())
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn an_answer_belongs_to_its_question(
        batches in prop::collection::vec(prop::collection::vec(call(), 1..12), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let start = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
            let clock = Arc::new(ManualClock::at(start));
            let caches = fleet(&clock);
            for batch in &batches {
                let calls = batch.iter().map(|call| make(&caches[call.replica], call));
                for outcome in join_all(calls).await {
                    outcome?;
                }
                let pause = batch.iter().map(|call| call.pause_ms).max().unwrap_or(0);
                clock.advance(Duration::from_millis(pause));
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
