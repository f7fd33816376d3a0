//! The fetcher against a real server.

use std::io::Write as _;
use std::time::{Duration, Instant};

use sii_monitor::fetch::{
    Ask, FetchConfig, FetchError, FetchErrorKind as Kind, Fetched, Fetcher, HttpFetcher, Limit,
};
use url::Url;

use crate::site::{Answer, Site};

pub fn quick() -> FetchConfig {
    FetchConfig {
        interval: Duration::ZERO,
        retries: 0,
        backoff: Duration::from_millis(1),
        idle: Duration::from_millis(400),
        whole: Duration::from_millis(900),
        first_byte: Duration::from_millis(800),
        max_bytes: 3_000_000,
        allow_hosts: vec!["127.0.0.1".into()],
        ..FetchConfig::default()
    }
}

async fn get(site: &Site, path: &str, config: FetchConfig) -> Result<Fetched, FetchError> {
    let fetcher = HttpFetcher::try_new(config).unwrap();
    fetcher
        .fetch(&Ask::new(Url::parse(&site.url(path)).unwrap()))
        .await
}

async fn kind(site: &Site, path: &str) -> Kind {
    get(site, path, quick()).await.unwrap_err().kind()
}

fn body(fetched: Fetched) -> String {
    match fetched {
        Fetched::Document(document) => String::from_utf8(document.body.into()).unwrap(),
        Fetched::NotModified => panic!("not modified"),
    }
}

#[tokio::test]
async fn a_document_with_its_tag_and_the_second_time_nothing() {
    let site = Site::start().await;
    let page = Answer::Page(
        "text/html; charset=x",
        b"hola".to_vec(),
        Some("\"v1\"".into()),
    );
    site.set("/a", page);
    let fetcher = HttpFetcher::try_new(quick()).unwrap();
    let mut ask = Ask::new(Url::parse(&site.url("/a")).unwrap());
    let Fetched::Document(document) = fetcher.fetch(&ask).await.unwrap() else {
        panic!();
    };
    assert_eq!(document.body, "hola");
    assert_eq!(document.charset.as_deref(), Some("x"));
    ask.etag = document.etag;
    assert_eq!(fetcher.fetch(&ask).await.unwrap(), Fetched::NotModified);
    let seen = site.seen();
    assert_eq!(seen[0].path, "/robots.txt");
    assert_eq!(site.count("/robots.txt"), 1, "kept for a day");
    assert!(seen[1].head.contains("user-agent: ai-service-sii-monitor/"));
}

#[tokio::test]
async fn what_is_packed_is_unpacked() {
    let site = Site::start().await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all("¡hola!".as_bytes()).unwrap();
    let gzip = vec![("Content-Encoding", "gzip")];
    site.set(
        "/gzip",
        Answer::With(gzip.clone(), encoder.finish().unwrap()),
    );
    assert_eq!(body(get(&site, "/gzip", quick()).await.unwrap()), "¡hola!");
    site.set("/broken", Answer::With(gzip, b"no".to_vec()));
    assert_eq!(kind(&site, "/broken").await, Kind::Encoding);
    let brotli = vec![("Content-Encoding", "br")];
    let stored = b"\x0b\x02\x80hola \x03".to_vec();
    site.set("/br", Answer::With(brotli, stored));
    assert_eq!(body(get(&site, "/br", quick()).await.unwrap()), "hola ");
}

#[tokio::test]
async fn redirects_are_bounded_and_never_lead_inside() {
    let site = Site::start().await;
    site.html("/end", "fin");
    site.set("/one", Answer::Redirect("/end".into()));
    assert_eq!(body(get(&site, "/one", quick()).await.unwrap()), "fin");
    site.set("/loop", Answer::Redirect("/loop".into()));
    assert_eq!(kind(&site, "/loop").await, Kind::Redirects);
    for inside in [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:7f00:2]/",
        "http://0/",
        "http://localhost/",
    ] {
        site.set("/in", Answer::Redirect(inside.into()));
        assert_eq!(kind(&site, "/in").await, Kind::PrivateAddress, "{inside}");
    }
    site.set("/in", Answer::Redirect("file:///etc/passwd".into()));
    assert_eq!(kind(&site, "/in").await, Kind::Address);
    // Not allowed: not even the server that is there.
    let strict = FetchConfig {
        allow_hosts: Vec::new(),
        ..quick()
    };
    let error = get(&site, "/end", strict).await.unwrap_err();
    assert_eq!(error.kind(), Kind::PrivateAddress);
}

#[tokio::test]
async fn robots_txt_is_honoured() {
    let site = Site::start().await;
    site.html("/robots.txt", "User-agent: *\nDisallow: /privado");
    site.html("/privado/x", "no");
    site.html("/publico", "si");
    assert_eq!(kind(&site, "/privado/x").await, Kind::Robots);
    assert_eq!(site.count("/privado/x"), 0);
    assert_eq!(body(get(&site, "/publico", quick()).await.unwrap()), "si");
    site.set("/robots.txt", Answer::Status(503, None));
    assert_eq!(kind(&site, "/publico").await, Kind::RobotsUnavailable);
    site.set("/robots.txt", Answer::Status(403, None));
    assert_eq!(body(get(&site, "/publico", quick()).await.unwrap()), "si");
}

#[tokio::test]
async fn limits_of_size_and_time() {
    let site = Site::start().await;
    site.set("/huge", Answer::Huge);
    site.set("/trickle", Answer::Trickle);
    site.set("/stall", Answer::Stall);
    let announced = vec![("X-Filler", "1")];
    site.set("/large", Answer::With(announced, vec![b'x'; 3_000_001]));
    let begun = Instant::now();
    assert_eq!(kind(&site, "/huge").await, Kind::TooLarge);
    assert_eq!(kind(&site, "/large").await, Kind::TooLarge);
    assert_eq!(kind(&site, "/trickle").await, Kind::Timeout(Limit::Whole));
    assert_eq!(kind(&site, "/stall").await, Kind::Timeout(Limit::Idle));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let site = Site::start().await;
    let page = Answer::Page("text/html", b"hola".to_vec(), None);
    let patient = || FetchConfig {
        retries: 2,
        ..quick()
    };
    site.set(
        "/flaky",
        Answer::Turns(vec![
            Answer::Status(503, None),
            Answer::Status(429, Some(0)),
            page,
        ]),
    );
    assert_eq!(body(get(&site, "/flaky", patient()).await.unwrap()), "hola");
    assert_eq!(site.count("/flaky"), 3);
    site.set("/down", Answer::Status(500, None));
    let error = get(&site, "/down", patient()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Server(500));
    assert_eq!(site.count("/down"), 3);
    // What won't pass, and what asks for more patience than there is, isn't.
    for (path, answer, expected) in [
        ("/gone", Answer::Status(404, None), Kind::NotFound),
        ("/no", Answer::Status(403, None), Kind::Refused(403)),
        ("/later", Answer::Status(429, Some(86_400)), Kind::Busy),
    ] {
        site.set(path, answer);
        let error = get(&site, path, patient()).await.unwrap_err();
        assert_eq!((error.kind(), site.count(path)), (expected, 1));
    }
}
