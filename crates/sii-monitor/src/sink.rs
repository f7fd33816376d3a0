//! Where accepted items go besides the channels: into the knowledge base, so that the chat
//! answers from them in the same minute.

use std::fmt;

use async_trait::async_trait;
use thiserror::Error;

use crate::item::Item;

/// Takes items as passages.
///
/// It is called after the item is in the store, and again until it has succeeded once; after a
/// crash perhaps once more. Whoever implements it knows an item by its id: the second call
/// changes nothing. What an item replaces ([`Item::reemplaza`]) is marked as superseded.
#[async_trait]
pub trait NewsSink: fmt::Debug + Send + Sync + 'static {
    /// Takes an item.
    ///
    /// # Errors
    /// [`SinkError`]: whether it is worth another try.
    async fn accept(&self, item: &Item) -> Result<(), SinkError>;
}

/// Why an item wasn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Not now: it is offered again.
    #[error("failed to take the item (unavailable)")]
    Unavailable,
    /// Never: it isn't offered again.
    #[error("failed to take the item (refused)")]
    Refused,
}
