//! How an answer lies in the store, so that whatever is read back is either exactly what was
//! kept under that key or nothing.
//!
//! | bytes | content |
//! |---|---|
//! | 3 | `aic` |
//! | 1 | version, 1 |
//! | 16 | BLAKE3 of all that follows, keyed by the whole cache key, first 16 bytes |
//! | 8 | when it was computed, milliseconds since 1970, little endian |
//! | 8 | when it ends, the same |
//! | 4 | length of the value |
//! | n | the value |

use bytes::Bytes;

use crate::CacheKey;
use crate::entry::Entry;

const MAGIC: &[u8; 3] = b"aic";
const VERSION: u8 = 1;
const CHECKED_FROM: usize = 20;
const HEADER_BYTES: usize = 40;

/// The largest value that fits into a frame that the store takes.
pub(crate) const MAX_VALUE_BYTES: usize = store::MAX_VALUE_BYTES - HEADER_BYTES;

/// Why what was read is no answer of that key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It ends before it should.
    Truncated,
    /// It goes on after its end.
    Trailing,
    /// It isn't a frame.
    Foreign,
    /// It is of another version.
    Version,
    /// Its bytes have changed, or it is another key's.
    Checksum,
}

/// The frame of an answer. Its value is in one piece: an entry that is kept in the process as
/// a slice of it holds on to nothing else.
pub(crate) fn encode(key: &CacheKey, value: &[u8], created_ms: u64, expires_ms: u64) -> Bytes {
    let mut frame = Vec::with_capacity(HEADER_BYTES + value.len());
    frame.extend_from_slice(MAGIC);
    frame.push(VERSION);
    frame.extend_from_slice(&[0; 16]);
    frame.extend_from_slice(&created_ms.to_le_bytes());
    frame.extend_from_slice(&expires_ms.to_le_bytes());
    // At most MAX_VALUE_BYTES, see CacheConfig::check.
    frame.extend_from_slice(&(value.len() as u32).to_le_bytes());
    frame.extend_from_slice(value);
    let checksum = checksum(key, &frame);
    frame[MAGIC.len() + 1..CHECKED_FROM].copy_from_slice(&checksum);
    Bytes::from(frame)
}

/// The entry in a frame, without copying.
pub(crate) fn decode(key: &CacheKey, frame: &Bytes) -> Result<Entry, Rejection> {
    let magic = frame.get(..MAGIC.len()).ok_or(Rejection::Truncated)?;
    if magic != MAGIC {
        return Err(Rejection::Foreign);
    }
    let version = frame.get(MAGIC.len()).ok_or(Rejection::Truncated)?;
    if *version != VERSION {
        return Err(Rejection::Version);
    }
    let created_ms = u64::from_le_bytes(field(frame, 20)?);
    let expires_ms = u64::from_le_bytes(field(frame, 28)?);
    let length = u32::from_le_bytes(field(frame, 36)?) as usize;
    match (frame.len() - HEADER_BYTES).cmp(&length) {
        std::cmp::Ordering::Less => return Err(Rejection::Truncated),
        std::cmp::Ordering::Greater => return Err(Rejection::Trailing),
        std::cmp::Ordering::Equal => {}
    }
    if frame[MAGIC.len() + 1..CHECKED_FROM] != checksum(key, frame) {
        return Err(Rejection::Checksum);
    }
    Ok(Entry {
        value: frame.slice(HEADER_BYTES..),
        created_ms,
        expires_ms,
    })
}

/// The value of a frame made by [`encode`].
pub(crate) fn value_of(frame: &Bytes) -> Bytes {
    frame.slice(HEADER_BYTES..)
}

fn field<const N: usize>(frame: &Bytes, at: usize) -> Result<[u8; N], Rejection> {
    frame
        .get(at..at + N)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Rejection::Truncated)
}

fn checksum(key: &CacheKey, frame: &[u8]) -> [u8; 16] {
    let whole = blake3::keyed_hash(key.hash(), &frame[CHECKED_FROM..]);
    let mut first = [0; 16];
    first.copy_from_slice(&whole.as_bytes()[..16]);
    first
}

#[cfg(test)]
mod tests;
