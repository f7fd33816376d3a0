//! Pages and their versions.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use similar::TextDiff;

use super::pack::{pack, unpack};
use super::{Archive, ArchiveError, KEEP_PAGE, decode, encode};
use crate::compare::{Habits, Piece};
use crate::index::Entry;
use crate::source::Kind;

/// The most versions of a page.
const MAX_VERSIONS: usize = 12;

/// The most bytes of all of a page's versions, packed.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The last good version of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageState {
    /// Its number, from 1; one more with every change.
    pub version: u64,
    /// When it became so.
    pub changed_at: Timestamp,
    /// For the next conditional request.
    pub etag: Option<String>,
    /// For the next conditional request.
    pub last_modified: Option<String>,
    /// Bytes of text, or an index's entries: what a broken page is told by.
    pub size: usize,
    /// What kind of page it was read as: another kind can't be compared with it.
    pub kind: Kind,
    /// An index's entries.
    pub entries: Arc<Vec<Entry>>,
    /// Any other page's blocks.
    pub pieces: Arc<Vec<Piece>>,
    /// What is known of its places.
    pub habits: Habits,
    /// The versions that are kept, oldest first.
    pub versions: Vec<VersionInfo>,
}

/// A version that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// Its number.
    pub version: u64,
    /// When the page became so.
    pub at: Timestamp,
    /// Its packed bytes.
    pub bytes: u64,
}

/// A page as it was read, with what a commit must find.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) state: PageState,
    raw: Bytes,
}

/// The year in which a source was first visited: pages of later years are news from their first
/// entry on, pages of this year and earlier ones begin silently.
pub(crate) async fn first_year(
    archive: &Archive,
    source: &str,
    year: i16,
) -> Result<i16, ArchiveError> {
    let key = format!("sii:since:{source}");
    let own = encode(&year)?;
    let new = archive.store.set_if_absent(&key, own, None).await?;
    let kept = if new {
        None
    } else {
        archive.store.get(&key).await?
    };
    Ok(decode(kept).unwrap_or(year))
}

impl Archive {
    /// A page, where it was visited before.
    pub(crate) async fn page(&self, key: &str) -> Result<Option<Known>, ArchiveError> {
        let Some(raw) = self.store.get(&page_key(key)).await? else {
            return Ok(None);
        };
        match unpack(raw.clone()).await? {
            Some(state) => Ok(Some(Known { state, raw })),
            // Another version of the program wrote it: it begins anew.
            None => {
                self.store.delete(&page_key(key)).await?;
                Ok(None)
            }
        }
    }

    /// The last good version of a page.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub async fn page_state(&self, key: &str) -> Result<Option<PageState>, ArchiveError> {
        Ok(self.page(key).await?.map(|known| known.state))
    }

    /// Forgets a page, so that its next visit begins silently with what is there then: what an
    /// operator does where a page that lost most of its content is right as it is. Says whether
    /// it was known.
    ///
    /// # Errors
    /// [`ArchiveError::Store`].
    pub async fn forget(&self, key: &str) -> Result<bool, ArchiveError> {
        Ok(self.store.delete(&page_key(key)).await?)
    }

    /// Keeps a version's text beside the page; before the page itself is committed.
    pub(crate) async fn keep_version(
        &self,
        key: &str,
        state: &mut PageState,
    ) -> Result<Vec<u64>, ArchiveError> {
        let shown = state.clone();
        let body = pack(move || lines(&shown)).await?;
        let info = VersionInfo {
            version: state.version,
            at: state.changed_at,
            bytes: u64::try_from(body.len()).unwrap_or(u64::MAX),
        };
        state.versions.retain(|kept| kept.version != info.version);
        if info.bytes <= MAX_BYTES {
            let key = version_key(key, state.version);
            self.store.set(&key, body, Some(KEEP_PAGE)).await?;
            state.versions.push(info);
        }
        let mut gone = Vec::new();
        while state.versions.len() > MAX_VERSIONS
            || state.versions.iter().map(|kept| kept.bytes).sum::<u64>() > MAX_BYTES
        {
            gone.push(state.versions.remove(0).version);
        }
        Ok(gone)
    }

    /// Replaces a page, if it still is what was read: the commit of a visit. `gone` are the
    /// versions that it no longer lists.
    pub(crate) async fn commit(
        &self,
        key: &str,
        known: Option<&Known>,
        state: PageState,
        gone: &[u64],
    ) -> Result<(), ArchiveError> {
        let body = pack(move || state).await?;
        let expected = known.map(|known| known.raw.as_ref());
        let done = self
            .store
            .compare_and_set(&page_key(key), expected, body, Some(KEEP_PAGE))
            .await?;
        if !done {
            return Err(ArchiveError::Overtaken);
        }
        for version in gone {
            self.store.delete(&version_key(key, *version)).await?;
        }
        Ok(())
    }

    /// What changed between two kept versions of a page, as a unified diff; `None` where one of
    /// them isn't kept.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub async fn diff(
        &self,
        key: &str,
        from: u64,
        to: u64,
    ) -> Result<Option<String>, ArchiveError> {
        let (Some(old), Some(new)) = (self.version(key, from).await?, self.version(key, to).await?)
        else {
            return Ok(None);
        };
        let names = (format!("{key} v{from}"), format!("{key} v{to}"));
        let work = move || {
            TextDiff::configure()
                .timeout(std::time::Duration::from_secs(1))
                .diff_lines(old.as_str(), new.as_str())
                .unified_diff()
                .context_radius(2)
                .header(&names.0, &names.1)
                .to_string()
        };
        let diff = tokio::task::spawn_blocking(work).await;
        diff.map(Some).map_err(|_| ArchiveError::Pack)
    }

    async fn version(&self, key: &str, version: u64) -> Result<Option<String>, ArchiveError> {
        match self.store.get(&version_key(key, version)).await? {
            Some(body) => unpack(body).await,
            None => Ok(None),
        }
    }
}

/// A page as lines, for people.
fn lines(state: &PageState) -> String {
    let mut text = String::new();
    for entry in state.entries.iter() {
        let url = entry.url.as_deref().unwrap_or_default();
        text.push_str(&format!("{} | {url} | {}\n", entry.titulo, entry.resumen));
    }
    for piece in state.pieces.iter() {
        text.push_str(&piece.text);
        text.push('\n');
    }
    text
}

/// Keys of watched documents hold their address: what is too long is known by its sum.
fn page_key(key: &str) -> String {
    format!("sii:page:{}", short(key))
}

fn version_key(key: &str, version: u64) -> String {
    format!("sii:version:{}:{version}", short(key))
}

fn short(key: &str) -> String {
    if key.len() <= 200 {
        return key.to_owned();
    }
    format!("hash:{}", blake3::hash(key.as_bytes()).to_hex())
}
