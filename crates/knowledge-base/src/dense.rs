//! A place for embeddings: what ranks passages by meaning joins the ranking by words.

use std::fmt;

use async_trait::async_trait;

/// A passage that a retriever ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// The passage, as [`Hit::id`](crate::Hit::id) has it (`documento#0`). One that isn't there
    /// (any more) is ignored.
    pub passage_id: String,
}

impl Ranked {
    /// A passage by its id.
    #[must_use]
    pub fn new(passage_id: impl Into<String>) -> Self {
        let passage_id = passage_id.into();
        Self { passage_id }
    }
}

/// Why a retriever gave no ranking. The search goes on without it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the dense retriever failed: {reason}")]
pub struct DenseError {
    /// For the log.
    pub reason: String,
    /// Whether it may work the next time.
    pub retryable: bool,
}

/// Ranks passages by meaning.
///
/// Only the order counts, so that any model's similarities will do: the passage at place r
/// (from 0) gets 10 / (10 + r) of [`Ranking::dense`](crate::Ranking::dense).
#[async_trait]
pub trait DenseRetriever: fmt::Debug + Send + Sync + 'static {
    /// The nearest passages to a question, the best first, at most `limit` of them. It is given
    /// [`KnowledgeBase::DENSE_DEADLINE`](crate::KnowledgeBase::DENSE_DEADLINE); computing
    /// belongs off the runtime's threads.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from ranking.
    async fn rank(&self, question: &str, limit: usize) -> Result<Vec<Ranked>, DenseError>;
}
