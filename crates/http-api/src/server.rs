//! Accepting connections, and letting go of them.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::Counter;
use observability::HttpMetrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::app::Shared;
use crate::problem::Problem;
use crate::reply::Body;
use crate::service;
use crate::stream::Impatient;

/// Between two tries to accept while the process has no file descriptor left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Between two tidyings of the metrics' raw observations.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// How long a drain waits for the rest of a connection's first head.
const LAST_HEAD: Duration = Duration::from_secs(1);

/// How long streams may take to say that they end because the process does.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Connections over the limit that are told so at a time; one more is only closed.
const REFUSALS: usize = 64;

/// How long a refused connection may take to read that it is.
const REFUSAL_LIMIT: Duration = Duration::from_secs(1);

/// A serving API. Dropping it ends the accepting, and every connection after the request that
/// it works on; nobody waits for that.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    addr: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<Accepted>,
}

/// What accepting leaves behind.
#[derive(Debug)]
struct Accepted {
    /// Every connection holds a receiver for as long as it is there.
    connections: watch::Sender<()>,
    /// The upkeep of the metrics, for as long as this is held.
    _upkeep: JoinSet<()>,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy when the time was over.
    pub unfinished: usize,
}

impl Server {
    pub(crate) fn spawn(shared: Arc<Shared>, listener: TcpListener) -> Self {
        let addr = listener.local_addr().ok();
        let (stop, stopped) = oneshot::channel();
        let accepting = tokio::spawn(accept(Arc::clone(&shared), listener, stopped));
        Self {
            shared,
            addr,
            stop,
            accepting,
        }
    }

    /// Where it listens, if the listener could say.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// Stops serving: `/ready` says no at once; for `grace` new connections are still taken,
    /// so that whoever balances the load has time to notice; then no more are, idle ones are
    /// closed, and requests being worked on have until `deadline` to end. Streams that still go
    /// on then end with an `error`.
    pub async fn drain(self, grace: Duration, deadline: Duration) -> Drained {
        self.shared.start_draining();
        tokio::time::sleep(grace).await;
        // The accepting task takes the listener with it, so that the port is free.
        let _ = self.stop.send(());
        let Ok(Accepted { connections, .. }) = self.accepting.await else {
            return Drained { unfinished: 0 };
        };
        connections.send_replace(());
        if timeout(deadline, connections.closed()).await.is_err() && self.shared.end_streams() {
            let _ = timeout(LAST_WORDS, connections.closed()).await;
        }
        Drained {
            unfinished: connections.receiver_count(),
        }
    }
}

async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    mut stopped: oneshot::Receiver<()>,
) -> Accepted {
    let (connections, stopping) = watch::channel(());
    drop(stopping);
    let mut chores = JoinSet::new();
    chores.spawn(upkeep(Arc::clone(&shared)));
    let places = Arc::new(Semaphore::new(shared.config.limits.max_connections.get()));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let refused = HttpMetrics::refused("connections");
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return Accepted { connections, _upkeep: chores },
        };
        match accepted {
            Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => serve(&shared, stream, place, connections.subscribe()),
                Err(_) => refuse(stream, &refused, &refusals),
            },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// Whether only the connection that was to be accepted failed, and not the accepting.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

fn serve(
    shared: &Arc<Shared>,
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    stopping: watch::Receiver<()>,
) {
    // Answers are small and written whole: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let limits = &shared.config.limits;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // Head and body are small: one copy costs less than a gathering write.
        .writev(false)
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.max_head_bytes.max(8 * 1024));
    let asked = Arc::new(AtomicBool::new(false));
    let counted = shared.http.connected();
    let (shared, begun) = (Arc::clone(shared), Arc::clone(&asked));
    let stream = Impatient::new(TokioIo::new(stream), limits.write_timeout);
    let service = service_fn(move |request| {
        begun.store(true, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        async move { Ok::<_, std::convert::Infallible>(service::answer(&shared, request).await) }
    });
    let connection = http.serve_connection(stream, service);
    tokio::spawn(async move {
        let (_place, _connection) = (place, counted);
        if let Err(error) = hold(connection, stopping, &asked).await {
            // A client that leaves early or writes no HTTP; nothing here to mend.
            tracing::debug!(%error, "connection ended early");
        }
    });
}

/// A connection to its end: that of its client, or, once `stopping` says so, that of the
/// request that it works on.
async fn hold<S>(
    connection: http1::Connection<Impatient<TokioIo<TcpStream>>, S>,
    mut stopping: watch::Receiver<()>,
    asked: &AtomicBool,
) -> hyper::Result<()>
where
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    // An idle connection is closed by that, but not one that has sent a part of its first
    // head: it would hold the drain until the head's time-out.
    match timeout(LAST_HEAD, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) if !asked.load(Ordering::Relaxed) => Ok(()),
        Err(_) => connection.await,
    }
}

/// Tells a connection over the limit that it is, whatever it was about to ask.
fn refuse(mut stream: TcpStream, refused: &Counter, refusals: &Arc<Semaphore>) {
    refused.increment(1);
    let Ok(place) = Arc::clone(refusals).try_acquire_owned() else {
        return;
    };
    tokio::spawn(async move {
        let _place = place;
        let tell = async {
            stream.write_all(full().as_bytes()).await?;
            stream.shutdown().await?;
            // To close with something unread would take the answer away from the client.
            let mut rest = [0; 1024];
            while stream.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        let _ = timeout(REFUSAL_LIMIT, tell).await;
    });
}

/// The answer to a connection over the limit.
fn full() -> String {
    let id = uuid::Uuid::now_v7().to_string();
    let problem = Problem::overloaded();
    let body = problem.encode(&id);
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\nx-request-id: {id}\r\n\
         cache-control: no-store\r\nretry-after: {wait}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}",
        status = problem.status(),
        wait = problem
            .retry_after()
            .map_or(1, |wait| wait.as_secs().max(1)),
        length = body.len(),
        body = String::from_utf8_lossy(&body),
    )
}

async fn upkeep(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(UPKEEP_EVERY);
    loop {
        every.tick().await;
        let metrics = shared.deps.metrics.clone();
        if tokio::task::spawn_blocking(move || metrics.upkeep())
            .await
            .is_err()
        {
            tracing::error!("metrics upkeep panicked");
        }
    }
}
