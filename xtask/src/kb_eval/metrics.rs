//! Figures of a ranking against judgements.

use std::collections::HashMap;

use serde::Serialize;

/// How deep a ranking is looked at.
pub const DEPTH: usize = 10;

/// Means over questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Quality {
    /// How many questions have an answer in the corpus.
    pub questions: usize,
    /// The share of questions with an answer at the first place.
    pub recall_1: f64,
    /// Among the first three.
    pub recall_3: f64,
    /// Among the first ten.
    pub recall_10: f64,
    /// The mean of 1 / the first answer's place, 0 beyond ten.
    pub mrr_10: f64,
    /// Discounted cumulative gain over the best possible, with gains 2^grade − 1.
    pub ndcg_10: f64,
}

impl Quality {
    /// Judges rankings: of each question the ids found, best first, and the grades of those that
    /// answer it. Questions without an answer don't count.
    pub fn of<'a>(
        rankings: impl IntoIterator<Item = (Vec<String>, &'a HashMap<String, u32>)>,
    ) -> Self {
        let mut sum = Self::default();
        for (found, grades) in rankings {
            if !grades.is_empty() {
                sum.count(&found, grades);
            }
        }
        let questions = float(sum.questions.max(1));
        Self {
            questions: sum.questions,
            recall_1: sum.recall_1 / questions,
            recall_3: sum.recall_3 / questions,
            recall_10: sum.recall_10 / questions,
            mrr_10: sum.mrr_10 / questions,
            ndcg_10: sum.ndcg_10 / questions,
        }
    }

    fn count(&mut self, found: &[String], grades: &HashMap<String, u32>) {
        self.questions += 1;
        let found = found.get(..found.len().min(DEPTH)).unwrap_or(found);
        let first = found.iter().position(|id| grades.contains_key(id));
        let within = |places: usize| f64::from(first.is_some_and(|place| place < places));
        self.recall_1 += within(1);
        self.recall_3 += within(3);
        self.recall_10 += within(DEPTH);
        self.mrr_10 += first.map_or(0.0, |place| 1.0 / float(place + 1));
        let gains = found.iter().map(|id| grades.get(id).copied().unwrap_or(0));
        let mut ideal: Vec<u32> = grades.values().copied().collect();
        ideal.sort_unstable_by(|one, other| other.cmp(one));
        let best = gain(ideal.into_iter().take(DEPTH));
        if best > 0.0 {
            self.ndcg_10 += gain(gains) / best;
        }
    }
}

fn gain(grades: impl Iterator<Item = u32>) -> f64 {
    let discounted = grades
        .enumerate()
        .map(|(place, grade)| (f64::from(grade.min(30)).exp2() - 1.0) / float(place + 2).log2());
    discounted.sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts of questions and places")]
pub fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_the_textbook_s() {
        let grades: HashMap<String, u32> = [("a".to_owned(), 2), ("b".to_owned(), 1)]
            .into_iter()
            .collect();
        let none = HashMap::new();
        let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let quality = Quality::of([
            (ids(&["x", "a", "b"]), &grades),
            (ids(&["a", "b"]), &grades),
            (ids(&["x"]), &none),
        ]);
        assert_eq!(quality.questions, 2);
        assert_eq!((quality.recall_1, quality.recall_3), (0.5, 1.0));
        assert!((quality.mrr_10 - 0.75).abs() < 1e-9);
        let best = 3.0 + 1.0 / 3_f64.log2();
        let second = 3.0 / 3_f64.log2() + 1.0 / 2.0;
        assert!((quality.ndcg_10 - f64::midpoint(1.0, second / best)).abs() < 1e-9);
    }

    #[test]
    fn what_is_beyond_the_tenth_place_counts_nothing() {
        let grades: HashMap<String, u32> = [("a".to_owned(), 2)].into_iter().collect();
        let mut found: Vec<String> = (0..DEPTH).map(|number| number.to_string()).collect();
        found.push("a".to_owned());
        let quality = Quality::of([(found, &grades)]);
        assert_eq!(
            (quality.recall_10, quality.mrr_10, quality.ndcg_10),
            (0.0, 0.0, 0.0)
        );
    }
}
