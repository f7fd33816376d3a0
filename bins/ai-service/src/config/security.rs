//! What keeps the service safe: TLS, the pages and proxies that are known, the operator's
//! listener.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use http_api::{Cors, MIN_KEY_CHARS, Tls, TrustedProxies};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::file;
use super::keys::secret;
use super::settings::{SettingsError, wrong};

/// TLS at the service's own listener.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TlsFile {
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// The web pages that may ask.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CorsFile {
    pub(super) origins: Vec<String>,
}

/// The proxies whose word is taken.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProxiesFile {
    pub(super) trusted: Option<Vec<String>>,
}

/// The operator's listener.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdminFile {
    pub(super) listen: Option<String>,
    #[serde(deserialize_with = "file::secret")]
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
}

/// A proxy mostly runs beside the service.
const THIS_MACHINE: [&str; 2] = ["127.0.0.0/8", "::1"];

/// All of it, checked.
#[derive(Debug)]
pub(crate) struct Security {
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) cors: Cors,
    pub(crate) proxies: TrustedProxies,
    pub(crate) admin: Option<AdminSettings>,
    origins: Vec<String>,
    trusted: Vec<String>,
}

/// The certificate's chain and its key, both PEM.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Where the operator's listener is and what opens it.
#[derive(Debug)]
pub(crate) struct AdminSettings {
    pub(crate) listen: SocketAddr,
    /// None: loopback only, and anybody on this machine.
    pub(crate) key: Option<SecretString>,
}

pub(super) fn security(
    tls: TlsFile,
    cors: CorsFile,
    proxies: ProxiesFile,
    admin: AdminFile,
) -> Result<Security, SettingsError> {
    let default = || THIS_MACHINE.map(str::to_owned).to_vec();
    let names = proxies.trusted.unwrap_or_else(default);
    let trusted = TrustedProxies::parse(&names)
        .map_err(|error| wrong("proxies.trusted", error.to_string()))?;
    let origins =
        Cors::parse(&cors.origins).map_err(|error| wrong("cors.origins", error.to_string()))?;
    Ok(Security {
        tls: tls_files(tls)?,
        cors: origins,
        proxies: trusted,
        admin: operator(admin)?,
        origins: cors.origins,
        trusted: names,
    })
}

/// Both files, which must be fit to be used now.
fn tls_files(file: TlsFile) -> Result<Option<TlsFiles>, SettingsError> {
    let files = match (file.certificate, file.key) {
        (Some(certificate), Some(key)) => TlsFiles { certificate, key },
        (None, None) => return Ok(None),
        _ => return Err(wrong("tls", "needs both certificate and key")),
    };
    Tls::load(&files.certificate, &files.key)?;
    Ok(Some(files))
}

fn operator(file: AdminFile) -> Result<Option<AdminSettings>, SettingsError> {
    let key = secret("admin.api_key", file.api_key, file.api_key_file)?;
    let Some(listen) = file.listen else {
        return match key {
            None => Ok(None),
            Some(_) => Err(wrong(
                "admin.listen",
                "must be set where there is a key for it",
            )),
        };
    };
    let listen: SocketAddr = listen
        .parse()
        .map_err(|_| wrong("admin.listen", "must be ADDRESS:PORT"))?;
    let chars = |key: &SecretString| key.expose_secret().chars().count();
    let enough = match &key {
        Some(key) => chars(key) >= MIN_KEY_CHARS,
        None => listen.ip().is_loopback(),
    };
    if !enough {
        return Err(wrong(
            "admin.api_key",
            format!(
                "must have at least {MIN_KEY_CHARS} characters, and may be left out on loopback \
                 only"
            ),
        ));
    }
    Ok(Some(AdminSettings { listen, key }))
}

impl Security {
    /// The files that it was read from.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let tls = self.tls.iter();
        tls.flat_map(|files| [&files.certificate, &files.key])
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tls {
            Some(files) => writeln!(f, "tls.certificate = {}", files.certificate.display())?,
            None => writeln!(f, "tls = none (plain HTTP)")?,
        }
        match self.origins.as_slice() {
            [] => writeln!(f, "cors.origins = none")?,
            origins => writeln!(f, "cors.origins = {}", origins.join(", "))?,
        }
        match self.trusted.as_slice() {
            [] => writeln!(f, "proxies.trusted = none")?,
            list => writeln!(f, "proxies.trusted = {}", list.join(", "))?,
        }
        match &self.admin {
            None => writeln!(f, "admin = none"),
            Some(admin) => {
                let key = if admin.key.is_some() {
                    "with a key of its own"
                } else {
                    "without a key"
                };
                writeln!(f, "admin.listen = {} {key}", admin.listen)
            }
        }
    }
}
