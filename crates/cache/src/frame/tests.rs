//! Nothing but the frame itself is read as an answer.

use bytes::Bytes;
use proptest::prelude::{any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{decode, encode, value_of};
use crate::CacheKey;

fn key(tenant: &str) -> CacheKey {
    CacheKey::builder("validate", tenant).finish()
}

proptest! {
    #[test]
    fn a_frame_gives_back_what_it_was_made_of(
        value in prop::collection::vec(any::<u8>(), 0..300),
        created in any::<u64>(),
        expires in any::<u64>(),
    ) {
        let frame = encode(&key("1"), &value, created, expires);
        let entry = decode(&key("1"), &frame).unwrap();
        prop_assert_eq!(&entry.value[..], &value[..]);
        prop_assert_eq!((entry.created_ms, entry.expires_ms), (created, expires));
        prop_assert_eq!(value_of(&frame), entry.value);
        prop_assert!(decode(&key("2"), &frame).is_err());
    }

    #[test]
    fn any_changed_byte_is_noticed(
        value in prop::collection::vec(any::<u8>(), 0..50),
        at in any::<prop::sample::Index>(),
        change in 1..=255u8,
    ) {
        let mut frame = encode(&key("1"), &value, 1, 2).to_vec();
        let at = at.index(frame.len());
        frame[at] ^= change;
        prop_assert!(decode(&key("1"), &Bytes::from(frame)).is_err());
    }

    #[test]
    fn any_other_length_is_noticed(
        value in prop::collection::vec(any::<u8>(), 0..50),
        length in 0..200usize,
    ) {
        let mut frame = encode(&key("1"), &value, 1, 2).to_vec();
        let whole = frame.len();
        frame.resize(length, 0);
        prop_assert_eq!(decode(&key("1"), &Bytes::from(frame)).is_ok(), length == whole);
    }

    #[test]
    fn bytes_from_anywhere_are_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        prop_assert!(decode(&key("1"), &Bytes::from(bytes)).is_err());
    }
}
