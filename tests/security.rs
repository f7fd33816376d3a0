//! Keys (hashed, rotated, limited), pages and proxies, and what every answer says.

use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{KEY, Options, Reply, Request, Service, valid};

const NEW: &str = "clave-nueva-0123456789abcdef0123456789";
const OLD: &str = "clave-vieja-0123456789abcdef0123456789";

/// A request of the cheapest route that wants a key.
fn with_key(key: &str) -> Request {
    Request::bare(Method::GET, "/api/ai/analytics/stats").header("x-api-key", key)
}

async fn status(service: &Service, key: &str) -> u16 {
    service.send(with_key(key)).await.status.as_u16()
}

/// What `ai-service hash-key` prints for a key, and its exit code.
async fn hash_key(key: &str) -> (String, Option<i32>) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ai-service"));
    command
        .arg("hash-key")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(key.as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text.trim().to_owned(), output.status.code())
}

#[tokio::test]
async fn a_hash_stands_for_its_key_and_never_opens_by_itself() {
    let (hash, code) = hash_key(&format!("{NEW}\n")).await;
    assert_eq!(code, Some(0));
    assert_eq!(hash_key("corta").await.1, Some(64));
    let config = format!("[[auth.keys]]\nname = \"erp\"\nkey = \"{hash}\"\n");
    let service = Options::default().config(&config).start().await;
    assert_eq!(status(&service, NEW).await, 200);
    assert_eq!(status(&service, &hash).await, 401);
    assert_eq!(status(&service, OLD).await, 401);
    assert!(!service.log_text().contains(NEW));
}

#[tokio::test]
async fn keys_are_exchanged_while_it_serves_and_the_previous_one_has_its_time() {
    let options = Options::default();
    let path = options.dir().join("keys.toml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write(&format!("[[keys]]\nname = \"erp\"\nkey = \"{OLD}\"\n"));
    let config = format!("[auth]\nkeys_file = {path:?}\n");
    let service = options.config(&config).start().await;
    assert_eq!(
        (status(&service, OLD).await, status(&service, NEW).await),
        (200, 401)
    );
    // A connection that is open sees the change as well.
    let mut open = TcpStream::connect(service.addr).await.unwrap();
    let ask = async |open: &mut TcpStream, key: &str| {
        let head =
            format!("GET /api/ai/analytics/stats HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\n\r\n");
        open.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = open.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    };
    assert!(ask(&mut open, OLD).await.starts_with("HTTP/1.1 200"));

    let rotated = |until: &str| {
        write(&format!(
            "[[keys]]\nname = \"erp\"\nkey = \"{NEW}\"\nprevious = \"{OLD}\"\n\
             previous_until = \"{until}\"\n"
        ));
    };
    let reloaded = |line: &serde_json::Value| line["message"] == "keys and certificate reloaded";
    let seen = service.log_lines();
    rotated("2100-01-01T00:00:00Z");
    service.signal("HUP").await;
    service.log_after(seen, reloaded).await;
    assert_eq!(
        (status(&service, OLD).await, status(&service, NEW).await),
        (200, 200)
    );
    assert!(ask(&mut open, NEW).await.starts_with("HTTP/1.1 200"));

    // Without a signal: the file is looked at.
    let seen = service.log_lines();
    rotated("2020-01-01T00:00:00Z");
    service.log_after(seen, reloaded).await;
    assert_eq!(
        (status(&service, OLD).await, status(&service, NEW).await),
        (401, 200)
    );

    // What makes no sense changes nothing, and is said without quoting it.
    let seen = service.log_lines();
    write("[[keys]]\nname = \"erp\"\nkey = \"secreto-a-medias\n");
    let failed = |line: &serde_json::Value| line["message"] == "keys and certificate not reloaded";
    let line = service.log_after(seen, failed).await;
    assert!(
        line["problem"].as_str().unwrap().contains("line 3"),
        "{line}"
    );
    assert_eq!(status(&service, NEW).await, 200);
    let log = service.log_text();
    assert!(!log.contains("secreto-a-medias") && !log.contains(NEW));
}

