//! SPDX licence expressions, as far as crates use them.

use std::iter::Peekable;
use std::vec::IntoIter;

/// True when the expression can be met with allowed licences alone: one side of an `OR`, both
/// of an `AND`. `/` is an older way to write `OR`. What can't be read is not met.
pub fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    let mut words = words.into_iter().peekable();
    let met = either(&mut words, allowed);
    met == Some(true) && words.next().is_none()
}

type Words = Peekable<IntoIter<String>>;

fn either(words: &mut Words, allowed: &[String]) -> Option<bool> {
    let mut met = both(words, allowed)?;
    while words.next_if(|word| word == "OR").is_some() {
        // Both sides are read, whatever the first says.
        met |= both(words, allowed)?;
    }
    Some(met)
}

fn both(words: &mut Words, allowed: &[String]) -> Option<bool> {
    let mut met = one(words, allowed)?;
    while words.next_if(|word| word == "AND").is_some() {
        met &= one(words, allowed)?;
    }
    Some(met)
}

fn one(words: &mut Words, allowed: &[String]) -> Option<bool> {
    let mut licence = words.next()?;
    if licence == "(" {
        let met = either(words, allowed)?;
        return words.next_if(|word| word == ")").map(|_| met);
    }
    if ["OR", "AND", "WITH", ")"].contains(&licence.as_str()) {
        return None;
    }
    if words.next_if(|word| word == "WITH").is_some() {
        licence = format!("{licence} WITH {}", words.next()?);
    }
    Some(allowed.contains(&licence))
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"];
    let allowed: Vec<String> = allowed.map(str::to_owned).to_vec();
    let cases = [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-2.0/GPL-3.0", false),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("MIT OR GPL-3.0 AND ISC", true),
        ("GPL-3.0 AND ISC OR MIT", true),
        ("GPL-3.0 AND (ISC OR MIT)", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("MIT WITH LLVM-exception", false),
        ("((MIT))", true),
        ("", false),
        ("MIT OR", false),
        ("(MIT", false),
        ("MIT)", false),
        ("MIT ISC", false),
    ];
    for (expression, expected) in cases {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
