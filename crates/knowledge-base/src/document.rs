//! A document, and the passages that it is found by.

use std::sync::Arc;

use jiff::civil::Date;

use crate::error::DocumentError;
use crate::markdown;

/// Longest id, in bytes.
const MAX_ID: usize = 200;
/// Longest of the other short fields, in bytes.
const MAX_FIELD: usize = 1_000;
/// Most tags.
const MAX_TAGS: usize = 50;
/// Longest body, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// What somebody wrote on one subject: Markdown with its particulars.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// Unique among the documents; a file's is its path without `.md` (`dte/folios/caf`).
    pub id: String,
    /// What it is about, in a line.
    pub title: String,
    /// The module it belongs to, such as `l10n_cl_dte`.
    pub module: String,
    /// Subjects to filter by.
    pub tags: Vec<String>,
    /// Where a reader finds more: the official page where there is one.
    pub url: Option<String>,
    /// What its facts rest on, in words.
    pub source: Option<String>,
    /// When it was last brought up to date.
    pub updated: Option<Date>,
    /// The first day on which what it says holds.
    pub valid_from: Option<Date>,
    /// The last one.
    pub valid_to: Option<Date>,
    /// The text, in Markdown.
    pub body: String,
}

impl Document {
    /// A document with nothing but a text, of the module `general`.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            module: "general".to_owned(),
            tags: Vec::new(),
            url: None,
            source: None,
            updated: None,
            valid_from: None,
            valid_to: None,
            body: body.into(),
        }
    }

    /// Puts it into a module.
    #[must_use]
    pub fn module(mut self, module: impl Into<String>) -> Self {
        self.module = module.into();
        self
    }

    /// Gives it tags, in place of those it had.
    #[must_use]
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Gives it a page to read more on.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Says when it was last brought up to date.
    #[must_use]
    pub fn updated(mut self, date: Date) -> Self {
        self.updated = Some(date);
        self
    }

    /// Says on which days it holds; either end may be open.
    #[must_use]
    pub fn valid(mut self, from: Option<Date>, to: Option<Date>) -> Self {
        (self.valid_from, self.valid_to) = (from, to);
        self
    }

    /// The first rule that it breaks.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let odd = |id: &str| {
            id.chars()
                .any(|letter| letter == '#' || letter.is_control())
        };
        if self.id.is_empty() || self.id.len() > MAX_ID || odd(&self.id) {
            let start: String = self.id.chars().take(60).collect();
            return Err(DocumentError::Id(start));
        }
        let must = [
            ("title", &self.title),
            ("module", &self.module),
            ("body", &self.body),
        ];
        if let Some((field, _)) = must.iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(DocumentError::Empty(field));
        }
        self.check_lengths()?;
        if let Some(url) = &self.url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            return Err(DocumentError::Url(url.clone()));
        }
        if let (Some(from), Some(to)) = (self.valid_from, self.valid_to)
            && to < from
        {
            return Err(DocumentError::Validity);
        }
        Ok(())
    }

    fn check_lengths(&self) -> Result<(), DocumentError> {
        let too_long = |field, bytes, limit| DocumentError::TooLong {
            field,
            bytes,
            limit,
        };
        let short = [
            ("title", self.title.len()),
            ("module", self.module.len()),
            ("url", self.url.as_ref().map_or(0, String::len)),
            ("source", self.source.as_ref().map_or(0, String::len)),
            ("tag", self.tags.iter().map(String::len).max().unwrap_or(0)),
        ];
        if let Some((field, bytes)) = short.into_iter().find(|(_, bytes)| *bytes > MAX_FIELD) {
            return Err(too_long(field, bytes, MAX_FIELD));
        }
        if self.tags.len() > MAX_TAGS {
            return Err(too_long("tags", self.tags.len(), MAX_TAGS));
        }
        if self.body.len() > MAX_BODY {
            return Err(too_long("body", self.body.len(), MAX_BODY));
        }
        Ok(())
    }
}

