//! How to reach Anthropic, checked before the first call.

use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};

use crate::Capabilities;

/// Where Anthropic's own API is.
pub const DEFAULT_BASE_URL: &str = "https://api.anthropic.com";

/// The provider pings a quiet stream every few seconds.
const DEFAULT_IDLE: Duration = Duration::from_secs(30);

/// Settings of an [`Anthropic`](crate::Anthropic) client. Start from [`new`](Self::new) and
/// change what differs; [`Anthropic::try_new`](crate::Anthropic::try_new) checks the whole.
#[derive(Debug, Clone)]
pub struct AnthropicConfig {
    /// The API key. It goes into one header and nowhere else.
    pub api_key: SecretString,
    /// The model to ask, such as `claude-sonnet-4-5`.
    pub model: String,
    /// Scheme, host and optional path before `/v1/messages`; a trailing slash is ignored.
    /// Default: [`DEFAULT_BASE_URL`].
    pub base_url: String,
    /// Allows `http://` to a host that isn't loopback: the key and the prompts then travel
    /// in clear. For a stand-in or a proxy in a private network. Default: no.
    pub allow_insecure_http: bool,
    /// Limits of time. See [`Timeouts`].
    pub timeouts: Timeouts,
    /// The largest answer that is read, in bytes. Default: 4 MiB.
    pub max_response_bytes: usize,
    /// What the model can do. Default: the table's word ([`Capabilities::of`]).
    pub capabilities: Capabilities,
    /// Which certificate authorities are trusted. Default: [`TrustRoots::Bundled`].
    pub trust_roots: TrustRoots,
    /// Writes headers of its own into every request, such as a `traceparent`. It is called
    /// within the call's span. Default: nothing.
    pub propagate: Option<Propagate>,
    /// Whether a call's span holds instructions, messages and answer (at most 16 KiB of each
    /// text). They are the ERP's data: whoever reads the traces reads them. Default: no.
    pub content_in_spans: bool,
}

/// Writes headers into a request on its way to a provider.
pub type Propagate = fn(&mut HeaderMap);

impl AnthropicConfig {
    /// Defaults for a key and a model.
    #[must_use]
    pub fn new(api_key: SecretString, model: impl Into<String>) -> Self {
        let model = model.into();
        Self {
            api_key,
            base_url: DEFAULT_BASE_URL.to_owned(),
            allow_insecure_http: false,
            timeouts: Timeouts::default(),
            max_response_bytes: 4 << 20,
            capabilities: Capabilities::of(&model),
            trust_roots: TrustRoots::Bundled,
            propagate: None,
            content_in_spans: false,
            model,
        }
    }

    /// Checks the settings that stand alone, and makes what the client needs of them.
    pub(crate) fn check(&self) -> Result<Checked, ConfigError> {
        check_model(&self.model)?;
        if self.max_response_bytes == 0 {
            return Err(ConfigError::MaxResponseBytes);
        }
        let base = Base::parse(&self.base_url, self.allow_insecure_http)?;
        Ok(Checked {
            messages: base.endpoint("/v1/messages")?,
            count_tokens: base.endpoint("/v1/messages/count_tokens")?,
            is_https: base.is_https,
            api_key: key_header(&self.api_key)?,
        })
    }
}

/// The usable form of the checked settings.
pub(crate) struct Checked {
    pub(crate) messages: Uri,
    pub(crate) count_tokens: Uri,
    pub(crate) is_https: bool,
    pub(crate) api_key: HeaderValue,
}

/// Limits of time, each with an error of its own.
///
/// The whole call is also limited by [`Request::deadline`](crate::Request::deadline),
/// whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    connect: Duration,
    first_byte: Duration,
    idle: Duration,
    total: Duration,
}

impl Timeouts {
    /// Limits for opening a connection (TLS included), for the wait from then to the
    /// answer's headers, and for the whole call.
    ///
    /// Without streaming the provider sends its headers when the answer is nearly finished:
    /// `first_byte` must allow for the whole generation.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Timeouts`] where one is zero or `total` is shorter than another.
    pub fn try_new(
        connect: Duration,
        first_byte: Duration,
        total: Duration,
    ) -> Result<Self, ConfigError> {
        if connect.is_zero() || first_byte.is_zero() || total < connect.max(first_byte) {
            return Err(ConfigError::Timeouts);
        }
        Ok(Self {
            connect,
            first_byte,
            idle: DEFAULT_IDLE,
            total,
        })
    }

