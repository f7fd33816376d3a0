//! Redis that isn't there, doesn't let us in, dies, freezes, crawls, is full or read-only: every
//! request is answered, health says why, and all is well again by itself.

use std::time::Duration;

use mock_anthropic::{Answer, Config, MockServer};
use serde_json::{Value, json};
use store::test_util::redis::{MASTER_NAME, Server, free_port, until};
use store::test_util::{Link, Proxy};

use crate::alone;
use crate::redis_asking::{Asked, percentile};
use crate::support::{Options, Request, Service};

/// What an outage may add to one request in a hundred.
const ADDED: Duration = Duration::from_millis(50);

/// Time between two requests.
const PERIOD: Duration = Duration::from_millis(15);

async fn health(service: &Service) -> (u16, Value) {
    let reply = service.send(Request::get("/health")).await;
    let mut body = reply.json();
    (reply.status.as_u16(), body["dependencies"]["redis"].take())
}

/// Waits until health has this status and one of these problems.
async fn told(service: &Service, status: u16, problems: &[Value]) -> Value {
    let mut last = Value::Null;
    let found = until("health to tell", async || {
        let (code, redis) = health(service).await;
        let fits = code == status && problems.contains(&redis["problem"]);
        last = redis;
        fits
    })
    .await;
    assert!(found.is_ok(), "not {status} {problems:?} but {last}");
    last
}

/// All is well with Redis.
pub async fn well(service: &Service) -> Value {
    let redis = told(service, 200, &[Value::Null]).await;
    assert_eq!(redis["status"], "up", "{redis}");
    redis
}

/// What requests took.
#[derive(Debug, Clone, Copy)]
struct Took {
    p50: Duration,
    p99: Duration,
    /// The longest that the machine, busy with other work, kept the test itself from asking.
    stumble: Duration,
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { p50, p99, stumble } = self;
        write!(f, "p50 {p50:.1?}, p99 {p99:.1?} (late by {stumble:.1?})")
    }
}

