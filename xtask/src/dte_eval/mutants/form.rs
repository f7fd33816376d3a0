//! Defects of form: identity, dates, lines, names.

use super::super::body::{before, change, first, places, replaced, without};
use super::Subject;
use crate::random::Random;

type Mutant = Option<String>;

fn another_digit(rut: &str) -> Option<String> {
    let (number, digit) = rut.split_once('-')?;
    let other = if digit == "1" { "2" } else { "1" };
    Some(format!("{number}-{other}"))
}

pub fn issuer_digit(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "RUTEmisor", 0, another_digit)
}

pub fn receiver_digit(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "RUTRecep", 0, another_digit)
}

pub fn dots(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "RUTRecep", 0, |rut| {
        let (number, digit) = rut.split_once('-')?;
        let cut = number.len().checked_sub(3)?;
        Some(format!(
            "{}.{}-{digit}",
            number.get(..cut)?,
            number.get(cut..)?
        ))
    })
}

pub fn no_hyphen(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "RUTEmisor", 0, |rut| {
        Some(rut.replace('-', ""))
    })
}

pub fn no_receiver(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!subject.is_ticket())
        .then(|| without(subject.body, "RUTRecep"))
        .flatten()
}

pub fn long_name(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let tag = if subject.is_ticket() {
        "RznSocEmisor"
    } else {
        "RznSoc"
    };
    change(subject.body, tag, 0, |_| Some("Comercial ".repeat(13)))
}

/// The line that is changed.
fn line(subject: &Subject<'_>, random: &mut Random, tag: &str) -> usize {
    random.below(places(subject.body, tag).len())
}

pub fn long_item(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    let line = line(subject, random, "NmbItem");
    change(subject.body, "NmbItem", line, |_| {
        Some("Tornillo ".repeat(10))
    })
}

pub fn arrow(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    let line = line(subject, random, "NmbItem");
    change(subject.body, "NmbItem", line, |name| {
        Some(format!("{name} \u{2192} 1"))
    })
}

pub fn no_item_name(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    let all = places(subject.body, "NmbItem");
    let place = all.get(random.below(all.len()))?;
    replaced(subject.body, place.whole.clone(), "")
}

pub fn repeated_number(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let number = first(subject.body, "NroLinDet")?.to_owned();
    change(subject.body, "NroLinDet", 1, |_| Some(number))
}

pub fn too_many_lines(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let lines = places(subject.body, "Detalle");
    let last = lines.last().filter(|_| !subject.is_ticket())?;
    let copy = subject.body.get(last.whole.clone())?;
    let more: String = (lines.len() + 1..=61)
        .filter_map(|number| change(copy, "NroLinDet", 0, |_| Some(number.to_string())))
        .collect();
    replaced(subject.body, last.whole.end..last.whole.end, &more).filter(|_| !more.is_empty())
}

pub fn no_reason(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    subject
        .is(&[52])
        .then(|| without(subject.body, "IndTraslado"))
        .flatten()
}

pub fn unknown_reason(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let new = |_: &str| Some("12".to_owned());
    subject
        .is(&[52])
        .then(|| change(subject.body, "IndTraslado", 0, new))
        .flatten()
}

pub fn swapped_type(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let other = match subject.kind {
        33 => "34",
        34 => "33",
        _ => return None,
    };
    change(subject.body, "TipoDTE", 0, |_| Some(other.to_owned()))
}

pub fn unknown_type(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "TipoDTE", 0, |_| Some("35".to_owned()))
}

pub fn folio_zero(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "Folio", 0, |_| Some("0".to_owned()))
}

pub fn no_folio(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let place = places(subject.body, "Folio").into_iter().next()?;
    replaced(subject.body, place.whole, "")
}

pub fn long_folio(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "Folio", 0, |_| Some("12345678901".to_owned()))
}

fn issued(subject: &Subject<'_>, date: &str) -> Mutant {
    change(subject.body, "FchEmis", 0, |_| Some(date.to_owned()))
}

pub fn future(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    issued(subject, "2049-06-15")
}

pub fn past(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    issued(subject, "1999-06-15")
}

pub fn malformed_date(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "FchEmis", 0, |date| {
        let mut parts = date.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        Some(format!("{day}-{month}-{year}"))
    })
}

pub fn no_such_day(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    issued(subject, "2025-02-30")
}

pub fn due_before(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "FchVenc", 0, |_| {
        Some("2003-05-01".to_owned())
    })
}

pub fn twice(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    before(subject.body, "</Totales>", "<MntTotal>1</MntTotal>")
}

pub fn unknown_element(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    before(subject.body, "</Totales>", "<Propina>1</Propina>")
}
