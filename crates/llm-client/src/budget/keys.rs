//! The names of the counters in the store. All share one hash tag, so that they can be
//! changed together on a cluster.

use std::fmt::Write as _;

use jiff::civil::Date;

/// What every key begins with.
pub(crate) const TAG: &str = "{llm}";
/// A name that is longer after escaping is replaced by its hash.
const MAX_NAME_BYTES: usize = 100;

/// Whose money a counter counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purse {
    /// Everybody's.
    Total,
    /// One account's, by its escaped name.
    Account(String),
}

impl Purse {
    pub(crate) fn of_account(account: &str) -> Self {
        Self::Account(escape(account))
    }

    /// `*`, which no escaped name is, or the account's name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Total => "*",
            Self::Account(name) => name,
        }
    }

    /// What is spent and reserved of the day, in pico-dollars.
    pub(crate) fn committed(&self, date: Date) -> String {
        format!("{TAG}:spent:{date}:{}", self.name())
    }

    /// What was reserved in one slot of the day and isn't settled, below zero.
    pub(crate) fn open(&self, date: Date, slot: i64) -> String {
        format!("{TAG}:open:{date}:{slot}:{}", self.name())
    }
}

/// A name as a part of a key: bounded, printable, without separators; two names never become
/// one.
pub(crate) fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
        if escaped.len() > MAX_NAME_BYTES {
            return format!("~{}", blake3::hash(name.as_bytes()).to_hex());
        }
    }
    escaped
}

/// The name that was escaped; a hashed one stays a hash.
pub(crate) fn unescape(escaped: &str) -> String {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *byte == b'%');
        let code = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_says_what_it_counts() {
        let date = jiff::civil::date(2026, 11, 22);
        let purse = Purse::of_account("erp:sur *");
        assert_eq!(
            purse.committed(date),
            "{llm}:spent:2026-11-22:erp%3Asur%20%2A"
        );
        assert_eq!(Purse::Total.open(date, 7), "{llm}:open:2026-11-22:7:*");
    }

    proptest! {
        #[test]
        fn names_are_bounded_and_told_apart(a in ".{0,200}", b in ".{0,200}") {
            let (x, y) = (escape(&a), escape(&b));
            prop_assert!(x.len() <= MAX_NAME_BYTES + 2);
            prop_assert_eq!(a == b, x == y);
            if !x.starts_with('~') {
                prop_assert_eq!(unescape(&x), a);
            }
        }

        #[test]
        fn anything_unescapes_to_something(text in ".*") {
            let _ = unescape(&text);
        }
    }
}
