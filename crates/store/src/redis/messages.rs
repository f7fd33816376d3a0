//! Channels over one connection: what comes is handed to those who listen, and the server's
//! subscriptions are kept what they listen to.

use std::collections::HashSet;
use std::sync::Arc;

use fred::clients::Client;
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use tokio::sync::broadcast::error::RecvError;

use super::client::{Settings, note};
use crate::pubsub::Hub;

/// Hands the messages that come to those who listen.
pub(super) async fn forward(client: Client, settings: Arc<Settings>, hub: Arc<Hub>) {
    let mut messages = client.message_rx();
    loop {
        match messages.recv().await {
            Ok(message) => {
                if let Some(channel) = message
                    .channel
                    .strip_prefix(settings.config.prefix.as_str())
                    && let Some(body) = message.value.into_bytes()
                {
                    hub.publish(channel, body);
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Keeps the server's subscriptions those of the hub: all anew on every new connection, and
/// none that nobody listens to any more. What fails is tried again.
pub(super) async fn follow(client: Client, settings: Arc<Settings>, hub: Arc<Hub>) {
    let mut connected = client.reconnect_rx();
    let mut known: HashSet<String> = HashSet::new();
    loop {
        tokio::select! {
            event = connected.recv() => match event {
                Ok(_) | Err(RecvError::Lagged(_)) => known.clear(),
                Err(RecvError::Closed) => return,
            },
            () = hub.changed() => {}
            () = tokio::time::sleep(settings.config.heartbeat) => {}
        }
        if !client.is_connected() {
            continue;
        }
        let _order = hub.order.lock().await;
        let wanted: HashSet<String> = hub.channels().into_iter().collect();
        let gone = settings.names(known.difference(&wanted));
        let new = settings.names(wanted.difference(&known));
        let done = async {
            if !gone.is_empty() {
                client.unsubscribe(gone).await?;
            }
            if !new.is_empty() {
                client.subscribe(new).await?;
            }
            Ok(())
        };
        match done.await {
            Ok(()) => known = wanted,
            Err(error) => note(&settings, &error, false),
        }
    }
}
