//! The connections to one server, or to one cluster: a few at first, more when they are busy.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use fred::interfaces::{ClientLike, PubsubInterface};
use fred::types::config::ServerConfig;
use fred::types::{CustomCommand, Value};
use tokio::time::Instant;

use super::client::{Connection, Purpose, Settings};
use super::config::RedisConfigError;
use super::fault::Fault;
use crate::pubsub::Hub;
use crate::{ErrorKind, Problem};

/// The connections to one server, or to one cluster.
#[derive(Debug)]
pub(super) struct Link {
    settings: Arc<Settings>,
    server: ServerConfig,
    connections: RwLock<Vec<Arc<Connection>>>,
    messages: Option<Connection>,
    next: AtomicUsize,
    in_flight: AtomicUsize,
    /// Until when it is left alone by those who can do without it.
    avoided: Mutex<Option<Instant>>,
}

impl Link {
    /// Begins to connect, and returns at once. With a hub, its channels are listened to.
    pub(super) fn start(
        settings: &Arc<Settings>,
        server: ServerConfig,
        connections: usize,
        hub: Option<&Arc<Hub>>,
    ) -> Result<Self, RedisConfigError> {
        let start = |purpose| Connection::start(settings, server.clone(), purpose);
        let connections = (0..connections.max(1))
            .map(|_| start(Purpose::Commands).map(Arc::new))
            .collect::<Result<_, _>>()?;
        let messages = hub
            .map(|hub| start(Purpose::Messages(Arc::clone(hub))))
            .transpose()?;
        Ok(Self {
            settings: Arc::clone(settings),
            server,
            connections: RwLock::new(connections),
            messages,
            next: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            avoided: Mutex::new(None),
        })
    }

    /// Sends a command over one of the connections that are up, and waits `patience` at most.
    pub(super) async fn call(
        &self,
        command: CustomCommand,
        args: Vec<Value>,
        patience: Duration,
    ) -> Result<Value, Fault> {
        let connection = self.connection()?;
        let _flight = self.take_off();
        connection.call(command, args, patience).await
    }

    /// One that is up, in turn.
    fn connection(&self) -> Result<Arc<Connection>, Fault> {
        let connections = self
            .connections
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let len = connections.len();
        (0..len)
            .filter_map(|step| connections.get(start.wrapping_add(step) % len))
            .find(|connection| connection.is_up())
            .cloned()
            .ok_or_else(|| {
                let problem = self.settings.problem().unwrap_or(Problem::Unreachable);
                Fault::new(ErrorKind::Unavailable, problem)
            })
    }

    /// Counts a command in flight, and adds a connection where there are too many for those
    /// that are there.
    fn take_off(&self) -> Flight<'_> {
        let flying = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        let config = &self.settings.config;
        // Whoever comes second while one adds has nothing to do.
        if flying > config.pool_grows_at
            && let Ok(mut connections) = self.connections.try_write()
            && flying > config.pool_grows_at.max(1) * connections.len()
            && connections.len() < config.pool_max
        {
            let server = self.server.clone();
            if let Ok(new) = Connection::start(&self.settings, server, Purpose::Commands) {
                connections.push(Arc::new(new));
            }
        }
        Flight(&self.in_flight)
    }

    /// Listens to a channel by its name at the server, where there is a connection.
    pub(super) async fn subscribe(&self, name: String) -> Result<(), Fault> {
        let away = || Fault::new(ErrorKind::Unavailable, Problem::Unreachable);
        let messages = self.messages.as_ref().ok_or_else(away)?;
        if !messages.is_up() {
            return Err(away());
        }
        Ok(messages.client().subscribe(name).await?)
    }

    /// It gave no answer: those who can do without it leave it alone for so long.
    pub(super) fn avoid(&self, time: Duration) {
        let mut avoided = self.avoided.lock().unwrap_or_else(PoisonError::into_inner);
        *avoided = Instant::now().checked_add(time);
    }

    /// Whether it is to be left alone.
    pub(super) fn is_avoided(&self) -> bool {
        let avoided = self.avoided.lock().unwrap_or_else(PoisonError::into_inner);
        avoided.is_some_and(|until| Instant::now() < until)
    }

    /// Returns once a connection is up for the first time, if it ever is.
    pub(super) async fn up(&self) {
        let client = {
            let connections = self.connections.read();
            let connections = connections.unwrap_or_else(PoisonError::into_inner);
            connections.first().map(|connection| connection.client())
        };
        if let Some(client) = client {
            // It may be given up for another one meanwhile: nobody waits here without a bound.
            let _is_up = client.wait_for_connect().await.is_ok();
        }
    }

    /// Whether messages can come.
    pub(super) fn can_listen(&self) -> bool {
        self.messages.as_ref().is_some_and(Connection::is_up)
    }

    /// Connections that are up, and all of them.
    pub(super) fn count(&self) -> (usize, usize) {
        let connections = self
            .connections
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let up = connections.iter().filter(|connection| connection.is_up());
        (up.count(), connections.len())
    }

    /// Commands without an answer yet.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

/// A command in flight.
struct Flight<'a>(&'a AtomicUsize);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
