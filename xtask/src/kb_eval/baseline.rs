//! What others do, run beside ours: substring matches, and BM25 without any Spanish.

use std::collections::HashMap;

use super::corpus::Passage;
use super::metrics::{DEPTH, float};

/// Ranks the passages of a corpus for a question; the ids, best first.
pub trait Ranker {
    /// At most [`DEPTH`] ids.
    fn rank(&self, question: &str) -> Vec<String>;
}

/// A word in the title +10, in a tag +5, in the content +1, anywhere within a word.
pub struct Naive {
    passages: Vec<(String, String, Vec<String>, String)>,
}

impl Naive {
    pub fn new<'a>(passages: impl Iterator<Item = &'a Passage>) -> Self {
        let lower = passages.map(|passage| {
            let tags = passage.tags.iter().map(|tag| tag.to_lowercase());
            (
                passage.id.clone(),
                passage.title.to_lowercase(),
                tags.collect(),
                passage.content.to_lowercase(),
            )
        });
        Self {
            passages: lower.collect(),
        }
    }
}

impl Ranker for Naive {
    fn rank(&self, question: &str) -> Vec<String> {
        let question = question.to_lowercase();
        let words: Vec<&str> = question.split_whitespace().collect();
        let score = |(id, title, tags, content): &(String, String, Vec<String>, String)| {
            let of_word = |word: &&str| {
                10 * usize::from(title.contains(word))
                    + 5 * usize::from(tags.iter().any(|tag| tag.contains(word)))
                    + usize::from(content.contains(word))
            };
            (words.iter().map(of_word).sum::<usize>(), id.clone())
        };
        let mut scored: Vec<(usize, String)> = self.passages.iter().map(score).collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        first(scored.into_iter().map(|(_, id)| id))
    }
}

/// BM25 (k1 1.2, b 0.75) over title, tags and content in one, on lower-case words as written.
pub struct PlainBm25 {
    ids: Vec<String>,
    lengths: Vec<f64>,
    average: f64,
    postings: HashMap<String, Vec<(usize, f64)>>,
}

impl PlainBm25 {
    pub fn new<'a>(passages: impl Iterator<Item = &'a Passage>) -> Self {
        let mut index = Self {
            ids: Vec::new(),
            lengths: Vec::new(),
            average: 0.0,
            postings: HashMap::new(),
        };
        for (place, passage) in passages.enumerate() {
            let tags = passage.tags.join(" ");
            let text = format!("{} {tags} {}", passage.title, passage.content);
            let mut counts: HashMap<String, f64> = HashMap::new();
            let mut length = 0;
            for word in words(&text) {
                *counts.entry(word).or_default() += 1.0;
                length += 1;
            }
            for (word, count) in counts {
                index.postings.entry(word).or_default().push((place, count));
            }
            index.ids.push(passage.id.clone());
            index.lengths.push(float(length));
        }
        let sum: f64 = index.lengths.iter().sum();
        index.average = sum / float(index.lengths.len().max(1));
        index
    }
}

impl Ranker for PlainBm25 {
    fn rank(&self, question: &str) -> Vec<String> {
        const K1: f64 = 1.2;
        const B: f64 = 0.75;
        let mut scores = vec![0.0; self.ids.len()];
        let mut asked: Vec<String> = words(question).collect();
        asked.sort();
        asked.dedup();
        for postings in asked.iter().filter_map(|word| self.postings.get(word)) {
            let (all, with) = (float(self.ids.len()), float(postings.len()));
            let idf = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
            for (place, count) in postings {
                let length = self.lengths.get(*place).copied().unwrap_or_default();
                let norm = K1 * (1.0 - B + B * length / self.average.max(1.0));
                if let Some(score) = scores.get_mut(*place) {
                    *score += idf * count * (K1 + 1.0) / (count + norm);
                }
            }
        }
        let mut places: Vec<usize> = (0..scores.len()).collect();
        let score = |place: &usize| scores.get(*place).copied().unwrap_or(0.0);
        places.sort_by(|one, other| score(other).total_cmp(&score(one)));
        first(
            places
                .iter()
                .filter_map(|place| self.ids.get(*place).cloned()),
        )
    }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn first(ids: impl Iterator<Item = String>) -> Vec<String> {
    ids.take(DEPTH).collect()
}
