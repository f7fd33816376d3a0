//! What commands and scripts answer, read; and what they are given, written.

use std::time::Duration;

use fred::types::Value;

use super::fault::Fault;
use crate::{Added, ErrorKind, Lease, StoreError};

/// Longest lifetime, in milliseconds: Redis adds it to the time of day and refuses an overflow.
pub(super) const MAX_LIFETIME: u128 = 100_000_000_000_000;

/// The first word of a script's answer that is no answer.
pub(super) fn refused(word: &str) -> Option<Fault> {
    let kind = match word {
        "wrong" => ErrorKind::WrongKind,
        "beyond" => ErrorKind::InvalidArgument,
        "full" => ErrorKind::Full,
        "corrupt" => ErrorKind::Corrupt,
        _ => return None,
    };
    Some(Fault::of_caller(kind))
}

pub(super) fn words(answer: Value) -> Result<Vec<String>, Fault> {
    answer
        .into_array()
        .into_iter()
        .map(|word| word.into_string().ok_or_else(Fault::reply))
        .collect()
}

pub(super) fn added(words: &[String]) -> Result<Added, Fault> {
    let (first, rest) = words.split_first().ok_or_else(Fault::reply)?;
    match (first.as_str(), rest) {
        ("all", sums) => {
            let sums: Result<_, _> = sums.iter().map(|sum| sum.parse()).collect();
            Ok(Added::All(sums.map_err(|_| Fault::reply())?))
        }
        ("over", [index, current]) => Ok(Added::Over {
            index: index.parse().map_err(|_| Fault::reply())?,
            current: current.parse().map_err(|_| Fault::reply())?,
        }),
        (word, _) => Err(refused(word).unwrap_or_else(Fault::reply)),
    }
}

pub(super) fn lease(words: &[String]) -> Result<Lease, Fault> {
    match words {
        [word, fence, first] if word == "granted" => Ok(Lease::Granted {
            fence: fence.parse().map_err(|_| Fault::reply())?,
            first: first == "1",
        }),
        [word, owner, left] if word == "held" => {
            let left: i64 = left.parse().map_err(|_| Fault::reply())?;
            Ok(Lease::Held {
                owner: owner.clone(),
                remaining: Duration::from_millis(left.max(1).unsigned_abs()),
            })
        }
        [word] => Err(refused(word).unwrap_or_else(Fault::reply)),
        _ => Err(Fault::reply()),
    }
}

/// 1 or 0, as the one word of a script's answer.
pub(super) fn one_word(
    answer: Result<Value, Fault>,
    context: &'static str,
) -> Result<bool, StoreError> {
    let words = answer.and_then(words);
    let words = words.map_err(|fault| fault.into_error(context))?;
    match words.first().map(String::as_str) {
        Some("1") => Ok(true),
        Some("0") => Ok(false),
        word => {
            let fault = word.and_then(refused).unwrap_or_else(Fault::reply);
            Err(fault.into_error(context))
        }
    }
}

/// Whether a number of things was changed.
pub(super) fn said(
    answer: Result<Value, Fault>,
    context: &'static str,
) -> Result<bool, StoreError> {
    let number = answer.and_then(integer);
    number
        .map(|number| number > 0)
        .map_err(|fault| fault.into_error(context))
}

pub(super) fn integer(answer: Value) -> Result<i64, Fault> {
    answer.as_i64().ok_or_else(Fault::reply)
}

/// A lifetime in milliseconds, as scripts and commands take it; empty for none. A part of a
/// millisecond counts as a whole one, so that nothing ends before its time.
pub(super) fn millis(lifetime: Option<Duration>) -> Value {
    let text = lifetime.map(|lifetime| whole_millis(lifetime).to_string());
    Value::from(text.unwrap_or_default())
}

pub(super) fn whole_millis(lifetime: Duration) -> u128 {
    lifetime.as_nanos().div_ceil(1_000_000).min(MAX_LIFETIME)
}

/// Where the last fence of a lease is kept, in the same slot as the lease. None where the name
/// has braces that make no hash tag, so that no other name is sure to share its slot.
pub(super) fn fence_key(prefix: &str, name: &str) -> Option<String> {
    let tag = match name
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
    {
        Some((tag, _)) if !tag.is_empty() => tag,
        _ if !name.contains('}') => name,
        _ => return None,
    };
    let at = name.len() - name.strip_prefix(prefix).map_or(name.len(), str::len);
    let rest = name.get(at..)?;
    Some(format!("{prefix}fence\0{{{tag}}}\0{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_fence_lies_beside_its_lease(key in "[a-c{}:]{1,12}", other in "[a-c{}:]{1,12}") {
            let slot = |name: &str| fred::util::redis_keyslot(name.as_bytes());
            let name = format!("ai:{key}");
            if let Some(fence) = fence_key("ai:", &name) {
                prop_assert_eq!(slot(&fence), slot(&name));
                if other != key {
                    prop_assert_ne!(fence_key("ai:", &format!("ai:{other}")), Some(fence));
                }
            } else {
                let has_brace = key.contains('}');
                prop_assert!(has_brace);
            }
        }

        #[test]
        fn no_answer_panics(words: Vec<String>) {
            let _ = added(&words).is_ok();
            let _ = lease(&words).is_ok();
        }
    }
}
