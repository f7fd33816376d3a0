//! The operator's listener: who gets in, and what each action does.

use std::net::SocketAddr;

use http::Method;
use mock_anthropic::{Config, Fault, MockServer};
use serde_json::{Value, json};

use crate::support::{KEY, Options, Reply, Request, Service, valid};

const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:0\"\n";
const ADMIN_KEY: &str = "clave-del-operador-0123456789abcdef";

async fn send(addr: SocketAddr, request: Request) -> Reply {
    request.try_send(addr).await.unwrap()
}

async fn get(addr: SocketAddr, path: &str) -> Reply {
    send(addr, Request::bare(Method::GET, path)).await
}

async fn act(addr: SocketAddr, method: Method, path: &str, body: Value) -> Reply {
    let request = Request::bare(method, path)
        .header("content-type", "application/json")
        .body(body.to_string());
    send(addr, request).await
}

async fn cache_of(service: &Service, company: u64) -> String {
    let mut body = valid();
    body["company_id"] = json!(company);
    let reply = service.send(Request::validate(&body)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.header("x-cache").to_owned()
}

#[tokio::test]
async fn on_loopback_without_a_key_only_this_machine_gets_in() {
    let service = Options::default().config(ADMIN).start().await;
    let admin = service.admin().await;
    let version = get(admin, "/version").await;
    assert_eq!(
        (version.status.as_u16(), &version.json()["service"]),
        (200, &json!("ai-service"))
    );
    // A page that has its own name point here, and one that just sends.
    let head = "GET /config HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert!(raw(admin, head).await.starts_with("HTTP/1.1 403"));
    let page = Request::bare(Method::GET, "/config").header("origin", "https://evil.example");
    assert_eq!(send(admin, page).await.status, 403);
    // Nothing of it is on the public listener, and nothing public is here.
    for path in ["/version", "/config", "/log-level", "/breakers"] {
        assert_eq!(service.send(Request::get(path)).await.status, 404, "{path}");
    }
    assert_eq!(get(admin, "/live").await.status, 404);
    assert_eq!(get(admin, "/cache/flush").await.status, 405);
}

async fn raw(addr: SocketAddr, head: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn with_a_key_the_key_gets_in_and_the_public_one_does_not() {
    let config = format!("{ADMIN}api_key = \"{ADMIN_KEY}\"\n");
    let service = Options::default().config(&config).start().await;
    let admin = service.admin().await;
    let with = |key: &str| Request::bare(Method::GET, "/config").header("x-api-key", key);
    assert_eq!(get(admin, "/config").await.status, 401);
    assert_eq!(send(admin, with(KEY)).await.status, 401);
    let reply = send(admin, with(ADMIN_KEY)).await;
    assert_eq!(reply.status, 200);
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(text.contains("admin.listen = 127.0.0.1:0"), "{text}");
    assert!(!text.contains(KEY) && !text.contains(ADMIN_KEY), "{text}");
    let public = Request::bare(Method::GET, "/metrics").header("x-api-key", ADMIN_KEY);
    assert_eq!(service.send(public).await.status, 401);
}

#[tokio::test]
async fn figures_without_a_key_where_only_the_operator_is() {
    let service = Options::default().config(ADMIN).start().await;
    service.send(Request::validate(&valid())).await;
    let figures = get(service.admin().await, "/metrics").await;
    assert_eq!(figures.status, 200);
    let text = String::from_utf8_lossy(&figures.body).into_owned();
    assert!(text.contains("http_request_duration_seconds"), "{text}");
    assert_eq!(
        service
            .send(Request::bare(Method::GET, "/metrics"))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn the_log_s_level_is_changed_and_put_back() {
    let service = Options::default().config(ADMIN).start().await;
    let admin = service.admin().await;
    let level = async || get(admin, "/log-level").await.json()["level"].clone();
    assert_eq!(level().await, "info");
    let set =
        async |level: Value| act(admin, Method::PUT, "/log-level", json!({ "level": level })).await;
    assert_eq!(set(json!("info,http=off")).await.status, 200);
    let seen = service.log_lines();
    assert_eq!(service.send(Request::get("/live")).await.status, 200);
    assert_eq!(set(json!("loud")).await.status, 422);
    assert_eq!(level().await, "info,http=off");
    assert_eq!(set(Value::Null).await.json()["level"], "info");
    assert_eq!(service.send(Request::get("/ready")).await.status, 200);
    let line = service
        .log_after(seen, |line| line["message"] == "request")
        .await;
    assert_eq!(line["endpoint"], "/ready", "what was off has no line");
}

#[tokio::test]
async fn a_flush_reaches_both_tiers_and_only_what_it_names() {
    let options = Options::default().config(ADMIN);
    let service = options.start().await;
    let admin = service.admin().await;
    for company in [1, 2] {
        assert_eq!(cache_of(&service, company).await, "miss");
        assert_eq!(cache_of(&service, company).await, "hit");
    }
    let flush = async |body: Value| act(admin, Method::POST, "/cache/flush", body).await;
    let reply = flush(json!({ "operation": "validate", "tenant": "default/1" })).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["replicas"]),
        (200, &json!("within_seconds"))
    );
    assert_eq!(cache_of(&service, 2).await, "hit");
    assert_eq!(cache_of(&service, 1).await, "miss");
    assert_eq!(cache_of(&service, 1).await, "hit");
    assert_eq!(flush(json!({ "operation": "chat_nada" })).await.status, 422);
    assert_eq!(flush(json!({ "tenant": "a b" })).await.status, 422);
    assert_eq!(flush(json!({ "tenants": "a" })).await.status, 422);
    assert_eq!(flush(json!({})).await.status, 200);
    assert_eq!(cache_of(&service, 2).await, "miss");
    assert_eq!(cache_of(&service, 1).await, "miss");
}

#[tokio::test]
async fn what_was_flushed_stays_flushed_over_a_restart() {
    let options = Options::default().config(ADMIN);
    let mut service = options.start().await;
    assert_eq!(cache_of(&service, 1).await, "miss");
    let reply = act(
        service.admin().await,
        Method::POST,
        "/cache/flush",
        json!({}),
    )
    .await;
    assert_eq!(reply.status, 200);
    service.signal("INT").await;
    assert_eq!(service.ended().await.code(), Some(0));
    let service = options.start().await;
    assert_eq!(cache_of(&service, 1).await, "miss", "not from the file");
    assert_eq!(cache_of(&service, 1).await, "hit");
}

#[tokio::test]
async fn knowledge_is_read_again_at_once() {
    let options = Options::default();
    let folder = options.dir().join("articles");
    std::fs::create_dir(&folder).unwrap();
    let article = |name: &str, title: &str| {
        let text = format!("---\ntitle: {title}\n---\n\n# {title}\n\nEl texto de {title}.\n");
        std::fs::write(folder.join(name), text).unwrap();
    };
    article("uno.md", "Primero");
    let config = format!("{ADMIN}[knowledge]\npath = {folder:?}\n");
    let service = options.config(&config).start().await;
    let admin = service.admin().await;
    let reload = async || act(admin, Method::POST, "/knowledge/reload", json!({})).await;
    article("dos.md", "Segundo");
    let reply = reload().await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["documents"]),
        (200, &json!(2)),
        "{reply:?}"
    );
    // The articles of the binary can't change.
    let service = Options::default().config(ADMIN).start().await;
    let reply = act(
        service.admin().await,
        Method::POST,
        "/knowledge/reload",
        json!({}),
    )
    .await;
    assert_eq!(reply.status, 409);
}

