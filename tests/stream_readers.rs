//! One stream read by clients that share no code with us, nor with each other: `httpx-sse`,
//! `curl` and a browser's `fetch`.

use std::process::Stdio;
use std::time::Duration;

use mock_anthropic::{Answer, Delay, Pace};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::chat::{ANULAR, STREAM, ask, events, text, with_model};
use crate::support::{KEY, Request, Service};

/// Line breaks, quotes, two, three and four bytes a letter.
const SAID: &str =
    "Se anula con una nota de crédito [1].\n\nÑandú, «comillas», \"citas\" y 😀 [1].";
const LIMIT: Duration = Duration::from_secs(60);
/// Longest request of the browser.
const MAX_REQUEST: usize = 64 * 1024;

/// What a program prints that reads the stream of this service.
async fn printed(mut command: Command, service: &Service) -> String {
    let run = command
        .env("SERVICE_URL", format!("http://{}", service.addr))
        .env("SERVICE_KEY", KEY)
        .env("QUESTION", ANULAR)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, run).await.unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

async fn is_installed(program: &str) -> bool {
    let mut probe = Command::new(program);
    let probe = probe.arg("--version").stdout(Stdio::null());
    let there = probe.status().await.is_ok_and(|status| status.success());
    if !there {
        println!("skipped: {program} isn't installed");
    }
    there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn independent_clients_read_the_same_text() {
    let (mock, service) = with_model().await;
    mock.answer_with(Answer::always(SAID));
    mock.set_pace(Pace::new(Delay::NONE, 100.0));
    let reply = service.send(Request::post(STREAM, &ask(ANULAR))).await;
    assert_eq!(text(&events(&reply.body)), SAID);
    if is_installed("curl").await {
        assert_eq!(read_by_curl(&service).await, SAID);
    }
    if is_installed("chromium").await {
        assert_eq!(read_by_chromium(&service).await, SAID);
    }
    let Some(python) = std::env::var_os("AI_SERVICE_TEST_PYTHON") else {
        println!("skipped: AI_SERVICE_TEST_PYTHON isn't set; `cargo xtask test` sets it");
        return;
    };
    let mut command = Command::new(python);
    command.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/python/read_stream.py"
    ));
    assert_eq!(printed(command, &service).await, SAID);
}

async fn read_by_curl(service: &Service) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-sSN", "-X", "POST"])
        .args(["-H", &format!("Authorization: Bearer {KEY}")])
        .args(["-H", "Content-Type: application/json"])
        .args(["-H", "Cache-Control: no-store"])
        .args(["-d", &ask(ANULAR).to_string()])
        .arg(format!("http://{}{STREAM}", service.addr));
    text(&events(printed(curl, service).await.as_bytes()))
}

/// Opens a page that reads the stream, at an origin that has the service behind it as a reverse
/// proxy would, and waits for what the page says it read.
async fn read_by_chromium(service: &Service) -> String {
    let page = include_str!("browser/read_stream.html");
    let page = page.replace("KEY", KEY).replace("QUESTION", ANULAR);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = listener.local_addr().unwrap();
    let (sender, mut told) = mpsc::channel(1);
    let upstream = service.addr;
    let proxy = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (page, sender) = (page.clone(), sender.clone());
            tokio::spawn(async move {
                // The browser may leave a connection at any time.
                let _ = serve(connection, &page, upstream, sender).await;
            });
        }
    });
    let profile = TempDir::new().unwrap();
    let mut chromium = Command::new("chromium");
    chromium
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-dev-shm-usage", "--no-first-run"])
        .args(["--disable-background-networking", "--no-proxy-server"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--remote-debugging-port=0")
        .arg(format!("http://{origin}/"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut browser = chromium.spawn().unwrap();
    let said: Value = tokio::time::timeout(LIMIT, told.recv())
        .await
        .expect("the page said nothing in time")
        .unwrap();
    browser.kill().await.unwrap();
    proxy.abort();
    assert_eq!(said["status"], 200, "{said}");
    assert_eq!(said["type"], "text/event-stream", "{said}");
    assert_eq!(said["last"], "done", "{said}");
    assert!(
        said["chunks"].as_u64().unwrap() > 1,
        "it is no stream: {said}"
    );
    said["text"].as_str().unwrap().to_owned()
}

/// The page, what it tells, and the service behind everything under `/api`.
async fn serve(
    mut connection: TcpStream,
    page: &str,
    upstream: std::net::SocketAddr,
    told: mpsc::Sender<Value>,
) -> std::io::Result<()> {
    let request = request(&mut connection).await?;
    if request.starts_with(b"POST /api/") {
        // What comes next on this connection is perhaps not for the service.
        let request = String::from_utf8_lossy(&request);
        let request = request.replacen("Connection: keep-alive", "Connection: close", 1);
        let mut service = TcpStream::connect(upstream).await?;
        service.write_all(request.as_bytes()).await?;
        tokio::io::copy_bidirectional(&mut connection, &mut service).await?;
        return Ok(());
    }
    let body = if request.starts_with(b"POST /read ") {
        let body = request.windows(4).position(|end| end == b"\r\n\r\n");
        let body = body.map_or(&[][..], |at| &request[at + 4..]);
        let _ = told.send(serde_json::from_slice(body)?).await;
        ""
    } else {
        page
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await?;
    connection.write_all(body.as_bytes()).await
}

/// A whole request: its head, and as much of a body as it announces.
async fn request(connection: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    while request.len() < MAX_REQUEST {
        if let Some(at) = request.windows(4).position(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..at]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap_or(0));
            if request.len() >= at + 4 + length {
                return Ok(request);
            }
        }
        if connection.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    Err(std::io::ErrorKind::UnexpectedEof.into())
}