    /// Sets the limit between one event of a stream and the next; a ping is an event too.
    /// Default: 30 s. It counts only while the reader waits. One that is longer than the whole
    /// call's is never reached.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Timeouts`] where it is zero.
    pub fn with_idle(self, idle: Duration) -> Result<Self, ConfigError> {
        if idle.is_zero() {
            return Err(ConfigError::Timeouts);
        }
        Ok(Self { idle, ..self })
    }

    /// Limit for opening a connection.
    #[must_use]
    pub const fn connect(&self) -> Duration {
        self.connect
    }

    /// Limit from an open connection to the answer's headers; of a stream, to its first event.
    #[must_use]
    pub const fn first_byte(&self) -> Duration {
        self.first_byte
    }

    /// Limit between one event of a stream and the next.
    #[must_use]
    pub const fn idle(&self) -> Duration {
        self.idle
    }

    /// Limit for the whole call.
    #[must_use]
    pub const fn total(&self) -> Duration {
        self.total
    }
}

impl Default for Timeouts {
    /// 5 s to connect, 60 s to the headers, 30 s between events, 90 s in all.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            idle: DEFAULT_IDLE,
            total: Duration::from_secs(90),
        }
    }
}

/// Which certificate authorities are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TrustRoots {
    /// Mozilla's list, compiled in: works in an empty container.
    #[default]
    Bundled,
    /// The machine's own list: needed behind a company's proxy that re-signs TLS. Read once,
    /// when the client is made.
    System,
    /// Only the certificates in this PEM text: one's own authority, or a single server.
    Pem(String),
}

