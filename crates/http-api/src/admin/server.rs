//! Accepting the operator's connections: few, and each with an end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::Admin;
use crate::stream::Impatient;

/// Connections at once; a further one is closed.
const MAX_CONNECTIONS: usize = 64;

/// Longest wait for a request's head, also on an idle connection.
const HEAD_LIMIT: Duration = Duration::from_secs(15);

/// Longest wait for a client that reads nothing.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// Between two tries to accept while the process has no file descriptor left.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// A serving operator's API; dropping it ends it.
#[derive(Debug)]
pub struct AdminServer {
    addr: Option<SocketAddr>,
    accepting: JoinHandle<()>,
}

impl AdminServer {
    /// Where it listens, if the listener could say.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.addr
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Admin {
    /// Serves on `listener` until the returned value is dropped.
    #[must_use]
    pub fn spawn(self, listener: TcpListener) -> AdminServer {
        let addr = listener.local_addr().ok();
        AdminServer {
            addr,
            accepting: tokio::spawn(accept(Arc::new(self), listener)),
        }
    }
}

async fn accept(admin: Arc<Admin>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) if connections.len() < MAX_CONNECTIONS => {
                connections.spawn(serve(Arc::clone(&admin), stream));
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "failed to accept an operator's connection");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

async fn serve(admin: Arc<Admin>, stream: TcpStream) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(16 * 1024);
    let service = service_fn(move |request| {
        let admin = Arc::clone(&admin);
        async move { Ok::<_, Infallible>(admin.answer(request).await) }
    });
    let stream = Impatient::new(TokioIo::new(stream), WRITE_LIMIT);
    if let Err(error) = http.serve_connection(stream, service).await {
        tracing::debug!(%error, "an operator's connection ended early");
    }
}
