//! Equal documents in any spelling have one form; different documents have different ones.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, prop_assume, prop_oneof, proptest};
use serde_json::Value;

use super::{MAX_JSON_BYTES, MAX_JSON_DEPTH, canonicalise};
use crate::KeyErrorKind;

fn form(text: &str) -> Vec<u8> {
    canonicalise(text, &[]).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn refusal(text: &str) -> KeyErrorKind {
    canonicalise(text, &[]).unwrap_err().kind()
}

/// A document as it is meant.
#[derive(Debug, Clone, PartialEq)]
enum Doc {
    Null,
    Bool(bool),
    /// Whether it is negative, digits, power of ten.
    Number(bool, u64, i64),
    Text(String),
    List(Vec<Doc>),
    Map(BTreeMap<String, Doc>),
}

impl Doc {
    /// The same with every number in one spelling, by way of arithmetic.
    fn normal(self) -> Self {
        match self {
            Self::Number(_, 0, _) => Self::Number(false, 0, 0),
            Self::Number(negative, digits, power) if digits % 10 == 0 => {
                Self::Number(negative, digits / 10, power + 1).normal()
            }
            Self::List(items) => Self::List(items.into_iter().map(Self::normal).collect()),
            Self::Map(members) => Self::Map(
                members
                    .into_iter()
                    .map(|(name, member)| (name, member.normal()))
                    .collect(),
            ),
            other => other,
        }
    }
}

/// Documents from a small world, so that two of them are often equal or nearly so.
fn doc() -> impl Strategy<Value = Doc> {
    let number = (any::<bool>(), 0..30u64, -2..3i64);
    let leaf = prop_oneof![
        Just(Doc::Null),
        any::<bool>().prop_map(Doc::Bool),
        number.prop_map(|(negative, digits, power)| Doc::Number(negative, digits, power)),
        "[ab1\"\\\\/\n\u{1}é😀]{0,2}".prop_map(Doc::Text),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Doc::List),
            prop::collection::btree_map("[ab\"\\\\é]{0,2}", inner, 0..4).prop_map(Doc::Map),
        ]
    })
}

/// Numbers of any size.
fn wide_number() -> impl Strategy<Value = Doc> {
    (
        any::<bool>(),
        any::<u64>(),
        -1_000_000_000..1_000_000_000i64,
    )
        .prop_map(|(negative, digits, power)| Doc::Number(negative, digits, power))
}

/// Spells a document, each seed in another way.
struct Speller(u64);

impl Speller {
    /// One of `0..n` (splitmix64).
    fn pick(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn space(&mut self) -> &'static str {
        ["", "", " ", "\n\t", "\r\n  "][self.pick(5) as usize]
    }

    fn spell(&mut self, doc: &Doc) -> String {
        let (before, after) = (self.space(), self.space());
        let text = match doc {
            Doc::Null => "null".to_owned(),
            Doc::Bool(value) => value.to_string(),
            Doc::Number(negative, digits, power) => self.number(*negative, *digits, *power),
            Doc::Text(text) => self.text(text),
            Doc::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.spell(item)).collect();
                format!("[{}{}]", self.space(), items.join(","))
            }
            Doc::Map(members) => {
                let mut spelled: Vec<_> = members
                    .iter()
                    .map(|(name, member)| {
                        let (before, after) = (self.space(), self.space());
                        format!("{before}{}{after}:{}", self.text(name), self.spell(member))
                    })
                    .collect();
                for last in (1..spelled.len()).rev() {
                    let other = self.pick(last as u64 + 1) as usize;
                    spelled.swap(last, other);
                }
                format!("{{{}{}}}", self.space(), spelled.join(","))
            }
        };
        format!("{before}{text}{after}")
    }

    fn number(&mut self, negative: bool, digits: u64, power: i64) -> String {
        let padding = self.pick(3) as usize;
        let digits = format!("{digits}{}", "0".repeat(padding));
        let power = power - padding as i64;
        let (text, power) = if digits.starts_with('0') || self.pick(3) == 0 {
            let zeros = self.pick(3) as usize;
            let power = power + digits.len() as i64 + zeros as i64;
            (format!("0.{}{digits}", "0".repeat(zeros)), power)
        } else {
            let point = 1 + self.pick(digits.len() as u64) as usize;
            let (whole, fraction) = digits.split_at(point);
            let power = power + fraction.len() as i64;
            match fraction {
                "" => (whole.to_owned(), power),
                _ => (format!("{whole}.{fraction}"), power),
            }
        };
        let sign = if negative { "-" } else { "" };
        let letter = ["e", "E"][self.pick(2) as usize];
        let zeros = "0".repeat(self.pick(3) as usize);
        match power {
            0 if self.pick(2) == 0 => format!("{sign}{text}"),
            0.. => {
                let plus = ["", "+"][self.pick(2) as usize];
                format!("{sign}{text}{letter}{plus}{zeros}{power}")
            }
            _ => format!("{sign}{text}{letter}-{zeros}{}", -power),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let spelled: String = text.chars().map(|c| self.character(c)).collect();
        format!("\"{spelled}\"")
    }

    fn character(&mut self, character: char) -> String {
        let short = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' => Some("\\/"),
            '\n' => Some("\\n"),
            _ => None,
        };
        let must_escape = matches!(character, '"' | '\\' | '\0'..='\x1f');
        match (short, self.pick(3)) {
            (_, 0) if !must_escape => character.to_string(),
            (Some(short), 1) => short.to_owned(),
            _ => {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units);
                let upper = self.pick(2) == 0;
                units
                    .iter()
                    .map(|unit| match upper {
                        true => format!("\\u{unit:04X}"),
                        false => format!("\\u{unit:04x}"),
                    })
                    .collect()
            }
        }
    }
}

