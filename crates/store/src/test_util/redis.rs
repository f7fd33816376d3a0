//! Redis servers, a master with replicas under sentinels, and a cluster.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

use super::wire::{self, Reply};
use crate::{Deployment, RedisHost};

/// Longest wait for something to become so.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// What the sentinels of a [`Sentinels`] call the master.
pub const MASTER_NAME: &str = "mymaster";
/// How long a server of a [`Sentinels`] may be silent before it counts as down.
pub const DOWN_AFTER: Duration = Duration::from_millis(500);

/// Waits until `look` says yes, for 30 s at most.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`], with what was waited for.
pub async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !look().await {
        if Instant::now() > deadline {
            return Err(io::Error::new(io::ErrorKind::TimedOut, what.to_owned()));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// One server process; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: TempDir,
    program: &'static str,
    args: Vec<String>,
    port: u16,
}

impl Server {
    /// A server with these arguments more, that answers.
    ///
    /// # Errors
    /// Where the program is missing (the message says what brings it), or it doesn't answer.
    pub async fn start(args: &[&str]) -> io::Result<Self> {
        Self::start_on(free_port()?, args).await
    }

    /// As [`Self::start`], on this port.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_on(port: u16, args: &[&str]) -> io::Result<Self> {
        let mut all = vec!["--port".to_owned(), port.to_string()];
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        let server = Self::spawn("redis-server", port, all, None)?;
        server.answers().await?;
        Ok(server)
    }

    fn spawn(
        program: &'static str,
        port: u16,
        mut args: Vec<String>,
        config: Option<&str>,
    ) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("redis.conf");
        fs::write(&path, config.unwrap_or_default())?;
        let mut first = vec![path.display().to_string()];
        first.append(&mut args);
        if program == "redis-server" {
            for arg in ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"] {
                first.push(arg.to_owned());
            }
        }
        let child = launch(program, &first, folder.path())?;
        Ok(Self {
            child,
            folder,
            program,
            args: first,
            port,
        })
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is.
    #[must_use]
    pub fn host(&self) -> RedisHost {
        RedisHost::new("127.0.0.1", self.port)
    }

    /// Gives it a command.
    ///
    /// # Errors
    /// Where it doesn't answer.
    pub async fn command(&self, words: &[&str]) -> io::Result<Reply> {
        wire::ask(self.port, &[words]).await
    }

    /// Gives it commands over one connection, and returns the last one's answer.
    ///
    /// # Errors
    /// Where it doesn't answer.
    pub async fn commands(&self, commands: &[&[&str]]) -> io::Result<Reply> {
        wire::ask(self.port, commands).await
    }

    /// Stops it in its tracks (`SIGSTOP`): its connections stay open, and nothing answers.
    ///
    /// # Errors
    /// Where the signal can't be sent.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on (`SIGCONT`).
    ///
    /// # Errors
    /// Where the signal can't be sent.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal("-CONT")
    }

    /// Kills it (`SIGKILL`).
    ///
    /// # Errors
    /// Where it can't be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Starts it again on the same port, empty, and returns when it answers.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn restart(&mut self) -> io::Result<()> {
        self.kill()?;
        self.child = launch(self.program, &self.args, self.folder.path())?;
        self.answers().await
    }

    async fn answers(&self) -> io::Result<()> {
        until("a redis server to answer", async || {
            // Also a refusal for want of a password is an answer.
            matches!(
                self.command(&["PING"]).await,
                Ok(Reply::Text(_) | Reply::Error(_))
            )
        })
        .await
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()?;
        match sent.success() {
            true => Ok(()),
            false => Err(io::Error::other("kill failed")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already.
        drop(self.kill());
    }
}

/// A master, two replicas and three sentinels.
#[derive(Debug)]
pub struct Sentinels {
    /// The servers; the first one is the master at the start.
    pub servers: Vec<Server>,
    /// The sentinels.
    pub sentinels: Vec<Server>,
}

impl Sentinels {
    /// All of them, knowing each other.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start() -> io::Result<Self> {
        let quick = ["--repl-diskless-sync-delay", "0"];
        let master = Server::start(&quick).await?;
        let port = master.port().to_string();
        let mut follow = vec!["--replicaof", "127.0.0.1", port.as_str()];
        follow.extend(quick);
        let servers = vec![
            master,
            Server::start(&follow).await?,
            Server::start(&follow).await?,
        ];
        for server in servers.iter().skip(1) {
            until("a replica to be in step", async || {
                let role = server.command(&["ROLE"]).await;
                matches!(role, Ok(Reply::Many(role)) if role.contains(&Reply::Text("connected".into())))
            })
            .await?;
        }
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            sentinels.push(sentinel(&port)?);
        }
        let group = Self { servers, sentinels };
        for sentinel in &group.sentinels {
            until("the sentinels to know each other", async || {
                let master = sentinel.command(&["SENTINEL", "MASTER", MASTER_NAME]).await;
                master.is_ok_and(|master| {
                    master.field("num-slaves").as_deref() == Some("2")
                        && master.field("num-other-sentinels").as_deref() == Some("2")
                })
            })
            .await?;
        }
        Ok(group)
    }

    /// What a store is told.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        Deployment::Sentinel {
            sentinels: self.sentinels.iter().map(Server::host).collect(),
            master: MASTER_NAME.to_owned(),
        }
    }

    /// The server that a sentinel (the first that answers) calls the master, by its place in
    /// [`Self::servers`].
    pub async fn master(&self) -> Option<usize> {
        for sentinel in &self.sentinels {
            let asked = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME];
            if let Ok(Reply::Many(address)) = sentinel.command(&asked).await {
                let port = address.get(1).and_then(Reply::text)?;
                return self
                    .servers
                    .iter()
                    .position(|server| server.port().to_string() == port);
            }
        }
        None
    }

    /// Returns when another server than the one in place `old` is the master.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`].
    pub async fn another_master(&self, old: usize) -> io::Result<()> {
        until("another master", async || {
            self.master().await.is_some_and(|master| master != old)
        })
        .await
    }
}

