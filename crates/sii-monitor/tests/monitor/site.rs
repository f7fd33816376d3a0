//! A web site on loopback that a test changes by script.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a path answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This type and body. `{n}` in it is another number at every request. With a tag, a
    /// conditional request for it gets 304.
    Page(&'static str, Vec<u8>, Option<String>),
    /// The same with these headers besides.
    With(Vec<(&'static str, &'static str)>, Vec<u8>),
    /// Only a status, with this `Retry-After`.
    Status(u16, Option<u64>),
    /// A redirect.
    Redirect(String),
    /// 200 MB, without saying so before.
    Huge,
    /// A byte every 50 ms without end.
    Trickle,
    /// The head, and then nothing.
    Stall,
    /// These one after the other; the last one stays.
    Turns(Vec<Answer>),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub head: String,
    pub status: u16,
}

#[derive(Default)]
struct State {
    pages: HashMap<String, Answer>,
    seen: Vec<Seen>,
}

#[derive(Clone)]
pub struct Site {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Site {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::default(),
        };
        let served = site.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let site = served.clone();
                tokio::spawn(async move { site.serve(socket).await });
            }
        });
        site
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn set(&self, path: &str, answer: Answer) {
        self.state.lock().unwrap().pages.insert(path.into(), answer);
    }

    /// A page in UTF-8.
    pub fn html(&self, path: &str, body: &str) {
        let page = Answer::Page("text/html; charset=utf-8", body.as_bytes().to_vec(), None);
        self.set(path, page);
    }

    /// A page as the old ones are: ISO-8859-1, and only its `meta` says so.
    pub fn old_html(&self, path: &str, body: &str) {
        let meta = "<meta http-equiv='Content-Type' content='text/html; charset=iso-8859-1'>";
        let page = format!("<html><head>{meta}</head><body>{body}</body></html>");
        let bytes = page
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        self.set(path, Answer::Page("text/html", bytes, None));
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    pub fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path).count()
    }

    async fn serve(&self, mut socket: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read(&mut byte).await {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
        let (answer, n) = self.next(&path);
        let status = self.answer(&mut socket, answer, &head, n).await;
        let mut state = self.state.lock().unwrap();
        if let Some(seen) = state.seen.get_mut(n) {
            seen.status = status;
            seen.head = head;
        }
    }

    fn next(&self, path: &str) -> (Answer, usize) {
        let mut state = self.state.lock().unwrap();
        let n = state.seen.len();
        state.seen.push(Seen {
            path: path.into(),
            head: String::new(),
            status: 0,
        });
        let answer = match state.pages.get_mut(path) {
            None => Answer::Status(404, None),
            Some(Answer::Turns(turns)) if turns.len() > 1 => turns.remove(0),
            Some(Answer::Turns(turns)) => turns[0].clone(),
            Some(answer) => answer.clone(),
        };
        (answer, n)
    }

    async fn answer(&self, socket: &mut TcpStream, answer: Answer, head: &str, n: usize) -> u16 {
        let (status, headers, body) = match answer {
            Answer::Page(_, _, Some(tag)) if head.contains(&tag) => {
                (304, String::new(), Vec::new())
            }
            Answer::Page(kind, body, tag) => {
                let tag = tag
                    .map(|tag| format!("ETag: {tag}\r\n"))
                    .unwrap_or_default();
                (
                    200,
                    format!("Content-Type: {kind}\r\n{tag}"),
                    numbered(body, n),
                )
            }
            Answer::With(headers, body) => {
                let lines = headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}\r\n"));
                (200, lines.collect(), body)
            }
            Answer::Status(status, wait) => {
                let wait = wait
                    .map(|wait| format!("Retry-After: {wait}\r\n"))
                    .unwrap_or_default();
                (status, wait, Vec::new())
            }
            Answer::Redirect(to) => (302, format!("Location: {to}\r\n"), Vec::new()),
            endless => return without_end(socket, &endless).await,
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = socket.write_all(head.as_bytes()).await;
        let _ = socket.write_all(&body).await;
        let _ = socket.shutdown().await;
        status
    }
}

fn numbered(body: Vec<u8>, n: usize) -> Vec<u8> {
    let Some(at) = body.windows(3).position(|window| window == b"{n}") else {
        return body;
    };
    let mut out = body[..at].to_vec();
    out.extend((n * 7_919 + 13).to_string().bytes());
    out.extend(numbered(body[at + 3..].to_vec(), n + 1));
    out
}

async fn without_end(socket: &mut TcpStream, answer: &Answer) -> u16 {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
    let _ = socket.write_all(head.as_bytes()).await;
    match answer {
        Answer::Huge => {
            let piece = vec![b'x'; 1_000_000];
            for _ in 0..200 {
                if socket.write_all(&piece).await.is_err() {
                    break;
                }
            }
        }
        Answer::Trickle => {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            while socket.write_all(b"x").await.is_ok() {
                ticks.tick().await;
            }
        }
        _ => {
            // Until the other side has had enough.
            let _ = socket.read(&mut [0]).await;
        }
    }
    200
}

/// A PDF with these lines, forty to a page.
pub fn pdf(lines: &[String]) -> Vec<u8> {
    let pages: Vec<&[String]> = lines.chunks(40).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        String::new(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    let mut kids = String::new();
    for page in &pages {
        let mut stream = String::new();
        for (at, text) in page.iter().enumerate() {
            let y = 800 - 19 * at;
            stream.push_str(&format!("BT /F1 10 Tf 1 0 0 1 50 {y} Tm ({text}) Tj ET\n"));
        }
        kids.push_str(&format!("{} 0 R ", objects.len() + 1));
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/Contents {} 0 R>>",
            objects.len() + 2
        ));
        objects.push(format!(
            "<</Length {}>>stream\n{stream}\nendstream",
            stream.len()
        ));
    }
    objects[1] = format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len());
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = String::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let (xref, count) = (file.len(), objects.len() + 1);
    file.push_str(&format!(
        "xref\n0 {count}\n0000000000 65535 f \n{offsets}trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n"
    ));
    file.into_bytes()
}
