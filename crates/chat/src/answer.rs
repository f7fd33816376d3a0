//! An answer, and what it rests on.

use std::time::Duration;

use cache::Status;
use llm_client::Usage;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::find::Passage;

/// `llm_used` where no model had a part in an answer.
pub const NO_MODEL: &str = "none";

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// What is said, with citations as `[n]`.
    pub message: String,
    /// The titles of the documents that are cited, once each.
    pub sources: Vec<String>,
    /// From 0 to 100; see the crate's page.
    pub confidence: u8,
    /// The session that it is part of.
    pub session_id: Uuid,
    /// The model that answered, as its provider names it, or [`NO_MODEL`].
    pub llm_used: String,
    /// The tokens that it cost, whoever paid.
    pub tokens_used: Usage,
    /// The module of the question.
    pub plugin_used: Option<String>,
    /// The passages that are cited, in the order of their numbers.
    pub citations: Vec<Citation>,
    /// Where it is from and how old it is, if it could have been shared.
    pub cached: Option<(Status, Duration)>,
    /// Made without what was said before in the session, since the store couldn't be asked.
    pub degraded: bool,
}

/// A passage that an answer cites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Citation {
    /// Its number in the text: `[n]`.
    pub number: usize,
    /// The passage's id.
    pub id: String,
    /// The document's title.
    pub title: String,
    /// The headings above the passage.
    pub section: String,
    /// Where to read more.
    pub url: Option<String>,
}

/// What of an answer doesn't depend on its session: what may be shared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) confidence: u8,
    pub(crate) llm_used: String,
    pub(crate) tokens: [u64; 5],
    pub(crate) citations: Vec<Citation>,
    pub(crate) complete: bool,
}

impl Citation {
    /// The cited ones of these passages.
    pub(crate) fn of(cited: impl IntoIterator<Item = usize>, passages: &[Passage]) -> Vec<Self> {
        let passage = |number: usize| {
            let passage = passages.get(number.checked_sub(1)?)?;
            Some((number, passage))
        };
        let found = cited.into_iter().filter_map(passage);
        found
            .map(|(number, passage)| Self {
                number,
                id: passage.id.to_string(),
                title: passage.title.to_string(),
                section: passage.section.to_string(),
                url: passage.url.as_deref().map(str::to_owned),
            })
            .collect()
    }
}

impl Outcome {
    /// The tokens as they are stored.
    pub(crate) fn pack(usage: &Usage) -> [u64; 5] {
        [
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_input_tokens,
            usage.cache_creation_5m_input_tokens,
            usage.cache_creation_1h_input_tokens,
        ]
    }

    fn usage(&self) -> Usage {
        let [input, output, read, five, hour] = self.tokens;
        Usage {
            input_tokens: input,
            output_tokens: output,
            cache_read_input_tokens: read,
            cache_creation_5m_input_tokens: five,
            cache_creation_1h_input_tokens: hour,
            estimated: false,
        }
    }

    /// The answer of a session.
    pub(crate) fn answer(
        self,
        message: String,
        session_id: Uuid,
        plugin_used: Option<String>,
        cached: Option<(Status, Duration)>,
    ) -> Answer {
        let mut sources: Vec<String> = Vec::new();
        for citation in &self.citations {
            if !sources.contains(&citation.title) {
                sources.push(citation.title.clone());
            }
        }
        Answer {
            message,
            sources,
            confidence: self.confidence,
            session_id,
            tokens_used: self.usage(),
            llm_used: self.llm_used,
            plugin_used,
            citations: self.citations,
            cached,
            degraded: false,
        }
    }
}
