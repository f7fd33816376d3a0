//! Scores of all passages of a segment, summed up in arrays.

use super::question::{Question, Span, Term};
use crate::segment::FULL;

/// Arrays with a place for each passage, used again by the next search.
#[derive(Debug, Default)]
pub(super) struct Sums {
    scores: Vec<f32>,
    /// What a span's best alternative gives.
    best: Vec<f32>,
    /// What the words of one alternative give together.
    part: Vec<f32>,
    best_touched: Vec<usize>,
    part_touched: Vec<usize>,
}

impl Sums {
    /// Scores one segment: the share of words found, and the share of grams.
    pub(super) fn fill(&mut self, question: &Question<'_>, segment: usize, slots: usize) {
        self.scores.clear();
        self.scores.resize(slots, 0.0);
        self.best.resize(slots.max(self.best.len()), 0.0);
        self.part.resize(slots.max(self.part.len()), 0.0);
        let words = question.words_share / question.words_total.max(f32::MIN_POSITIVE) / FULL;
        for (term, first) in question.sequence.iter().zip(&question.first) {
            if *first {
                self.term(term, segment, words);
            }
        }
        for term in &question.wholes {
            self.term(term, segment, words);
        }
        for span in &question.spans {
            self.span(question, span, segment, words);
        }
        let share = (1.0 - question.words_share).max(0.0);
        let grams = share / question.grams_total.max(f32::MIN_POSITIVE) / FULL;
        for term in &question.grams {
            self.term(term, segment, grams);
        }
    }

    fn term(&mut self, term: &Term<'_>, segment: usize, factor: f32) {
        let weight = term.weight * factor;
        for posting in term.list(segment) {
            if let Some(score) = self.scores.get_mut(posting.slot()) {
                *score += weight * posting.impact();
            }
        }
    }

    /// A concept counts by the best of its names: a synonym adds what it gives beyond the words
    /// that were asked.
    fn span(&mut self, question: &Question<'_>, span: &Span<'_>, segment: usize, factor: f32) {
        for alternative in &span.alternatives {
            self.alternative(alternative, segment, factor);
        }
        for term in question.sequence.get(span.source.clone()).unwrap_or(&[]) {
            let weight = term.weight * factor;
            for posting in term.list(segment) {
                // Zero is a place that no alternative has touched; below it is enough.
                if let Some(best) = self.best.get_mut(posting.slot())
                    && *best > 0.0
                {
                    *best -= weight * posting.impact();
                }
            }
        }
        for slot in self.best_touched.drain(..) {
            let best = self.best.get_mut(slot).map_or(0.0, std::mem::take);
            if best > 0.0
                && let Some(score) = self.scores.get_mut(slot)
            {
                *score += best;
            }
        }
    }

    fn alternative(&mut self, terms: &[Term<'_>], segment: usize, factor: f32) {
        if let [term] = terms {
            let weight = term.weight * factor;
            for posting in term.list(segment) {
                let given = weight * posting.impact();
                raise(
                    &mut self.best,
                    &mut self.best_touched,
                    posting.slot(),
                    given,
                );
            }
            return;
        }
        for term in terms {
            let weight = term.weight * factor;
            for posting in term.list(segment) {
                if let Some(part) = self.part.get_mut(posting.slot()) {
                    if *part == 0.0 {
                        self.part_touched.push(posting.slot());
                    }
                    *part += weight * posting.impact();
                }
            }
        }
        for slot in self.part_touched.drain(..) {
            let part = self.part.get_mut(slot).map_or(0.0, std::mem::take);
            raise(&mut self.best, &mut self.best_touched, slot, part);
        }
    }

    /// Multiplies all scores.
    pub(super) fn scale(&mut self, factor: f32) {
        for score in &mut self.scores {
            *score *= factor;
        }
    }

    /// Adds to one score.
    pub(super) fn add(&mut self, slot: usize, score: f32) {
        if let Some(sum) = self.scores.get_mut(slot) {
            *sum += score;
        }
    }

    /// The passages that have anything of the question.
    pub(super) fn scored(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        let numbered = self.scores.iter().copied().enumerate();
        numbered.filter(|(_, score)| *score > 0.0)
    }
}

/// Raises a place to a figure over zero, and remembers the place.
fn raise(best: &mut [f32], touched: &mut Vec<usize>, slot: usize, to: f32) {
    if let Some(best) = best.get_mut(slot) {
        if *best == 0.0 {
            touched.push(slot);
        }
        *best = best.max(to);
    }
}

impl Term<'_> {
    fn list(&self, segment: usize) -> &[crate::segment::Posting] {
        self.lists.get(segment).copied().unwrap_or(&[])
    }
}