proptest! {
    #[test]
    fn every_spelling_has_one_form(doc in doc(), seeds in any::<[u64; 2]>()) {
        let [one, two] = seeds.map(|seed| Speller(seed).spell(&doc));
        prop_assert_eq!(form(&one), form(&two), "{} | {}", one, two);
    }

    #[test]
    fn numbers_of_any_size_have_one_form(
        number in wide_number(),
        other in wide_number(),
        seeds in any::<[u64; 2]>(),
    ) {
        let [one, two] = seeds.map(|seed| Speller(seed).spell(&number));
        prop_assert_eq!(form(&one), form(&two), "{} | {}", one, two);
        let three = Speller(seeds[0]).spell(&other);
        prop_assert_eq!(form(&one) == form(&three), number.normal() == other.normal());
    }

    #[test]
    fn only_equal_documents_share_a_form(one in doc(), two in doc(), seed in any::<u64>()) {
        let texts = [&one, &two].map(|doc| Speller(seed).spell(doc));
        let equal = form(&texts[0]) == form(&texts[1]);
        prop_assert_eq!(equal, one.normal() == two.normal(), "{:?}", texts);
    }

    /// The reference says what is JSON, where it has the same bounds.
    #[test]
    fn what_is_json_is_what_serde_json_takes(
        text in r#"([\[\]{}:, ]|"a"|"\\(u00e9|ud83d|ude00|x)"|"b|true|nul|0|1|-|\.|e|E|\+){1,9}"#,
    ) {
        agree_with_reference(&text)?;
    }

    #[test]
    fn a_damaged_document_is_taken_as_serde_json_takes_it(
        doc in doc(),
        seed in any::<u64>(),
        at in any::<prop::sample::Index>(),
        patch in r#"[\[\]{}:,"\\e.0n -]{0,1}"#,
    ) {
        let text = Speller(seed).spell(&doc);
        let spots: Vec<_> = text.char_indices().collect();
        let (at, character) = spots[at.index(spots.len())];
        let damaged = format!("{}{patch}{}", &text[..at], &text[at + character.len_utf8()..]);
        agree_with_reference(&damaged)?;
    }
}

fn agree_with_reference(text: &str) -> Result<(), proptest::test_runner::TestCaseError> {
    let reference = serde_json::from_str::<Value>(text);
    match canonicalise(text, &[]) {
        Ok(_) => {
            // The one thing that the reference refuses and we take: no float is that large.
            let out_of_range = reference
                .as_ref()
                .is_err_and(|error| error.to_string().starts_with("number out of range"));
            prop_assume!(!out_of_range);
            prop_assert!(reference.is_ok(), "{}: {:?}", text, reference);
        }
        Err(error) if error.kind() == KeyErrorKind::Syntax => {
            prop_assert!(reference.is_err(), "{}: {}", text, error);
        }
        // The reference takes the last of two members.
        Err(_) => {}
    }
    Ok(())
}

