//! One visit of one page: fetch, look for a broken shape, compare, confirm, say what it means,
//! keep.

mod findings;
mod listing;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use jiff::civil::Date;
use thiserror::Error;
use url::Url;

use crate::analyse::{Analyst, Finding};
use crate::archive::{Archive, ArchiveError, Known, PageState, first_year};
use crate::compare::{Alarm, Change, Habits, changes, check_index, check_text, difference};
use crate::fetch::{Ask, Document, FetchError, FetchErrorKind, Fetched, Fetcher};
use crate::item::Item;
use crate::pdf::PdfReader;
use crate::reading::{ReadError, Reading, read};
use crate::source::{Kind, PageRef, Source};

/// The shortest text that a document is known by: shorter ones ("not found") are alike.
const MIN_CONTENT: usize = 200;

/// What visits need.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) archive: Archive,
    pub(crate) fetcher: Arc<dyn Fetcher>,
    pub(crate) analyst: Analyst,
    pub(crate) pdfs: PdfReader,
    pub(crate) report_existing: bool,
}

/// What a run's visits share.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) today: Date,
    pub(crate) now: Timestamp,
    /// How many more linked documents may be fetched.
    pub(crate) documents: AtomicUsize,
    /// How many more times the model may be asked.
    pub(crate) questions: AtomicUsize,
}

/// How a visit ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Visit {
    pub(crate) status: &'static str,
    pub(crate) etag: Option<String>,
    pub(crate) bytes: u64,
    /// Changes that were found.
    pub(crate) changes: usize,
    /// Items that are new by them.
    pub(crate) created: usize,
    /// What went wrong on the side: a linked document that couldn't be fetched.
    pub(crate) notes: Vec<String>,
    /// The documents that an index lists.
    pub(crate) documents: Vec<Url>,
}

/// Why a visit failed.
#[derive(Debug, Error)]
pub(crate) enum VisitError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{}", .0.message())]
    Alarm(Alarm),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("failed to compare the page (interrupted)")]
    Interrupted,
}

impl VisitError {
    /// What an operator reads.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Fetch(error) => error.kind().message(),
            Self::Read(ReadError::Pdf(error)) => error.message().to_owned(),
            Self::Read(ReadError::Interrupted) | Self::Interrupted => {
                "la lectura se interrumpió".to_owned()
            }
            Self::Alarm(alarm) => alarm.message(),
            Self::Archive(ArchiveError::Overtaken) => "otra réplica la guardó primero".to_owned(),
            Self::Archive(_) => "el almacén no está disponible".to_owned(),
        }
    }

    /// The stable English word for metrics and answers.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.kind().as_str(),
            Self::Read(ReadError::Pdf(error)) => error.as_str(),
            Self::Read(ReadError::Interrupted) | Self::Interrupted => "interrupted",
            Self::Alarm(alarm) => alarm.as_str(),
            Self::Archive(ArchiveError::Overtaken) => "overtaken",
            Self::Archive(_) => "store",
        }
    }
}

/// A page as it is now, and the document that it was read from.
struct Look {
    reading: Reading,
    etag: Option<String>,
    last_modified: Option<String>,
    bytes: u64,
}

/// What a visit found, and the page as it will be kept.
struct Found {
    findings: Vec<(Finding, Option<String>)>,
    state: PageState,
    status: &'static str,
}

impl Round {
    /// Takes one of what is left.
    fn take(left: &AtomicUsize) -> bool {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        })
        .is_ok()
    }
}

