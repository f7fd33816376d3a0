//! The background: looking whether the shared store is there, and telling it what waits.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;

use super::Shared;
use super::entry::{Change, Entry};
use crate::redis::Once;
use crate::{Addition, ErrorKind, Problem, StoreError};

/// Entries that are told before they are taken out of the journal together.
const BATCH: usize = 64;
/// Failures of the server itself after which an entry is given up, so that it doesn't keep back
/// all others for good: a minute and a half, with the default pauses.
const MAX_FAILURES: u32 = 100;

/// Looks whether the shared store is there, whenever the breaker isn't closed.
pub(super) async fn watch(shared: Arc<Shared>) {
    loop {
        shared.breaker.left().await;
        let mut pause = shared.config.probe_min;
        while let Err(problem) = look(&shared).await {
            if shared.breaker.failure() {
                shared.went_away(problem);
            }
            tokio::select! {
                () = tokio::time::sleep(pause.max(Duration::from_millis(1))) => {
                    pause = (pause * 2).min(shared.config.probe_max);
                }
                // Another server is in its place: there is no use in waiting.
                () = shared.remote.reached() => pause = shared.config.probe_min,
            }
            if shared.breaker.is_closed() {
                // Somebody else has found it well.
                break;
            }
        }
        if !shared.breaker.is_closed() {
            shared.came_back();
        }
    }
}

/// Whether a write of the shared store works now.
pub(super) async fn look(shared: &Shared) -> Result<(), Problem> {
    let probe = tokio::time::timeout(shared.config.deadline, shared.remote.probe()).await;
    match probe {
        // One that is only full can be read: each write finds out for itself.
        Ok(Ok(()) | Err(Problem::Full)) => Ok(()),
        Ok(Err(problem)) => Err(problem),
        Err(_) => Err(Problem::Unresponsive),
    }
}

/// Tells the shared store what waits in the journal, whenever it is there.
pub(super) async fn flush(shared: Arc<Shared>) {
    let mut pause = shared.config.probe_min;
    let mut stuck = Stuck::default();
    loop {
        shared.journal.waits().await;
        if shared.breaker.is_closed() && tell_some(&shared, &mut stuck).await {
            pause = shared.config.probe_min;
            continue;
        }
        tokio::time::sleep(pause.max(Duration::from_millis(1))).await;
        pause = (pause * 2).min(shared.config.probe_max);
    }
}

/// Tells the oldest entries; false if the shared store stopped taking them.
async fn tell_some(shared: &Shared, stuck: &mut Stuck) -> bool {
    let mut told = Vec::with_capacity(BATCH);
    let mut taken = true;
    for (seq, entry) in shared.journal.oldest(BATCH) {
        match tell(shared, &entry).await {
            Told::Done => told.push(seq),
            Told::Failed if !stuck.gives_up(seq) => {
                taken = false;
                break;
            }
            Told::Refused | Told::Failed => {
                counter!("store_journal_conflicts_total").increment(1);
                tracing::error!(seq, "an entry of the store's journal was given up");
                told.push(seq);
            }
            Told::Away => {
                taken = false;
                break;
            }
        }
    }
    if let Err(error) = shared.journal.done(&told).await {
        // They are told again, which changes nothing.
        tracing::warn!(%error, "the store's journal can't be cleared");
        return false;
    }
    settle(shared).await;
    shared.gauges();
    taken
}

/// Forgets what was changed here once the shared store knows all of it.
async fn settle(shared: &Shared) {
    if shared.journal.len() > 0 {
        return;
    }
    let _nobody_writes = shared.overlay.write().await;
    for key in shared.journal.settle() {
        if let Err(error) = shared.local.delete(&key).await {
            // It ends here unread: the key is the shared store's again.
            tracing::debug!(%error, "a settled key can't be deleted");
        }
    }
}

/// An entry that the server fails at again and again.
#[derive(Debug, Default)]
struct Stuck {
    seq: Option<u64>,
    times: u32,
}

impl Stuck {
    /// Counts a failure of entry `seq`; true once it has failed too often.
    fn gives_up(&mut self, seq: u64) -> bool {
        if self.seq.replace(seq) != Some(seq) {
            self.times = 0;
        }
        self.times += 1;
        self.times > MAX_FAILURES
    }
}

