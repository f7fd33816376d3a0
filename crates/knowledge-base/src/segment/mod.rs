//! An index over some entries: built once, never changed, read by any number of threads.

mod build;
mod postings;
mod vocabulary;

use std::ops::Range;
use std::sync::Arc;

use crate::document::{Entry, Passage};

pub(crate) use build::{Averages, build};
pub(crate) use postings::{FULL, MAX_SLOTS, Posting, Postings};
pub(crate) use vocabulary::Vocabulary;

/// The index of the passages of some entries. A passage's number in it is its slot.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    /// Ordered by id.
    pub(crate) entries: Vec<Arc<Entry>>,
    /// Of each entry its first slot, and at the end the number of slots.
    first_slot: Vec<u32>,
    /// Of each slot its entry.
    slot_entry: Vec<u32>,
    pub(crate) vocabulary: Vocabulary,
    words: Postings,
    /// Ordered; a gram's place is its number in `grams`.
    gram_keys: Vec<u64>,
    grams: Postings,
    pub(crate) averages: Averages,
}

impl Segment {
    /// How many passages it holds.
    pub(crate) fn slots(&self) -> usize {
        self.slot_entry.len()
    }

    /// The place of the entry with this id.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.entries
            .binary_search_by(|entry| entry.document.id.as_str().cmp(id))
            .ok()
    }

    /// The entry that a slot belongs to, and its place among the entries.
    pub(crate) fn entry_of(&self, slot: usize) -> Option<(usize, &Arc<Entry>)> {
        let place = usize::try_from(*self.slot_entry.get(slot)?).ok()?;
        Some((place, self.entries.get(place)?))
    }

    /// A slot's passage, with its number within its entry.
    pub(crate) fn passage(&self, slot: usize) -> Option<(usize, &Passage)> {
        let (place, entry) = self.entry_of(slot)?;
        let first = usize::try_from(*self.first_slot.get(place)?).ok()?;
        let number = slot.checked_sub(first)?;
        Some((number, entry.passages.get(number)?))
    }

    /// The slots of an entry.
    pub(crate) fn slots_of(&self, place: usize) -> Range<usize> {
        let at = |index: usize| {
            let slot = self.first_slot.get(index).copied().unwrap_or(0);
            usize::try_from(slot).unwrap_or(0)
        };
        at(place)..at(place + 1)
    }

    /// The passages with a word, by its stem.
    pub(crate) fn word(&self, stem: &str) -> &[Posting] {
        self.vocabulary
            .find(stem)
            .map_or(&[], |number| self.words.list(number))
    }

    /// How many passages have the word of this number.
    pub(crate) fn frequency(&self, number: usize) -> usize {
        self.words.list(number).len()
    }

    /// The passages with a gram.
    pub(crate) fn gram(&self, key: u64) -> &[Posting] {
        self.gram_keys
            .binary_search(&key)
            .map_or(&[], |number| self.grams.list(number))
    }

    /// Bytes of memory, without the entries' own text.
    pub(crate) fn index_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Arc<Entry>>()
            + (self.first_slot.capacity() + self.slot_entry.capacity()) * size_of::<u32>()
            + self.vocabulary.bytes()
            + self.words.bytes()
            + self.gram_keys.capacity() * size_of::<u64>()
            + self.grams.bytes()
    }
}

#[cfg(test)]
mod tests;
