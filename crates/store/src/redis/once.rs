//! Reading a value; and what is computed once for all who ask, in one trip each at its begin and its
//! end.

use std::time::Duration;

use bytes::Bytes;
use fred::types::{CustomCommand, Value};
use fred::util::redis_keyslot;
use tokio::time::Instant;

use super::answer::{MAX_LIFETIME, fence_key, lease, millis, one_word, whole_millis, words};
use super::fault::Fault;
use super::{Inner, RedisStore};
use crate::once::{self, Conclusion, ValueOrLease};
use crate::{Store, StoreError, StoreKind, checks};

/// How long the history of a lease's fence outlives the lease, in milliseconds. A fence is the
/// server's time, so that it grows without a history too; this covers clocks that disagree after
/// a failover. Every answer that is computed leaves one, so it can't be days.
const FENCE_HISTORY: u128 = 10 * 60 * 1_000;

/// What a script that takes a lease is given.
pub(super) fn lease_args(owner: &str, lifetime: Duration) -> Vec<Value> {
    let history = whole_millis(lifetime).saturating_add(FENCE_HISTORY);
    vec![
        Value::from(owner),
        millis(Some(lifetime)),
        Value::from(history.min(MAX_LIFETIME).to_string()),
    ]
}

impl RedisStore {
    /// As [`Store::get_or_lease`].
    pub(super) async fn value_or_lease(
        &self,
        key: &str,
        lease_key: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<ValueOrLease, StoreError> {
        const CONTEXT: &str = "getting a value or a lease";
        let settings = &self.inner.settings;
        let prefix = settings.config.prefix.as_str();
        let value = settings.name(checks::key(key, CONTEXT)?);
        let name = settings.name(checks::key(lease_key, CONTEXT)?);
        // A replica may be asked for the one and not for the other.
        let apart = !self.share_a_slot(&value, &name) || self.inner.reads_replicas(key);
        if apart {
            return once::get_or_lease(self, key, lease_key, owner, lifetime).await;
        }
        checks::lifetime(Some(lifetime), CONTEXT)?;
        let mut keys = vec![Value::from(value), Value::from(name.as_str())];
        keys.extend(fence_key(prefix, &name).map(Value::from));
        let args = lease_args(checks::member(owner, CONTEXT)?, lifetime);
        let script = &self.inner.scripts.get_or_lease;
        let answer = self.inner.run(script, keys, args).await;
        let answer = answer.and_then(value_or_lease);
        answer.map_err(|fault| fault.into_error(CONTEXT))
    }

    /// As [`Store::conclude`].
    pub(super) async fn end(&self, conclusion: Conclusion<'_>) -> Result<(), StoreError> {
        const CONTEXT: &str = "concluding";
        let Conclusion {
            lease,
            owner,
            value,
            message,
        } = conclusion;
        checks::message(&message, CONTEXT)?;
        let lease = self.inner.settings.name(checks::key(lease, CONTEXT)?);
        let mut args = vec![
            Value::from(checks::member(owner, CONTEXT)?),
            Value::Bytes(message),
        ];
        let mut put = Ok(());
        let mut name = None;
        if let Some((key, value, lifetime)) = value {
            let own = self.inner.settings.name(checks::key(key, CONTEXT)?);
            let fits = checks::value(&value, CONTEXT)
                .and_then(|()| checks::lifetime(Some(lifetime), CONTEXT));
            match fits {
                // Those who wait are told nevertheless.
                Err(refused) => put = Err(refused),
                Ok(()) if self.share_a_slot(&own, &lease) => {
                    args.extend([Value::Bytes(value), millis(Some(lifetime))]);
                    name = Some(Value::from(own));
                }
                Ok(()) => put = self.set(key, value, Some(lifetime)).await,
            }
        }
        let mut keys = vec![Value::from(lease)];
        keys.extend(name);
        let script = &self.inner.scripts.conclude;
        one_word(self.inner.run(script, keys, args).await, CONTEXT)?;
        put
    }

    /// Whether one script may touch both.
    fn share_a_slot(&self, one: &str, other: &str) -> bool {
        self.inner.kind != StoreKind::RedisCluster
            || redis_keyslot(one.as_bytes()) == redis_keyslot(other.as_bytes())
    }
}

/// The value as it is, or what is said of the lease in words.
fn value_or_lease(answer: Value) -> Result<ValueOrLease, Fault> {
    let answer = answer.into_array();
    if let [word, value] = answer.as_slice()
        && word.as_bytes() == Some(b"value")
    {
        let value = value.clone().into_bytes().ok_or_else(Fault::reply)?;
        return Ok(ValueOrLease::Value(value));
    }
    let words = words(Value::Array(answer))?;
    Ok(ValueOrLease::Lease(lease(&words)?))
}

impl Inner {
    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>, Fault> {
        let args = vec![self.key(key)];
        let Some(replica) = self.replica_for(key) else {
            return Ok(self.call("GET", args).await?.into_bytes());
        };
        let get = || CustomCommand::new_static("GET", 0, false);
        let (config, begun) = (&self.settings.config, Instant::now());
        let half = config.command_timeout / 2;
        if let Ok(answer) = replica.call(get(), args.clone(), half).await {
            return Ok(answer.into_bytes());
        }
        // The others don't find out each for themselves that it is frozen.
        replica.avoid(config.heartbeat);
        // Both together take no longer than one does else.
        let left = config.command_timeout.saturating_sub(begun.elapsed());
        let answer = self.send_within(left, get(), args).await?;
        Ok(answer.into_bytes())
    }
}
