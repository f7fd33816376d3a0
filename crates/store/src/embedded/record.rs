//! How one key's state lies in the file: a version, a kind, an end, and a payload.

use crate::{ErrorKind, StoreError};

/// The layout that this code writes, and the only one it reads.
const VERSION: u8 = 1;

/// Bytes before the payload: version, kind, end.
const HEADER: usize = 10;

/// The end of what has no end.
pub(super) const NEVER: u64 = u64::MAX;

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Value,
    Counter,
    Set,
    Lease,
    Throttle,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Value => 1,
            Self::Counter => 2,
            Self::Set => 3,
            Self::Lease => 4,
            Self::Throttle => 5,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Value),
            2 => Some(Self::Counter),
            3 => Some(Self::Set),
            4 => Some(Self::Lease),
            5 => Some(Self::Throttle),
            _ => None,
        }
    }
}

/// A key's state, read in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    /// Unix milliseconds, or [`NEVER`].
    pub(super) expires_at: u64,
    pub(super) payload: &'a [u8],
}

impl<'a> Record<'a> {
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, StoreError> {
        let corrupt = || StoreError::new(ErrorKind::Corrupt, "reading a record");
        let (header, payload) = bytes.split_at_checked(HEADER).ok_or_else(corrupt)?;
        let [version, kind, end @ ..] = header else {
            return Err(corrupt());
        };
        if *version != VERSION {
            return Err(corrupt());
        }
        Ok(Self {
            kind: Kind::from_code(*kind).ok_or_else(corrupt)?,
            expires_at: u64::from_be_bytes(end.try_into().map_err(|_| corrupt())?),
            payload,
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.push(VERSION);
        bytes.push(self.kind.code());
        bytes.extend_from_slice(&self.expires_at.to_be_bytes());
        bytes.extend_from_slice(self.payload);
        bytes
    }

    /// Bytes of payload in a record of `encoded_len` bytes, readable or not.
    pub(super) fn payload_len(encoded_len: usize) -> usize {
        encoded_len.saturating_sub(HEADER)
    }
}

/// The payload of a counter.
pub(super) fn decode_counter(payload: &[u8]) -> Result<i64, StoreError> {
    payload
        .try_into()
        .map(i64::from_be_bytes)
        .map_err(|_| StoreError::new(ErrorKind::Corrupt, "reading a counter"))
}

/// The payload of a rate limit: its next arrival, in Unix microseconds.
pub(super) fn decode_arrival(payload: &[u8]) -> Result<u64, StoreError> {
    payload
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StoreError::new(ErrorKind::Corrupt, "reading a rate limit"))
}

/// The payload of a set: its members lie in a table of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SetSize {
    /// How many members.
    pub(super) members: u64,
    /// What they cost, as the bound on bytes counts it.
    pub(super) bytes: u64,
}

impl SetSize {
    pub(super) fn decode(payload: &[u8]) -> Result<Self, StoreError> {
        let corrupt = || StoreError::new(ErrorKind::Corrupt, "reading a set");
        let (members, bytes) = payload.split_at_checked(8).ok_or_else(corrupt)?;
        Ok(Self {
            members: u64::from_be_bytes(members.try_into().map_err(|_| corrupt())?),
            bytes: u64::from_be_bytes(bytes.try_into().map_err(|_| corrupt())?),
        })
    }

    pub(super) fn encode(self) -> [u8; 16] {
        let mut payload = [0; 16];
        let (members, bytes) = payload.split_at_mut(8);
        members.copy_from_slice(&self.members.to_be_bytes());
        bytes.copy_from_slice(&self.bytes.to_be_bytes());
        payload
    }
}

/// The payload of a lease: who has it, as the how-manieth holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder<'a> {
    pub(super) fence: u64,
    pub(super) owner: &'a str,
}

impl<'a> Holder<'a> {
    pub(super) fn decode(payload: &'a [u8]) -> Result<Self, StoreError> {
        let corrupt = || StoreError::new(ErrorKind::Corrupt, "reading a lease");
        let (fence, owner) = payload.split_at_checked(8).ok_or_else(corrupt)?;
        Ok(Self {
            fence: u64::from_be_bytes(fence.try_into().map_err(|_| corrupt())?),
            owner: std::str::from_utf8(owner).map_err(|_| corrupt())?,
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(8 + self.owner.len());
        payload.extend_from_slice(&self.fence.to_be_bytes());
        payload.extend_from_slice(self.owner.as_bytes());
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_unknown_version_kind_or_length_is_corrupt() {
        let good = Record {
            kind: Kind::Value,
            expires_at: 7,
            payload: b"x",
        }
        .encode();
        assert_eq!(Record::decode(&good).unwrap().expires_at, 7);
        for (index, byte) in [(0, 9), (1, 0), (1, 6)] {
            let mut bad = good.clone();
            bad[index] = byte;
            assert_eq!(Record::decode(&bad).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        assert!(Record::decode(&good[..HEADER - 1]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            code in 1_u8..=5,
            expires_at: u64,
            payload: Vec<u8>,
        ) {
            let record = Record {
                kind: Kind::from_code(code).unwrap(),
                expires_at,
                payload: &payload,
            };
            let bytes = record.encode();
            prop_assert_eq!(Record::decode(&bytes).unwrap(), record);
            prop_assert_eq!(Record::payload_len(bytes.len()), payload.len());
        }

        #[test]
        fn payloads_survive(members: u64, bytes: u64, fence: u64, owner in ".{0,40}") {
            let size = SetSize { members, bytes };
            prop_assert_eq!(SetSize::decode(&size.encode()).unwrap(), size);
            let holder = Holder { fence, owner: &owner };
            let payload = holder.encode();
            prop_assert_eq!(Holder::decode(&payload).unwrap(), holder);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = Record::decode(&bytes).is_ok();
            let _ = SetSize::decode(&bytes).is_ok();
            let _ = Holder::decode(&bytes).is_ok();
            let _ = decode_counter(&bytes).is_ok();
            let _ = decode_arrival(&bytes).is_ok();
        }
    }
}
