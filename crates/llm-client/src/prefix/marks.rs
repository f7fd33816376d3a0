//! What of a request is the same as before, and where a mark for it pays.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::gate::lifetime_of;
use crate::request::chars;
use crate::{CacheLifetime, Capabilities, Output, Request, StructuredOutput, SystemBlock};

/// The identity of a prefix: a hash over all that the provider puts before the mark.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PrefixKey {
    hash: [u8; 32],
    lifetime: CacheLifetime,
}

impl PrefixKey {
    /// The prefix up to the last mark that counts; `None` where none does.
    pub(super) fn of(request: &Request, capabilities: &Capabilities) -> Option<Self> {
        let mut last = None;
        for border in Borders::of(request, capabilities) {
            if let Some(lifetime) = border.block.cache()
                && capabilities.may_cache(border.chars)
            {
                last = Some(Self {
                    hash: border.hash,
                    lifetime,
                });
            }
        }
        last
    }

    pub(super) fn lifetime(&self) -> CacheLifetime {
        self.lifetime
    }
}

impl fmt::Debug for PrefixKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrefixKey").finish_non_exhaustive()
    }
}

/// Remembers prefixes, so that one that comes again can be marked.
pub(super) struct Marker {
    seen: Mutex<HashMap<[u8; 32], Instant>>,
    capacity: usize,
}

impl Marker {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            seen: Mutex::default(),
            capacity,
        }
    }

    /// The request with a mark behind the longest prefix that was seen within the mark's
    /// lifetime and may reach the model's minimum; `None` where nothing is to be changed.
    pub(super) fn mark(
        &self,
        request: &Request,
        capabilities: &Capabilities,
        automatic: Option<CacheLifetime>,
        now: Instant,
    ) -> Option<Request> {
        let lifetime = automatic?;
        if request.system().iter().any(|block| block.cache().is_some()) {
            return None;
        }
        let mut longest = None;
        for (index, border) in Borders::of(request, capabilities).enumerate() {
            let cacheable = capabilities.may_cache(border.chars);
            if cacheable && self.seen_before(border.hash, lifetime, now) {
                longest = Some(index);
            }
        }
        let last = longest?;
        let mut system = request.system().to_vec();
        if let Some(block) = system.get_mut(last) {
            *block = block.clone().cached(lifetime);
        }
        Some(request.with_system(system))
    }

    /// Whether it was seen lately; it has been now.
    fn seen_before(&self, hash: [u8; 32], lifetime: CacheLifetime, now: Instant) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = |at: &Instant| now.saturating_duration_since(*at) < lifetime_of(lifetime);
        if let Some(at) = seen.get_mut(&hash) {
            let before = alive(at);
            *at = now;
            return before;
        }
        if seen.len() >= self.capacity {
            seen.retain(|_, at| alive(at));
        }
        if seen.len() < self.capacity {
            seen.insert(hash, now);
        }
        false
    }
}

/// The end of a system block, with all that stands before it.
struct Border<'a> {
    block: &'a SystemBlock,
    hash: [u8; 32],
    chars: u64,
}

/// Walks over the ends of the system blocks. The provider puts tools before them, so that a
/// forced tool belongs to every prefix.
struct Borders<'a> {
    blocks: std::slice::Iter<'a, SystemBlock>,
    hasher: blake3::Hasher,
    chars: u64,
}

impl<'a> Borders<'a> {
    fn of(request: &'a Request, capabilities: &Capabilities) -> Self {
        let mut borders = Self {
            blocks: request.system().iter(),
            hasher: blake3::Hasher::new(),
            chars: 0,
        };
        if let Output::Json { name, schema } = request.output()
            && capabilities.structured_output == StructuredOutput::ForcedTool
        {
            borders.add(name, chars(name));
            borders.add(schema.text(), schema.chars());
        }
        borders
    }

    fn add(&mut self, text: &str, chars: u64) {
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.hasher.update(&bytes.to_le_bytes());
        self.hasher.update(text.as_bytes());
        self.chars = self.chars.saturating_add(chars);
    }
}

impl<'a> Iterator for Borders<'a> {
    type Item = Border<'a>;

    fn next(&mut self) -> Option<Border<'a>> {
        let block = self.blocks.next()?;
        // As long for every text, so that no two lists of blocks look alike.
        self.hasher.update(block.hash());
        self.chars = self.chars.saturating_add(block.chars());
        Some(Border {
            block,
            hash: *self.hasher.finalize().as_bytes(),
            chars: self.chars,
        })
    }
}
