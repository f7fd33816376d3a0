//! A keep-alive HTTP/1.1 client that costs next to nothing: requests are bytes made ahead,
//! answers are delimited by their `Content-Length`.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest answer that is read, head and body together.
const MAX_ANSWER: usize = 1024 * 1024;
/// What an answer's head and body usually fit in.
const USUAL_ANSWER: usize = 16 * 1024;

/// What a good answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The status of every answer.
    pub status: u16,
    /// Where the answer must come from.
    pub cache: Cache,
}

/// What `X-Cache` said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Nothing: a route whose answers aren't kept.
    Silent,
    /// `hit`.
    Hit,
    /// `miss`.
    Miss,
    /// `coalesced`: the answer of a question in flight.
    Coalesced,
    /// `stale`.
    Stale,
    /// `bypass`.
    Bypass,
}

impl Kept {
    fn read(value: &[u8]) -> Self {
        match value {
            b"hit" => Self::Hit,
            b"miss" => Self::Miss,
            b"coalesced" => Self::Coalesced,
            b"stale" => Self::Stale,
            b"bypass" => Self::Bypass,
            _ => Self::Silent,
        }
    }
}

/// What `X-Cache` must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Nothing is asked of it.
    Any,
    /// `hit`.
    Hit,
    /// Anything but `hit`: the work has to be done.
    NotHit,
}

/// Why an exchange isn't counted as completed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub enum Failure {
    /// Another status than the expected one.
    Status(u16),
    /// `X-Cache` doesn't say what it must.
    Cache,
    /// Not an answer that this client understands.
    Malformed(&'static str),
    /// The connection broke.
    Io(io::ErrorKind),
}

impl Failure {
    /// True when the connection can't be used any more.
    pub fn breaks_connection(self) -> bool {
        matches!(self, Self::Malformed(_) | Self::Io(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Cache => write!(f, "X-Cache is not what it must be"),
            Self::Malformed(reason) => write!(f, "malformed answer: {reason}"),
            Self::Io(kind) => write!(f, "connection: {kind}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    kept: Kept,
    retry_after: bool,
    closes: bool,
    /// Bytes of the head with its empty line.
    head: usize,
    /// Bytes of the body; `None` of one that comes in chunks.
    body: Option<usize>,
}

/// An answer, read to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// What `X-Cache` says.
    pub kept: Kept,
    /// Whether it says when to come again.
    pub retry_after: bool,
    /// Whether the server closes the connection after it.
    pub closes: bool,
    /// The body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// Compares with what was expected.
    ///
    /// # Errors
    ///
    /// [`Failure::Status`] or [`Failure::Cache`].
    pub fn check(&self, expected: Expectation) -> Result<(), Failure> {
        let cache_as_expected = match expected.cache {
            Cache::Any => true,
            Cache::Hit => self.kept == Kept::Hit,
            Cache::NotHit => self.kept != Kept::Hit,
        };
        if self.status != expected.status {
            Err(Failure::Status(self.status))
        } else if cache_as_expected {
            Ok(())
        } else {
            Err(Failure::Cache)
        }
    }
}

/// One connection, kept alive.
pub struct Connection<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// The system's reason why not.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn over(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::with_capacity(USUAL_ANSWER),
        }
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    ///
    /// [`Failure::Io`] and [`Failure::Malformed`]; the connection is of no use afterwards.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        let head = self.ask(request).await?;
        let Some(body) = head.body else {
            return Err(Failure::Malformed("no usable Content-Length"));
        };
        self.whole(head, body).await
    }

