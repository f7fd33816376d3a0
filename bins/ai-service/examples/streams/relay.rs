//! A relay before the model that remembers when the first word of an answer left it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// What the event of a word has in it.
const WORD: &[u8] = b"text_delta";

/// A running relay.
pub struct Relay {
    addr: SocketAddr,
    first: Arc<Mutex<Option<Instant>>>,
}

impl Relay {
    /// Passes on to `upstream`.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let first = Arc::new(Mutex::new(None));
        let own = Arc::clone(&first);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let first = Arc::clone(&own);
                // A side that leaves ends it.
                tokio::spawn(async move { pass(connection, upstream, &first).await });
            }
        });
        Ok(Self { addr, first })
    }

    /// Where to find it.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// When the first word of the latest answer was about to be written; told once.
    pub fn first_word(&self) -> Option<Instant> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take()
    }
}

async fn pass(
    mut client: TcpStream,
    upstream: SocketAddr,
    first: &Mutex<Option<Instant>>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    let (mut asked, mut said) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut waiting = false;
    loop {
        tokio::select! {
            count = client.read(&mut asked) => match asked.get(..count?) {
                None | Some([]) => return Ok(()),
                Some(bytes) => {
                    // A new request: its answer has a first word again.
                    waiting = true;
                    server.write_all(bytes).await?;
                }
            },
            count = server.read(&mut said) => match said.get(..count?) {
                None | Some([]) => return Ok(()),
                Some(bytes) => {
                    if waiting && bytes.windows(WORD.len()).any(|part| part == WORD) {
                        waiting = false;
                        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                        *first = Some(Instant::now());
                    }
                    client.write_all(bytes).await?;
                }
            },
        }
    }
}
