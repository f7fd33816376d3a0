//! The fetcher over hyper.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, ETAG,
    HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, RETRY_AFTER, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use jiff::fmt::rfc2822;
use tokio::time::{Instant, sleep, timeout};
use url::{Position, Url};

use super::config::FetchConfig;
use super::connect::{AllowedHosts, HttpClient, client, is_refused};
use super::decode::{ACCEPTED, unpacked};
use super::error::{FetchError, FetchErrorKind as Kind, Limit};
use super::pace::Pace;
use super::robots::{self, Robots};
use super::{Ask, Document, Fetched, Fetcher};

/// The most redirects of one request.
const MAX_REDIRECTS: usize = 5;

/// How long a host's robots.txt is believed.
const ROBOTS_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// How long "not now" is believed, where a host's robots.txt can't be had.
const ROBOTS_RETRY: Duration = Duration::from_secs(10 * 60);

/// The most hosts whose robots.txt is kept.
const MAX_HOSTS: usize = 256;

/// The longest header value that is kept of a version.
const MAX_VALIDATOR: usize = 200;

/// Fetches over HTTP/1.1 and HTTP/2.
pub struct HttpFetcher {
    client: HttpClient,
    config: FetchConfig,
    allowed: AllowedHosts,
    pace: Pace,
    robots: Mutex<HashMap<String, Kept>>,
}

/// A host's robots.txt, or `None` where it can't be had for now.
#[derive(Clone)]
struct Kept {
    robots: Option<Arc<Robots>>,
    until: Instant,
}

enum Step {
    Redirect(Url),
    Done(Fetched),
}

impl HttpFetcher {
    /// A fetcher.
    ///
    /// # Errors
    /// [`Kind::Address`] where the agent's name can't stand in a header,
    /// [`Kind::Unreachable`] where TLS can't be set up.
    pub fn try_new(config: FetchConfig) -> Result<Self, FetchError> {
        if config.agent.trim().is_empty() || HeaderValue::from_str(&config.agent).is_err() {
            return Err(FetchError::new(Kind::Address));
        }
        let allowed = AllowedHosts::new(&config.allow_hosts);
        Ok(Self {
            client: client(allowed.clone(), config.connect)?,
            pace: Pace::new(config.interval, config.at_a_time),
            robots: Mutex::default(),
            allowed,
            config,
        })
    }

