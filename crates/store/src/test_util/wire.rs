//! Just enough of Redis's protocol to give a server under test a command, past the client
//! library that is being tested.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Longest that a command of a test may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest bulk of a reply.
const MAX_BULK: usize = 64 * 1024 * 1024;

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A status or a bulk, as text.
    Text(String),
    /// An error, with its code.
    Error(String),
    /// A number.
    Integer(i64),
    /// Nothing.
    Null,
    /// Several.
    Many(Vec<Reply>),
}

impl Reply {
    /// The text, of a status, bulk or number.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The value that follows `name` in a flat list of names and values.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let Self::Many(fields) = self else {
            return None;
        };
        let at = fields
            .iter()
            .position(|field| field.text().as_deref() == Some(name))?;
        fields.get(at + 1)?.text()
    }
}

/// Gives the commands over a connection of their own, and returns the last one's answer.
pub(super) async fn ask(port: u16, commands: &[&[&str]]) -> io::Result<Reply> {
    let talk = async {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
        let mut reply = Reply::Null;
        for command in commands {
            let mut request = format!("*{}\r\n", command.len());
            for word in *command {
                request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
            }
            stream.write_all(request.as_bytes()).await?;
            reply = read(&mut stream).await?;
        }
        Ok(reply)
    };
    tokio::time::timeout(PATIENCE, talk)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or_else(broken)?;
    let number = || rest.parse::<i64>().map_err(|_| broken());
    Ok(match kind {
        "+" => Reply::Text(rest.to_owned()),
        "-" => Reply::Error(rest.to_owned()),
        ":" => Reply::Integer(number()?),
        "$" | "*" if number()? < 0 => Reply::Null,
        "$" => {
            let len = usize::try_from(number()?).map_err(|_| broken())?;
            if len > MAX_BULK {
                return Err(broken());
            }
            let mut bulk = vec![0; len + 2];
            stream.read_exact(&mut bulk).await?;
            bulk.truncate(len);
            Reply::Text(String::from_utf8_lossy(&bulk).into_owned())
        }
        "*" => {
            let mut many = Vec::new();
            for _ in 0..number()? {
                many.push(Box::pin(read(stream)).await?);
            }
            Reply::Many(many)
        }
        _ => return Err(broken()),
    })
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}
