//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use observability::InFlight;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::app::Shared;
use crate::connections::{Busy, Dismissal, Link, Place};
use crate::head_timer::HeadTimer;
use crate::reply::Body;
use crate::service;
use crate::stream::Impatient;
use crate::tls::{H2, Tls};

/// How long a drain waits for the rest of a connection's first head.
const LAST_HEAD: Duration = Duration::from_secs(1);

/// Longest wait for a TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Requests of one HTTP/2 connection at once.
const MAX_H2_STREAMS: u32 = 128;

/// Bytes of one HTTP/2 connection's answers that wait for its client, by request.
const MAX_H2_SEND: usize = 256 * 1024;

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// Whether TLS ends here.
    pub(crate) secure: bool,
}

/// It counts as open for as long as this is held.
pub(crate) struct Open {
    /// In the metrics.
    pub(crate) _counted: InFlight,
    /// For who waits until there is none.
    pub(crate) _held: watch::Receiver<()>,
}

/// Serves `stream` in a task of its own until its client ends it, or it is dismissed.
pub(crate) fn serve(
    shared: &Arc<Shared>,
    stream: TcpStream,
    address: IpAddr,
    place: Place,
    open: Open,
) {
    // Answers are small and written whole: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    match &shared.tls {
        None => serve_plain(shared, stream, address, place, open),
        Some(tls) => serve_tls(
            Arc::clone(shared),
            tls.clone(),
            stream,
            address,
            place,
            open,
        ),
    }
}

fn serve_plain(shared: &Arc<Shared>, stream: TcpStream, address: IpAddr, place: Place, open: Open) {
    let peer = Peer {
        address,
        secure: false,
    };
    let stream = Impatient::new(TokioIo::new(stream), shared.config.limits.write_timeout);
    let service = answers(shared, &place, peer);
    let connection = Box::pin(http1(shared).serve_connection(stream, service));
    tokio::spawn(async move {
        ended(hold(connection, open, &place.link, None).await);
    });
}

fn serve_tls(
    shared: Arc<Shared>,
    tls: Tls,
    stream: TcpStream,
    address: IpAddr,
    place: Place,
    open: Open,
) {
    let peer = Peer {
        address,
        secure: true,
    };
    let limits = shared.config.limits;
    tokio::spawn(async move {
        let handshake = timeout(HANDSHAKE_LIMIT, tls.acceptor().accept(stream));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            _ = place.link.dismissed() => return,
        };
        let Ok(Ok(stream)) = shaken else {
            metrics::counter!("http_tls_handshakes_failed_total").increment(1);
            return;
        };
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
        let stream = Impatient::new(TokioIo::new(stream), limits.write_timeout);
        let service = answers(&shared, &place, peer);
        if is_h2 {
            let connection = Box::pin(http2(&shared).serve_connection(stream, service));
            let idle = Some(limits.head_timeout);
            ended(hold(connection, open, &place.link, idle).await);
        } else {
            let connection = Box::pin(http1(&shared).serve_connection(stream, service));
            ended(hold(connection, open, &place.link, None).await);
        }
    });
}

fn http1(shared: &Shared) -> http1::Builder {
    let limits = &shared.config.limits;
    let mut http = http1::Builder::new();
    http.timer(HeadTimer::default())
        // Head and body are small: one copy costs less than a gathering write.
        .writev(false)
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.max_head_bytes.max(8 * 1024));
    http
}

fn http2(shared: &Shared) -> http2::Builder<TokioExecutor> {
    let limits = &shared.config.limits;
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(MAX_H2_STREAMS)
        .max_header_list_size(u32::try_from(limits.max_head_bytes).unwrap_or(u32::MAX))
        .max_send_buf_size(MAX_H2_SEND)
        // A client that is gone without a word is found out.
        .keep_alive_interval(limits.head_timeout)
        .keep_alive_timeout(limits.write_timeout);
    http
}

/// The service of one connection.
fn answers(
    shared: &Arc<Shared>,
    place: &Place,
    peer: Peer,
) -> impl HttpService<Incoming, ResBody = Body, Error = Infallible, Future: Send + 'static> + use<>
{
    let (shared, link) = (Arc::clone(shared), Arc::clone(&place.link));
    // hyper keeps the room of this future for as long as it keeps the connection: what waits, or
    // streams, is not to hold that of a whole request.
    service_fn(move |request| {
        let (shared, busy) = (Arc::clone(&shared), link.begin());
        Box::pin(answered(shared, busy, peer, request))
    })
}

async fn answered(
    shared: Arc<Shared>,
    _busy: Busy,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    Ok(service::answer(&shared, peer, &mut request.into()).await)
}

fn ended(outcome: hyper::Result<()>) {
    if let Err(error) = outcome {
        // A client that leaves early or writes no HTTP; nothing here to mend.
        tracing::debug!(%error, "connection ended early");
    }
}

/// A connection that can be asked to end after what it is working on.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn shut_down(self: Pin<&mut Self>);
}

impl<I, S> Graceful for http1::Connection<I, S>
where
    I: Read + Write + Unpin,
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn shut_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S> Graceful for http2::Connection<I, S, TokioExecutor>
where
    I: Read + Write + Unpin,
    S: HttpService<Incoming, ResBody = Body>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn shut_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// A connection to its end: that of its client, or, once it is dismissed, that of the request
/// that it works on. One that is idle for as long as `idle` ends as well. Boxed, it has its room
/// once, and not in each of the futures that it goes through.
async fn hold<C: Graceful>(
    mut connection: Pin<Box<C>>,
    _open: Open,
    link: &Link,
    idle: Option<Duration>,
) -> hyper::Result<()> {
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        why = link.dismissed() => {
            if why == Dismissal::Evicted && !link.has_asked() {
                return Ok(());
            }
        }
        () = idle_too_long(link, idle) => {}
    }
    connection.as_mut().shut_down();
    // An idle connection is closed by that, but not one that has sent a part of its first
    // head: it would hold the drain until the head's time-out.
    match timeout(LAST_HEAD, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) if !link.has_asked() => Ok(()),
        Err(_) => connection.await,
    }
}

/// Returns once nothing has been worked on for `idle`: never where there is no such bound.
async fn idle_too_long(link: &Link, idle: Option<Duration>) {
    let Some(idle) = idle else {
        return std::future::pending().await;
    };
    loop {
        let left = match link.idle_for() {
            Some(so_far) => idle.saturating_sub(so_far),
            None => idle,
        };
        if left.is_zero() {
            return;
        }
        sleep(left).await;
    }
}
