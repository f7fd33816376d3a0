//! Where Redis is, who we are to it, and every bound on waiting and holding.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// A server's name (or address) and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RedisHost {
    /// A host name, an IPv4 or an IPv6 address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl RedisHost {
    /// A server.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for RedisHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How the servers hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deployment {
    /// One server.
    Standalone(RedisHost),
    /// A master that sentinels watch over.
    Sentinel {
        /// Sentinels to ask; one that answers suffices.
        sentinels: Vec<RedisHost>,
        /// What they call the master.
        master: String,
    },
    /// A cluster.
    Cluster(Vec<RedisHost>),
}

/// Which certificates make a server trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisTls {
    /// Mozilla's list, as built in.
    PublicRoots,
    /// The certificates in this PEM file, and no others.
    CaFile(PathBuf),
}

/// Everything about a [`crate::RedisStore`]. Counts of 0 are taken as 1.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// Where the servers are.
    pub deployment: Deployment,
    /// The ACL user; `None` is Redis's `default`.
    pub username: Option<String>,
    /// The password of the user, where there is one.
    pub password: Option<SecretString>,
    /// The user at the sentinels, where they have their own.
    pub sentinel_username: Option<String>,
    /// The password at the sentinels, where they have their own. The servers' own password is
    /// never shown to a sentinel.
    pub sentinel_password: Option<SecretString>,
    /// The database's number. Default 0; a cluster has no other.
    pub database: u8,
    /// Encryption, for servers and sentinels alike. Default none.
    pub tls: Option<RedisTls>,
    /// What every key and channel begins with, so that a server can be shared. Default `ai:`.
    /// May not contain braces.
    pub prefix: String,
    /// Most connections for commands. Default 50.
    pub pool_max: usize,
    /// Connections for commands at the start. Default 2. Commands are pipelined, so that one
    /// connection carries many at a time: another is opened whenever more than
    /// [`Self::pool_grows_at`] commands a connection are in flight, up to [`Self::pool_max`].
    pub pool_start: usize,
    /// Commands in flight for each connection that make the pool grow. Default 32.
    pub pool_grows_at: usize,
    /// Silence after which TCP asks whether the peer is still there. Default 15 s.
    pub keepalive_idle: Duration,
    /// Time between such questions. Default 5 s.
    pub keepalive_interval: Duration,
    /// Questions without an answer that end the connection. Default 3.
    pub keepalive_count: u32,
    /// Longest wait for a connection, with its handshake and log-in. Default 1 s.
    pub connect_timeout: Duration,
    /// Longest wait for an answer to a command, and so what a frozen server costs a caller.
    /// Values add a millisecond for every 64 KiB. Default 40 ms.
    pub command_timeout: Duration,
    /// A connection on which a command has waited for so long is given up. Default 2 s.
    pub unresponsive_timeout: Duration,
    /// Time between two questions on each connection whether it still works. Default 1 s.
    pub heartbeat: Duration,
    /// Most commands that wait in the process for one connection; more are refused.
    /// Default 1,024.
    pub queue_len: usize,
    /// First pause before connecting again; it doubles. Default 50 ms.
    pub reconnect_min: Duration,
    /// Longest pause before connecting again. Default 2 s.
    pub reconnect_max: Duration,
    /// Most that chance adds to a pause. Default 50 ms.
    pub reconnect_jitter: Duration,
    /// Time between two looks at the sentinels; four times as often while the master is away.
    /// Default 1 s.
    pub sentinel_interval: Duration,
    /// Keys that begin with one of these are read from a replica where sentinels know one: fit
    /// for what may be some milliseconds old, such as cached answers. Default none.
    pub replica_read_prefixes: Vec<String>,
    /// Most members of one set. Default 65,536.
    pub max_set_members: u64,
}

