//! What replicas tell each other, so that whatever is heard is either exactly what was told
//! about that key or nothing.
//!
//! | bytes | content |
//! |---|---|
//! | 16 | BLAKE3 of all that follows, keyed by the whole cache key, first 16 bytes |
//! | 1 | 0 kept, 1 passing, 2 in the store, 3 final, 4 failed |
//! | n | kept, passing: a frame; final: the code, 2 bytes, little endian; else nothing |

use bytes::Bytes;

use crate::CacheKey;
use crate::frame::{self, seal};

use super::Outcome;

const SEAL_BYTES: usize = 16;

const KEPT: u8 = 0;
const PASSING: u8 = 1;
const IN_STORE: u8 = 2;
const FINAL: u8 = 3;
const FAILED: u8 = 4;

/// The message that tells `outcome`; `framed` is the frame of its answer, if it has one. An
/// answer that is too large for a message is told as being in the store, or, if it isn't
/// there, as a failure: whoever waits for it has to compute.
pub(crate) fn encode(key: &CacheKey, outcome: &Outcome, framed: Option<&Bytes>) -> Bytes {
    let cargo = framed.filter(|frame| SEAL_BYTES + 1 + frame.len() <= store::MAX_MESSAGE_BYTES);
    let mut message = vec![0; SEAL_BYTES];
    match (outcome, cargo) {
        (Outcome::Kept(_), Some(frame)) => {
            message.push(KEPT);
            message.extend_from_slice(frame);
        }
        (Outcome::Passing(_), Some(frame)) => {
            message.push(PASSING);
            message.extend_from_slice(frame);
        }
        (Outcome::Kept(_) | Outcome::InStore, _) => message.push(IN_STORE),
        (Outcome::Final(code), _) => {
            message.push(FINAL);
            message.extend_from_slice(&code.to_le_bytes());
        }
        (Outcome::Passing(_) | Outcome::Failed, _) => message.push(FAILED),
    }
    let seal = seal(key, &message[SEAL_BYTES..]);
    message[..SEAL_BYTES].copy_from_slice(&seal);
    Bytes::from(message)
}

/// The outcome in a message, if it is whole and about this key.
pub(crate) fn decode(key: &CacheKey, message: &[u8]) -> Option<Outcome> {
    let (claimed, content) = message.split_at_checked(SEAL_BYTES)?;
    if claimed != seal(key, content) {
        return None;
    }
    let (kind, cargo) = content.split_first()?;
    match (*kind, cargo) {
        (KEPT, frame) => frame::decode(key, frame).ok().map(Outcome::Kept),
        (PASSING, frame) => frame::decode(key, frame).ok().map(Outcome::Passing),
        (IN_STORE, []) => Some(Outcome::InStore),
        (FINAL, [low, high]) => Some(Outcome::Final(u16::from_le_bytes([*low, *high]))),
        (FAILED, []) => Some(Outcome::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert_eq, proptest};

    use super::*;
    use crate::Cost;
    use crate::entry::{Entry, Shape};

    fn key(tenant: &str) -> CacheKey {
        CacheKey::builder("validate", tenant).finish()
    }

    fn outcomes(length: usize) -> [Outcome; 5] {
        let entry = Entry {
            value: Bytes::from(vec![7; length]),
            shape: Shape::Whole,
            created_ms: 1,
            fresh_until_ms: 2,
            expires_ms: 3,
            compute_ms: 4,
            cost: Cost::FREE,
            renew_from_ms: 0,
        };
        [
            Outcome::Kept(entry.clone()),
            Outcome::Passing(entry),
            Outcome::InStore,
            Outcome::Final(0xabcd),
            Outcome::Failed,
        ]
    }

    fn message(outcome: &Outcome) -> Bytes {
        let framed = match outcome {
            Outcome::Kept(entry) | Outcome::Passing(entry) => {
                Some(frame::encode(&key("1"), entry, usize::MAX))
            }
            _ => None,
        };
        encode(&key("1"), outcome, framed.as_ref())
    }

    #[test]
    fn what_is_told_is_heard_by_those_who_ask_for_that_key() {
        for outcome in outcomes(100) {
            assert_eq!(decode(&key("2"), &message(&outcome)), None);
            assert_eq!(decode(&key("1"), &message(&outcome)), Some(outcome));
        }
    }

    #[test]
    fn what_is_too_large_to_be_told_is_said_to_be_where_it_is() {
        let [kept, passing, ..] = outcomes(store::MAX_MESSAGE_BYTES);
        assert_eq!(decode(&key("1"), &message(&kept)), Some(Outcome::InStore));
        assert_eq!(decode(&key("1"), &message(&passing)), Some(Outcome::Failed));
        assert!(message(&kept).len() < 100);
    }

    proptest! {
        #[test]
        fn anything_else_is_nothing(
            which in 0..5usize,
            at in any::<prop::sample::Index>(),
            change in 1..=255u8,
            noise in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let whole = message(&outcomes(20)[which]);
            let mut changed = whole.to_vec();
            let at = at.index(changed.len());
            changed[at] ^= change;
            prop_assert_eq!(decode(&key("1"), &changed), None);
            prop_assert_eq!(decode(&key("1"), &whole[..at]), None);
            prop_assert_eq!(decode(&key("1"), &noise), None);
        }
    }
}
