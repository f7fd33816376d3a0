//! Seeded, repeatable draws: the same seed gives the same ids, latencies and fault draws.

use std::sync::atomic::{AtomicU64, Ordering};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A stream of draws that many requests share; draw `n` depends only on the seed and `n`.
#[derive(Debug)]
pub(crate) struct Sequence {
    seed: u64,
    drawn: AtomicU64,
}

impl Sequence {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }

    /// The next 64 random bits.
    pub(crate) fn next(&self) -> u64 {
        let n = self.drawn.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        mix(self
            .seed
            .wrapping_add(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// An id as the API writes them: the prefix, `01`, and 22 letters and digits.
    pub(crate) fn id(&self, prefix: &str) -> String {
        let mut text = String::with_capacity(prefix.len() + 24);
        text.push_str(prefix);
        text.push_str("01");
        for draw in [self.next(), self.next()] {
            let mut rest = draw;
            for _ in 0..11 {
                text.push(char::from(ALPHABET[(rest % 62) as usize]));
                rest /= 62;
            }
        }
        text
    }
}

/// The `SplitMix64` finaliser: spreads every input bit over the output.
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// 64 random bits as a number in the open interval (0, 1).
#[expect(
    clippy::cast_precision_loss,
    reason = "52 bits and a half fit a double exactly"
)]
pub(crate) fn unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let (a, b, c) = (Sequence::new(7), Sequence::new(7), Sequence::new(8));
        let first = a.id("msg_");
        assert_eq!(first, b.id("msg_"));
        assert_ne!(first, c.id("msg_"));
        assert_ne!(first, a.id("msg_"));
        assert_eq!(first.len(), 28);
    }

    #[test]
    fn units_are_inside_the_open_interval() {
        assert!(unit(0) > 0.0);
        assert!(unit(u64::MAX) < 1.0);
    }
}