    /// One attempt, with its redirects.
    async fn attempt(&self, ask: &Ask) -> Result<Fetched, FetchError> {
        let mut url = ask.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.check(&url)?;
            let robots = self.robots(&url).await?;
            if !robots.allows(target(&url)) {
                return Err(FetchError::new(Kind::Robots));
            }
            let max = self.config.max_bytes;
            match self.once(&url, ask, robots.delay(), max).await? {
                Step::Redirect(next) => url = next,
                Step::Done(fetched) => return Ok(fetched),
            }
        }
        Err(FetchError::new(Kind::Redirects))
    }

    fn check(&self, url: &Url) -> Result<(), FetchError> {
        self.allowed.check(url).map_err(FetchError::new)
    }

    /// What the host of this address asks of its visitors.
    async fn robots(&self, url: &Url) -> Result<Arc<Robots>, FetchError> {
        let origin = url.origin().ascii_serialization();
        let kept = {
            let robots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
            robots.get(&origin).cloned()
        };
        let kept = match kept.filter(|kept| kept.until > Instant::now()) {
            Some(kept) => kept,
            None => {
                let kept = self.ask_robots(url).await?;
                let mut robots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
                if robots.len() >= MAX_HOSTS {
                    robots.clear();
                }
                robots.insert(origin, kept.clone());
                kept
            }
        };
        kept.robots
            .ok_or_else(|| FetchError::new(Kind::RobotsUnavailable))
    }

    async fn ask_robots(&self, url: &Url) -> Result<Kept, FetchError> {
        let mut at = url
            .join("/robots.txt")
            .map_err(|_| FetchError::new(Kind::Address))?;
        let mut outcome = Err(FetchError::new(Kind::Redirects));
        for _ in 0..=MAX_REDIRECTS {
            self.check(&at)?;
            let ask = Ask::new(at.clone());
            match self.once(&at, &ask, None, robots::MAX_BYTES).await {
                Ok(Step::Redirect(next)) => at = next,
                Ok(Step::Done(fetched)) => {
                    outcome = Ok(fetched);
                    break;
                }
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        let robots = match outcome.map_err(|error| error.kind()) {
            Ok(Fetched::Document(document)) => {
                let text = String::from_utf8_lossy(&document.body);
                Some(Robots::read(&text, &self.config.agent))
            }
            Ok(Fetched::NotModified) | Err(Kind::NotFound | Kind::Refused(_)) => {
                Some(Robots::open())
            }
            Err(kind @ (Kind::PrivateAddress | Kind::Address)) => {
                return Err(FetchError::new(kind));
            }
            Err(_) => None,
        };
        let valid = if robots.is_some() {
            ROBOTS_FOR
        } else {
            ROBOTS_RETRY
        };
        Ok(Kept {
            robots: robots.map(Arc::new),
            until: Instant::now() + valid,
        })
    }

    /// One request, in its host's turn.
    async fn once(
        &self,
        url: &Url,
        ask: &Ask,
        delay: Option<Duration>,
        max: usize,
    ) -> Result<Step, FetchError> {
        let host = url.host_str().unwrap_or_default();
        let _place = self.pace.turn(host, delay).await;
        timeout(self.config.whole, self.exchange(url, ask, max))
            .await
            .unwrap_or(Err(FetchError::new(Kind::Timeout(Limit::Whole))))
    }

    async fn exchange(&self, url: &Url, ask: &Ask, max: usize) -> Result<Step, FetchError> {
        let request = self.request(url, ask)?;
        let response = timeout(self.config.first_byte, self.client.request(request))
            .await
            .map_err(|_| FetchError::new(Kind::Timeout(Limit::FirstByte)))?
            .map_err(|error| {
                FetchError::new(if is_refused(&error) {
                    Kind::PrivateAddress
                } else {
                    Kind::Unreachable
                })
            })?;
        let conditional = ask.etag.is_some() || ask.last_modified.is_some();
        match response.status() {
            StatusCode::OK => self.document(url, response, max).await,
            StatusCode::NOT_MODIFIED if conditional => Ok(Step::Done(Fetched::NotModified)),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let next = text(response.headers(), &LOCATION)
                    .and_then(|location| url.join(location).ok())
                    .ok_or(FetchError::new(Kind::Redirects))?;
                Ok(Step::Redirect(next))
            }
            status => Err(refusal(status, response.headers())),
        }
    }

    fn request(&self, url: &Url, ask: &Ask) -> Result<Request<Empty<Bytes>>, FetchError> {
        let mut request = Request::get(url.as_str())
            .header(USER_AGENT, self.config.agent.as_str())
            .header(ACCEPT, "text/html, application/xhtml+xml, */*;q=0.8")
            .header(ACCEPT_ENCODING, ACCEPTED);
        for (name, value) in [
            (IF_NONE_MATCH, &ask.etag),
            (IF_MODIFIED_SINCE, &ask.last_modified),
        ] {
            let value = value.as_deref().map(HeaderValue::from_str);
            if let Some(Ok(value)) = value {
                request = request.header(name, value);
            }
        }
        request
            .body(Empty::new())
            .map_err(|_| FetchError::new(Kind::Address))
    }

    async fn document(
        &self,
        url: &Url,
        response: Response<Incoming>,
        max: usize,
    ) -> Result<Step, FetchError> {
        let headers = response.headers().clone();
        let announced = text(&headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok());
        if announced.is_some_and(|length: u64| u64::try_from(max).is_ok_and(|max| length > max)) {
            return Err(FetchError::new(Kind::TooLarge));
        }
        let body = self.body(response.into_body(), max).await?;
        let encoding = text(&headers, &CONTENT_ENCODING).map(str::to_owned);
        let body = match encoding {
            None => body,
            Some(encoding) => {
                let max = self.config.max_unpacked;
                let work = move || unpacked(body, Some(&encoding), max);
                let done = tokio::task::spawn_blocking(work).await;
                done.unwrap_or(Err(Kind::Encoding))
                    .map_err(FetchError::new)?
            }
        };
        let (media_type, charset) = content_type(text(&headers, &CONTENT_TYPE).unwrap_or_default());
        let validator = |name| {
            let value = text(&headers, &name).filter(|value| value.len() <= MAX_VALIDATOR);
            value.map(str::to_owned)
        };
        Ok(Step::Done(Fetched::Document(Box::new(Document {
            url: url.clone(),
            media_type,
            charset,
            body,
            etag: validator(ETAG),
            last_modified: validator(LAST_MODIFIED),
        }))))
    }

    async fn body(&self, mut body: Incoming, max: usize) -> Result<Bytes, FetchError> {
        let mut bytes = BytesMut::new();
        loop {
            let frame = timeout(self.config.idle, body.frame())
                .await
                .map_err(|_| FetchError::new(Kind::Timeout(Limit::Idle)))?;
            let Some(frame) = frame else {
                return Ok(bytes.freeze());
            };
            let frame = frame.map_err(|_| FetchError::new(Kind::Unreachable))?;
            if let Ok(data) = frame.into_data() {
                if bytes.len() + data.len() > max {
                    return Err(FetchError::new(Kind::TooLarge));
                }
                bytes.extend_from_slice(&data);
            }
        }
    }

    /// The wait before another attempt, or `None` where none is worth it.
    fn wait(&self, error: FetchError, attempt: u32, url: &Url) -> Option<Duration> {
        if !error.is_retryable() || attempt >= self.config.retries {
            return None;
        }
        let doubled = self.config.backoff.saturating_mul(1 << attempt.min(10));
        // Spread over a quarter by the address, so that what failed together isn't tried together.
        let spread = u32::from(blake3::hash(url.as_str().as_bytes()).as_bytes()[0]);
        let wait = doubled + doubled * spread / 1_024;
        match error.retry_after() {
            Some(asked) if asked > self.config.max_retry_after => None,
            Some(asked) => Some(asked.max(wait)),
            None => Some(wait),
        }
    }
}