/// A document as it is kept: its particulars, and its text in passages.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Without its body, which is in the passages.
    pub(crate) document: Document,
    pub(crate) passages: Vec<Passage>,
    /// Whether it came from the folder, and goes when its file does.
    pub(crate) from_folder: bool,
}

/// A part of a document that answers by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    /// The headings above it, from the outermost: `Anulación > Con nota de crédito`.
    pub(crate) section: Arc<str>,
    pub(crate) content: Arc<str>,
}

impl Entry {
    /// Checks a document and splits it.
    pub(crate) fn new(
        mut document: Document,
        max_passage_chars: usize,
        from_folder: bool,
    ) -> Result<Self, DocumentError> {
        document.check()?;
        let body = std::mem::take(&mut document.body);
        let passages = markdown::split(&body, max_passage_chars);
        if passages.is_empty() {
            return Err(DocumentError::Empty("body"));
        }
        Ok(Self {
            document,
            passages,
            from_folder,
        })
    }

    /// The same text with another end of validity.
    pub(crate) fn ending(&self, valid_to: Date) -> Result<Self, DocumentError> {
        if self
            .document
            .valid_from
            .is_some_and(|valid_from| valid_to < valid_from)
        {
            return Err(DocumentError::Validity);
        }
        let mut document = self.document.clone();
        document.valid_to = Some(valid_to);
        Ok(Self {
            document,
            passages: self.passages.clone(),
            from_folder: self.from_folder,
        })
    }

    /// Whether what it says holds on a day.
    pub(crate) fn holds_on(&self, day: Date) -> bool {
        self.document.valid_from.is_none_or(|from| from <= day)
            && self.document.valid_to.is_none_or(|to| day <= to)
    }

    /// Bytes of its text.
    pub(crate) fn text_bytes(&self) -> usize {
        let passages: usize = self
            .passages
            .iter()
            .map(|passage| passage.content.len() + passage.section.len())
            .sum();
        passages + self.document.title.len()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn sample() -> Document {
        Document::new("a/b", "Título", "Texto.")
    }

    #[test]
    fn a_document_says_what_is_wrong_with_it() {
        let from = Some(date(2026, 5, 1));
        let cases = [
            (sample(), None),
            (
                Document::new("", "T", "x"),
                Some(DocumentError::Id(String::new())),
            ),
            (
                Document::new("a#1", "T", "x"),
                Some(DocumentError::Id("a#1".to_owned())),
            ),
            (
                Document::new("a", " ", "x"),
                Some(DocumentError::Empty("title")),
            ),
            (
                Document::new("a", "T", "\n"),
                Some(DocumentError::Empty("body")),
            ),
            (sample().module(""), Some(DocumentError::Empty("module"))),
            (
                sample().url("javascript:alert(1)"),
                Some(DocumentError::Url("javascript:alert(1)".to_owned())),
            ),
            (
                sample().valid(from, Some(date(2026, 4, 30))),
                Some(DocumentError::Validity),
            ),
            (
                sample().tags(["x".repeat(2_000)]),
                Some(DocumentError::TooLong {
                    field: "tag",
                    bytes: 2_000,
                    limit: MAX_FIELD,
                }),
            ),
        ];
        for (document, expected) in cases {
            assert_eq!(document.check().err(), expected, "{document:?}");
        }
    }

    #[test]
    fn validity_includes_both_ends() {
        let entry = |from, to| Entry::new(sample().valid(from, to), 2_000, false).unwrap();
        let day = date(2026, 5, 1);
        assert!(entry(None, None).holds_on(day));
        assert!(entry(Some(day), Some(day)).holds_on(day));
        assert!(!entry(Some(date(2026, 5, 2)), None).holds_on(day));
        assert!(!entry(None, Some(date(2026, 4, 30))).holds_on(day));
        assert!(entry(Some(day), None).ending(date(2026, 4, 1)).is_err());
        let ended = entry(Some(day), None).ending(day).unwrap();
        assert!(ended.holds_on(day) && !ended.holds_on(date(2026, 5, 2)));
    }
}
