//! The name of one request, in its answer and in every log line about it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::fmt::Hyphenated;
use uuid::{Builder, Uuid};

/// Longest id that is taken over from a client, in characters.
const MAX_CHARS: usize = 128;

/// What is shorter is no key, and might be found in any id.
const SHORTEST_KEY: usize = 8;

/// Where it stands; as a name made ahead, which needn't be read at each request.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of one request.
pub(crate) enum RequestId {
    /// The client's own.
    Given(HeaderValue),
    /// A UUID in its usual form.
    Made([u8; Hyphenated::LENGTH]),
}

impl RequestId {
    /// The client's `X-Request-ID` where it is fit to stand in a header and a log line, else a
    /// new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        headers
            .get(X_REQUEST_ID)
            .filter(|value| {
                let id = value.to_str();
                id.is_ok_and(|id| is_plain(id) && !gives_away_a_key(id, headers))
            })
            .map_or_else(Self::new, |value| Self::Given(value.clone()))
    }

    /// A UUID v7 whose lower part is the process's own random number with a counter in it: as
    /// unique as a random one, without asking the kernel for randomness at every request.
    fn new() -> Self {
        static SEED: OnceLock<u128> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let seed = *SEED.get_or_init(|| Uuid::new_v4().as_u128());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let random = (seed ^ u128::from(count)).to_be_bytes();
        let mut tail = [0; 10];
        // The counter is at the end: version and variant are written over the beginning.
        tail.copy_from_slice(&random[6..]);
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let millis = u64::try_from(since_epoch.as_millis()).unwrap_or_default();
        let id = Builder::from_unix_timestamp_millis(millis, &tail).into_uuid();
        let mut text = [0; Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut text);
        Self::Made(text)
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        let text = match self {
            Self::Given(value) => value.as_bytes(),
            Self::Made(text) => text,
        };
        // Both are ASCII.
        str::from_utf8(text).unwrap_or_default()
    }
}

/// Whether an id repeats the key that came with it: an id stands in the log, a key never does.
fn gives_away_a_key(id: &str, headers: &HeaderMap) -> bool {
    let id = id.as_bytes();
    let names = [AUTHORIZATION, HeaderName::from_static("x-api-key")];
    let keys = names.iter().flat_map(|name| headers.get_all(name));
    keys.filter_map(|value| value.as_bytes().rsplit(|byte| *byte == b' ').next())
        .filter(|key| key.len() >= SHORTEST_KEY)
        .any(|key| id.windows(key.len()).any(|part| part == key))
}

fn is_plain(id: &str) -> bool {
    (1..=MAX_CHARS).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &HeaderMap) -> String {
        RequestId::of(headers).as_str().to_owned()
    }

    #[test]
    fn only_plain_ids_are_taken_over() {
        for (id, kept) in [
            ("req-1", true),
            ("a b", false),
            ("\"x\"", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("x-request-id"),
                id.parse().unwrap(),
            )]);
            assert_eq!(of(&headers) == id, kept, "{id}");
        }
        let made: std::collections::HashSet<_> =
            (0..10_000).map(|_| of(&HeaderMap::new())).collect();
        assert_eq!(made.len(), 10_000);
        for id in made.iter().take(10) {
            assert_eq!(Uuid::parse_str(id).unwrap().get_version_num(), 7);
        }
        assert!(!is_plain(&"x".repeat(129)));
    }

    #[test]
    fn an_id_that_repeats_the_key_is_not_taken_over() {
        let key = "0123456789abcdef0123456789abcdef";
        let with = |name: &'static str, value: String, id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            headers.insert("x-request-id", id.parse().unwrap());
            of(&headers)
        };
        let bearer = || format!("Bearer {key}");
        assert_eq!(with("authorization", bearer(), "req-1"), "req-1");
        for (name, value) in [("authorization", bearer()), ("x-api-key", key.to_owned())] {
            for id in [key.to_owned(), format!("req-{key}-1")] {
                assert!(!with(name, value.clone(), &id).contains(key));
            }
        }
    }
}
