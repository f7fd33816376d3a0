//! One connection to one server, kept up: connected in the background, asked whether it still
//! works, and begun anew with a new client where the old one is stuck.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, EventInterface};
use fred::types::config::{
    Config, ConnectionConfig, Options, PerformanceConfig, ReconnectError, ReconnectPolicy, Server,
    ServerConfig, TcpConfig, TlsConnector, UnresponsiveConfig,
};
use fred::types::{Builder, CustomCommand, Value};
use secrecy::ExposeSecret;
use socket2::TcpKeepalive;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::config::{RedisConfig, RedisConfigError, RedisHost};
use super::fault::{Fault, classify};
use super::{messages, tls};
use crate::pubsub::Hub;
use crate::{ErrorKind, Problem};

/// Messages and events that a client holds for us until our task takes them.
const EVENTS: usize = 1_024;

/// Ends the task when dropped.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What all connections of a store share.
pub(super) struct Settings {
    pub(super) config: RedisConfig,
    /// What makes connections, where they are encrypted.
    pub(super) tls: Option<tokio_rustls::TlsConnector>,
    problem: Mutex<Option<Problem>>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("config", &self.config)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

/// What a connection is for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// Commands of the store.
    Commands,
    /// Questions to a sentinel.
    Sentinel,
    /// Messages of the channels that somebody listens to.
    Messages(Arc<Hub>),
}

impl Settings {
    pub(super) fn new(config: RedisConfig) -> Result<Self, RedisConfigError> {
        config.check()?;
        let tls = config.tls.as_ref().map(tls::connector).transpose()?;
        Ok(Self {
            config,
            tls,
            problem: Mutex::new(None),
        })
    }

    /// What was wrong last; none once something has worked again.
    pub(super) fn problem(&self) -> Option<Problem> {
        *self.problem_cell()
    }

    /// Remembers what is wrong.
    pub(super) fn note(&self, problem: Problem) {
        *self.problem_cell() = Some(problem);
    }

    /// Something has worked.
    pub(super) fn clear(&self) {
        *self.problem_cell() = None;
    }

    fn problem_cell(&self) -> MutexGuard<'_, Option<Problem>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a connection may be silent before its client is replaced by a new one: longer
    /// than the client itself needs for noticing and for connecting again.
    fn renew_after(&self) -> Duration {
        let config = &self.config;
        (config.unresponsive_timeout + config.connect_timeout) * 2
            + config.reconnect_max
            + config.heartbeat
    }

    fn client(&self, server: &ServerConfig, purpose: &Purpose) -> Result<Client, RedisConfigError> {
        let config = &self.config;
        let (username, password, database) = match purpose {
            Purpose::Sentinel => (&config.sentinel_username, &config.sentinel_password, None),
            _ => (
                &config.username,
                &config.password,
                Some(config.database).filter(|_| !server.is_clustered()),
            ),
        };
        let mut policy = ReconnectPolicy::new_exponential(
            0,
            millis(config.reconnect_min),
            millis(config.reconnect_max),
            2,
        );
        policy.set_jitter(millis(config.reconnect_jitter));
        Builder::from_config(Config {
            fail_fast: false,
            username: username.clone(),
            password: password
                .as_ref()
                .map(|password| password.expose_secret().to_owned()),
            server: server.clone(),
            database: database.filter(|&database| database != 0),
            tls: self.tls.clone().map(|tls| TlsConnector::Rustls(tls).into()),
            ..Config::default()
        })
        .set_policy(policy)
        .set_connection_config(self.connection())
        .set_performance_config(PerformanceConfig {
            default_command_timeout: config.command_timeout,
            broadcast_channel_capacity: EVENTS,
            ..PerformanceConfig::default()
        })
        .build()
        .map_err(RedisConfigError::Client)
    }

    fn connection(&self) -> ConnectionConfig {
        let config = &self.config;
        ConnectionConfig {
            connection_timeout: config.connect_timeout,
            internal_command_timeout: config.connect_timeout,
            // Sent once: what was under way when a connection broke may have happened.
            max_command_attempts: 1,
            max_command_buffer_len: config.queue_len.max(1),
            unresponsive: UnresponsiveConfig {
                max_timeout: Some(config.unresponsive_timeout),
                interval: (config.unresponsive_timeout / 4).max(Duration::from_millis(2)),
            },
            reconnect_on_auth_error: true,
            tcp: TcpConfig {
                nodelay: Some(true),
                keepalive: Some(
                    TcpKeepalive::new()
                        .with_time(config.keepalive_idle)
                        .with_interval(config.keepalive_interval)
                        .with_retries(config.keepalive_count.max(1)),
                ),
                ..TcpConfig::default()
            },
            // A master that was demoted, or a server that isn't ready, says so on a connection
            // that is otherwise well: without these it would be kept for good.
            reconnect_errors: vec![
                ReconnectError::ClusterDown,
                ReconnectError::Loading,
                ReconnectError::MasterDown,
                ReconnectError::ReadOnly,
            ],
            ..ConnectionConfig::default()
        }
    }
}

/// A connection that is kept up until it is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    settings: Arc<Settings>,
    client: Arc<RwLock<Client>>,
    _keeper: Task,
}

