//! The fake behaves as its documentation says.

use tokio::time::{Instant, timeout_at};

use super::*;
use crate::Stage;

fn request() -> Request {
    Request::builder(10).user("hola").build().unwrap()
}

fn request_until(deadline: Instant) -> Request {
    Request::builder(10)
        .user("hola")
        .deadline(deadline)
        .build()
        .unwrap()
}

#[tokio::test]
async fn outcomes_come_in_order_and_then_the_default() {
    let model = ScriptedModel::new("m")
        .then(Outcome::text("uno"))
        .then(Outcome::fail(ErrorKind::Overloaded))
        .otherwise(Outcome::text("siempre"));
    assert_eq!(model.model(), "m");
    assert_eq!(model.complete(&request()).await.unwrap().text, "uno");
    let error = model.complete(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    for _ in 0..2 {
        assert_eq!(model.complete(&request()).await.unwrap().text, "siempre");
    }
    assert_eq!(model.requests(), vec![request(); 4]);
    assert_eq!(model.calls().finished, 4);
}

#[tokio::test]
async fn an_empty_script_fails_without_inviting_a_retry() {
    let error = ScriptedModel::new("m").complete(&request()).await;
    assert!(!error.unwrap_err().is_retryable());
}

#[tokio::test]
async fn a_test_sees_a_call_begin_and_be_dropped() {
    let model = ScriptedModel::new("m").then(Outcome::Hang);
    let task = tokio::spawn({
        let model = model.clone();
        async move { model.complete(&request()).await }
    });
    model.called(1).await;
    assert_eq!(model.calls().in_flight(), 1);
    task.abort();
    model.until(|calls| calls.dropped == 1).await;
    assert_eq!(model.calls().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn latency_is_virtual_time() {
    let model = ScriptedModel::new("m")
        .latency(Duration::from_secs(3))
        .then(Outcome::text("lento"));
    let completion = model.complete(&request()).await.unwrap();
    assert_eq!(completion.elapsed, Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_hang_ends_at_the_deadline_unless_the_contract_is_broken() {
    let model = ScriptedModel::new("m")
        .then(Outcome::Hang)
        .then(Outcome::HangPastDeadline);
    let deadline = Instant::now() + Duration::from_secs(5);
    let error = model.complete(&request_until(deadline)).await.unwrap_err();
    let stage = Stage::Deadline;
    assert_eq!(error.kind(), ErrorKind::Timeout { stage });
    assert_eq!(Instant::now(), deadline);
    let later = deadline + Duration::from_secs(60);
    let stuck = timeout_at(later, model.complete(&request_until(deadline))).await;
    assert!(stuck.is_err());
    assert_eq!(model.calls().dropped, 1);
}
