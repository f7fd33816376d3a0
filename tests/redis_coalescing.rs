//! Identical questions at the same time: one call of the model, over one process or several, and
//! nobody is left without an answer where the one that asks dies.

use std::time::Duration;

use mock_anthropic::{Answer, Config, Delay, MockServer, Pace};
use store::test_util::redis::{Server, until};
use tokio::task::JoinSet;

use crate::alone;
use crate::redis_asking::Asked;
use crate::support::{Options, Reply, Request, Service};

const MESSAGES: &str = "/v1/messages";
const PATIENCE: Duration = Duration::from_secs(60);
/// A process that reads 300 requests at once, in a debug build on a busy machine, hasn't time to
/// read Redis's answers within the defaults' 40 ms.
const PATIENT: &str = "[redis]\ncommand_timeout_ms = 3000\nunresponsive_timeout_ms = 9000\n\
                       [cache]\nstore_read_deadline_ms = 3000\nlease_ms = 5000\n";

/// A model that takes its time.
async fn slow_model(time: Duration) -> MockServer {
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(Answer::always(r#"{"confidence": 93, "findings": []}"#));
    mock.set_pace(Pace::new(Delay::Fixed(time), 0.0));
    mock
}

/// Services that share one Redis and are well.
async fn sharing(server: &Server, mock: &MockServer, count: usize) -> Vec<Service> {
    let url = format!("redis://{}", server.host());
    let mut services = Vec::new();
    for _ in 0..count {
        let options = Options::default()
            .model(mock, 20_000)
            .env("REDIS_URL", &url)
            .config(PATIENT);
        let service = options.start().await;
        until("health to be well", async || {
            service.send(Request::get("/health")).await.status == 200
        })
        .await
        .unwrap();
        services.push(service);
    }
    services
}

/// The same question, many times at once.
fn ask_all(asked: &mut JoinSet<Reply>, service: &Service, question: Asked, times: usize) {
    for _ in 0..times {
        let addr = service.addr;
        asked.spawn(async move { question.ask(addr).await.0 });
    }
}

/// How often each word of `X-Cache` came, and that the model's own opinion is in every answer.
fn words(replies: &[Reply]) -> std::collections::BTreeMap<String, usize> {
    let mut words = std::collections::BTreeMap::new();
    for reply in replies {
        assert_eq!(reply.json()["degraded"], false, "{reply:?}");
        *words.entry(reply.header("x-cache").to_owned()).or_default() += 1;
    }
    words
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_questions_to_one_process_are_one_call() {
    let _turn = alone().await;
    let mock = slow_model(Duration::from_secs(3)).await;
    let service = Options::default().model(&mock, 20_000).start().await;
    let mut asked = JoinSet::new();
    ask_all(&mut asked, &service, Asked::model(1, 1), 1_000);
    let replies = asked.join_all().await;
    println!("1 process, 1,000 questions: {:?}", words(&replies));
    assert_eq!(mock.stats().requests_to(MESSAGES), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_ask_once() {
    let _turn = alone().await;
    let mock = slow_model(Duration::from_secs(3)).await;
    let server = Server::start(&[]).await.unwrap();
    let services = sharing(&server, &mock, 3).await;
    let mut asked = JoinSet::new();
    for service in &services {
        ask_all(&mut asked, service, Asked::model(1, 1), 300);
    }
    let replies = asked.join_all().await;
    println!("3 processes, 300 questions each: {:?}", words(&replies));
    assert_eq!(mock.stats().requests_to(MESSAGES), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_leading_process_is_killed_another_one_asks() {
    let _turn = alone().await;
    let mock = slow_model(Duration::from_secs(4)).await;
    let server = Server::start(&[]).await.unwrap();
    let services = sharing(&server, &mock, 3).await;
    let question = Asked::model(1, 1);
    let leader = services[0].addr;
    let lost = tokio::spawn(async move { question.request().try_send(leader).await.is_err() });
    let first = mock.wait_for(PATIENCE, |stats| stats.requests_to(MESSAGES) == 1);
    first.await.unwrap();
    let mut asked = JoinSet::new();
    for service in &services[1..] {
        ask_all(&mut asked, service, question, 100);
        until("all followers to wait", async || {
            let metrics = service.send(Request::get("/metrics")).await;
            in_flight(&String::from_utf8_lossy(&metrics.body)) >= 100
        })
        .await
        .unwrap();
    }
    services[0].signal("KILL").await;
    assert!(lost.await.unwrap(), "the leader died with its own request");
    let replies = asked.join_all().await;
    let calls = mock.stats().requests_to(MESSAGES);
    println!("the leader killed: {:?}, {calls} calls", words(&replies));
    assert_eq!(replies.len(), 200);
    assert!(calls <= 2, "{calls} calls");
}

/// The requests in flight by the service's own gauge.
fn in_flight(metrics: &str) -> u64 {
    let line = metrics
        .lines()
        .find(|line| line.starts_with("http_requests_in_flight"));
    line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .unwrap_or(0)
}