    /// Sends a request and reads its answer, in chunks or not; `first` is called when the first
    /// byte of the body is there.
    ///
    /// # Errors
    ///
    /// As [`Self::exchange`].
    #[cfg(any(test, feature = "load"))]
    pub async fn stream(
        &mut self,
        request: &[u8],
        mut first: impl FnMut(),
    ) -> Result<Answer<'_>, Failure> {
        let head = self.ask(request).await?;
        if let Some(body) = head.body {
            first();
            return self.whole(head, body).await;
        }
        while self.buffer.len() <= head.head {
            self.read_more().await?;
        }
        first();
        let mut chunks = Chunks::new(head.head);
        while !chunks.read(&mut self.buffer)? {
            self.read_more().await?;
        }
        Ok(Answer {
            status: head.status,
            kept: head.kept,
            retry_after: head.retry_after,
            closes: head.closes,
            body: self.buffer.get(head.head..chunks.end).unwrap_or_default(),
        })
    }

    async fn ask(&mut self, request: &[u8]) -> Result<Head, Failure> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            self.read_more().await?;
            if let Some(head) = parse_head(&self.buffer)? {
                return Ok(head);
            }
        }
    }

    async fn whole(&mut self, head: Head, body: usize) -> Result<Answer<'_>, Failure> {
        let end = head.head.saturating_add(body);
        if end > MAX_ANSWER {
            return Err(Failure::Malformed("too large"));
        }
        while self.buffer.len() < end {
            self.read_more().await?;
        }
        if self.buffer.len() > end {
            return Err(Failure::Malformed("more bytes than Content-Length says"));
        }
        Ok(Answer {
            status: head.status,
            kept: head.kept,
            retry_after: head.retry_after,
            closes: head.closes,
            body: self.buffer.get(head.head..).unwrap_or_default(),
        })
    }

    async fn read_more(&mut self) -> Result<(), Failure> {
        if self.buffer.len() >= MAX_ANSWER {
            return Err(Failure::Malformed("too large"));
        }
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(Failure::Io(io::ErrorKind::UnexpectedEof)),
            _ => Ok(()),
        }
    }
}

/// Reads the head off the start of `buffer`; `None` while it isn't all there.
fn parse_head(buffer: &[u8]) -> Result<Option<Head>, Failure> {
    let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let mut lines = buffer
        .get(..end)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n');
    let status = parse_status(lines.next().unwrap_or_default())?;
    let (mut length, mut chunked) = (None, false);
    let (mut kept, mut retry_after, mut closes) = (Kept::Silent, false, false);
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Err(Failure::Malformed("a header line without a colon"));
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            length = parse_number(value);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            chunked = value.eq_ignore_ascii_case(b"chunked");
        } else if name.eq_ignore_ascii_case(b"x-cache") {
            kept = Kept::read(value);
        } else if name.eq_ignore_ascii_case(b"retry-after") {
            retry_after = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    if length.is_none() && !chunked {
        return Err(Failure::Malformed("no usable Content-Length"));
    }
    Ok(Some(Head {
        status,
        kept,
        retry_after,
        closes,
        head: end + 4,
        body: length,
    }))
}

/// A body in chunks on its way in: what came is put together where it lies.
#[cfg(any(test, feature = "load"))]
struct Chunks {
    /// The end of what is put together.
    end: usize,
    /// The start of what isn't yet.
    next: usize,
}

#[cfg(any(test, feature = "load"))]
impl Chunks {
    fn new(start: usize) -> Self {
        Self {
            end: start,
            next: start,
        }
    }

    /// Takes the chunks that are whole; true after the last one.
    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, Failure> {
        loop {
            let rest = buffer.get(self.next..).unwrap_or_default();
            let Some(line) = rest.windows(2).position(|bytes| bytes == b"\r\n") else {
                return Ok(false);
            };
            let size = std::str::from_utf8(rest.get(..line).unwrap_or_default())
                .ok()
                .and_then(|digits| usize::from_str_radix(digits, 16).ok())
                .filter(|size| *size <= MAX_ANSWER)
                .ok_or(Failure::Malformed("no size of a chunk"))?;
            if rest.len() < line + 2 + size + 2 {
                return Ok(false);
            }
            if size == 0 {
                return Ok(true);
            }
            let from = self.next + line + 2;
            buffer.copy_within(from..from + size, self.end);
            self.end += size;
            self.next = from + size + 2;
        }
    }
}

fn parse_status(line: &[u8]) -> Result<u16, Failure> {
    line.strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(parse_number)
        .and_then(|status| u16::try_from(status).ok())
        .ok_or(Failure::Malformed("no HTTP/1.1 status line"))
}

