//! A TCP proxy within the process that makes the network behave badly on demand.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the network behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// What comes is passed on.
    Pass,
    /// What comes from the client is passed on after this long: a slow server.
    Delay(Duration),
    /// Nothing is passed on, in no direction, and nobody is told: a frozen server, or a network
    /// that is cut in two. What was sent meanwhile arrives when it passes again.
    Freeze,
    /// All connections are closed, and new ones at once: a dead server.
    Cut,
}

/// A proxy before one server; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    link: watch::Sender<Link>,
    accept: JoinHandle<()>,
}

impl Proxy {
    /// A proxy on a free loopback port before the server on `port`.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn before(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let here = listener.local_addr()?.port();
        let (link, watch) = watch::channel(Link::Pass);
        let target = SocketAddr::from(([127, 0, 0, 1], port));
        let accept = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, target, watch.clone()));
            }
        });
        Ok(Self {
            port: here,
            link,
            accept,
        })
    }

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on the network behaves like this, also for connections that are there.
    pub fn set(&self, link: Link) {
        self.link.send_replace(link);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept.abort();
        self.link.send_replace(Link::Cut);
    }
}

/// One connection, until either side or the link ends it.
async fn serve(mut client: TcpStream, target: SocketAddr, watch: watch::Receiver<Link>) {
    let mut cut = watch.clone();
    let pass = async {
        flowing(&mut watch.clone()).await?;
        let mut server = TcpStream::connect(target).await?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            ended = pump(from_client, to_server, watch.clone(), true) => ended,
            ended = pump(from_server, to_client, watch.clone(), false) => ended,
        }
    };
    // However it ends, both sides are closed with what is dropped here.
    tokio::select! {
        _ = pass => {}
        _ = cut.wait_for(|link| *link == Link::Cut) => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut watch: watch::Receiver<Link>,
    delayed: bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
            return Ok(());
        };
        if let Link::Delay(delay) = flowing(&mut watch).await?
            && delayed
        {
            tokio::time::sleep(delay).await;
        }
        to.write_all(chunk).await?;
    }
}

/// Waits while the link is frozen. An error when it is cut: what was frozen is lost then.
async fn flowing(watch: &mut watch::Receiver<Link>) -> io::Result<Link> {
    let link = watch.wait_for(|link| *link != Link::Freeze).await;
    match link.as_deref() {
        Ok(Link::Cut) | Err(_) => Err(io::ErrorKind::BrokenPipe.into()),
        Ok(link) => Ok(*link),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_frozen_is_lost_when_the_link_is_cut() {
        let (link, watch) = watch::channel(Link::Freeze);
        let (mut client, from) = tokio::io::duplex(64);
        let (to, mut server) = tokio::io::duplex(64);
        let pumping = tokio::spawn(pump(from, to, watch, false));
        client.write_all(b"frozen").await.unwrap();
        drop(client);
        // On this one thread: the pump runs, and has read it.
        tokio::task::yield_now().await;
        link.send_replace(Link::Cut);
        assert!(pumping.await.unwrap().is_err());
        let mut reached = Vec::new();
        server.read_to_end(&mut reached).await.unwrap();
        assert!(reached.is_empty(), "{reached:?}");
    }
}
