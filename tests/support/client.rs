//! A small HTTP client that keeps what tests look at.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::KEY;

/// Longer than any request may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A request to be sent on a connection of its own.
pub struct Request {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// A `GET` with the key.
    pub fn get(path: &str) -> Self {
        Self::bare(Method::GET, path).header("authorization", &format!("Bearer {KEY}"))
    }

    /// A `POST` of JSON with the key.
    pub fn post(path: &str, body: &Value) -> Self {
        Self::bare(Method::POST, path)
            .header("authorization", &format!("Bearer {KEY}"))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// A validation.
    pub fn validate(body: &Value) -> Self {
        Self::post("/api/ai/validate", body)
    }

    /// A request without any header of ours.
    pub fn bare(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// The same with one more header; one of that name is replaced.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without that header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// The same with this body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it; a connection that fails is an error.
    pub async fn try_send(
        self,
        addr: SocketAddr,
    ) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
        let send = async {
            let stream = TcpStream::connect(addr).await?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            let driver = tokio::spawn(connection);
            let mut request = http::Request::builder()
                .method(self.method)
                .uri(&self.path)
                .header("host", addr.to_string());
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            let (head, body) = sender
                .send_request(request.body(Full::new(self.body))?)
                .await?
                .into_parts();
            let body = body.collect().await?.to_bytes();
            driver.abort();
            Ok(Reply {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        tokio::time::timeout(LIMIT, send).await?
    }
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header's text; empty where it isn't there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}
