//! What is kept in the store, and in which order it is written, so that a run that is cut short
//! anywhere loses nothing and tells nothing twice.
//!
//! | key | holds |
//! |---|---|
//! | `sii:page:PAGE` | the last good version of a page, packed; replacing it is the commit |
//! | `sii:version:PAGE:N` | version N as text, packed, for the diff view |
//! | `sii:item:ID` | an item; written once and never again |
//! | `sii:alias:HASH` | the id of the item whose document has this content |
//! | `sii:news` | when, which and how urgent: the list of items, newest first |
//! | `sii:outbox` | ids of items that aren't with the knowledge base and the channels yet |
//! | `sii:settled:ID` | this item has left the outbox |
//! | `sii:source:KEY` | how a source fares |
//!
//! A visit that finds something writes, in this order: each item (if its id isn't there yet),
//! its place in the list, its id into the outbox; then the version; and last, as the commit, the
//! page. Cut short before the commit, the next visit compares with the same page as before and
//! finds the same changes, hence the same ids, and goes on where it stopped. The outbox is
//! emptied after the sink and the channels have the item (both know it by its id), then marked
//! settled: an item that is settled is never put into the outbox again.
//!
//! The commit is a compare-and-set against what was read: a runner that lost its lease and
//! doesn't know it can't overwrite what another has committed since.

mod news;
mod pack;
mod pages;
mod sources;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use store::{Store, StoreError};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::item::Item;

pub use news::{MAX_LIMIT, NewsPage, NewsQuery};
pub(crate) use pages::{Known, first_year};
pub use pages::{PageState, VersionInfo};
pub use sources::{SourceState, SourceStatus};

/// How long an item is kept.
const KEEP_ITEM: Duration = Duration::from_secs(3 * 366 * 24 * 60 * 60);

/// How long a page that nobody visits any more is kept, and an old version.
const KEEP_PAGE: Duration = Duration::from_secs(800 * 24 * 60 * 60);

/// The most ids that wait in the outbox that are looked at in a round.
const MAX_OUTBOX: usize = 1_000;

const OUTBOX: &str = "sii:outbox";

/// Everything that the monitor keeps.
#[derive(Clone)]
pub struct Archive {
    store: Arc<dyn Store>,
    /// One item at a time: what two sources find at once is looked up and published in turn.
    publishing: Arc<Mutex<()>>,
}

/// Why something couldn't be kept or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The store failed.
    #[error("failed to use the store")]
    Store(#[from] StoreError),
    /// Another runner has committed the page in between.
    #[error("failed to commit the page (another runner did)")]
    Overtaken,
    /// Something was too large, or the thread that packed it is gone.
    #[error("failed to pack a record")]
    Pack,
}

impl Archive {
    /// An archive in a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            publishing: Arc::default(),
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Keeps an item and lists it and puts it into the outbox, as far as that hasn't happened
    /// yet; says whether it is new. Called again with the same id it finishes what was cut
    /// short; the item that was there first stays.
    ///
    /// `content` is a hash of the document's content, where it is known: a document that was
    /// found under another id already is no item of its own.
    ///
    /// # Errors
    /// [`ArchiveError::Store`].
    pub async fn publish(&self, item: &Item, content: Option<&str>) -> Result<bool, ArchiveError> {
        let _turn = self.publishing.lock().await;
        if let Some(hash) = content
            && !self.is_own(hash, &item.id).await?
        {
            return Ok(false);
        }
        let key = item_key(&item.id);
        let body = encode(item)?;
        let new = self
            .store
            .set_if_absent(&key, body, Some(KEEP_ITEM))
            .await?;
        if !new && self.store.get(&settled_key(&item.id)).await?.is_some() {
            return Ok(false);
        }
        let kept = match new {
            true => None,
            false => self.item(&item.id).await?,
        };
        self.list(kept.as_ref().unwrap_or(item)).await?;
        self.store.set_insert(OUTBOX, &item.id, None).await?;
        Ok(new)
    }

    /// Whether a content is this item's, or nobody's yet.
    async fn is_own(&self, hash: &str, id: &str) -> Result<bool, ArchiveError> {
        let key = format!("sii:alias:{hash}");
        let own = Bytes::copy_from_slice(id.as_bytes());
        let new = self
            .store
            .set_if_absent(&key, own.clone(), Some(KEEP_ITEM))
            .await?;
        let kept = self.store.get(&key).await?;
        if new || kept.as_ref() == Some(&own) {
            return Ok(true);
        }
        // A run that was cut short may have left the alias and no item.
        let other = kept.and_then(|id| String::from_utf8(id.into()).ok());
        let there = match other {
            Some(other) => self.item(&other).await?.is_some(),
            None => false,
        };
        if !there {
            self.store.set(&key, own, Some(KEEP_ITEM)).await?;
        }
        Ok(!there)
    }

    /// An item.
    ///
    /// # Errors
    /// [`ArchiveError::Store`].
    pub async fn item(&self, id: &str) -> Result<Option<Item>, ArchiveError> {
        let key = item_key(id);
        // Whatever a caller asks for, a key that the store refuses is of no item.
        if key.len() > store::MAX_KEY_BYTES {
            return Ok(None);
        }
        Ok(decode(self.store.get(&key).await?))
    }

    /// The items that aren't with the knowledge base and the channels yet.
    ///
    /// # Errors
    /// [`ArchiveError::Store`].
    pub async fn outbox(&self) -> Result<Vec<Item>, ArchiveError> {
        let mut ids = self.store.set_members(OUTBOX, MAX_OUTBOX).await?;
        ids.sort();
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            match self.item(&id).await? {
                Some(item) => items.push(item),
                // It ran out, or was written by another version.
                None => {
                    self.store.set_remove(OUTBOX, &id).await?;
                }
            }
        }
        items.sort_by(|a, b| b.prioridad.cmp(&a.prioridad).then_with(|| a.id.cmp(&b.id)));
        Ok(items)
    }

    /// Says that an item is with the knowledge base and the channels.
    ///
    /// # Errors
    /// [`ArchiveError::Store`].
    pub async fn settle(&self, id: &str) -> Result<(), ArchiveError> {
        let key = settled_key(id);
        self.store
            .set(&key, Bytes::from_static(b"1"), Some(KEEP_ITEM))
            .await?;
        self.store.set_remove(OUTBOX, id).await?;
        Ok(())
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").finish_non_exhaustive()
    }
}

fn item_key(id: &str) -> String {
    format!("sii:item:{id}")
}

fn settled_key(id: &str) -> String {
    format!("sii:settled:{id}")
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Bytes, ArchiveError> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|_| ArchiveError::Pack)
}

/// What can't be read is none: it was written by another version.
fn decode<T: serde::de::DeserializeOwned>(bytes: Option<Bytes>) -> Option<T> {
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

#[cfg(test)]
mod tests;
