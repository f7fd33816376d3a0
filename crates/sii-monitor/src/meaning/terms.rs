//! Effective date, deadlines and affected laws, out of running text.

use jiff::civil::Date;

use crate::fecha::{self, Found};
use crate::text::folded;

/// A deadline that a text sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plazo {
    /// The last day.
    pub fecha: Date,
    /// The sentence that sets it.
    pub texto: String,
}

/// How far before a date the words that give it its meaning may stand, in characters.
const REACH: usize = 80;

/// The most deadlines of one text.
const MAX_PLAZOS: usize = 20;

/// What says that something holds from a date on.
const DESDE: [&str; 17] = [
    "rige a contar",
    "regira a contar",
    "regira desde",
    "rige desde",
    "regiran a contar",
    "regiran desde",
    "rigen a contar",
    "vigencia a contar",
    "vigencia desde",
    "vigencia a partir",
    "vigor a contar",
    "vigor a partir",
    "vigor el",
    "en vigencia el",
    "obligatorio a contar",
    "obligatoria a contar",
    "obligatorio desde",
];

/// The same, weaker: it counts where nothing of the above does.
const DESDE_DEBIL: [&str; 5] = [
    "a contar del",
    "a partir del",
    "a contar de",
    "a partir de",
    "desde el",
];

/// What says that something must be done by a date.
const HASTA: [&str; 12] = [
    "hasta el",
    "a mas tardar",
    "antes del",
    "plazo",
    "vence",
    "vencera",
    "vencimiento",
    "fecha limite",
    "dentro de los",
    "ultimo dia",
    "no mas alla",
    "prorroga",
];

/// The date from which a text says that it holds: the first one that stands after words such as
/// "regirá a contar del"; else, after a weaker "a partir del".
#[must_use]
pub fn vigencia(text: &str) -> Option<Date> {
    let low = folded(text);
    let found = fecha::todas(text);
    let by = |words: &[&str]| {
        found
            .iter()
            .find(|found| words.iter().any(|word| before(&low, found).contains(word)))
            .map(|found| found.date)
    };
    by(&DESDE).or_else(|| by(&DESDE_DEBIL))
}

/// The deadlines of a text, each with its sentence, in order and without repetition.
#[must_use]
pub fn plazos(text: &str) -> Vec<Plazo> {
    let low = folded(text);
    let mut list: Vec<Plazo> = Vec::new();
    for found in fecha::todas(text) {
        let ahead = before(&low, &found);
        if !HASTA.iter().any(|word| ahead.contains(word)) {
            continue;
        }
        if list.len() < MAX_PLAZOS && !list.iter().any(|plazo| plazo.fecha == found.date) {
            list.push(Plazo {
                fecha: found.date,
                texto: sentence(&low, text, &found),
            });
        }
    }
    list
}

/// The laws, decree laws and decrees that a text names, as `Ley 21.713`, `DL 825`, `DS 55`, in
/// order and without repetition.
#[must_use]
pub fn leyes(text: &str) -> Vec<String> {
    const NAMES: [(&str, &str); 12] = [
        ("ley n°", "Ley"),
        ("ley nro", "Ley"),
        ("leyes n°", "Ley"),
        ("ley ", "Ley"),
        ("d.l. n°", "DL"),
        ("dl n°", "DL"),
        ("decreto ley n°", "DL"),
        ("decreto ley", "DL"),
        ("d.s. n°", "DS"),
        ("decreto supremo n°", "DS"),
        ("d.f.l. n°", "DFL"),
        ("dfl n°", "DFL"),
    ];
    let low = folded(text);
    let mut found: Vec<(usize, String)> = Vec::new();
    for (name, short) in NAMES {
        for (at, _) in low.match_indices(name) {
            let own_word = low
                .get(..at)
                .and_then(|head| head.chars().next_back())
                .is_none_or(|c| !c.is_alphanumeric());
            let rest = low.get(at + name.len()..).unwrap_or_default().trim_start();
            let rest = rest.strip_prefix("n°").unwrap_or(rest).trim_start();
            if let (true, Some(number)) = (own_word, law_number(rest)) {
                found.push((at, format!("{short} {number}")));
            }
        }
    }
    found.sort();
    let mut list: Vec<String> = Vec::new();
    for (_, law) in found {
        if !list.contains(&law) {
            list.push(law);
        }
    }
    list
}

