//! The parameters of a URL's query.

use std::borrow::Cow;

use crate::fields::whole_number;
use crate::problem::Problem;

/// The parameters, decoded. Of two with one name the first counts.
#[derive(Debug)]
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads the part after the `?`.
    pub(crate) fn read(query: Option<&'a str>) -> Self {
        let pairs = query.unwrap_or_default().split('&');
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The parameter of this name, if it says anything.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// One of a few words; 400 for another.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
        default: T,
    ) -> Result<T, Problem> {
        let Some(given) = self.get(name) else {
            return Ok(default);
        };
        let known = words
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(given));
        known.map(|(_, value)| *value).ok_or_else(|| {
            let list: Vec<_> = words.iter().map(|(word, _)| format!("«{word}»")).collect();
            Problem::bad_parameter(format!("«{name}» debe ser {}.", list.join(" o ")))
        })
    }

    /// A whole number within bounds; 400 for anything else.
    pub(crate) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, Problem> {
        let Some(given) = self.get(name) else {
            return Ok(default);
        };
        let number = whole_number(given).filter(|n| bounds.contains(n));
        number.ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            Problem::bad_parameter(format!(
                "«{name}» debe ser un número entero de {least} a {most}."
            ))
        })
    }
}

/// `+` is a blank, `%XX` a byte; what isn't UTF-8 then is replaced.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.and_then(|two| u8::from_str_radix(two, 16).ok());
        rest = match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                tail.get(2..).unwrap_or_default()
            }
            (b'+', _) => {
                bytes.push(b' ');
                tail
            }
            _ => {
                bytes.push(*first);
                tail
            }
        };
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_values() {
        let query = Query::read(Some("query=nota+de+cr%C3%A9dito&top_k=3&vacio=&x&top_k=9"));
        assert_eq!(query.get("query"), Some("nota de crédito"));
        assert_eq!(query.get("vacio"), None);
        assert_eq!(query.get("x"), None);
        assert_eq!(query.number("top_k", 1..=20, 5).unwrap(), 3);
        assert_eq!(query.number("limit", 1..=20, 5).unwrap(), 5);
        assert_eq!(query.number("query", 1..=20, 5).unwrap_err().status(), 400);
        assert_eq!(query.number("top_k", 4..=20, 5).unwrap_err().status(), 400);
        assert_eq!(
            Query::read(Some("n=7.0")).number("n", 1..=20, 5).unwrap(),
            7
        );
        let words = [("si", true), ("no", false)];
        assert!(!Query::read(Some("x=NO")).word("x", &words, true).unwrap());
        assert!(Query::read(Some("x=tal")).word("x", &words, true).is_err());
        assert!(Query::read(None).word("x", &words, true).unwrap());
        assert_eq!(Query::read(Some("a=%zz%4")).get("a"), Some("%zz%4"));
    }

    proptest! {
        #[test]
        fn any_query_is_read(text in "[%+=&a-f0-9]{0,40}|\\PC{0,40}") {
            let _ = Query::read(Some(&text)).get("a");
        }
    }
}
