//! A text cut into words, numbers and codes.

use super::fold_char;

/// Longest token, in characters; what is longer is cut (base64 pasted into a question).
const MAX_TOKEN: usize = 40;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A run of letters and digits: `factura`, `33`.
    Word,
    /// Several of them kept whole, beside their parts: `ref-2-780`, `76192083-9`, `art.21`.
    Whole,
}

/// A token: folded, with its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) kind: TokenKind,
    /// Byte offset of its first character in the text.
    pub(crate) start: usize,
    /// Byte offset after its last.
    pub(crate) end: usize,
}

/// Calls `each` with the tokens of a text, in order: the parts of a code first, then the whole.
pub(crate) fn tokenise(text: &str, mut each: impl FnMut(Token<'_>)) {
    let mut run = Run::default();
    let mut before: Option<&'static str> = None;
    let mut at = 0;
    while let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let next = at + letter.len_utf8();
        if run.parts.is_empty() {
            if letter.is_ascii() && !letter.is_ascii_alphanumeric() {
                at = next;
                continue;
            }
            // Most words need no more than to be found.
            if let Some(word) = plain_word(text, at) {
                let end = at + word.len();
                each(Token {
                    text: word,
                    kind: TokenKind::Word,
                    start: at,
                    end,
                });
                before = prefix_of(word);
                at = end;
                continue;
            }
        }
        if letter.is_alphanumeric() {
            run.push(at, letter);
        } else if let Some(folded) = fold_char(letter) {
            let follows = text.get(next..).and_then(|rest| rest.chars().next());
            if follows.is_some_and(char::is_alphanumeric) && run.can_join(folded) {
                run.join(at, folded);
            } else {
                run.finish(&mut before, &mut each);
            }
        } else {
            run.extend(next);
        }
        at = next;
    }
    run.finish(&mut before, &mut each);
}

/// The word of a–z alone that begins here, where nothing that is joined to it follows.
fn plain_word(text: &str, at: usize) -> Option<&str> {
    let rest = text.as_bytes().get(at..)?;
    let length = rest.iter().take_while(|byte| byte.is_ascii_lowercase());
    let length = length.count();
    let ends = match rest.get(length) {
        None => true,
        Some(b'-' | b'_') => false,
        Some(byte) => byte.is_ascii() && !byte.is_ascii_alphanumeric(),
    };
    if length == 0 || length > MAX_TOKEN || !ends {
        return None;
    }
    text.get(at..at + length)
}

/// Letters and digits that hang together, joined by `-`, `.`, `/`, `,` or `_`.
#[derive(Default)]
struct Run {
    text: String,
    /// The parts: byte ranges in `text`, and in the source.
    parts: Vec<Part>,
    separators: Vec<char>,
    letters: usize,
}

#[derive(Clone, Copy)]
struct Part {
    from: usize,
    to: usize,
    start: usize,
    end: usize,
}

impl Run {
    fn push(&mut self, at: usize, letter: char) {
        let end = at + letter.len_utf8();
        if self.parts.len() <= self.separators.len() {
            let from = self.text.len();
            self.parts.push(Part {
                from,
                to: from,
                start: at,
                end,
            });
            self.letters = 0;
        }
        let folded = fold_char(letter);
        let Some(part) = self.parts.last_mut() else {
            return;
        };
        part.end = end;
        if self.letters < MAX_TOKEN
            && let Some(folded) = folded
        {
            self.text.push(folded);
            part.to = self.text.len();
            self.letters += 1;
        }
    }

    fn extend(&mut self, end: usize) {
        if let Some(part) = self.parts.last_mut() {
            part.end = end;
        }
    }

    /// Letters are joined by a hyphen only; where a digit stands, also by what numbers, dates,
    /// RUT and articles are written with.
    fn can_join(&self, separator: char) -> bool {
        const MOST_PARTS: usize = 8;
        if self.parts.is_empty() || self.parts.len() >= MOST_PARTS {
            return false;
        }
        match separator {
            '-' | '_' => true,
            '.' | ',' | '/' => self.ends_in_digit(),
            _ => false,
        }
    }

    fn ends_in_digit(&self) -> bool {
        self.text.ends_with(|last: char| last.is_ascii_digit())
    }

    fn join(&mut self, at: usize, separator: char) {
        self.text.push(separator);
        self.separators.push(separator);
        if let Some(part) = self.parts.last_mut() {
            part.end = at;
        }
    }

