//! Asking the shared store first, and who answers where it is away.

use std::time::{Duration, Instant};

use bytes::Bytes;
use metrics::counter;

use super::away::Add;
use super::{Answer, KeyClass, ResilientStore, Shared, record, unavailable};
use crate::once::{self, Conclusion};
use crate::redis::Once;
use crate::{Added, Addition, ErrorKind, StoreError, checks};

impl ResilientStore {
    pub(super) async fn add_durable(
        &self,
        additions: &[Addition<'_>],
    ) -> Result<Added, StoreError> {
        checks::additions(additions, "adding to counters")?;
        let shared = &self.shared;
        let number = shared.journal.number();
        let mut was_asked = false;
        if !additions
            .iter()
            .any(|addition| shared.is_touched(addition.key))
        {
            let once = Once {
                writer: &shared.journal.writer,
                number: number.number,
                open_from: shared.journal.open_from(),
            };
            let remote = shared.remote.add_once(additions, once);
            match shared.ask("add_all", remote).await? {
                Answer::There(added) => {
                    shared.learn(additions, &added);
                    return Ok(added);
                }
                Answer::Away { asked } => was_asked = asked,
            }
        }
        // Under the same number: the shared store may have it already.
        let additions = additions.iter().map(Add::of).collect();
        match shared.add_here(additions, number).await? {
            // Here it is too much, there it may have been done: neither is sure.
            Added::Over { .. } if was_asked => {
                Err(StoreError::new(ErrorKind::Timeout, "adding to counters"))
            }
            added => Ok(added),
        }
    }

    pub(super) async fn set_absent(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        const CONTEXT: &str = "setting an absent value";
        let shared = &self.shared;
        let remote = shared.remote.set_if_absent(key, value.clone(), lifetime);
        let class = shared.config.classes.of(key);
        if class == KeyClass::Local {
            let local = shared.local.set_if_absent(key, value, lifetime);
            return shared.ask_or_local("set_if_absent", remote, local).await;
        }
        if class == KeyClass::Durable {
            check(key, Some(&value), lifetime, CONTEXT)?;
            let here = shared.compare_and_set_here(key, None, value, lifetime);
            match here.await {
                Ok(None) => {}
                // Something else than a value is there.
                Err(error) if error.kind() == ErrorKind::WrongKind => return Ok(false),
                Ok(Some(set)) => return Ok(set),
                Err(error) => return Err(error),
            }
        }
        shared.ask_or_fail("set_if_absent", CONTEXT, remote).await
    }

    /// As [`crate::Store::conclude`]. Where the shared store is away, whoever waits in this process is
    /// told nevertheless.
    pub(super) async fn end(&self, conclusion: Conclusion<'_>) -> Result<(), StoreError> {
        let shared = &self.shared;
        let value = conclusion.value.as_ref();
        if value.is_some_and(|(key, ..)| shared.config.classes.of(key) != KeyClass::Ephemeral) {
            return once::conclude(self, conclusion).await;
        }
        let remote = shared.remote.conclude(conclusion.clone());
        if let Answer::There(done) = shared.ask("conclude", remote).await? {
            return Ok(done);
        }
        if value.is_some() {
            shared.drop_write("conclude");
        }
        shared
            .local
            .publish(conclusion.lease, conclusion.message)
            .await
    }
}

impl Shared {
    /// Asks the shared store; `away` answers where it is away.
    pub(super) async fn ask_or<T>(
        &self,
        operation: &'static str,
        remote: impl Future<Output = Result<T, StoreError>> + Send,
        away: impl FnOnce() -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        match self.ask(operation, remote).await? {
            Answer::There(answer) => Ok(answer),
            Answer::Away { .. } => {
                counter!("store_away_total", "operation" => operation).increment(1);
                away()
            }
        }
    }

    /// Asks the shared store, also while it is only suspected to be away: nobody else knows the
    /// answer.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] where it is away, and what it answered to that very call.
    pub(super) async fn ask_or_fail<T>(
        &self,
        operation: &'static str,
        context: &'static str,
        remote: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.ask_unless_open(operation, remote).await? {
            Answer::There(answer) => Ok(answer),
            Answer::Away { .. } => {
                counter!("store_away_total", "operation" => operation).increment(1);
                Err(unavailable(context))
            }
        }
    }

    /// Asks the shared store; the local engine answers where it is away.
    pub(super) async fn ask_or_local<T>(
        &self,
        operation: &'static str,
        remote: impl Future<Output = Result<T, StoreError>> + Send,
        local: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if let Answer::There(answer) = self.ask(operation, remote).await? {
            return Ok(answer);
        }
        let started = Instant::now();
        let answer = local.await;
        record(operation, "local", started);
        answer
    }

    /// Remembers the sums that the shared store told.
    pub(super) fn learn(&self, additions: &[Addition<'_>], added: &Added) {
        match added {
            Added::All(sums) => {
                for (addition, sum) in additions.iter().zip(sums) {
                    self.known
                        .learn(addition.key, *sum, self.end(addition.lifetime));
                }
            }
            Added::Over { index, current } => {
                if let Some(addition) = additions.get(*index) {
                    self.known
                        .learn(addition.key, *current, self.end(addition.lifetime));
                }
            }
        }
    }

    /// Counters of which some may have been changed here.
    pub(super) async fn counters_of_both(&self, keys: &[&str]) -> Result<Vec<i64>, StoreError> {
        checks::counters(keys, "reading counters")?;
        let whole: Vec<bool> = keys.iter().map(|key| self.is_whole(key)).collect();
        let far: Vec<&str> = keys
            .iter()
            .zip(&whole)
            .filter_map(|(key, whole)| (!whole).then_some(*key))
            .collect();
        let answer = match far.is_empty() {
            true => Answer::There(Vec::new()),
            // What isn't known here has no other answer.
            false => {
                let remote = self.remote.counters(&far);
                self.ask_unless_open("counters", remote).await?
            }
        };
        let mut sums = match answer {
            Answer::There(sums) => sums,
            Answer::Away { .. } => Vec::new(),
        }
        .into_iter();
        let mut found = Vec::with_capacity(keys.len());
        for (key, whole) in keys.iter().zip(whole) {
            let asked = if whole { None } else { sums.next() };
            found.push(match asked {
                Some(sum) => sum,
                None => self.counter_here(key).await?,
            });
        }
        Ok(found)
    }
}

/// Checks what the shared store would, before it is written without it.
pub(super) fn check(
    key: &str,
    value: Option<&Bytes>,
    lifetime: Option<Duration>,
    context: &'static str,
) -> Result<(), StoreError> {
    checks::key(key, context)?;
    checks::lifetime(lifetime, context)?;
    value.map_or(Ok(()), |value| checks::value(value, context))
}
