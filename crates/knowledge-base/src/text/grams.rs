//! Character n-grams of words: the second lexical signal, which forgives typing errors and
//! joins words that a stemmer doesn't (`boletear`, `boleta`).

/// The length of a gram, in characters; the ends of a word count as one each.
const SIZE: usize = 4;

/// Four characters packed into one number, exactly.
pub(crate) type GramKey = u64;

/// Calls `each` with every gram of a folded word. A word of one or two letters is one gram.
pub(crate) fn each_gram(word: &str, mut each: impl FnMut(GramKey)) {
    let mut key: GramKey = 0;
    let mut length = 0;
    for letter in std::iter::once(' ')
        .chain(word.chars())
        .chain(std::iter::once(' '))
    {
        key = (key << 16) | GramKey::from(unit(letter));
        length += 1;
        if length >= SIZE {
            each(key);
        }
    }
    if length < SIZE {
        each(key);
    }
}

/// A character in 16 bits; the rare ones beyond share a stand-in.
fn unit(letter: char) -> u16 {
    u16::try_from(u32::from(letter)).unwrap_or(0xfffd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(word: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_gram(word, |key| {
            let units = key.to_be_bytes();
            let units: Vec<u16> = units
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            found.push(
                String::from_utf16_lossy(&units)
                    .trim_start_matches('\0')
                    .to_owned(),
            );
        });
        found
    }

    #[test]
    fn a_word_has_its_grams() {
        assert_eq!(grams("caf"), [" caf", "caf "]);
        assert_eq!(grams("folio"), [" fol", "foli", "olio", "lio "]);
        assert_eq!(grams("nc"), [" nc "]);
        assert_eq!(grams("a"), [" a "]);
        assert_eq!(grams("😀b"), [" \u{fffd}b "]);
    }
}
