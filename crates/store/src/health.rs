//! What an engine tells of the servers behind it, and of what stands in for them.

use crate::ErrorKind;

/// What is wrong with an engine, as an operator would put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// No server answers at the addresses given, or none could be connected to yet.
    Unreachable,
    /// The server is connected and doesn't answer in time.
    Unresponsive,
    /// The server doesn't know the user or the password.
    WrongPassword,
    /// The user may not do what the store needs.
    NotPermitted,
    /// The sentinels don't watch a master of the name given.
    UnknownMaster,
    /// The server's certificate is not trusted, or it speaks no TLS.
    Tls,
    /// The server has no memory left for writes.
    Full,
    /// The server takes no writes: it is a replica, or has too few replicas of its own.
    ReadOnly,
    /// The server still reads its file, or waits for its master.
    Loading,
    /// The cluster doesn't cover all slots.
    ClusterDown,
    /// The server and the store don't understand each other.
    Protocol,
    /// The store has been closed.
    Closed,
}

impl Problem {
    /// The nearest to an error of an engine without servers.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Timeout => Self::Unresponsive,
            ErrorKind::Full => Self::Full,
            ErrorKind::Unavailable => Self::Unreachable,
            _ => Self::Protocol,
        }
    }

    /// A short name for metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Unresponsive => "unresponsive",
            Self::WrongPassword => "wrong_password",
            Self::NotPermitted => "not_permitted",
            Self::UnknownMaster => "unknown_master",
            Self::Tls => "tls",
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Loading => "loading",
            Self::ClusterDown => "cluster_down",
            Self::Protocol => "protocol",
            Self::Closed => "closed",
        }
    }
}

/// The servers behind an engine, as it sees them now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Topology {
    /// Who takes the writes, as `host:port`: one, or the masters of a cluster.
    pub masters: Vec<String>,
    /// Who follows them, as `host:port`.
    pub replicas: Vec<String>,
    /// The sentinels known, as `host:port`.
    pub sentinels: Vec<String>,
    /// Connections of the pool that are up now.
    pub connections_up: u64,
    /// Connections of the pool.
    pub connections: u64,
    /// Commands that were sent again, or wait to be sent, because of a broken connection.
    pub commands_queued: u64,
    /// The settings in force: a name with its unit, and the figure.
    pub settings: Vec<(&'static str, u64)>,
}

/// What stands in while an engine is away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandbyHealth {
    /// Whether it stands in now.
    pub active: bool,
    /// Writes that wait to be told to the engine.
    pub journal_len: u64,
    /// Most writes that may wait.
    pub journal_max: u64,
    /// Writes of short-lived things that were dropped since the start.
    pub dropped: u64,
    /// Times that the engine went away since the start.
    pub outages: u64,
}
