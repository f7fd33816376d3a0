//! A web site on loopback that a test changes as it goes, and that takes what is posted to it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A site; a clone is another handle of the same.
#[derive(Clone)]
pub struct Site {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, String>,
    posted: Vec<(String, Value)>,
}

impl Site {
    /// A site without pages: each is a 404.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Self {
            addr: listener.local_addr().unwrap(),
            state: Arc::default(),
        };
        let served = site.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let site = served.clone();
                // A client that was killed breaks its connection.
                tokio::spawn(async move { site.serve(socket).await.ok() });
            }
        });
        site
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Puts a page in HTML under a path. One that says `{hang}` is never sent to its end.
    pub fn set(&self, path: &str, html: &str) {
        let mut state = self.state.lock().unwrap();
        state.pages.insert(path.to_owned(), html.to_owned());
    }

    /// What was posted to a path, in order.
    pub fn posted(&self, path: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        let posted = state.posted.iter().filter(|(to, _)| to == path);
        posted.map(|(_, body)| body.clone()).collect()
    }

    async fn serve(&self, socket: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(socket);
        let mut first = String::new();
        reader.read_line(&mut first).await?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).await?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).await?;
        let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
        let (status, page) = self.answer(first.starts_with("POST"), path, &body);
        let socket = reader.get_mut();
        let hangs = page.contains("{hang}");
        let length = page.len() + usize::from(hangs);
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: text/html; charset=utf-8\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await?;
        socket.write_all(page.as_bytes()).await?;
        if hangs {
            // Until the other side has had enough.
            socket.read_u8().await?;
        }
        socket.shutdown().await
    }

    fn answer(&self, posted: bool, path: String, body: &[u8]) -> (u16, String) {
        let mut state = self.state.lock().unwrap();
        if posted {
            let body = serde_json::from_slice(body).unwrap_or(Value::Null);
            state.posted.push((path, body));
            return (200, String::new());
        }
        match state.pages.get(&path) {
            Some(page) => (200, page.clone()),
            None => (404, String::new()),
        }
    }
}