fn parse_number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nX-Cache: hit\r\ncontent-length: 5\r\ndate: now\r\n\r\nhello";
    const GOOD: Expectation = Expectation {
        status: 200,
        cache: Cache::Hit,
    };

    #[tokio::test]
    async fn an_answer_is_read_wherever_it_is_split() {
        for cut in 1..ANSWER.len() {
            let (near, mut far) = tokio::io::duplex(4096);
            let server = async {
                let mut request = [0; 3];
                far.read_exact(&mut request).await.unwrap();
                far.write_all(&ANSWER[..cut]).await.unwrap();
                tokio::task::yield_now().await;
                far.write_all(&ANSWER[cut..]).await.unwrap();
            };
            let mut connection = Connection::over(near);
            let (answer, ()) = tokio::join!(connection.exchange(b"GET"), server);
            let answer = answer.unwrap();
            assert_eq!(
                answer,
                Answer {
                    status: 200,
                    kept: Kept::Hit,
                    retry_after: false,
                    closes: false,
                    body: b"hello"
                },
                "{cut}"
            );
            assert_eq!(answer.check(GOOD), Ok(()));
        }
    }

    #[tokio::test]
    async fn a_second_exchange_uses_the_same_connection() {
        let (near, mut far) = tokio::io::duplex(4096);
        far.write_all(ANSWER).await.unwrap();
        let mut connection = Connection::over(near);
        assert_eq!(connection.exchange(b"GET").await.unwrap().body, b"hello");
        far.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        let answer = connection.exchange(b"GET").await.unwrap();
        assert_eq!(answer.check(GOOD), Err(Failure::Status(503)));
    }

    #[tokio::test]
    async fn an_early_end_and_surplus_bytes_are_failures() {
        let cases: [(&[u8], Failure); 4] = [
            (&ANSWER[..20], Failure::Io(io::ErrorKind::UnexpectedEof)),
            (
                &ANSWER[..ANSWER.len() - 1],
                Failure::Io(io::ErrorKind::UnexpectedEof),
            ),
            (b"", Failure::Io(io::ErrorKind::UnexpectedEof)),
            (
                b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
                Failure::Malformed("more bytes than Content-Length says"),
            ),
        ];
        for (bytes, expected) in cases {
            let (near, mut far) = tokio::io::duplex(4096);
            far.write_all(bytes).await.unwrap();
            far.shutdown().await.unwrap();
            let mut connection = Connection::over(near);
            assert_eq!(connection.exchange(b"GET").await.unwrap_err(), expected);
        }
    }

    #[test]
    fn heads_that_are_not_understood_are_refused() {
        let cases: [&[u8]; 5] = [
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
            b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n",
            b"HTTP/1.1 2x0 OK\r\ncontent-length: 1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nnonsense\r\ncontent-length: 1\r\n\r\n",
        ];
        for head in cases {
            assert!(
                matches!(parse_head(head), Err(Failure::Malformed(_))),
                "{head:?}"
            );
        }
        assert_eq!(
            parse_head(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n"),
            Ok(None)
        );
    }

    #[test]
    fn a_miss_is_told_from_a_hit() {
        let miss = Answer {
            status: 200,
            kept: Kept::Miss,
            retry_after: false,
            closes: false,
            body: b"",
        };
        assert_eq!(miss.check(GOOD), Err(Failure::Cache));
        assert_eq!(
            miss.check(Expectation {
                cache: Cache::NotHit,
                ..GOOD
            }),
            Ok(())
        );
        assert_eq!(
            miss.check(Expectation {
                cache: Cache::Any,
                ..GOOD
            }),
            Ok(())
        );
    }

    #[tokio::test]
    async fn a_body_in_chunks_is_put_together_wherever_it_is_split() {
        const CHUNKS: &[u8] =
            b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ntransfer-encoding: chunked\r\n\
            \r\n5\r\nhello\r\nD\r\n, dear \r\n all\r\n0\r\n\r\n";
        for cut in 1..CHUNKS.len() {
            let (near, mut far) = tokio::io::duplex(4096);
            let server = async {
                let mut request = [0; 3];
                far.read_exact(&mut request).await.unwrap();
                far.write_all(&CHUNKS[..cut]).await.unwrap();
                tokio::task::yield_now().await;
                far.write_all(&CHUNKS[cut..]).await.unwrap();
            };
            let (mut connection, mut firsts) = (Connection::over(near), 0);
            let (answer, ()) = tokio::join!(connection.stream(b"GET", || firsts += 1), server);
            let answer = answer.unwrap();
            assert_eq!(answer.body, b"hello, dear \r\n all", "{cut}");
            assert!(answer.status == 503 && answer.retry_after);
            assert_eq!(firsts, 1);
        }
        let (near, mut far) = tokio::io::duplex(4096);
        far.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
            .await
            .unwrap();
        let mut connection = Connection::over(near);
        let outcome = connection.stream(b"GET", || ()).await;
        assert_eq!(
            outcome.unwrap_err(),
            Failure::Malformed("no size of a chunk")
        );
    }
}
