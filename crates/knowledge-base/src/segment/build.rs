//! From entries to an index.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::postings::{MAX_SLOTS, Posting, Postings};
use super::{Segment, Vocabulary};
use crate::config::Ranking;
use crate::document::Entry;
use crate::text::{Stems, TokenKind, each_gram, is_stop_word, tokenise};

/// Title, heading, tags, body.
const FIELDS: usize = 4;

/// Average lengths of the fields, in words and in grams. A small index takes over those of the
/// large one beside it, so that scores of both can be compared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Averages {
    words: [f32; FIELDS],
    grams: [f32; FIELDS],
}

/// Indexes entries, which must be ordered by id, each id once. `None` where they are more than
/// an index can number.
pub(crate) fn build(
    entries: Vec<Arc<Entry>>,
    ranking: &Ranking,
    averages: Option<Averages>,
) -> Option<Segment> {
    let mut reader = Reader::default();
    let mut first_slot = Vec::with_capacity(entries.len() + 1);
    let mut slot_entry = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        first_slot.push(u32::try_from(slot_entry.len()).ok()?);
        for number in 0..entry.passages.len() {
            slot_entry.push(u32::try_from(place).ok()?);
            reader.passage(entry, number);
        }
    }
    first_slot.push(u32::try_from(slot_entry.len()).ok()?);
    if slot_entry.len() > MAX_SLOTS {
        return None;
    }
    slot_entry.shrink_to_fit();
    let averages = averages.unwrap_or_else(|| reader.averages());
    let indexed = reader.index(ranking, &averages)?;
    Some(Segment {
        entries,
        first_slot,
        slot_entry,
        vocabulary: indexed.vocabulary,
        words: indexed.words,
        gram_keys: indexed.gram_keys,
        grams: indexed.grams,
        averages,
    })
}

/// A word as it is written, met for the first time: its number as a term, and its grams.
#[derive(Debug, Clone, Copy)]
struct Spelling {
    /// `None` for a stop word.
    term: Option<u32>,
    /// Where its grams are in [`Reader::spelling_grams`].
    grams: (u32, u32),
}

/// Reads passages into numbers.
#[derive(Default)]
struct Reader {
    stems: Option<Stems>,
    spellings: HashMap<String, u32, RandomState>,
    by_number: Vec<Spelling>,
    terms: HashMap<Box<str>, u32, RandomState>,
    gram_numbers: HashMap<u64, u32, RandomState>,
    spelling_grams: Vec<u32>,
    /// The spellings of all passages, field by field.
    stream: Vec<u32>,
    /// Of each passage where its fields end in the stream.
    ends: Vec<[u32; FIELDS]>,
    /// Of each passage how many grams had been read, in all, when each field ended.
    gram_ends: Vec<[usize; FIELDS]>,
    grams_read: usize,
}

struct Indexed {
    vocabulary: Vocabulary,
    words: Postings,
    gram_keys: Vec<u64>,
    grams: Postings,
}

impl Reader {
    fn passage(&mut self, entry: &Entry, number: usize) {
        let Some(passage) = entry.passages.get(number) else {
            return;
        };
        let mut ends = [0; FIELDS];
        let mut gram_ends = [0; FIELDS];
        for (field, (end, gram_end)) in ends.iter_mut().zip(&mut gram_ends).enumerate() {
            match field {
                0 => self.text(&entry.document.title),
                1 => self.text(&passage.section),
                2 => entry.document.tags.iter().for_each(|tag| self.text(tag)),
                _ => self.text(&passage.content),
            }
            *end = self.position();
            *gram_end = self.grams_read;
        }
        self.ends.push(ends);
        self.gram_ends.push(gram_ends);
    }

    fn position(&self) -> u32 {
        u32::try_from(self.stream.len()).unwrap_or(u32::MAX)
    }

    fn text(&mut self, text: &str) {
        tokenise(text, |token| {
            let number = match self.spellings.get(token.text) {
                Some(number) => *number,
                None => self.spelling(token.text, token.kind),
            };
            self.stream.push(number);
            if let Some(Spelling {
                grams: (from, to), ..
            }) = self.by_number.get(number as usize)
            {
                self.grams_read += (to - from) as usize;
            }
        });
    }

    /// Numbers a new spelling.
    fn spelling(&mut self, text: &str, kind: TokenKind) -> u32 {
        let next = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let number = next(self.by_number.len());
        let from = next(self.spelling_grams.len());
        let term = if kind == TokenKind::Word && is_stop_word(text) {
            None
        } else {
            let stems = self.stems.get_or_insert_with(Stems::new);
            let stem = match kind {
                TokenKind::Word => stems.compute(text),
                TokenKind::Whole => text.into(),
            };
            let free = next(self.terms.len());
            Some(*self.terms.entry(stem).or_insert(free))
        };
        if kind == TokenKind::Word && term.is_some() {
            each_gram(text, |key| {
                let free = next(self.gram_numbers.len());
                let gram = *self.gram_numbers.entry(key).or_insert(free);
                self.spelling_grams.push(gram);
            });
        }
        let grams = (from, next(self.spelling_grams.len()));
        self.by_number.push(Spelling { term, grams });
        self.spellings.insert(text.to_owned(), number);
        number
    }

    /// The spellings of a passage's field.
    fn field(&self, passage: usize, field: usize) -> &[u32] {
        let Some(ends) = self.ends.get(passage) else {
            return &[];
        };
        let from = match field.checked_sub(1) {
            Some(before) => ends.get(before).copied(),
            None => match passage.checked_sub(1) {
                Some(before) => self.ends.get(before).and_then(|ends| ends.last().copied()),
                None => Some(0),
            },
        };
        let bounds = from.zip(ends.get(field).copied());
        bounds
            .and_then(|(from, to)| self.stream.get(from as usize..to as usize))
            .unwrap_or(&[])
    }

