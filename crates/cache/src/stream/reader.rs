//! One caller's view of a stream.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::entry::Entry;
use crate::inner::Inner;
use crate::metrics::Source;
use crate::{CacheError, CacheKey, Cost, Status};

use super::log::{Events, Log, Next};

/// One caller's view of a stream. Dropping it leaves the stream to the others.
pub struct StreamReader<E> {
    inner: Arc<Inner>,
    key: CacheKey,
    status: Status,
    age: Duration,
    cost: Option<Cost>,
    wait: Duration,
    feed: Feed<E>,
}

enum Feed<E> {
    Kept(Events),
    Live {
        place: Place<E>,
        changes: watch::Receiver<()>,
        position: u64,
    },
    Over,
}

/// A reader's place among those of a log.
struct Place<E>(Arc<Log<E>>);

impl<E> Drop for Place<E> {
    fn drop(&mut self) {
        self.0.detach();
    }
}

impl<E> StreamReader<E> {
    /// A reader of what was kept.
    pub(crate) fn kept(
        inner: &Arc<Inner>,
        key: CacheKey,
        events: Events,
        entry: &Entry,
        now_ms: u64,
    ) -> Self {
        Self {
            inner: Arc::clone(inner),
            key,
            status: Status::Hit,
            age: entry.age(now_ms),
            cost: Some(entry.cost),
            wait: Duration::ZERO,
            feed: Feed::Kept(events),
        }
    }

    /// A reader that `log` has counted already; `led` if it began the stream.
    pub(crate) fn live(
        inner: &Arc<Inner>,
        key: CacheKey,
        wait: Duration,
        log: Arc<Log<E>>,
        led: Option<Source>,
    ) -> Self {
        let changes = log.changes();
        Self {
            inner: Arc::clone(inner),
            key,
            status: if led.is_some() {
                Status::Miss
            } else {
                Status::Coalesced
            },
            age: Duration::ZERO,
            cost: None,
            wait,
            feed: Feed::Live {
                place: Place(log),
                changes,
                position: 0,
            },
        }
    }

    /// The same, once it is known where the events come from.
    pub(crate) async fn opened(mut self) -> Result<Self, CacheError<E>> {
        let Feed::Live { place, changes, .. } = &mut self.feed else {
            return Ok(self);
        };
        let log = &place.0;
        let opening = async {
            loop {
                changes.mark_unchanged();
                if let Some(opening) = log.opening() {
                    return opening;
                }
                // The sender lives in the log.
                let _changed = changes.changed().await;
            }
        };
        let opening = timeout(self.wait, opening).await;
        let opening = opening.unwrap_or(Err(CacheError::WaitTimeout));
        let joined = self.status == Status::Coalesced;
        let (now_ms, metrics) = (self.inner.now_ms(), &self.inner.metrics);
        let opening = match opening {
            Ok(opening) => opening,
            Err(error) => {
                let source = if joined {
                    Source::Coalesced
                } else {
                    Source::Miss
                };
                metrics.request(&self.key, source, Cost::FREE, now_ms);
                metrics.failure(self.key.operation(), &error);
                return Err(error);
            }
        };
        if let Some(created_ms) = opening.created_ms {
            self.status = Status::Hit;
            self.age = Duration::from_millis(now_ms.saturating_sub(created_ms));
            // It has its cost: the events are all there.
            self.cost = log.count_joined();
            let cost = self.cost.unwrap_or_default();
            metrics.request(&self.key, opening.source, cost, now_ms);
        } else if joined {
            let cost = log.count_joined().unwrap_or_default();
            metrics.request(&self.key, Source::Coalesced, cost, now_ms);
        } else {
            if opening.source == Source::Bypass {
                self.status = Status::Bypass;
            }
            metrics.request(&self.key, opening.source, Cost::FREE, now_ms);
        }
        Ok(self)
    }

    /// Where the events are from.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// How long ago they were computed; zero unless they were kept.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }

    /// What computing them cost, whoever paid. Known when they were kept, or all are read.
    #[must_use]
    pub fn cost(&self) -> Option<Cost> {
        self.cost
    }

    /// The next event; nothing when the stream is complete. After an error nothing more comes.
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`CacheError`]: the computation's, [`CacheError::WaitTimeout`] if none came within
    /// [`crate::Policy::wait`], [`CacheError::Lagged`] if what comes next is gone.
    pub async fn next(&mut self) -> Option<Result<Bytes, CacheError<E>>> {
        let failed = loop {
            let (place, changes, position) = match &mut self.feed {
                Feed::Kept(events) => return events.pop_front().map(Ok),
                Feed::Over => return None,
                Feed::Live {
                    place,
                    changes,
                    position,
                } => (place, changes, position),
            };
            changes.mark_unchanged();
            match place.0.next(*position) {
                Next::Event(event) => {
                    *position += 1;
                    return Some(Ok(event));
                }
                Next::Complete(cost) => {
                    self.cost = Some(cost);
                    self.feed = Feed::Over;
                    return None;
                }
                Next::Failed(error) => break error,
                Next::Wait => {
                    if timeout(self.wait, changes.changed()).await.is_err() {
                        break CacheError::WaitTimeout;
                    }
                }
            }
        };
        self.feed = Feed::Over;
        let metrics = &self.inner.metrics;
        metrics.failure(self.key.operation(), &failed);
        Some(Err(failed))
    }
}

impl<E> fmt::Debug for StreamReader<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader")
            .field("key", &self.key)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
