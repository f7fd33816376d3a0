//! TLS at our own listener, with certificates that can be exchanged while it serves.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// HTTP/2 over TLS, as ALPN names it.
pub(crate) const H2: &[u8] = b"h2";

/// A certificate and its key, from two PEM files. Clones are handles of the same.
///
/// TLS 1.2 and 1.3 with rustls' safe defaults; ALPN offers `h2` and `http/1.1`.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<ArcSwap<ServerConfig>>,
}

/// Why a certificate can't be used. The configuration's fault; trying again helps once the files
/// are others.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read, or isn't PEM.
    #[error("failed to read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The file has no certificate in it.
    #[error("{0} holds no certificate")]
    NoCertificate(PathBuf),
    /// The key isn't the certificate's, or of a kind that isn't known.
    #[error("failed to use the certificate with its key")]
    Unusable(#[from] rustls::Error),
}

impl Tls {
    /// Reads both files: the chain, the server's own certificate first, and its private key.
    /// Blocks.
    ///
    /// # Errors
    /// [`TlsError`], where they can't be read or don't belong together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let config = read(certificate, key)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: Arc::new(ArcSwap::from_pointee(config)),
        })
    }

    /// Reads both files again. Handshakes from now on use what they hold; connections that are
    /// open go on. Where they can't be used, nothing changes. Blocks.
    ///
    /// # Errors
    /// As [`Tls::load`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = read(&self.certificate, &self.key)?;
        self.current.store(Arc::new(config));
        Ok(())
    }

    /// What makes the next handshake.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| TlsError::Read { path, source }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(unreadable(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    // Named, as two providers in one process panic in the default builders.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, secret)?;
    config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_certificate_are_refused() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (missing, nothing) = (folder.join("no-such.pem"), folder.join("Cargo.toml"));
        assert!(matches!(
            Tls::load(&missing, &nothing),
            Err(TlsError::Read { .. })
        ));
        assert!(matches!(
            Tls::load(&nothing, &nothing),
            Err(TlsError::NoCertificate(_))
        ));
    }
}
