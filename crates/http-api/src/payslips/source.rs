//! Previred's page, or one like it, over HTTP.
//!
//! One `GET` and a few redirects within the same site. The provider above holds the deadline,
//! checks what comes, keeps it, and leaves a source that failed alone for a while.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, LOCATION, USER_AGENT};
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use payroll::Periodo;
use payroll::previred::MAX_BYTES;
use payroll::provider::{Fetched, IndicatorSource, SourceError, SourceErrorKind};
use thiserror::Error;
use tokio::time::Instant;

/// Redirects that are followed for one page.
const MAX_REDIRECTS: usize = 3;

/// What stands for the month in an address.
const BY_PERIOD: &str = "{period}";
const COMPACT: &str = "{MMYYYY}";

/// Pages that are asked for within [`WINDOW`] at the most, whoever forces it: the site is
/// somebody else's.
const MAX_PAGES: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);

/// How this service names itself to the site.
const AGENT: &str = concat!("ai-service/", env!("CARGO_PKG_VERSION"));

/// A site that publishes months' indicators.
///
/// In its address `{period}` stands for the month as `2026-04` and `{MMYYYY}` as `042026`, for
/// sites with a page for each month; without them one page shows the month that is in force.
pub struct PreviredPage {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    url: String,
    asked: Mutex<Window>,
}

/// How many pages were asked for since when.
#[derive(Debug)]
struct Window {
    since: Instant,
    pages: u32,
}

impl Window {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            pages: 0,
        }
    }

    /// Whether one more may be asked for; if so it is counted.
    fn admit(&mut self) -> bool {
        if self.since.elapsed() >= WINDOW {
            *self = Self::new();
        }
        let admitted = self.pages < MAX_PAGES;
        self.pages = self.pages.saturating_add(u32::from(admitted));
        admitted
    }
}

/// Why an address can't be used. The configuration's fault.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PageError {
    /// It is no URL of a page.
    #[error("it is no http or https URL")]
    Url,
    /// Payslips are judged by what comes from there: nobody between may change it.
    #[error("it must be https, but for this very machine")]
    Insecure,
    /// TLS can't be set up.
    #[error("set up TLS")]
    Tls(#[from] rustls::Error),
}

impl PreviredPage {
    /// Previred's own page. It shows one month: the one that was published last.
    pub const PUBLIC_URL: &'static str = "https://www.previred.com/indicadores-previsionales/";

    /// The site at `url`. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn try_new(url: &str) -> Result<Self, PageError> {
        let first = address(url, Periodo::new(2000, 1)).ok_or(PageError::Url)?;
        if !is_secure(&first) {
            return Err(PageError::Insecure);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(provider)?
            .https_or_http()
            .enable_http1()
            .build();
        // A page a month: no connection is worth keeping.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Self {
            client,
            url: url.to_owned(),
            asked: Mutex::new(Window::new()),
        })
    }

    /// Whether there is a page for each month.
    fn is_by_month(&self) -> bool {
        self.url.contains(BY_PERIOD) || self.url.contains(COMPACT)
    }

    async fn get(&self, url: &Uri) -> Result<Response<Incoming>, SourceError> {
        let unreachable = || SourceError::new(SourceErrorKind::Unreachable, "fetch the page");
        let request = Request::get(url.clone())
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "text/html, application/json, text/plain")
            .body(Empty::new());
        let response = self.client.request(request.map_err(|_| unreachable())?);
        response.await.map_err(|error| {
            tracing::debug!(%error, "the indicators' page wasn't fetched");
            unreachable()
        })
    }
}

impl fmt::Debug for PreviredPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreviredPage")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl IndicatorSource for PreviredPage {
    async fn fetch(&self, period: Periodo) -> Result<Fetched, SourceError> {
        // A panic with the lock held can't be: counting is all that is done under it.
        let admitted = self.asked.lock().is_ok_and(|mut window| window.admit());
        if !admitted {
            let kind = SourceErrorKind::Limited;
            return Err(SourceError::new(kind, "ask the site so often"));
        }
        let refused = |doing| SourceError::new(SourceErrorKind::Unreachable, doing);
        let mut url =
            address(&self.url, Some(period)).ok_or_else(|| refused("make the address"))?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.get(&url).await?;
            let status = response.status();
            if status == StatusCode::OK {
                let bytes = read(response).await?;
                let url = url.to_string();
                return Ok(Fetched { bytes, url });
            }
            if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) && self.is_by_month() {
                let kind = SourceErrorKind::NotPublished;
                return Err(SourceError::new(kind, "fetch the month's page"));
            }
            if !status.is_redirection() {
                tracing::debug!(status = status.as_u16(), "the indicators' page refused");
                return Err(refused("fetch the page: it answered with a failure"));
            }
            url = target(&url, &response).ok_or_else(|| refused("follow a redirect"))?;
        }
        Err(refused("follow redirects: too many"))
    }
}

