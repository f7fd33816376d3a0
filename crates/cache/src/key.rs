//! What an answer is kept under: one hash over everything that it depends on.

use std::fmt;
use std::hash::{Hash, Hasher as HashState};

use blake3::Hasher;

use crate::KeyError;
use crate::canonical::canonicalise;
use crate::flush::tag;

/// Part of every hash: a change of how keys are made must find nothing of the old ones.
const FORMAT: &[u8] = b"ai-service cache key 1";

/// What an answer is kept under.
///
/// BLAKE3 over the format, the operation, the tenant and every part that the builder was
/// given, each with its kind, its name and its length before it, so that no two different
/// lists of parts are hashed alike. Two tenants never share a key.
#[derive(Clone, Copy)]
pub struct CacheKey {
    operation: &'static str,
    class: &'static str,
    hash: [u8; 32],
    /// The tenant's tag, and that of the part of its name before the first `/`.
    tenant: [u64; 2],
}

impl PartialEq for CacheKey {
    /// The operation is in the hash; the class isn't part of what a key means.
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for CacheKey {}

impl Hash for CacheKey {
    fn hash<H: HashState>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl CacheKey {
    /// Begins a key for an answer of `operation` (lower-case letters, digits and `_`, at most
    /// 64; it is also a metric's label) that belongs to `tenant`.
    #[must_use]
    pub fn builder(operation: &'static str, tenant: &str) -> KeyBuilder {
        let mut hasher = Hasher::new();
        hasher.update(FORMAT);
        let class = "";
        let group = tenant.split('/').next().unwrap_or_default();
        KeyBuilder {
            operation,
            class,
            hasher,
            tenant: [tag(tenant), tag(group)],
        }
        .part(Part::Operation, "", operation.as_bytes())
        .part(Part::Tenant, "", tenant.as_bytes())
    }

    /// The operation whose answer this is.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The class whose hit rate this key's lookups count to; empty unless one was given.
    #[must_use]
    pub fn class(&self) -> &'static str {
        self.class
    }

    /// The name in the store: `cache:v1:{operation}:{hash in hex}`.
    #[must_use]
    pub fn store_name(&self) -> String {
        let hex = blake3::Hash::from_bytes(self.hash).to_hex();
        format!("cache:v1:{}:{hex}", self.operation)
    }

    /// What the replicas agree under who computes, and tell each other how it ended.
    pub(crate) fn flight_name(&self) -> String {
        let hex = blake3::Hash::from_bytes(self.hash).to_hex();
        format!("cache:v2:flight:{hex}")
    }

    /// Whether it belongs to the tenant with this tag, or to one whose name begins so.
    pub(crate) fn is_of(&self, tenant: u64) -> bool {
        self.tenant.contains(&tenant)
    }

    pub(crate) fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.store_name())
    }
}

/// What a part of a key is; its number is hashed and never changes its meaning.
#[derive(Clone, Copy)]
enum Part {
    Operation = 1,
    Tenant = 2,
    Version = 3,
    Model = 4,
    Parameter = 5,
    Excluded = 6,
    Json = 7,
    Bytes = 8,
}

/// A key in the making. The order of the calls is part of the key.
#[derive(Clone)]
pub struct KeyBuilder {
    operation: &'static str,
    class: &'static str,
    hasher: Hasher,
    tenant: [u64; 2],
}

impl KeyBuilder {
    /// A version that the answer depends on, as of the prompt or the rules.
    #[must_use]
    pub fn version(self, name: &str, version: &str) -> Self {
        self.part(Part::Version, name, version.as_bytes())
    }

    /// A class of keys that are asked for alike (as a kind of document): adaptive lifetimes are
    /// learnt for each. It is no part of what the key means, and is a metric's label: one of a
    /// handful of names.
    #[must_use]
    pub fn class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    /// The model that answers. Without one, don't call it: no model is not an empty name.
    #[must_use]
    pub fn model(self, model: &str) -> Self {
        self.part(Part::Model, "", model.as_bytes())
    }

    /// A parameter of the model, as `max_tokens`.
    #[must_use]
    pub fn parameter(self, name: &str, value: &str) -> Self {
        self.part(Part::Parameter, name, value.as_bytes())
    }

    /// The input as JSON text, but for the top-level members named in `excluded` (as a
    /// request's id): what isn't in the key is listed, so that a new field can't be forgotten.
    /// The list itself is in the key.
    ///
    /// Texts that differ only in the order of members, white space, escapes or the spelling
    /// of numbers (`1`, `1.0`, `10e-1`) give one key; see the crate's page. It takes about
    /// 5 ns a byte: a text of over 100 KB belongs on a blocking thread.
    ///
    /// # Errors
    /// [`KeyError`] if the text is no JSON, has a member twice or goes beyond a bound. An
    /// excluded member is checked as any other.
    pub fn json(self, text: &str, excluded: &[&str]) -> Result<Self, KeyError> {
        let canonical = canonicalise(text, excluded)?;
        let mut names = excluded.to_vec();
        names.sort_unstable();
        names.dedup();
        let with_names = names.into_iter().fold(self, |builder, name| {
            builder.part(Part::Excluded, name, b"")
        });
        Ok(with_names.part(Part::Json, "", &canonical))
    }

    /// An input that isn't JSON, byte by byte.
    #[must_use]
    pub fn bytes(self, name: &str, bytes: &[u8]) -> Self {
        self.part(Part::Bytes, name, bytes)
    }

    /// The key.
    #[must_use]
    pub fn finish(self) -> CacheKey {
        CacheKey {
            operation: self.operation,
            class: self.class,
            hash: *self.hasher.finalize().as_bytes(),
            tenant: self.tenant,
        }
    }

    fn part(mut self, part: Part, name: &str, content: &[u8]) -> Self {
        let mut head = [0; 17];
        head[0] = part as u8;
        head[1..9].copy_from_slice(&(name.len() as u64).to_le_bytes());
        head[9..].copy_from_slice(&(content.len() as u64).to_le_bytes());
        self.hasher.update(&head);
        self.hasher.update(name.as_bytes());
        self.hasher.update(content);
        self
    }
}

impl fmt::Debug for KeyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBuilder")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}
