//! What the provider says of the account's limits, read from the headers of its answers.

use std::cell::LazyCell;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::failure::answered_at;

/// The headers of one limit: the most, what is left, and when it is whole again.
const fn names(limit: &'static str, left: &'static str, reset: &'static str) -> [HeaderName; 3] {
    [
        HeaderName::from_static(limit),
        HeaderName::from_static(left),
        HeaderName::from_static(reset),
    ]
}

static ANTHROPIC_REQUESTS: [HeaderName; 3] = names(
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
);
static ANTHROPIC_TOKENS: [HeaderName; 3] = names(
    "anthropic-ratelimit-tokens-limit",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
);
static ANTHROPIC_INPUT_TOKENS: [HeaderName; 3] = names(
    "anthropic-ratelimit-input-tokens-limit",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-input-tokens-reset",
);
static ANTHROPIC_OUTPUT_TOKENS: [HeaderName; 3] = names(
    "anthropic-ratelimit-output-tokens-limit",
    "anthropic-ratelimit-output-tokens-remaining",
    "anthropic-ratelimit-output-tokens-reset",
);
static OPENAI_REQUESTS: [HeaderName; 3] = names(
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
);
static OPENAI_TOKENS: [HeaderName; 3] = names(
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
);

/// One limit of the account: so many in a period, so many left, and when it is whole again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The most in a period, where it was told.
    pub limit: Option<u64>,
    /// What is left of it.
    pub remaining: u64,
    /// From the answer until it is whole again, where it was told. Zero where that is past.
    pub reset_after: Option<Duration>,
}

/// The account's limits as of one answer. A limit that wasn't told is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RateLimits {
    /// Requests.
    pub requests: Option<RateLimit>,
    /// Tokens, input and output together; of several limits the provider tells the tightest.
    pub tokens: Option<RateLimit>,
    /// Input tokens, as the provider counts them (cached reads usually don't).
    pub input_tokens: Option<RateLimit>,
    /// Output tokens.
    pub output_tokens: Option<RateLimit>,
}

impl RateLimits {
    /// `None` where nothing was told.
    fn if_any(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    /// Reads `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-*`, whose
    /// resets are RFC 3339 moments; they are counted from the answer's own `Date`, or `now`.
    pub(crate) fn of_anthropic(headers: &HeaderMap, now: Timestamp) -> Option<Box<Self>> {
        let now = LazyCell::new(|| answered_at(headers, now));
        let limit = |names: &[HeaderName; 3]| {
            read(headers, names, |text| {
                let at: Timestamp = text.parse().ok()?;
                Some(Duration::try_from(at.duration_since(*now)).unwrap_or(Duration::ZERO))
            })
        };
        Self {
            requests: limit(&ANTHROPIC_REQUESTS),
            tokens: limit(&ANTHROPIC_TOKENS),
            input_tokens: limit(&ANTHROPIC_INPUT_TOKENS),
            output_tokens: limit(&ANTHROPIC_OUTPUT_TOKENS),
        }
        .if_any()
    }

    /// Reads `x-ratelimit-*`, as OpenAI and gateways that imitate it send them: resets are
    /// spans such as `1s`, `6m0s` or `250ms`.
    pub(crate) fn of_openai(headers: &HeaderMap) -> Option<Box<Self>> {
        Self {
            requests: read(headers, &OPENAI_REQUESTS, span),
            tokens: read(headers, &OPENAI_TOKENS, span),
            ..Self::default()
        }
        .if_any()
    }
}

fn read(
    headers: &HeaderMap,
    [limit, remaining, reset]: &[HeaderName; 3],
    until: impl Fn(&str) -> Option<Duration>,
) -> Option<RateLimit> {
    let text = |name: &HeaderName| Some(headers.get(name)?.to_str().ok()?.trim());
    let remaining = text(remaining)?.parse().ok()?;
    Some(RateLimit {
        limit: text(limit).and_then(|text| text.parse().ok()),
        remaining,
        reset_after: text(reset).and_then(until),
    })
}

/// A span in Go's spelling, as OpenAI writes it; a bare number is seconds.
fn span(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at(letters);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        rest = next;
    }
    Duration::try_from_secs_f64(total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        rows.iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn anthropics_headers_are_read_and_what_is_missing_stays_missing() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let headers = headers(&[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2026-11-22T12:00:30Z"),
            ("anthropic-ratelimit-output-tokens-remaining", "8000"),
            (
                "anthropic-ratelimit-output-tokens-reset",
                "2026-11-22T11:59:00Z",
            ),
            ("anthropic-ratelimit-tokens-limit", "1000"),
            ("anthropic-ratelimit-input-tokens-remaining", "muchos"),
        ]);
        let limits = *RateLimits::of_anthropic(&headers, now).unwrap();
        let requests = limits.requests.unwrap();
        assert_eq!((requests.limit, requests.remaining), (Some(50), 49));
        assert_eq!(requests.reset_after, Some(Duration::from_secs(30)));
        let output = limits.output_tokens.unwrap();
        assert_eq!((output.limit, output.remaining), (None, 8000));
        assert_eq!(output.reset_after, Some(Duration::ZERO), "it is past");
        assert_eq!((limits.tokens, limits.input_tokens), (None, None));
        assert_eq!(RateLimits::of_anthropic(&HeaderMap::new(), now), None);
    }

    #[test]
    fn openais_spans_are_read() {
        for (text, expected) in [
            ("1s", Some(1_000)),
            ("6m0s", Some(360_000)),
            ("250ms", Some(250)),
            ("1h2m3.5s", Some(3_723_500)),
            ("2", Some(2_000)),
            ("", Some(0)),
            ("s", None),
            ("5 parsecs", None),
            ("-1s", None),
            ("9999999999999999999999999h", None),
        ] {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(span(text), expected, "{text}");
        }
        let headers = headers(&[
            ("x-ratelimit-remaining-requests", "9"),
            ("x-ratelimit-reset-requests", "120ms"),
        ]);
        let requests = RateLimits::of_openai(&headers).unwrap().requests.unwrap();
        assert_eq!(requests.reset_after, Some(Duration::from_millis(120)));
    }
}
