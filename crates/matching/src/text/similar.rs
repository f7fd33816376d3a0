//! How alike two tokens or two whole descriptions are, from 0 to 1. Symmetric.

use super::{Dimension, Token};

/// The most bytes of a word that are compared letter by letter.
const MAX_WORD: usize = 24;

/// How alike two tokens are. Codes only if they are equal: with one letter wrong it is
/// probably another model.
pub(crate) fn similarity(a: &Token, b: &Token) -> f32 {
    match (a, b) {
        _ if a == b => 1.0,
        (Token::Word(a), Token::Word(b)) => words(a, b),
        (
            Token::Measure {
                base: one,
                written: one_written,
                dimension: one_is,
            },
            Token::Measure {
                base: two,
                written: two_written,
                dimension: two_is,
            },
        ) => {
            let silent = *one_is == Dimension::None || *two_is == Dimension::None;
            if one_is == two_is && one == two {
                1.0
            } else if silent && one_written == two_written {
                0.85
            } else {
                0.0
            }
        }
        _ => 0.0,
    }
}

fn words(a: &str, b: &str) -> f32 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len() < 2 || long.len() > MAX_WORD {
        return 0.0;
    }
    if short.len() >= 3 && long.starts_with(short) {
        return 0.9;
    }
    let bound = match short.len() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    if bound > 0
        && long.len() - short.len() <= bound
        && let Some(edits) = edits(short.as_bytes(), long.as_bytes(), bound)
    {
        return if edits <= 1 { 0.88 } else { 0.78 };
    }
    if abbreviates(short, long) { 0.72 } else { 0.0 }
}

/// `plnch` for `plancha`: the first letter, then letters in order, few of them vowels.
fn abbreviates(short: &str, long: &str) -> bool {
    let vowels = short
        .bytes()
        .skip(1)
        .filter(|b| b"aeiou".contains(b))
        .count();
    if short.len() < 3
        || short.len() * 4 > long.len() * 3
        || vowels > 1
        || short.as_bytes().first() != long.as_bytes().first()
    {
        return false;
    }
    let mut rest = long.bytes();
    short.bytes().all(|wanted| rest.any(|byte| byte == wanted))
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours;
/// `None` for more than `bound`.
fn edits(a: &[u8], b: &[u8], bound: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > bound || a.len().max(b.len()) > MAX_WORD {
        return None;
    }
    let mut rows = [[0_usize; MAX_WORD + 1]; 3];
    for (j, cell) in rows[1].iter_mut().enumerate() {
        *cell = j;
    }
    for (i, x) in a.iter().enumerate() {
        let [before, above, row] = &mut rows;
        row[0] = i + 1;
        let mut least = row[0];
        for (j, y) in b.iter().enumerate() {
            let change = above[j] + usize::from(x != y);
            let mut best = change.min(above[j + 1] + 1).min(row[j] + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(before[j - 1] + 1);
            }
            row[j + 1] = best;
            least = least.min(best);
        }
        if least > bound {
            return None;
        }
        rows.rotate_left(1);
    }
    Some(rows[1][b.len()]).filter(|edits| *edits <= bound)
}

/// The three-letter sequences of a description, as a set of 512 places.
///
/// Finds what tokens miss: words written together or apart. Sequences that fall on one place
/// count as one, which at the length of descriptions hardly matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sketch {
    bits: [u64; 8],
    count: u32,
}

impl Sketch {
    /// Of the tokens, written without spaces.
    pub fn of(tokens: &[Token]) -> Self {
        let mut sketch = Self::default();
        let mut window = [0_u8; 3];
        for token in tokens {
            let (Token::Word(text) | Token::Code(text)) = token else {
                continue;
            };
            for byte in text.bytes() {
                window = [window[1], window[2], byte];
                if window[0] != 0 {
                    sketch.add(window);
                }
            }
        }
        sketch
    }

    fn add(&mut self, window: [u8; 3]) {
        let number = window
            .iter()
            .fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        let place = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55;
        let word = usize::try_from(place >> 6).unwrap_or(0) & 7;
        let bit = 1 << (place & 63);
        self.count += u32::from(self.bits[word] & bit == 0);
        self.bits[word] |= bit;
    }

    /// Twice what is shared over what there is: the Dice coefficient.
    pub fn similarity(&self, other: &Self) -> f32 {
        let pairs = self.bits.iter().zip(&other.bits);
        let shared: u32 = pairs.map(|(a, b)| (a & b).count_ones()).sum();
        let all = self.count + other.count;
        if all == 0 {
            0.0
        } else {
            2.0 * shared as f32 / all as f32
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_known_by_their_misprints_and_abbreviations() {
        for (a, b, least) in [
            ("cemento", "cemneto", 0.8),
            ("cemento", "cem", 0.8),
            ("plancha", "plnch", 0.7),
            ("galvanizado", "galvanisadso", 0.7),
            ("pincel", "pincele", 0.8),
        ] {
            assert!(words(a, b) >= least, "{a} {b} {}", words(a, b));
        }
        for (a, b) in [
            ("rojo", "azul"),
            ("cal", "sal"),
            ("tubo", "cubo de agua"),
            ("de", "desague"),
        ] {
            assert!(words(a, b) < 0.89, "{a} {b}");
        }
        assert_eq!(words("perno", "clavo"), 0.0);
    }

    #[test]
    fn joined_words_are_alike() {
        let sketch = |text: &str| Sketch::of(&tokens(text));
        assert!(sketch("porta cintas negro").similarity(&sketch("portacintas negro")) > 0.9);
        assert!(sketch("cemento gris").similarity(&sketch("tornillo zincado")) < 0.2);
        assert_eq!(sketch("").similarity(&sketch("")), 0.0);
    }

    proptest! {
        #[test]
        fn alike_both_ways_and_within_bounds(a in "[a-z0-9ñ/ ]{0,40}", b in "[a-z0-9ñ/ ]{0,40}") {
            let (a, b) = (tokens(&a), tokens(&b));
            for x in &a {
                for y in &b {
                    let value = similarity(x, y);
                    prop_assert_eq!(value, similarity(y, x));
                    prop_assert!((0.0..=1.0).contains(&value));
                }
                prop_assert_eq!(similarity(x, x), 1.0);
            }
            prop_assert_eq!(Sketch::of(&a).similarity(&Sketch::of(&b)), Sketch::of(&b).similarity(&Sketch::of(&a)));
        }
    }
}
