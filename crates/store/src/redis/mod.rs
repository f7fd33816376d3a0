//! Redis, through the client library fred: one server, a master under sentinels, or a cluster.

mod answer;
mod client;
mod config;
mod contract;
mod fault;
mod health;
mod link;
mod messages;
mod once;
mod scripts;
mod sentinel;
mod tls;
mod url;

#[cfg(all(test, feature = "test-util"))]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fred::types::config::{ClusterDiscoveryPolicy, ServerConfig};
use fred::types::{ClusterHash, CustomCommand, Value};
use fred::util::redis_keyslot;
use tokio::sync::Notify;

pub(crate) use self::client::Task;
use self::client::{Settings, server};
pub use self::config::{Deployment, RedisConfig, RedisConfigError, RedisHost, RedisTls};
pub(crate) use self::contract::Once;
use self::fault::Fault;
use self::link::Link;
use self::scripts::{Script, Scripts};
use self::sentinel::Sentinels;
pub use self::url::RedisParameters;
use crate::pubsub::{Hub, Subscription};
use crate::{ErrorKind, Problem, StoreError, StoreKind};

/// Bytes of a value that add a millisecond to the patience with a command.
const BYTES_PER_MILLISECOND: usize = 64 * 1024;

/// A [`crate::Store`] in Redis 6.2 or newer.
///
/// **It never connects or dies.** [`Self::start`] returns at once; connections are made, kept
/// and made again in the background. While there is none, calls fail at once with
/// [`ErrorKind::Unavailable`], and [`crate::Store::health`] says why. [`crate::ResilientStore`]
/// puts a stand-in behind that.
///
/// **Waiting.** Every call ends within [`RedisConfig::command_timeout`]. A command is sent once
/// and never again: after [`ErrorKind::Timeout`], or [`ErrorKind::Unavailable`] for a broken
/// connection, it may have happened.
///
/// **Sentinels** are all asked, every [`RedisConfig::sentinel_interval`] and four times as often
/// while the master doesn't answer, and the one with the newest configuration is believed: a
/// frozen or cut-off one delays nobody, and a new master is followed also where no connection
/// broke. The connections to the old one are dropped at once, whatever state they are in.
///
/// **Time.** Lifetimes, leases and rate limits go by the server's clock. A lifetime over 3,170
/// years is that long.
///
/// **What Redis can't promise.** Replication is asynchronous: writes acknowledged in the last
/// moments before a failover may be lost, leases among them; their fences still grow. With a
/// policy that evicts keys without a lifetime, such keys may go. [`crate::Store::flush`] asks
/// for no more than that the server answers: when it saves to disk is its own configuration.
///
/// **A user with few rights** needs `+@read +@write +@connection +@scripting +@pubsub +time +role
/// +cluster|slots +info`, the keys `~PREFIX*` and the channels `&PREFIX*`.
pub struct RedisStore {
    inner: Arc<Inner>,
    sentinels: Option<Arc<Sentinels>>,
    _follower: Option<Task>,
}

/// What the store shares with its background.
pub(super) struct Inner {
    kind: StoreKind,
    settings: Arc<Settings>,
    scripts: Scripts,
    hub: Arc<Hub>,
    link: RwLock<(Option<Arc<Link>>, Option<RedisHost>)>,
    replicas: RwLock<Vec<(RedisHost, Arc<Link>)>>,
    next_replica: AtomicUsize,
    closed: AtomicBool,
    /// Told when a master is found that answers, after one that didn't or another one.
    reached: Notify,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("config", &self.inner.settings.config)
            .finish_non_exhaustive()
    }
}

