//! Accepting connections, and letting go of them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics::Counter;
use observability::HttpMetrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::app::Shared;
use crate::connection::{self, Open};
use crate::connections::Connections;
use crate::problem::Problem;

/// Between two tries to accept while the process has no file descriptor left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Between two tidyings of the metrics' raw observations, of 24 bytes each: a thousand streams make
/// 20,000 a second, and cached answers several times as many.
const UPKEEP_EVERY: Duration = Duration::from_millis(500);

/// How long streams may take to say that they end because the process does.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long counting what was suggested last may take.
const LAST_COUNTS: Duration = Duration::from_secs(1);

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
    connections: Held,
    /// The upkeep of the metrics and the watch over delays, for as long as this is held.
    _chores: JoinSet<()>,
}

/// The connections that there are; dropping it dismisses them.
#[derive(Debug)]
struct Held {
    places: Arc<Connections>,
    /// Every connection has a receiver for as long as it is there.
    open: watch::Sender<()>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.places.stop();
    }
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
        let Held { places, open } = &connections;
        places.stop();
        if timeout(deadline, open.closed()).await.is_err() && self.shared.end_streams() {
            let _ = timeout(LAST_WORDS, open.closed()).await;
        }
        match timeout(LAST_COUNTS, self.shared.suggestions.flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "suggestions stay uncounted"),
            Err(_) => tracing::warn!("suggestions stay uncounted: the store is slow"),
        }
        Drained {
            unfinished: open.receiver_count(),
        }
    }
}

async fn accept(
    shared: Arc<Shared>,
    listener: TcpListener,
    mut stopped: oneshot::Receiver<()>,
) -> Accepted {
    let mut chores = JoinSet::new();
    chores.spawn(upkeep(Arc::clone(&shared)));
    let watched = Arc::clone(&shared);
    chores.spawn(async move {
        watched
            .overload
            .watch(&watched.offload, &watched.turns)
            .await
    });
    let limits = &shared.config.limits;
    let places = Connections::new(
        limits.max_connections,
        limits.max_connections_per_peer,
        shared.config.proxies.clone(),
    );
    let connections = Held {
        places: Arc::new(places),
        open: watch::Sender::new(()),
    };
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let refused = HttpMetrics::refused("connections");
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return Accepted { connections, _chores: chores },
        };
        match accepted {
            Ok((stream, peer)) => match connections.places.admit(peer.ip()) {
                Some(place) => {
                    let open = Open {
                        _counted: shared.http.connected(),
                        _held: connections.open.subscribe(),
                    };
                    connection::serve(&shared, stream, peer.ip(), place, open);
                }
                None => refuse(stream, shared.tls.is_some(), &refused, &refusals),
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

/// Tells a connection over the limit that it is, whatever it was about to ask. One that expects
/// TLS would read nothing of it, and is only closed.
fn refuse(mut stream: TcpStream, tls: bool, refused: &Counter, refusals: &Arc<Semaphore>) {
    refused.increment(1);
    if tls {
        return;
    }
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
