//! What every engine asks of its callers' arguments.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;

use crate::{
    Addition, ErrorKind, MAX_ADDITIONS, MAX_COUNTERS, MAX_KEY_BYTES, MAX_MEMBER_BYTES,
    MAX_MESSAGE_BYTES, MAX_VALUE_BYTES, Rate, StoreError,
};

/// A key or channel: 1 to [`MAX_KEY_BYTES`] bytes.
pub(crate) fn key<'a>(key: &'a str, context: &'static str) -> Result<&'a str, StoreError> {
    within(key, MAX_KEY_BYTES, context)
}

/// A set's member or a lease's owner: 1 to [`MAX_MEMBER_BYTES`] bytes.
pub(crate) fn member<'a>(member: &'a str, context: &'static str) -> Result<&'a str, StoreError> {
    within(member, MAX_MEMBER_BYTES, context)
}

/// A value: at most [`MAX_VALUE_BYTES`].
pub(crate) fn value(value: &Bytes, context: &'static str) -> Result<(), StoreError> {
    ensure(value.len() <= MAX_VALUE_BYTES, context)
}

/// A channel's message: at most [`MAX_MESSAGE_BYTES`].
pub(crate) fn message(message: &Bytes, context: &'static str) -> Result<(), StoreError> {
    ensure(message.len() <= MAX_MESSAGE_BYTES, context)
}

/// A lifetime: not zero.
pub(crate) fn lifetime(
    lifetime: Option<Duration>,
    context: &'static str,
) -> Result<(), StoreError> {
    ensure(lifetime != Some(Duration::ZERO), context)
}

/// Keys of counters: at most [`MAX_COUNTERS`].
pub(crate) fn counters(keys: &[&str], context: &'static str) -> Result<(), StoreError> {
    ensure(keys.len() <= MAX_COUNTERS, context)?;
    keys.iter()
        .try_for_each(|name| key(name, context).map(drop))
}

/// Additions: at most [`MAX_ADDITIONS`], no key twice.
pub(crate) fn additions(
    additions: &[Addition<'_>],
    context: &'static str,
) -> Result<(), StoreError> {
    ensure(additions.len() <= MAX_ADDITIONS, context)?;
    let mut keys = HashSet::with_capacity(additions.len());
    for addition in additions {
        ensure(keys.insert(key(addition.key, context)?), context)?;
        lifetime(addition.lifetime, context)?;
    }
    Ok(())
}

/// A cost that the rate can ever allow.
pub(crate) fn cost(rate: Rate, cost: u32, context: &'static str) -> Result<(), StoreError> {
    ensure(cost <= rate.max_burst(), context)
}

fn within<'a>(name: &'a str, longest: usize, context: &'static str) -> Result<&'a str, StoreError> {
    ensure(!name.is_empty() && name.len() <= longest, context)?;
    Ok(name)
}

fn ensure(holds: bool, context: &'static str) -> Result<(), StoreError> {
    if holds {
        return Ok(());
    }
    Err(StoreError::new(ErrorKind::InvalidArgument, context))
}
