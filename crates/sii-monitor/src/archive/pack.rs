//! Records packed, off the runtime: a page of a thousand blocks takes milliseconds.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ArchiveError;

/// What a record may unpack to.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What `make` gives, packed.
pub(super) async fn pack<T: Serialize>(
    make: impl FnOnce() -> T + Send + 'static,
) -> Result<Bytes, ArchiveError> {
    off(move || {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let json = serde_json::to_vec(&make()).ok()?;
        encoder.write_all(&json).ok()?;
        encoder.finish().ok().map(Bytes::from)
    })
    .await
}

/// A packed value; `None` where it can't be read, as another version wrote it.
pub(super) async fn unpack<T>(bytes: Bytes) -> Result<Option<T>, ArchiveError>
where
    T: DeserializeOwned + Send + 'static,
{
    off(move || {
        let mut json = Vec::new();
        let mut decoder = DeflateDecoder::new(bytes.as_ref()).take(MAX_BYTES);
        let read = decoder.read_to_end(&mut json);
        Some(read.ok().and_then(|_| serde_json::from_slice(&json).ok()))
    })
    .await
}

async fn off<T: Send + 'static>(
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Result<T, ArchiveError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.ok().flatten().ok_or(ArchiveError::Pack)
}
