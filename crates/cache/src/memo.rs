//! Keys of inputs that came before, so that an input that comes again byte for byte isn't
//! canonicalised again.

use crate::CacheKey;

/// Remembers which key an input had.
///
/// Making a key reads the whole input, sorts its members and normalises its numbers; clients
/// that repeat a question mostly repeat it to the byte. A memo is found by one hash over those
/// bytes and over all else that the key was made of, so it can only give what would be made
/// again; it is bounded, and losing an entry costs nothing but that work.
#[derive(Debug)]
pub struct KeyMemo {
    keys: moka::sync::Cache<MemoId, CacheKey>,
}

/// What a memo is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MemoId([u8; 32]);

impl MemoId {
    /// The id of these parts, in this order: everything that decides the key.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            // The length before it: no two different lists are hashed alike.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }
}

impl KeyMemo {
    /// A memo of at most so many keys; each takes about 300 bytes.
    #[must_use]
    pub fn new(entries: u64) -> Self {
        Self {
            keys: moka::sync::Cache::new(entries),
        }
    }

    /// The key that these parts had, if it is remembered.
    #[must_use]
    pub fn get(&self, id: &MemoId) -> Option<CacheKey> {
        self.keys.get(id)
    }

    /// Remembers it.
    pub fn insert(&self, id: MemoId, key: CacheKey) {
        self.keys.insert(id, key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        let of = |parts: &[&[u8]]| MemoId::of(parts);
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
        let memo = KeyMemo::new(10);
        let key = CacheKey::builder("validate", "uno").finish();
        memo.insert(MemoId::of(&[b"a"]), key);
        assert_eq!(memo.get(&MemoId::of(&[b"a"])), Some(key));
        assert_eq!(memo.get(&MemoId::of(&[b"b"])), None);
    }

    #[test]
    fn it_is_bounded() {
        let memo = KeyMemo::new(10);
        let key = CacheKey::builder("validate", "uno").finish();
        for i in 0..1_000_u32 {
            memo.insert(MemoId::of(&[&i.to_le_bytes()]), key);
        }
        memo.keys.run_pending_tasks();
        assert!(memo.keys.entry_count() <= 10);
    }
}
