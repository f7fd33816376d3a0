//! What each channel has been told, kept in the store: at least once, whatever happens when.
//!
//! For every notice and channel there is one record. It is written before the notice counts as
//! offered, and says "told" only after the channel has taken it; what happens between the two
//! happens again. A record is never written twice for one id, so that a notice that is offered
//! again (after a crash, by another replica) changes nothing.
//!
//! | key | holds |
//! |---|---|
//! | `news:told:CHANNEL:ID` | the record: state, notice, attempts, when it is due |
//! | `news:wait:CHANNEL` | the ids that wait, a set |
//! | `news:dead:CHANNEL` | the ids that were given up, a set |

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use store::{Store, StoreError};

use super::channel::{Channel, SendError};
use super::keys::{dead_key, record_key, waiting_key};
use super::{Notice, Policy};

/// How long a record is kept after its notice was told or given up.
const KEEP_ENDED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The most notices of a channel that are looked at in one round.
const ROUND: usize = 500;

/// The most ids of given-up notices that are kept of a channel.
pub const MAX_DEAD: usize = 1_000;

/// Waits between attempts, in seconds; after the last one a notice is given up (about 2 days).
const BACKOFF: [i64; 10] = [
    30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400,
];

/// A channel and when it may be told what.
#[derive(Debug)]
pub struct Outlet {
    /// What records and metrics call it: letters, digits, `-`, `_`; never renamed.
    pub name: String,
    /// When it is told what.
    pub policy: Policy,
    /// How it is told.
    pub channel: Box<dyn Channel>,
}

/// Every channel's deliveries.
pub struct Deliveries {
    store: Arc<dyn Store>,
    outlets: Vec<Outlet>,
    zone: TimeZone,
}

/// What one round did, by channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Round {
    /// By the channel's name.
    pub channels: BTreeMap<String, Told>,
}

/// What one round did on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Notices told.
    pub sent: usize,
    /// Notices that failed and are tried again.
    pub failed: usize,
    /// Notices given up.
    pub dead: usize,
    /// Notices that wait, those included that aren't due yet.
    pub waiting: usize,
    /// The error of the last attempt, where it failed.
    pub error: Option<SendError>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    state: State,
    notice: Notice,
    attempts: usize,
    due: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Waiting,
    Told,
    Dead,
}

impl Deliveries {
    /// Deliveries over these channels. `zone` is Chile's.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, outlets: Vec<Outlet>, zone: TimeZone) -> Self {
        Self {
            store,
            outlets,
            zone,
        }
    }

    /// Whether there is anybody to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outlets.is_empty()
    }

    /// Takes notices for every channel that wants them. When it returns they are in the store;
    /// when it fails some may be: offer all of them again.
    ///
    /// # Errors
    /// The store's.
    pub async fn offer(&self, notices: &[Notice], now: Timestamp) -> Result<(), StoreError> {
        for outlet in &self.outlets {
            let wanted = notices
                .iter()
                .filter(|notice| outlet.policy.wants(notice.prioridad));
            for notice in wanted {
                self.take(outlet, notice, now).await?;
            }
        }
        Ok(())
    }

    async fn take(
        &self,
        outlet: &Outlet,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = record_key(&outlet.name, &notice.id);
        let record = Record {
            state: State::Waiting,
            notice: notice.clone(),
            attempts: 0,
            due: outlet.policy.due(notice.prioridad, now, &self.zone),
        };
        let new = self
            .store
            .set_if_absent(&key, encode(&record), None)
            .await?;
        // Offered before: it waits still if it was cut short between the record and the set.
        let waits = new
            || self
                .load(&key)
                .await?
                .is_some_and(|record| record.state == State::Waiting);
        if waits {
            let waiting = waiting_key(&outlet.name);
            self.store.set_insert(&waiting, &notice.id, None).await?;
        }
        Ok(())
    }

    /// Tells what is due, each channel beside the others: one that fails or hangs delays none.
    /// Only the replica that holds the monitor's lease calls it.
    pub async fn tell(&self, now: Timestamp) -> Round {
        let told = self.outlets.iter().map(|outlet| async move {
            let told = self.tell_one(outlet, now).await.unwrap_or_else(|error| {
                tracing::warn!(channel = outlet.name, %error, "deliveries are out of reach");
                Told::default()
            });
            observe(&outlet.name, &told);
            (outlet.name.clone(), told)
        });
        Round {
            channels: join_all(told).await.into_iter().collect(),
        }
    }

    async fn tell_one(&self, outlet: &Outlet, now: Timestamp) -> Result<Told, StoreError> {
        let waiting = waiting_key(&outlet.name);
        let ids = self.store.set_members(&waiting, ROUND).await?;
        let mut told = Told {
            waiting: ids.len(),
            ..Told::default()
        };
        let mut due = Vec::new();
        for id in ids {
            match self.load(&record_key(&outlet.name, &id)).await? {
                Some(record) if record.state == State::Waiting && record.due <= now => {
                    due.push(record);
                }
                Some(record) if record.state == State::Waiting => {}
                // Ended, and cut short before it was taken out.
                _ => {
                    self.store.set_remove(&waiting, &id).await?;
                }
            }
        }
        due.sort_by(|a, b| {
            let urgent = b.notice.prioridad.cmp(&a.notice.prioridad);
            urgent.then_with(|| a.notice.id.cmp(&b.notice.id))
        });
        for together in batches(due, outlet) {
            let go_on = self.send(outlet, together, now, &mut told).await?;
            if !go_on {
                break;
            }
        }
        Ok(told)
    }

    /// Sends one batch; says whether the channel may be bothered with another.
    async fn send(
        &self,
        outlet: &Outlet,
        records: Vec<Record>,
        now: Timestamp,
        told: &mut Told,
    ) -> Result<bool, StoreError> {
        let notices: Vec<Notice> = records.iter().map(|record| record.notice.clone()).collect();
        let event = event_id(&outlet.name, &notices);
        let outcome = outlet.channel.send(&event, &notices, now).await;
        for record in records {
            let record = match &outcome {
                Ok(()) => {
                    told.sent += 1;
                    ended(record, State::Told)
                }
                Err(error) => {
                    let after = retried(record, error, now);
                    match after.state {
                        State::Dead => told.dead += 1,
                        _ => told.failed += 1,
                    }
                    after
                }
            };
            self.save(outlet, &record).await?;
        }
        told.error = outcome.err();
        Ok(told.error.is_none())
    }

    async fn save(&self, outlet: &Outlet, record: &Record) -> Result<(), StoreError> {
        let id = &record.notice.id;
        let lifetime = (record.state != State::Waiting).then_some(KEEP_ENDED);
        let key = record_key(&outlet.name, id);
        self.store.set(&key, encode(record), lifetime).await?;
        if record.state == State::Dead {
            tracing::error!(channel = outlet.name, id, "notice given up");
            let dead = dead_key(&outlet.name);
            let full = self.store.set_members(&dead, MAX_DEAD).await?.len() >= MAX_DEAD;
            if !full {
                self.store.set_insert(&dead, id, Some(KEEP_ENDED)).await?;
            }
        }
        if record.state != State::Waiting {
            self.store
                .set_remove(&waiting_key(&outlet.name), id)
                .await?;
        }
        Ok(())
    }

    /// The notices that a channel has given up, at most [`MAX_DEAD`].
    ///
    /// # Errors
    /// The store's.
    pub async fn dead(&self, channel: &str) -> Result<Vec<Notice>, StoreError> {
        let ids = self.store.set_members(&dead_key(channel), MAX_DEAD).await?;
        let mut notices = Vec::with_capacity(ids.len());
        for id in ids {
            let record = self.load(&record_key(channel, &id)).await?;
            notices.extend(record.map(|record| record.notice));
        }
        Ok(notices)
    }

    /// Gives the dead notices of a channel another life; says how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn revive(&self, channel: &str, now: Timestamp) -> Result<usize, StoreError> {
        let notices = self.dead(channel).await?;
        for notice in &notices {
            let record = Record {
                state: State::Waiting,
                notice: notice.clone(),
                attempts: 0,
                due: now,
            };
            let key = record_key(channel, &notice.id);
            self.store.set(&key, encode(&record), None).await?;
            let waiting = waiting_key(channel);
            self.store.set_insert(&waiting, &notice.id, None).await?;
            self.store
                .set_remove(&dead_key(channel), &notice.id)
                .await?;
        }
        Ok(notices.len())
    }

    /// A record that can't be read is none: it was written by another version.
    async fn load(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let bytes = self.store.get(key).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries")
            .field("outlets", &self.outlets)
            .finish_non_exhaustive()
    }
}

