//! Those who have a key and want an answer.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::support::{KEY, Service, valid};

/// Requests on one connection, before the client makes a new one.
const PER_CONNECTION: usize = 50;

/// How long answers took.
#[derive(Default)]
pub struct Times {
    all: Vec<Duration>,
    /// Requests that got anything but a 200.
    pub failed: usize,
}

impl Times {
    /// Adds another's.
    pub fn add(&mut self, other: Self) {
        self.all.extend(other.all);
        self.failed += other.failed;
    }

    /// The time that so many percent took at most.
    pub fn quantile(&self, percent: usize) -> Duration {
        let mut sorted = self.all.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(index).copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99] = [50, 99].map(|percent| self.quantile(percent));
        let (count, failed) = (self.all.len(), self.failed);
        write!(
            f,
            "p50 {p50:?}, p99 {p99:?} of {count} requests, {failed} failed"
        )
    }
}

/// So many validations of one document, which is in the cache, one after the other. Also the
/// time to connect counts.
pub async fn run(service: &Service, count: usize) -> Times {
    let body = Bytes::from(valid().to_string());
    let mut times = Times::default();
    let mut sender = None;
    for number in 0..count {
        let begun = Instant::now();
        if number % PER_CONNECTION == 0 {
            sender = connect(service).await;
        }
        let good = match &mut sender {
            Some(sender) => ask(sender, body.clone()).await.unwrap_or(false),
            None => false,
        };
        times.all.push(begun.elapsed());
        times.failed += usize::from(!good);
    }
    times
}

async fn connect(service: &Service) -> Option<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(service.addr).await.ok()?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    Some(sender)
}

async fn ask(sender: &mut SendRequest<Full<Bytes>>, body: Bytes) -> hyper::Result<bool> {
    let mut request = http::Request::new(Full::new(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static("/api/ai/validate");
    let headers = request.headers_mut();
    headers.insert("host", http::HeaderValue::from_static("localhost"));
    headers.insert("x-api-key", http::HeaderValue::from_static(KEY));
    let response = sender.send_request(request).await?;
    let good = response.status() == 200;
    response.into_body().collect().await?;
    Ok(good)
}
