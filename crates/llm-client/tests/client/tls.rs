//! The client over TLS: HTTP/2 and HTTP/1.1 as the server prefers, and only with servers
//! that it has reason to trust.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use crate::streams::{settled, start_event, text_event};
use crate::support::{LONG, ask, assert_shows_no_secret, config, message, patient};
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use llm_client::{Anthropic, ConfigError, ErrorKind, LanguageModel, StreamEvent, TrustRoots};
use mock_anthropic::CERTIFICATE;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;

/// A server with these protocols; each answer's text is the version that the request came in.
async fn serve(protocols: &[&str]) -> SocketAddr {
    serve_with(protocols, version).await
}

async fn serve_with<A, R, B>(protocols: &[&str], answer: A) -> SocketAddr
where
    A: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let tls = mock_anthropic::server_tls(protocols).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                // A client that doesn't trust the certificate ends the handshake.
                if let Ok(stream) = acceptor.accept(stream).await {
                    let mut server = auto::Builder::new(TokioExecutor::new());
                    // As much as servers on the internet usually allow.
                    server.http2().max_concurrent_streams(100);
                    let io = TokioIo::new(stream);
                    let _ = server.serve_connection(io, service_fn(answer)).await;
                }
            });
        }
    });
    address
}

async fn version(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = message(&format!("{:?}", request.version()));
    Ok(Response::new(Full::from(text)))
}

/// A stream without an end that counts what is taken of it, and tells when it is given up.
struct Firehose(watch::Sender<usize>);

const GONE: usize = usize::MAX;

impl Body for Firehose {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let taken = *self.0.borrow();
        let data = if taken == 0 {
            start_event()
        } else {
            text_event(&"x".repeat(1000))
        };
        self.0.send_modify(|taken| *taken += data.len());
        Poll::Ready(Some(Ok(Frame::data(data.into()))))
    }
}

impl Drop for Firehose {
    fn drop(&mut self) {
        self.0.send_replace(GONE);
    }
}

#[tokio::test]
async fn over_http_2_a_reader_that_stops_stops_the_provider_and_one_that_leaves_is_noticed() {
    let (tell, mut taken) = watch::channel(0);
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let address = serve_with(&["h2"], move |_| {
        let tell = tell.lock().unwrap().take().unwrap();
        let kind = ("content-type", "text/event-stream");
        let response = Response::builder().header(kind.0, kind.1);
        async move { Ok(response.body(Firehose(tell)).unwrap()) }
    })
    .await;
    let model = client(address, TrustRoots::Pem(CERTIFICATE.to_owned())).unwrap();
    let mut stream = model.stream(&ask()).await.unwrap();
    let stalled = settled(&mut taken).await;
    assert!(stalled < 2 << 20, "{stalled} bytes were taken for nobody");
    let mut read = 0;
    while read < stalled + 100_000 {
        match stream.next().await {
            Some(Ok(StreamEvent::Text(text))) => read += text.len(),
            Some(Ok(_)) => {}
            other => unreachable!("{other:?}"),
        }
    }
    assert!(*taken.borrow() > stalled);
    drop(stream);
    let gone = taken.wait_for(|taken| *taken == GONE);
    assert!(tokio::time::timeout(LONG, gone).await.is_ok());
}

#[tokio::test]
async fn over_http_2_more_calls_at_once_than_a_connection_takes_are_all_answered() {
    const CALLS: usize = 350;
    let (arrived, all_here) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let address = serve_with(&["h2"], move |request| {
        let (arrived, all_here) = (Arc::clone(&arrived), Arc::clone(&all_here));
        async move {
            // Nobody is answered before the last has come: one that waits unsent for another's
            // end waits for ever.
            let everybody = all_here.notified();
            if arrived.fetch_add(1, Ordering::SeqCst) + 1 == CALLS {
                all_here.notify_waiters();
            } else {
                everybody.await;
            }
            version(request).await
        }
    })
    .await;
    let roots = TrustRoots::Pem(CERTIFICATE.to_owned());
    let model = Arc::new(client(address, roots).unwrap());
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let model = Arc::clone(&model);
            tokio::spawn(async move { model.complete(&ask()).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().text, "HTTP/2.0");
    }
}

fn client(address: SocketAddr, roots: TrustRoots) -> Result<Anthropic, ConfigError> {
    let mut config = config(&format!("https://{address}"), patient());
    config.trust_roots = roots;
    Anthropic::try_new(config)
}

#[tokio::test]
async fn the_server_chooses_between_the_two_versions() {
    for (protocols, version) in [
        (&["h2", "http/1.1"][..], "HTTP/2.0"),
        (&["http/1.1"][..], "HTTP/1.1"),
        (&[][..], "HTTP/1.1"),
    ] {
        let address = serve(protocols).await;
        let model = client(address, TrustRoots::Pem(CERTIFICATE.to_owned())).unwrap();
        for _ in 0..2 {
            let completion = model.complete(&ask()).await.unwrap();
            assert_eq!(completion.text, version, "{protocols:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_spoken_to() {
    let address = serve(&["h2"]).await;
    let model = client(address, TrustRoots::Bundled).unwrap();
    let error = model.complete(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_shows_no_secret(&error);
}

#[test]
fn roots_that_hold_no_certificate_are_refused() {
    let broken = CERTIFICATE.replace("-----END", "-----KEEP");
    for pem in ["", "not pem", &broken] {
        let result = client(([127, 0, 0, 1], 9).into(), TrustRoots::Pem(pem.to_owned()));
        assert!(matches!(result, Err(ConfigError::TrustRoots(_))), "{pem}");
    }
}