/// Strings, numbers and lists of them: a record can't fail to encode.
fn encode(record: &Record) -> Bytes {
    serde_json::to_vec(record).unwrap_or_default().into()
}

/// What is told together: as many as the channel takes, or one by one where it has no digest.
fn batches(due: Vec<Record>, outlet: &Outlet) -> Vec<Vec<Record>> {
    let size = match outlet.policy.digest {
        super::Digest::Immediate => 1,
        _ => outlet.channel.most().max(1),
    };
    let mut batches = Vec::new();
    let mut due = due.into_iter().peekable();
    while due.peek().is_some() {
        batches.push(due.by_ref().take(size).collect());
    }
    batches
}

/// The same for the same notices on the same channel, so that receivers know a retry.
fn event_id(channel: &str, notices: &[Notice]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(channel.as_bytes());
    for notice in notices {
        hasher.update(b"\n");
        hasher.update(notice.id.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}

fn ended(record: Record, state: State) -> Record {
    Record { state, ..record }
}

/// The record after a failed attempt: due later, or given up.
fn retried(record: Record, error: &SendError, now: Timestamp) -> Record {
    let attempts = record.attempts + 1;
    let wait = BACKOFF.get(record.attempts).copied();
    let (Some(wait), true) = (wait, error.is_retryable()) else {
        return Record {
            state: State::Dead,
            attempts,
            ..record
        };
    };
    let asked = error
        .retry_after()
        .and_then(|wait| i64::try_from(wait.as_secs()).ok())
        .unwrap_or(0);
    // Spread by the id, so that what failed together isn't tried together for ever.
    let spread = i64::from(blake3::hash(record.notice.id.as_bytes()).as_bytes()[0]) * wait / 2_048;
    let wait = (wait + spread).max(asked);
    Record {
        attempts,
        due: Timestamp::from_second(now.as_second().saturating_add(wait)).unwrap_or(now),
        ..record
    }
}

fn observe(channel: &str, told: &Told) {
    let count = |result: &'static str, count: usize| {
        metrics::counter!(
            "sii_monitor_notices_total",
            "channel" => channel.to_owned(),
            "result" => result
        )
        .increment(count as u64);
    };
    count("sent", told.sent);
    count("failed", told.failed);
    count("dead", told.dead);
    metrics::gauge!("sii_monitor_notices_waiting", "channel" => channel.to_owned())
        .set(told.waiting.saturating_sub(told.sent + told.dead) as f64);
}
