//! Keys of inputs that came before, so that an input that comes again byte for byte isn't
//! canonicalised again.

use std::hash::{Hash, Hasher};

use moka::Equivalent;

use crate::CacheKey;

/// What an entry costs beyond its input: the key, handles, and moka's own books.
const ENTRY_OVERHEAD: usize = 256;

/// Remembers which key an input had.
///
/// Making a key reads the whole input, sorts its members, normalises its numbers and hashes
/// it; clients that repeat a question mostly repeat it to the byte. A memo compares the bytes
/// themselves, so it can only give the key that would be made again. It is bounded, and losing
/// an entry costs nothing but that work.
///
/// An input is a list of parts, everything that decides the key; no two different lists look alike.
#[derive(Debug)]
pub struct KeyMemo {
    keys: moka::sync::Cache<Input, CacheKey, foldhash::quality::RandomState>,
}

impl KeyMemo {
    /// A memo of at most so many bytes, its own overhead included.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let keys = moka::sync::Cache::builder()
            .max_capacity(bytes)
            .weigher(weight)
            .build_with_hasher(foldhash::quality::RandomState::default());
        Self { keys }
    }

    /// The key that this input had, if it is remembered. Nothing of it is copied.
    #[must_use]
    pub fn get(&self, input: &[&[u8]]) -> Option<CacheKey> {
        self.keys.get(&Parts(input))
    }

    /// Remembers it.
    pub fn insert(&self, input: &[&[u8]], key: CacheKey) {
        self.keys.insert(Input::of(input), key);
    }
}

/// The parts of an input in one piece, each with its length before it.
#[derive(Debug, PartialEq, Eq)]
struct Input(Box<[u8]>);

/// A length as it stands in an [`Input`].
const LENGTH: usize = size_of::<usize>();

impl Input {
    fn of(parts: &[&[u8]]) -> Self {
        let length = parts.iter().map(|part| part.len() + LENGTH).sum();
        let mut input = Vec::with_capacity(length);
        for part in parts {
            input.extend_from_slice(&part.len().to_ne_bytes());
            input.extend_from_slice(part);
        }
        Self(input.into_boxed_slice())
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<LENGTH>()?;
            let (part, after) = after.split_at_checked(usize::from_ne_bytes(*length))?;
            rest = after;
            Some(part)
        })
    }
}

/// The same, not put together yet.
struct Parts<'a>(&'a [&'a [u8]]);

/// Both are hashed part by part, so that the one is found by the other.
fn hash<'a, H: Hasher>(parts: impl Iterator<Item = &'a [u8]>, state: &mut H) {
    for part in parts {
        part.hash(state);
    }
}

impl Hash for Input {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.parts(), state);
    }
}

impl Hash for Parts<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.0.iter().copied(), state);
    }
}

impl Equivalent<Input> for Parts<'_> {
    fn equivalent(&self, input: &Input) -> bool {
        input.parts().eq(self.0.iter().copied())
    }
}

fn weight(input: &Input, _: &CacheKey) -> u32 {
    u32::try_from(input.0.len() + ENTRY_OVERHEAD).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_given_and_nothing_else() {
        let memo = KeyMemo::new(10_000);
        let key = CacheKey::builder("validate", "uno").finish();
        memo.insert(&[b"ab", b"c"], key);
        assert_eq!(memo.get(&[b"ab", b"c"]), Some(key));
        for other in [
            &[&b"a"[..], b"bc"][..],
            &[b"abc"],
            &[b"ab", b"c", b""],
            &[b"ab"],
            &[],
            &[b"c", b"ab"],
        ] {
            assert_eq!(memo.get(other), None, "{other:?}");
        }
    }

    #[test]
    fn it_is_bounded_by_bytes() {
        let memo = KeyMemo::new(10_000);
        let key = CacheKey::builder("validate", "uno").finish();
        for i in 0..1_000_u32 {
            memo.insert(&[&i.to_le_bytes(), &[0; 700]], key);
        }
        memo.keys.run_pending_tasks();
        assert!(memo.keys.weighted_size() <= 10_000);
        assert!(memo.keys.entry_count() <= 10);
    }
}