async fn read(response: Response<Incoming>) -> Result<Bytes, SourceError> {
    let body = Limited::new(response.into_body(), MAX_BYTES);
    let collected = body.collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            SourceError::new(SourceErrorKind::TooLarge, "read the page")
        } else {
            SourceError::new(SourceErrorKind::Unreachable, "read the page")
        }
    })?;
    Ok(collected.to_bytes())
}

/// The address of a month's page.
fn address(url: &str, period: Option<Periodo>) -> Option<Uri> {
    let period = period?;
    let compact = format!("{:02}{}", period.mes(), period.anio());
    let url = url
        .replace(BY_PERIOD, &period.to_string())
        .replace(COMPACT, &compact);
    let uri: Uri = url.parse().ok()?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    (known && uri.host().is_some()).then_some(uri)
}

fn is_secure(url: &Uri) -> bool {
    let here = matches!(url.host(), Some("127.0.0.1" | "[::1]" | "localhost"));
    url.scheme() == Some(&Scheme::HTTPS) || here
}

/// Where a redirect leads: within the same site (with or without `www.`) and never away from TLS.
fn target(from: &Uri, response: &Response<Incoming>) -> Option<Uri> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    resolve(from, location)
}

fn resolve(from: &Uri, location: &str) -> Option<Uri> {
    if location.starts_with('/') && !location.starts_with("//") {
        let mut parts = from.clone().into_parts();
        parts.path_and_query = Some(location.parse::<PathAndQuery>().ok()?);
        return Uri::from_parts(parts).ok();
    }
    let to: Uri = location.parse().ok()?;
    let bare = |uri: &Uri| {
        let host = uri.host()?.to_ascii_lowercase();
        let host = host.strip_prefix("www.").unwrap_or(&host);
        Some(host.to_owned())
    };
    let same_site = bare(from)? == bare(&to)?;
    let as_safe = to.scheme() == Some(&Scheme::HTTPS)
        || (to.scheme() == Some(&Scheme::HTTP) && from.scheme() == Some(&Scheme::HTTP));
    (same_site && as_safe).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_a_month_where_the_site_has_one_for_each() {
        let april = Periodo::new(2026, 4);
        let of = |url| address(url, april).map(|uri| uri.to_string());
        assert_eq!(
            of("https://example.test/{period}/{MMYYYY}.json").as_deref(),
            Some("https://example.test/2026-04/042026.json")
        );
        assert_eq!(
            of(PreviredPage::PUBLIC_URL).as_deref(),
            Some(PreviredPage::PUBLIC_URL)
        );
        assert_eq!(of("ftp://example.test/"), None);
        assert_eq!(of("example.test"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_site_is_asked_so_often_and_no_more() {
        let mut window = Window::new();
        let admitted = |window: &mut Window| (0..100).filter(|_| window.admit()).count();
        assert_eq!(admitted(&mut window), 30);
        tokio::time::advance(WINDOW - Duration::from_millis(1)).await;
        assert!(!window.admit());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(admitted(&mut window), 30);
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (url, good) in [
            ("https://example.test/", true),
            ("http://127.0.0.1:8100/p", true),
            ("http://[::1]:8100/p", true),
            ("http://example.test/", false),
            ("http://127.0.0.1.example.test/", false),
            ("nothing", false),
        ] {
            assert_eq!(PreviredPage::try_new(url).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn redirects_stay_on_the_site_and_on_tls() {
        let from: Uri = "https://www.example.test/a".parse().unwrap();
        for (location, to) in [
            ("/b?c=1", Some("https://www.example.test/b?c=1")),
            ("https://example.test/b", Some("https://example.test/b")),
            ("http://www.example.test/b", None),
            ("https://other.test/b", None),
            ("https://example.test.other.test/", None),
            ("//other.test/b", None),
            ("http://127.0.0.1/latest", None),
            ("", None),
        ] {
            let found = resolve(&from, location).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), to, "{location}");
        }
    }
}
