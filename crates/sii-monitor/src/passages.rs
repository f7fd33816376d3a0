//! Items as passages of a knowledge base, on every replica, also after a restart.
//!
//! Whoever runs hands an item over through [`NewsSink`]; the other replicas are told by a message
//! and look for themselves every 20 seconds besides, as messages may be lost. What the store has
//! is taken in at the start.
//!
//! An item that replaces figures ([`Item::reemplaza`]) ends what stated them before: earlier items
//! all of whose figures were replaced since, and articles that are dated (`valid_from`) and hold
//! the replaced number. They stay in the base, but no question of today finds them. Articles
//! without a date may hold a figure as history or example, and are left as they are. An item that
//! tells that a document is gone ends the passage of that document.

mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use knowledge_base::{KnowledgeBase, KnowledgeError, Query};
use store::Store;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use self::document::{document, gone, id_of, replaced_numbers};
use crate::archive::{Archive, ArchiveError};
use crate::item::Item;
use crate::run::MonitorError;
use crate::sink::{NewsSink, SinkError};

/// The most items that are passages; the oldest give way.
pub const MAX_PASSAGES: usize = 500;

/// Over which channel replicas tell each other of an item.
const CHANNEL: &str = "sii:passages";

/// How often a replica looks for itself.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// How many passages that may hold a replaced number are looked at.
const MAX_SUSPECTS: usize = 20;

/// The most numbers of one item that are looked for in articles.
const MAX_NUMBERS: usize = 20;

/// Puts items into a knowledge base.
pub struct Passages {
    base: KnowledgeBase,
    archive: Archive,
    zone: TimeZone,
    most: usize,
    taken: Mutex<Taken>,
}

/// When an item was found, and its id: the order of items.
type Place = (Timestamp, String);

/// What is in the base.
#[derive(Debug, Default)]
struct Taken {
    /// Each item with the figures that it states and nobody has replaced since.
    items: BTreeMap<Place, BTreeSet<String>>,
    /// Who stated a figure last.
    latest: BTreeMap<String, Place>,
}

impl Passages {
    /// Passages of the items in `store`, in this base. Nothing is taken before
    /// [`Passages::catch_up`].
    ///
    /// # Errors
    /// [`MonitorError::Zone`].
    pub fn try_new(base: KnowledgeBase, store: Arc<dyn Store>) -> Result<Self, MonitorError> {
        Ok(Self {
            base,
            archive: Archive::new(store),
            zone: TimeZone::get("America/Santiago").map_err(|_| MonitorError::Zone)?,
            most: MAX_PASSAGES,
            taken: Mutex::default(),
        })
    }

