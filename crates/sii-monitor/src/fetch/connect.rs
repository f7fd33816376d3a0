//! Connections to checked addresses only: what a name resolves to is checked, and what was
//! checked is what is connected to, so that a name that changes its mind between the two gains
//! nothing.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use thiserror::Error;
use tower_service::Service;
use url::{Host, Url};

use super::addresses::is_public;
use super::error::{FetchError, FetchErrorKind};

/// A client whose connections are guarded.
pub(super) type HttpClient = Client<HttpsConnector<HttpConnector<Resolver>>, Empty<Bytes>>;

/// A name leads to an address that isn't public.
#[derive(Debug, Clone, Copy, Error)]
#[error("not a public address")]
pub(super) struct NotPublic;

/// The hosts that may have any address, by the operator's word.
#[derive(Debug, Clone, Default)]
pub(super) struct AllowedHosts(Arc<HashSet<String>>);

impl AllowedHosts {
    pub(super) fn new(hosts: &[String]) -> Self {
        Self(Arc::new(
            hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
        ))
    }

    fn has(&self, host: &str) -> bool {
        self.0.contains(&host.to_ascii_lowercase())
    }

    /// Checks an address before anything is asked of it: its scheme, and its host where that is
    /// an address already. Names are checked when they are resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), FetchErrorKind> {
        let named = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !named {
            return Err(FetchErrorKind::Address);
        }
        let address: IpAddr = match url.host() {
            None => return Err(FetchErrorKind::Address),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
        };
        if is_public(address) || self.has(&address.to_string()) {
            Ok(())
        } else {
            Err(FetchErrorKind::PrivateAddress)
        }
    }
}

/// Resolves names, and refuses those that lead anywhere but to the public internet.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    allowed: AllowedHosts,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allowed = self.allowed.has(name.as_str());
        Box::pin(async move {
            // The port is put in by the connector.
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if allowed || found.iter().all(|address| is_public(address.ip())) {
                Ok(found.into_iter())
            } else {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, NotPublic))
            }
        })
    }
}

/// Builds the client.
pub(super) fn client(allowed: AllowedHosts, connect: Duration) -> Result<HttpClient, FetchError> {
    let mut http = HttpConnector::new_with_resolver(Resolver { allowed });
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect));
    let https = HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(Arc::new(ring::default_provider()))
        .map_err(|_| FetchError::new(FetchErrorKind::Unreachable))?
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(http);
    Ok(Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(2)
        .http1_max_buf_size(64 * 1024)
        .build(https))
}

/// Whether an error's cause is a refused address.
pub(super) fn is_refused(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .is_some_and(|inner| inner.is::<NotPublic>());
        if inner || error.is::<NotPublic>() {
            return true;
        }
        cause = error.source();
    }
    false
}
