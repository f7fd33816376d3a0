//! The yardstick: an HTTP server on bare hyper that does nothing, in a process of its own.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::error::Error;

/// What the hidden `bench-hello` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// The length of the answer's body
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(..=1_048_576))]
    body_bytes: u32,
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
            .map_err(Error::io("bind the hello server"))?;
        serve(listener, args.body_bytes).await;
        Ok(())
    })
}

/// Answers every request with 200 and the same body, once the request's own has come.
pub async fn serve(listener: TcpListener, body_bytes: u32) {
    let body = Bytes::from(vec![b'x'; usize::try_from(body_bytes).unwrap_or(0)]);
    loop {
        // A connection that is gone before it's accepted is no reason to stop.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let body = body.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer(&body);
                async move {
                    // Read to its end, as the service has to; a GET's is over at once.
                    let _ = request.into_body().collect().await;
                    Ok::<_, Infallible>(answer)
                }
            });
            let mut server = http1::Builder::new();
            // A client that hangs up isn't worth a word here.
            let _ = server
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn answer(body: &Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.clone()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
