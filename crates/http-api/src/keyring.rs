//! The keys that open the service: what the configuration says of them, kept as hashes.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use store::Rate;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use thiserror::Error;

use crate::auth::{Caller, Role, presented};
use crate::problem::Problem;

/// Shortest key that is accepted where the service can be reached from elsewhere, in characters.
pub const MIN_KEY_CHARS: usize = 32;

/// A key's secret as it is configured: itself, or a hash of it.
///
/// A fast hash is enough: a key is 32 or more random characters, which nobody finds by trying,
/// and a slow one (argon2) would cost every request milliseconds.
#[derive(Clone)]
pub enum KeySecret {
    /// The secret itself; it is hashed when the ring is made and not kept.
    Plain(SecretString),
    /// The BLAKE3 hash of its UTF-8 bytes, as `ai-service hash-key` prints it.
    Blake3([u8; 32]),
    /// The SHA-256 hash of its UTF-8 bytes, as `printf %s KEY | sha256sum` prints it.
    Sha256([u8; 32]),
}

/// A key as it is configured.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// What logs and figures call it; unique.
    pub name: String,
    /// The secret or its hash.
    pub secret: KeySecret,
    /// The secret before this one, which is still good until then: so that the service and an
    /// ERP need not change in the same second.
    pub previous: Option<(KeySecret, Timestamp)>,
    /// The `company_id`s that it may speak for; `None`: every one.
    pub companies: Option<BTreeSet<u64>>,
    /// What it may be used for.
    pub role: Role,
    /// How often it may ask, over all replicas; `None`: as often as it likes.
    pub rate: Option<Rate>,
}

/// The keys that open the service. Secrets are kept only as hashes.
pub struct Keyring {
    keys: Vec<Entry>,
    /// Whether a key is known by its SHA-256: else none needs to be made of what is presented.
    sha256: bool,
}

struct Entry {
    digest: KeyDigest,
    /// From then on it isn't good any more.
    until: Option<Timestamp>,
    caller: Arc<Caller>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum KeyDigest {
    Blake3([u8; 32]),
    Sha256([u8; 32]),
}

/// Why a set of keys can't be used. The configuration's fault.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringError {
    /// There are none.
    #[error("no API key is configured")]
    Empty,
    /// Two have the same name.
    #[error("two API keys are named {0:?}")]
    SameName(String),
    /// Two have the same secret.
    #[error("API keys {0:?} and another have the same secret")]
    SameSecret(String),
    /// The name or the secret is blank, or the name could not stand in a log line.
    #[error("API key {0:?} has an unusable name or secret")]
    Unusable(String),
    /// It says that it is a hash and isn't.
    #[error("a key's hash must be blake3: or sha256: and 64 hexadecimal digits")]
    Hash,
}

impl KeySecret {
    /// The secret itself, or `blake3:` or `sha256:` and 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyringError::Hash`] where one of the two words isn't followed by such digits.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        match text.split_once(':') {
            Some(("blake3", hex)) => Ok(Self::Blake3(bytes_of(hex)?)),
            Some(("sha256", hex)) => Ok(Self::Sha256(bytes_of(hex)?)),
            _ => Ok(Self::Plain(text.to_owned().into())),
        }
    }

    /// Whether it is known to be long enough to be reached from elsewhere. Of a hash that can't
    /// be known: `hash-key` has looked when it was made.
    #[must_use]
    pub fn is_long(&self) -> bool {
        match self {
            Self::Plain(secret) => secret.expose_secret().chars().count() >= MIN_KEY_CHARS,
            Self::Blake3(_) | Self::Sha256(_) => true,
        }
    }

    /// As the configuration takes it instead of the secret: `blake3:` and 64 digits.
    #[must_use]
    pub fn hashed(secret: &SecretString) -> String {
        let digest = blake3::hash(secret.expose_secret().as_bytes());
        format!("blake3:{}", digest.to_hex())
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Plain(secret) if secret.expose_secret().trim().is_empty())
    }

    /// What it is looked for by, and what else would be the same secret.
    fn digests(&self) -> (KeyDigest, Option<KeyDigest>) {
        match self {
            Self::Plain(secret) => {
                let secret = secret.expose_secret().as_bytes();
                let blake3 = KeyDigest::Blake3(*blake3::hash(secret).as_bytes());
                (
                    blake3,
                    Some(KeyDigest::Sha256(Sha256::digest(secret).into())),
                )
            }
            Self::Blake3(digest) => (KeyDigest::Blake3(*digest), None),
            Self::Sha256(digest) => (KeyDigest::Sha256(*digest), None),
        }
    }
}

