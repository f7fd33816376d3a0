//! Indexes: which entries are new, gone or changed, and the documents of the new ones.

use std::collections::HashSet;
use std::sync::Arc;

use url::Url;

use super::findings;
use super::{Found, Look, MIN_CONTENT, Round, VisitError, Visitor, off};
use crate::analyse::Finding;
use crate::archive::{Known, PageState};
use crate::compare::{EntryChange, Field, check_index, entry_changes};
use crate::fetch::{Ask, Fetched};
use crate::index::Entry;
use crate::reading::{Reading, read};
use crate::source::{Kind, PageRef, Source};
use crate::text::folded;

/// From so many entries on whose wording changed at once, if they are most of a page's, it is
/// the page that was rewritten: that is one piece of news.
const REWRITTEN: usize = 4;

impl Visitor {
    /// An index: its entries against those that are known.
    pub(super) async fn listing(
        &self,
        source: &Source,
        page: &PageRef,
        known: &Known,
        look: Look,
        round: &Round,
        notes: &mut Vec<String>,
    ) -> Result<Found, VisitError> {
        let before = &known.state;
        let first = compared(&before.entries, &look.reading.entries).await?;
        let mut etags = (look.etag, look.last_modified);
        let mut confirmed = first;
        if confirmed.iter().any(is_news) {
            // What a second look doesn't find again is told when it stays.
            let again = self.look_again(source, page).await?;
            check_index(Some(before.size), again.reading.size(source.kind))
                .map_err(VisitError::Alarm)?;
            let second = compared(&before.entries, &again.reading.entries).await?;
            if confirmed != second {
                // Neither look is the page as it is kept: it must be fetched anew next time.
                etags = (None, None);
            }
            confirmed.retain(|change| second.contains(change));
        }
        let entries = applied(&before.entries, &confirmed);
        let news: Vec<&EntryChange> = confirmed.iter().filter(|change| is_news(change)).collect();
        let mut list: Vec<(Finding, Option<String>)> = Vec::new();
        let reworded = news.iter().filter(|change| is_reworded(change)).count();
        let rewritten = reworded >= REWRITTEN && reworded * 2 > before.entries.len();
        if rewritten {
            let finding = findings::of_rewriting(source, page, before.version, &news);
            list.push((finding, None));
        }
        for change in &news {
            match change {
                EntryChange::New(entry) => {
                    list.push(self.new_entry(source, page, entry, round, notes).await);
                }
                change if rewritten && is_reworded(change) => {}
                change => {
                    list.extend(
                        findings::of_entry(source, page, before.version, change)
                            .map(|finding| (finding, None)),
                    );
                }
            }
        }
        let changed = !news.is_empty();
        let state = PageState {
            version: before.version + u64::from(changed),
            changed_at: if changed {
                round.now
            } else {
                before.changed_at
            },
            size: entries.len(),
            entries: Arc::new(entries),
            etag: etags.0,
            last_modified: etags.1,
            ..before.clone()
        };
        Ok(Found {
            findings: list,
            state,
            status: if changed { "changed" } else { "ok" },
        })
    }

    /// A new entry with the text of its document, and what that is known by.
    pub(super) async fn new_entry(
        &self,
        source: &Source,
        page: &PageRef,
        entry: &Entry,
        round: &Round,
        notes: &mut Vec<String>,
    ) -> (Finding, Option<String>) {
        let url = entry.url.as_deref().and_then(|url| Url::parse(url).ok());
        let (text, content) = match url {
            Some(url) if Round::take(&round.documents) => {
                let text = self.document(source, url.clone()).await;
                text.unwrap_or_else(|error| {
                    let name = error.as_str();
                    notes.push(format!("{}: {url}: {name}: {}", page.key, error.message()));
                    (String::new(), None)
                })
            }
            _ => (String::new(), None),
        };
        (findings::of_new(source, page, entry, text), content)
    }

    async fn document(
        &self,
        source: &Source,
        url: Url,
    ) -> Result<(String, Option<String>), VisitError> {
        match self.fetcher.fetch(&Ask::new(url)).await? {
            Fetched::NotModified => Ok((String::new(), None)),
            Fetched::Document(document) => {
                let reading = read(*document, Kind::Article, source.tipo, &self.pdfs).await?;
                off(move || said(&reading)).await
            }
        }
    }
}

async fn compared(
    before: &Arc<Vec<Entry>>,
    after: &Arc<Vec<Entry>>,
) -> Result<Vec<EntryChange>, VisitError> {
    let (before, after) = (Arc::clone(before), Arc::clone(after));
    off(move || entry_changes(&before, &after)).await
}

/// What a document says, and what it is known by; off the runtime, as it may be a book.
fn said(reading: &Reading) -> (String, Option<String>) {
    let text = reading.text();
    let letters: String = folded(&text)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    let known = (letters.len() >= MIN_CONTENT).then(|| blake3::hash(letters.as_bytes()));
    (text, known.map(|hash| hash.to_hex().to_string()))
}

/// Another address of the same document is none.
fn is_news(change: &EntryChange) -> bool {
    !matches!(change, EntryChange::Changed { fields, .. } if fields.as_slice() == [Field::Url])
}

fn is_reworded(change: &EntryChange) -> bool {
    matches!(change, EntryChange::Changed { fields, .. } if !fields.contains(&Field::Fecha))
}

/// The known entries with these changes made to them.
fn applied(before: &[Entry], changes: &[EntryChange]) -> Vec<Entry> {
    let mut gone = HashSet::new();
    let mut new: Vec<Entry> = Vec::new();
    for change in changes {
        match change {
            EntryChange::New(entry) => new.push(entry.clone()),
            EntryChange::Removed(entry) => {
                gone.insert(entry.key());
            }
            EntryChange::Changed { before, after, .. } => {
                gone.insert(before.key());
                new.push(after.clone());
            }
        }
    }
    let kept = before.iter().filter(|entry| !gone.contains(&entry.key()));
    new.extend(kept.cloned());
    new
}
