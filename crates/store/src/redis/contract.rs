//! Redis's side of the contract.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::types::Value;
use futures_util::future::try_join_all;

use super::answer::{added, fence_key, integer, lease, millis, one_word, refused, said, words};
use super::fault::Fault;
use super::once::lease_args;
use super::{Inner, RedisStore};
use crate::once::{Conclusion, ValueOrLease};
use crate::{
    Added, Addition, ErrorKind, Lease, Problem, Rate, Store, StoreError, StoreHealth, StoreKind,
    Subscription, Throttled, TimeLeft, checks,
};

/// One addition that must happen once, however often it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Once<'a> {
    /// Who sends it; no two that live at the same time share a name.
    pub(crate) writer: &'a str,
    /// Its number, which the writer uses once.
    pub(crate) number: u64,
    /// The writer never sends a lower number again.
    pub(crate) open_from: u64,
}

#[async_trait]
impl Store for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        const CONTEXT: &str = "getting a value";
        let name = checks::key(key, CONTEXT)?;
        let answer = self.inner.get(name).await;
        answer.map_err(|fault| fault.into_error(CONTEXT))
    }

    async fn set(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        const CONTEXT: &str = "setting a value";
        checks::value(&value, CONTEXT)?;
        checks::lifetime(lifetime, CONTEXT)?;
        let mut args = vec![
            self.inner.key(checks::key(key, CONTEXT)?),
            Value::Bytes(value),
        ];
        if lifetime.is_some() {
            args.extend([Value::from("PX"), millis(lifetime)]);
        }
        let answer = self.inner.call("SET", args).await;
        answer.map(drop).map_err(|fault| fault.into_error(CONTEXT))
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "setting an absent value";
        checks::value(&value, CONTEXT)?;
        checks::lifetime(lifetime, CONTEXT)?;
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let mut args = vec![key, Value::Bytes(value), Value::from("NX")];
        if lifetime.is_some() {
            args.extend([Value::from("PX"), millis(lifetime)]);
        }
        let answer = self.inner.call("SET", args).await;
        answer
            .map(|answer| !answer.is_null())
            .map_err(|fault| fault.into_error(CONTEXT))
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "comparing and setting a value";
        checks::value(&value, CONTEXT)?;
        checks::lifetime(lifetime, CONTEXT)?;
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let args = vec![
            Value::from(if expected.is_some() { "1" } else { "0" }),
            Value::Bytes(Bytes::copy_from_slice(expected.unwrap_or_default())),
            Value::Bytes(value),
            millis(lifetime),
        ];
        let script = &self.inner.scripts.compare_and_set;
        let answer = self.inner.run(script, vec![key], args).await;
        said(answer, CONTEXT)
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "deleting a key";
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        said(self.inner.call("DEL", vec![key]).await, CONTEXT)
    }

    async fn time_left(&self, key: &str) -> Result<TimeLeft, StoreError> {
        const CONTEXT: &str = "asking a lifetime";
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let answer = self.inner.call("PTTL", vec![key]).await;
        let left = answer.and_then(integer);
        Ok(match left.map_err(|fault| fault.into_error(CONTEXT))? {
            -2 => TimeLeft::Absent,
            -1 => TimeLeft::Forever,
            // What ends within this millisecond is still there.
            left => TimeLeft::For(Duration::from_millis(left.max(1).unsigned_abs())),
        })
    }

    async fn expire(&self, key: &str, lifetime: Duration) -> Result<bool, StoreError> {
        const CONTEXT: &str = "giving a lifetime";
        checks::lifetime(Some(lifetime), CONTEXT)?;
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let args = vec![key, millis(Some(lifetime))];
        said(self.inner.call("PEXPIRE", args).await, CONTEXT)
    }

    async fn increment(
        &self,
        key: &str,
        by: i64,
        lifetime: Option<Duration>,
    ) -> Result<i64, StoreError> {
        const CONTEXT: &str = "incrementing a counter";
        let addition = Addition {
            key,
            by,
            limit: None,
            lifetime,
        };
        match self.add(&[addition], None, CONTEXT).await? {
            Added::All(sums) => sums.first().copied(),
            Added::Over { .. } => None,
        }
        .ok_or_else(|| Fault::reply().into_error(CONTEXT))
    }

    async fn counters(&self, keys: &[&str]) -> Result<Vec<i64>, StoreError> {
        const CONTEXT: &str = "reading counters";
        checks::counters(keys, CONTEXT)?;
        // Sent at once, answered together: the pool's connections are pipelines.
        let read = keys.iter().map(|key| self.inner.counter(key));
        let counters = try_join_all(read).await;
        counters.map_err(|fault| fault.into_error(CONTEXT))
    }

    async fn add_all(&self, additions: &[Addition<'_>]) -> Result<Added, StoreError> {
        self.add(additions, None, "adding to counters").await
    }

    async fn throttle(&self, key: &str, rate: Rate, cost: u32) -> Result<Throttled, StoreError> {
        const CONTEXT: &str = "asking a rate limit";
        checks::cost(rate, cost, CONTEXT)?;
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let args = vec![
            Value::from(rate.interval().as_micros().to_string()),
            Value::from(rate.max_burst().to_string()),
            Value::from(cost.to_string()),
        ];
        let answer = self
            .inner
            .run(&self.inner.scripts.throttle, vec![key], args)
            .await;
        let words = answer.and_then(words);
        let words = words.map_err(|fault| fault.into_error(CONTEXT))?;
        let number = |index: usize| words.get(index).and_then(|word| word.parse().ok());
        match (words.first().map(String::as_str), number(1), number(2)) {
            (Some("yes"), Some(outstanding), Some(_)) => Ok(rate.answer(true, outstanding, 0)),
            (Some("no"), Some(outstanding), Some(wait)) => {
                Ok(rate.answer(false, outstanding, wait))
            }
            (Some(word), None, None) => Err(refused(word)
                .unwrap_or_else(Fault::reply)
                .into_error(CONTEXT)),
            _ => Err(Fault::reply().into_error(CONTEXT)),
        }
    }

    async fn set_insert(
        &self,
        key: &str,
        member: &str,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "inserting into a set";
        checks::lifetime(lifetime, CONTEXT)?;
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let most = self.inner.settings.config.max_set_members.max(1);
        let args = vec![
            Value::from(checks::member(member, CONTEXT)?),
            millis(lifetime),
            Value::from(most.to_string()),
        ];
        let script = &self.inner.scripts.set_insert;
        one_word(self.inner.run(script, vec![key], args).await, CONTEXT)
    }

    async fn set_remove(&self, key: &str, member: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "removing from a set";
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let args = vec![key, Value::from(checks::member(member, CONTEXT)?)];
        said(self.inner.call("SREM", args).await, CONTEXT)
    }

    async fn set_members(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        const CONTEXT: &str = "listing a set";
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let most = self.inner.settings.config.max_set_members;
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).min(most.max(1));
        let args = vec![key, Value::from(limit.to_string())];
        let answer = self.inner.call("SRANDMEMBER", args).await;
        answer
            .and_then(words)
            .map_err(|fault| fault.into_error(CONTEXT))
    }

    async fn acquire_lease(
        &self,
        key: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<Lease, StoreError> {
        const CONTEXT: &str = "acquiring a lease";
        checks::lifetime(Some(lifetime), CONTEXT)?;
        let name = self.inner.settings.name(checks::key(key, CONTEXT)?);
        let mut keys = vec![Value::from(name.as_str())];
        keys.extend(fence_key(&self.inner.settings.config.prefix, &name).map(Value::from));
        let args = lease_args(checks::member(owner, CONTEXT)?, lifetime);
        let answer = self
            .inner
            .run(&self.inner.scripts.acquire, keys, args)
            .await;
        let lease = answer.and_then(words).and_then(|words| lease(&words));
        lease.map_err(|fault| fault.into_error(CONTEXT))
    }

    async fn release_lease(&self, key: &str, owner: &str) -> Result<bool, StoreError> {
        const CONTEXT: &str = "releasing a lease";
        let key = self.inner.key(checks::key(key, CONTEXT)?);
        let args = vec![Value::from(checks::member(owner, CONTEXT)?)];
        let script = &self.inner.scripts.release;
        one_word(self.inner.run(script, vec![key], args).await, CONTEXT)
    }

    async fn get_or_lease(
        &self,
        key: &str,
        lease: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<ValueOrLease, StoreError> {
        self.value_or_lease(key, lease, owner, lifetime).await
    }

    async fn conclude(&self, conclusion: Conclusion<'_>) -> Result<(), StoreError> {
        self.end(conclusion).await
    }

    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), StoreError> {
        const CONTEXT: &str = "publishing";
        checks::message(&message, CONTEXT)?;
        let name = self.inner.key(checks::key(channel, CONTEXT)?);
        let answer = self
            .inner
            .call("PUBLISH", vec![name, Value::Bytes(message)])
            .await;
        answer.map(drop).map_err(|fault| fault.into_error(CONTEXT))
    }

    async fn subscribe(&self, channel: &str) -> Result<Subscription, StoreError> {
        const CONTEXT: &str = "subscribing";
        let subscription = self.listen(checks::key(channel, CONTEXT)?)?;
        let name = self.inner.settings.name(channel);
        let patience = self.inner.settings.config.command_timeout;
        tokio::time::timeout(patience, self.inner.subscribe(name))
            .await
            .unwrap_or_else(|_| Err(Fault::new(ErrorKind::Timeout, Problem::Unresponsive)))
            .map_err(|fault| fault.into_error(CONTEXT))?;
        Ok(subscription)
    }

    async fn health(&self) -> StoreHealth {
        self.look().await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let answer = self.inner.ping().await;
        answer.map_err(|fault| fault.into_error("flushing"))
    }
}