#[test]
fn numbers_are_exact_decimals() {
    let equal = [
        ["1", "1.0"],
        ["1", "1e0"],
        ["1", "10e-1"],
        ["1", "0.1E+1"],
        ["0.1", "0.10"],
        ["100", "1e2"],
        ["100", "0.00100E+05"],
        ["18446744073709551616", "1844674407370955161.6e1"],
        ["0", "-0"],
        ["0", "-0.00e-7"],
        ["0", "0e99999999999999999999999999"],
        ["1e400", "10e399"],
        ["100000000000000000000000000000", "1e29"],
        ["1e-9223372036854775808", "0.1e-9223372036854775807"],
    ];
    for [one, two] in equal {
        assert_eq!(form(one), form(two), "{one} {two}");
    }
    let different = [
        ["1", "-1"],
        ["1", "10"],
        ["0", "1"],
        ["1", "\"1\""],
        ["12345678901234567890.123", "12345678901234567890.124"],
        ["9007199254740992", "9007199254740993"],
        ["0.1", "0.1000000000000000055511151231257827"],
        ["1e400", "1e401"],
        ["12", "1.2"],
        ["1e12", "11e2"],
    ];
    for [one, two] in different {
        assert_ne!(form(one), form(two), "{one} {two}");
    }
    for number in [
        "1e9223372036854775808",
        "1e-9999999999999999999999",
        "10e9223372036854775807",
    ] {
        assert_eq!(refusal(number), KeyErrorKind::NumberRange, "{number}");
    }
}

#[test]
fn a_large_exponent_takes_no_memory() {
    assert!(form("1e1000000000000").len() < 16);
    assert!(form("1e-1000000000000").len() < 16);
}

#[test]
fn values_of_different_kinds_differ() {
    let values = [
        "null",
        "true",
        "false",
        "0",
        "\"\"",
        "\"null\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "{\"\":null}",
        "[1,2]",
        "[2,1]",
        "[12]",
        "[1,2,null]",
        "\"1,2\"",
        "\"\u{e9}\"",
        "\"e\u{301}\"",
        "{\"a\":null}",
        "{\"a\":{}}",
        "{\"a\":[]}",
        "[\"a\",null]",
    ];
    for (at, one) in values.iter().enumerate() {
        for two in &values[at + 1..] {
            assert_ne!(form(one), form(two), "{one} {two}");
        }
    }
}

#[test]
fn two_members_of_one_name_are_refused_however_spelled() {
    let texts = [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":1}"#,
        r#"[{"x":{"a":1,"":2,"a":3}}]"#,
    ];
    for text in texts {
        assert_eq!(refusal(text), KeyErrorKind::DuplicateMember, "{text}");
    }
    // The same name in two objects is fine.
    form(r#"{"a":{"a":1},"b":{"a":1}}"#);
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{}1{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        form(&nested(open, close, MAX_JSON_DEPTH));
        let deeper = nested(open, close, MAX_JSON_DEPTH + 1);
        assert_eq!(refusal(&deeper), KeyErrorKind::TooDeep);
    }
    assert_eq!(refusal(&"[".repeat(1_000_000)), KeyErrorKind::TooDeep);
    let long = " ".repeat(MAX_JSON_BYTES + 1);
    assert_eq!(refusal(&long), KeyErrorKind::TooLarge);
}

#[test]
fn an_error_says_where() {
    let error = canonicalise(r#"{"a": tru}"#, &[]).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (KeyErrorKind::Syntax, 6));
    assert_eq!(
        error.to_string(),
        "derive a cache key (malformed JSON, offset 6)"
    );
    for text in [
        "",
        " ",
        "1 2",
        "[1,]",
        "{,}",
        "{\"a\"}",
        "\"\u{1}\"",
        "01",
        "1.",
        ".5",
        "+1",
    ] {
        assert_eq!(refusal(text), KeyErrorKind::Syntax, "{text}");
    }
    for text in [
        r#""\ud800""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        r#""\u12""#,
        r#""\x""#,
    ] {
        assert_eq!(refusal(text), KeyErrorKind::Syntax, "{text}");
    }
}

#[test]
fn only_top_level_members_are_left_out() {
    let without = |text, excluded: &[&str]| canonicalise(text, excluded).unwrap();
    let one = r#"{"id":1,"body":{"id":2}}"#;
    let two = r#"{"body":{"id":2},"id":3}"#;
    let three = r#"{"id":1,"body":{"id":4}}"#;
    assert_eq!(without(one, &["id"]), without(two, &["id"]));
    assert_eq!(
        without(one, &["id"]),
        without(r#"{"body":{"id":2}}"#, &["id"])
    );
    assert_eq!(without(r#"{"id":1}"#, &["id"]), form("{}"));
    assert_ne!(without(one, &["id"]), without(three, &["id"]));
    assert_ne!(form(one), form(two));
    // The name is compared as it is meant, and the member is checked as any other.
    assert_eq!(without(r#"{"\u0069d":1}"#, &["id"]), form("{}"));
    assert!(canonicalise(r#"{"id":1,"id":2}"#, &["id"]).is_err());
    assert!(canonicalise(r#"{"id":tru}"#, &["id"]).is_err());
}
