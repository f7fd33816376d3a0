//! TLS with the one provider that the workspace uses.

use std::path::Path;
use std::sync::Arc;

use fred::types::config::TlsConnector;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::{ClientConfig, RootCertStore};

use super::config::{RedisConfigError, RedisTls};

/// What connects with the roots that `tls` names. Reads the file of certificates: blocks.
pub(super) fn connector(tls: &RedisTls) -> Result<TlsConnector, RedisConfigError> {
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
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    Ok(TlsConnector::Rustls(connector))
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