enum Told {
    Done,
    /// The shared store failed in a way of its own.
    Failed,
    /// The shared store answered that this can't be: another process has made the key something
    /// else. Telling it again would not help.
    Refused,
    Away,
}

async fn tell(shared: &Shared, entry: &Entry) -> Told {
    let answer = tokio::time::timeout(shared.config.deadline, send(shared, entry)).await;
    match answer {
        Ok(Ok(true)) => Told::Done,
        Ok(Ok(false)) => {
            tracing::debug!("a comparison in the store's journal no longer holds");
            Told::Refused
        }
        Ok(Err(error)) if is_away(&error) => Told::Away,
        Ok(Err(error)) if error.kind() == ErrorKind::Engine => {
            tracing::debug!(%error, "an entry of the store's journal failed");
            Told::Failed
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "an entry of the store's journal was refused");
            Told::Refused
        }
        Err(_) => Told::Away,
    }
}

/// Whether the shared store may take the same thing later.
fn is_away(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Full
    )
}

/// Sends one entry; false for a comparison that didn't hold.
async fn send(shared: &Shared, entry: &Entry) -> Result<bool, StoreError> {
    let remote: &dyn super::Remote = &*shared.remote;
    let left = |end: Option<u64>| Left::of(end, shared.now());
    match &entry.change {
        Change::Set(key, value, end) => match left(*end) {
            Left::Nothing => drop(remote.delete(key).await?),
            left => remote.set(key, value.clone(), left.lifetime()).await?,
        },
        Change::CompareAndSet(key, expected, value, end) => {
            let lifetime = match left(*end) {
                // It would end at once: as near as can be said.
                Left::Nothing => Some(Duration::from_millis(1)),
                left => left.lifetime(),
            };
            let value = value.clone();
            return remote
                .compare_and_set(key, expected.as_deref(), value, lifetime)
                .await;
        }
        Change::Delete(key) => drop(remote.delete(key).await?),
        Change::Expire(key, end) => match left(Some(*end)).lifetime() {
            Some(lifetime) => drop(remote.expire(key, lifetime).await?),
            None => drop(remote.delete(key).await?),
        },
        Change::Add(items) => add(shared, entry, items).await?,
        Change::Insert(key, member, end) => match left(*end) {
            Left::Nothing => {}
            left => drop(remote.set_insert(key, member, left.lifetime()).await?),
        },
        Change::Remove(key, member) => drop(remote.set_remove(key, member).await?),
    }
    Ok(true)
}

async fn add(
    shared: &Shared,
    entry: &Entry,
    items: &[(String, i64, Option<u64>)],
) -> Result<(), StoreError> {
    // A counter whose window is over has nothing to be added to.
    let additions: Vec<Addition<'_>> = items
        .iter()
        .filter_map(|(key, by, end)| match Left::of(*end, shared.now()) {
            Left::Nothing => None,
            left => Some(Addition {
                key,
                by: *by,
                limit: None,
                lifetime: left.lifetime(),
            }),
        })
        .collect();
    if additions.is_empty() {
        return Ok(());
    }
    let open_from = match entry.writer == shared.journal.writer {
        true => shared.journal.open_from().min(entry.number),
        // Of an earlier process: told in order, so that all before it are done with.
        false => entry.number,
    };
    let once = Once {
        writer: &entry.writer,
        number: entry.number,
        open_from,
    };
    let added = shared.remote.add_once(&additions, once).await?;
    shared.learn(&additions, &added);
    Ok(())
}

/// What is left of a lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Forever,
    For(Duration),
    Nothing,
}

impl Left {
    fn of(end: Option<u64>, now: u64) -> Self {
        match end {
            None => Self::Forever,
            Some(end) if end <= now => Self::Nothing,
            Some(end) => Self::For(Duration::from_millis(end - now)),
        }
    }

    fn lifetime(self) -> Option<Duration> {
        match self {
            Self::For(left) => Some(left),
            Self::Forever | Self::Nothing => None,
        }
    }
}
