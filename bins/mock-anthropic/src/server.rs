//! The listener, its connections and the handle that a test holds.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Version;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    answer::Answer,
    body::Reset,
    config::Config,
    faults::{Fault, FaultRule},
    pace::Pace,
    service,
    state::State,
    stats::{RecordedRequest, Stats},
    tls,
};

/// Longest wait for a request's headers.
const HEADERS_DEADLINE: Duration = Duration::from_secs(60);

/// After an accept that failed (no more file handles), before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Requests at once on an HTTP/2 connection, as many as servers on the internet usually allow.
const MAX_H2_STREAMS: u32 = 100;

/// How long a shutdown lets answers finish.
const DRAIN: Duration = Duration::from_secs(5);

/// A running mock. Dropped, it stops at once; [`MockServer::shutdown`] lets answers finish.
#[derive(Debug)]
pub struct MockServer {
    addr: SocketAddr,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Binds and serves. It must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The address can't be bound, or the configuration holds more than 100 faults
    /// (`InvalidInput`).
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let addr = listener.local_addr()?;
        let state = State::new(config)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        let state = Arc::new(state);
        let tls = state.config.tls.then(tls::acceptor).transpose()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(listener, tls, Arc::clone(&state), stopped));
        Ok(Self {
            addr,
            state,
            stop,
            task: Some(task),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What `ANTHROPIC_BASE_URL` is to be: `http://127.0.0.1:PORT`, without a slash at the end;
    /// `https://` where it speaks TLS.
    #[must_use]
    pub fn base_url(&self) -> String {
        let scheme = if self.state.config.tls {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.addr)
    }

    /// The counters of this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.with_prefixes(self.state.counters.snapshot())
    }

    /// Waits until the counters are as wanted: the way to test a cancellation without sleeping.
    ///
    /// # Errors
    ///
    /// The counters as they are when the deadline has passed.
    pub async fn wait_for(
        &self,
        deadline: Duration,
        seen: impl Fn(&Stats) -> bool,
    ) -> Result<Stats, Stats> {
        let seen = |stats: &Stats| seen(&self.with_prefixes(stats.clone()));
        let outcome = self.state.counters.wait_for(deadline, seen).await;
        outcome
            .map(|stats| self.with_prefixes(stats))
            .map_err(|stats| self.with_prefixes(stats))
    }

    fn with_prefixes(&self, stats: Stats) -> Stats {
        Stats {
            cached_prefixes: self.state.cache.len(),
            ..stats
        }
    }

    /// The last requests under `/v1/`, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.counters.recent()
    }

    /// Lets a fault strike the next `times` requests. False: there are too many faults already.
    pub fn inject(&self, fault: Fault, times: u32) -> bool {
        self.inject_rule(FaultRule::times(fault, times))
    }

    /// Lets a fault strike by a rule. False: there are too many already (100).
    pub fn inject_rule(&self, rule: FaultRule) -> bool {
        self.state.add_fault(rule).is_ok()
    }

    /// No more faults.
    pub fn clear_faults(&self) {
        self.state.clear_faults();
    }

    /// Queues an answer. False: there are too many already (1,000).
    pub fn answer_with(&self, answer: Answer) -> bool {
        self.state.add_answer(answer)
    }

    /// Changes the speed of answers from the next one on.
    pub fn set_pace(&self, pace: Pace) {
        self.state.change_manner(|manner| manner.pace = pace);
    }

    /// Back to how it started: counters, faults, answers, cached prefixes and speed.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// Takes no more connections, lets answers finish for up to 5 seconds, then stops.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            let abort = task.abort_handle();
            if timeout(DRAIN, task).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        // Connections live in the task's set and end with it.
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
    mut stopped: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(state.config.max_connections));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let Some((stream, slot)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (tls, state, stopped) = (tls.clone(), Arc::clone(&state), stopped.clone());
        connections.spawn(async move {
            connection(stream, tls, state, stopped).await;
            drop(slot);
        });
    }
    // What comes from now on is refused, not left in the backlog.
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    // Stream events are small and each counts.
    stream.set_nodelay(true).ok()?;
    Some((stream, slot))
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
    stopped: watch::Receiver<bool>,
) {
    let reset = Arc::new(Reset::default());
    let wire = Wire {
        stream,
        reset: Arc::clone(&reset),
    };
    let Some(tls) = tls else {
        return speak(wire, false, reset, state, stopped).await;
    };
    // Who doesn't trust the certificate ends the handshake.
    if let Ok(Ok(stream)) = timeout(HEADERS_DEADLINE, tls.accept(wire)).await {
        speak(stream, true, reset, state, stopped).await;
    }
}

/// Serves a connection to its end; HTTP/2 too, where it `may` be spoken.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    may_be_http2: bool,
    reset: Arc<Reset>,
    state: Arc<State>,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: http::Request<_>| {
        // Of HTTP/2 one stream is reset, and not the connection that others share.
        let reset = match request.version() {
            Version::HTTP_2 => Arc::default(),
            _ => Arc::clone(&reset),
        };
        service::handle(Arc::clone(&state), reset, request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    if !may_be_http2 {
        builder = builder.http1_only();
    }
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_DEADLINE)
        .http2()
        .max_concurrent_streams(MAX_H2_STREAMS);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // What goes wrong with a connection is the client's leaving, or a fault: both are counted.
    let gone = tokio::select! {
        _ = connection.as_mut() => true,
        _ = stopped.wait_for(|stop| *stop) => false,
    };
    if !gone {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// A connection that ends with a reset if one was asked for.
struct Wire {
    stream: TcpStream,
    reset: Arc<Reset>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.reset.asked() {
            // Fails only where the peer is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.asked() {
            // A proper close now would come before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
