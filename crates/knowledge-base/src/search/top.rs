//! The best candidates, of any number.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use jiff::civil::Date;

/// Scores that differ by less than this are even.
const EVEN: f32 = 1.0 / 1024.0;

/// A passage with its score.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// The score in steps of [`EVEN`].
    step: i32,
    pub(super) score: f32,
    pub(super) updated: Option<Date>,
    pub(super) segment: usize,
    pub(super) slot: usize,
}

impl Candidate {
    /// `score` isn't negative.
    pub(super) fn new(score: f32, updated: Option<Date>, segment: usize, slot: usize) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "down to a whole step; whatever is no step of a score is even"
        )]
        let step = (score / EVEN) as i32;
        Self {
            step,
            score,
            updated,
            segment,
            slot,
        }
    }
}

impl Eq for Candidate {}

impl Ord for Candidate {
    /// By score in steps of [`EVEN`], then the newer, then the exact score, then the order of
    /// the documents, so that the same question always has the same answer.
    fn cmp(&self, other: &Self) -> Ordering {
        self.step
            .cmp(&other.step)
            .then_with(|| self.updated.cmp(&other.updated))
            .then_with(|| self.score.total_cmp(&other.score))
            .then_with(|| (other.segment, other.slot).cmp(&(self.segment, self.slot)))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Keeps the best `most`.
#[derive(Debug)]
pub(super) struct Top {
    most: usize,
    heap: BinaryHeap<Reverse<Candidate>>,
    /// A score under this can't come in.
    least: f32,
}

impl Top {
    pub(super) fn new(most: usize) -> Self {
        let heap = BinaryHeap::with_capacity(most + 1);
        Self {
            most,
            heap,
            least: 0.0,
        }
    }

    /// Whether a candidate with this score might come in; cheap, and right for all but a few.
    pub(super) fn wants(&self, score: f32) -> bool {
        score >= self.least
    }

    pub(super) fn offer(&mut self, candidate: Candidate) {
        self.heap.push(Reverse(candidate));
        if self.heap.len() > self.most {
            self.heap.pop();
            let worst = self.heap.peek().map_or(0.0, |worst| worst.0.score);
            self.least = worst - EVEN;
        }
    }

    /// Best first.
    pub(super) fn into_sorted(self) -> Vec<Candidate> {
        let sorted = self.heap.into_sorted_vec();
        sorted.into_iter().map(|reverse| reverse.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn candidate(score: f32, updated: Option<Date>, slot: usize) -> Candidate {
        Candidate::new(score, updated, 0, slot)
    }

    #[test]
    fn the_best_stay_and_the_newer_wins_a_tie() {
        let mut top = Top::new(3);
        let (old, new) = (Some(date(2020, 1, 1)), Some(date(2026, 1, 1)));
        for one in [
            candidate(0.2, None, 0),
            candidate(0.500_1, old, 1),
            candidate(0.500_0, new, 2),
            candidate(0.9, None, 3),
            candidate(0.1, new, 4),
            candidate(0.500_1, old, 5),
        ] {
            if top.wants(one.score) {
                top.offer(one);
            }
        }
        let slots: Vec<usize> = top.into_sorted().iter().map(|one| one.slot).collect();
        assert_eq!(slots, [3, 2, 1]);
    }

    #[test]
    fn none_fit_into_nothing() {
        let mut top = Top::new(0);
        top.offer(candidate(1.0, None, 0));
        assert!(top.into_sorted().is_empty());
    }
}
