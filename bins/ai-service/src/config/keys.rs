//! The keys of the configuration, and secrets from files.

use std::net::SocketAddr;
use std::path::PathBuf;

use http_api::{ApiKey, MIN_KEY_CHARS};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::file;
use super::settings::{SettingsError, wrong};

/// A secret from the configuration itself or from a file that it names.
pub(super) fn secret(
    key: &'static str,
    inline: Option<SecretString>,
    file: Option<PathBuf>,
) -> Result<Option<SecretString>, SettingsError> {
    match (inline, file) {
        (Some(_), Some(_)) => Err(wrong(key, "is given both directly and as a file")),
        (Some(secret), None) => Ok(Some(secret.expose_secret().trim().into())),
        (None, None) => Ok(None),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path)
                .map_err(|source| SettingsError::Read { path, source })?;
            Ok(Some(SecretString::from(text.trim().to_owned())))
        }
    }
}

/// The keys, and the one that was made up because none is configured.
type Keys = (Vec<ApiKey>, Option<SecretString>);

/// The keys that open the service.
pub(super) fn keys(auth: file::Auth, listen: SocketAddr) -> Result<Keys, SettingsError> {
    let mut keys = Vec::new();
    if let Some(secret) = secret("auth.api_key", auth.api_key, auth.api_key_file)? {
        keys.push(ApiKey {
            name: "default".to_owned(),
            secret,
            companies: None,
        });
    }
    for file::Key {
        name,
        key,
        key_file,
        companies,
        // The budget's: see `money`.
        day_usd: _,
    } in auth.keys
    {
        let secret = secret("auth.keys.key", key, key_file)?.ok_or_else(|| {
            wrong(
                "auth.keys",
                format!("{name:?} has neither key nor key_file"),
            )
        })?;
        let companies = companies.map(|list| list.into_iter().collect());
        keys.push(ApiKey {
            name,
            secret,
            companies,
        });
    }
    let mut made_up = None;
    if !listen.ip().is_loopback() {
        exposed(&keys, listen)?;
    } else if keys.is_empty() {
        // Two random UUIDs are 244 random bits.
        let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let secret = SecretString::from(key);
        made_up = Some(secret.clone());
        keys.push(ApiKey {
            name: "default".to_owned(),
            secret,
            companies: None,
        });
    }
    http_api::Keyring::new(&keys)?;
    Ok((keys, made_up))
}

/// Beyond loopback there must be keys, and long ones.
fn exposed(keys: &[ApiKey], listen: SocketAddr) -> Result<(), SettingsError> {
    let long = |key: &ApiKey| key.secret.expose_secret().chars().count() >= MIN_KEY_CHARS;
    if !keys.is_empty() && keys.iter().all(long) {
        return Ok(());
    }
    Err(wrong(
        "auth.api_key",
        format!(
            "must be set and have at least {MIN_KEY_CHARS} characters to listen on {listen}, \
             which can be reached from other machines (AI_SERVICE_API_KEY)"
        ),
    ))
}
