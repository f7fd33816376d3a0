//! The end of the process: `/ready` says no first, what runs ends well, then the port is free.

use std::time::{Duration, Instant};

use mock_anthropic::{Config, Fault, MockServer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Options, Request, Service, valid};

#[tokio::test]
async fn on_sigterm_ready_says_no_and_the_request_in_flight_ends_well() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    // The model hangs until its time-out: the request is surely in flight meanwhile.
    mock.inject(Fault::Hang, 1);
    let options = Options::default()
        .model(&mock, 3_000)
        .config("[drain]\ngrace_ms = 1000\n");
    let mut service = options.start().await;
    let addr = service.addr;
    let in_flight = tokio::spawn(async move { Request::validate(&valid()).try_send(addr).await });
    mock.wait_for(Duration::from_secs(20), |stats| stats.in_flight == 1)
        .await
        .unwrap();
    service.signal("TERM").await;
    service.log(|line| line["message"] == "draining").await;
    let ready = service.send(Request::get("/ready")).await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["reasons"][0], "draining");
    assert_eq!(service.send(Request::get("/live")).await.status, 200);
    let reply = in_flight.await.unwrap().unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(service.ended().await.code(), Some(0));
    assert!(Request::get("/live").try_send(addr).await.is_err());
}

#[tokio::test]
async fn a_request_that_never_ends_holds_the_process_only_until_the_deadline() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.inject(Fault::Hang, 1);
    let options = Options::default()
        .model(&mock, 20_000)
        .config("[drain]\ngrace_ms = 0\ndeadline_ms = 300\n");
    let mut service = options.start().await;
    let addr = service.addr;
    let in_flight = tokio::spawn(async move { Request::validate(&valid()).try_send(addr).await });
    mock.wait_for(Duration::from_secs(20), |stats| stats.in_flight == 1)
        .await
        .unwrap();
    service.signal("TERM").await;
    assert_eq!(service.ended().await.code(), Some(1));
    assert!(in_flight.await.unwrap().is_err());
}

#[tokio::test]
async fn half_a_head_does_not_hold_the_process() {
    let options = Options::default().config("[drain]\ngrace_ms = 0\n");
    let mut service = options.start().await;
    let mut half = TcpStream::connect(service.addr).await.unwrap();
    half.write_all(b"GET /li").await.unwrap();
    let silent = TcpStream::connect(service.addr).await.unwrap();
    // Connections are taken in their order: both are held once this is answered.
    service.send(Request::get("/live")).await;
    let begun = Instant::now();
    service.signal("TERM").await;
    assert_eq!(service.ended().await.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15), "{begun:?}");
    drop((half, silent));
}

#[tokio::test]
async fn a_kept_connection_is_told_to_close_while_draining() {
    let options = Options::default().config("[drain]\ngrace_ms = 2000\n");
    let service = options.start().await;
    let usual = service.send(Request::get("/live")).await;
    assert_eq!(usual.header("connection"), "");
    service.signal("TERM").await;
    service.log(|line| line["message"] == "draining").await;
    let last = service.send(Request::get("/live")).await;
    assert_eq!(
        (last.status.as_u16(), last.header("connection")),
        (200, "close")
    );
}

#[tokio::test]
async fn ctrl_c_ends_an_idle_service_at_once() {
    let mut service = Service::start().await;
    service.signal("INT").await;
    assert_eq!(service.ended().await.code(), Some(0));
}
