//! The instructions, in blocks.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::value::{RawValue, to_raw_value};

use super::chars;

/// One block of the instructions, and whether the prompt up to its end is worth caching.
///
/// Clones share what is worked out of the text: its characters, its form in JSON, its hash. So
/// instructions that every call begins with are made once, and cloned for each.
#[derive(Clone)]
pub struct SystemBlock {
    text: Arc<Text>,
    cache: Option<CacheLifetime>,
}

/// A text and what is worked out of it.
struct Text {
    text: Arc<str>,
    chars: u64,
    json: OnceLock<Box<RawValue>>,
    hash: OnceLock<[u8; 32]>,
}

impl SystemBlock {
    /// A block that is sent as it is. Takes a shared text without copying it.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let text = Text {
            chars: chars(&text),
            text,
            json: OnceLock::new(),
            hash: OnceLock::new(),
        };
        Self {
            text: Arc::new(text),
            cache: None,
        }
    }

    /// Marks the end of this block as the end of a prefix that the provider should keep.
    ///
    /// Mark what is the same in every call (rules, examples), and put what differs after it.
    #[must_use]
    pub fn cached(mut self, lifetime: CacheLifetime) -> Self {
        self.cache = Some(lifetime);
        self
    }

    /// The block's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// The text's characters, counted once.
    pub(crate) fn chars(&self) -> u64 {
        self.text.chars
    }

    /// The text as a string of JSON, written once.
    pub(crate) fn json(&self) -> Result<&RawValue, serde_json::Error> {
        let json = &self.text.json;
        if let Some(json) = json.get() {
            return Ok(json);
        }
        let written = to_raw_value(self.text())?;
        Ok(json.get_or_init(|| written))
    }

    /// The text's hash, worked out once.
    pub(crate) fn hash(&self) -> &[u8; 32] {
        let hash = || *blake3::hash(self.text().as_bytes()).as_bytes();
        self.text.hash.get_or_init(hash)
    }

    /// How long the provider should keep the prefix that ends here, if at all.
    #[must_use]
    pub fn cache(&self) -> Option<CacheLifetime> {
        self.cache
    }
}

impl PartialEq for SystemBlock {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() && self.cache == other.cache
    }
}

impl Eq for SystemBlock {}

impl fmt::Debug for SystemBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemBlock")
            .field("text", &self.text())
            .field("cache", &self.cache)
            .finish()
    }
}

/// How long the provider keeps a cached prefix after its last use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheLifetime {
    /// Five minutes: a write costs 1.25 times the input price on most models.
    FiveMinutes,
    /// One hour: a write costs twice the input price on most models. These marks come
    /// before the five-minute ones.
    OneHour,
}

impl CacheLifetime {
    /// The provider's spelling, `5m` or `1h`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::OneHour => "1h",
        }
    }
}
