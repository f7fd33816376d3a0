//! How often a key may ask: a limit that all replicas share, and each for itself while the store
//! says nothing.

use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use store::{LocalLimit, Rate, Throttled};
use tokio::time::timeout;

use crate::app::Shared;
use crate::auth::{Caller, Limited};
use crate::problem::Problem;

/// Longest wait for the store's word: a store that hangs holds up nobody.
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
/// limit goes on in this process alone, counted: it protects, it isn't worth an outage.
pub(crate) async fn admit(
    shared: &Shared,
    caller: &Caller,
) -> (Option<Standing>, Result<(), Problem>) {
    let Some(Limited { rate, key, local }) = caller.limited() else {
        return (None, Ok(()));
    };
    let answer = timeout(PATIENCE, shared.deps.store.throttle(key, *rate, 1)).await;
    let told = answer.ok().and_then(Result::ok);
    let throttled = decided(local, *rate, told, Instant::now());
    let standing = Some(Standing {
        limit: rate.max_burst(),
        remaining: throttled.remaining,
        reset: throttled.reset_after,
    });
    if throttled.allowed {
        return (standing, Ok(()));
    }
    metrics::counter!("http_rate_limited_total").increment(1);
    let refused = Problem::rate_limited().after(throttled.retry_after);
    (standing, Err(refused))
}

/// What counts: what the store `told`, else what is known of it here.
fn decided(local: &LocalLimit, rate: Rate, told: Option<Throttled>, now: Instant) -> Throttled {
    if let Some(told) = told {
        local.learn(&told, now);
        return told;
    }
    metrics::counter!("http_rate_limit_local_total").increment(1);
    local.take(rate, 1, now)
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

    /// As on a disk that stalls for the third request and the last: nothing is given twice, and
    /// the caller is told as ever.
    #[test]
    fn a_store_that_says_nothing_leaves_the_limit_as_it_was() {
        let rate = Rate::per(6, Duration::from_secs(60)).unwrap();
        let rate = rate.burst(3).unwrap();
        let (local, now) = (LocalLimit::new(), Instant::now());
        let told = |allowed, remaining, wait, reset| Throttled {
            allowed,
            remaining,
            retry_after: Duration::from_secs(wait),
            reset_after: Duration::from_secs(reset),
        };
        for store in [told(true, 2, 0, 10), told(true, 1, 0, 20)] {
            assert_eq!(decided(&local, rate, Some(store), now), store);
        }
        assert_eq!(decided(&local, rate, None, now), told(true, 0, 0, 30));
        assert_eq!(decided(&local, rate, None, now), told(false, 0, 10, 30));
    }

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
