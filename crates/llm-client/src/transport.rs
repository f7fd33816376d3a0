//! A pool of connections, and one HTTP exchange within its limits of time and size.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout_at};

use crate::{ConfigError, Error, ErrorKind, Request, Stage, Timeouts, TrustRoots};
use connector::{ConnectTimedOut, Connector};
use lanes::Lanes;

mod connector;
mod lanes;

pub(crate) use lanes::Answering;

/// An idle connection is closed before the usual server or balancer would do it, so that few
/// calls meet one that is just being closed.
const POOL_IDLE: Duration = Duration::from_secs(30);
/// Idle connections that are kept for reuse.
const POOL_MAX_IDLE: usize = 64;
/// HTTP/2: silence after which the server must answer a ping, and how fast.
const H2_PING_EVERY: Duration = Duration::from_secs(20);
const H2_PING_WAIT: Duration = Duration::from_secs(10);
/// What is read ahead of somebody who doesn't read, per call: streams are slow, and held by
/// the thousand.
const MAX_READ_BUFFER: usize = 64 << 10;
const H2_STREAM_WINDOW: u32 = 64 << 10;
/// Many calls share one HTTP/2 connection: room for all their readers to stand still, before the
/// others notice.
const H2_CONNECTION_WINDOW: u32 = 16 << 20;
/// The body of a failure is worth this much: its status has said the main thing.
const MAX_FAILURE_BYTES: usize = 64 << 10;
const MAX_FAILURE_WAIT: Duration = Duration::from_secs(2);

/// How the crate names itself to providers.
pub(crate) const USER_AGENT: &str = concat!("llm-client/", env!("CARGO_PKG_VERSION"));

/// Whether an answer is a stream of events.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    kind.is_some_and(|kind| {
        let essence = kind.split(|b| *b == b';').next().unwrap_or_default();
        essence
            .trim_ascii()
            .eq_ignore_ascii_case(b"text/event-stream")
    })
}

/// A request ready to be sent.
pub(crate) type Outgoing = http::Request<Full<Bytes>>;

/// The whole answer. The body of a failure may be empty or cut.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Pools of connections.
pub(crate) struct Transport {
    lanes: Lanes<Client<Connector, Full<Bytes>>>,
}

impl Transport {
    /// Pools of plain connections, or of TLS ones where roots of trust are given.
    pub(crate) fn try_new(
        tls: Option<&TrustRoots>,
        connect: Duration,
    ) -> Result<Self, ConfigError> {
        let connector = Connector::try_new(tls, connect)?;
        let lanes = Lanes::new(move || {
            Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(POOL_IDLE)
                .pool_max_idle_per_host(POOL_MAX_IDLE)
                .http2_keep_alive_interval(H2_PING_EVERY)
                .http2_keep_alive_timeout(H2_PING_WAIT)
                .http1_max_buf_size(MAX_READ_BUFFER)
                .http2_initial_stream_window_size(H2_STREAM_WINDOW)
                .http2_initial_connection_window_size(H2_CONNECTION_WINDOW)
                .build(connector.clone())
        });
        Ok(Self { lanes })
    }

    /// Sends a request and reads the whole answer, whatever its status.
    pub(crate) async fn exchange(
        &self,
        outgoing: Outgoing,
        limits: &Limits,
        max_bytes: usize,
    ) -> Result<Answer, Error> {
        let (response, _) = self.open(outgoing, limits).await?;
        read_whole(response, limits, max_bytes).await
    }

    /// Sends a request and waits for the answer's headers: first for a connection, then for
    /// the first byte. Gives the limit of the latter too, which of a stream covers the first
    /// event as well.
    pub(crate) async fn open(
        &self,
        mut outgoing: Outgoing,
        limits: &Limits,
    ) -> Result<(http::Response<Answering>, Limit), Error> {
        // Nothing is sent, hence nothing billed, for a call that can't end in time.
        limits.whole().check()?;
        let mut connection = capture_connection(&mut outgoing);
        let (client, place) = self.lanes.enter();
        let mut response = pin!(client.request(outgoing));
        let connected = async {
            tokio::select! {
                biased;
                response = &mut response => Some(response),
                _ = connection.wait_for_connection_metadata() => None,
            }
        };
        let early = limits.connect().within(connected).await?;
        let first_byte = limits.first_byte(Instant::now());
        let response = match early {
            Some(response) => response,
            None => first_byte.within(response).await?,
        };
        let response = response.map_err(exchange_error)?;
        Ok((response.map(|body| Answering::new(body, place)), first_byte))
    }
}

