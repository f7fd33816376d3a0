//! What no honest client sends, byte by byte, and what becomes of it.

/// What the service does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// One answer of this status, and the connection is closed.
    Closed(u16),
    /// Answers of these statuses, in this order, on a connection that goes on.
    Open(&'static [u16]),
    /// Closed without an answer, or with a 400.
    Dropped,
}

use Fate::{Closed, Dropped, Open};

/// A request that is well, to see whether the connection still answers.
pub const PROBE: &str = "GET /live HTTP/1.1\r\nhost: a\r\n\r\n";

/// Name, bytes, fate. `{KEY}` stands for the key, `{BIG:n}` for n letters, `{PROBE}` for a
/// request that must not be answered where it is smuggled.
pub const CORPUS: &[(&str, &str, Fate)] = &[
    // Two lengths.
    (
        "cl twice, different",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        Closed(400),
    ),
    (
        "cl twice, the same",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\nabc{PROBE}",
        Open(&[405, 200]),
    ),
    (
        "cl list",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 3, 3\r\n\r\nabc",
        Closed(400),
    ),
    (
        "cl negative",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        Closed(400),
    ),
    (
        "cl with plus",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: +3\r\n\r\nabc",
        Closed(400),
    ),
    (
        "cl hexadecimal",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 0x3\r\n\r\nabc",
        Closed(400),
    ),
    (
        "cl with words",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 3 abc\r\n\r\nabc",
        Closed(400),
    ),
    (
        "cl empty",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n",
        Closed(400),
    ),
    (
        "cl overflows",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        Closed(400),
    ),
    (
        "cl largest",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ncontent-length: 18446744073709551615\r\n\r\n",
        Closed(400),
    ),
    (
        "cl of a terabyte",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\nexpect: 100-continue\r\ncontent-length: 1099511627776\r\n\r\n",
        Closed(413),
    ),
    // A length and chunks: the chunks count, and the connection ends.
    (
        "cl then te",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{PROBE}",
        Closed(405),
    ),
    (
        "te then cl",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n0\r\n\r\n{PROBE}",
        Closed(405),
    ),
    (
        "te and cl 0",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{PROBE}",
        Closed(405),
    ),
    (
        "te and a wrong cl",
        "POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    // Codings that another server may read otherwise.
    (
        "te identity",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity\r\n\r\n",
        Closed(400),
    ),
    (
        "te gzip",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
        Closed(400),
    ),
    (
        "te chunked not last",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "te xchunked",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "te chunkedx",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunkedx\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "te quoted",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "te twice, then identity",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "te in http/1.0",
        "POST /live HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "te with a vertical tab",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "te name with a space",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "te folded",
        "POST /live HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        Closed(400),
    ),
    // Chunks that are none.
    (
        "chunk size negative",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
        Closed(400),
    ),
    (
        "chunk size no number",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
        Closed(400),
    ),
    (
        "chunk size with 0x",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "chunk size overflows",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        Closed(400),
    ),
    (
        "chunk without its end",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
        Closed(400),
    ),
    (
        "chunk extension without end",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\n2;{BIG:65536}\r\n{}\r\n0\r\n\r\n",
        Closed(400),
    ),
    (
        "trailers without end",
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: {BIG:65536}\r\n\r\n",
        Closed(400),
    ),
    // Heads.
    (
        "two hosts",
        "GET /live HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n{PROBE}",
        Open(&[400, 200]),
    ),
    (
        "space before the colon",
        "GET /live HTTP/1.1\r\nhost : a\r\n\r\n",
        Closed(400),
    ),
    (
        "folded header",
        "GET /live HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n",
        Closed(400),
    ),
    (
        "header without a colon",
        "GET /live HTTP/1.1\r\nhost: a\r\nx\r\n\r\n",
        Closed(400),
    ),
    (
        "header without a name",
        "GET /live HTTP/1.1\r\nhost: a\r\n: y\r\n\r\n",
        Closed(400),
    ),
    (
        "nul in a value",
        "GET /live HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
        Closed(400),
    ),
    (
        "nul in a name",
        "GET /live HTTP/1.1\r\nhost: a\r\nx\0: b\r\n\r\n",
        Closed(400),
    ),
    (
        "cr in a value",
        "GET /live HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n",
        Closed(400),
    ),
    (
        "parentheses in a name",
        "GET /live HTTP/1.1\r\nhost: a\r\n(x): b\r\n\r\n",
        Closed(400),
    ),
    (
        "a head that is too large",
        "GET /live HTTP/1.1\r\nhost: a\r\nx: {BIG:65536}\r\n\r\n",
        Closed(431),
    ),
    (
        "a path that is too long",
        "GET /{BIG:70000} HTTP/1.1\r\nhost: a\r\n\r\n",
        Closed(431),
    ),
    (
        "a hundred and one headers",
        "GET /live HTTP/1.1\r\nhost: a\r\n{HEADERS:101}\r\n",
        Closed(431),
    ),
    (
        "space in front",
        " GET /live HTTP/1.1\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    // Request lines.
    ("no version", "GET /live\r\n\r\n", Closed(400)),
    (
        "version 0.9",
        "GET /live HTTP/0.9\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    (
        "version 1.2",
        "GET /live HTTP/1.2\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    (
        "version 9",
        "GET /live HTTP/9\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    (
        "http/2 without tls",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        Closed(400),
    ),
    (
        "two spaces",
        "GET  /live HTTP/1.1\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    (
        "space in the path",
        "GET /li ve HTTP/1.1\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    (
        "nul in the path",
        "GET /li\0ve HTTP/1.1\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    (
        "letters in the version",
        "GET /live HTTP/a.b\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    (
        "a method of signs",
        "G@T /live HTTP/1.1\r\nhost: a\r\n\r\n",
        Closed(400),
    ),
    (
        "an unknown method",
        "BREW /live HTTP/1.1\r\nhost: a\r\n\r\n{PROBE}",
        Open(&[405, 200]),
    ),
    (
        "trace",
        "TRACE /live HTTP/1.1\r\nhost: a\r\n\r\n{PROBE}",
        Open(&[405, 200]),
    ),
    (
        "connect",
        "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n",
        Closed(404),
    ),
    (
        "options of everything",
        "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n{PROBE}",
        Open(&[404, 200]),
    ),
    (
        "a url of another host",
        "GET http://evil.example/live HTTP/1.1\r\nhost: a\r\n\r\n{PROBE}",
        Open(&[200, 200]),
    ),
    (
        "up and out",
        "GET /docs/../../etc/passwd HTTP/1.1\r\nhost: a\r\n\r\n{PROBE}",
        Open(&[404, 200]),
    ),
    (
        "up and out, encoded",
        "GET /docs/%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nhost: a\r\n\r\n{PROBE}",
        Open(&[404, 200]),
    ),
    (
        "an upgrade",
        "GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n{PROBE}",
        Open(&[200, 200]),
    ),
    (
        "an upgrade to h2c",
        "GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n{PROBE}",
        Open(&[200, 200]),
    ),
    // Keys and names that would write into a log or an answer.
    (
        "a request id that splits",
        "GET /live HTTP/1.1\r\nhost: a\r\nx-request-id: a%0d%0aset-cookie: b\r\n\r\n{PROBE}",
        Open(&[200, 200]),
    ),
    (
        "a key of 16 KB",
        "GET /metrics HTTP/1.1\r\nhost: a\r\nx-api-key: {BIG:16000}\r\n\r\n{PROBE}",
        Open(&[401, 200]),
    ),
    (
        "a bearer of nothing",
        "GET /metrics HTTP/1.1\r\nhost: a\r\nauthorization: Bearer \r\n\r\n{PROBE}",
        Open(&[401, 200]),
    ),
    (
        "a key of bytes",
        "GET /metrics HTTP/1.1\r\nhost: a\r\nx-api-key: \u{fffd}\u{7ff}\r\n\r\n{PROBE}",
        Open(&[401, 200]),
    ),
    (
        "forwarded for nonsense",
        "GET /metrics HTTP/1.1\r\nhost: a\r\nx-api-key: x\r\nx-forwarded-for: ,,;<script>,999.1.1.1\r\n\r\n{PROBE}",
        Open(&[401, 200]),
    ),
    // No HTTP at all.
    (
        "a tls hello",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}",
        Dropped,
    ),
    ("lines of nothing", "\r\n\r\n\r\n\r\n{PROBE}", Open(&[200])),
    ("nuls", "\0\0\0\0\0\0\0\0\r\n\r\n", Dropped),
    ("redis", "*1\r\n$4\r\nPING\r\n\r\n", Dropped),
    ("smtp", "EHLO evil.example\r\n\r\n", Dropped),
];

/// The bytes of an entry.
pub fn bytes(text: &str, key: &str) -> Vec<u8> {
    let mut text = text.replace("{KEY}", key).replace("{PROBE}", PROBE);
    while let Some(at) = text.find("{BIG:") {
        let end = at + text[at..].find('}').unwrap();
        let count: usize = text[at + 5..end].parse().unwrap();
        text.replace_range(at..=end, &"x".repeat(count));
    }
    if let Some(at) = text.find("{HEADERS:") {
        let end = at + text[at..].find('}').unwrap();
        let count: usize = text[at + 9..end].parse().unwrap();
        let headers: String = (0..count).map(|i| format!("x{i}: y\r\n")).collect();
        text.replace_range(at..=end, &headers);
    }
    text.into_bytes()
}
