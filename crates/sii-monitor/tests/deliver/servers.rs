//! Receivers on loopback that answer as they are told, or don't.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// With this status, and a `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// Never.
    Hang,
    /// By closing the connection after the request was read.
    CutOff,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Seen {
    headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }
}

struct Script {
    once: Option<Answer>,
    always: Answer,
    seen: Vec<Seen>,
}

/// An HTTP server; it ends when dropped.
pub struct HttpServer {
    addr: SocketAddr,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl HttpServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script {
            once: None,
            always: Answer::Status(200, None),
            seen: Vec::new(),
        }));
        let shared = Arc::clone(&script);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(connection(stream, Arc::clone(&shared)));
            }
        });
        Self { addr, script, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}/servicios/T0/B0", self.addr)
    }

    pub fn always(&self, answer: Answer) {
        self.script.lock().unwrap().always = answer;
    }

    pub fn once(&self, answer: Answer) {
        self.script.lock().unwrap().once = Some(answer);
    }

    pub fn requests(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen.clone()
    }

    pub fn bodies(&self) -> Vec<String> {
        self.requests().into_iter().map(|seen| seen.body).collect()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, script: Arc<Mutex<Script>>) {
    let service = service_fn(|request| {
        let script = Arc::clone(&script);
        async move { answer(request, &script).await }
    });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

#[derive(Debug, thiserror::Error)]
#[error("cut off")]
struct CutOff;

async fn answer(
    request: Request<Incoming>,
    script: &Mutex<Script>,
) -> Result<Response<Full<Bytes>>, CutOff> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let answer = {
        let mut script = script.lock().unwrap();
        script.seen.push(Seen {
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        script.once.take().unwrap_or(script.always)
    };
    match answer {
        Answer::Status(status, wait) => {
            let mut response = Response::builder().status(status);
            if let Some(wait) = wait {
                response = response.header("retry-after", wait);
            }
            Ok(response.body(Full::default()).unwrap())
        }
        Answer::Hang => match std::future::pending::<Infallible>().await {},
        Answer::CutOff => Err(CutOff),
    }
}

/// As much of an SMTP server as one mail at a time needs; it ends when dropped.
pub struct MailServer {
    addr: SocketAddr,
    state: Arc<Mutex<Post>>,
    task: JoinHandle<()>,
}

struct Post {
    mails: Vec<String>,
    data_reply: String,
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(Post {
            mails: Vec::new(),
            data_reply: "250 ok".into(),
        }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(session(stream, Arc::clone(&shared)));
            }
        });
        Self { addr, state, task }
    }

    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    pub fn mails(&self) -> Vec<String> {
        self.state.lock().unwrap().mails.clone()
    }

    pub fn answer_data_with(&self, reply: &str) {
        self.state.lock().unwrap().data_reply = reply.into();
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn session(mut stream: TcpStream, state: Arc<Mutex<Post>>) {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    let mut mail: Option<String> = None;
    let _ = write.write_all(b"220 prueba\r\n").await;
    while let Ok(Some(line)) = lines.next_line().await {
        let reply = match &mut mail {
            Some(text) if line == "." => {
                let mut state = state.lock().unwrap();
                state.mails.push(std::mem::take(text));
                mail = None;
                state.data_reply.clone()
            }
            Some(text) => {
                text.push_str(&line);
                text.push('\n');
                continue;
            }
            None => match line.split(' ').next().unwrap_or_default() {
                "DATA" => {
                    mail = Some(String::new());
                    "354 go on".to_owned()
                }
                "QUIT" => "221 bye".to_owned(),
                _ => "250 ok".to_owned(),
            },
        };
        if write
            .write_all(format!("{reply}\r\n").as_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}
