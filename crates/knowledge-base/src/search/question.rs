//! A question read against what there is: its words, their synonyms, its grams.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::typo;
use crate::config::Ranking;
use crate::segment::Posting;
use crate::snapshot::{SEGMENTS, Snapshot};
use crate::synonyms::MAX_FORM;
use crate::text::{GramKey, Stems, Token, TokenKind, each_gram, is_stop_word, tokenise};

/// Most different words of a question; a longer text is read as far as that.
const MAX_WORDS: usize = 48;
/// Most different grams of a question.
const MAX_GRAMS: usize = 256;
/// Most words that are taken for typing errors and corrected.
const MAX_CORRECTIONS: usize = 4;
/// Among at least so many passages, a gram that more than a third of them have says nothing and
/// takes the longest to sum up.
const MANY_PASSAGES: usize = 500;
/// What a corrected word counts.
const CORRECTED: f32 = 0.9;

/// A term as it is found: its lists in each segment, and how much it tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term<'a> {
    pub(super) lists: [&'a [Posting]; SEGMENTS],
    /// Inverse document frequency, times what the word counts.
    pub(super) weight: f32,
}

/// A word or phrase of the question that has synonyms.
#[derive(Debug)]
pub(super) struct Span<'a> {
    /// Which words, by their number.
    pub(super) source: std::ops::Range<usize>,
    /// Each a word or a phrase.
    pub(super) alternatives: Vec<Vec<Term<'a>>>,
}

/// What a search looks for.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The stems, corrected, without stop words.
    pub(super) words: Vec<Box<str>>,
    /// In the order of the question, each occurrence.
    pub(super) sequence: Vec<Term<'a>>,
    /// Which of the sequence are met for the first time: only these are counted.
    pub(super) first: Vec<bool>,
    /// Codes and numbers that are kept whole.
    pub(super) wholes: Vec<Term<'a>>,
    pub(super) spans: Vec<Span<'a>>,
    pub(super) grams: Vec<Term<'a>>,
    /// What all words, and all grams, would weigh in a passage full of them.
    pub(super) words_total: f32,
    pub(super) grams_total: f32,
    /// The share of words in the score.
    pub(super) words_share: f32,
    /// What the words and their synonyms weigh, to choose what a snippet shows.
    pub(super) shown: HashMap<Box<str>, f32, RandomState>,
}

/// Reads a question.
struct Reader<'a, 's> {
    snapshot: &'a Snapshot,
    ranking: &'s Ranking,
    stems: &'s mut Stems,
    words: Vec<Box<str>>,
    wholes: Vec<Box<str>>,
    grams: Vec<GramKey>,
    corrections: usize,
    corrected: Vec<bool>,
}

impl<'a> Question<'a> {
    pub(super) fn read(
        text: &str,
        snapshot: &'a Snapshot,
        ranking: &Ranking,
        stems: &mut Stems,
    ) -> Self {
        let mut reader = Reader {
            snapshot,
            ranking,
            stems,
            words: Vec::new(),
            wholes: Vec::new(),
            grams: Vec::new(),
            corrections: 0,
            corrected: Vec::new(),
        };
        tokenise(text, |token| reader.token(token));
        reader.finish()
    }

    /// The stems, each once, with their inverse document frequency.
    pub(super) fn rarities(self) -> Vec<(Box<str>, f64)> {
        let weights = self.sequence.iter().map(|term| f64::from(term.weight));
        let words = self.words.into_iter().zip(weights).zip(&self.first);
        words
            .filter(|(_, first)| **first)
            .map(|(word, _)| word)
            .collect()
    }
}