#[tokio::test]
async fn an_open_breaker_is_seen_and_closed() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.inject(Fault::ServerError, 1_000);
    let service = Options::default()
        .model(&mock, 4_000)
        .config(ADMIN)
        .start()
        .await;
    let admin = service.admin().await;
    let state = async || get(admin, "/breakers").await.json();
    assert_eq!(state().await["models"][0]["state"], "closed");
    assert_eq!(state().await["store"], "none");
    for company in 1..40 {
        let mut body = valid();
        body["company_id"] = json!(company);
        let reply = service.send(Request::validate(&body)).await;
        assert_eq!(reply.status, 200, "the rules answer");
        if state().await["models"][0]["state"] == "open" {
            break;
        }
    }
    assert_eq!(state().await["models"][0]["state"], "open");
    let reset = json!({ "breaker": "model" });
    let reply = act(admin, Method::POST, "/breakers/reset", reset)
        .await
        .json();
    assert_eq!(
        (&reply["reset"], &reply["models"][0]["state"]),
        (&json!(1), &json!("closed"))
    );
    let reply = act(
        admin,
        Method::POST,
        "/breakers/reset",
        json!({ "breaker": "x" }),
    )
    .await;
    assert_eq!(reply.status, 422);
}

#[tokio::test]
async fn a_reload_by_hand_tells_how_it_went() {
    let options = Options::default();
    let path = options.dir().join("keys.toml");
    let nueva = "clave-nueva-0123456789abcdef0123456789";
    std::fs::write(&path, "").unwrap();
    let config = format!("{ADMIN}[auth]\nkeys_file = {path:?}\n");
    let service = options.config(&config).start().await;
    let admin = service.admin().await;
    let reload = async || act(admin, Method::POST, "/reload", json!({})).await;
    assert_eq!(
        reload().await.json(),
        json!({ "keys": 1, "certificate": false })
    );
    std::fs::write(
        &path,
        format!("[[keys]]\nname = \"erp\"\nkey = \"{nueva}\"\n"),
    )
    .unwrap();
    assert_eq!(reload().await.json()["keys"], 2);
    let request = Request::get("/metrics").header("authorization", &format!("Bearer {nueva}"));
    assert_eq!(service.send(request).await.status, 200);
    std::fs::write(&path, "[[keys]]\nname = \"erp\"\n").unwrap();
    assert_eq!(reload().await.status, 409);
}
