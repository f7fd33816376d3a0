//! Precision, recall and calibration.

use serde::Serialize;

/// Parts of the scale of confidence.
const BINS: usize = 10;

/// One answer: how sure, whether something was named, and what was right.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// In percent.
    pub confidence: u8,
    /// Something was named.
    pub named: bool,
    /// The likeliest candidate is right, named or not.
    pub right: bool,
    /// Something would have been right.
    pub possible: bool,
}

/// The figures of one set of answers.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Which.
    pub name: String,
    /// Answers.
    pub answers: usize,
    /// Of those that named something, the part that is right.
    pub precision: f64,
    /// Of those where something would have been right, the part in which it was named.
    pub recall: f64,
    /// Expected calibration error: the mean distance of confidence and truth over ten parts
    /// of the scale, by their answers.
    pub ece: f64,
    /// The parts: answers, mean confidence, part that is right; the last two from 0 to 1.
    pub reliability: Vec<(usize, f64, f64)>,
}

impl Figures {
    /// Of some answers.
    pub fn of(name: impl Into<String>, answers: &[Answer]) -> Self {
        let count = |which: &dyn Fn(&Answer) -> bool| answers.iter().filter(|a| which(a)).count();
        let named = count(&|answer| answer.named);
        let named_right = count(&|answer| answer.named && answer.right);
        let reliability = reliability(answers);
        let gaps = reliability
            .iter()
            .map(|(count, sure, right)| *count as f64 * (sure - right).abs());
        Self {
            name: name.into(),
            answers: answers.len(),
            precision: part(named_right, named),
            recall: part(named_right, count(&|answer| answer.possible)),
            ece: gaps.sum::<f64>() / answers.len().max(1) as f64,
            reliability,
        }
    }

    /// One row of a table.
    pub fn row(&self) -> String {
        format!(
            "  {:<26} {:>5}  precision {:.4}  recall {:.4}  ECE {:.4}",
            self.name, self.answers, self.precision, self.recall, self.ece
        )
    }

    /// The diagram: for each part of the scale how often it was right.
    pub fn diagram(&self) -> Vec<String> {
        let lines = self
            .reliability
            .iter()
            .enumerate()
            .map(|(bin, (count, sure, right))| {
                let width = if *count == 0 {
                    0
                } else {
                    (right * 40.0).round() as usize
                };
                let bar = "#".repeat(width);
                let at = (sure * 40.0).round() as usize;
                let mut bar: Vec<char> = format!("{bar:<41}").chars().collect();
                if *count > 0
                    && let Some(place) = bar.get_mut(at)
                {
                    *place = '|';
                }
                let bar: String = bar.into_iter().collect();
                format!(
                    "  {:>3}-{:<3} {count:>5}  {sure:.3}  {right:.3}  {bar}",
                    bin * 10,
                    bin * 10 + 9
                )
            });
        let head = "  conf.  count   said  right  (# right, | said)".to_owned();
        std::iter::once(head).chain(lines).collect()
    }
}

/// 1 for nothing of nothing.
fn part(some: usize, all: usize) -> f64 {
    if all == 0 {
        1.0
    } else {
        some as f64 / all as f64
    }
}

fn reliability(answers: &[Answer]) -> Vec<(usize, f64, f64)> {
    (0..BINS)
        .map(|bin| {
            let inside: Vec<&Answer> = answers
                .iter()
                .filter(|one| usize::from(one.confidence) / 10 == bin)
                .collect();
            let count = inside.len();
            let sure: f64 = inside
                .iter()
                .map(|one| f64::from(one.confidence) / 100.0)
                .sum();
            let right = inside.iter().filter(|one| one.right).count();
            let all = count.max(1) as f64;
            (count, sure / all, right as f64 / all)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        let answer = |confidence, named, right, possible| Answer {
            confidence,
            named,
            right,
            possible,
        };
        let answers = [
            answer(90, true, true, true),
            answer(90, true, false, true),
            answer(30, false, true, true),
            answer(30, false, false, false),
        ];
        let figures = Figures::of("x", &answers);
        assert_eq!((figures.precision, figures.recall), (0.5, 1.0 / 3.0));
        assert!((figures.ece - 0.3).abs() < 1e-9, "{}", figures.ece);
        assert_eq!(Figures::of("none", &[]).precision, 1.0);
        assert_eq!(figures.diagram().len(), 11);
    }
}