impl Visitor {
    /// Visits a page.
    pub(crate) async fn visit(
        &self,
        source: &Source,
        page: &PageRef,
        round: &Round,
    ) -> Result<Visit, VisitError> {
        let known = self.archive.page(&page.key).await?;
        let since = first_year(&self.archive, &source.key, round.today.year()).await?;
        // A page of a later year than the source's first is new as a whole, once it is there.
        let later = page.year.is_some_and(|year| year > since);
        let look = match self.look(source, page, known.as_ref()).await {
            Ok(Some(look)) => look,
            Ok(None) => {
                let state = known.map(|known| known.state);
                return Ok(Visit {
                    status: "not_modified",
                    etag: state.as_ref().and_then(|state| state.etag.clone()),
                    documents: state.map(|state| documents(&state)).unwrap_or_default(),
                    ..Visit::default()
                });
            }
            Err(VisitError::Fetch(error))
                if error.kind() == FetchErrorKind::NotFound && later && known.is_none() =>
            {
                return Ok(Visit {
                    status: "not_published",
                    ..Visit::default()
                });
            }
            Err(error) => return Err(error),
        };
        let size = look.reading.size(source.kind);
        // A source that was made another kind in the configuration begins anew.
        let comparable = known
            .as_ref()
            .filter(|known| known.state.kind == source.kind);
        let before = comparable.map(|known| known.state.size);
        match source.kind {
            Kind::Index => check_index(before, size),
            _ => check_text(before, size),
        }
        .map_err(VisitError::Alarm)?;
        let bytes = look.bytes;
        let mut notes = Vec::new();
        let found = match comparable {
            None => {
                let all = known.is_none() && (later || self.report_existing);
                self.first(source, page, look, all, round, &mut notes).await
            }
            Some(known) if source.kind == Kind::Index => {
                self.listing(source, page, known, look, round, &mut notes)
                    .await?
            }
            Some(known) => self.text(source, page, known, look, round).await?,
        };
        let mut visit = Visit {
            status: found.status,
            etag: found.state.etag.clone(),
            bytes,
            changes: found.findings.len(),
            notes,
            documents: documents(&found.state),
            ..Visit::default()
        };
        visit.created = self.keep(page, known.as_ref(), found, round).await?;
        Ok(visit)
    }

    /// Fetches and reads a page; `None` where it is still what is known.
    async fn look(
        &self,
        source: &Source,
        page: &PageRef,
        known: Option<&Known>,
    ) -> Result<Option<Look>, VisitError> {
        let mut ask = Ask::new(page.url.clone());
        if let Some(known) = known {
            ask.etag.clone_from(&known.state.etag);
            ask.last_modified.clone_from(&known.state.last_modified);
        }
        match self.fetcher.fetch(&ask).await? {
            Fetched::NotModified => Ok(None),
            Fetched::Document(document) => self.read(*document, source).await.map(Some),
        }
    }

    async fn read(&self, document: Document, source: &Source) -> Result<Look, VisitError> {
        let (etag, last_modified) = (document.etag.clone(), document.last_modified.clone());
        let bytes = u64::try_from(document.body.len()).unwrap_or(u64::MAX);
        let reading = read(document, source.kind, source.tipo, &self.pdfs).await?;
        Ok(Look {
            reading,
            etag,
            last_modified,
            bytes,
        })
    }

    /// Looks once more, unconditionally, at a page that has changed.
    async fn look_again(&self, source: &Source, page: &PageRef) -> Result<Look, VisitError> {
        match self.look(source, page, None).await? {
            Some(look) => Ok(look),
            None => Err(FetchError::new(FetchErrorKind::Refused(304)).into()),
        }
    }

    /// The first visit: nothing is news but in a year's page that is itself new.
    async fn first(
        &self,
        source: &Source,
        page: &PageRef,
        look: Look,
        all: bool,
        round: &Round,
        notes: &mut Vec<String>,
    ) -> Found {
        let mut findings = Vec::new();
        if all {
            for entry in look.reading.entries.iter() {
                findings.push(self.new_entry(source, page, entry, round, notes).await);
            }
        }
        let state = PageState {
            version: 1,
            changed_at: round.now,
            etag: look.etag,
            last_modified: look.last_modified,
            size: look.reading.size(source.kind),
            kind: source.kind,
            entries: look.reading.entries,
            pieces: look.reading.pieces,
            habits: Habits::default(),
            versions: Vec::new(),
        };
        Found {
            status: if findings.is_empty() {
                "baseline"
            } else {
                "changed"
            },
            findings,
            state,
        }
    }