    fn grams_of(&self, spelling: Spelling) -> &[u32] {
        let (from, to) = spelling.grams;
        self.spelling_grams
            .get(from as usize..to as usize)
            .unwrap_or(&[])
    }

    fn spellings_of<'a>(&'a self, numbers: &'a [u32]) -> impl Iterator<Item = Spelling> + 'a {
        numbers
            .iter()
            .filter_map(|number| self.by_number.get(*number as usize).copied())
    }

    /// A field's length in words and in grams.
    fn lengths(&self, passage: usize, field: usize) -> (f32, f32) {
        let grams_at = |passage: usize, field: usize| self.gram_ends.get(passage)?.get(field);
        let before = match (passage, field) {
            (0, 0) => None,
            (passage, 0) => grams_at(passage - 1, FIELDS - 1),
            (passage, field) => grams_at(passage, field - 1),
        };
        let end = grams_at(passage, field).copied().unwrap_or(0);
        let grams = end.saturating_sub(before.copied().unwrap_or(0));
        (count(self.field(passage, field).len()), count(grams))
    }

    fn averages(&self) -> Averages {
        let mut averages = Averages::default();
        let passages = count(self.ends.len()).max(1.0);
        for field in 0..FIELDS {
            let (mut words, mut grams) = (0.0, 0.0);
            for passage in 0..self.ends.len() {
                let length = self.lengths(passage, field);
                words += length.0;
                grams += length.1;
            }
            if let Some(average) = averages.words.get_mut(field) {
                *average = words / passages;
            }
            if let Some(average) = averages.grams.get_mut(field) {
                *average = grams / passages;
            }
        }
        averages
    }

    fn index(self, ranking: &Ranking, averages: &Averages) -> Option<Indexed> {
        let mut words = Weigher::new(self.terms.len(), ranking);
        let mut grams = Weigher::new(self.gram_numbers.len(), ranking);
        for passage in 0..self.ends.len() {
            let slot = u32::try_from(passage).ok()?;
            for field in 0..FIELDS {
                let numbers = self.field(passage, field);
                let length = self.lengths(passage, field);
                let word = words.share(field, length.0, averages.words.get(field).copied());
                let gram = grams.share(field, length.1, averages.grams.get(field).copied());
                for spelling in self.spellings_of(numbers) {
                    if let Some(term) = spelling.term {
                        words.add(term, word);
                    }
                    for number in self.grams_of(spelling) {
                        grams.add(*number, gram);
                    }
                }
            }
            words.finish(slot);
            grams.finish(slot);
        }
        let (order, names) = sorted(self.terms);
        let vocabulary = Vocabulary::new(names.iter().map(AsRef::as_ref))?;
        let words = words.sort(&order)?;
        let (order, gram_keys) = sorted(self.gram_numbers);
        let grams = grams.sort(&order)?;
        Some(Indexed {
            vocabulary,
            words,
            gram_keys,
            grams,
        })
    }
}

/// From numbers in the order of appearance to those in the order of the keys, and the keys.
fn sorted<K: Ord>(numbers: HashMap<K, u32, RandomState>) -> (Vec<u32>, Vec<K>) {
    let mut pairs: Vec<(K, u32)> = numbers.into_iter().collect();
    pairs.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let mut order = vec![0; pairs.len()];
    let mut keys = Vec::with_capacity(pairs.len());
    for (key, number) in pairs {
        if let Some(place) = order.get_mut(number as usize) {
            *place = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        }
        keys.push(key);
    }
    (order, keys)
}

/// Sums BM25F's weighted frequencies of one passage, then saturates them.
struct Weigher {
    weights: [f32; FIELDS],
    b: f32,
    k1: f32,
    sums: Vec<f32>,
    touched: Vec<u32>,
    pairs: Vec<(u32, Posting)>,
}

impl Weigher {
    fn new(terms: usize, ranking: &Ranking) -> Self {
        Self {
            weights: [ranking.title, ranking.heading, ranking.tags, ranking.body],
            b: ranking.b,
            k1: ranking.k1,
            sums: vec![0.0; terms],
            touched: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// What one occurrence in a field of this length counts.
    fn share(&self, field: usize, length: f32, average: Option<f32>) -> f32 {
        let weight = self.weights.get(field).copied().unwrap_or(0.0);
        let average = average.unwrap_or(0.0).max(1.0);
        weight / (1.0 - self.b + self.b * length / average).max(0.05)
    }

    fn add(&mut self, term: u32, share: f32) {
        let Some(sum) = self.sums.get_mut(term as usize) else {
            return;
        };
        if share > 0.0 {
            if *sum == 0.0 {
                self.touched.push(term);
            }
            *sum += share;
        }
    }

    fn finish(&mut self, slot: u32) {
        for term in self.touched.drain(..) {
            if let Some(sum) = self.sums.get_mut(term as usize) {
                let saturation = *sum / (*sum + self.k1);
                *sum = 0.0;
                self.pairs.push((term, Posting::new(slot, saturation)));
            }
        }
    }

    fn sort(mut self, order: &[u32]) -> Option<Postings> {
        for (term, _) in &mut self.pairs {
            *term = *order.get(*term as usize)?;
        }
        Postings::sort(order.len(), &self.pairs)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "lengths of passages; a figure for ranking, not for accounts"
)]
fn count(number: usize) -> f32 {
    number as f32
}
