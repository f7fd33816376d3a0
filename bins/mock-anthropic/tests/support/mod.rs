//! A small HTTP/1.1 client over hyper, and requests to send with it.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use mock_anthropic::MockServer;
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

/// No test waits longer for anything.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub const MESSAGES: &str = "/v1/messages";

/// What came back, whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn error_type(&self) -> String {
        self.json()["error"]["type"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A message request's body.
pub fn message() -> Value {
    json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": "¿Está bien esta factura?"}],
    })
}

pub fn streamed() -> Value {
    let mut body = message();
    body["stream"] = json!(true);
    body
}

/// A request with a key and a version, and these further headers.
pub fn post(path: &str, body: &Value, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::post(path)
        .header("host", "mock")
        .header("x-api-key", "any")
        .header("anthropic-version", "2023-06-01");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_string())).unwrap()
}

/// A connection of its own, which ends when the task is aborted.
pub async fn open(
    addr: SocketAddr,
    request: Request<Full<Bytes>>,
) -> (hyper::Result<Response<Incoming>>, JoinHandle<()>) {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let task = tokio::spawn(async move {
        let _ = connection.await;
    });
    (
        timeout(DEADLINE, sender.send_request(request))
            .await
            .unwrap(),
        task,
    )
}

/// Sends a request and reads the whole answer; an error where the connection broke.
pub async fn try_send(mock: &MockServer, request: Request<Full<Bytes>>) -> hyper::Result<Reply> {
    let (response, _task) = open(mock.addr(), request).await;
    let (parts, body) = response?.into_parts();
    let body = timeout(DEADLINE, body.collect()).await.unwrap()?.to_bytes();
    Ok(Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    })
}

pub async fn send(mock: &MockServer, request: Request<Full<Bytes>>) -> Reply {
    try_send(mock, request).await.unwrap()
}

pub async fn ask(mock: &MockServer, body: &Value) -> Reply {
    send(mock, post(MESSAGES, body, &[])).await
}

/// Reads until the connection breaks or the answer ends: the bytes, and whether it broke.
pub async fn read_until_broken(mut body: Incoming) -> (String, bool) {
    let mut text = Vec::new();
    loop {
        match timeout(DEADLINE, body.frame()).await.unwrap() {
            None => return (String::from_utf8(text).unwrap(), false),
            Some(Err(_)) => return (String::from_utf8(text).unwrap(), true),
            Some(Ok(frame)) => text.extend_from_slice(&frame.into_data().unwrap()),
        }
    }
}

/// The names of a stream's events.
pub fn event_names(stream: &str) -> Vec<&str> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect()
}
