//! Renewing an answer before its lifetime ends, at a moment of its own for every hit.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::entry::Entry;

/// No draw reaches further than this many computing times: -ln of the smallest draw, 2⁻⁵³.
const FURTHEST: u64 = 37;

/// Whether this hit is the one that renews (XFetch): the answer's computing time, stretched
/// by an exponential draw, reaches the end of the lifetime. `draw` is above 0 and at most 1.
pub(crate) fn is_due(entry: &Entry, now_ms: u64, draw: impl FnOnce() -> f64) -> bool {
    let remaining_ms = entry.fresh_until_ms.saturating_sub(now_ms);
    let compute_ms = u64::from(entry.compute_ms);
    // Nearly every hit ends here, without a draw.
    if remaining_ms > compute_ms * FURTHEST || compute_ms == 0 {
        return false;
    }
    -(compute_ms as f64) * draw().ln() >= remaining_ms as f64
}

/// Random numbers that nobody's safety hangs on (splitmix64), seeded by the standard library.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(RandomState::new().build_hasher().finish()))
    }

    /// Above 0 and at most 1.
    pub(crate) fn draw(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let whole = (z ^ (z >> 31)) >> 11;
        (whole + 1) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::Cost;
    use crate::entry::Shape;

    fn entry(compute_ms: u32) -> Entry {
        Entry {
            value: Bytes::new(),
            shape: Shape::Whole,
            created_ms: 0,
            fresh_until_ms: 900_000,
            expires_ms: 900_000,
            compute_ms,
            cost: Cost::FREE,
            renew_from_ms: 0,
        }
    }

    #[test]
    fn far_from_the_end_no_draw_is_made() {
        let never = || -> f64 { panic!("it drew") };
        assert!(!is_due(&entry(2_000), 0, never));
        assert!(!is_due(&entry(0), 899_999, never));
    }

    #[test]
    fn how_near_a_draw_lets_it_renew() {
        // e⁻¹ reaches one computing time, 1 none, 2⁻⁵³ the furthest.
        let cases = [
            (1.0, 899_999, false),
            (1.0, 900_000, true),
            ((-1.0_f64).exp(), 897_900, false),
            ((-1.0_f64).exp(), 898_000, true),
            (0.5_f64.powi(53), 900_000 - 2_000 * 36, true),
            (0.5_f64.powi(53), 900_000 - 2_000 * 37 - 1, false),
        ];
        for (draw, now_ms, due) in cases {
            assert_eq!(
                is_due(&entry(2_000), now_ms, || draw),
                due,
                "{draw} {now_ms}"
            );
        }
    }

    /// A key asked for 20 times a second, over a hundred lifetimes: renewed in time, every
    /// time, not much too early, and not always at the same moment.
    #[test]
    fn a_hot_key_is_renewed_shortly_before_its_end() {
        let (dice, entry) = (Dice::new(), entry(2_000));
        let renewed: Vec<u64> = (0..100)
            .map(|_| {
                let mut hits = (0..900_000).step_by(50);
                let first = hits.find(|now_ms| is_due(&entry, *now_ms, || dice.draw()));
                900_000 - first.expect("it never expires")
            })
            .collect();
        let mean = renewed.iter().sum::<u64>() / 100;
        // ln(2000 / 50) computing times before the end, and Euler's constant.
        assert!((7_000..11_000).contains(&mean), "{mean}");
        let (least, most) = (renewed.iter().min(), renewed.iter().max());
        assert!(
            least.zip(most).is_some_and(|(l, m)| m - l > 2_000),
            "{renewed:?}"
        );
    }

    #[test]
    fn draws_are_spread_over_their_range() {
        let dice = Dice::new();
        let draws: Vec<f64> = (0..10_000).map(|_| dice.draw()).collect();
        assert!(draws.iter().all(|draw| *draw > 0.0 && *draw <= 1.0));
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
    }
}
