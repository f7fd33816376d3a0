//! How an answer lies in the store, so that whatever is read back is either exactly what was
//! kept under that key or nothing.
//!
//! | bytes | content |
//! |---|---|
//! | 3 | `aic` |
//! | 1 | version, 2 |
//! | 16 | BLAKE3 of all that follows, keyed by the whole cache key, first 16 bytes |
//! | 1 | shape: 0 an answer, 1 a stream's events |
//! | 1 | coding: 0 as it is, 1 an LZ4 block |
//! | 8 | when it was computed, milliseconds since 1970; this and all numbers little endian |
//! | 8 | when its lifetime ends, the same |
//! | 8 | when it is of no use any more, the same |
//! | 4 | how long its computation took, milliseconds |
//! | 8 | what it cost, 10⁻¹² US dollars |
//! | 8 | what it cost, tokens |
//! | 4 | length of the value |
//! | 4 | length of the value as coded |
//! | n | the value as coded |

use bytes::Bytes;

use crate::entry::{Entry, Shape};
use crate::{CacheKey, Cost};

const MAGIC: &[u8; 3] = b"aic";
const VERSION: u8 = 2;
const CHECKED_FROM: usize = 20;
const HEADER_BYTES: usize = 74;

const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/// The largest value that fits into a frame that the store takes.
pub(crate) const MAX_VALUE_BYTES: usize = store::MAX_VALUE_BYTES - HEADER_BYTES;

/// Values from this size on are worth a thread that may block: coding and hashing them takes
/// about a millisecond.
pub(crate) const HEAVY_BYTES: usize = 256 * 1024;

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
    /// It is whole but can't be decoded: of an unknown coding or shape.
    Coding,
}

/// The frame of an entry. A value of `compress_from` bytes or more is compressed if that takes
/// an eighth off.
pub(crate) fn encode(key: &CacheKey, entry: &Entry, compress_from: usize) -> Bytes {
    let value = &entry.value[..];
    let packed = (value.len() >= compress_from)
        .then(|| lz4_flex::block::compress(value))
        .filter(|packed| packed.len() <= value.len() - value.len() / 8);
    let (coding, coded) = match &packed {
        Some(packed) => (LZ4, &packed[..]),
        None => (PLAIN, value),
    };
    let mut frame = Vec::with_capacity(HEADER_BYTES + coded.len());
    frame.extend_from_slice(MAGIC);
    frame.push(VERSION);
    frame.extend_from_slice(&[0; 16]);
    frame.push(match entry.shape {
        Shape::Whole => 0,
        Shape::Events => 1,
    });
    frame.push(coding);
    for number in [entry.created_ms, entry.fresh_until_ms, entry.expires_ms] {
        frame.extend_from_slice(&number.to_le_bytes());
    }
    frame.extend_from_slice(&entry.compute_ms.to_le_bytes());
    frame.extend_from_slice(&entry.cost.pico_usd.to_le_bytes());
    frame.extend_from_slice(&entry.cost.tokens.to_le_bytes());
    // At most MAX_VALUE_BYTES, see CacheConfig::check.
    frame.extend_from_slice(&(value.len() as u32).to_le_bytes());
    frame.extend_from_slice(&(coded.len() as u32).to_le_bytes());
    frame.extend_from_slice(coded);
    let checksum = checksum(key, &frame);
    frame[MAGIC.len() + 1..CHECKED_FROM].copy_from_slice(&checksum);
    Bytes::from(frame)
}

/// The entry in a frame. Its value is a copy in one piece: it holds on to no buffer of the
/// store's connection.
pub(crate) fn decode(key: &CacheKey, frame: &[u8]) -> Result<Entry, Rejection> {
    let magic = frame.get(..MAGIC.len()).ok_or(Rejection::Truncated)?;
    if magic != MAGIC {
        return Err(Rejection::Foreign);
    }
    let version = frame.get(MAGIC.len()).ok_or(Rejection::Truncated)?;
    if *version != VERSION {
        return Err(Rejection::Version);
    }
    let coded_length = u32::from_le_bytes(field(frame, 70)?) as usize;
    let coded = frame.get(HEADER_BYTES..).ok_or(Rejection::Truncated)?;
    match coded.len().cmp(&coded_length) {
        std::cmp::Ordering::Less => return Err(Rejection::Truncated),
        std::cmp::Ordering::Greater => return Err(Rejection::Trailing),
        std::cmp::Ordering::Equal => {}
    }
    if frame[MAGIC.len() + 1..CHECKED_FROM] != checksum(key, frame) {
        return Err(Rejection::Checksum);
    }
    let [shape, coding] = field(frame, 20)?;
    let length = u32::from_le_bytes(field(frame, 66)?) as usize;
    Ok(Entry {
        value: decode_value(coding, length, coded)?,
        shape: match shape {
            0 => Shape::Whole,
            1 => Shape::Events,
            _ => return Err(Rejection::Coding),
        },
        created_ms: u64::from_le_bytes(field(frame, 22)?),
        fresh_until_ms: u64::from_le_bytes(field(frame, 30)?),
        expires_ms: u64::from_le_bytes(field(frame, 38)?),
        compute_ms: u32::from_le_bytes(field(frame, 46)?),
        cost: Cost {
            pico_usd: u64::from_le_bytes(field(frame, 50)?),
            tokens: u64::from_le_bytes(field(frame, 58)?),
        },
        renew_from_ms: 0,
    })
}

/// How many bytes decoding `frame` goes through: its own, or those that it says it holds.
pub(crate) fn weight(frame: &[u8]) -> usize {
    let says = field(frame, 66).map_or(0, u32::from_le_bytes) as usize;
    says.max(frame.len())
}

fn decode_value(coding: u8, length: usize, coded: &[u8]) -> Result<Bytes, Rejection> {
    match coding {
        PLAIN if length == coded.len() => Ok(Bytes::copy_from_slice(coded)),
        LZ4 if length <= MAX_VALUE_BYTES => {
            let value = lz4_flex::block::decompress(coded, length).ok();
            let value = value.filter(|value| value.len() == length);
            // Boxed, so that it keeps no room that it doesn't need.
            value
                .map(|value| Bytes::from(value.into_boxed_slice()))
                .ok_or(Rejection::Coding)
        }
        _ => Err(Rejection::Coding),
    }
}

fn field<const N: usize>(frame: &[u8], at: usize) -> Result<[u8; N], Rejection> {
    frame
        .get(at..at + N)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Rejection::Truncated)
}

/// Sixteen bytes that only somebody who knows the whole key can make of `frame`'s content.
fn checksum(key: &CacheKey, frame: &[u8]) -> [u8; 16] {
    seal(key, &frame[CHECKED_FROM..])
}

/// The first 16 bytes of BLAKE3 over `content`, keyed by the whole cache key.
pub(crate) fn seal(key: &CacheKey, content: &[u8]) -> [u8; 16] {
    let whole = blake3::keyed_hash(key.hash(), content);
    let mut first = [0; 16];
    first.copy_from_slice(&whole.as_bytes()[..16]);
    first
}

#[cfg(test)]
mod tests;
