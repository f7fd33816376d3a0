//! The `anthropic-ratelimit-*` headers: one-minute windows, reported and never enforced (a
//! 429 comes from a fault, when a test wants one).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::rfc3339;

const WINDOW_SECONDS: u64 = 60;

const REQUESTS: u64 = 4_000;
const INPUT_TOKENS: u64 = 2_000_000;
const OUTPUT_TOKENS: u64 = 400_000;

/// What the current minute has used up.
#[derive(Debug, Default)]
pub(crate) struct RateWindow(Mutex<Used>);

#[derive(Clone, Copy, Debug, Default)]
struct Used {
    minute: u64,
    requests: u64,
    input: u64,
    output: u64,
}

impl RateWindow {
    /// Counts a request, and writes the headers that go with its answer.
    pub(crate) fn count(&self, now: Duration, input: u32, output: u32, headers: &mut HeaderMap) {
        let minute = now.as_secs() / WINDOW_SECONDS;
        let used = {
            let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if used.minute != minute {
                *used = Used {
                    minute,
                    ..Used::default()
                };
            }
            used.requests += 1;
            used.input += u64::from(input);
            used.output += u64::from(output);
            *used
        };
        let end = Duration::from_secs((minute + 1) * WINDOW_SECONDS);
        if let Ok(reset) = HeaderValue::from_str(&rfc3339(end)) {
            write(headers, &used, &reset);
        }
    }
}

fn write(headers: &mut HeaderMap, used: &Used, reset: &HeaderValue) {
    let rows = [
        (
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
            REQUESTS,
            used.requests,
        ),
        (
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
            INPUT_TOKENS + OUTPUT_TOKENS,
            used.input + used.output,
        ),
        (
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
            INPUT_TOKENS,
            used.input,
        ),
        (
            "anthropic-ratelimit-output-tokens-limit",
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
            OUTPUT_TOKENS,
            used.output,
        ),
    ];
    for (limit, remaining, until, most, used) in rows {
        headers.insert(HeaderName::from_static(limit), most.into());
        headers.insert(
            HeaderName::from_static(remaining),
            most.saturating_sub(used).into(),
        );
        headers.insert(HeaderName::from_static(until), reset.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_and_starts_anew() {
        let window = RateWindow::default();
        let count = |seconds, input, output| {
            let mut headers = HeaderMap::new();
            window.count(Duration::from_secs(seconds), input, output, &mut headers);
            assert_eq!(headers.len(), 12);
            let text = |name: &str| headers[name].to_str().unwrap().to_owned();
            (
                text("anthropic-ratelimit-requests-remaining"),
                text("anthropic-ratelimit-tokens-remaining"),
                text("anthropic-ratelimit-tokens-reset"),
            )
        };
        let row = |requests: &str, tokens: &str, reset: &str| {
            (requests.to_owned(), tokens.to_owned(), reset.to_owned())
        };
        assert_eq!(
            count(0, 100, 10),
            row("3999", "2399890", "1970-01-01T00:01:00Z")
        );
        assert_eq!(
            count(59, 0, 0),
            row("3998", "2399890", "1970-01-01T00:01:00Z")
        );
        assert_eq!(
            count(60, 1, 1),
            row("3999", "2399998", "1970-01-01T00:02:00Z")
        );
        let (_, tokens, _) = count(61, u32::MAX, 0);
        assert_eq!(tokens, "0");
    }
}