impl RedisStore {
    /// As [`Store::add_all`]; with `once`, it happens once however often it is sent.
    pub(crate) async fn add(
        &self,
        additions: &[Addition<'_>],
        once: Option<Once<'_>>,
        context: &'static str,
    ) -> Result<Added, StoreError> {
        checks::additions(additions, context)?;
        self.check_slot(additions, context)?;
        if additions.is_empty() {
            return Ok(Added::All(Vec::new()));
        }
        let keys = additions
            .iter()
            .map(|addition| self.inner.key(addition.key));
        let (writer, number, open_from) = match once {
            Some(once) => (once.writer, once.number, once.open_from),
            None => ("", 0, 0),
        };
        let mut args = vec![
            Value::from(writer),
            Value::from(number.to_string()),
            Value::from(open_from.to_string()),
        ];
        for addition in additions {
            let limit = addition.limit.map(|limit| limit.to_string());
            args.push(Value::from(addition.by.to_string()));
            args.push(Value::from(limit.unwrap_or_default()));
            args.push(millis(addition.lifetime));
        }
        let script = &self.inner.scripts.add_all;
        let answer = self.inner.run(script, keys.collect(), args).await;
        let added = answer.and_then(words).and_then(|words| added(&words));
        added.map_err(|fault| fault.into_error(context))
    }

    /// A cluster takes several keys only where they share a slot.
    fn check_slot(
        &self,
        additions: &[Addition<'_>],
        context: &'static str,
    ) -> Result<(), StoreError> {
        if self.inner.kind != StoreKind::RedisCluster {
            return Ok(());
        }
        let slot = |addition: &Addition<'_>| {
            fred::util::redis_keyslot(self.inner.settings.name(addition.key).as_bytes())
        };
        let mut slots = additions.iter().map(slot);
        let first = slots.next();
        if slots.any(|slot| Some(slot) != first) {
            return Err(StoreError::new(ErrorKind::InvalidArgument, context));
        }
        Ok(())
    }
}

impl Inner {
    async fn subscribe(&self, name: String) -> Result<(), Fault> {
        let _order = self.hub.order.lock().await;
        self.link()?.subscribe(name).await
    }

    async fn counter(&self, key: &str) -> Result<i64, Fault> {
        let args = vec![self.key(key), Value::from("c")];
        match self.call("HGET", args).await? {
            Value::Null => Ok(0),
            value => value
                .as_str()
                .and_then(|text| text.parse().ok())
                .ok_or_else(Fault::reply),
        }
    }
}
