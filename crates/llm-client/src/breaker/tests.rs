//! The layer around a model, on paused time.

use super::*;
use crate::telemetry::tests::Sums;
use crate::test_util::{Outcome, ScriptedModel, Step};
use crate::{RateLimit, RateLimits, Stage};
use http::StatusCode;

const SECOND: Duration = Duration::from_secs(1);

fn request() -> Request {
    Request::builder(10).user("hola").build().unwrap()
}

fn layer(model: &ScriptedModel) -> Breaker {
    let config = BreakerConfig {
        min_calls: 2,
        ..BreakerConfig::default()
    };
    Breaker::new(Arc::new(model.clone()), config)
}

async fn kind(layer: &Breaker) -> Option<ErrorKind> {
    layer
        .complete(&request())
        .await
        .err()
        .map(|error| error.kind())
}

#[tokio::test(start_paused = true)]
async fn a_broken_provider_is_left_alone_and_found_well_again() {
    let model = ScriptedModel::new("m").otherwise(Outcome::fail(ErrorKind::Upstream));
    let layer = layer(&model);
    for _ in 0..2 {
        assert_eq!(kind(&layer).await, Some(ErrorKind::Upstream));
    }
    let refused = layer.complete(&request()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CircuitOpen);
    assert_eq!(refused.retry_after(), Some(5 * SECOND));
    assert!(!refused.is_retryable() && refused.kind().may_pass_elsewhere());
    assert_eq!(layer.state(), BreakerState::Open);
    assert!(layer.stream(&request()).await.is_err());
    assert!(layer.count_tokens(&request()).await.is_err());
    assert_eq!(model.calls().started, 2, "no call was made");
    tokio::time::advance(5 * SECOND).await;
    let _ = model.clone().otherwise(Outcome::text("bien"));
    assert_eq!(kind(&layer).await, None);
    assert_eq!(layer.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn only_one_call_probes_however_many_come() {
    let model = ScriptedModel::new("m").otherwise(Outcome::fail(ErrorKind::Overloaded));
    let layer = Arc::new(layer(&model));
    kind(&layer).await;
    kind(&layer).await;
    tokio::time::advance(5 * SECOND).await;
    let _ = model.clone().otherwise(Outcome::Hang);
    let probe = tokio::spawn({
        let layer = Arc::clone(&layer);
        async move { layer.complete(&request()).await.is_ok() }
    });
    model.called(3).await;
    for _ in 0..50 {
        assert_eq!(kind(&layer).await, Some(ErrorKind::CircuitOpen));
    }
    assert_eq!(model.calls().started, 3);
    // A probe that is given up soon leaves its place to the next.
    probe.abort();
    model.until(|calls| calls.dropped == 1).await;
    let _ = model.clone().otherwise(Outcome::text("bien"));
    assert_eq!(kind(&layer).await, None);
}

#[tokio::test(start_paused = true)]
async fn each_kind_steers_its_own_way() {
    let answered = |kind| Error::new(kind).with_status(StatusCode::BAD_REQUEST);
    let stage = |stage| Error::new(ErrorKind::Timeout { stage });
    for (error, opens) in [
        (Error::new(ErrorKind::Upstream), true),
        (Error::new(ErrorKind::Overloaded), true),
        (Error::new(ErrorKind::Connect), true),
        (Error::new(ErrorKind::Connection), true),
        (Error::new(ErrorKind::InvalidResponse), true),
        (stage(Stage::FirstByte), true),
        (stage(Stage::Idle), true),
        (Error::new(ErrorKind::RateLimited), false),
        (Error::new(ErrorKind::SpendLimit), false),
        (stage(Stage::Deadline), false),
        (answered(ErrorKind::InvalidRequest), false),
        (answered(ErrorKind::Refused), false),
        (Error::new(ErrorKind::InvalidRequest), false),
    ] {
        let name = format!("{error:?}");
        let model = ScriptedModel::new("m").otherwise(Outcome::Fail(error));
        let layer = layer(&model);
        for _ in 0..20 {
            kind(&layer).await;
        }
        assert_eq!(layer.state() == BreakerState::Open, opens, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hung_provider_is_noticed_though_callers_are_less_patient() {
    let run = async |patience: Duration| {
        let model = ScriptedModel::new("m").otherwise(Outcome::Hang);
        let layer = layer(&model);
        for _ in 0..2 {
            let request = Request::builder(1)
                .user("hola")
                .deadline(Instant::now() + patience)
                .build()
                .unwrap();
            assert!(layer.complete(&request).await.is_err());
        }
        layer.state()
    };
    assert_eq!(run(6 * SECOND).await, BreakerState::Open);
    assert_eq!(run(4 * SECOND).await, BreakerState::Closed);
    // The same where the caller simply goes away.
    let model = ScriptedModel::new("m").otherwise(Outcome::Hang);
    let layer = layer(&model);
    for _ in 0..2 {
        let gone = tokio::time::timeout(6 * SECOND, layer.complete(&request())).await;
        assert!(gone.is_err());
    }
    assert_eq!(layer.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_calls_back_until_the_providers_own_time() {
    let limits = RateLimits {
        output_tokens: Some(RateLimit {
            limit: None,
            remaining: 0,
            reset_after: Some(7 * SECOND),
        }),
        ..RateLimits::default()
    };
    let limited = || Error::new(ErrorKind::RateLimited);
    for (error, wait) in [
        (limited().with_retry_after(Some(3 * SECOND)), 3),
        (limited().with_rate_limits(Some(Box::new(limits))), 7),
        (Error::new(ErrorKind::SpendLimit), 60),
        (limited().with_retry_after(Some(3600 * SECOND)), 60),
    ] {
        let kind = error.kind();
        let model = ScriptedModel::new("m")
            .then(Outcome::Fail(error))
            .otherwise(Outcome::text("bien"));
        let layer = layer(&model);
        assert!(layer.complete(&request()).await.is_err());
        let held = layer.complete(&request()).await.unwrap_err();
        assert_eq!(held.kind(), kind);
        assert_eq!(held.retry_after(), Some(wait * SECOND));
        assert_eq!(
            (layer.state(), model.calls().started),
            (BreakerState::Closed, 1)
        );
        tokio::time::advance(wait * SECOND).await;
        assert!(layer.complete(&request()).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_counts_by_how_it_ends() {
    let broken = Outcome::stream(&["a"], Step::Fail(Error::new(ErrorKind::Interrupted)));
    let model = ScriptedModel::new("m").otherwise(broken);
    let layer = layer(&model);
    for _ in 0..5 {
        // Left in the middle, it says nothing.
        drop(layer.stream(&request()).await.unwrap());
    }
    assert_eq!(layer.state(), BreakerState::Closed);
    for _ in 0..2 {
        let stream = layer.stream(&request()).await.unwrap();
        assert!(stream.completion().await.is_err());
    }
    assert_eq!(layer.state(), BreakerState::Open);
    tokio::time::advance(5 * SECOND).await;
    let _ = model.clone().otherwise(Outcome::pieces(&["bien"]));
    let stream = layer.stream(&request()).await.unwrap();
    assert_eq!(layer.state(), BreakerState::Closed, "it answers");
    assert_eq!(stream.completion().await.unwrap().text, "bien");
}

/// Counts the log lines of one level.
#[derive(Default, Clone)]
struct Lines(Arc<std::sync::atomic::AtomicUsize>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn each_change_is_one_metric_and_one_line_and_a_refused_call_is_none() {
    let (sums, lines) = (Sums::default(), Lines::default());
    let _recorder = metrics::set_default_local_recorder(&sums);
    let _subscriber = tracing::subscriber::set_default(lines.clone());
    // With one subscriber alone, tracing asks only the thread that comes to a line first, which
    // may be another test's without any, and leaves the line off for all.
    let _second = tracing::Dispatch::new(lines.clone());
    let limited = Error::new(ErrorKind::RateLimited).with_retry_after(Some(SECOND));
    let model = ScriptedModel::new("m")
        .then(Outcome::fail(ErrorKind::Upstream))
        .then(Outcome::fail(ErrorKind::Upstream))
        .then(Outcome::fail(ErrorKind::Overloaded))
        .then(Outcome::text("bien"))
        .then(Outcome::Fail(limited))
        .otherwise(Outcome::text("bien"));
    let layer = layer(&model);
    for pause in [0, 0, 5, 10, 0, 1] {
        tokio::time::advance(pause * SECOND).await;
        kind(&layer).await;
        for _ in 0..20 {
            // What is refused leaves no trace of its own.
            if layer.state() == BreakerState::Open {
                kind(&layer).await;
            }
        }
    }
    let rows: Vec<_> = sums
        .rows()
        .into_iter()
        .map(|(name, value)| {
            let labels = name.split_once("request.model=m").unwrap().1.to_owned();
            (labels, value)
        })
        .collect();
    let row = |to: &str, cause: &str, count: f64| (format!(",to={to},cause={cause}}}"), count);
    let expected = [
        ("}".to_owned(), 0.0),
        row("closed", "probe", 1.0),
        row("gated", "rate_limited", 1.0),
        row("half_open", "time", 2.0),
        row("open", "failures", 1.0),
        row("open", "probe", 1.0),
        row("ungated", "time", 1.0),
    ];
    assert_eq!(rows, expected);
    assert_eq!(lines.0.load(std::sync::atomic::Ordering::Relaxed), 7);
}
