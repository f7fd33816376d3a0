//! Figures of a knowledge base.

use std::collections::BTreeMap;

use crate::snapshot::Snapshot;

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Documents.
    pub documents: usize,
    /// Passages that can be found.
    pub passages: usize,
    /// Bytes of their text, in UTF-8, titles and headings included.
    pub text_bytes: usize,
    /// Bytes of memory of the index over it, without the text itself.
    pub index_bytes: usize,
    /// Documents by module.
    pub modules: BTreeMap<String, usize>,
    /// Forms of the synonyms file that lead to another.
    pub synonyms: usize,
    /// How many changes there have been.
    pub generation: u64,
}

impl Stats {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let entries = snapshot.entries();
        let mut modules: BTreeMap<String, usize> = BTreeMap::new();
        for entry in &entries {
            *modules.entry(entry.document.module.clone()).or_default() += 1;
        }
        Self {
            documents: entries.len(),
            passages: entries.iter().map(|entry| entry.passages.len()).sum(),
            text_bytes: entries.iter().map(|entry| entry.text_bytes()).sum(),
            index_bytes: snapshot
                .segments()
                .iter()
                .map(|segment| segment.index_bytes())
                .sum(),
            modules,
            synonyms: snapshot.synonyms.len(),
            generation: snapshot.generation,
        }
    }
}