#[tokio::test]
async fn a_key_for_figures_opens_figures_only() {
    let config =
        format!("[[auth.keys]]\nname = \"prometheus\"\nkey = \"{NEW}\"\nrole = \"figures\"\n");
    let service = Options::default().config(&config).start().await;
    for (path, expected) in [("/metrics", 200), ("/metrics/costs", 200)] {
        let request = Request::bare(Method::GET, path).header("x-api-key", NEW);
        assert_eq!(service.send(request).await.status, expected, "{path}");
    }
    let reply = service
        .send(Request::validate(&valid()).header("authorization", &format!("Bearer {NEW}")))
        .await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (403, &json!("route_not_allowed"))
    );
}

#[tokio::test]
async fn a_key_over_its_limit_waits_and_others_do_not() {
    let config = format!(
        "[[auth.keys]]\nname = \"erp\"\nkey = \"{NEW}\"\nrequests_per_minute = 6\nburst = 3\n"
    );
    let service = Options::default().config(&config).start().await;
    for left in ["2", "1", "0"] {
        let reply = service.send(with_key(NEW)).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("ratelimit-limit"), "3");
        assert_eq!(reply.header("ratelimit-remaining"), left);
    }
    let reply = service.send(with_key(NEW)).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (429, &json!("rate_limited"))
    );
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    let reset: u64 = reply.header("ratelimit-reset").parse().unwrap();
    assert!((20..=30).contains(&reset), "{reset}");
    assert_eq!(reply.header("ratelimit-remaining"), "0");
    let other = service.send(with_key(KEY)).await;
    assert_eq!(
        (other.status.as_u16(), other.header("ratelimit-limit")),
        (200, "")
    );
    // Probes and figures are never limited.
    let figures = Request::bare(Method::GET, "/metrics").header("x-api-key", NEW);
    let figures = service.send(figures).await;
    assert_eq!(figures.status, 200);
    let text = String::from_utf8_lossy(&figures.body).into_owned();
    assert!(text.contains("http_rate_limited_total 1"), "{text}");
}

#[tokio::test]
async fn who_tries_keys_is_slowed_down_and_who_has_one_is_not() {
    let config = "[limits]\nfailed_keys_per_minute = 5\n";
    let service = Options::default().config(config).start().await;
    let tried = async |client: &str| {
        let request = with_key("no-es-esta").header("x-forwarded-for", client);
        service.send(request).await
    };
    for _ in 0..5 {
        assert_eq!(tried("203.0.113.7").await.status, 401);
    }
    let reply = tried("203.0.113.7").await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (429, &json!("too_many_attempts"))
    );
    assert!(!reply.header("retry-after").is_empty());
    assert_eq!(reply.header("connection"), "close");
    // What the client itself wrote before the proxy's own word says nothing.
    assert_eq!(tried("9.9.9.9, 203.0.113.7").await.status, 429);
    assert_eq!(tried("203.0.113.8").await.status, 401);
    let good = with_key(KEY).header("x-forwarded-for", "203.0.113.7");
    assert_eq!(service.send(good).await.status, 200);
    let none = Request::bare(Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(
        service.send(none).await.status,
        401,
        "to present none is no try"
    );
}

