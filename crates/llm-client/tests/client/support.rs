//! A TCP server that plays a script byte by byte, for faults that no HTTP library would make.

use std::net::SocketAddr;
use std::time::Duration;

use llm_client::{Anthropic, AnthropicConfig, Error, ErrorKind, LanguageModel, Request, Timeouts};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A limit that no test is meant to reach.
pub const LONG: Duration = Duration::from_secs(30);
/// A limit that a test is meant to reach.
pub const SHORT: Duration = Duration::from_millis(60);

/// The key that every test client holds.
pub const KEY: &str = "sk-ant-very-secret";

/// What the server does with one connection.
pub enum Act {
    /// Reads the request, writes these bytes, closes.
    Reply(Vec<u8>),
    /// Reads the request, writes these bytes, then waits for the client to close.
    Hold(Vec<u8>),
    /// Answers every request on the connection with these bytes.
    Serve(Vec<u8>),
    /// Closes without reading.
    Close,
}

/// What the server saw.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// A whole request, headers and body.
    Request(String),
    /// The client closed a connection that was held.
    ClientLeft,
}

pub struct Server {
    pub address: SocketAddr,
    seen: mpsc::Receiver<Seen>,
}

impl Server {
    /// Serves one connection per act, one after the other.
    pub async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, seen) = mpsc::channel(100);
        tokio::spawn(async move {
            for act in acts {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(play(stream, act, tell.clone()));
            }
        });
        Self { address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn next(&mut self) -> Seen {
        tokio::time::timeout(LONG, self.seen.recv())
            .await
            .expect("the server saw nothing")
            .expect("the server has ended")
    }
}

async fn play(mut stream: TcpStream, act: Act, tell: mpsc::Sender<Seen>) {
    match act {
        Act::Close => {}
        Act::Reply(bytes) => {
            if let Some(request) = read_request(&mut stream).await {
                tell.send(Seen::Request(request)).await.unwrap();
                // The client may have had enough before the end.
                let _ = stream.write_all(&bytes).await;
            }
        }
        Act::Hold(bytes) => {
            let request = read_request(&mut stream).await.unwrap_or_default();
            tell.send(Seen::Request(request)).await.unwrap();
            let _ = stream.write_all(&bytes).await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            let _ = tell.send(Seen::ClientLeft).await;
        }
        Act::Serve(bytes) => {
            while let Some(request) = read_request(&mut stream).await {
                tell.send(Seen::Request(request)).await.unwrap();
                let _ = stream.write_all(&bytes).await;
            }
        }
    }
}

/// One request with a `content-length`; `None` where the client closed instead.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// An HTTP/1.1 answer with its `content-length`.
pub fn http(status: u16, headers: &[&str], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// A good answer's body.
pub fn message(text: &str) -> String {
    format!(
        r#"{{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929",
        "content":[{{"type":"text","text":"{text}"}}],"stop_reason":"end_turn",
        "usage":{{"input_tokens":12,"output_tokens":3}}}}"#
    )
}

pub fn config(url: &str, timeouts: Timeouts) -> AnthropicConfig {
    let mut config = AnthropicConfig::new(SecretString::from(KEY), "claude-sonnet-4-5");
    url.clone_into(&mut config.base_url);
    config.timeouts = timeouts;
    config
}

pub fn patient() -> Timeouts {
    Timeouts::try_new(LONG, LONG, LONG).unwrap()
}

pub fn client(url: &str, timeouts: Timeouts) -> Anthropic {
    Anthropic::try_new(config(url, timeouts)).unwrap()
}

pub fn ask() -> Request {
    Request::builder(64)
        .user("¿está bien la factura?")
        .build()
        .unwrap()
}

/// The error of one call to a server that does this.
pub async fn error_from(act: Act, timeouts: Timeouts) -> Error {
    let server = Server::start(vec![act]).await;
    let error = client(&server.url(), timeouts)
        .complete(&ask())
        .await
        .unwrap_err();
    assert_shows_no_secret(&error);
    error
}

pub async fn kind_from(act: Act) -> ErrorKind {
    error_from(act, patient()).await.kind()
}

/// Neither the key nor the prompt nor the provider's text is in anything that gets logged.
pub fn assert_shows_no_secret(error: &Error) {
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        shown.push_str(&format!("{cause} {cause:?}"));
        source = cause.source();
    }
    for secret in [KEY, "factura", "TEXTO-DEL-PROVEEDOR"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
