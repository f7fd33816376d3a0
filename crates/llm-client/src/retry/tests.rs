//! Attempts and waits, on paused time.

use futures_util::StreamExt;

use super::*;
use crate::telemetry::tests::Sums;
use crate::test_util::{Outcome, ScriptedModel, Step, completion};
use crate::{ErrorKind, Stage, StreamEvent};

const SECOND: Duration = Duration::from_secs(1);

fn request() -> Request {
    Request::builder(10).user("hola").build().unwrap()
}

fn request_within(time: Duration) -> Request {
    Request::builder(10)
        .user("hola")
        .deadline(Instant::now() + time)
        .build()
        .unwrap()
}

fn failing(model: &ScriptedModel, errors: impl IntoIterator<Item = Error>) {
    for error in errors {
        model.push(Outcome::Fail(error));
    }
}

fn overloaded() -> Error {
    Error::new(ErrorKind::Overloaded)
}

fn retrying(model: &ScriptedModel, budget: RetryBudget) -> Retrying {
    let policy = RetryPolicy {
        max_retries: 4,
        ..RetryPolicy::default()
    };
    Retrying::new(Arc::new(model.clone()), policy, Arc::new(budget)).with_jitter(Jitter::none())
}

/// How a call ended, how many attempts it took, and how long.
async fn run(
    errors: Vec<Error>,
    request: &Request,
    budget: RetryBudget,
) -> (Result<Completion, Error>, usize, Duration) {
    let model = ScriptedModel::new("m").otherwise(Outcome::text("bien"));
    failing(&model, errors);
    let begun = Instant::now();
    let result = retrying(&model, budget).complete(request).await;
    (result, model.calls().started, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn waits_double_up_to_a_cap() {
    let (result, attempts, took) =
        run(vec![overloaded(); 4], &request(), RetryBudget::default()).await;
    assert_eq!(result.unwrap().text, "bien");
    assert_eq!(
        (attempts, took),
        (5, Duration::from_millis(500 + 1000 + 2000 + 4000))
    );
    let policy = RetryPolicy::default();
    let wait = |failures| policy.wait(&overloaded(), failures, &Jitter::none());
    assert_eq!((wait(5), wait(6)), (8 * SECOND, 8 * SECOND));
    assert_eq!(wait(u32::MAX), 8 * SECOND);
}

#[test]
fn jitter_takes_off_up_to_a_quarter() {
    let jitter = Jitter::seeded(3);
    let policy = RetryPolicy::default();
    for _ in 0..1000 {
        let wait = policy.wait(&overloaded(), 2, &jitter);
        assert!(wait > SECOND.mul_f64(0.75) && wait <= SECOND, "{wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_providers_wait_is_taken_if_it_is_sensible() {
    for (asked, expected) in [
        (Duration::from_secs(3), Duration::from_secs(3)),
        (Duration::from_secs(60), Duration::from_secs(60)),
        (Duration::from_secs(61), Duration::from_millis(500)),
        (Duration::from_secs(3600), Duration::from_millis(500)),
        (Duration::MAX, Duration::from_millis(500)),
        (Duration::ZERO, Duration::from_millis(500)),
    ] {
        let error = Error::new(ErrorKind::RateLimited).with_retry_after(Some(asked));
        let (_, attempts, took) = run(vec![error], &request(), RetryBudget::default()).await;
        assert_eq!((attempts, took), (2, expected), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_passes_by_itself_is_tried_again() {
    for (error, attempts) in [
        (Error::new(ErrorKind::SpendLimit), 1),
        (Error::new(ErrorKind::InvalidRequest), 1),
        (Error::new(ErrorKind::Refused), 1),
        (Error::new(ErrorKind::CircuitOpen), 1),
        (overloaded().with_retryable(false), 1),
        (
            Error::new(ErrorKind::InvalidRequest).with_retryable(true),
            2,
        ),
        (Error::new(ErrorKind::Connection), 2),
        (
            Error::new(ErrorKind::Timeout {
                stage: Stage::FirstByte,
            }),
            2,
        ),
        (
            Error::new(ErrorKind::Timeout {
                stage: Stage::Deadline,
            }),
            1,
        ),
    ] {
        let kind = error.kind();
        let (_, made, _) = run(vec![error], &request(), RetryBudget::default()).await;
        assert_eq!(made, attempts, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_end_and_the_last_failure_is_told() {
    let mut errors = vec![overloaded(); 4];
    errors.push(Error::new(ErrorKind::Upstream));
    let (result, attempts, _) = run(errors, &request(), RetryBudget::default()).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Upstream);
    assert_eq!(attempts, 5);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_cannot_end_in_time_is_not_begun() {
    for (deadline, attempts) in [(499, 1), (500, 1), (501, 2), (1499, 2), (1600, 3)] {
        let request = request_within(Duration::from_millis(deadline));
        let (result, made, took) =
            run(vec![overloaded(); 2], &request, RetryBudget::default()).await;
        assert_eq!(made, attempts, "{deadline}");
        assert!(took < Duration::from_millis(deadline), "told at once");
        if attempts < 3 {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Overloaded);
        }
    }
    let asked = Error::new(ErrorKind::RateLimited).with_retry_after(Some(30 * SECOND));
    let (_, made, took) = run(
        vec![asked],
        &request_within(20 * SECOND),
        RetryBudget::default(),
    )
    .await;
    assert_eq!((made, took), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn without_budget_there_is_no_retry() {
    let (result, attempts, _) =
        run(vec![overloaded(); 9], &request(), RetryBudget::new(0, 1)).await;
    assert!(result.is_err());
    assert_eq!(attempts, 2, "half a second fills half a retry");
    // Many calls share one budget: a tenth of them, over the floor.
    let model = ScriptedModel::new("m").otherwise(Outcome::Fail(overloaded()));
    let layer = retrying(&model, RetryBudget::new(10, 0));
    for _ in 0..200 {
        assert!(layer.complete(&request()).await.is_err());
    }
    assert_eq!(model.calls().started, 220);
}

/// The texts of a stream, and how it ended.
async fn read(stream: Result<CompletionStream, Error>) -> (Vec<String>, Result<(), ErrorKind>) {
    let mut texts = Vec::new();
    let mut stream = match stream {
        Ok(stream) => stream,
        Err(error) => return (texts, Err(error.kind())),
    };
    while let Some(event) = stream.next().await {
        match event {
            Ok(StreamEvent::Text(text)) => texts.push(text),
            Ok(_) => {}
            Err(error) => return (texts, Err(error.kind())),
        }
    }
    (texts, Ok(()))
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_made_again_until_text_has_gone_out() {
    let broken = |pieces: &[&str]| Outcome::stream(pieces, Step::Fail(overloaded()));
    let model = ScriptedModel::new("m")
        .then(Outcome::fail(ErrorKind::Upstream))
        .then(broken(&[]))
        .then(broken(&["media"]))
        .then(Outcome::pieces(&["nunca"]));
    let layer = retrying(&model, RetryBudget::default());
    let (texts, end) = read(layer.stream(&request()).await).await;
    assert_eq!(texts, ["media"]);
    assert_eq!(end, Err(ErrorKind::Overloaded));
    assert_eq!(model.calls().started, 3);
}

#[tokio::test(start_paused = true)]
async fn a_stream_passes_every_event_in_order() {
    let model = ScriptedModel::new("m")
        .then(Outcome::stream(
            &[],
            Step::Event(StreamEvent::Finished(completion(""))),
        ))
        .then(Outcome::pieces(&["a", "b"]));
    let layer = retrying(&model, RetryBudget::default());
    for count in [2, 4] {
        let events: Vec<_> = layer.stream(&request()).await.unwrap().collect().await;
        assert_eq!(events.len(), count);
        assert!(matches!(
            events.first(),
            Some(Ok(StreamEvent::Started { .. }))
        ));
        assert!(matches!(events.last(), Some(Ok(StreamEvent::Finished(_)))));
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_a_call_that_waits_ends_it() {
    let model = ScriptedModel::new("m").otherwise(Outcome::Fail(overloaded()));
    let layer = Arc::new(retrying(&model, RetryBudget::default()));
    let task = tokio::spawn({
        let layer = Arc::clone(&layer);
        async move { layer.complete(&request()).await.is_ok() }
    });
    model.called(1).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    tokio::time::advance(60 * SECOND).await;
    assert_eq!(model.calls().started, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_and_was_not_tried_again_is_counted() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let (_, attempts, _) = run(vec![overloaded(); 9], &request(), RetryBudget::default()).await;
    assert_eq!(attempts, 5);
    run(vec![overloaded(); 9], &request(), RetryBudget::new(0, 0))
        .await
        .0
        .unwrap_err();
    let soon = request_within(Duration::from_millis(1));
    run(vec![overloaded(); 9], &soon, RetryBudget::default())
        .await
        .0
        .unwrap_err();
    run(
        vec![Error::new(ErrorKind::Refused)],
        &request(),
        RetryBudget::default(),
    )
    .await
    .0
    .unwrap_err();
    let labels = "{gen_ai.provider.name=scripted,gen_ai.request.model=m";
    let gave_up = |reason: &str| {
        (
            format!("llm_retries_given_up_total{labels},reason={reason}}}"),
            1.0,
        )
    };
    let expected = [
        gave_up("attempts"),
        gave_up("budget"),
        gave_up("deadline"),
        (
            format!("llm_retries_total{labels},error.type=overloaded}}"),
            4.0,
        ),
    ];
    assert_eq!(sums.rows(), expected);
}
