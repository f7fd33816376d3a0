//! Nothing but the frame itself is read as an answer.

use bytes::Bytes;
use proptest::prelude::{Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{HEADER_BYTES, Rejection, checksum, decode, encode};
use crate::entry::{Entry, Shape};
use crate::{CacheKey, Cost};

fn key(tenant: &str) -> CacheKey {
    CacheKey::builder("validate", tenant).finish()
}

fn entry(value: &[u8]) -> Entry {
    Entry {
        value: Bytes::copy_from_slice(value),
        shape: Shape::Whole,
        created_ms: 1,
        fresh_until_ms: 2,
        expires_ms: 3,
        compute_ms: 4,
        cost: Cost {
            pico_usd: 5,
            tokens: 6,
        },
        renew_from_ms: 0,
    }
}

/// Values that compress and values that don't.
fn value() -> impl Strategy<Value = Vec<u8>> {
    (prop::collection::vec(any::<u8>(), 0..40), 1..20usize).prop_map(|(part, n)| part.repeat(n))
}

proptest! {
    #[test]
    fn a_frame_gives_back_what_it_was_made_of(
        value in value(),
        times in any::<[u64; 3]>(),
        compute_ms in any::<u32>(),
        (pico_usd, tokens) in any::<(u64, u64)>(),
        events in any::<bool>(),
        compress_from in 0..500usize,
    ) {
        let [created_ms, fresh_until_ms, expires_ms] = times;
        let entry = Entry {
            shape: if events { Shape::Events } else { Shape::Whole },
            created_ms, fresh_until_ms, expires_ms, compute_ms,
            cost: Cost { pico_usd, tokens },
            ..entry(&value)
        };
        let frame = encode(&key("1"), &entry, compress_from);
        prop_assert!(frame.len() <= HEADER_BYTES + value.len());
        prop_assert_eq!(decode(&key("1"), &frame).unwrap(), entry);
        prop_assert!(decode(&key("2"), &frame).is_err());
    }

    #[test]
    fn any_changed_byte_is_noticed(
        value in value(),
        at in any::<prop::sample::Index>(),
        change in 1..=255u8,
    ) {
        let mut frame = encode(&key("1"), &entry(&value), 64).to_vec();
        let at = at.index(frame.len());
        frame[at] ^= change;
        prop_assert!(decode(&key("1"), &frame).is_err());
    }

    #[test]
    fn any_other_length_is_noticed(
        value in prop::collection::vec(any::<u8>(), 0..50),
        length in 0..200usize,
    ) {
        let mut frame = encode(&key("1"), &entry(&value), 64).to_vec();
        let whole = frame.len();
        frame.resize(length, 0);
        prop_assert_eq!(decode(&key("1"), &frame).is_ok(), length == whole);
    }

    #[test]
    fn bytes_from_anywhere_are_refused_without_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        ours in any::<bool>(),
    ) {
        let mut bytes = bytes;
        if ours {
            bytes.splice(..0, *b"aic\x02");
        }
        prop_assert!(decode(&key("1"), &bytes).is_err());
    }

    /// Even somebody who can make checksums gets nothing but an entry or a refusal.
    #[test]
    fn a_sealed_frame_of_nonsense_is_refused_without_a_panic(
        head in prop::collection::vec(any::<u8>(), 46),
        length in prop_oneof_lengths(),
        coded in prop::collection::vec(any::<u8>(), 0..60),
        coding in 0..4u8,
    ) {
        let mut frame = b"aic\x02".to_vec();
        frame.resize(20, 0);
        frame.extend_from_slice(&head);
        frame[20] %= 3;
        frame[21] = coding;
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(&(coded.len() as u32).to_le_bytes());
        frame.extend_from_slice(&coded);
        let seal = checksum(&key("1"), &frame);
        frame[4..20].copy_from_slice(&seal);
        match decode(&key("1"), &frame) {
            Ok(entry) => prop_assert_eq!(entry.value.len(), length as usize),
            Err(rejection) => prop_assert_eq!(rejection, Rejection::Coding),
        }
    }
}

fn prop_oneof_lengths() -> impl Strategy<Value = u32> {
    (any::<bool>(), any::<u32>(), 0..80u32).prop_map(|(wild, any, near)| match wild {
        true => any,
        false => near,
    })
}

#[test]
fn text_is_compressed_over_the_threshold_and_noise_is_not() {
    let text = br#"{"code":"IVA-01","severity":"error","message":"El IVA no cuadra"}"#.repeat(40);
    let plain = encode(&key("1"), &entry(&text), text.len() + 1);
    assert_eq!(plain.len(), HEADER_BYTES + text.len());
    let packed = encode(&key("1"), &entry(&text), text.len());
    assert!(packed.len() < text.len() / 4, "{}", packed.len());
    assert_eq!(decode(&key("1"), &packed).unwrap().value, text);

    let mut noise = vec![0; 2_600];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    let frame = encode(&key("1"), &entry(&noise), 1);
    assert_eq!(frame.len(), HEADER_BYTES + noise.len());
}

#[test]
fn a_decoded_value_holds_on_to_no_frame() {
    for compress_from in [1, usize::MAX] {
        let frame = encode(&key("1"), &entry(&[b'x'; 500]), compress_from);
        let value = decode(&key("1"), &frame).unwrap().value;
        assert!(!frame.as_ptr_range().contains(&value.as_ptr()));
    }
}
