//! How often a key may ask: a limit that all replicas share.

use std::time::Duration;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use store::Throttled;
use tokio::time::timeout;

use crate::app::Shared;
use crate::auth::Caller;
use crate::problem::Problem;

/// Longest wait for the store's word: a store that hangs limits nobody.
const PATIENCE: Duration = Duration::from_millis(100);

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// How a key stands with its limit, for the `RateLimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    limit: u32,
    remaining: u32,
    /// Until the whole burst is there again.
    reset: Duration,
}

/// Takes one of the caller's permits, where it has a limit. Where the store doesn't answer the
/// request goes on, counted: a limit protects, it isn't worth an outage.
pub(crate) async fn admit(
    shared: &Shared,
    caller: &Caller,
) -> (Option<Standing>, Result<(), Problem>) {
    let Some((rate, key)) = caller.rate() else {
        return (None, Ok(()));
    };
    let answer = timeout(PATIENCE, shared.deps.store.throttle(key, rate, 1)).await;
    let Ok(Ok(throttled)) = answer else {
        metrics::counter!("http_rate_limit_unchecked_total").increment(1);
        return (None, Ok(()));
    };
    let Throttled {
        allowed,
        remaining,
        retry_after,
        reset_after,
        ..
    } = throttled;
    let standing = Standing {
        limit: rate.max_burst(),
        remaining,
        reset: reset_after,
    };
    if allowed {
        return (Some(standing), Ok(()));
    }
    metrics::counter!("http_rate_limited_total").increment(1);
    (
        Some(standing),
        Err(Problem::rate_limited().after(retry_after)),
    )
}

impl Standing {
    /// Tells it.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(whole_seconds(self.reset)));
    }
}

/// Rounded up: who waits so long doesn't come too early.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_whole_seconds_rounded_up() {
        for (millis, seconds) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
        let mut headers = HeaderMap::new();
        let standing = Standing {
            limit: 10,
            remaining: 3,
            reset: Duration::from_millis(6_500),
        };
        standing.write(&mut headers);
        assert_eq!(headers["ratelimit-limit"], "10");
        assert_eq!(headers["ratelimit-remaining"], "3");
        assert_eq!(headers["ratelimit-reset"], "7");
    }
}
