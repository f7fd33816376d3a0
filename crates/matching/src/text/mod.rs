//! A description in tokens: what two people write differently becomes the same.
//!
//! Case, accents and punctuation go; plurals, abbreviations and stop words are resolved;
//! a number and its unit become one measure in a base unit, so that `1/2"`, `0,5 pulg` and
//! `½ pulgada` are equal, and `25 kg` is `25000 g`.

mod fold;
mod measure;
mod similar;
mod words;

pub(crate) use fold::fold;
pub(crate) use measure::Dimension;
pub(crate) use similar::{Sketch, similarity};

/// The most tokens that are read of a description.
pub(crate) const MAX_TOKENS: usize = 32;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Token {
    /// A word in its canonical form.
    Word(String),
    /// Letters and digits that belong together: `rj45`, `10x20`, `a4`.
    Code(String),
    /// A number, with a unit or without.
    Measure {
        /// Thousandths of the base unit; of 1 where there is no unit.
        base: u64,
        /// Thousandths as written.
        written: u64,
        /// What is measured.
        dimension: Dimension,
    },
}

impl Token {
    /// True for what makes variants of one product differ: sizes, models.
    pub fn is_exact(&self) -> bool {
        !matches!(self, Self::Word(_))
    }
}

/// The distinct tokens of a description, in the order of their first occurrence.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let folded = fold(text);
    let raw: Vec<&str> = folded.split(' ').filter(|part| !part.is_empty()).collect();
    let mut found: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(part) = raw.get(at) {
        if found.len() >= MAX_TOKENS {
            break;
        }
        let (token, used) = if part.starts_with(|c: char| c.is_ascii_digit()) {
            measure::read(raw.get(at..).unwrap_or_default())
        } else {
            (word(part), 1)
        };
        at += used.max(1);
        if let Some(token) = token
            && !found.contains(&token)
        {
            found.push(token);
        }
    }
    found
}

/// A word in its canonical form; `None` for one that says nothing.
fn word(part: &str) -> Option<Token> {
    let canonical = words::canonical(part)?;
    Some(if part.bytes().any(|b| b.is_ascii_digit()) {
        Token::Code(part.to_owned())
    } else {
        Token::Word(singular(canonical).to_owned())
    })
}

/// Without the plural's `s`; the `e` of `-es` is left to the comparison of prefixes.
fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem,
        _ => word,
    }
}

/// The whole numbers in a description that may say how many are in a package.
pub(crate) fn package_sizes(tokens: &[Token]) -> impl Iterator<Item = u64> {
    tokens.iter().filter_map(|token| match token {
        Token::Measure {
            written,
            dimension: Dimension::None | Dimension::Pieces | Dimension::Mass | Dimension::Volume,
            ..
        } => written.is_multiple_of(1_000).then_some(written / 1_000),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) {
        let (a, b) = (tokens(a), tokens(b));
        let equal = a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| similarity(a, b) == 1.0);
        assert!(equal, "{a:?} / {b:?}");
    }

    #[test]
    fn the_same_thing_written_differently() {
        same("CEMENTO ESPECIAL 25 KG", "cemento  especial, 25kg.");
        same("Perno 1/2\" c/tuerca", "perno 0,5 pulg. tuercas");
        same("Perno ½ pulgada tuerca", "PERNOS 1/2” CON TUERCA");
        same("Plancha OSB 11,1 mm", "plancha osb 1.11 cm");
        same("Cañería cobre 1 mt", "CANERIA COBRE 1000 mm");
        same("Pino 10 x 20", "pino 10X20");
        same("Resma carta 1.000 hojas", "resma carta 1000 hojas");
        same("Tornillo un", "tornillo");
        same("Agua 500 cc", "agua 0.5 lt");
        same("cafe\u{301} molido", "café molido");
    }

    #[test]
    fn variants_differ() {
        for (a, b) in [
            ("perno 1/2\"", "perno 3/4\""),
            ("cable 2.5 mm", "cable 1.5 mm"),
            ("pino 2x4", "pino 2x6"),
            ("cemento 25 kg", "cemento 42,5 kg"),
            ("papel a4", "papel a3"),
        ] {
            assert_ne!(tokens(a), tokens(b), "{a} / {b}");
        }
    }

    #[test]
    fn odd_text_is_harmless() {
        for text in [
            "",
            " ",
            "///",
            "1/0",
            "99999999999999999999999 kg",
            "1.2.3.4",
            "x",
            "10x",
            "💥 1/",
            "½½",
            "0/0\"",
            "....",
            "1,,,2",
        ] {
            assert!(tokens(text).len() <= MAX_TOKENS, "{text}");
        }
        assert!(tokens(&"palabra1 ".repeat(5_000)).len() <= MAX_TOKENS);
    }

    #[test]
    fn package_sizes_are_whole_numbers() {
        let tokens = tokens("Lápiz grafito caja 12 un, 0,5 mm");
        assert_eq!(package_sizes(&tokens).collect::<Vec<_>>(), [12]);
    }
}