/// New questions and repeated ones, each of which must be answered.
async fn pressed(service: &Service, numbers: std::ops::Range<u64>) -> Took {
    let mut asked = Vec::new();
    let mut ticks = tokio::time::interval(PERIOD);
    let mut stumble = Duration::ZERO;
    for number in numbers {
        stumble = stumble.max(ticks.tick().await.elapsed());
        let (addr, back) = (service.addr, number.saturating_sub(number % 3));
        asked.push(tokio::spawn(async move {
            let (_, took) = Asked::rules(1 + number % 2, back).ask(addr).await;
            took
        }));
    }
    let mut times = Vec::new();
    for one in asked {
        times.push(one.await.unwrap());
    }
    let [p50, p99] = [50, 99].map(|percent| percentile(&mut times, percent));
    Took { p50, p99, stumble }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts_without_redis_and_finds_it_by_itself() {
    let _turn = alone().await;
    let port = free_port().unwrap();
    let url = format!("redis://127.0.0.1:{port}");
    let service = Options::default().env("REDIS_URL", &url).start().await;
    let took = pressed(&service, 0..60).await;
    println!("absent: {took}");
    let redis = told(&service, 207, &[json!("unreachable")]).await;
    assert_eq!(
        (&redis["status"], &redis["type"]),
        (&json!("down"), &json!("standalone"))
    );
    assert!(redis["reason"].is_string(), "{redis}");
    // A Redis that is away takes nobody out of the balance.
    assert_eq!(service.send(Request::get("/ready")).await.status, 200);
    let _server = Server::start_on(port, &[]).await.unwrap();
    well(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_a_wrong_name_are_told_and_put_right() {
    let _turn = alone().await;
    let server = Server::start(&["--requirepass", "otra"]).await.unwrap();
    let service = Options::default()
        .env("REDIS_HOST", "127.0.0.1")
        .env("REDIS_PORT", &server.port().to_string())
        .env("REDIS_PASSWORD", "clave-oculta")
        .start()
        .await;
    let took = pressed(&service, 0..60).await;
    println!("wrong password: {took}");
    let redis = told(&service, 207, &[json!("wrong_password")]).await;
    assert!(!redis.to_string().contains("oculta"), "{redis}");
    let right: [&[&str]; 2] = [
        &["AUTH", "otra"],
        &["CONFIG", "SET", "requirepass", "clave-oculta"],
    ];
    server.commands(&right).await.unwrap();
    well(&service).await;
    assert!(!service.log_text().contains("oculta"));

    let server = Server::start(&[]).await.unwrap();
    let sentinel = Server::start(&["--sentinel"]).await.unwrap();
    let port = server.port().to_string();
    let watch = async |name| {
        let monitor = ["SENTINEL", "MONITOR", name, "127.0.0.1", &port, "1"];
        sentinel.command(&monitor).await.unwrap();
    };
    watch(MASTER_NAME).await;
    let service = Options::default()
        .env("REDIS_SENTINEL_ENABLED", "true")
        .env("REDIS_SENTINEL_HOSTS", &sentinel.host().to_string())
        .env("REDIS_SENTINEL_MASTER_NAME", "principal")
        .start()
        .await;
    let took = pressed(&service, 0..60).await;
    println!("wrong master name: {took}");
    let redis = told(&service, 207, &[json!("unknown_master")]).await;
    assert_eq!(redis["type"], "sentinel");
    watch("principal").await;
    let redis = well(&service).await;
    assert_eq!(redis["master"], server.host().to_string());
}

/// What can happen to a server, and how it is undone.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Killed,
    Frozen,
    Slow,
    Full,
    ReadOnly,
}

impl Trouble {
    const ALL: [Self; 5] = [
        Self::Killed,
        Self::Frozen,
        Self::Slow,
        Self::Full,
        Self::ReadOnly,
    ];

    /// What health may say of it.
    fn problems(self) -> &'static [&'static str] {
        match self {
            Self::Killed => &["unreachable"],
            // A connection that is given up can't be made anew either.
            Self::Frozen | Self::Slow => &["unresponsive", "unreachable"],
            Self::Full => &["full"],
            Self::ReadOnly => &["read_only"],
        }
    }

    async fn begin(self, server: &mut Server, proxy: &Proxy) {
        match self {
            Self::Killed => server.kill().unwrap(),
            Self::Frozen => server.freeze().unwrap(),
            Self::Slow => proxy.set(Link::Delay(Duration::from_secs(1))),
            Self::Full => set(server, &["CONFIG", "SET", "maxmemory", "1"]).await,
            Self::ReadOnly => set(server, &["REPLICAOF", "127.0.0.1", "1"]).await,
        }
    }

    async fn end(self, server: &mut Server, proxy: &Proxy) {
        match self {
            Self::Killed => server.restart().await.unwrap(),
            Self::Frozen => server.thaw().unwrap(),
            Self::Slow => proxy.set(Link::Pass),
            Self::Full => set(server, &["CONFIG", "SET", "maxmemory", "0"]).await,
            Self::ReadOnly => set(server, &["REPLICAOF", "NO", "ONE"]).await,
        }
    }
}

async fn set(server: &Server, words: &[&str]) {
    server.command(words).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_becomes_of_redis_every_request_is_answered() {
    let _turn = alone().await;
    let noeviction = ["--maxmemory-policy", "noeviction"];
    let mut server = Server::start(&noeviction).await.unwrap();
    let proxy = Proxy::before(server.port()).await.unwrap();
    let url = format!("redis://127.0.0.1:{}", proxy.port());
    let config = "[redis]\npool_max = 9\nkeepalive_idle_ms = 7000\n";
    let options = Options::default().env("REDIS_URL", &url).config(config);
    let service = options.start().await;
    let redis = well(&service).await;
    let settings = &redis["settings"];
    for (name, value) in [
        ("pool_max", 9),
        ("keepalive_idle_ms", 7_000),
        ("keepalive_interval_ms", 5_000),
        ("keepalive_count", 3),
        ("connect_timeout_ms", 1_000),
        ("command_timeout_ms", 40),
        ("unresponsive_timeout_ms", 2_000),
    ] {
        assert_eq!(settings[name], value, "{name}: {settings}");
    }
    let before = pressed(&service, 0..120).await;
    println!("well: {before}");
    for (trouble, first) in Trouble::ALL.into_iter().zip((1_000..).step_by(1_000)) {
        trouble.begin(&mut server, &proxy).await;
        let during = pressed(&service, first..first + 120).await;
        println!("{trouble:?}: {during}");
        // Both sides of a request stumble over the same machine.
        let allowed = before.p99 + ADDED + 2 * during.stumble;
        assert!(
            during.p99 < allowed,
            "{trouble:?}: {during}, not {allowed:?}"
        );
        let problems: Vec<Value> = trouble.problems().iter().map(|word| json!(word)).collect();
        let redis = told(&service, 207, &problems).await;
        assert_eq!(redis["status"], "down", "{redis}");
        assert_eq!(service.send(Request::get("/ready")).await.status, 200);
        trouble.end(&mut server, &proxy).await;
        well(&service).await;
    }
    // The beginning and the end for each of five kinds of calls, not two lines a request.
    let log = service.log_text();
    let lines = log.matches("the cache goes on without").count();
    assert!((1..=20).contains(&lines), "{lines} lines");
}

/// What the ledger says of today.
async fn costs(service: &Service) -> Value {
    let reply = service
        .send(Request::get("/metrics/costs?period=today"))
        .await;
    if reply.status == 200 {
        reply.json()["summary"].take()
    } else {
        Value::Null
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_spent_while_redis_is_away_is_in_the_costs_after() {
    let _turn = alone().await;
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(Answer::always(r#"{"confidence": 93, "findings": []}"#));
    let mut server = Server::start(&[]).await.unwrap();
    let url = format!("redis://127.0.0.1:{}", server.port());
    let options = || {
        Options::default()
            .model(&mock, 20_000)
            .env("REDIS_URL", &url)
    };
    let service = options().start().await;
    well(&service).await;
    for number in 0..5 {
        Asked::model(1, number).ask(service.addr).await;
    }
    until("the first calls to be settled", async || {
        costs(&service).await["total_calls"] == 5
    })
    .await
    .unwrap();
    // Frozen, so that what it knows already stays: calls that it never sees are made meanwhile.
    server.freeze().unwrap();
    for number in 5..25 {
        Asked::model(1, number).ask(service.addr).await;
    }
    until("the breaker to open", async || {
        health(&service).await.1["journal"]["entries"].as_u64() > Some(0)
    })
    .await
    .unwrap();
    let away = health(&service).await;
    assert_eq!(away.0, 207, "{}", away.1);
    server.thaw().unwrap();
    let redis = well(&service).await;
    assert_eq!(redis["journal"]["entries"], 0, "{redis}");
    until("all calls to be in the ledger", async || {
        costs(&service).await["total_calls"] == 25
    })
    .await
    .unwrap();
    // Another process knows only what Redis was told.
    let other = options().start().await;
    well(&other).await;
    let usage = mock.stats().usage;
    assert_eq!(mock.stats().requests_to("/v1/messages"), 25);
    let input =
        usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
    // Dollars per million tokens are pico-dollars a token, a million times over.
    let pico = usage.input_tokens * 3_000_000
        + usage.cache_read_input_tokens * 300_000
        + usage.cache_creation_input_tokens * 3_750_000
        + usage.output_tokens * 15_000_000;
    for service in [&service, &other] {
        let summary = costs(service).await;
        assert_eq!(summary["total_calls"], 25, "{summary}");
        assert_eq!(summary["total_input_tokens"], input, "{summary}");
        assert_eq!(summary["total_output_tokens"], usage.output_tokens);
        assert_eq!(pico_dollars(&summary["total_cost_usd"]), pico, "{summary}");
    }
    server.kill().unwrap();
}

/// An amount of dollars in JSON, exactly.
fn pico_dollars(amount: &Value) -> u64 {
    let text = amount.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{fraction:0<12}").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_that_were_read_before_an_outage_are_told_during_it() {
    let _turn = alone().await;
    let mut server = Server::start(&[]).await.unwrap();
    let url = format!("redis://127.0.0.1:{}", server.port());
    let service = Options::default().env("REDIS_URL", &url).start().await;
    well(&service).await;
    let stats = async |company: u32| {
        let path = format!("/api/ai/analytics/stats?company_id={company}");
        let reply = service.send(Request::get(&path)).await;
        (reply.status.as_u16(), reply.json())
    };
    let (status, mut known) = stats(1).await;
    assert_eq!((status, &known["degraded"]), (200, &Value::Null));
    server.kill().unwrap();
    let (status, during) = stats(1).await;
    known["degraded"] = json!(true);
    assert_eq!((status, during), (200, known));
    let (status, problem) = stats(2).await;
    let expected = (503, &json!("store_unavailable"));
    assert_eq!((status, &problem["code"]), expected, "{problem}");
}
