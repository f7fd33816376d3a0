//! A moment in JSON: milliseconds since 1970.

use jiff::Timestamp;
use serde::{Deserialize as _, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.as_millisecond())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let millis = i64::deserialize(from)?;
    Timestamp::from_millisecond(millis).map_err(serde::de::Error::custom)
}
