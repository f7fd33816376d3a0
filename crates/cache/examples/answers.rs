//! Answers that cost time, kept and shared: `cargo run -p cache --example answers`.
//!
//! A made-up service rates an invoice in 200 ms. Five callers ask at once, then one asks
//! again, then one insists on a new answer, then another tenant asks.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{Answer, Cache, CacheConfig, CacheError, CacheKey, Computed, Keep, KeyError};
use cache::{Mode, Policy};
use futures_util::future::join_all;
use store::SystemClock;
use tokio::time::{Instant, sleep};

/// What may go wrong in the computation; callers that wait share it.
#[derive(Debug, thiserror::Error)]
#[error("rate an invoice without a total")]
struct NoTotal;

#[derive(Debug, thiserror::Error)]
enum ExampleError {
    #[error(transparent)]
    Config(#[from] cache::ConfigError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Cache(#[from] CacheError<NoTotal>),
}

/// Everything that the answer depends on, but for what is listed: the request's id.
fn key(tenant: &str, body: &str) -> Result<CacheKey, KeyError> {
    Ok(CacheKey::builder("rate", tenant)
        .version("rules", "1")
        .json(body, &["request_id"])?
        .finish())
}

/// The expensive part. It owns what it needs, since it may outlive the request.
async fn rate(body: Arc<str>) -> Result<Computed, NoTotal> {
    sleep(Duration::from_millis(200)).await;
    if !body.contains("monto_total") {
        return Err(NoTotal);
    }
    Ok(Computed::new(
        Bytes::from_static(br#"{"rating":"good"}"#),
        Keep::For(Duration::from_secs(15 * 60)),
    ))
}

async fn ask(cache: &Cache, tenant: &str, body: &str, mode: Mode) -> Result<Answer, ExampleError> {
    let begin = Instant::now();
    let key = key(tenant, body)?;
    let body: Arc<str> = body.into();
    let policy = Policy::new(Duration::from_secs(2));
    let answer = cache
        .get_or_compute(&key, policy, mode, || rate(body))
        .await?;
    let taken = begin.elapsed();
    println!("tenant {tenant}: {} in {taken:?}", answer.status.as_str());
    Ok(answer)
}

#[tokio::main]
async fn main() -> Result<(), ExampleError> {
    // `None`: no second tier. A service passes its `Arc<dyn store::Store>` here.
    let clock = Arc::new(SystemClock);
    let cache = Cache::new(&CacheConfig::default(), &["rate"], None, clock)?;
    let body = r#"{"tipo_dte": 33, "monto_total": 11900, "request_id": "a"}"#;
    let same = r#"{"request_id": "b", "monto_total": 11900.0, "tipo_dte": 33}"#;

    println!("five at once:");
    for answer in join_all((0..5).map(|_| ask(&cache, "1", body, Mode::Normal))).await {
        answer?;
    }
    println!("the same question put otherwise:");
    ask(&cache, "1", same, Mode::Normal).await?;
    println!("insisting on a new answer:");
    ask(&cache, "1", body, Mode::Refresh).await?;
    println!("another tenant:");
    ask(&cache, "2", body, Mode::Normal).await?;
    println!("an error, which isn't kept:");
    if let Err(error) = ask(&cache, "1", r#"{"tipo_dte": 33}"#, Mode::Normal).await {
        let cause = error.source().map(ToString::to_string);
        println!("failed to {error}: {}", cause.unwrap_or_default());
    }

    let stats = cache.stats();
    println!("{stats:#?}\nhit rate {:.2}", stats.hit_rate());
    cache.drain(Duration::from_secs(1)).await;
    Ok(())
}
