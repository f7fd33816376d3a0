//! The embedded engine's side of the contract: checks the arguments, and sends each operation
//! to the readers or to the writer.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;

use super::{EmbeddedStore, ops};
use crate::{
    Added, Addition, Lease, Problem, Rate, Store, StoreError, StoreHealth, Subscription, Throttled,
    TimeLeft, checks,
};

#[async_trait]
impl Store for EmbeddedStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        const CONTEXT: &str = "getting a value";
        let key = checks::key(key, CONTEXT)?.to_owned();
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
        let key = checks::key(key, CONTEXT)?.to_owned();
        checks::value(&value, CONTEXT)?;
        checks::lifetime(lifetime, CONTEXT)?;
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
        let key = checks::key(key, CONTEXT)?.to_owned();
        checks::value(&value, CONTEXT)?;
        checks::lifetime(lifetime, CONTEXT)?;
        self.write(CONTEXT, value.len(), move |tables| {
            ops::set_if_absent(tables, &key, &value, lifetime)
        })
        .await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "comparing and setting a value";
        let key = checks::key(key, CONTEXT)?.to_owned();
        checks::value(&value, CONTEXT)?;
        checks::lifetime(lifetime, CONTEXT)?;
        let bytes = value.len() + expected.map_or(0, <[u8]>::len);
        let expected = expected.map(<[u8]>::to_vec);
        self.write(CONTEXT, bytes, move |tables| {
            ops::compare_and_set(tables, &key, expected.as_deref(), &value, lifetime)
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "deleting a key";
        let key = checks::key(key, CONTEXT)?.to_owned();
        self.write(CONTEXT, 0, move |tables| ops::delete(tables, &key))
            .await
    }

    async fn time_left(&self, key: &str) -> Result<TimeLeft, StoreError> {
        const CONTEXT: &str = "asking a lifetime";
        let key = checks::key(key, CONTEXT)?.to_owned();
        self.read(CONTEXT, move |transaction, now| {
            ops::time_left(transaction, now, &key)
        })
        .await
    }

    async fn expire(&self, key: &str, lifetime: Duration) -> Result<bool, StoreError> {
        const CONTEXT: &str = "giving a lifetime";
        let key = checks::key(key, CONTEXT)?.to_owned();
        checks::lifetime(Some(lifetime), CONTEXT)?;
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
        let key = checks::key(key, CONTEXT)?.to_owned();
        checks::lifetime(lifetime, CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::increment(tables, &key, by, lifetime)
        })
        .await
    }

    async fn counters(&self, keys: &[&str]) -> Result<Vec<i64>, StoreError> {
        const CONTEXT: &str = "reading counters";
        checks::counters(keys, CONTEXT)?;
        let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        self.read(CONTEXT, move |transaction, now| {
            ops::counters(transaction, now, &keys)
        })
        .await
    }

    async fn add_all(&self, additions: &[Addition<'_>]) -> Result<Added, StoreError> {
        const CONTEXT: &str = "adding to counters";
        checks::additions(additions, CONTEXT)?;
        let additions: Vec<ops::Add> = additions.iter().map(ops::Add::from).collect();
        self.write(CONTEXT, 0, move |tables| ops::add_all(tables, &additions))
            .await
    }

    async fn throttle(&self, key: &str, rate: Rate, cost: u32) -> Result<Throttled, StoreError> {
        const CONTEXT: &str = "asking a rate limit";
        let key = checks::key(key, CONTEXT)?.to_owned();
        checks::cost(rate, cost, CONTEXT)?;
        // It is asked before every answer, and a disk takes longer than most of them.
        self.queue(CONTEXT, 0, false, move |tables| {
            ops::throttle(tables, &key, rate, cost)
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
        let key = checks::key(key, CONTEXT)?.to_owned();
        let member = checks::member(member, CONTEXT)?.to_owned();
        checks::lifetime(lifetime, CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::set_insert(tables, &key, &member, lifetime)
        })
        .await
    }

    async fn set_remove(&self, key: &str, member: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "removing from a set";
        let key = checks::key(key, CONTEXT)?.to_owned();
        let member = checks::member(member, CONTEXT)?.to_owned();
        self.write(CONTEXT, 0, move |tables| {
            ops::set_remove(tables, &key, &member)
        })
        .await
    }

    async fn set_members(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        const CONTEXT: &str = "listing a set";
        let key = checks::key(key, CONTEXT)?.to_owned();
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
        let key = checks::key(key, CONTEXT)?.to_owned();
        let owner = checks::member(owner, CONTEXT)?.to_owned();
        checks::lifetime(Some(lifetime), CONTEXT)?;
        self.write(CONTEXT, 0, move |tables| {
            ops::acquire_lease(tables, &key, &owner, lifetime)
        })
        .await
    }

    async fn release_lease(&self, key: &str, owner: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "releasing a lease";
        let key = checks::key(key, CONTEXT)?.to_owned();
        let owner = checks::member(owner, CONTEXT)?.to_owned();
        self.write(CONTEXT, 0, move |tables| {
            ops::release_lease(tables, &key, &owner)
        })
        .await
    }

    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), StoreError> {
        const CONTEXT: &str = "publishing";
        let channel = checks::key(channel, CONTEXT)?;
        checks::message(&message, CONTEXT)?;
        self.hub.publish(channel, message);
        Ok(())
    }

    async fn subscribe(&self, channel: &str) -> Result<Subscription, StoreError> {
        self.hub.subscribe(checks::key(channel, "subscribing")?)
    }

    async fn health(&self) -> StoreHealth {
        let started = Instant::now();
        let read = self
            .read("checking health", |transaction, _| ops::count(transaction))
            .await;
        let mut health = StoreHealth::new(self.kind, read.is_ok(), started.elapsed());
        match read {
            Ok(keys) => health.keys = Some(keys),
            Err(error) => {
                health.problem = Some(Problem::of(error.kind()));
                health.reason = Some(reason(&error));
            }
        }
        health
    }

    async fn flush(&self) -> Result<(), StoreError> {
        // The queue keeps its order, nothing is answered before its commit, and this one's
        // takes along what isn't on the disk yet.
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
