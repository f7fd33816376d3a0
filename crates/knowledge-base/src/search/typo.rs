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
    let mut best: Option<((usize, bool, usize), Box<str>)> = None;
    for segment in snapshot.segments() {
        for number in segment.vocabulary.similar(stem, edits) {
            let Some(word) = segment.vocabulary.word(number) else {
                continue;
            };
            let Some(distance) = distance(&typed, word, edits) else {
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

/// Edits (a letter more, less, another, or two exchanged) from one word to the other; `None`
/// over `most`.
fn distance(typed: &[char], word: &str, most: usize) -> Option<usize> {
    let word: Vec<char> = word.chars().collect();
    if typed.len().abs_diff(word.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=word.len()).collect();
    for (row, letter) in typed.iter().enumerate() {
        let mut line = Vec::with_capacity(word.len() + 1);
        line.push(row + 1);
        for (column, other) in word.iter().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX);
            let mut cost = (at(&above, column) + usize::from(letter != other))
                .min(at(&above, column + 1) + 1)
                .min(at(&line, column) + 1);
            let exchanged = row > 0
                && column > 0
                && typed.get(row - 1) == Some(other)
                && word.get(column - 1) == Some(letter);
            if exchanged {
                cost = cost.min(at(&before, column - 1) + 1);
            }
            line.push(cost);
        }
        if line.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().filter(|distance| *distance <= most)
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
        for (typed, word, expected) in cases {
            let typed: Vec<char> = typed.chars().collect();
            assert_eq!(distance(&typed, word, 2), expected, "{word}");
        }
    }
}