fn sentinel(master: &str) -> io::Result<Server> {
    let port = free_port()?;
    let down = DOWN_AFTER.as_millis();
    let config = format!(
        "port {port}\nbind 127.0.0.1\n\
         sentinel monitor {MASTER_NAME} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {MASTER_NAME} {down}\n\
         sentinel failover-timeout {MASTER_NAME} 3000\n"
    );
    Server::spawn("redis-sentinel", port, Vec::new(), Some(&config))
}

/// Three masters that share the slots.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes.
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// A cluster that serves all slots.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start() -> io::Result<Self> {
        const SLOTS: [[&str; 2]; 3] = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];
        let mut nodes: Vec<Server> = Vec::new();
        for range in SLOTS {
            let bus = free_port()?.to_string();
            let node = Server::start(&[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "2000",
            ])
            .await?;
            let [first, last] = range;
            node.command(&["CLUSTER", "ADDSLOTSRANGE", first, last])
                .await?;
            if let Some(known) = nodes.first() {
                let port = known.port().to_string();
                let config = known.command(&["CONFIG", "GET", "cluster-port"]).await?;
                let bus = config.field("cluster-port").unwrap_or_default();
                node.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])
                    .await?;
            }
            nodes.push(node);
        }
        for node in &nodes {
            until("the cluster to serve all slots", async || {
                let info = node.command(&["CLUSTER", "INFO"]).await;
                let info = info.ok().and_then(|info| info.text()).unwrap_or_default();
                info.contains("cluster_state:ok")
                    && info.contains("cluster_slots_ok:16384")
                    && info.contains("cluster_known_nodes:3")
                    && is_linked(node).await
            })
            .await?;
        }
        Ok(Self { nodes })
    }

    /// What a store is told.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        Deployment::Cluster(self.nodes.iter().map(Server::host).collect())
    }
}

/// Whether the node has a connection to each of the others, without which no message of a channel
/// goes there.
async fn is_linked(node: &Server) -> bool {
    let nodes = node.command(&["CLUSTER", "NODES"]).await;
    let nodes = nodes.ok().and_then(|nodes| nodes.text());
    nodes.is_some_and(|nodes| {
        let linked = |line: &str| line.contains(" connected") && !line.contains("handshake");
        nodes.lines().filter(|line| linked(line)).count() == 3
    })
}

fn launch(program: &str, args: &[String], folder: &Path) -> io::Result<Child> {
    Command::new(program)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(
                io::ErrorKind::NotFound,
                format!("{program} is not installed: `cargo xtask test` installs it"),
            ),
            _ => error,
        })
}

/// A port that nobody had a moment ago.
///
/// # Errors
/// Where the system gives none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
