//! The list of items, newest first.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Archive, ArchiveError, decode, encode, item_key};
use crate::item::Item;

/// The most items of the list; the oldest give way.
const MAX_ITEMS: usize = 5_000;

/// The most items of one answer.
pub const MAX_LIMIT: usize = 100;

/// The items of an answer where nobody says how many.
const DEFAULT_LIMIT: usize = 20;

/// How often the list is tried to be replaced where others do so too.
const TRIES: usize = 20;

const LIST: &str = "sii:news";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    at: Timestamp,
    id: String,
    prioridad: u8,
}

/// Which items are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewsQuery {
    /// Found at this moment or later.
    pub since: Option<Timestamp>,
    /// Of this priority or higher.
    pub min_priority: Option<u8>,
    /// So many at most, 1 to [`MAX_LIMIT`]; 20 where nothing is said.
    pub limit: Option<usize>,
    /// Where the page before ended: its `next_cursor`. One that can't be read is the end.
    pub cursor: Option<String>,
}

impl NewsQuery {
    /// Whether there is no cursor, or one that can be read.
    #[must_use]
    pub fn has_good_cursor(&self) -> bool {
        self.cursor
            .as_deref()
            .is_none_or(|cursor| read_cursor(cursor).is_some())
    }
}

/// A page of items, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewsPage {
    /// The items.
    pub items: Vec<Item>,
    /// For the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

impl Archive {
    /// The items that are asked for, newest first. Items that come in meanwhile don't shift the
    /// pages: a cursor names the last item of its page.
    ///
    /// # Errors
    /// [`ArchiveError::Store`].
    pub fn news<'a>(
        &'a self,
        query: &'a NewsQuery,
    ) -> BoxFuture<'a, Result<NewsPage, ArchiveError>> {
        Box::pin(self.news_page(query))
    }

    async fn news_page(&self, query: &NewsQuery) -> Result<NewsPage, ArchiveError> {
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let lines: Vec<Line> = decode(self.store.get(LIST).await?).unwrap_or_default();
        let after = match &query.cursor {
            None => None,
            Some(cursor) => match read_cursor(cursor) {
                Some(place) => Some(place),
                None => {
                    return Ok(NewsPage {
                        items: Vec::new(),
                        next_cursor: None,
                    });
                }
            },
        };
        let mut wanted = lines.into_iter().filter(|line| {
            query.since.is_none_or(|since| line.at >= since)
                && query
                    .min_priority
                    .is_none_or(|least| line.prioridad >= least)
                && after.is_none_or(|(at, id)| (line.at, line.id.as_str()) < (at, id))
        });
        let lines: Vec<Line> = wanted.by_ref().take(limit).collect();
        let more = wanted.next().is_some();
        drop(wanted);
        let mut items = Vec::with_capacity(lines.len());
        for line in &lines {
            items.extend(self.item(&line.id).await?);
        }
        Ok(NewsPage {
            items,
            next_cursor: lines.last().filter(|_| more).map(cursor),
        })
    }

    /// How many items were found since.
    ///
    /// # Errors
    /// [`ArchiveError::Store`].
    pub async fn news_since(&self, since: Timestamp) -> Result<usize, ArchiveError> {
        let lines: Vec<Line> = decode(self.store.get(LIST).await?).unwrap_or_default();
        Ok(lines.iter().filter(|line| line.at >= since).count())
    }

    /// When the newest items were found, and their ids, newest first.
    pub(crate) async fn newest(
        &self,
        limit: usize,
    ) -> Result<Vec<(Timestamp, String)>, ArchiveError> {
        let lines: Vec<Line> = decode(self.store.get(LIST).await?).unwrap_or_default();
        let newest = lines.into_iter().take(limit);
        Ok(newest.map(|line| (line.at, line.id)).collect())
    }

    /// Puts an item on the list, if it isn't there.
    pub(super) async fn list(&self, item: &Item) -> Result<(), ArchiveError> {
        for _ in 0..TRIES {
            let raw = self.store.get(LIST).await?;
            let mut lines: Vec<Line> = decode(raw.clone()).unwrap_or_default();
            if lines.iter().any(|line| line.id == item.id) {
                return Ok(());
            }
            lines.push(Line {
                at: item.detected_at,
                id: item.id.clone(),
                prioridad: item.prioridad,
            });
            lines.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
            let gone = lines.split_off(lines.len().min(MAX_ITEMS));
            let body = encode(&lines)?;
            let expected = raw.as_deref();
            if self
                .store
                .compare_and_set(LIST, expected, body, None)
                .await?
            {
                for line in gone {
                    self.store.delete(&item_key(&line.id)).await?;
                }
                return Ok(());
            }
        }
        Err(ArchiveError::Overtaken)
    }
}

fn cursor(line: &Line) -> String {
    format!("{}_{}", line.at.as_microsecond(), line.id)
}

/// Digits, `_`, and the letters that ids are made of: nothing else was ever a cursor.
fn read_cursor(cursor: &str) -> Option<(Timestamp, &str)> {
    let (at, id) = cursor.split_once('_')?;
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
    if at.is_empty() || at.len() > 17 || id.len() > 200 || !id.bytes().all(letters) {
        return None;
    }
    if !at.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let at = Timestamp::from_microsecond(at.parse().ok()?).ok()?;
    Some((at, id))
}
