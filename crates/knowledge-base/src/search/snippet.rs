//! The part of a passage that shows the words that were asked.

use std::ops::Range;

use super::question::Question;
use crate::hit::Snippet;
use crate::text::{Stems, TokenKind, is_stop_word, tokenise};

/// Its length in bytes, without the cut marks.
const LENGTH: usize = 260;
/// How much of it may stand before the first word that was asked.
const BEFORE: usize = 60;
/// How much of a passage is looked at.
const LOOKED_AT: usize = 2_000;

/// A word of the passage that was asked.
#[derive(Debug, Clone)]
struct Match {
    place: Range<usize>,
    stem: Box<str>,
    weight: f32,
}

/// The window with the most of the question in it, rare words counting more, each once.
pub(super) fn make(content: &str, question: &Question<'_>, stems: &mut Stems) -> Snippet {
    let looked_at = content.get(..floor(content, LOOKED_AT)).unwrap_or(content);
    let matches = matches(looked_at, question, stems);
    let start = best_start(content, &matches);
    let window = window(content, start);
    let mut text = String::with_capacity(LENGTH + 8);
    if window.start > 0 {
        text.push('…');
    }
    let offset = text.len();
    let part = content.get(window.clone()).unwrap_or_default();
    text.extend(part.chars().map(|letter| match letter {
        '\n' | '\r' | '\t' => ' ',
        other => other,
    }));
    if window.end < content.len() {
        text.push('…');
    }
    let highlights = matches
        .iter()
        .filter(|found| found.place.start >= window.start && found.place.end <= window.end)
        .map(|found| {
            let (from, to) = (found.place.start, found.place.end);
            from - window.start + offset..to - window.start + offset
        })
        .collect();
    Snippet { text, highlights }
}

fn matches(content: &str, question: &Question<'_>, stems: &mut Stems) -> Vec<Match> {
    let mut found: Vec<Match> = Vec::new();
    let starts = Starts::of(question.shown.keys());
    tokenise(content, |token| {
        // Few words begin like one that was asked; the others needn't be stemmed.
        if !starts.may_have(token.text) {
            return;
        }
        let stem = match token.kind {
            TokenKind::Whole => token.text,
            TokenKind::Word if is_stop_word(token.text) => return,
            TokenKind::Word => stems.stem(token.text),
        };
        let Some(weight) = question.shown.get(stem) else {
            return;
        };
        // A code kept whole covers its parts.
        found.retain(|before| before.place.start < token.start);
        found.push(Match {
            place: token.start..token.end,
            stem: stem.into(),
            weight: *weight,
        });
    });
    found
}

/// The first two letters of some stems: a stemmer only changes the ends of words.
struct Starts([u32; 26]);

impl Starts {
    fn of<'a>(stems: impl Iterator<Item = &'a Box<str>>) -> Self {
        let mut starts = Self([0; 26]);
        for stem in stems {
            if let Some((first, second)) = two(stem)
                && let Some(bits) = starts.0.get_mut(first)
            {
                *bits |= 1 << second;
            }
        }
        starts
    }

    /// False where no stem begins like this word; short and odd ones may always.
    fn may_have(&self, word: &str) -> bool {
        two(word).is_none_or(|(first, second)| {
            self.0
                .get(first)
                .is_some_and(|bits| bits & (1 << second) != 0)
        })
    }
}

/// The places of the first two letters in the alphabet, where they are a–z and there is more.
fn two(word: &str) -> Option<(usize, usize)> {
    let letter = |byte: u8| byte.is_ascii_lowercase().then(|| usize::from(byte - b'a'));
    match word.as_bytes() {
        [first, second, ..] => Some((letter(*first)?, letter(*second)?)),
        _ => None,
    }
}

/// Where the best window's first match is.
fn best_start(content: &str, matches: &[Match]) -> usize {
    let mut best = (0.0, 0);
    for (index, first) in matches.iter().enumerate() {
        let end = first.place.start + LENGTH - BEFORE;
        let mut seen: Vec<&str> = Vec::new();
        let mut sum = 0.0;
        for found in matches.iter().skip(index) {
            if found.place.end > end {
                break;
            }
            if !seen.contains(&&*found.stem) {
                seen.push(&found.stem);
                sum += found.weight;
            }
        }
        if sum > best.0 {
            best = (sum, first.place.start);
        }
    }
    best.1.min(content.len())
}

/// From a little before a match to a word's end.
fn window(content: &str, first: usize) -> Range<usize> {
    if content.len() <= LENGTH {
        return 0..content.len();
    }
    let earliest = first.saturating_sub(BEFORE);
    let start = if earliest == 0 {
        0
    } else {
        let from = floor(content, earliest);
        let before = content.get(from..first).unwrap_or_default();
        // After the last sentence's end, else at a word.
        let sentence = before.rfind(". ").map(|at| at + 2);
        let word = || before.find(char::is_whitespace).map(|at| at + 1);
        from + sentence.or_else(word).unwrap_or(0)
    };
    let limit = floor(content, (start + LENGTH).min(content.len()));
    let start = floor(content, start.min(limit));
    if limit == content.len() {
        return start..limit;
    }
    let inside = content.get(start..limit).unwrap_or_default();
    let end = inside
        .rfind(char::is_whitespace)
        .filter(|at| *at > LENGTH / 2)
        .map_or(limit, |at| start + at);
    start..end
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}
