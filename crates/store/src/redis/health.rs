//! What the store tells of its servers.

use std::time::{Duration, Instant};

use fred::types::{ClusterHash, CustomCommand, Value};

use super::config::{Deployment, RedisHost};
use super::{Inner, RedisStore, tls};
use crate::{Problem, StoreHealth, Topology};

/// The key that is written to see whether writing works, and how long it lives.
const PROBE: &str = "health:probe";
const PROBE_MILLIS: &str = "1000";
/// Longest look whether TLS fails.
const TLS_PATIENCE: Duration = Duration::from_millis(150);
/// Most servers of one kind that are told of.
const MAX_TOLD: usize = 32;

/// Whether a server that takes no writes for this reason may answer reads.
fn may_be_read(problem: Problem) -> bool {
    use Problem::{ClusterDown, Full, NotPermitted, Protocol, ReadOnly};
    matches!(
        problem,
        Full | ReadOnly | NotPermitted | Protocol | ClusterDown
    )
}

impl RedisStore {
    /// One small write, and what the server says of its replicas, at the same time.
    pub(super) async fn look(&self) -> StoreHealth {
        let inner = &self.inner;
        let started = Instant::now();
        let written = async { (self.probe().await, started.elapsed()) };
        let ((written, latency), topology) = tokio::join!(written, self.topology());
        let up = match written {
            Ok(()) => true,
            Err(problem) => may_be_read(problem) && inner.ping().await.is_ok(),
        };
        let mut health = StoreHealth::new(inner.kind, up, latency);
        health.problem = match written {
            Err(problem) if !up => Some(inner.settings.problem().unwrap_or(problem)),
            written => written.err(),
        };
        if health.problem == Some(Problem::Unreachable) && self.tls_fails().await {
            health.problem = Some(Problem::Tls);
        }
        health.reason = health.problem.map(|problem| self.reason(problem));
        health.topology = Some(topology);
        health
    }

    /// Whether it is TLS that keeps us from the first server we are to connect to.
    async fn tls_fails(&self) -> bool {
        let settings = &self.inner.settings;
        let host = match &settings.config.deployment {
            Deployment::Standalone(host) => Some(host),
            Deployment::Sentinel {
                sentinels: hosts, ..
            }
            | Deployment::Cluster(hosts) => hosts.first(),
        };
        match (&settings.tls, host) {
            (Some(connector), Some(host)) => {
                // A reader of health doesn't wait for long.
                let patience = settings.config.connect_timeout.min(TLS_PATIENCE);
                tls::fails(connector, host, patience).await
            }
            _ => false,
        }
    }

    /// Whether the server takes writes.
    pub(crate) async fn probe(&self) -> Result<(), Problem> {
        let args = vec![
            self.inner.key(PROBE),
            Value::from("1"),
            Value::from("PX"),
            Value::from(PROBE_MILLIS),
        ];
        let written = self.inner.call("SET", args).await;
        match written {
            Ok(_) => Ok(()),
            Err(fault) => Err(fault.problem.unwrap_or(Problem::Protocol)),
        }
    }

    async fn topology(&self) -> Topology {
        let inner = &self.inner;
        let mut topology = Topology {
            settings: inner.settings.config.figures(),
            ..Topology::default()
        };
        if let Ok(link) = inner.link() {
            let (connected, all) = link.count();
            topology.connections_up = connected as u64;
            topology.connections = all as u64;
            topology.commands_queued = link.in_flight() as u64;
        }
        match &inner.settings.config.deployment {
            Deployment::Standalone(host) => {
                topology.masters = vec![host.to_string()];
                topology.replicas = inner.replicas_by_role().await;
            }
            Deployment::Sentinel { .. } => {
                if let Some(sentinels) = &self.sentinels {
                    let view = sentinels.view();
                    topology.masters = view.master.iter().map(RedisHost::to_string).collect();
                    topology.replicas = view.replicas.iter().map(RedisHost::to_string).collect();
                    topology.sentinels = view.sentinels.iter().map(RedisHost::to_string).collect();
                }
            }
            Deployment::Cluster(hosts) => {
                (topology.masters, topology.replicas) = inner.cluster_nodes().await;
                if topology.masters.is_empty() {
                    topology.masters = hosts.iter().map(RedisHost::to_string).collect();
                }
            }
        }
        topology
    }

    /// What is wrong, in words; never what a server wrote, which may repeat what it was sent.
    fn reason(&self, problem: Problem) -> String {
        let config = &self.inner.settings.config;
        let at = match &config.deployment {
            Deployment::Standalone(host) => host.to_string(),
            Deployment::Sentinel { sentinels, master } => {
                format!("master {master} of {}", list(sentinels))
            }
            Deployment::Cluster(hosts) => format!("cluster {}", list(hosts)),
        };
        let what = match problem {
            Problem::Unreachable => match self.sentinels.as_ref().map(|sentinels| sentinels.view())
            {
                Some(view) if view.answered == 0 => "no sentinel answers",
                _ => "no server answers",
            },
            Problem::Unresponsive => "connected, but commands get no answer in time",
            Problem::WrongPassword => "the user or the password is wrong",
            Problem::NotPermitted => "the user lacks a right that the store needs",
            Problem::UnknownMaster => "the sentinels know no master of this name",
            Problem::Tls => "TLS failed: the certificate isn't trusted, or there is no TLS",
            Problem::Full => "no memory left for writes (maxmemory)",
            Problem::ReadOnly => "the server takes no writes",
            Problem::Loading => "the server is loading its data",
            Problem::ClusterDown => "the cluster doesn't serve all slots",
            Problem::Protocol => "the server answers in a way that isn't understood",
            Problem::Closed => "the store is closed",
        };
        format!("{what} ({at})")
    }
}

impl Inner {
    /// The replicas that a server itself tells of.
    async fn replicas_by_role(&self) -> Vec<String> {
        let role = CustomCommand::new_static("ROLE", ClusterHash::Random, false);
        let Ok(answer) = self.send(role, Vec::new()).await else {
            return Vec::new();
        };
        let Some(Value::Array(replicas)) = answer.into_array().into_iter().nth(2) else {
            return Vec::new();
        };
        replicas
            .into_iter()
            .filter_map(address)
            .take(MAX_TOLD)
            .collect()
    }

    /// Masters and replicas of a cluster.
    async fn cluster_nodes(&self) -> (Vec<String>, Vec<String>) {
        let slots = CustomCommand::new_static("CLUSTER", ClusterHash::Random, false);
        let Ok(answer) = self.send(slots, vec![Value::from("SLOTS")]).await else {
            return (Vec::new(), Vec::new());
        };
        let (mut masters, mut replicas) = (Vec::new(), Vec::new());
        for range in answer.into_array() {
            // First slot, last slot, master, replicas.
            for (index, node) in range.into_array().into_iter().skip(2).enumerate() {
                let nodes = match index {
                    0 => &mut masters,
                    _ => &mut replicas,
                };
                if let Some(node) = address(node)
                    && !nodes.contains(&node)
                    && nodes.len() < MAX_TOLD
                {
                    nodes.push(node);
                }
            }
        }
        (masters, replicas)
    }
}

/// `host:port` from a reply that begins with the two.
fn address(node: Value) -> Option<String> {
    let mut node = node.into_array().into_iter();
    let host = node.next()?.into_string()?;
    let port = node.next()?.into_string()?.parse().ok()?;
    Some(RedisHost::new(host, port).to_string())
}

fn list(hosts: &[RedisHost]) -> String {
    let hosts: Vec<String> = hosts.iter().map(RedisHost::to_string).collect();
    hosts.join(", ")
}
