//! `ai-service health`: asks the service of this configuration whether it lives, for images that
//! have no shell and no other client.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// In all. A container's own limit should be longer.
const LIMIT: Duration = Duration::from_secs(2);

/// What the answer begins with where all is well.
const ALIVE: &[u8; 13] = b"HTTP/1.1 200 ";

/// Asks at the address where the service listens: 0 if it answers that it lives, else 1 with a
/// line that says why. Behind TLS (`encrypted`) only whether it takes connections is looked at.
pub(crate) fn run(listen: SocketAddr, encrypted: bool) -> ExitCode {
    match ask(reachable(listen), encrypted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::eprintln(&format!("ai-service: not healthy: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Where a client on the same machine finds what listens on every address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(addr: SocketAddr, encrypted: bool) -> io::Result<()> {
    let end = Instant::now() + LIMIT;
    let mut stream = TcpStream::connect_timeout(&addr, LIMIT)?;
    if encrypted {
        return Ok(());
    }
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut begun = [0; ALIVE.len()];
    let mut read = 0;
    while let Some(rest) = begun.get_mut(read..).filter(|rest| !rest.is_empty()) {
        // A server that sends a byte now and then must not hold us for longer.
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(rest)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => read += more,
        }
    }
    if &begun == ALIVE {
        Ok(())
    } else {
        let said = String::from_utf8_lossy(&begun).into_owned();
        Err(io::Error::other(format!("it answered {said:?}")))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that takes one connection and says this.
    fn says(answer: &'static [u8]) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 4];
            stream.read_exact(&mut question).unwrap();
            stream.write_all(answer).unwrap();
        });
        let told = ask(addr, false);
        server.join().unwrap();
        told
    }

    #[test]
    fn only_a_200_is_well() {
        assert!(says(b"HTTP/1.1 200 OK\r\n\r\n").is_ok());
        assert!(says(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").is_err());
        let cut = says(b"HTTP/1.1 2").unwrap_err();
        assert!(matches!(
            cut.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
        ));
    }

    #[test]
    fn nobody_there_is_not_well() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        assert!(ask(addr, true).is_ok());
        drop(listener);
        assert!(ask(addr, true).is_err());
    }

    #[test]
    fn what_listens_everywhere_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8002", "127.0.0.1:8002"),
            ("[::]:8002", "[::1]:8002"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
