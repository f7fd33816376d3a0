//! A master with two replicas under three sentinels, where each server can be cut off from the
//! sentinels alone.
//!
//! The sentinels speak from an address of their own (127.0.0.2), by which the door before each
//! server tells them from everybody else.

use std::net::{IpAddr, Ipv4Addr};

use store::test_util::redis::{MASTER_NAME, Server, until};
use store::test_util::{Link, Proxy, Reply};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Where the sentinels speak from.
const SENTINEL: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How long a server may be silent before it counts as down, in milliseconds.
pub const DOWN_AFTER_MS: u64 = 1_000;

/// Servers and those who watch them.
pub struct Group {
    /// The first one is the master at the start.
    pub servers: Vec<Guarded>,
    sentinels: Vec<Server>,
}

/// A server behind its door.
pub struct Guarded {
    pub server: Server,
    /// What everybody knows it by.
    port: u16,
    door: JoinHandle<()>,
    /// The sentinels' way in.
    sentinels: Proxy,
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.door.abort();
    }
}

impl Guarded {
    async fn start(master: Option<u16>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (own, follow) = (port.to_string(), master.map(|port| port.to_string()));
        let mut args = vec!["--replica-announce-ip", "127.0.0.1"];
        args.extend(["--replica-announce-port", &own]);
        args.extend(["--repl-diskless-sync-delay", "0"]);
        if let Some(follow) = &follow {
            args.extend(["--replicaof", "127.0.0.1", follow]);
        }
        let server = Server::start(&args).await.unwrap();
        let sentinels = Proxy::before(server.port()).await.unwrap();
        let door = tokio::spawn(open(listener, server.port(), sentinels.port()));
        Self {
            server,
            port,
            door,
            sentinels,
        }
    }

    /// Nothing passes between it and the sentinels; everybody else notices nothing.
    pub fn hide_from_sentinels(&self) {
        self.sentinels.set(Link::Freeze);
    }

    /// The sentinels see it again.
    pub fn show_to_sentinels(&self) {
        self.sentinels.set(Link::Pass);
    }
}

/// Lets everybody in, the sentinels by a way of their own.
async fn open(listener: TcpListener, everybody: u16, sentinels: u16) {
    while let Ok((mut client, peer)) = listener.accept().await {
        let port = match peer.ip() {
            IpAddr::V4(SENTINEL) => sentinels,
            _ => everybody,
        };
        tokio::spawn(async move {
            let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
            server.set_nodelay(true)?;
            client.set_nodelay(true)?;
            copy_bidirectional(&mut client, &mut server).await
        });
    }
}

impl Group {
    /// All of them, knowing each other.
    pub async fn start() -> Self {
        let master = Guarded::start(None).await;
        let port = master.port;
        let mut servers = vec![master];
        for _ in 0..2 {
            servers.push(Guarded::start(Some(port)).await);
        }
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            sentinels.push(sentinel(port).await);
        }
        let group = Self { servers, sentinels };
        for sentinel in &group.sentinels {
            until("the sentinels to know each other", async || {
                let told = sentinel.command(&["SENTINEL", "MASTER", MASTER_NAME]).await;
                told.is_ok_and(|told| {
                    told.field("num-slaves").as_deref() == Some("2")
                        && told.field("num-other-sentinels").as_deref() == Some("2")
                })
            })
            .await
            .unwrap();
        }
        group
    }

    /// What the service is told.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self
            .sentinels
            .iter()
            .map(|one| one.host().to_string())
            .collect();
        format!("redis-sentinel://{}/{MASTER_NAME}", hosts.join(","))
    }

    /// The master's place, by the first sentinel's word.
    pub async fn master(&self) -> Option<usize> {
        let asked = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME];
        let Ok(Reply::Many(address)) = self.sentinels.first()?.command(&asked).await else {
            return None;
        };
        let port = address.get(1).and_then(Reply::text)?;
        self.servers
            .iter()
            .position(|one| one.port.to_string() == port)
    }

    /// Returns once the master is another one than `old`.
    pub async fn another_master(&self, old: usize) {
        until("another master", async || {
            self.master().await.is_some_and(|master| master != old)
        })
        .await
        .unwrap();
    }
}

async fn sentinel(master: u16) -> Server {
    let (source, port) = (SENTINEL.to_string(), master.to_string());
    let sentinel = Server::start(&["--sentinel", "--bind-source-addr", &source])
        .await
        .unwrap();
    let down = DOWN_AFTER_MS.to_string();
    for words in [
        &["SENTINEL", "CONFIG", "SET", "announce-ip", "127.0.0.1"][..],
        &["SENTINEL", "MONITOR", MASTER_NAME, "127.0.0.1", &port, "2"],
        &[
            "SENTINEL",
            "SET",
            MASTER_NAME,
            "down-after-milliseconds",
            &down,
        ],
        &["SENTINEL", "SET", MASTER_NAME, "failover-timeout", "3000"],
    ] {
        let done = sentinel.command(words).await.unwrap();
        assert_eq!(done.text().as_deref(), Some("OK"), "{words:?}: {done:?}");
    }
    sentinel
}