    /// Takes what the store has and the base hasn't, oldest first; says how many.
    ///
    /// # Errors
    /// [`ArchiveError`] where the store is out of reach. What can't be a passage is left out.
    pub fn catch_up(&self) -> BoxFuture<'_, Result<usize, ArchiveError>> {
        // Boxed in this crate, to be compiled once: so are the others that return a box.
        Box::pin(self.take_new())
    }

    async fn take_new(&self) -> Result<usize, ArchiveError> {
        let mut newest = self.archive.newest(self.most).await?;
        newest.reverse();
        let mut count = 0;
        for place in newest {
            if self.taken.lock().await.items.contains_key(&place) {
                continue;
            }
            let Some(item) = self.archive.item(&place.1).await? else {
                continue;
            };
            match self.take(&item).await {
                Ok(()) => count += 1,
                Err(error) => tracing::warn!(item = item.id, %error, "an item is no passage"),
            }
        }
        Ok(count)
    }

    /// Goes on catching up, at once where another replica tells of an item. It ends when it is
    /// dropped.
    pub async fn follow(&self) {
        let store = self.archive.store();
        let mut told = None;
        loop {
            if told.is_none() {
                told = store.subscribe(CHANNEL).await.ok();
            }
            match self.catch_up().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "the knowledge base has news"),
                Err(error) => tracing::info!(%error, "news are out of reach"),
            }
            let message = match &mut told {
                Some(messages) => timeout(LOOK_EVERY, messages.next()).await,
                None => Ok(None),
            };
            if message == Ok(None) {
                // Closed, or never open: subscribed anew the next time, and not in a hurry.
                told = None;
                sleep(LOOK_EVERY).await;
            }
        }
    }

    async fn take(&self, item: &Item) -> Result<(), KnowledgeError> {
        let mut taken = self.taken.lock().await;
        let place = (item.detected_at, item.id.clone());
        if taken.items.contains_key(&place) {
            return Ok(());
        }
        self.base.upsert(document(item, &self.zone)).await?;
        for ended in taken.add(place, item) {
            self.end(&id_of(&ended), item).await?;
        }
        if let Some(id) = gone(item) {
            self.end(&id_of(&id), item).await?;
        }
        self.end_articles(item).await?;
        while taken.items.len() > self.most
            && let Some(((_, id), _)) = taken.items.pop_first()
        {
            self.base.remove(&id_of(&id)).await?;
        }
        Ok(())
    }

    /// Marks a document as superseded by an item, from the day on which that was found.
    async fn end(&self, id: &str, by: &Item) -> Result<(), KnowledgeError> {
        let last = last_day(by, &self.zone);
        match self.base.supersede(id, last).await {
            // It began today: it can't have ended before. It goes.
            Err(KnowledgeError::Document(_)) => self.base.remove(id).await.map(drop),
            outcome => outcome.map(drop),
        }
    }

    /// Marks the dated articles that hold a number which an item replaces.
    async fn end_articles(&self, item: &Item) -> Result<(), KnowledgeError> {
        for (words, number) in replaced_numbers(item).into_iter().take(MAX_NUMBERS) {
            let query = Query::new(format!("{words} {number}"))
                .top_k(MAX_SUSPECTS)
                .today(last_day(item, &self.zone));
            let hits = self.base.search(&query);
            for hit in hits {
                let dated = hit.valid_from.is_some() && !hit.document_id.starts_with("sii/");
                if dated && document::holds(&hit.content, &number) {
                    self.end(&hit.document_id, item).await?;
                }
            }
        }
        Ok(())
    }
}

impl Taken {
    /// Takes an item in; the ids of those that state nothing more that holds.
    fn add(&mut self, place: Place, item: &Item) -> Vec<String> {
        let figures: BTreeSet<String> = item
            .reemplaza
            .iter()
            .map(|figure| figure.indicador.clone())
            .collect();
        let mut still = figures.clone();
        let mut ended = Vec::new();
        for figure in figures {
            let older = match self.latest.get(&figure) {
                // It came late: a newer one is there.
                Some(latest) if *latest > place => {
                    still.remove(&figure);
                    continue;
                }
                other => other.cloned(),
            };
            self.latest.insert(figure.clone(), place.clone());
            if let Some(older) = older
                && let Some(figures) = self.items.get_mut(&older)
                && figures.remove(&figure)
                && figures.is_empty()
            {
                ended.push(older.1);
            }
        }
        if still.is_empty() && !item.reemplaza.is_empty() {
            ended.push(place.1.clone());
        }
        self.items.insert(place, still);
        ended
    }
}

/// The day before an item was found, in Chile.
fn last_day(item: &Item, zone: &TimeZone) -> Date {
    let day = item.detected_at.to_zoned(zone.clone()).date();
    day.checked_sub(1.day()).unwrap_or(day)
}

#[async_trait]
impl NewsSink for Passages {
    async fn accept(&self, item: &Item) -> Result<(), SinkError> {
        self.take(item).await.map_err(|error| match error {
            KnowledgeError::Document(_) => SinkError::Refused,
            _ => SinkError::Unavailable,
        })?;
        // Lost, it costs the others a few seconds: they look for themselves.
        let message = Bytes::copy_from_slice(item.id.as_bytes());
        if let Err(error) = self.archive.store().publish(CHANNEL, message).await {
            tracing::info!(%error, "replicas aren't told of an item");
        }
        Ok(())
    }
}

impl fmt::Debug for Passages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passages").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
