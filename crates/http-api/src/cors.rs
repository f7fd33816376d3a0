//! Which web pages may ask: those of the configured origins, and no others.

use http::Method;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use thiserror::Error;

/// Request headers that a page may send.
const SENT: &str = "authorization, x-api-key, content-type, cache-control, x-request-id, \
    traceparent, tracestate, last-event-id";

/// Answer headers that a page may read, beside those that every page may.
const READ: &str = "x-request-id, x-cache, age, server-timing, retry-after, ratelimit-limit, \
    ratelimit-remaining, ratelimit-reset";

/// The origins whose pages may ask. With none, browsers let no page of another origin read
/// anything; programs that aren't browsers don't care.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    origins: Vec<HeaderValue>,
}

/// A text that is no origin. The configuration's fault.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no origin: http or https, a host, perhaps a port, and no path (no * either)")]
pub struct OriginError(String);

impl Cors {
    /// These origins, as browsers write them: `https://erp.example.cl`.
    ///
    /// # Errors
    /// [`OriginError`] with the first text that is none.
    pub fn parse<T: AsRef<str>>(origins: &[T]) -> Result<Self, OriginError> {
        let each = origins.iter().map(|text| origin(text.as_ref()));
        let origins = each.collect::<Result<_, _>>()?;
        Ok(Self { origins })
    }

    /// The request's origin, if it is one of these.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Option<&HeaderValue> {
        if self.origins.is_empty() {
            return None;
        }
        let asked = headers.get(ORIGIN)?;
        self.origins.iter().find(|origin| *origin == asked)
    }

    /// Whether answers differ by origin, so that nobody in between may mix them up.
    pub(crate) fn is_used(&self) -> bool {
        !self.origins.is_empty()
    }
}

/// Whether a browser asks here whether a page may ask.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// What every answer to a page of `origin` says.
pub(crate) fn allow(headers: &mut HeaderMap, origin: &HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(READ),
    );
}

/// What the answer to a preflight says beside that.
pub(crate) fn preflight(headers: &mut HeaderMap) {
    let methods = HeaderValue::from_static("GET, POST, DELETE");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}

/// Says that the answer depends on who asks.
pub(crate) fn vary(headers: &mut HeaderMap) {
    headers.insert(VARY, HeaderValue::from_static("origin"));
}

fn origin(text: &str) -> Result<HeaderValue, OriginError> {
    let wrong = || OriginError(text.to_owned());
    let text = text.trim();
    let (_, host) = text
        .split_once("://")
        .filter(|(scheme, _)| ["http", "https"].contains(scheme))
        .ok_or_else(wrong)?;
    // A browser writes it in lower case, without a path or a user.
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_as_browsers_write_them() {
        for good in [
            "https://erp.example.cl",
            "http://localhost:8069",
            "https://[::1]:8443",
        ] {
            assert!(Cors::parse(&[good]).is_ok(), "{good}");
        }
        for wrong in [
            "*",
            "null",
            "",
            "https://",
            "erp.example.cl",
            "https://erp.example.cl/",
            "https://*.example.cl",
            "https://ERP.example.cl",
            "https://a@b.cl",
            "ftp://a.cl",
            "file:///etc",
        ] {
            assert!(Cors::parse(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_found_whole_or_not_at_all() {
        let cors = Cors::parse(&["https://erp.cl"]).unwrap();
        let from = |text| HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(text))]);
        assert!(cors.origin(&from("https://erp.cl")).is_some());
        for other in [
            "https://erp.cl.evil.cl",
            "http://erp.cl",
            "https://erp.cl:444",
            "null",
        ] {
            assert!(cors.origin(&from(other)).is_none(), "{other}");
        }
        assert!(cors.origin(&HeaderMap::new()).is_none());
        assert!(Cors::default().origin(&from("https://erp.cl")).is_none());
    }
}
