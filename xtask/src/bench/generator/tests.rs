//! The generator's arithmetic, and both loops against a server in the process.

use super::*;
use crate::bench::client::Cache;
use crate::bench::hello;
use tokio::net::TcpListener;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_plan_spreads_its_requests_evenly() {
    let plan = Plan::new(1000.0, SECOND * 2);
    assert_eq!(plan.total, 2000);
    assert_eq!(plan.intended(0), Duration::ZERO);
    assert_eq!(plan.intended(1), Duration::from_millis(1));
    assert_eq!(plan.intended(1999), Duration::from_millis(1999));
}

#[test]
fn a_request_is_due_exactly_from_its_intended_time_on() {
    for rate in [1.0, 3.0, 7.0, 999.0, 123_456.0] {
        let plan = Plan::new(rate, SECOND * 3);
        for index in [1, 2, plan.total / 2, plan.total - 1] {
            let intended = plan.intended(index) + Duration::from_nanos(1);
            assert_eq!(plan.due(intended), index + 1, "{rate} {index}");
            let before = plan.intended(index).saturating_sub(Duration::from_nanos(1));
            assert_eq!(plan.due(before), index, "{rate} {index}");
        }
        assert_eq!(plan.due(SECOND * 100), plan.total);
    }
}

#[test]
fn a_plan_has_at_least_one_request() {
    assert_eq!(Plan::new(0.0, SECOND).total, 1);
    assert_eq!(Plan::new(0.0, Duration::ZERO).due(Duration::ZERO), 1);
}

#[test]
fn tallies_add_up() {
    let (mut sum, mut part) = (Tally::new(), Tally::new());
    part.complete(Duration::from_micros(5));
    part.fail(Failure::Status(500));
    sum.add(&part);
    sum.add(&part);
    assert_eq!(sum.completed, 2);
    assert_eq!(sum.latency.len(), 2);
    assert_eq!(sum.failures, BTreeMap::from([(Failure::Status(500), 2)]));
}

async fn hello_load(status: u16) -> Arc<Load> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(hello::serve(listener, 16));
    let request = b"GET / HTTP/1.1\r\nhost: hello\r\n\r\n".to_vec();
    Arc::new(Load {
        address,
        template: Template::fixed(request),
        expected: Expectation {
            status,
            cache: Cache::Any,
        },
        connections: 4,
    })
}

#[tokio::test]
async fn the_open_loop_sends_exactly_its_plan() {
    let plan = Plan::new(200_000.0, Duration::from_millis(5));
    let tally = pace(&hello_load(200).await, plan).await.unwrap();
    assert_eq!((tally.completed, tally.latency.len()), (1000, 1000));
    assert!(tally.failures.is_empty() && !tally.lag.is_empty());
}

#[tokio::test]
async fn a_delay_is_charged_to_every_request_that_it_holds_up() {
    let plan = Plan {
        total: 100,
        span: Duration::from_millis(1),
    };
    // A plan that began three seconds ago: a server that stalled so long looks the same.
    let start = Instant::now().checked_sub(SECOND * 3).unwrap();
    let load = hello_load(200).await;
    let connections = connect(&load).await.unwrap();
    let tally = pace_from(start, &load, connections, plan).await.unwrap();
    assert_eq!(tally.completed, 100);
    // Below three seconds by the plan's span and the histogram's precision.
    assert!(tally.latency.min() > 2_900_000_000 && tally.lag.min() > 2_900_000_000);
}

#[tokio::test]
async fn the_closed_loop_counts_wrong_answers_as_failures() {
    let span = Duration::from_millis(5);
    let good = saturate(&hello_load(200).await, span).await.unwrap();
    assert!(good.failures.is_empty() && good.completed == good.latency.len());
    let bad = saturate(&hello_load(204).await, span).await.unwrap();
    assert_eq!(bad.completed, 0);
    assert!(bad.failures.contains_key(&Failure::Status(200)));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let mut load = hello_load(200).await;
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    Arc::get_mut(&mut load).unwrap().address = free;
    assert!(matches!(
        saturate(&load, SECOND).await,
        Err(Error::Bench(_))
    ));
}
