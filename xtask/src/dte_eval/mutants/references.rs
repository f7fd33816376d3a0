//! Defects of references, and of notes against what they correct.

use super::super::body::{change, first, places, replaced, without};
use super::Subject;
use crate::random::Random;

type Mutant = Option<String>;

pub fn none(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    subject
        .is_note()
        .then(|| without(subject.body, "Referencia"))?
}

pub fn no_code(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    subject.is_note().then(|| without(subject.body, "CodRef"))?
}

/// The only reference with a code, changed.
pub fn in_correction(subject: &Subject<'_>, change: impl FnOnce(&str) -> Option<String>) -> Mutant {
    let mut coded = places(subject.body, "Referencia")
        .into_iter()
        .filter(|place| {
            let text = subject.body.get(place.whole.clone());
            text.is_some_and(|text| first(text, "CodRef").is_some())
        });
    let place = coded.next().filter(|_| subject.is_note())?;
    if coded.next().is_some() {
        return None;
    }
    let new = change(subject.body.get(place.whole.clone())?)?;
    replaced(subject.body, place.whole, &new)
}

fn set(tag: &'static str, value: &'static str) -> impl FnOnce(&str) -> Option<String> {
    move |reference| change(reference, tag, 0, |_| Some(value.to_owned()))
}

pub fn unknown_code(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    in_correction(subject, set("CodRef", "4"))
}

fn has_total(subject: &Subject<'_>) -> bool {
    first(subject.body, "MntTotal")
        .is_some_and(|total| total.bytes().any(|b| (b'1'..=b'9').contains(&b)))
}

pub fn text_with_amounts(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    has_total(subject).then(|| in_correction(subject, set("CodRef", "2")))?
}

pub fn amounts_at_zero(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let amounts = in_correction(subject, |reference| {
        change(reference, "CodRef", 0, |_| Some("3 ".to_owned()))
    })?;
    change(&amounts, "MntTotal", 0, |_| Some("0".to_owned())).filter(|_| has_total(subject))
}

pub fn over_guide(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    in_correction(subject, set("TpoDocRef", "52"))
}

pub fn over_order(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    in_correction(subject, set("TpoDocRef", "801"))
}

pub fn itself(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    if subject.is_ticket() {
        return None;
    }
    let folio = first(subject.body, "Folio")?.to_owned();
    let kind = first(subject.body, "TipoDTE")?.to_owned();
    let typed = change(subject.body, "TpoDocRef", 0, |_| Some(kind));
    let typed = typed.unwrap_or_else(|| subject.body.to_owned());
    change(&typed, "FolioRef", 0, |_| Some(folio))
}

pub fn no_folio(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!subject.is_ticket()).then(|| without(subject.body, "FolioRef"))?
}

pub fn future(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "FchRef", 0, |_| Some("2049-06-15".to_owned()))
}

pub fn unknown_type(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let unknown = || change(subject.body, "TpoDocRef", 0, |_| Some("777".to_owned()));
    (!subject.is_ticket()).then(unknown)?
}

pub fn too_many(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let all = places(subject.body, "Referencia");
    let last = all.last().filter(|_| !subject.is_ticket())?;
    let copy = subject.body.get(last.whole.clone())?;
    let more = copy.repeat(41_usize.checked_sub(all.len())?);
    replaced(subject.body, last.whole.end..last.whole.end, &more).filter(|_| !more.is_empty())
}

/// Unchanged: what it annuls is told with another total.
pub fn annulment(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let mut annuls = false;
    let checked = in_correction(subject, |reference| {
        annuls = first(reference, "CodRef") == Some("1");
        Some(reference.to_owned())
    });
    checked.filter(|_| annuls)
}
