//! The words of an index, in order, one after the other.

/// Sorted words; a word's place is its number.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    text: String,
    /// Where each word begins, and at the end where the last one ends.
    starts: Vec<u32>,
    /// Of each word which letters it has, to find similar ones without reading them.
    letters: Vec<u32>,
}

impl Vocabulary {
    /// `words` are sorted and different. `None` where they are too much text.
    pub(crate) fn new<'a>(words: impl ExactSizeIterator<Item = &'a str>) -> Option<Self> {
        let mut vocabulary = Self {
            text: String::new(),
            starts: Vec::with_capacity(words.len() + 1),
            letters: Vec::with_capacity(words.len()),
        };
        for word in words {
            vocabulary
                .starts
                .push(u32::try_from(vocabulary.text.len()).ok()?);
            vocabulary.letters.push(letters(word));
            vocabulary.text.push_str(word);
        }
        vocabulary
            .starts
            .push(u32::try_from(vocabulary.text.len()).ok()?);
        vocabulary.text.shrink_to_fit();
        Some(vocabulary)
    }

    pub(crate) fn len(&self) -> usize {
        self.letters.len()
    }

    /// A word by its number.
    pub(crate) fn word(&self, number: usize) -> Option<&str> {
        let from = *self.starts.get(number)? as usize;
        let to = *self.starts.get(number + 1)? as usize;
        self.text.get(from..to)
    }

    /// The number of a word.
    pub(crate) fn find(&self, word: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.word(middle)?.cmp(word) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Numbers of the words that may be within `edits` of this one: their letters and lengths
    /// don't exclude it.
    pub(crate) fn similar(&self, word: &str, edits: usize) -> impl Iterator<Item = usize> {
        let wanted = letters(word);
        let length = word.len();
        // One edit takes a letter away and brings another.
        let most = u32::try_from(2 * edits).unwrap_or(u32::MAX);
        let candidates = self.letters.iter().enumerate();
        candidates
            .filter(move |(_, has)| (*has ^ wanted).count_ones() <= most)
            .map(|(number, _)| number)
            .filter(move |number| {
                let bounds = self.starts.get(*number).zip(self.starts.get(number + 1));
                bounds.is_some_and(|(from, to)| {
                    length.abs_diff((to - from) as usize) <= edits.saturating_mul(2)
                })
            })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + (self.starts.capacity() + self.letters.capacity()) * size_of::<u32>()
    }
}

/// One bit for each of a–z, and some for the rest.
fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |bits, byte| {
        bits | match byte {
            b'a'..=b'z' => 1 << (byte - b'a'),
            b'0'..=b'9' => 1 << 26,
            _ => 1 << 27,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found() {
        let words = ["", "bolet", "factur", "foli", "ñ"];
        let vocabulary = Vocabulary::new(words.into_iter()).unwrap();
        for (number, word) in words.iter().enumerate() {
            assert_eq!(vocabulary.find(word), Some(number));
            assert_eq!(vocabulary.word(number), Some(*word));
        }
        assert_eq!(vocabulary.find("fact"), None);
        assert_eq!(vocabulary.word(5), None);
        assert_eq!(Vocabulary::default().find("a"), None);
        let similar: Vec<usize> = vocabulary.similar("fatur", 1).collect();
        assert_eq!(similar, [2]);
    }
}
