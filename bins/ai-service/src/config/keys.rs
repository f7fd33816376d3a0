//! The keys of the configuration, and secrets from files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_api::{ApiKey, KeySecret, MIN_KEY_CHARS, Role};
use secrecy::{ExposeSecret as _, SecretString};
use store::Rate;
use uuid::Uuid;

use super::file;
use super::settings::{SettingsError, parse, wrong};

const MINUTE: Duration = Duration::from_secs(60);

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
        (None, Some(path)) => Ok(Some(text_of(&path)?.trim().into())),
    }
}

pub(super) fn text_of(path: &Path) -> Result<String, SettingsError> {
    let path = path.to_owned();
    std::fs::read_to_string(&path).map_err(|source| SettingsError::Read { path, source })
}

/// The keys, the one that was made up because none is configured, and the files they are from.
pub(super) struct Keys {
    pub(super) keys: Vec<ApiKey>,
    pub(super) made_up: Option<SecretString>,
    pub(super) files: Vec<PathBuf>,
}

/// The keys that open the service.
pub(super) fn keys(mut auth: file::Auth, listen: SocketAddr) -> Result<Keys, SettingsError> {
    let mut files: Vec<PathBuf> = auth.api_key_file.iter().cloned().collect();
    if let Some(path) = auth.keys_file.take() {
        let text = text_of(&path)?;
        let more: file::KeysFile = parse(&path, &text)?;
        auth.keys.extend(more.keys);
        files.push(path);
    }
    files.extend(auth.keys.iter().filter_map(|key| key.key_file.clone()));
    let mut keys = Vec::new();
    let rate_of_all = rate(auth.requests_per_minute, auth.burst)?;
    if let Some(secret) = secret("auth.api_key", auth.api_key, auth.api_key_file)? {
        keys.push(ApiKey {
            rate: rate_of_all,
            ..ApiKey::new("default", hashed(&secret)?)
        });
    }
    let default = (auth.requests_per_minute, auth.burst);
    for key in auth.keys {
        keys.push(named(key, default)?);
    }
    let mut made_up = None;
    if !listen.ip().is_loopback() {
        exposed(&keys, listen)?;
    } else if keys.is_empty() {
        // Two random UUIDs are 244 random bits.
        let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let secret = SecretString::from(key);
        made_up = Some(secret.clone());
        keys.push(ApiKey::new("default", secret));
    }
    http_api::Keyring::new(&keys)?;
    Ok(Keys {
        keys,
        made_up,
        files,
    })
}

/// One of `auth.keys`.
fn named(key: file::Key, default: (Option<u32>, Option<u32>)) -> Result<ApiKey, SettingsError> {
    let file::Key {
        name,
        key,
        key_file,
        previous,
        previous_until,
        companies,
        role,
        requests_per_minute,
        burst,
        // The budget's: see `money`.
        day_usd: _,
    } = key;
    let secret = secret("auth.keys.key", key, key_file)?.ok_or_else(|| {
        wrong(
            "auth.keys",
            format!("{name:?} has neither key nor key_file"),
        )
    })?;
    let previous = match (previous, previous_until) {
        (None, None) => None,
        (Some(secret), Some(until)) => {
            let problem = "must be a moment such as \"2026-12-01T00:00:00-03:00\"";
            let until = until
                .parse()
                .map_err(|_| wrong("auth.keys.previous_until", problem))?;
            Some((hashed(&secret)?, until))
        }
        _ => {
            let problem = "and previous_until go together";
            return Err(wrong("auth.keys.previous", problem));
        }
    };
    let role = match role.as_deref() {
        None | Some("erp") => Role::Erp,
        Some("figures") => Role::Figures,
        Some(_) => return Err(wrong("auth.keys.role", "must be \"erp\" or \"figures\"")),
    };
    let rate = match requests_per_minute {
        None => rate(default.0, burst.or(default.1))?,
        some => rate(some, burst)?,
    };
    Ok(ApiKey {
        previous,
        companies: companies.map(|list| list.into_iter().collect()),
        role,
        rate,
        ..ApiKey::new(name, hashed(&secret)?)
    })
}

fn hashed(secret: &SecretString) -> Result<KeySecret, SettingsError> {
    Ok(KeySecret::parse(secret.expose_secret())?)
}

/// So many requests a minute; `burst` of them at once, or else all.
fn rate(per_minute: Option<u32>, burst: Option<u32>) -> Result<Option<Rate>, SettingsError> {
    let wrong = |_| {
        let problem = "must be 1 to 1000000, and so must burst";
        wrong("auth.requests_per_minute", problem)
    };
    let Some(per_minute) = per_minute else {
        return match burst {
            None => Ok(None),
            Some(_) => Err(self::wrong(
                "auth.burst",
                "means nothing without requests_per_minute",
            )),
        };
    };
    let rate = Rate::per(per_minute, MINUTE).map_err(wrong)?;
    let burst = burst.map_or(Ok(rate), |burst| rate.burst(burst));
    Ok(Some(burst.map_err(wrong)?))
}

/// Beyond loopback there must be keys, and long ones.
fn exposed(keys: &[ApiKey], listen: SocketAddr) -> Result<(), SettingsError> {
    let previous = |key: &ApiKey| {
        key.previous
            .as_ref()
            .is_none_or(|(secret, _)| secret.is_long())
    };
    let long = |key: &ApiKey| key.secret.is_long() && previous(key);
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
