//! Dates as the tax service writes them.

use jiff::civil::Date;

use crate::text::folded;

const MESES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// A date and where it stands in the text that it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The date.
    pub date: Date,
    /// The first byte of it in the folded text.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// Every date of a text, in order: `30 de enero del 2025`, `1° de mayo de 2026`,
/// `primero de enero de 2026`, `veintidós de marzo de 2025`, `30/01/2025`, `30-01-2025`,
/// `2025-01-30`. Positions are those of the text in
/// lower case and without accents.
#[must_use]
pub fn todas(text: &str) -> Vec<Found> {
    let text = folded(text);
    let tokens = tokens(&text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let rest = tokens.get(at..).unwrap_or_default();
        match numeric(rest).or_else(|| written(rest)) {
            Some((date, used)) => {
                let end = rest.get(used - 1).map_or(0, |token| token.end);
                let start = rest.first().map_or(0, |token| token.start);
                found.push(Found { date, start, end });
                at += used;
            }
            None => at += 1,
        }
    }
    found
}

/// The first date of a text.
#[must_use]
pub fn primera(text: &str) -> Option<Date> {
    todas(text).first().map(|found| found.date)
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

/// Words, numbers, and the signs `/` and `-` between numbers.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut list = Vec::new();
    let mut start = None;
    let mut kind = Kind::Other;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let next = Kind::of(c);
        if let Some(begun) = start
            && next != kind
        {
            if let Some(word) = text.get(begun..at) {
                list.push(Token {
                    text: word,
                    start: begun,
                    end: at,
                });
            }
            start = None;
        }
        if start.is_none() && next != Kind::Other {
            start = Some(at);
            kind = next;
        }
    }
    list
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Sign,
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            '0'..='9' => Self::Digit,
            '/' | '-' => Self::Sign,
            c if c.is_alphabetic() => Self::Letter,
            _ => Self::Other,
        }
    }
}

/// `30/01/2025`, `30-01-25` (not: two digits are no year here), `2025-01-30`.
fn numeric(tokens: &[Token<'_>]) -> Option<(Date, usize)> {
    let [first, one, second, two, third, ..] = tokens else {
        return None;
    };
    if one.text != two.text || !matches!(one.text, "/" | "-") || first.end != one.start {
        return None;
    }
    let (a, b, c) = (number(first)?, number(second)?, number(third)?);
    let date = if first.text.len() == 4 {
        civil(a, b, c)?
    } else if third.text.len() == 4 {
        civil(c, b, a)?
    } else {
        return None;
    };
    Some((date, 5))
}

/// `30 de enero del 2025`, with the day in figures or in words, and the `de` left out or not.
fn written(tokens: &[Token<'_>]) -> Option<(Date, usize)> {
    let first = tokens.first()?;
    let (day, mut used) = match number(first) {
        Some(day) => (day, 1),
        None => day_in_words(tokens)?,
    };
    // `1°` and `1ero`: the sign is no token, the letters are.
    if matches!(text_at(tokens, used), "o" | "ero" | "er") {
        used += 1;
    }
    if matches!(text_at(tokens, used), "de" | "del") {
        used += 1;
    }
    let month = month(text_at(tokens, used))?;
    used += 1;
    while matches!(text_at(tokens, used), "de" | "del" | "ano") {
        used += 1;
    }
    let year = tokens.get(used).and_then(number)?;
    (1900..2100).contains(&year).then_some(())?;
    Some((civil(year, month, day)?, used + 1))
}

fn text_at<'a>(tokens: &[Token<'a>], at: usize) -> &'a str {
    tokens.get(at).map_or("", |token| token.text)
}

fn number(token: &Token<'_>) -> Option<u32> {
    token.text.parse().ok().filter(|_| token.text.len() <= 4)
}

/// The month of this name; `setiembre` is also Spanish.
#[must_use]
pub fn month(name: &str) -> Option<u32> {
    let name = if name == "setiembre" {
        "septiembre"
    } else {
        name
    };
    let at = MESES.iter().position(|mes| *mes == name)?;
    u32::try_from(at + 1).ok()
}

const UNIDADES: [&str; 16] = [
    "primero",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciseis",
];

const DECENAS: [(&str, u32); 14] = [
    ("uno", 1),
    ("diecisiete", 17),
    ("dieciocho", 18),
    ("diecinueve", 19),
    ("veinte", 20),
    ("veintiuno", 21),
    ("veintidos", 22),
    ("veintitres", 23),
    ("veinticuatro", 24),
    ("veinticinco", 25),
    ("veintiseis", 26),
    ("veintisiete", 27),
    ("veintiocho", 28),
    ("veintinueve", 29),
];

fn day_in_words(tokens: &[Token<'_>]) -> Option<(u32, usize)> {
    let word = text_at(tokens, 0);
    if word == "treinta" {
        let and_one = text_at(tokens, 1) == "y" && matches!(text_at(tokens, 2), "uno" | "un");
        return Some(if and_one { (31, 3) } else { (30, 1) });
    }
    let unit = UNIDADES.iter().position(|name| *name == word);
    if let Some(at) = unit {
        return Some((u32::try_from(at + 1).ok()?, 1));
    }
    let (_, day) = DECENAS.iter().find(|(name, _)| *name == word)?;
    Some((*day, 1))
}

fn civil(year: u32, month: u32, day: u32) -> Option<Date> {
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_they_are_written() {
        for (text, expected) in [
            ("Circular N° 11 del 30 de Enero del 2025", date(2025, 1, 30)),
            ("rige a contar del 1° de mayo de 2026", date(2026, 5, 1)),
            ("desde el 1º de marzo 2026", date(2026, 3, 1)),
            (
                "primero de enero de dos mil veintiséis, o sea 1 de enero de 2026",
                date(2026, 1, 1),
            ),
            (
                "a partir del primero de septiembre de 2025",
                date(2025, 9, 1),
            ),
            ("treinta y uno de diciembre de 2025", date(2025, 12, 31)),
            ("veintidós de marzo del año 2024", date(2024, 3, 22)),
            ("publicada el 30/01/2025", date(2025, 1, 30)),
            ("30-01-2025", date(2025, 1, 30)),
            ("vigente 2025-01-30T00:00", date(2025, 1, 30)),
            ("18 de Setiembre de 2025", date(2025, 9, 18)),
        ] {
            assert_eq!(primera(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "31 de febrero de 2025",
            "artículo 30 de la ley 2025",
            "RUT 76.192.083-9",
            "Ley N° 21.713 de 2024",
            "30/01/25",
            "mayo de 2026",
        ] {
            assert_eq!(primera(text), None, "{text}");
        }
    }

    #[test]
    fn all_of_them_with_their_places() {
        let text = "Del 1 de mayo de 2026 al 30/06/2026.";
        let found = todas(text);
        assert_eq!(found.len(), 2);
        assert_eq!(&text[found[0].start..found[0].end], "1 de mayo de 2026");
        assert_eq!(&text[found[1].start..found[1].end], "30/06/2026");
    }

    proptest! {
        #[test]
        fn any_text_has_its_dates(text in "\\PC{0,80}") {
            let folded = folded(&text);
            for found in todas(&text) {
                prop_assert!(found.start < found.end && found.end <= folded.len());
            }
        }
    }
}