/// Reads the rest of an answer, whatever its status. Of a failure it reads what comes soon.
pub(crate) async fn read_whole(
    response: http::Response<Answering>,
    limits: &Limits,
    max_bytes: usize,
) -> Result<Answer, Error> {
    let (parts, incoming) = response.into_parts();
    let body = if parts.status.is_success() {
        let body = read(incoming, max_bytes, limits.whole()).await;
        body.map_err(|error| error.with_status(parts.status))?
    } else {
        let patience = Limit::after(Instant::now(), MAX_FAILURE_WAIT, Stage::Total);
        let limit = limits.whole().or_earlier(patience);
        read(incoming, MAX_FAILURE_BYTES, limit)
            .await
            .unwrap_or_default()
    };
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    })
}

async fn read(incoming: Answering, max_bytes: usize, limit: Limit) -> Result<Bytes, Error> {
    let collected = limit
        .within(Limited::new(incoming, max_bytes).collect())
        .await?;
    collected.map(|body| body.to_bytes()).map_err(body_error)
}

fn exchange_error(error: ClientError) -> Error {
    let kind = if has_source::<ConnectTimedOut>(&error) {
        ErrorKind::Timeout {
            stage: Stage::Connect,
        }
    } else if error.is_connect() {
        ErrorKind::Connect
    } else if hyper_source(&error).is_some_and(is_garbled) {
        ErrorKind::InvalidResponse
    } else {
        ErrorKind::Connection
    };
    Error::new(kind).with_source(error)
}

pub(crate) fn body_error(error: Box<dyn StdError + Send + Sync>) -> Error {
    match error.downcast::<hyper::Error>() {
        Ok(error) if is_garbled(&error) => {
            Error::new(ErrorKind::InvalidResponse).with_source(*error)
        }
        Ok(error) => Error::new(ErrorKind::Connection).with_source(*error),
        Err(other) if other.is::<LengthLimitError>() => {
            Error::new(ErrorKind::InvalidResponse).with_source(TooLong)
        }
        Err(_) => Error::new(ErrorKind::Connection),
    }
}

/// Whether the other side broke HTTP rather than the connection.
fn is_garbled(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput};
    // hyper reports a bad chunk as an I/O error of these kinds.
    let io = sources(error).find_map(|source| source.downcast_ref::<std::io::Error>());
    error.is_parse() || io.is_some_and(|io| matches!(io.kind(), InvalidData | InvalidInput))
}

/// The answer's body is over the limit.
#[derive(Debug, thiserror::Error)]
#[error("the answer's body is over the size limit")]
pub(crate) struct TooLong;

fn hyper_source<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a hyper::Error> {
    sources(error).find_map(|source| source.downcast_ref())
}

fn has_source<E: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    sources(error).any(|source| source.is::<E>())
}

fn sources<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The limits of time of one call.
pub(crate) struct Limits {
    whole: Limit,
    connect: Limit,
    first_byte: Duration,
}

impl Limits {
    /// The limits of a call for this request that began at `started`.
    pub(crate) fn new(started: Instant, timeouts: &Timeouts, request: &Request) -> Self {
        let total = request.attempt_limit().unwrap_or(timeouts.total());
        let own = Limit::after(started, total, Stage::Total);
        let whole = match request.deadline() {
            Some(at) => own.or_earlier(Limit {
                at,
                stage: Stage::Deadline,
            }),
            None => own,
        };
        Self {
            whole,
            connect: Limit::after(started, timeouts.connect(), Stage::Connect),
            first_byte: timeouts.first_byte(),
        }
    }

    pub(crate) fn whole(&self) -> Limit {
        self.whole
    }

    fn connect(&self) -> Limit {
        self.whole.or_earlier(self.connect)
    }

    fn first_byte(&self, connected: Instant) -> Limit {
        self.whole
            .or_earlier(Limit::after(connected, self.first_byte, Stage::FirstByte))
    }
}

/// A moment, and what to call it when it is reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    at: Instant,
    stage: Stage,
}

impl Limit {
    pub(crate) fn after(start: Instant, wait: Duration, stage: Stage) -> Self {
        // A wait beyond what the clock can hold is as good as a year.
        const YEAR: Duration = Duration::from_secs(365 * 86_400);
        Self {
            at: start + wait.min(YEAR),
            stage,
        }
    }

    pub(crate) fn or_earlier(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    fn error(self) -> Error {
        Error::new(ErrorKind::Timeout { stage: self.stage })
    }

    fn check(self) -> Result<(), Error> {
        if Instant::now() < self.at {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    /// The future's output, or this limit's error.
    pub(crate) async fn within<F: Future>(self, future: F) -> Result<F::Output, Error> {
        timeout_at(self.at, future).await.map_err(|_| self.error())
    }
}
