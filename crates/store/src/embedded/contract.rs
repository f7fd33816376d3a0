//! The embedded engine's side of the contract: checks the arguments, and sends each operation
//! to the readers or to the writer.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;

use super::{EmbeddedStore, ops};
use crate::{
    ErrorKind, Lease, MAX_KEY_BYTES, MAX_MEMBER_BYTES, MAX_VALUE_BYTES, Store, StoreError,
    StoreHealth, TimeLeft,
};

#[async_trait]
impl Store for EmbeddedStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        const CONTEXT: &str = "getting a value";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        self.read(CONTEXT, move |transaction, now| {
            ops::get(transaction, now, &key)
        })
        .await
    }

    async fn set(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        const CONTEXT: &str = "setting a value";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        check_value(&value, CONTEXT)?;
        check_lifetime(lifetime, CONTEXT)?;
        self.write(CONTEXT, value.len(), move |tables| {
            ops::set(tables, &key, &value, lifetime)
        })
        .await
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "setting an absent value";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        check_value(&value, CONTEXT)?;
        check_lifetime(lifetime, CONTEXT)?;
        self.write(CONTEXT, value.len(), move |tables| {
            ops::set_if_absent(tables, &key, &value, lifetime)
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "deleting a key";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| ops::delete(tables, &key))
            .await
    }

    async fn time_left(&self, key: &str) -> Result<TimeLeft, StoreError> {
        const CONTEXT: &str = "asking a lifetime";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        self.read(CONTEXT, move |transaction, now| {
            ops::time_left(transaction, now, &key)
        })
        .await
    }

    async fn expire(&self, key: &str, lifetime: Duration) -> Result<bool, StoreError> {
        const CONTEXT: &str = "giving a lifetime";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        check_lifetime(Some(lifetime), CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::expire(tables, &key, lifetime)
        })
        .await
    }

    async fn increment(
        &self,
        key: &str,
        by: i64,
        lifetime: Option<Duration>,
    ) -> Result<i64, StoreError> {
        const CONTEXT: &str = "incrementing a counter";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        check_lifetime(lifetime, CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::increment(tables, &key, by, lifetime)
        })
        .await
    }

    async fn set_insert(
        &self,
        key: &str,
        member: &str,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "inserting into a set";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        let member = name(member, MAX_MEMBER_BYTES, CONTEXT)?;
        check_lifetime(lifetime, CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::set_insert(tables, &key, &member, lifetime)
        })
        .await
    }

    async fn set_remove(&self, key: &str, member: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "removing from a set";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        let member = name(member, MAX_MEMBER_BYTES, CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::set_remove(tables, &key, &member)
        })
        .await
    }

    async fn set_members(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        const CONTEXT: &str = "listing a set";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        self.read(CONTEXT, move |transaction, now| {
            ops::set_members(transaction, now, &key, limit)
        })
        .await
    }

    async fn acquire_lease(
        &self,
        key: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<Lease, StoreError> {
        const CONTEXT: &str = "acquiring a lease";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        let owner = name(owner, MAX_MEMBER_BYTES, CONTEXT)?;
        check_lifetime(Some(lifetime), CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::acquire_lease(tables, &key, &owner, lifetime)
        })
        .await
    }

    async fn release_lease(&self, key: &str, owner: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "releasing a lease";
        let key = name(key, MAX_KEY_BYTES, CONTEXT)?;
        let owner = name(owner, MAX_MEMBER_BYTES, CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::release_lease(tables, &key, &owner)
        })
        .await
    }

    async fn health(&self) -> StoreHealth {
        let started = Instant::now();
        let read = self
            .read("checking health", |transaction, _| ops::count(transaction))
            .await;
        StoreHealth {
            kind: self.kind,
            up: read.is_ok(),
            latency: started.elapsed(),
            reason: read.as_ref().err().map(reason),
            keys: read.ok(),
        }
    }

    async fn flush(&self) -> Result<(), StoreError> {
        // The queue keeps its order and nothing is answered before its commit.
        self.write("flushing", 0, |_| Ok(())).await
    }
}

/// An error with its cause.
fn reason(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// A key, member or owner that the engine takes, as its own string.
fn name(name: &str, longest: usize, context: &'static str) -> Result<String, StoreError> {
    if name.is_empty() || name.len() > longest {
        return Err(StoreError::new(ErrorKind::InvalidArgument, context));
    }
    Ok(name.to_owned())
}

fn check_value(value: &Bytes, context: &'static str) -> Result<(), StoreError> {
    if value.len() > MAX_VALUE_BYTES {
        return Err(StoreError::new(ErrorKind::InvalidArgument, context));
    }
    Ok(())
}

fn check_lifetime(lifetime: Option<Duration>, context: &'static str) -> Result<(), StoreError> {
    if lifetime.is_some_and(|lifetime| lifetime.is_zero()) {
        return Err(StoreError::new(ErrorKind::InvalidArgument, context));
    }
    Ok(())
}
