//! The resilient store's side of the contract: by the key's class, and by who knows the key.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::both::check;
use super::{Answer, KeyClass, ResilientStore, unavailable};
use crate::once::{self, Conclusion, ValueOrLease};
use crate::{
    Added, Addition, ErrorKind, Lease, Rate, Store, StoreError, StoreHealth, StoreKind,
    Subscription, Throttled, TimeLeft, checks,
};

#[async_trait]
impl Store for ResilientStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let shared = &self.shared;
        let remote = shared.remote.get(key);
        match shared.config.classes.of(key) {
            KeyClass::Ephemeral => shared.ask_or("get", remote, || Ok(None)).await,
            KeyClass::Local => {
                shared
                    .ask_or_local("get", remote, shared.local.get(key))
                    .await
            }
            KeyClass::Durable => {
                let here = shared.read_here(key, shared.local.get(key));
                if let Some(answer) = here.await {
                    return answer;
                }
                shared.ask_or_fail("get", "getting a value", remote).await
            }
        }
    }

    async fn set(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        let remote = shared.remote.set(key, value.clone(), lifetime);
        match shared.config.classes.of(key) {
            KeyClass::Ephemeral => {
                let dropped = || {
                    shared.drop_write("set");
                    Ok(())
                };
                shared.ask_or("set", remote, dropped).await
            }
            KeyClass::Local => {
                let local = shared.local.set(key, value, lifetime);
                shared.ask_or_local("set", remote, local).await
            }
            KeyClass::Durable => {
                check(key, Some(&value), lifetime, "setting a value")?;
                shared.known.forget(key);
                if !shared.is_touched(key)
                    && let Answer::There(done) = shared.ask("set", remote).await?
                {
                    return Ok(done);
                }
                shared.set_here(key, value, lifetime).await
            }
        }
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        self.set_absent(key, value, lifetime).await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "comparing and setting a value";
        let shared = &self.shared;
        let remote = shared
            .remote
            .compare_and_set(key, expected, value.clone(), lifetime);
        match shared.config.classes.of(key) {
            KeyClass::Local => {
                let local = shared.local.compare_and_set(key, expected, value, lifetime);
                shared.ask_or_local("compare_and_set", remote, local).await
            }
            class => {
                if class == KeyClass::Durable {
                    check(key, Some(&value), lifetime, CONTEXT)?;
                    let here = shared.compare_and_set_here(key, expected, value, lifetime);
                    if let Some(set) = here.await? {
                        return Ok(set);
                    }
                }
                shared.ask_or_fail("compare_and_set", CONTEXT, remote).await
            }
        }
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        let shared = &self.shared;
        let remote = shared.remote.delete(key);
        match shared.config.classes.of(key) {
            KeyClass::Ephemeral => {
                let dropped = || {
                    shared.drop_write("delete");
                    Ok(false)
                };
                shared.ask_or("delete", remote, dropped).await
            }
            KeyClass::Local => {
                let local = shared.local.delete(key);
                shared.ask_or_local("delete", remote, local).await
            }
            KeyClass::Durable => {
                check(key, None, None, "deleting a key")?;
                if !shared.is_touched(key)
                    && let Answer::There(was) = shared.ask("delete", remote).await?
                {
                    shared.known.forget(key);
                    return Ok(was);
                }
                shared.delete_here(key).await
            }
        }
    }

    async fn time_left(&self, key: &str) -> Result<TimeLeft, StoreError> {
        let shared = &self.shared;
        let remote = shared.remote.time_left(key);
        match shared.config.classes.of(key) {
            KeyClass::Ephemeral => {
                let absent = || Ok(TimeLeft::Absent);
                shared.ask_or("time_left", remote, absent).await
            }
            KeyClass::Local => {
                let local = shared.local.time_left(key);
                shared.ask_or_local("time_left", remote, local).await
            }
            KeyClass::Durable => {
                let here = shared.read_here(key, shared.local.time_left(key));
                if let Some(answer) = here.await {
                    return answer;
                }
                shared
                    .ask_or_fail("time_left", "asking a lifetime", remote)
                    .await
            }
        }
    }

    async fn expire(&self, key: &str, lifetime: Duration) -> Result<bool, StoreError> {
        let shared = &self.shared;
        let remote = shared.remote.expire(key, lifetime);
        match shared.config.classes.of(key) {
            KeyClass::Ephemeral => {
                let dropped = || {
                    shared.drop_write("expire");
                    Ok(false)
                };
                shared.ask_or("expire", remote, dropped).await
            }
            KeyClass::Local => {
                let local = shared.local.expire(key, lifetime);
                shared.ask_or_local("expire", remote, local).await
            }
            KeyClass::Durable => {
                check(key, None, Some(lifetime), "giving a lifetime")?;
                if let Some(there) = shared.expire_here(key, lifetime).await? {
                    return Ok(there);
                }
                shared
                    .ask_or_fail("expire", "giving a lifetime", remote)
                    .await
            }
        }
    }

    async fn increment(
        &self,
        key: &str,
        by: i64,
        lifetime: Option<Duration>,
    ) -> Result<i64, StoreError> {
        let addition = Addition {
            key,
            by,
            limit: None,
            lifetime,
        };
        match self.add_all(&[addition]).await? {
            Added::All(sums) => sums.first().copied(),
            Added::Over { .. } => None,
        }
        .ok_or_else(|| StoreError::new(ErrorKind::Engine, "incrementing a counter"))
    }

    async fn counters(&self, keys: &[&str]) -> Result<Vec<i64>, StoreError> {
        let shared = &self.shared;
        let remote = shared.remote.counters(keys);
        match shared.config.classes.of_all(keys.iter().copied()) {
            KeyClass::Ephemeral => {
                shared
                    .ask_or_fail("counters", "reading counters", remote)
                    .await
            }
            KeyClass::Local => {
                let local = shared.local.counters(keys);
                shared.ask_or_local("counters", remote, local).await
            }
            KeyClass::Durable => shared.counters_of_both(keys).await,
        }
    }

    async fn add_all(&self, additions: &[Addition<'_>]) -> Result<Added, StoreError> {
        let shared = &self.shared;
        let keys = additions.iter().map(|addition| addition.key);
        match shared.config.classes.of_all(keys) {
            KeyClass::Ephemeral => {
                let remote = shared.remote.add_all(additions);
                shared
                    .ask_or_fail("add_all", "adding to counters", remote)
                    .await
            }
            KeyClass::Local => {
                let remote = shared.remote.add_all(additions);
                let local = shared.local.add_all(additions);
                shared.ask_or_local("add_all", remote, local).await
            }
            KeyClass::Durable => self.add_durable(additions).await,
        }
    }

    async fn throttle(&self, key: &str, rate: Rate, cost: u32) -> Result<Throttled, StoreError> {
        let shared = &self.shared;
        let remote = shared.remote.throttle(key, rate, cost);
        let local = shared.local.throttle(key, rate, cost);
        shared.ask_or_local("throttle", remote, local).await
    }

    async fn set_insert(
        &self,
        key: &str,
        member: &str,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "inserting into a set";
        let shared = &self.shared;
        let remote = shared.remote.set_insert(key, member, lifetime);
        match shared.config.classes.of(key) {
            KeyClass::Ephemeral => shared.ask_or_fail("set_insert", CONTEXT, remote).await,
            KeyClass::Local => {
                let local = shared.local.set_insert(key, member, lifetime);
                shared.ask_or_local("set_insert", remote, local).await
            }
            KeyClass::Durable => {
                check(key, None, lifetime, CONTEXT)?;
                checks::member(member, CONTEXT)?;
                if !shared.is_touched(key)
                    && let Answer::There(new) = shared.ask("set_insert", remote).await?
                {
                    return Ok(new);
                }
                shared.set_insert_here(key, member, lifetime).await
            }
        }
    }

    async fn set_remove(&self, key: &str, member: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "removing from a set";
        let shared = &self.shared;
        let remote = shared.remote.set_remove(key, member);
        match shared.config.classes.of(key) {
            KeyClass::Ephemeral => shared.ask_or_fail("set_remove", CONTEXT, remote).await,
            KeyClass::Local => {
                let local = shared.local.set_remove(key, member);
                shared.ask_or_local("set_remove", remote, local).await
            }
            KeyClass::Durable => {
                check(key, None, None, CONTEXT)?;
                checks::member(member, CONTEXT)?;
                if !shared.is_touched(key)
                    && let Answer::There(was) = shared.ask("set_remove", remote).await?
                {
                    return Ok(was);
                }
                shared.set_remove_here(key, member).await
            }
        }
    }

    async fn set_members(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let shared = &self.shared;
        let remote = shared.remote.set_members(key, limit);
        match shared.config.classes.of(key) {
            KeyClass::Ephemeral => {
                let none = || Ok(Vec::new());
                shared.ask_or("set_members", remote, none).await
            }
            KeyClass::Local => {
                let local = shared.local.set_members(key, limit);
                shared.ask_or_local("set_members", remote, local).await
            }
            KeyClass::Durable => {
                let here = shared.read_here(key, shared.local.set_members(key, limit));
                if let Some(answer) = here.await {
                    return answer;
                }
                shared
                    .ask_or_fail("set_members", "listing a set", remote)
                    .await
            }
        }
    }

    async fn acquire_lease(
        &self,
        key: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<Lease, StoreError> {
        let remote = self.shared.remote.acquire_lease(key, owner, lifetime);
        let refused = || Err(unavailable("acquiring a lease"));
        self.shared.ask_or("acquire_lease", remote, refused).await
    }

    async fn release_lease(&self, key: &str, owner: &str) -> Result<bool, StoreError> {
        let remote = self.shared.remote.release_lease(key, owner);
        let refused = || Err(unavailable("releasing a lease"));
        self.shared.ask_or("release_lease", remote, refused).await
    }

    async fn get_or_lease(
        &self,
        key: &str,
        lease: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<ValueOrLease, StoreError> {
        if self.shared.config.classes.of(key) != KeyClass::Ephemeral {
            return once::get_or_lease(self, key, lease, owner, lifetime).await;
        }
        let remote = self.shared.remote.get_or_lease(key, lease, owner, lifetime);
        let refused = || Err(unavailable("getting a value or a lease"));
        self.shared.ask_or("get_or_lease", remote, refused).await
    }

    async fn conclude(&self, conclusion: Conclusion<'_>) -> Result<(), StoreError> {
        self.end(conclusion).await
    }

    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), StoreError> {
        let remote = self.shared.remote.publish(channel, message.clone());
        let local = self.shared.local.publish(channel, message);
        self.shared.ask_or_local("publish", remote, local).await
    }

    async fn subscribe(&self, channel: &str) -> Result<Subscription, StoreError> {
        let near = self.shared.local.subscribe(channel).await?;
        let remote = self.shared.remote.subscribe(channel);
        let later = || self.shared.remote.listen(channel);
        let far = self.shared.ask_or("subscribe", remote, later).await?;
        Ok(far.with(near))
    }

    async fn health(&self) -> StoreHealth {
        self.shared.health().await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let shared = &self.shared;
        let waiting = shared.journal.len() > 0;
        if waiting && shared.local.health().await.kind == StoreKind::EmbeddedMemory {
            // What waits is in this process's memory only.
            return Err(unavailable("flushing"));
        }
        shared.local.flush().await
    }
}
