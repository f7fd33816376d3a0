//! The name of one request, in its answer and in every log line about it.

use http::HeaderMap;
use uuid::Uuid;

/// Longest id that is taken over from a client, in characters.
const MAX_CHARS: usize = 128;

/// The client's `X-Request-ID` where it is fit to stand in a header and a log line, else a
/// new one.
pub(crate) fn of(headers: &HeaderMap) -> String {
    headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_plain(id))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
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

    #[test]
    fn only_plain_ids_are_taken_over() {
        for (id, kept) in [
            ("req-1", true),
            ("a b", false),
            ("\"x\"", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("x-request-id"),
                id.parse().unwrap(),
            )]);
            assert_eq!(of(&headers) == id, kept, "{id}");
        }
        assert_eq!(of(&HeaderMap::new()).len(), 36);
        assert!(!is_plain(&"x".repeat(129)));
    }
}
