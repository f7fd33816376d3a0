//! The yardstick of what a machine takes for a call through a process: bare hyper that hands a
//! request on and its answer back, in a process of its own.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::error::Error;

/// What the hidden `bench-proxy` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Who is asked
    #[arg(long)]
    upstream: SocketAddr,
}

/// Serves until the process is ended. As many worker threads as the service: one a core.
///
/// # Errors
///
/// [`Error::Io`] when the runtime or the port can't be had.
pub fn run(args: &Args) -> Result<(), Error> {
    let runtime = Runtime::new().map_err(Error::io("start a runtime"))?;
    runtime.block_on(async {
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(Error::io("bind the proxy"))?;
        serve(listener, args.upstream).await;
        Ok(())
    })
}

/// Hands every request on; each connection has one of its own to the upstream.
pub async fn serve(listener: TcpListener, upstream: SocketAddr) {
    loop {
        // A connection that is gone before it's accepted is no reason to stop.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let sender = Mutex::new(None);
            let service = service_fn(|request| handed_on(&sender, upstream, request));
            // A client that hangs up isn't worth a word here.
            let _ = server::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Sender = client::SendRequest<Full<Bytes>>;

/// The upstream's answer; its body comes as it is read.
async fn handed_on(
    sender: &Mutex<Option<Sender>>,
    upstream: SocketAddr,
    request: Request<Incoming>,
) -> io::Result<Response<Incoming>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut sender = sender.lock().await;
    let ready = match sender.take() {
        Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
        None => None,
    };
    let mut open = match ready {
        Some(sender) => sender,
        None => connected(upstream).await?,
    };
    let request = Request::from_parts(head, Full::new(body));
    let answer = open.send_request(request).await.map_err(io::Error::other)?;
    *sender = Some(open);
    Ok(answer)
}

async fn connected(upstream: SocketAddr) -> io::Result<Sender> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = client::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::client::Connection;
    use crate::bench::hello;
    use crate::bench::targets::get;

    #[tokio::test]
    async fn an_answer_comes_through_and_a_gone_upstream_ends_the_connection() {
        let behind = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = behind.local_addr().unwrap();
        let hello = tokio::spawn(hello::serve(behind, 16));
        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = front.local_addr().unwrap();
        tokio::spawn(serve(front, upstream));
        let mut connection = Connection::open(address).await.unwrap();
        for _ in 0..3 {
            let answer = connection.exchange(&get("/")).await.unwrap();
            assert_eq!((answer.status, answer.body), (200, &[b'x'; 16][..]));
        }
        hello.abort();
        let _ = hello.await;
        let mut other = Connection::open(address).await.unwrap();
        assert!(other.exchange(&get("/")).await.is_err());
    }
}