    /// A page of running text: its blocks against those that are known.
    async fn text(
        &self,
        source: &Source,
        page: &PageRef,
        known: &Known,
        mut look: Look,
        round: &Round,
    ) -> Result<Found, VisitError> {
        let before = &known.state;
        let mut first = None;
        if !matches!(source.kind, Kind::Pdf | Kind::Xsd) {
            let (state, pieces) = (before.clone(), Arc::clone(&look.reading.pieces));
            let changed = off(move || {
                let all = changes(&state.pieces, &pieces);
                all.iter().any(|change| is_news(&state.habits, change))
            });
            if changed.await? {
                let again = self.look_again(source, page).await?;
                check_text(Some(before.size), again.reading.size(source.kind))
                    .map_err(VisitError::Alarm)?;
                first = Some(Arc::clone(&look.reading.pieces));
                look = again;
            }
        }
        let (source_, page_, state) = (source.clone(), page.clone(), before.clone());
        let (titulo, pieces) = (
            look.reading.titulo.clone(),
            Arc::clone(&look.reading.pieces),
        );
        let (habits, finding) = off(move || {
            let mut habits = state.habits.clone();
            if let Some(first) = first {
                // Places that differ between two looks within a moment say nothing.
                habits.restless(&changes(&first, &pieces));
            }
            let all = changes(&state.pieces, &pieces);
            let news = all.iter().filter(|change| is_news(&habits, change));
            let news: Vec<Change> = news.cloned().collect();
            habits.learn(&all);
            let finding = (!news.is_empty()).then(|| {
                let found = difference(&state.pieces, &pieces, &news);
                findings::of_text(&source_, &page_, state.version, titulo, &news, &found)
            });
            (habits, finding)
        })
        .await?;
        let mut state = PageState {
            habits,
            etag: look.etag,
            last_modified: look.last_modified,
            size: look.reading.size(source.kind),
            pieces: look.reading.pieces,
            ..before.clone()
        };
        if finding.is_some() {
            state.version = before.version.saturating_add(1);
            state.changed_at = round.now;
        }
        Ok(Found {
            status: if finding.is_some() { "changed" } else { "ok" },
            findings: finding.into_iter().map(|finding| (finding, None)).collect(),
            state,
        })
    }

    /// Keeps what was found, items first, the page last: see [`crate::archive`].
    async fn keep(
        &self,
        page: &PageRef,
        known: Option<&Known>,
        found: Found,
        round: &Round,
    ) -> Result<usize, VisitError> {
        let mut created = 0;
        for (finding, content) in found.findings {
            let ask = Round::take(&round.questions);
            let item: Item = self
                .analyst
                .item(finding, round.today, round.now, ask)
                .await;
            created += usize::from(self.archive.publish(&item, content.as_deref()).await?);
        }
        let mut state = found.state;
        if known.is_some_and(|known| known.state == state) {
            return Ok(created);
        }
        let versioned = known.is_none_or(|known| known.state.version != state.version);
        let gone = if versioned {
            self.archive.keep_version(&page.key, &mut state).await?
        } else {
            Vec::new()
        };
        self.archive.commit(&page.key, known, state, &gone).await?;
        Ok(created)
    }
}

/// Does CPU work off the runtime.
async fn off<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, VisitError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| VisitError::Interrupted)
}

/// Whether a change is told: no move, and not in a place that always changes.
fn is_news(habits: &Habits, change: &Change) -> bool {
    change.slot().is_some_and(|slot| !habits.is_noise(slot))
}

/// The documents that an index lists.
fn documents(state: &PageState) -> Vec<Url> {
    let urls = state
        .entries
        .iter()
        .filter_map(|entry| entry.url.as_deref());
    urls.filter_map(|url| Url::parse(url).ok()).collect()
}
