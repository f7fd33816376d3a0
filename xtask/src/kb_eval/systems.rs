//! The knowledge base as it is, and with parts of it taken away.

use std::collections::HashMap;

use knowledge_base::{Config, Document, KnowledgeBase, KnowledgeError, Query};

use super::baseline::Ranker;
use super::corpus::Passage;
use super::metrics::DEPTH;

/// The knowledge base over a corpus; its documents are passages already.
pub struct Ours {
    base: KnowledgeBase,
    depth: usize,
}

/// What of the ranking is there.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// The share of words against grams.
    pub words: Option<f32>,
    pub synonyms: bool,
}

impl Parts {
    pub const ALL: Self = Self {
        words: None,
        synonyms: true,
    };
}

impl Ours {
    /// Indexes passages, with the product's synonyms where `parts` has them.
    pub fn new<'a>(
        passages: impl Iterator<Item = &'a Passage>,
        synonyms: &str,
        parts: Parts,
    ) -> Result<Self, KnowledgeError> {
        let mut config = Config::default();
        // As many passages as the corpus says.
        config.max_passage_chars = usize::MAX;
        if let Some(words) = parts.words {
            config.ranking.words = words;
        }
        let documents = passages.map(|passage| {
            Document::new(&passage.id, &passage.title, &passage.content)
                .module(&passage.module)
                .tags(&passage.tags)
        });
        let mut base = KnowledgeBase::from_documents(documents, config)?;
        if parts.synonyms {
            base = base.with_synonyms(synonyms)?;
        }
        Ok(Self { base, depth: DEPTH })
    }

    /// The same, looking deeper than is judged.
    pub fn deep(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    pub fn base(&self) -> &KnowledgeBase {
        &self.base
    }
}

impl Ranker for Ours {
    fn rank(&self, question: &str) -> Vec<String> {
        let query = Query::new(question).top_k(self.depth).per_document(1);
        let hits = self.base.search(&query).into_iter();
        hits.map(|hit| hit.document_id).collect()
    }
}

/// Two rankings joined by reciprocal rank: the fusion that ours is compared with.
pub struct ReciprocalRank(pub Ours, pub Ours);

impl Ranker for ReciprocalRank {
    fn rank(&self, question: &str) -> Vec<String> {
        const K: f64 = 60.0;
        let mut scores: HashMap<String, f64> = HashMap::new();
        for ranking in [self.0.rank(question), self.1.rank(question)] {
            for (place, id) in ranking.into_iter().enumerate() {
                *scores.entry(id).or_default() += 1.0 / (K + super::metrics::float(place + 1));
            }
        }
        let mut scored: Vec<(String, f64)> = scores.into_iter().collect();
        scored.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        scored.into_iter().take(DEPTH).map(|(id, _)| id).collect()
    }
}
