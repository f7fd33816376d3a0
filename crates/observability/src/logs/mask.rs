//! What identifies a person or a company is masked in every text of every line.
//!
//! Nothing of ours logs such a thing; an id that a client chose, or an error's text from below,
//! may hold one all the same.

use std::borrow::Cow;

const RUT: &str = "[rut]";
const EMAIL: &str = "[email]";

/// The text with every RUT (`12.345.678-5`, `12345678-5`) and every address of mail masked.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut from = 0;
    while let Some(at) = next_sign(text, from) {
        let found = match text.as_bytes().get(at) {
            Some(b'@') => email(text, at, kept).map(|found| (found, EMAIL)),
            _ => rut(text, at, kept).map(|found| (found, RUT)),
        };
        from = at + 1;
        if let Some(((begin, end), mask)) = found {
            out.push_str(text.get(kept..begin).unwrap_or_default());
            out.push_str(mask);
            (kept, from) = (end, end);
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

fn next_sign(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let at = rest
        .iter()
        .position(|byte| *byte == b'@' || *byte == b'-')?;
    Some(from + at)
}

/// Where the RUT begins and ends whose dash is at `dash`; not before `least`.
fn rut(text: &str, dash: usize, least: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_check = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'k' | b'K');
    bytes.get(dash + 1).filter(|byte| is_check(byte))?;
    let end = dash + 2;
    if bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let number = bytes.get(least..dash)?;
    let of_number = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
    let length = number.iter().rev().take_while(of_number).count();
    let begin = dash - length;
    let digits = bytes.get(begin..dash)?.iter();
    let digits = digits.filter(|byte| byte.is_ascii_digit()).count();
    // A word that only ends in digits is an identifier of another kind.
    let joined = begin > least && bytes.get(begin - 1).is_some_and(u8::is_ascii_alphanumeric);
    ((6..=9).contains(&digits) && !joined).then_some((begin, end))
}

/// Where the address begins and ends whose sign is at `at`; not before `least`.
fn email(text: &str, at: usize, least: usize) -> Option<(usize, usize)> {
    let local = |c: &char| c.is_alphanumeric() || "._%+-".contains(*c);
    let domain = |c: &char| c.is_alphanumeric() || ".-".contains(*c);
    let before = text.get(least..at)?.chars().rev().take_while(local);
    let before: usize = before.map(char::len_utf8).sum();
    let after = text.get(at + 1..)?.chars().take_while(domain);
    let after: usize = after.map(char::len_utf8).sum();
    (before > 0 && after > 0).then_some((at - before, at + 1 + after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ruts_and_addresses_are_masked_wherever_they_are() {
        for (text, expected) in [
            ("12.345.678-5", "[rut]"),
            ("rut 76192083-9, 1.234.567-k.", "rut [rut], [rut]."),
            ("x=12345678-K;y", "x=[rut];y"),
            ("juana.perez+x@correo.cl", "[email]"),
            ("de ñandú@empresa.cl a b@c.d", "de [email] a [email]"),
            ("a@b 12345678-5@c.d", "[email] [rut]@c.d"),
            ("e: 12345678-5-6", "e: [rut]-6"),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_neither_stays() {
        for text in [
            "",
            "01a2f3b4-12345678-5abc",
            "0199f6a0-7b7c-7e0e-8f00-0123456789ab",
            "01990000-0000-7000-8000-000000000000",
            "2026-11-22",
            "POST /api/ai/validate",
            "claude-sonnet-4-5",
            "@",
            "a@",
            "@b",
            "-",
            "1-9",
            "--@@--",
            "abc12345678-5",
            "12345678-55",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn no_text_breaks_it() {
        let parts = ["1234567", "-", "5", "@", "ñ", ".", "k", " ", "🦤"];
        let mut state = 7_usize;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..8 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text.push_str(parts[(state >> 33) % parts.len()]);
            }
            let once = masked(&text).into_owned();
            assert!(once.len() <= text.len() * 7 + 7);
        }
    }
}
