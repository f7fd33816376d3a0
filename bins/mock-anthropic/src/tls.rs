//! TLS over loopback, by a certificate whose key everybody knows: HTTP/2 where the client wants
//! it, as the provider itself speaks.

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

/// The certificate of a mock that speaks TLS, in PEM: for 127.0.0.1 only, signed by itself. Who
/// is to trust the mock trusts this.
pub const CERTIFICATE: &str = include_str!("../tls/loopback.crt.pem");

const KEY: &[u8] = include_bytes!("../tls/loopback.key.der");

/// The set-up of a TLS server by [`CERTIFICATE`] with these protocols in its order of preference.
///
/// # Errors
///
/// `InvalidData`: the certificate, its key or the set-up is refused. It never happens with the
/// ones that come with this crate.
pub fn server_tls(protocols: &[&str]) -> io::Result<ServerConfig> {
    let refused = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
    let key = PrivateKeyDer::try_from(KEY)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(refused)?;
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().into())
        .collect();
    Ok(config)
}

pub(crate) fn acceptor() -> io::Result<TlsAcceptor> {
    let config = server_tls(&["h2", "http/1.1"])?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
