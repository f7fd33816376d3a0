//! Opening connections: TCP, then TLS where it is wanted, both within one limit of time.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::{ConfigError, TrustRoots};

/// How long a connection may be idle before the kernel asks whether the other side lives.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

type BoxError = Box<dyn StdError + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A connection wasn't open in time.
#[derive(Debug, thiserror::Error)]
#[error("no connection in time")]
pub(super) struct ConnectTimedOut;

/// Opens connections for the pool.
#[derive(Clone)]
pub(super) struct Connector {
    open: Open,
    limit: Duration,
}

#[derive(Clone)]
enum Open {
    Plain(HttpConnector),
    Tls(HttpsConnector<HttpConnector>),
}

impl Connector {
    /// Opens plain connections, or TLS ones where roots of trust are given.
    pub(super) fn try_new(tls: Option<&TrustRoots>, limit: Duration) -> Result<Self, ConfigError> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(TCP_KEEPALIVE));
        let open = match tls {
            None => Open::Plain(http),
            Some(roots) => Open::Tls(with_tls(http, roots)?),
        };
        Ok(Self { open, limit })
    }
}

/// Names its crypto provider, so that nothing depends on a process-wide default.
fn with_tls(
    http: HttpConnector,
    roots: &TrustRoots,
) -> Result<HttpsConnector<HttpConnector>, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    let builder = HttpsConnectorBuilder::new();
    let builder = match roots {
        TrustRoots::Bundled => builder
            .with_provider_and_webpki_roots(provider)
            .map_err(ConfigError::Tls)?,
        TrustRoots::System => builder
            .with_provider_and_native_roots(provider)
            .map_err(ConfigError::TrustRoots)?,
        TrustRoots::Pem(pem) => builder.with_tls_config(
            ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(ConfigError::Tls)?
                .with_root_certificates(root_store(pem)?)
                .with_no_client_auth(),
        ),
    };
    Ok(builder
        .https_only()
        .enable_all_versions()
        .wrap_connector(http))
}

fn root_store(pem: &str) -> Result<RootCertStore, ConfigError> {
    let unreadable = |error: pem::Error| ConfigError::TrustRoots(io::Error::other(error));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(unreadable)?;
        store.add(certificate).map_err(ConfigError::Tls)?;
    }
    if store.is_empty() {
        return Err(unreadable(pem::Error::NoItemsFound));
    }
    Ok(store)
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.open {
            Open::Plain(http) => http.poll_ready(cx).map_err(Into::into),
            Open::Tls(https) => https.poll_ready(cx),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting: Self::Future = match &mut self.open {
            Open::Plain(http) => {
                let connecting = http.call(uri);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) })
            }
            Open::Tls(https) => https.call(uri),
        };
        let limit = self.limit;
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(result) => result,
                Err(_) => Err(ConnectTimedOut.into()),
            }
        })
    }
}