impl RedisConfig {
    /// The defaults, for these servers.
    #[must_use]
    pub fn new(deployment: Deployment) -> Self {
        Self {
            deployment,
            username: None,
            password: None,
            sentinel_username: None,
            sentinel_password: None,
            database: 0,
            tls: None,
            prefix: "ai:".to_owned(),
            pool_max: 50,
            pool_start: 2,
            pool_grows_at: 32,
            keepalive_idle: Duration::from_secs(15),
            keepalive_interval: Duration::from_secs(5),
            keepalive_count: 3,
            connect_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_millis(40),
            unresponsive_timeout: Duration::from_secs(2),
            heartbeat: Duration::from_secs(1),
            queue_len: 1_024,
            reconnect_min: Duration::from_millis(50),
            reconnect_max: Duration::from_secs(2),
            reconnect_jitter: Duration::from_millis(50),
            sentinel_interval: Duration::from_secs(1),
            replica_read_prefixes: Vec::new(),
            max_set_members: 65_536,
        }
    }

    /// What can be wrong with it before anything is connected.
    pub(super) fn check(&self) -> Result<(), RedisConfigError> {
        let hosts = match &self.deployment {
            Deployment::Standalone(host) => std::slice::from_ref(host),
            Deployment::Sentinel { sentinels, master } => {
                if master.is_empty() {
                    return Err(RedisConfigError::NoMasterName);
                }
                sentinels
            }
            Deployment::Cluster(hosts) => {
                if self.database != 0 {
                    return Err(RedisConfigError::Database);
                }
                hosts
            }
        };
        if hosts.is_empty()
            || hosts
                .iter()
                .any(|host| host.host.is_empty() || host.port == 0)
        {
            return Err(RedisConfigError::Host);
        }
        if self.prefix.contains(['{', '}']) {
            return Err(RedisConfigError::Prefix);
        }
        if self.username.is_some() && self.password.is_none() {
            return Err(RedisConfigError::UserWithoutPassword);
        }
        Ok(())
    }

    /// The figures, by name, as health shows them.
    pub(super) fn figures(&self) -> Vec<(&'static str, u64)> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        vec![
            ("pool_max", self.pool_max as u64),
            ("pool_start", self.pool_start as u64),
            ("pool_grows_at", self.pool_grows_at as u64),
            ("keepalive_idle_ms", millis(self.keepalive_idle)),
            ("keepalive_interval_ms", millis(self.keepalive_interval)),
            ("keepalive_count", self.keepalive_count.into()),
            ("connect_timeout_ms", millis(self.connect_timeout)),
            ("command_timeout_ms", millis(self.command_timeout)),
            ("unresponsive_timeout_ms", millis(self.unresponsive_timeout)),
            ("heartbeat_ms", millis(self.heartbeat)),
            ("queue_len", self.queue_len as u64),
            ("reconnect_min_ms", millis(self.reconnect_min)),
            ("reconnect_max_ms", millis(self.reconnect_max)),
            ("reconnect_jitter_ms", millis(self.reconnect_jitter)),
            ("sentinel_interval_ms", millis(self.sentinel_interval)),
            ("max_set_members", self.max_set_members),
        ]
    }
}

/// A configuration that can't be used. None of them shows a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisConfigError {
    /// The URL's scheme is none of ours.
    #[error(
        "read the Redis URL: its scheme is none of redis, rediss, redis-sentinel, \
         rediss-sentinel, redis-cluster, rediss-cluster"
    )]
    Scheme,
    /// A host or a port is missing or unreadable.
    #[error("read the Redis addresses: each is host:port")]
    Host,
    /// The database isn't a number up to 255, or not 0 on a cluster.
    #[error("read the Redis database: it is a number from 0 to 255, and 0 on a cluster")]
    Database,
    /// The user or password isn't valid percent-encoded UTF-8.
    #[error("read the Redis user and password: they are percent-encoded UTF-8")]
    Encoding,
    /// Sentinels need the master's name.
    #[error("read the Redis master's name: sentinels need one")]
    NoMasterName,
    /// A user without a password.
    #[error("read the Redis user: it has no password")]
    UserWithoutPassword,
    /// The prefix has braces, which would decide the slot of every key.
    #[error("read the prefix of Redis keys: it may not contain braces")]
    Prefix,
    /// The file of certificates can't be read or has none.
    #[error("read the certificates in {}", path.display())]
    CaFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// A certificate, or the cryptography, is not to TLS's liking.
    #[error("set up TLS for Redis")]
    Tls(#[from] rustls::Error),
    /// The client library refused the configuration.
    #[error("set up the Redis client")]
    Client(#[source] fred::error::Error),
}