impl Connection {
    /// Begins to connect, and returns at once.
    pub(super) fn start(
        settings: &Arc<Settings>,
        server: ServerConfig,
        purpose: Purpose,
    ) -> Result<Self, RedisConfigError> {
        let first = settings.client(&server, &purpose)?;
        let client = Arc::new(RwLock::new(first));
        let keeper = keep(Arc::clone(settings), Arc::clone(&client), server, purpose);
        Ok(Self {
            settings: Arc::clone(settings),
            client,
            _keeper: Task::spawn(keeper),
        })
    }

    /// The client of the moment.
    pub(super) fn client(&self) -> Client {
        read(&self.client)
    }

    /// Whether it is connected, as far as is known.
    pub(super) fn is_up(&self) -> bool {
        self.client
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_connected()
    }

    /// Sends a command, once, and waits for its answer for `patience` at most. Not even queued
    /// where there is no connection.
    pub(super) async fn call(
        &self,
        command: CustomCommand,
        args: Vec<Value>,
        patience: Duration,
    ) -> Result<Value, Fault> {
        let client = self.client();
        if !client.is_connected() {
            let problem = self.settings.problem().unwrap_or(Problem::Unreachable);
            return Err(Fault::new(ErrorKind::Unavailable, problem));
        }
        Ok(send(&client, command, args, patience).await?)
    }
}

/// Sends a command over `client`.
async fn send(
    client: &Client,
    command: CustomCommand,
    args: Vec<Value>,
    patience: Duration,
) -> Result<Value, fred::error::Error> {
    let options = Options {
        // A cluster's node may send us to another, which hasn't happened then. What was under
        // way when a connection broke is not sent again, for `fail_fast`.
        max_attempts: Some(if client.is_clustered() { 3 } else { 1 }),
        timeout: Some(patience),
        fail_fast: true,
        ..Options::default()
    };
    client.with_options(&options).custom(command, args).await
}

/// Keeps a connection up, with one client after the other.
async fn keep(
    settings: Arc<Settings>,
    slot: Arc<RwLock<Client>>,
    server: ServerConfig,
    purpose: Purpose,
) {
    loop {
        let client = read(&slot);
        let is_sentinel = matches!(purpose, Purpose::Sentinel);
        let _errors = Task::spawn(note_errors(
            client.clone(),
            Arc::clone(&settings),
            is_sentinel,
        ));
        let _messages = match &purpose {
            Purpose::Messages(hub) => Some([
                Task::spawn(messages::forward(
                    client.clone(),
                    Arc::clone(&settings),
                    Arc::clone(hub),
                )),
                Task::spawn(messages::follow(
                    client.clone(),
                    Arc::clone(&settings),
                    Arc::clone(hub),
                )),
            ]),
            _ => None,
        };
        {
            let running = client.connect();
            let _running = Task::spawn(async move {
                // It ends where the client thinks that connecting again is of no use; an
                // operator may put right what is wrong, so it is begun again after a while.
                AbortOnDrop(running).await;
            });
            until_stuck(&client, &settings, is_sentinel).await;
        }
        tracing::debug!("a connection to redis is begun anew");
        match settings.client(&server, &purpose) {
            Ok(new) => *slot.write().unwrap_or_else(PoisonError::into_inner) = new,
            // The same settings have made a client before.
            Err(_) => tokio::time::sleep(settings.config.reconnect_max).await,
        }
    }
}

/// A task that ends with its handle.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    type Output = ();

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        std::pin::Pin::new(&mut self.0).poll(context).map(drop)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks in every interval whether the connection works, and returns when it hasn't for so long
/// that the client must be stuck. An idle connection that broke unnoticed is found here.
async fn until_stuck(client: &Client, settings: &Settings, is_sentinel: bool) {
    let config = &settings.config;
    let mut heard = Instant::now();
    while heard.elapsed() < settings.renew_after() {
        tokio::time::sleep(config.heartbeat.max(Duration::from_millis(1))).await;
        if !client.is_connected() {
            continue;
        }
        let ping = CustomCommand::new_static("PING", 0, false);
        match send(client, ping, Vec::new(), config.unresponsive_timeout).await {
            Ok(_) => {
                heard = Instant::now();
                // That a sentinel is well says nothing of the master.
                if !is_sentinel {
                    settings.clear();
                }
            }
            Err(error) => note(settings, &error, is_sentinel),
        }
    }
}

/// Remembers what the client tells of failures.
async fn note_errors(client: Client, settings: Arc<Settings>, is_sentinel: bool) {
    let mut errors = client.error_rx();
    loop {
        match errors.recv().await {
            Ok((error, _)) => note(&settings, &error, is_sentinel),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Remembers what is wrong. Of a sentinel only what keeps us from asking any: one that is away
/// is no problem while another answers.
pub(super) fn note(settings: &Settings, error: &fred::error::Error, is_sentinel: bool) {
    use Problem::{NotPermitted, WrongPassword};
    match classify(error) {
        (_, Some(problem @ (WrongPassword | NotPermitted))) => settings.note(problem),
        (_, Some(problem)) if !is_sentinel => settings.note(problem),
        _ => {}
    }
}

impl Settings {
    /// The server's name for a key or channel of ours.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.config.prefix)
    }

    pub(super) fn names<'a>(&self, keys: impl Iterator<Item = &'a String>) -> Vec<String> {
        keys.map(|key| self.name(key)).collect()
    }
}

/// A server, as the client library has it.
pub(super) fn server(host: &RedisHost) -> Server {
    Server::new(host.host.clone(), host.port)
}

fn read(slot: &RwLock<Client>) -> Client {
    slot.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1)
}