impl From<&str> for KeySecret {
    fn from(secret: &str) -> Self {
        Self::Plain(secret.into())
    }
}

impl From<SecretString> for KeySecret {
    fn from(secret: SecretString) -> Self {
        Self::Plain(secret)
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain(…)",
            Self::Blake3(_) => "Blake3(…)",
            Self::Sha256(_) => "Sha256(…)",
        })
    }
}

/// 64 hexadecimal digits.
fn bytes_of(hex: &str) -> Result<[u8; 32], KeyringError> {
    blake3::Hash::from_hex(hex.trim())
        .map(|hash| *hash.as_bytes())
        .map_err(|_| KeyringError::Hash)
}

impl ApiKey {
    /// One for every company, as often as it likes.
    #[must_use]
    pub fn new(name: impl Into<String>, secret: impl Into<KeySecret>) -> Self {
        Self {
            name: name.into(),
            secret: secret.into(),
            previous: None,
            companies: None,
            role: Role::default(),
            rate: None,
        }
    }

    fn is_usable(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let previous = self.previous.as_ref();
        (1..=64).contains(&self.name.len())
            && self.name.chars().all(plain)
            && !self.secret.is_blank()
            && !previous.is_some_and(|(secret, _)| secret.is_blank())
    }
}

impl Keyring {
    /// A ring of these keys.
    ///
    /// # Errors
    /// [`KeyringError`], when there is none, or two can't be told apart.
    pub fn new(keys: &[ApiKey]) -> Result<Self, KeyringError> {
        if keys.is_empty() {
            return Err(KeyringError::Empty);
        }
        let (mut names, mut digests) = (HashSet::new(), HashSet::new());
        let mut entries = Vec::with_capacity(keys.len());
        for key in keys {
            if !key.is_usable() {
                return Err(KeyringError::Unusable(key.name.clone()));
            }
            if !names.insert(&key.name) {
                return Err(KeyringError::SameName(key.name.clone()));
            }
            let caller = Arc::new(Caller::of(key));
            let previous = key.previous.as_ref();
            let previous = previous.map(|(secret, until)| (secret, Some(*until)));
            for (secret, until) in [(&key.secret, None)].into_iter().chain(previous) {
                let (digest, twin) = secret.digests();
                let is_new = digests.insert(digest) & twin.is_none_or(|twin| digests.insert(twin));
                if !is_new {
                    return Err(KeyringError::SameSecret(key.name.clone()));
                }
                let caller = Arc::clone(&caller);
                entries.push(Entry {
                    digest,
                    until,
                    caller,
                });
            }
        }
        let sha256 = |entry: &Entry| matches!(entry.digest, KeyDigest::Sha256(_));
        Ok(Self {
            sha256: entries.iter().any(sha256),
            keys: entries,
        })
    }

    /// How many keys there are, previous secrets not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        let current = self.keys.iter().filter(|entry| entry.until.is_none());
        current.count()
    }

    /// Never: a ring without a key isn't made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The caller whose key the headers carry. The time is asked for only where a key has an end.
    pub(crate) fn authenticate(
        &self,
        headers: &HeaderMap,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<Arc<Caller>, Problem> {
        presented(headers)
            .and_then(|key| self.find(key))
            .filter(|entry| entry.until.is_none_or(|until| now() < until))
            .map(|entry| Arc::clone(&entry.caller))
            .ok_or_else(Problem::unauthorized)
    }

    /// Looks at every key and compares whole hashes, so that the time it takes tells nothing
    /// of which one was nearly right.
    fn find(&self, presented: &[u8]) -> Option<&Entry> {
        let blake3 = blake3::hash(presented);
        let sha256: [u8; 32] = if self.sha256 {
            Sha256::digest(presented).into()
        } else {
            [0; 32]
        };
        let mut found = 0_u32;
        let mut any = Choice::from(0);
        for (index, entry) in (0_u32..).zip(&self.keys) {
            let same = match &entry.digest {
                KeyDigest::Blake3(digest) => digest.ct_eq(blake3.as_bytes()),
                KeyDigest::Sha256(digest) => digest.ct_eq(&sha256),
            };
            found.conditional_assign(&index, same);
            any |= same;
        }
        bool::from(any).then(|| self.keys.get(found as usize))?
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|entry| entry.caller.name()))
            .finish()
    }
}

#[cfg(test)]
mod tests;
