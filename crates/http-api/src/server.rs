//! Accepting connections, and letting go of them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use metrics::Counter;
use observability::HttpMetrics;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{AbortHandle, JoinHandle};

use crate::app::Shared;
use crate::service;

/// Between two tries to accept while the process has no file descriptor left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Between two tidyings of the metrics' raw observations.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Said to a connection over the limit, before it has said anything.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";

/// A serving API.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    addr: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<GracefulShutdown>,
    upkeep: AbortHandle,
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
        let upkeep = tokio::spawn(upkeep(Arc::clone(&shared))).abort_handle();
        let accepting = tokio::spawn(accept(Arc::clone(&shared), listener, stopped));
        Self {
            shared,
            addr,
            stop,
            accepting,
            upkeep,
        }
    }

    /// Where it listens, if the listener could say.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// Stops serving: `/ready` says no at once; for `grace` new connections are still taken,
    /// so that whoever balances the load has time to notice; then no more are, idle ones are
    /// closed, and requests being worked on have until `deadline` to end.
    pub async fn drain(self, grace: Duration, deadline: Duration) -> Drained {
        self.shared.start_draining();
        tokio::time::sleep(grace).await;
        // The accepting task takes the listener with it, so that the port is free.
        let _ = self.stop.send(());
        let Ok(connections) = self.accepting.await else {
            return Drained { unfinished: 0 };
        };
        let busy = connections.count();
        let finished = tokio::time::timeout(deadline, connections.shutdown()).await;
        self.upkeep.abort();
        let left = self.shared.config.limits.max_in_flight.get()
            - self.shared.in_flight.available_permits();
        Drained {
            unfinished: if finished.is_ok() {
                0
            } else {
                left.max(1).min(busy)
            },
        }
    }
}

async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    mut stopped: oneshot::Receiver<()>,
) -> GracefulShutdown {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(shared.config.limits.max_connections.get()));
    let refused = HttpMetrics::refused("connections");
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return graceful,
        };
        match accepted {
            Ok((stream, _)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => serve(&shared, stream, place, graceful.watcher()),
                Err(_) => refuse(&stream, &refused),
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

fn serve(shared: &Arc<Shared>, stream: TcpStream, place: OwnedSemaphorePermit, watcher: Watcher) {
    // Answers are small and written whole: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let limits = &shared.config.limits;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.max_head_bytes.max(8 * 1024));
    let shared = Arc::clone(shared);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, std::convert::Infallible>(service::answer(&shared, request).await) }
    });
    let connection = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = connection.await {
            // A client that leaves early or writes no HTTP; nothing here to mend.
            tracing::debug!(%error, "connection ended early");
        }
    });
}

fn refuse(stream: &TcpStream, refused: &Counter) {
    refused.increment(1);
    // A fresh socket's buffer is empty: the few bytes fit, or the client gets only the close.
    let _ = stream.try_write(FULL);
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
