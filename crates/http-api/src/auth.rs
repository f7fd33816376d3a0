//! Who asks, and for which companies they may.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use thiserror::Error;

use crate::problem::Problem;

/// Shortest key that is accepted where the service can be reached from elsewhere, in characters.
pub const MIN_KEY_CHARS: usize = 32;

/// A key as it is configured.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// What logs and figures call it; unique.
    pub name: String,
    /// The secret itself.
    pub secret: SecretString,
    /// The `company_id`s that it may speak for; `None`: every one.
    pub companies: Option<BTreeSet<u64>>,
}

/// The keys that open the service. Secrets are kept only as hashes.
pub struct Keyring {
    keys: Vec<Entry>,
}

struct Entry {
    digest: [u8; 32],
    caller: Arc<Caller>,
}

/// A caller whose key is good.
#[derive(Debug, Clone)]
pub struct Caller {
    name: String,
    companies: Option<BTreeSet<u64>>,
}

/// On whose behalf something is computed or stored: nothing made for one tenant is ever
/// readable by another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tenant(String);

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
        for ApiKey {
            name,
            secret,
            companies,
        } in keys
        {
            let plain = name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            let secret = secret.expose_secret();
            if name.is_empty() || name.len() > 64 || !plain || secret.trim().is_empty() {
                return Err(KeyringError::Unusable(name.clone()));
            }
            let digest = *blake3::hash(secret.as_bytes()).as_bytes();
            if !names.insert(name) {
                return Err(KeyringError::SameName(name.clone()));
            }
            if !digests.insert(digest) {
                return Err(KeyringError::SameSecret(name.clone()));
            }
            let caller = Arc::new(Caller {
                name: name.clone(),
                companies: companies.clone(),
            });
            entries.push(Entry { digest, caller });
        }
        Ok(Self { keys: entries })
    }

    /// The caller whose key the headers carry.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<&Arc<Caller>, Problem> {
        presented(headers)
            .and_then(|key| self.find(key))
            .ok_or_else(Problem::unauthorized)
    }

    /// Looks at every key and compares whole hashes, so that the time it takes tells nothing
    /// of which one was nearly right.
    fn find(&self, presented: &[u8]) -> Option<&Arc<Caller>> {
        let digest = blake3::hash(presented);
        let mut found = 0_u32;
        let mut any = Choice::from(0);
        for (index, entry) in (0_u32..).zip(&self.keys) {
            let same = entry.digest.ct_eq(digest.as_bytes());
            found.conditional_assign(&index, same);
            any |= same;
        }
        bool::from(any)
            .then(|| self.keys.get(found as usize))?
            .map(|entry| &entry.caller)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|entry| &entry.caller.name))
            .finish()
    }
}

impl Caller {
    /// What logs call them.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The tenant that this caller is when speaking for `company`.
    pub(crate) fn tenant(&self, company: u64) -> Result<Tenant, Problem> {
        match &self.companies {
            Some(companies) if !companies.contains(&company) => Err(Problem::foreign_company()),
            _ => Ok(Tenant(format!("{}/{company}", self.name))),
        }
    }
}

impl Caller {
    /// Whether it may speak for some companies only.
    pub(crate) fn is_bound(&self) -> bool {
        self.companies.is_some()
    }

    /// The tenant that this caller is when it speaks for no company in particular.
    pub(crate) fn own_tenant(&self) -> Tenant {
        Tenant(format!("{}/", self.name))
    }
}

impl Tenant {
    /// The own tenant of the caller that this one is a company of.
    pub(crate) fn of_caller(&self) -> Self {
        let name = self.0.split('/').next().unwrap_or_default();
        Self(format!("{name}/"))
    }

    /// As a part of a cache key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key in the headers: `Authorization: Bearer KEY` first, else `X-API-Key: KEY` (a proxy
/// may have put its own `Authorization` there).
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.as_bytes().split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then(|| key.trim_ascii())
    });
    bearer.or_else(|| {
        headers
            .get("x-api-key")
            .map(|value| value.as_bytes().trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn key(name: &str, secret: &str, companies: Option<&[u64]>) -> ApiKey {
        ApiKey {
            name: name.into(),
            secret: secret.into(),
            companies: companies.map(|list| list.iter().copied().collect()),
        }
    }

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    fn ring() -> Keyring {
        Keyring::new(&[
            key("uno", "clave-1", None),
            key("dos", "clave-2", Some(&[7])),
        ])
        .unwrap()
    }

    #[test]
    fn either_header_opens_and_bearer_goes_first() {
        let ring = ring();
        for (list, name) in [
            (vec![("authorization", "Bearer clave-1")], Some("uno")),
            (vec![("authorization", "bearer  clave-2 ")], Some("dos")),
            (vec![("x-api-key", "clave-2")], Some("dos")),
            (
                vec![("authorization", "Basic abc"), ("x-api-key", "clave-2")],
                Some("dos"),
            ),
            (
                vec![("authorization", "Bearer nadie"), ("x-api-key", "clave-2")],
                None,
            ),
            (vec![("authorization", "Bearer")], None),
            (vec![("x-api-key", "")], None),
            (vec![("x-api-key", "clave-1x")], None),
            (vec![], None),
        ] {
            let found = ring.authenticate(&headers(&list));
            assert_eq!(found.ok().map(|caller| caller.name()), name, "{list:?}");
        }
    }

    #[test]
    fn a_bound_key_speaks_only_for_its_companies() {
        let ring = ring();
        let bound = ring.find(b"clave-2").unwrap();
        assert_eq!(bound.tenant(7).unwrap().as_str(), "dos/7");
        assert_eq!(bound.tenant(8).unwrap_err().status(), 403);
        assert_eq!(
            ring.find(b"clave-1").unwrap().tenant(8).unwrap().as_str(),
            "uno/8"
        );
    }

    #[test]
    fn keys_that_cannot_be_told_apart_are_refused() {
        let error = |keys: &[ApiKey]| Keyring::new(keys).unwrap_err();
        assert_eq!(error(&[]), KeyringError::Empty);
        assert_eq!(
            error(&[key("a", "x", None), key("a", "y", None)]),
            KeyringError::SameName("a".into())
        );
        assert_eq!(
            error(&[key("a", "x", None), key("b", "x", None)]),
            KeyringError::SameSecret("b".into())
        );
        for (name, secret) in [("", "x"), ("a/b", "x"), ("a", " ")] {
            assert_eq!(
                error(&[key(name, secret, None)]),
                KeyringError::Unusable(name.into())
            );
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let debug = format!("{:?} {:?}", ring(), key("uno", "clave-1", None));
        assert!(!debug.contains("clave"), "{debug}");
    }
}