impl RedisStore {
    /// Begins to connect, in tasks of the present tokio runtime, and returns at once. Reads the
    /// file of certificates, where there is one.
    ///
    /// # Errors
    /// [`RedisConfigError`], where the configuration can never work; never because a server is
    /// away or refuses us.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(config: RedisConfig) -> Result<Self, RedisConfigError> {
        let settings = Arc::new(Settings::new(config)?);
        let kind = match &settings.config.deployment {
            Deployment::Standalone(_) => StoreKind::RedisStandalone,
            Deployment::Sentinel { .. } => StoreKind::RedisSentinel,
            Deployment::Cluster(_) => StoreKind::RedisCluster,
        };
        let inner = Arc::new(Inner {
            kind,
            settings: Arc::clone(&settings),
            scripts: Scripts::new(),
            hub: Hub::new(),
            link: RwLock::new((None, None)),
            replicas: RwLock::new(Vec::new()),
            next_replica: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            reached: Notify::new(),
        });
        let mut sentinels = None;
        match &settings.config.deployment {
            Deployment::Standalone(host) => {
                let link = Arc::new(inner.new_link(host, true)?);
                inner.replace_link(link, Some(host.clone()));
            }
            Deployment::Cluster(hosts) => {
                let cluster = ServerConfig::Clustered {
                    hosts: hosts.iter().map(server).collect(),
                    policy: ClusterDiscoveryPolicy::ConfigEndpoint,
                };
                let size = settings.config.pool_start;
                let link = Link::start(&settings, cluster, size, Some(&inner.hub))?;
                inner.replace_link(Arc::new(link), None);
            }
            Deployment::Sentinel {
                sentinels: hosts,
                master,
            } => {
                sentinels = Some(Arc::new(Sentinels::start(&settings, hosts, master)?));
            }
        }
        let follower = sentinels.as_ref().map(|sentinels| {
            let store = Arc::downgrade(&inner);
            Task::spawn(sentinel::follow(store, Arc::clone(sentinels)))
        });
        Ok(Self {
            inner,
            sentinels,
            _follower: follower,
        })
    }

    /// Returns when the server answers and can be listened to, which a service need not wait
    /// for.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if it didn't for `patience`.
    pub async fn ready(&self, patience: Duration) -> Result<(), StoreError> {
        const PAUSE: Duration = Duration::from_millis(5);
        let answers = async {
            while self.inner.ping().await.is_err() || !self.inner.can_listen() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(patience, answers)
            .await
            .map_err(|_| StoreError::new(ErrorKind::Unavailable, "waiting for redis"))
    }

    /// Ends all connections and subscriptions; every call from then on is
    /// [`ErrorKind::Unavailable`].
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::Relaxed);
        self.inner.hub.close();
        let mut link = self
            .inner
            .link
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *link = (None, None);
        let replicas = self.inner.replicas.write();
        replicas.unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns when the sentinels have led to a master that answers, since this returned last.
    pub(crate) async fn reached(&self) {
        self.inner.reached.notified().await;
    }

    /// As [`crate::Store::subscribe`], without waiting for the server: what is published there
    /// is heard once it has been told.
    pub(crate) fn listen(&self, channel: &str) -> Result<Subscription, StoreError> {
        self.inner.hub.subscribe(channel)
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    /// The link of the moment.
    fn link(&self) -> Result<Arc<Link>, Fault> {
        let link = self.link.read().unwrap_or_else(PoisonError::into_inner);
        link.0.clone().ok_or_else(|| {
            let problem = if self.closed.load(Ordering::Relaxed) {
                Problem::Closed
            } else {
                self.settings.problem().unwrap_or(Problem::Unreachable)
            };
            Fault::new(ErrorKind::Unavailable, problem)
        })
    }

    /// Whether messages of channels can come.
    fn can_listen(&self) -> bool {
        self.link().is_ok_and(|link| link.can_listen())
    }

    /// The server that the link goes to; none for a cluster.
    fn master(&self) -> Option<RedisHost> {
        let link = self.link.read().unwrap_or_else(PoisonError::into_inner);
        link.1.clone()
    }

    /// A link to one server; `whole` with the whole pool and the messages of the channels.
    fn new_link(&self, host: &RedisHost, whole: bool) -> Result<Link, RedisConfigError> {
        let single = ServerConfig::Centralized {
            server: server(host),
        };
        let size = match whole {
            true => self
                .settings
                .config
                .pool_start
                .min(self.settings.config.pool_max),
            false => 1,
        };
        Link::start(&self.settings, single, size, whole.then_some(&self.hub))
    }

    /// Puts `link` in the place of the present one, which ends with its last command.
    fn replace_link(&self, link: Arc<Link>, host: Option<RedisHost>) {
        if !self.closed.load(Ordering::Relaxed) {
            let mut slot = self.link.write().unwrap_or_else(PoisonError::into_inner);
            *slot = (Some(link), host);
        }
    }

    /// Keeps one link to each of `hosts`, for reading.
    fn follow_replicas(&self, hosts: &[RedisHost]) {
        let mut replicas = self
            .replicas
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        replicas.retain(|(host, _)| hosts.contains(host));
        for host in hosts {
            if !replicas.iter().any(|(known, _)| known == host)
                && let Ok(link) = self.new_link(host, false)
            {
                replicas.push((host.clone(), Arc::new(link)));
            }
        }
    }

    /// Whether `key` may be read from a replica.
    fn reads_replicas(&self, key: &str) -> bool {
        let prefixes = &self.settings.config.replica_read_prefixes;
        prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    /// A replica that is up and may be read for `key`.
    fn replica_for(&self, key: &str) -> Option<Arc<Link>> {
        if !self.reads_replicas(key) {
            return None;
        }
        let replicas = self.replicas.read().unwrap_or_else(PoisonError::into_inner);
        // In turn where they are equally busy.
        let first = self.next_replica.fetch_add(1, Ordering::Relaxed);
        (0..replicas.len())
            .filter_map(|step| replicas.get(first.wrapping_add(step) % replicas.len()))
            .map(|(_, link)| link)
            .filter(|link| link.count().0 > 0 && !link.is_avoided())
            .min_by_key(|link| link.in_flight())
            .cloned()
    }

    /// The server's name for a key of ours.
    fn key(&self, key: &str) -> Value {
        Value::from(self.settings.name(key))
    }

    /// Sends a command whose first argument is its key.
    async fn call(&self, name: &'static str, args: Vec<Value>) -> Result<Value, Fault> {
        self.send(
            CustomCommand::new_static(name, ClusterHash::FirstKey, false),
            args,
        )
        .await
    }

    async fn send(&self, command: CustomCommand, args: Vec<Value>) -> Result<Value, Fault> {
        let patience = self.patience(&args);
        self.send_within(patience, command, args).await
    }

    /// Sends a command, and waits for its answer for `patience` at most.
    async fn send_within(
        &self,
        patience: Duration,
        command: CustomCommand,
        args: Vec<Value>,
    ) -> Result<Value, Fault> {
        let answer = self.link()?.call(command, args, patience).await;
        match &answer {
            Ok(_) => self.settings.clear(),
            Err(fault) => {
                if let Some(problem) = fault.problem {
                    self.settings.note(problem);
                }
            }
        }
        answer
    }

    /// How long to wait for the answer to a command with these arguments.
    fn patience(&self, args: &[Value]) -> Duration {
        let bytes: usize = args
            .iter()
            .filter_map(Value::as_bytes)
            .map(<[u8]>::len)
            .sum();
        let more = u64::try_from(bytes / BYTES_PER_MILLISECOND).unwrap_or(u64::MAX);
        self.settings.config.command_timeout + Duration::from_millis(more)
    }

    /// Runs a script: by its name, and with its text where the server doesn't know it yet.
    async fn run(
        &self,
        script: &Script,
        keys: Vec<Value>,
        args: Vec<Value>,
    ) -> Result<Value, Fault> {
        let slot = keys.first().and_then(Value::as_bytes).map(redis_keyslot);
        let mut all = Vec::with_capacity(keys.len() + args.len() + 2);
        all.push(Value::from(script.sha.as_str()));
        all.push(Value::from(keys.len().to_string()));
        all.extend(keys);
        all.extend(args);
        let command = |name| CustomCommand::new_static(name, slot, false);
        match self.send(command("EVALSHA"), all.clone()).await {
            Err(fault) if fault.is_unknown_script() => {
                if let Some(first) = all.first_mut() {
                    *first = Value::from(script.body.as_ref());
                }
                self.send(command("EVAL"), all).await
            }
            answer => answer,
        }
    }

    /// Whether the server answers.
    async fn ping(&self) -> Result<(), Fault> {
        let ping = CustomCommand::new_static("PING", ClusterHash::Random, false);
        self.send(ping, Vec::new()).await.map(drop)
    }
}