impl<'a> Reader<'a, '_> {
    fn token(&mut self, token: Token<'_>) {
        if self.words.len() >= MAX_WORDS {
            return;
        }
        if token.kind == TokenKind::Whole {
            if !self.wholes.iter().any(|whole| **whole == *token.text) {
                self.wholes.push(token.text.into());
            }
            return;
        }
        if is_stop_word(token.text) {
            return;
        }
        let stem: Box<str> = self.stems.stem(token.text).into();
        let correction = self.correction(&stem);
        self.corrected.push(correction.is_some());
        self.words.push(correction.unwrap_or(stem));
        each_gram(token.text, |key| {
            if self.grams.len() < MAX_GRAMS && !self.grams.contains(&key) {
                self.grams.push(key);
            }
        });
    }

    /// Another word, where nothing has this one and one that something has is nearly the same.
    fn correction(&mut self, stem: &str) -> Option<Box<str>> {
        let known = self.snapshot.synonyms.knows(stem)
            || self.snapshot.modules.knows(stem)
            || self
                .snapshot
                .segments()
                .iter()
                .any(|segment| !segment.word(stem).is_empty());
        if known || self.corrections >= MAX_CORRECTIONS {
            return None;
        }
        self.corrections += 1;
        typo::correct(stem, self.snapshot)
    }

    /// A term's lists, and its weight when it counts `factor`; without lists the weight is that
    /// of the rarest.
    fn term(&self, word: &str, factor: f32) -> Term<'a> {
        let lists = self.snapshot.segments().map(|segment| segment.word(word));
        self.weighed(lists, factor)
    }

    fn weighed(&self, lists: [&'a [Posting]; SEGMENTS], factor: f32) -> Term<'a> {
        let mut term = Term { lists, weight: 0.0 };
        term.weight = factor * idf(term.frequency(), self.snapshot.slots());
        term
    }

    fn finish(self) -> Question<'a> {
        let sequence: Vec<Term<'a>> = self
            .words
            .iter()
            .zip(&self.corrected)
            .map(|(word, corrected)| self.term(word, if *corrected { CORRECTED } else { 1.0 }))
            .collect();
        let first: Vec<bool> = self
            .words
            .iter()
            .enumerate()
            .map(|(at, word)| !self.words.iter().take(at).any(|before| before == word))
            .collect();
        let wholes: Vec<(&str, Term<'a>)> = self
            .wholes
            .iter()
            .map(|whole| (&**whole, self.term(whole, 1.0)))
            .filter(|(_, term)| term.is_found())
            .collect();
        let mut shown: HashMap<Box<str>, f32, RandomState> = HashMap::default();
        for (word, term) in self.words.iter().zip(&sequence) {
            shown.insert(word.clone(), term.weight);
        }
        for (whole, term) in &wholes {
            shown.insert((*whole).into(), term.weight);
        }
        let spans = self.spans(&mut shown);
        let grams: Vec<Term<'a>> = self
            .grams
            .iter()
            .map(|key| {
                let lists = self.snapshot.segments().map(|segment| segment.gram(*key));
                self.weighed(lists, 1.0)
            })
            .filter(|term| {
                let slots = self.snapshot.slots();
                slots < MANY_PASSAGES || term.frequency() <= slots / 3
            })
            .collect();
        let counted = (0..sequence.len()).zip(&first).filter(|(_, first)| **first);
        let words_total: f32 = counted
            .filter_map(|(at, _)| Some(expected(at, sequence.get(at)?, &spans)))
            .sum::<f32>()
            + wholes.iter().map(|(_, term)| term.weight).sum::<f32>();
        let grams_total = grams.iter().map(|term| term.weight).sum();
        Question {
            words: self.words,
            first,
            wholes: wholes.into_iter().map(|(_, term)| term).collect(),
            spans,
            grams,
            words_total,
            grams_total,
            words_share: self.ranking.words,
            sequence,
            shown,
        }
    }

    /// Every run of words that has synonyms something has.
    fn spans(&self, shown: &mut HashMap<Box<str>, f32, RandomState>) -> Vec<Span<'a>> {
        let mut spans = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for from in 0..self.words.len() {
            let mut form = String::new();
            for to in from + 1..=(from + MAX_FORM).min(self.words.len()) {
                if to > from + 1 {
                    form.push(' ');
                }
                form.push_str(self.words.get(to - 1).map_or("", |word| word));
                if seen.contains(&form) {
                    continue;
                }
                let alternatives = self.alternatives(&form, shown);
                if !alternatives.is_empty() {
                    seen.push(form.clone());
                    spans.push(Span {
                        source: from..to,
                        alternatives,
                    });
                }
            }
        }
        spans
    }

    fn alternatives(
        &self,
        form: &str,
        shown: &mut HashMap<Box<str>, f32, RandomState>,
    ) -> Vec<Vec<Term<'a>>> {
        let mut found = Vec::new();
        for alternative in self.snapshot.synonyms.alternatives(form) {
            #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
            let factor = self.ranking.synonym / (alternative.len() as f32).sqrt();
            let terms: Vec<Term<'a>> = alternative
                .iter()
                .map(|word| self.term(word, factor))
                .collect();
            // A phrase of which a word is nowhere isn't there.
            if terms.iter().all(Term::is_found) {
                for (word, term) in alternative.iter().zip(&terms) {
                    shown.entry(word.clone()).or_insert(term.weight / 2.0);
                }
                found.push(terms);
            }
        }
        found
    }
}

/// What a word would weigh in a passage that says it. A word that is nowhere can only be said
/// by a synonym of it, and then weighs its part of that.
fn expected(at: usize, term: &Term<'_>, spans: &[Span<'_>]) -> f32 {
    if term.is_found() {
        return term.weight;
    }
    let of_span = |span: &Span<'_>| {
        let sums = span.alternatives.iter().map(|terms| {
            let weights = terms.iter().map(|term| term.weight);
            weights.sum::<f32>()
        });
        #[expect(clippy::cast_precision_loss, reason = "a handful of words")]
        let words = span.source.len() as f32;
        sums.fold(0.0, f32::max) / words
    };
    let around = spans.iter().filter(|span| span.source.contains(&at));
    around
        .map(of_span)
        .reduce(f32::max)
        .map_or(term.weight, |weight| weight.min(term.weight))
}

impl Term<'_> {
    fn frequency(&self) -> usize {
        self.lists.iter().map(|list| list.len()).sum()
    }

    fn is_found(&self) -> bool {
        self.lists.iter().any(|list| !list.is_empty())
    }
}

/// BM25's inverse document frequency, never negative.
#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of passages; a figure for ranking, not for accounts"
)]
fn idf(frequency: usize, slots: usize) -> f32 {
    let (frequency, slots) = (frequency as f32, slots.max(frequency) as f32);
    (1.0 + (slots - frequency + 0.5) / (frequency + 0.5)).ln()
}
