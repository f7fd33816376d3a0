//! A seeded source of choices: the same seed makes the same mutants on every machine.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough to choose lines with.
pub struct Random(u64);

impl Random {
    /// From a seed and what is chosen for, so that a new class doesn't move the others.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mixed = purpose
            .bytes()
            .fold(seed, |mixed, byte| mixed.rotate_left(7) ^ u64::from(byte));
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 up to below 1.
    pub fn part(&mut self) -> f64 {
        // The 53 bits that a double holds exactly.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of `0..count`; 0 where there is none.
    #[cfg(any(feature = "dte-eval", feature = "match-eval", test))]
    pub fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(1).max(1);
        usize::try_from(self.next() % count).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_follow_from_the_seed_alone() {
        let draw = |seed, purpose| {
            let mut random = Random::new(seed, purpose);
            (0..20).map(|_| random.below(10)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, "iva"), draw(1, "iva"));
        assert_ne!(draw(1, "iva"), draw(2, "iva"));
        assert_ne!(draw(1, "iva"), draw(1, "total"));
        assert!(draw(1, "iva").iter().all(|choice| *choice < 10));
        assert_eq!(Random::new(1, "").below(0), 0);
    }
}