    fn finish(&mut self, before: &mut Option<&'static str>, each: &mut impl FnMut(Token<'_>)) {
        let Some((first, last)) = self.parts.first().zip(self.parts.last()) else {
            return;
        };
        let (start, end) = (first.start, last.end);
        let whole = |text: &str, each: &mut dyn FnMut(Token<'_>)| {
            each(Token {
                text,
                kind: TokenKind::Whole,
                start,
                end,
            });
        };
        if let Some(number) = self.grouped_number() {
            each(Token {
                text: &number,
                kind: TokenKind::Word,
                start,
                end,
            });
            if let Some(prefix) = before {
                whole(&format!("{prefix}{number}"), each);
            }
            *before = None;
        } else {
            self.each_part(each);
            if self.parts.len() > 1 {
                whole(&self.canonical(), each);
                *before = None;
            } else if let Some(prefix) = before
                .take()
                .filter(|_| self.text.bytes().all(|byte| byte.is_ascii_digit()))
            {
                whole(&format!("{prefix}{}", self.text), each);
            } else {
                *before = prefix_of(&self.text);
            }
        }
        self.clear();
    }

    fn each_part(&self, each: &mut impl FnMut(Token<'_>)) {
        for part in &self.parts {
            if let Some(text) = self.text.get(part.from..part.to)
                && !text.is_empty()
            {
                each(Token {
                    text,
                    kind: TokenKind::Word,
                    start: part.start,
                    end: part.end,
                });
            }
        }
    }

    /// A number written in groups of three: `1.350.000`, `21.713`, also with a check digit
    /// (`76.192.083-9`), without the points.
    fn grouped_number(&self) -> Option<String> {
        if self.separators.is_empty() {
            return None;
        }
        let points = self
            .separators
            .iter()
            .take_while(|separator| **separator == '.')
            .count();
        let rest = self.separators.get(points..)?;
        let check_digit = rest == ['-'] && self.parts.last()?.to - self.parts.last()?.from == 1;
        if points == 0 || !(rest.is_empty() || check_digit) {
            return None;
        }
        let groups: Option<Vec<&str>> = self
            .parts
            .iter()
            .take(points + 1)
            .map(|part| self.text.get(part.from..part.to))
            .collect();
        let groups = groups?;
        let digits = groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
        let (first, others) = groups.split_first()?;
        let in_threes = first.len() <= 3 && others.iter().all(|group| group.len() == 3);
        (digits && in_threes).then(|| self.text.replace('.', ""))
    }

    /// The code with one spelling for its separators: dates and codes are written with `/`,
    /// `.` and `-` alike, and of two figures the second are decimals.
    fn canonical(&self) -> String {
        let decimal = self.parts.len() == 2
            && matches!(self.separators.first(), Some('.' | ','))
            && self
                .text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
        // A form is F29 and F-29.
        let form = self.parts.len() == 2 && self.parts.first().is_some_and(|part| part.to == 1);
        let separator = match (decimal, form) {
            (true, _) => ".",
            (_, true) if !self.text.starts_with(|first: char| first.is_ascii_digit()) => "",
            _ => "-",
        };
        self.text.replace(['.', ',', '/', '_', '-'], separator)
    }

    fn clear(&mut self) {
        self.text.clear();
        self.parts.clear();
        self.separators.clear();
        self.letters = 0;
    }
}

/// How a folded word and the number after it are kept together, where they belong together.
fn prefix_of(word: &str) -> Option<&'static str> {
    Some(match word {
        "art" | "arts" | "articulo" | "articulos" => "art.",
        "circular" => "circ.",
        "codigo" => "cod.",
        "f" | "formulario" => "f",
        "ley" => "ley.",
        "linea" => "lin.",
        "resolucion" => "res.",
        "dte" | "tipo" => "dte.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        tokenise(text, |token| {
            assert!(token.start < token.end && text.get(token.start..token.end).is_some());
            let mark = if token.kind == TokenKind::Whole {
                "="
            } else {
                ""
            };
            found.push(format!("{mark}{}", token.text));
        });
        found
    }

    #[test]
    fn words_numbers_and_codes() {
        let cases: &[(&str, &[&str])] = &[
            ("¿Cómo ANULO la boleta?", &["como", "anulo", "la", "boleta"]),
            (
                "error REF-2-780.",
                &["error", "ref", "2", "780", "=ref-2-780"],
            ),
            ("RUT 76.192.083-9", &["rut", "76192083-9"]),
            ("rut 76192083-9", &["rut", "76192083", "9", "=76192083-9"]),
            (
                "Ley 21.713, ley 21713",
                &["ley", "21713", "=ley.21713", "ley", "21713", "=ley.21713"],
            ),
            (
                "art. 21 / Artículo 21 y art.21",
                &[
                    "art", "21", "=art.21", "articulo", "21", "=art.21", "y", "art", "21",
                    "=art.21",
                ],
            ),
            (
                "formulario 29, F29 y F-29",
                &["formulario", "29", "=f29", "f29", "y", "f", "29", "=f29"],
            ),
            ("el 01/06/2020", &["el", "01", "06", "2020", "=01-06-2020"]),
            ("19,5 %", &["19", "5", "=19.5"]),
            ("$1.350.000", &["1350000"]),
            ("y/o www.sii.cl", &["y", "o", "www", "sii", "cl"]),
            ("<MntTotal>", &["mnttotal"]),
            ("DTE 33", &["dte", "33", "=dte.33"]),
            ("factura.", &["factura"]),
            ("- -- ...", &[]),
            ("e\u{301}l", &["el"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(tokens(text), *expected, "{text}");
        }
    }

    #[test]
    fn the_short_way_gives_what_the_long_one_does() {
        // A capital keeps a word from the short way; folded, it is the same word.
        let plain = "art. 21, ley - 5 y/o a-b el n_1 boletas.33 f 29 dte: 33 (iva)";
        let mut lengths = Vec::new();
        tokenise(plain, |token| {
            lengths.push((token.text.to_owned(), token.kind, token.start, token.end));
        });
        let mut capitals = Vec::new();
        tokenise(&plain.to_uppercase(), |token| {
            capitals.push((token.text.to_owned(), token.kind, token.start, token.end));
        });
        assert_eq!(lengths, capitals);
    }

    #[test]
    fn a_token_has_a_longest() {
        let long = "x".repeat(10_000);
        assert_eq!(tokens(&long), [&long[..MAX_TOKEN]]);
        let chain = vec!["ab"; 5_000].join("-");
        assert!(tokens(&chain).iter().all(|token| token.len() < 40));
    }
}