/// `21.713`, `825`: a law's number with the points of its thousands.
fn law_number(text: &str) -> Option<String> {
    let run = text
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .next()?;
    let digits: String = run.chars().filter(char::is_ascii_digit).collect();
    // A year is no law: the laws of four digits are from before 1910.
    if !(2..=5).contains(&digits.len()) || digits.len() == 4 && !run.contains('.') {
        return None;
    }
    Some(match digits.len() {
        4 | 5 => {
            let (thousands, rest) = digits.split_at(digits.len() - 3);
            format!("{thousands}.{rest}")
        }
        _ => digits,
    })
}

/// The folded text just before a date, within its sentence.
fn before<'a>(low: &'a str, found: &Found) -> &'a str {
    let head = low.get(..found.start).unwrap_or_default();
    let start = head.char_indices().rev().nth(REACH).map_or(0, |(at, _)| at);
    let near = head.get(start..).unwrap_or_default();
    near.rfind(". ")
        .and_then(|at| near.get(at + 2..))
        .unwrap_or(near)
}

/// The sentence around a date, in its own spelling where folding kept the length.
fn sentence(low: &str, text: &str, found: &Found) -> String {
    const MAX: usize = 300;
    let head = low.get(..found.start).unwrap_or_default();
    let start = head.rfind(". ").map_or(0, |at| at + 2);
    let tail = low.get(found.end..).unwrap_or_default();
    let end = found.end + tail.find(". ").map_or(tail.len(), |at| at + 1);
    // Folding changes bytes, not the count of characters, for the letters of Spanish.
    let (from, count) = (
        low.get(..start).unwrap_or_default().chars().count(),
        low.get(start..end).unwrap_or_default().chars().count(),
    );
    text.chars().skip(from).take(count.min(MAX)).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn from_when_it_holds() {
        for (text, expected) in [
            (
                "La presente resolución, de 3 de marzo de 2026, regirá a contar del 1° de mayo de 2026.",
                Some(date(2026, 5, 1)),
            ),
            (
                "Entrará en vigencia el primero de noviembre de 2025, según lo dispuesto.",
                Some(date(2025, 11, 1)),
            ),
            (
                "A partir del 1 de enero de 2027 los contribuyentes deberán informar.",
                Some(date(2027, 1, 1)),
            ),
            ("Circular N° 11 del 30 de enero de 2025.", None),
        ] {
            assert_eq!(vigencia(text), expected, "{text}");
        }
    }

    #[test]
    fn what_must_be_done_by_when() {
        let text = "Se imparte. Los emisores tendrán plazo hasta el 30 de abril de 2026 para certificar. \
                    Otra cosa de 1 de mayo de 2026.";
        let plazos = plazos(text);
        assert_eq!(plazos.len(), 1);
        assert_eq!(plazos[0].fecha, date(2026, 4, 30));
        assert_eq!(
            plazos[0].texto,
            "Los emisores tendrán plazo hasta el 30 de abril de 2026 para certificar."
        );
    }

    #[test]
    fn which_laws_it_touches() {
        let text = "Modifica la Ley N° 21.713 y el artículo 23 del D.L. N° 825, de 1974; véase la ley 20727 \
                    y la Ley N° 21.713. La ley de 2024 y los de bailey 500 no.";
        assert_eq!(leyes(text), ["Ley 21.713", "DL 825", "Ley 20.727"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,120}|(plazo hasta el 3[01] de enero de 2025\\. ){0,4}") {
            let _ = (vigencia(&text), plazos(&text), leyes(&text));
        }
    }
}
