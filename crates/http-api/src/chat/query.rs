//! The query of a search.

use super::wrong_parameter;
use crate::problem::Problem;

/// Longest search, in characters.
const MAX_CHARS: usize = 1_000;
/// Most results.
const MAX_RESULTS: usize = 20;
const DEFAULT_RESULTS: usize = 3;

/// What is searched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) query: String,
    pub(super) top_k: usize,
    pub(super) module: Option<String>,
}

/// Reads the part of a URI after `?`.
pub(super) fn search(text: &str) -> Result<Search, Problem> {
    let value = |wanted: &str| {
        let mut pairs = text
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let found = pairs.find(|(name, _)| decoded(name) == wanted);
        found
            .map(|(_, value)| decoded(value))
            .filter(|value| !value.trim().is_empty())
    };
    let query = value("query").filter(|query| query.chars().count() <= MAX_CHARS);
    let query = query.ok_or_else(|| {
        wrong_parameter(
            "query",
            "string_length",
            "«query» debe tener entre 1 y 1000 caracteres.",
        )
    })?;
    let top_k = match value("top_k") {
        None => DEFAULT_RESULTS,
        Some(number) => number
            .trim()
            .parse()
            .ok()
            .filter(|number| (1..=MAX_RESULTS).contains(number))
            .ok_or_else(|| wrong_parameter("top_k", "range", "«top_k» debe ser de 1 a 20."))?,
    };
    Ok(Search {
        query,
        top_k,
        module: value("module"),
    })
}

/// A value of a form: `+` is a space, `%C3%B1` a byte each. What is no UTF-8 becomes `�`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let escaped = (*first == b'%')
            .then(|| after.split_at_checked(2))
            .flatten();
        let byte = escaped.and_then(|(hex, after)| {
            let plain = hex.iter().all(u8::is_ascii_hexdigit);
            let hex = std::str::from_utf8(hex).ok().filter(|_| plain)?;
            Some((u8::from_str_radix(hex, 16).ok()?, after))
        });
        match byte {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None if *first == b'+' => bytes.push(b' '),
            None => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_and_bounds_hold() {
        let found = search("top_k=5&query=%C2%BFc%C3%B3mo+anulo%3F&module=l10n_cl_dte").unwrap();
        assert_eq!(found.query, "¿cómo anulo?");
        assert_eq!(
            (found.top_k, found.module.as_deref()),
            (5, Some("l10n_cl_dte"))
        );
        assert_eq!(search("query=100%25").unwrap().query, "100%");
        assert_eq!(search("query=%zz%f").unwrap().query, "%zz%f");
        assert_eq!(search("query=a&module=").unwrap().module, None);
        for bad in [
            "",
            "query=",
            "query=+",
            "q=a",
            "query=a&top_k=0",
            "query=a&top_k=21",
            "query=a&top_k=x",
        ] {
            assert_eq!(search(bad).unwrap_err().status(), 422, "{bad}");
        }
        assert!(search(&format!("query={}", "a".repeat(1_001))).is_err());
    }
}
