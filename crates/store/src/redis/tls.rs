//! TLS with the one provider that the workspace uses.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;

use super::config::{RedisConfigError, RedisHost, RedisTls};

/// What connects with the roots that `tls` names. Reads the file of certificates: blocks.
pub(super) fn connector(tls: &RedisTls) -> Result<tokio_rustls::TlsConnector, RedisConfigError> {
    let roots = match tls {
        RedisTls::PublicRoots => RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        },
        RedisTls::CaFile(path) => roots_of(path)?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_rustls::TlsConnector::from(Arc::new(config)))
}

/// Whether TLS is what fails: the server takes a connection and no handshake comes about. The
/// client library tells this from other broken connections by its text only.
pub(super) async fn fails(
    connector: &tokio_rustls::TlsConnector,
    host: &RedisHost,
    patience: Duration,
) -> bool {
    let Ok(name) = ServerName::try_from(host.host.clone()) else {
        return true;
    };
    let shake = async {
        let stream = TcpStream::connect((host.host.as_str(), host.port))
            .await
            .ok()?;
        Some(connector.connect(name, stream).await)
    };
    match tokio::time::timeout(patience, shake).await {
        Ok(Some(Err(error))) => error
            .get_ref()
            .is_some_and(|source| source.is::<rustls::Error>()),
        _ => false,
    }
}

fn roots_of(path: &Path) -> Result<RootCertStore, RedisConfigError> {
    let unreadable = |source| RedisConfigError::CaFile {
        path: path.to_owned(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        roots.add(certificate.map_err(unreadable)?)?;
    }
    if roots.is_empty() {
        return Err(unreadable(Error::NoItemsFound));
    }
    Ok(roots)
}