/// Why a client can't be made: a mistake of the operator's. The texts hold no values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The key is blank or holds what no header may.
    #[error("the API key is blank or has characters that no header may hold")]
    ApiKey,
    /// The model's name isn't 1 to 128 visible ASCII characters.
    #[error("the model's name isn't 1 to 128 visible ASCII characters")]
    Model,
    /// The base URL isn't `http(s)://host[:port][/path]`.
    #[error("the base URL isn't http(s)://host[:port][/path]")]
    BaseUrl,
    /// The base URL is plain http to a host that isn't loopback.
    #[error("the base URL is plain http to a host that isn't loopback, and this isn't allowed")]
    InsecureBaseUrl,
    /// A time-out is zero, or the whole call's is shorter than one of its parts.
    #[error("a time-out is zero, or the whole call's is shorter than one of its parts")]
    Timeouts,
    /// The limit on the answer's size is zero.
    #[error("the limit on the answer's size is zero")]
    MaxResponseBytes,
    /// TLS can't be set up.
    #[error("TLS can't be set up")]
    Tls(#[source] rustls::Error),
    /// The trusted certificates can't be read, or there are none.
    #[error("the trusted certificates can't be read, or there are none")]
    TrustRoots(#[source] std::io::Error),
}

/// Checks that a model's name is one, and fit for a label.
pub(crate) fn check_model(model: &str) -> Result<(), ConfigError> {
    let fits = |c: char| c.is_ascii_graphic();
    if model.is_empty() || model.len() > 128 || !model.chars().all(fits) {
        return Err(ConfigError::Model);
    }
    Ok(())
}

/// A checked base URL.
pub(crate) struct Base {
    uri: Uri,
    authority: Authority,
    scheme: Scheme,
    pub(crate) is_https: bool,
}

impl Base {
    /// Checks the form, and that nothing travels in clear without permission.
    pub(crate) fn parse(base_url: &str, allow_insecure: bool) -> Result<Self, ConfigError> {
        let uri: Uri = base_url
            .trim()
            .trim_end_matches('/')
            .parse()
            .map_err(|_| ConfigError::BaseUrl)?;
        let authority = uri.authority().ok_or(ConfigError::BaseUrl)?.clone();
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(ConfigError::BaseUrl);
        }
        let scheme = uri.scheme().ok_or(ConfigError::BaseUrl)?.clone();
        let is_https = scheme == Scheme::HTTPS;
        if !is_https && scheme != Scheme::HTTP {
            return Err(ConfigError::BaseUrl);
        }
        if !is_https && !allow_insecure && !is_loopback(&authority) {
            return Err(ConfigError::InsecureBaseUrl);
        }
        Ok(Self {
            uri,
            authority,
            scheme,
            is_https,
        })
    }

    /// The address of a path under it.
    pub(crate) fn endpoint(&self, path: &str) -> Result<Uri, ConfigError> {
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(format!("{}{path}", self.uri.path().trim_end_matches('/')))
            .build()
            .map_err(|_| ConfigError::BaseUrl)
    }
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn key_header(key: &SecretString) -> Result<HeaderValue, ConfigError> {
    let key = key.expose_secret().trim();
    if key.is_empty() {
        return Err(ConfigError::ApiKey);
    }
    let mut value = HeaderValue::from_str(key).map_err(|_| ConfigError::ApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint_of(base_url: &str) -> Result<String, ConfigError> {
        let base = Base::parse(base_url, false)?;
        base.endpoint("/v1/messages").map(|uri| uri.to_string())
    }

    #[test]
    fn the_path_is_added_to_the_base() {
        for (base, expected) in [
            (
                "https://api.anthropic.com",
                "https://api.anthropic.com/v1/messages",
            ),
            (
                "https://api.anthropic.com/",
                "https://api.anthropic.com/v1/messages",
            ),
            (
                "https://proxy.example/llm/",
                "https://proxy.example/llm/v1/messages",
            ),
            ("http://127.0.0.1:9", "http://127.0.0.1:9/v1/messages"),
            ("http://[::1]:9", "http://[::1]:9/v1/messages"),
            ("http://LOCALHOST:9", "http://localhost:9/v1/messages"),
        ] {
            let found = endpoint_of(base).unwrap();
            assert!(
                found.eq_ignore_ascii_case(expected),
                "{found} for {expected}"
            );
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for base in [
            "",
            "api.anthropic.com",
            "/v1",
            "ftp://host",
            "https://user:pass@host",
            "https://host?x=1",
            "https://",
        ] {
            assert!(
                matches!(endpoint_of(base), Err(ConfigError::BaseUrl)),
                "{base}"
            );
        }
    }

    #[test]
    fn plain_http_needs_loopback_or_permission() {
        let base = "http://mock.internal:8010";
        assert!(matches!(
            endpoint_of(base),
            Err(ConfigError::InsecureBaseUrl)
        ));
        assert!(Base::parse(base, true).is_ok());
        assert!(matches!(
            endpoint_of("http://localhost.evil.example"),
            Err(ConfigError::InsecureBaseUrl)
        ));
    }

    #[test]
    fn time_outs_are_checked_together() {
        let second = Duration::from_secs(1);
        assert!(Timeouts::try_new(second, second, second).is_ok());
        assert!(Timeouts::try_new(Duration::ZERO, second, second).is_err());
        assert!(Timeouts::try_new(second, Duration::ZERO, second).is_err());
        assert!(Timeouts::try_new(second, second * 2, second).is_err());
        let default = Timeouts::default();
        assert!(
            Timeouts::try_new(default.connect(), default.first_byte(), default.total()).is_ok()
        );
    }

    #[test]
    fn a_key_is_trimmed_sensitive_and_never_shown() {
        let key = SecretString::from(" sk-ant-secret\n");
        let header = key_header(&key).unwrap();
        assert_eq!(header, "sk-ant-secret");
        assert!(header.is_sensitive());
        for bad in ["", "  ", "a\nb", "clave-ñ\u{7f}"] {
            assert!(key_header(&SecretString::from(bad)).is_err(), "{bad:?}");
        }
        let config = AnthropicConfig::new(key, "claude-sonnet-4-5");
        assert!(!format!("{config:?}").contains("secret\""));
        assert!(!format!("{config:?}").contains("sk-ant"));
    }
}