#[tokio::test]
async fn pages_of_known_origins_may_ask_and_others_may_not() {
    let config = "[cors]\norigins = [\"https://erp.example.cl\"]\n";
    let service = Options::default().config(config).start().await;
    let from = |origin: &str| Request::validate(&valid()).header("origin", origin);
    let known = service.send(from("https://erp.example.cl")).await;
    let allowed = "access-control-allow-origin";
    assert_eq!(known.header(allowed), "https://erp.example.cl");
    assert_eq!(known.header("vary"), "origin");
    assert!(
        known
            .header("access-control-expose-headers")
            .contains("x-cache")
    );
    assert_eq!(known.header("access-control-allow-credentials"), "");
    let other = service.send(from("https://erp.example.cl.evil.cl")).await;
    assert_eq!((other.status.as_u16(), other.header(allowed)), (200, ""));
    assert_eq!(other.header("vary"), "origin");
    let preflight = |origin: &str| {
        Request::bare(Method::OPTIONS, "/api/ai/validate")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let known = service.send(preflight("https://erp.example.cl")).await;
    assert_eq!(known.status, 204);
    assert!(
        known
            .header("access-control-allow-methods")
            .contains("POST")
    );
    assert!(
        known
            .header("access-control-allow-headers")
            .contains("authorization")
    );
    let other = service.send(preflight("null")).await;
    assert_eq!((other.status.as_u16(), other.header(allowed)), (405, ""));
    // Where nothing is configured nothing is said.
    let service = Service::start().await;
    let reply = service.send(from("https://erp.example.cl")).await;
    assert_eq!((reply.header(allowed), reply.header("vary")), ("", ""));
}

fn assert_guarded(reply: &Reply, what: &str) {
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(reply.header("x-frame-options"), "DENY", "{what}");
    assert_eq!(reply.header("referrer-policy"), "no-referrer", "{what}");
    assert_eq!(reply.header("cache-control"), "no-store", "{what}");
    let policy = reply.header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors 'none'"),
        "{what}: {policy}"
    );
    assert!(!reply.header("x-request-id").is_empty(), "{what}");
    assert_eq!(reply.header("server"), "", "{what}");
    assert_eq!(
        reply.header("strict-transport-security"),
        "",
        "only over TLS"
    );
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let service = Service::start().await;
    for (request, expected) in [
        (Request::get("/live"), 200),
        (Request::get("/metrics"), 200),
        (Request::bare(Method::GET, "/docs"), 200),
        (Request::bare(Method::GET, "/metrics"), 401),
        (Request::get("/nada"), 404),
        (Request::get("/api/ai/validate"), 405),
        (Request::validate(&json!([])), 422),
        (Request::validate(&valid()).body("{"), 400),
        (
            Request::validate(&valid()).header("content-type", "a/b"),
            415,
        ),
        (Request::validate(&valid()), 200),
    ] {
        let reply = service.send(request).await;
        assert_eq!(reply.status, expected);
        assert_guarded(&reply, reply.status.as_str());
    }
}

/// Sends these bytes and reads what comes, until the server closes or has answered.
async fn first_line(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut first = [0; 12];
    match stream.read_exact(&mut first).await {
        Ok(_) => String::from_utf8_lossy(&first).into_owned(),
        Err(_) => String::new(),
    }
}

#[tokio::test]
async fn who_does_nothing_gives_his_place_to_who_asks() {
    let config = "[limits]\nmax_connections = 4\n";
    let service = Options::default().config(config).start().await;
    let ask = b"GET /live HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut first = TcpStream::connect(service.addr).await.unwrap();
    assert_eq!(first_line(&mut first, ask).await, "HTTP/1.1 200");
    // Silent ones, and ones that have only begun.
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(service.addr).await.unwrap();
        stream.write_all(b"GET /live HT").await.unwrap();
        silent.push(stream);
    }
    for _ in 0..20 {
        let mut stream = TcpStream::connect(service.addr).await.unwrap();
        assert_eq!(first_line(&mut stream, ask).await, "HTTP/1.1 200");
    }
    // The oldest were sent away, with nothing to read.
    let mut rest = Vec::new();
    assert!(matches!(
        silent[0].read_to_end(&mut rest).await,
        Ok(0) | Err(_)
    ));
    let figures = service.send(Request::get("/metrics")).await;
    let text = String::from_utf8_lossy(&figures.body).into_owned();
    assert!(text.contains("http_connections_evicted_total"), "{text}");
}

#[tokio::test]
async fn one_address_cannot_have_all_places() {
    let config = "[limits]\nmax_connections_per_peer = 2\n[proxies]\ntrusted = []\n";
    let service = Options::default().config(config).start().await;
    let ask = b"GET /live HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(service.addr).await.unwrap();
        assert_eq!(first_line(&mut stream, ask).await, "HTTP/1.1 200");
        held.push(stream);
    }
    let mut third = TcpStream::connect(service.addr).await.unwrap();
    assert_eq!(first_line(&mut third, ask).await, "HTTP/1.1 503");
}
