//! Channels within the process: who listens, and a bounded buffer for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast};

use crate::{ErrorKind, StoreError};

/// Messages that one listener may lie behind before it loses the oldest.
const BUFFERED: usize = 64;

/// Most channels that somebody listens to at the same time.
const MAX_CHANNELS: usize = 65_536;

/// The channels of one engine that somebody in this process listens to.
#[derive(Debug)]
pub(crate) struct Hub {
    channels: Mutex<Option<HashMap<String, broadcast::Sender<Bytes>>>>,
    /// Told whenever a channel has got its first listener, or lost its last.
    changed: Notify,
    /// Held while a server is told of channels that came or went, so that giving one up can't
    /// overtake its being taken up again.
    pub(crate) order: tokio::sync::Mutex<()>,
}

impl Hub {
    /// No channels yet.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            channels: Mutex::new(Some(HashMap::new())),
            changed: Notify::new(),
            order: tokio::sync::Mutex::new(()),
        })
    }

    /// Tells those who listen here.
    pub(crate) fn publish(&self, channel: &str, message: Bytes) {
        if let Some(sender) = self.lock().as_ref().and_then(|all| all.get(channel)) {
            // No listener left is no failure.
            drop(sender.send(message));
        }
    }

    /// Listens to `channel`.
    pub(crate) fn subscribe(self: &Arc<Self>, channel: &str) -> Result<Subscription, StoreError> {
        const CONTEXT: &str = "subscribing";
        let mut channels = self.lock();
        let Some(channels) = channels.as_mut() else {
            return Err(StoreError::new(ErrorKind::Unavailable, CONTEXT));
        };
        if !channels.contains_key(channel) && channels.len() >= MAX_CHANNELS {
            return Err(StoreError::new(ErrorKind::Full, CONTEXT));
        }
        let sender = channels.entry(channel.to_owned()).or_insert_with(|| {
            self.changed.notify_one();
            broadcast::Sender::new(BUFFERED)
        });
        Ok(Subscription {
            listener: Listener {
                hub: Arc::downgrade(self),
                channel: channel.to_owned(),
                receiver: Some(sender.subscribe()),
            },
            other: None,
        })
    }

    /// All channels that somebody listens to.
    pub(crate) fn channels(&self) -> Vec<String> {
        self.lock()
            .as_ref()
            .map(|channels| channels.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Returns when channels have come or gone since the last call.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether somebody listens to `channel`.
    #[cfg(test)]
    pub(crate) fn listens(&self, channel: &str) -> bool {
        self.lock()
            .as_ref()
            .is_some_and(|channels| channels.contains_key(channel))
    }

    /// Ends every subscription and refuses new ones.
    pub(crate) fn close(&self) {
        self.lock().take();
    }

    fn leave(&self, channel: &str, receiver: broadcast::Receiver<Bytes>) {
        let mut channels = self.lock();
        drop(receiver);
        if let Some(channels) = channels.as_mut()
            && channels
                .get(channel)
                .is_some_and(|sender| sender.receiver_count() == 0)
        {
            channels.remove(channel);
            self.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashMap<String, broadcast::Sender<Bytes>>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who listens to a channel. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    listener: Listener,
    other: Option<Listener>,
}

impl Subscription {
    /// The next message; `None` for good once the engine is closed. A listener that lies more
    /// than 64 messages behind loses the oldest. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let Some(other) = &mut self.other else {
                return self.listener.next().await;
            };
            let (message, is_other) = tokio::select! {
                message = self.listener.next() => (message, false),
                message = other.next() => (message, true),
            };
            if message.is_some() {
                return message;
            }
            // One of the two has ended: the one that is left goes on alone.
            if let Some(other) = self.other.take()
                && !is_other
            {
                self.listener = other;
            }
        }
    }

    /// The messages of both.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.other = Some(other.listener);
        self
    }
}

/// One listener to one hub's channel.
#[derive(Debug)]
struct Listener {
    hub: Weak<Hub>,
    channel: String,
    receiver: Option<broadcast::Receiver<Bytes>>,
}

impl Listener {
    async fn next(&mut self) -> Option<Bytes> {
        let receiver = self.receiver.as_mut()?;
        loop {
            match receiver.recv().await {
                Ok(message) => return Some(message),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let (Some(hub), Some(receiver)) = (self.hub.upgrade(), self.receiver.take()) {
            hub.leave(&self.channel, receiver);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn listeners_hear_what_comes_and_are_forgotten_when_they_go() {
        let hub = Hub::new();
        hub.publish("a", Bytes::from_static(b"nobody"));
        let mut one = hub.subscribe("a").unwrap();
        let mut two = hub.subscribe("a").unwrap();
        hub.publish("a", Bytes::from_static(b"1"));
        hub.publish("b", Bytes::from_static(b"other"));
        assert_eq!(one.next().await.as_deref(), Some(&b"1"[..]));
        assert_eq!(two.next().await.as_deref(), Some(&b"1"[..]));
        drop(one);
        assert!(hub.listens("a"));
        drop(two);
        assert!(!hub.listens("a"));
    }

    #[tokio::test]
    async fn two_sources_are_one_until_both_have_ended() {
        let (near, far) = (Hub::new(), Hub::new());
        let mut both = far
            .subscribe("a")
            .unwrap()
            .with(near.subscribe("a").unwrap());
        near.publish("a", Bytes::from_static(b"near"));
        assert_eq!(both.next().await.as_deref(), Some(&b"near"[..]));
        far.close();
        near.publish("a", Bytes::from_static(b"still"));
        assert_eq!(both.next().await.as_deref(), Some(&b"still"[..]));
        near.close();
        assert_eq!(both.next().await, None);
    }

    #[tokio::test]
    async fn who_lies_behind_loses_the_oldest_and_closing_ends_all() {
        let hub = Hub::new();
        let mut slow = hub.subscribe("a").unwrap();
        for number in 0..BUFFERED + 3 {
            hub.publish("a", Bytes::from(number.to_string()));
        }
        assert_eq!(slow.next().await.as_deref(), Some(&b"3"[..]));
        hub.close();
        for _ in 1..BUFFERED {
            assert!(slow.next().await.is_some());
        }
        assert_eq!(slow.next().await, None);
        assert_eq!(slow.next().await, None);
        let refused = hub.subscribe("a").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
    }
}