#[async_trait]
impl Fetcher for HttpFetcher {
    async fn fetch(&self, ask: &Ask) -> Result<Fetched, FetchError> {
        let mut attempt = 0;
        loop {
            let error = match self.attempt(ask).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            let Some(wait) = self.wait(error, attempt, &ask.url) else {
                return Err(error);
            };
            attempt += 1;
            sleep(wait).await;
        }
    }
}

impl fmt::Debug for HttpFetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFetcher")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The path and query of an address, as robots.txt names it.
fn target(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn refusal(status: StatusCode, headers: &HeaderMap) -> FetchError {
    let asked = patience(headers);
    let kind = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Kind::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Kind::Busy,
        status if status.is_server_error() => Kind::Server(status.as_u16()),
        status => Kind::Refused(status.as_u16()),
    };
    FetchError::new(kind).with_retry_after(asked)
}

/// `Retry-After` in seconds, or as a moment by the server's own clock.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::parse(value).ok()?.timestamp();
    let now = rfc2822::parse(text(headers, &DATE)?).ok()?.timestamp();
    let wait = at.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// `text/html; charset="ISO-8859-1"` in its two parts.
fn content_type(value: &str) -> (String, Option<String>) {
    let mut parts = value.split(';');
    let media = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("charset") && value.len() <= 40).then(|| value.to_owned())
    });
    (media, charset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        for (value, expected) in [
            ("", ("", None)),
            ("Text/HTML", ("text/html", None)),
            (
                "text/html;charset=\"ISO-8859-1\"",
                ("text/html", Some("ISO-8859-1")),
            ),
            (
                "text/html; boundary=x; Charset=utf-8",
                ("text/html", Some("utf-8")),
            ),
        ] {
            let (media, charset) = content_type(value);
            assert_eq!((media.as_str(), charset.as_deref()), expected, "{value}");
        }
    }

    #[test]
    fn patience_in_seconds_or_as_a_moment() {
        let asked = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            let now = HeaderValue::from_static("Sun, 22 Nov 2026 19:00:00 GMT");
            headers.insert(DATE, now);
            patience(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked("Sun, 22 Nov 2026 19:01:30 GMT"), Some(90));
        assert_eq!(asked("Sun, 22 Nov 2026 18:00:00 GMT"), Some(0));
        assert_eq!(asked("soon"), None);
        assert_eq!(patience(&HeaderMap::new()), None);
    }

    #[test]
    fn what_robots_txt_names() {
        for (url, expected) in [
            ("https://a.cl", "/"),
            ("https://a.cl:8443/x/y?z=1#w", "/x/y?z=1"),
        ] {
            assert_eq!(target(&Url::parse(url).unwrap()), expected);
        }
    }

    #[test]
    fn addresses_that_are_refused_unasked() {
        let allowed = AllowedHosts::new(&["127.0.0.1".into()]);
        for (url, expected) in [
            ("https://www.sii.cl/", Ok(())),
            ("http://127.0.0.1:8080/", Ok(())),
            ("http://127.0.0.2/", Err(Kind::PrivateAddress)),
            ("http://169.254.169.254/latest", Err(Kind::PrivateAddress)),
            ("http://0xa9fea9fe/", Err(Kind::PrivateAddress)),
            ("http://2852039166/", Err(Kind::PrivateAddress)),
            ("http://[::ffff:10.0.0.1]/", Err(Kind::PrivateAddress)),
            ("ftp://a.cl/", Err(Kind::Address)),
            ("file:///etc/passwd", Err(Kind::Address)),
            ("https://user:pass@a.cl/", Err(Kind::Address)),
        ] {
            assert_eq!(allowed.check(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
