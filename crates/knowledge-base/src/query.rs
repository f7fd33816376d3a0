//! What is asked.

use jiff::civil::Date;

use crate::text::fold;

/// Longest question that is read, in characters; the rest is left aside.
pub const MAX_QUESTION_CHARS: usize = 5_000;
/// Most hits of a search.
pub const MAX_TOP_K: usize = 100;

/// A question, with filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub(crate) text: String,
    pub(crate) modules: Vec<String>,
    /// Folded.
    pub(crate) tags: Vec<String>,
    pub(crate) top_k: usize,
    pub(crate) per_document: usize,
    pub(crate) today: Option<Date>,
    pub(crate) snippets: bool,
}

impl Query {
    /// A question in words, or only words. Three hits, of any module.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        if let Some((at, _)) = text.char_indices().nth(MAX_QUESTION_CHARS) {
            text.truncate(at);
        }
        Self {
            text,
            modules: Vec::new(),
            tags: Vec::new(),
            top_k: 3,
            per_document: 2,
            today: None,
            snippets: true,
        }
    }

    /// Only passages of this module; called again, of any of them.
    #[must_use]
    pub fn module(mut self, module: impl Into<String>) -> Self {
        self.modules.push(module.into());
        self
    }

    /// Only documents with at least one of these tags, without regard to case and accents.
    #[must_use]
    pub fn tags<T: AsRef<str>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        let folded = tags.into_iter().map(|tag| fold(tag.as_ref().trim()));
        self.tags.extend(folded);
        self
    }

    /// How many hits at most: between 1 and [`MAX_TOP_K`].
    #[must_use]
    pub fn top_k(mut self, top_k: usize) -> Self {
        self.top_k = top_k.clamp(1, MAX_TOP_K);
        self
    }

    /// How many passages of one document at most; 2 unless told, never under 1.
    #[must_use]
    pub fn per_document(mut self, passages: usize) -> Self {
        self.per_document = passages.max(1);
        self
    }

    /// Leaves out documents that don't hold on this day. Without it all are searched.
    #[must_use]
    pub fn today(mut self, today: Date) -> Self {
        self.today = Some(today);
        self
    }

    /// Makes no snippets: for who reads the passages themselves. Each hit's is empty.
    #[must_use]
    pub fn without_snippets(mut self) -> Self {
        self.snippets = false;
        self
    }

    /// The question, as far as it is read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
