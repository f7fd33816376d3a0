//! The word that was meant, where the one that was typed is nowhere.

use crate::snapshot::Snapshot;

/// The best of the words within one edit, or two for long words: the nearest, then one with
/// the same first letter, then the one that most passages have.
pub(super) fn correct(stem: &str, snapshot: &Snapshot) -> Option<Box<str>> {
    let typed: Vec<char> = stem.chars().collect();
    if typed.iter().any(|letter| !letter.is_alphabetic()) {
        return None;
    }
    let edits = match typed.len() {
        0..=3 => return None,
        4..=7 => 1,
        _ => 2,
    };
    let mut rows = Rows::default();
    let mut best: Option<((usize, bool, usize), Box<str>)> = None;
    for segment in snapshot.segments() {
        for number in segment.vocabulary.similar(stem, edits) {
            let Some(word) = segment.vocabulary.word(number) else {
                continue;
            };
            let Some(distance) = rows.distance(&typed, word, edits) else {
                continue;
            };
            let other_start = word.chars().next() != typed.first().copied();
            let rare = usize::MAX - segment.frequency(number);
            let rank = (distance, other_start, rare);
            if best.as_ref().is_none_or(|(other, _)| rank < *other) {
                best = Some((rank, word.into()));
            }
        }
    }
    best.map(|(_, word)| word)
}

/// Room for the rows of a distance, used again for each word that is compared.
#[derive(Default)]
struct Rows {
    word: Vec<char>,
    before: Vec<usize>,
    above: Vec<usize>,
    line: Vec<usize>,
}

impl Rows {
    /// Edits (a letter more, less, another, or two exchanged) from one word to the other; `None`
    /// over `most`.
    fn distance(&mut self, typed: &[char], word: &str, most: usize) -> Option<usize> {
        self.word.clear();
        self.word.extend(word.chars());
        if typed.len().abs_diff(self.word.len()) > most {
            return None;
        }
        self.above.clear();
        self.above.extend(0..=self.word.len());
        for (row, letter) in typed.iter().enumerate() {
            self.line.clear();
            self.line.push(row + 1);
            let mut left = row + 1;
            let mut least = left;
            for (column, other) in self.word.iter().enumerate() {
                let at =
                    |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX);
                let mut cost = (at(&self.above, column) + usize::from(letter != other))
                    .min(at(&self.above, column + 1) + 1)
                    .min(left + 1);
                let exchanged = row > 0
                    && column > 0
                    && typed.get(row - 1) == Some(other)
                    && self.word.get(column - 1) == Some(letter);
                if exchanged {
                    cost = cost.min(at(&self.before, column - 1) + 1);
                }
                self.line.push(cost);
                left = cost;
                least = least.min(cost);
            }
            if least > most {
                return None;
            }
            std::mem::swap(&mut self.before, &mut self.above);
            std::mem::swap(&mut self.above, &mut self.line);
        }
        let last = self.above.last().copied();
        last.filter(|distance| *distance <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_up_to_a_bound() {
        let cases = [
            ("factur", "factur", Some(0)),
            ("fatur", "factur", Some(1)),
            ("facutr", "factur", Some(1)),
            ("factor", "factur", Some(1)),
            ("facturx", "factur", Some(1)),
            ("fct", "factur", None),
            ("retensn", "retencion", None),
            ("liquidasion", "liquidacion", Some(1)),
            ("likidasion", "liquidacion", None),
        ];
        let mut rows = Rows::default();
        for (typed, word, expected) in cases {
            let typed: Vec<char> = typed.chars().collect();
            assert_eq!(rows.distance(&typed, word, 2), expected, "{word}");
        }
    }
}
