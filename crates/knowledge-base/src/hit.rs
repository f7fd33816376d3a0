//! What is found.

use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;

/// A passage that answers a question, or may.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The passage: the document's id, `#`, and its number from 0.
    pub id: String,
    /// The document it is of.
    pub document_id: String,
    /// The document's title.
    pub title: String,
    /// The document's module.
    pub module: String,
    /// The document's tags.
    pub tags: Vec<String>,
    /// The headings above the passage, joined by ` > `; empty where there are none.
    pub section: Arc<str>,
    /// The passage, in Markdown.
    pub content: Arc<str>,
    /// A part of it around the words that were asked.
    pub snippet: Snippet,
    /// Where to read more.
    pub url: Option<String>,
    /// What its facts rest on.
    pub source: Option<String>,
    /// When the document was last brought up to date.
    pub updated: Option<Date>,
    /// The first day on which it holds.
    pub valid_from: Option<Date>,
    /// The last one.
    pub valid_to: Option<Date>,
    /// The evidence, 0–1: the share of what the question says that the passage has in it, rare
    /// words counting more. Comparable among questions; hits are ordered by it (hits within a
    /// thousandth of each other by date, the newer first).
    pub score: f64,
    /// The score on a scale on which 0.5 is where passages that answer and passages that only
    /// share some words part: see [`Hit::is_relevant`].
    pub relevance: f64,
}

impl Hit {
    /// Whether the passage is likely to be about what was asked. Where the first hit isn't,
    /// nothing was found.
    #[must_use]
    pub fn is_relevant(&self) -> bool {
        self.relevance >= 0.5
    }
}

/// A part of a passage to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    /// At most some 280 bytes on one line, with `…` where it was cut.
    pub text: String,
    /// The words that were asked, or synonyms of them: byte ranges of `text`, in order.
    pub highlights: Vec<Range<usize>>,
}

/// From evidence to relevance: a logistic curve through (`MIDDLE`, 0.5).
pub(crate) fn relevance(score: f64) -> f64 {
    const MIDDLE: f64 = 0.25;
    const STEEPNESS: f64 = 20.0;
    1.0 / (1.0 + (-(score - MIDDLE) * STEEPNESS).exp())
}
