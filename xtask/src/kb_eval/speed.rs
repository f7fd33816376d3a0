//! How long a search and a build take, and how much memory an index has.

use std::time::{Duration, Instant};

use knowledge_base::{KnowledgeError, Query};
use serde::Serialize;

use super::corpus::{Corpus, Passage};
use super::metrics::float;
use super::systems::{Ours, Parts};

/// How often all questions are asked.
const ROUNDS: usize = 15;
/// How often a corpus is indexed.
const BUILDS: usize = 3;

/// Figures for one size of corpus, on one thread.
#[derive(Debug, Clone, Serialize)]
pub struct Speed {
    pub passages: usize,
    /// The best of some.
    pub build_ms: f64,
    pub p50_ms: f64,
    /// Over the questions, each with the best of its rounds: what the search itself takes.
    pub p99_ms: f64,
    /// Over all calls: with what other programs on the machine take from it.
    pub p99_wall_ms: f64,
    pub text_mib: f64,
    pub index_mib: f64,
    /// Index and text together, against the text.
    pub memory_ratio: f64,
}

impl Speed {
    /// Measures with the questions of all sets.
    pub fn of(
        passages: &[Passage],
        corpus: &Corpus,
        synonyms: &str,
    ) -> Result<Self, KnowledgeError> {
        let mut ours = Ours::new(passages.iter(), synonyms, Parts::ALL)?;
        let mut build = Duration::MAX;
        for _ in 0..BUILDS {
            let start = Instant::now();
            ours = Ours::new(passages.iter(), synonyms, Parts::ALL)?;
            build = build.min(start.elapsed());
        }
        let queries: Vec<Query> = corpus
            .questions
            .iter()
            .map(|question| Query::new(&question.text))
            .collect();
        for query in &queries {
            std::hint::black_box(ours.base().search(query));
        }
        let mut rounds: Vec<Vec<Duration>> = vec![Vec::with_capacity(ROUNDS); queries.len()];
        for _ in 0..ROUNDS {
            for (query, times) in queries.iter().zip(&mut rounds) {
                let start = Instant::now();
                std::hint::black_box(ours.base().search(std::hint::black_box(query)));
                times.push(start.elapsed());
            }
        }
        let mut wall: Vec<Duration> = rounds.iter().flatten().copied().collect();
        wall.sort_unstable();
        let best = rounds
            .iter()
            .filter_map(|times| times.iter().min().copied());
        let mut best: Vec<Duration> = best.collect();
        best.sort_unstable();
        let stats = ours.base().stats();
        let (text, index) = (float(stats.text_bytes), float(stats.index_bytes));
        Ok(Self {
            passages: stats.passages,
            build_ms: build.as_secs_f64() * 1e3,
            p50_ms: quantile(&best, 50),
            p99_ms: quantile(&best, 99),
            p99_wall_ms: quantile(&wall, 99),
            text_mib: text / MIB,
            index_mib: index / MIB,
            memory_ratio: (text + index) / text.max(1.0),
        })
    }
}

const MIB: f64 = 1024.0 * 1024.0;

fn quantile(sorted: &[Duration], percent: usize) -> f64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or(0.0, Duration::as_secs_f64) * 1e3
}

/// The corpus over and over, to a size, each copy with every tenth word or so changed for one of
/// another passage. Always the same.
pub fn replicated(passages: &[Passage], size: usize) -> Vec<Passage> {
    let vocabulary: Vec<&str> = passages
        .iter()
        .flat_map(|passage| passage.content.split(' ').take(40))
        .collect();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 33).unwrap_or(0)
    };
    let mut change = |text: &str| {
        let words = text.split(' ').map(|word| {
            let (chance, other) = (next(), next());
            let other = vocabulary.get(other % vocabulary.len().max(1));
            other.filter(|_| chance % 10 == 0).copied().unwrap_or(word)
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let copies = passages.iter().cycle().enumerate().take(size);
    copies
        .map(|(number, passage)| {
            if number < passages.len() {
                return passage.clone();
            }
            Passage {
                id: format!("{}-{number}", passage.id),
                title: change(&passage.title),
                content: change(&passage.content),
                ..passage.clone()
            }
        })
        .collect()
}
