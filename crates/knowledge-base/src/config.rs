//! Bounds and weights.

/// How much a knowledge base may hold, and how it ranks.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Most documents at a time, and most files in a folder.
    pub max_documents: usize,
    /// Most passages at a time; never more than 16,777,215, which is what an index can number.
    pub max_passages: usize,
    /// Largest file that is read, in bytes.
    pub max_file_bytes: u64,
    /// A section longer than this many characters is split at its paragraphs.
    pub max_passage_chars: usize,
    /// How the signals are weighted.
    pub ranking: Ranking,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_documents: 50_000,
            max_passages: 200_000,
            max_file_bytes: 1024 * 1024,
            max_passage_chars: 2_000,
            ranking: Ranking::default(),
        }
    }
}

/// Weights of the ranking. The defaults are measured (docs/knowledge-base.md); all are
/// non-negative, and nonsense (NaN, negative) counts as 0.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Ranking {
    /// Saturation of term frequency (BM25's k1), for words and grams.
    pub k1: f32,
    /// How much a field's length counts (BM25's b), 0–1.
    pub b: f32,
    /// BM25F weight of the title.
    pub title: f32,
    /// Of the headings above a passage.
    pub heading: f32,
    /// Of the tags.
    pub tags: f32,
    /// Of the passage's text.
    pub body: f32,
    /// What a synonym counts against the word that was asked, 0–1.
    pub synonym: f32,
    /// The share of words (with synonyms) in a score; the rest is that of character n-grams.
    pub words: f32,
    /// The share that a dense retriever's ranking gets where there is one.
    pub dense: f32,
}

impl Default for Ranking {
    fn default() -> Self {
        Self {
            k1: 1.6,
            b: 0.75,
            title: 2.0,
            heading: 2.0,
            tags: 0.5,
            body: 1.0,
            synonym: 0.85,
            words: 0.7,
            dense: 0.4,
        }
    }
}

impl Ranking {
    /// The same with every nonsense figure replaced.
    pub(crate) fn sane(self) -> Self {
        let positive = |figure: f32| {
            if figure.is_finite() {
                figure.max(0.0)
            } else {
                0.0
            }
        };
        let share = |figure: f32| positive(figure).min(1.0);
        Self {
            k1: positive(self.k1).max(0.01),
            b: share(self.b),
            title: positive(self.title),
            heading: positive(self.heading),
            tags: positive(self.tags),
            body: positive(self.body),
            synonym: share(self.synonym),
            words: share(self.words),
            dense: share(self.dense),
        }
    }
}
