//! Keys of inputs that came before, so that an input that comes again byte for byte isn't
//! canonicalised again.

use crate::CacheKey;

/// What an entry costs beyond its input: the key, handles, and moka's own books.
const ENTRY_OVERHEAD: usize = 256;

/// Remembers which key an input had.
///
/// Making a key reads the whole input, sorts its members, normalises its numbers and hashes
/// it; clients that repeat a question mostly repeat it to the byte. A memo compares the bytes
/// themselves, so it can only give the key that would be made again. It is bounded, and losing
/// an entry costs nothing but that work.
#[derive(Debug)]
pub struct KeyMemo {
    keys: moka::sync::Cache<Box<[u8]>, CacheKey, foldhash::quality::RandomState>,
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

    /// These parts as one input: everything that decides the key, each with its length before
    /// it, so that no two different lists look alike.
    #[must_use]
    pub fn input(parts: &[&[u8]]) -> Vec<u8> {
        let length = parts
            .iter()
            .map(|part| part.len() + size_of::<usize>())
            .sum();
        let mut input = Vec::with_capacity(length);
        for part in parts {
            input.extend_from_slice(&part.len().to_ne_bytes());
            input.extend_from_slice(part);
        }
        input
    }

    /// The key that this input had, if it is remembered.
    #[must_use]
    pub fn get(&self, input: &[u8]) -> Option<CacheKey> {
        self.keys.get(input)
    }

    /// Remembers it.
    pub fn insert(&self, input: Vec<u8>, key: CacheKey) {
        self.keys.insert(input.into_boxed_slice(), key);
    }
}

#[expect(clippy::borrowed_box, reason = "the signature that moka asks for")]
fn weight(input: &Box<[u8]>, _: &CacheKey) -> u32 {
    u32::try_from(input.len() + ENTRY_OVERHEAD).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        let of = |parts: &[&[u8]]| KeyMemo::input(parts);
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
        for other in [
            &[&b"a"[..], b"bc"][..],
            &[b"abc"],
            &[b"ab", b"c", b""],
            &[b"c", b"ab"],
        ] {
            assert_ne!(of(&[b"ab", b"c"]), of(other), "{other:?}");
        }
    }

    #[test]
    fn what_was_remembered_is_given_and_nothing_else() {
        let memo = KeyMemo::new(10_000);
        let key = CacheKey::builder("validate", "uno").finish();
        memo.insert(KeyMemo::input(&[b"a"]), key);
        assert_eq!(memo.get(&KeyMemo::input(&[b"a"])), Some(key));
        assert_eq!(memo.get(&KeyMemo::input(&[b"b"])), None);
    }

    #[test]
    fn it_is_bounded_by_bytes() {
        let memo = KeyMemo::new(10_000);
        let key = CacheKey::builder("validate", "uno").finish();
        for i in 0..1_000_u32 {
            memo.insert(KeyMemo::input(&[&i.to_le_bytes(), &[0; 700]]), key);
        }
        memo.keys.run_pending_tasks();
        assert!(memo.keys.weighted_size() <= 10_000);
        assert!(memo.keys.entry_count() <= 10);
    }
}
