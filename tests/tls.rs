//! TLS at the service's own listener: both versions of HTTP, and certificates exchanged while it
//! serves. The certificates are made by openssl, which `cargo xtask test` installs.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{KEY, Options, Service, valid};

/// Makes a certificate for localhost that nobody but who has the file trusts.
fn make_certificate(folder: &Path) {
    let done = Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "new.key", "-out", "new.crt"])
        .output()
        .expect("openssl is installed by `cargo xtask test`");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    for name in ["key", "crt"] {
        let (new, now) = (format!("new.{name}"), format!("tls.{name}"));
        std::fs::rename(folder.join(new), folder.join(now)).unwrap();
    }
}

fn certificate(folder: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(folder.join("tls.crt")).unwrap()
}

/// A service that speaks TLS only, in this folder.
async fn start(options: &Options) -> Service {
    make_certificate(&options.dir());
    let config = "[tls]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n";
    options.clone().config(config).start().await
}

async fn connect(
    addr: SocketAddr,
    trusted: CertificateDer<'static>,
    alpn: &[&str],
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

fn validate() -> Request<Full<Bytes>> {
    Request::post("https://localhost/api/ai/validate")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {KEY}"))
        .header("content-type", "application/json")
        .body(Full::new(valid().to_string().into()))
        .unwrap()
}

async fn h1(stream: TlsStream<TcpStream>) -> http1::SendRequest<Full<Bytes>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn h2(stream: TlsStream<TcpStream>) -> http2::SendRequest<Full<Bytes>> {
    let io = TokioIo::new(stream);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn assert_good(response: Response<Incoming>, version: Version) {
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.version(), version);
    let headers = response.headers();
    assert_eq!(headers["strict-transport-security"], "max-age=31536000");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("recommendation"));
}

#[tokio::test]
async fn both_versions_of_http_over_both_versions_of_tls() {
    let options = Options::default();
    let service = start(&options).await;
    let trusted = certificate(&options.dir());
    for version in BOTH {
        let versions = &[*version];
        let stream = connect(service.addr, trusted.clone(), &["http/1.1"], versions);
        let mut sender = h1(stream.await.unwrap()).await;
        let response = sender.send_request(validate()).await.unwrap();
        assert_good(response, Version::HTTP_11).await;
        let stream = connect(service.addr, trusted.clone(), &["h2", "http/1.1"], versions);
        let mut sender = h2(stream.await.unwrap()).await;
        // Many at once on one connection.
        let answers = (0..32).map(|_| sender.send_request(validate()));
        for answer in futures_util::future::join_all(answers).await {
            assert_good(answer.unwrap(), Version::HTTP_2).await;
        }
    }
    // A client that offers no protocol speaks the older one.
    let stream = connect(service.addr, trusted, &[], BOTH).await.unwrap();
    let mut sender = h1(stream).await;
    assert_good(
        sender.send_request(validate()).await.unwrap(),
        Version::HTTP_11,
    )
    .await;
}

#[tokio::test]
async fn who_speaks_no_tls_gets_nothing_and_holds_nothing() {
    let options = Options::default();
    let service = start(&options).await;
    let mut plain = TcpStream::connect(service.addr).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET /live HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn a_certificate_is_exchanged_and_open_connections_go_on() {
    let options = Options::default();
    let service = start(&options).await;
    let old = certificate(&options.dir());
    let stream = connect(service.addr, old.clone(), &["http/1.1"], BOTH).await;
    let mut before = h1(stream.unwrap()).await;
    let answer = before.send_request(validate()).await.unwrap();
    assert_good(answer, Version::HTTP_11).await;

    // Files that don't belong together change nothing.
    let reloaded = |line: &serde_json::Value| line["message"] == "keys and certificate reloaded";
    let failed = |line: &serde_json::Value| line["message"] == "keys and certificate not reloaded";
    let seen = service.log_lines();
    std::fs::write(options.dir().join("tls.key"), "nonsense").unwrap();
    service.signal("HUP").await;
    service.log_after(seen, failed).await;
    let stream = connect(service.addr, old.clone(), &["http/1.1"], BOTH).await;
    drop(h1(stream.unwrap()).await);

    let seen = service.log_lines();
    make_certificate(&options.dir());
    service.signal("HUP").await;
    service.log_after(seen, reloaded).await;
    let new = certificate(&options.dir());
    assert_ne!(old, new);
    let stream = connect(service.addr, new, &["h2"], BOTH).await;
    let mut after = h2(stream.unwrap()).await;
    let answer = after.send_request(validate()).await.unwrap();
    assert_good(answer, Version::HTTP_2).await;
    assert!(connect(service.addr, old, &["h2"], BOTH).await.is_err());
    // The connection from before still serves.
    let answer = before.send_request(validate()).await.unwrap();
    assert_good(answer, Version::HTTP_11).await;
}

#[tokio::test]
async fn it_drains_both_kinds_of_connections() {
    let options = Options::default().config("[drain]\ngrace_ms = 0\n");
    let mut service = start(&options).await;
    let trusted = certificate(&options.dir());
    let stream = connect(service.addr, trusted.clone(), &["h2"], BOTH).await;
    let mut two = h2(stream.unwrap()).await;
    assert_good(two.send_request(validate()).await.unwrap(), Version::HTTP_2).await;
    let stream = connect(service.addr, trusted, &["http/1.1"], BOTH).await;
    let mut one = h1(stream.unwrap()).await;
    assert_good(
        one.send_request(validate()).await.unwrap(),
        Version::HTTP_11,
    )
    .await;
    // One that never shakes hands.
    let _silent = TcpStream::connect(service.addr).await.unwrap();
    service.signal("TERM").await;
    assert_eq!(service.ended().await.code(), Some(0));
}
