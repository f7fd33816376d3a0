//! How each source fares.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Archive, ArchiveError, KEEP_PAGE, decode, encode};

/// How a page of a source fares, kept from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceState {
    /// When it was last visited, with whatever outcome.
    pub last_checked: Option<Timestamp>,
    /// When it was last visited with success.
    pub last_success: Option<Timestamp>,
    /// When it last changed.
    pub last_changed: Option<Timestamp>,
    /// `ok`, `not_modified`, `baseline`, `changed`, `not_published`, or an error's name.
    pub last_status: Option<String>,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// How long the last visit took, in milliseconds.
    pub duration_ms: u64,
    /// Bytes of the last document.
    pub bytes: u64,
    /// Visits.
    pub checks: u64,
    /// Visits that failed.
    pub errors: u64,
    /// Visits that found something.
    pub changes: u64,
}

/// How a page of a source fares, as `GET /api/ai/sii/status` answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceStatus {
    /// The page's key.
    pub key: String,
    /// Its address.
    pub url: String,
    /// The rest.
    #[serde(flatten)]
    pub state: SourceState,
}

impl Archive {
    /// How a page fares.
    ///
    /// # Errors
    /// [`ArchiveError::Store`].
    pub async fn source(&self, key: &str) -> Result<SourceState, ArchiveError> {
        let kept = self.store.get(&source_key(key)).await?;
        Ok(decode(kept).unwrap_or_default())
    }

    pub(crate) async fn keep_source(
        &self,
        key: &str,
        state: &SourceState,
    ) -> Result<(), ArchiveError> {
        let body = encode(state)?;
        self.store
            .set(&source_key(key), body, Some(KEEP_PAGE))
            .await?;
        Ok(())
    }
}

fn source_key(key: &str) -> String {
    format!("sii:source:{key}")
}
