//! Defects of amounts: lines, totals, taxes, currencies.

use super::super::body::{before, change, first, places, replaced, without};
use super::Subject;
use crate::random::Random;

type Mutant = Option<String>;

/// An amount, also where it is written with decimals that are zero.
fn whole(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    decimals
        .bytes()
        .all(|byte| byte == b'0')
        .then(|| whole.parse().ok())?
}

fn added(subject: &Subject<'_>, tag: &str, index: usize, difference: i64) -> Mutant {
    change(subject.body, tag, index, |old| {
        Some(whole(old)?.checked_add(difference)?.to_string())
    })
}

fn is_zero(subject: &Subject<'_>, tag: &str) -> bool {
    first(subject.body, tag).and_then(whole).unwrap_or(0) == 0
}

pub fn vat_by_1(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    let difference = if random.below(2) == 0 { 1 } else { -1 };
    (!is_zero(subject, "IVA")).then(|| added(subject, "IVA", 0, difference))?
}

pub fn vat_by_100(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    let iva = first(subject.body, "IVA").and_then(whole)?;
    let difference = if random.below(2) == 0 || iva <= 100 {
        100
    } else {
        -100
    };
    added(subject, "IVA", 0, difference)
}

pub fn no_vat(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let due = !is_zero(subject, "IVA") && !subject.is_ticket();
    due.then(|| without(subject.body, "IVA")).flatten()
}

pub fn total_by_1(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    added(subject, "MntTotal", 0, 1).filter(|_| !subject.is_export())
}

pub fn total_by_100(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    let total = first(subject.body, "MntTotal").and_then(whole)?;
    let difference = if random.below(2) == 0 || total <= 100 {
        100
    } else {
        -100
    };
    added(subject, "MntTotal", 0, difference)
}

pub fn no_total(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    without(subject.body, "MntTotal")
}

pub fn negative_total(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let due = !subject.is(&[43]) && !is_zero(subject, "MntTotal");
    due.then(|| change(subject.body, "MntTotal", 0, |old| Some(format!("-{old}"))))?
}

pub fn decimals(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let change = || {
        change(subject.body, "MntTotal", 0, |old| {
            Some(format!("{}.4", whole(old)?))
        })
    };
    (!subject.is_export()).then(change)?
}

pub fn comma(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "MntTotal", 0, |old| Some(format!("{old},0")))
}

pub fn net(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!is_zero(subject, "MntNeto")).then(|| added(subject, "MntNeto", 0, 1_000))?
}

pub fn exempt(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!is_zero(subject, "MntExe")).then(|| added(subject, "MntExe", 0, 1_000))?
}

/// The lines that have a product of quantity and price which is worth something.
fn priced(subject: &Subject<'_>) -> Vec<usize> {
    let value = |line: &str, tag: &str| {
        first(line, tag).is_some_and(|text| text.bytes().any(|b| (b'1'..=b'9').contains(&b)))
    };
    places(subject.body, "Detalle")
        .iter()
        .enumerate()
        .filter(|(_, place)| {
            subject.body.get(place.whole.clone()).is_some_and(|line| {
                ["QtyItem", "PrcItem", "MontoItem"]
                    .iter()
                    .all(|tag| value(line, tag))
            })
        })
        .map(|(index, _)| index)
        .collect()
}

/// The document with one of its priced lines changed.
fn in_line(
    subject: &Subject<'_>,
    random: &mut Random,
    change: impl FnOnce(&str) -> Option<String>,
) -> Mutant {
    let lines = priced(subject);
    let index = *lines.get(random.below(lines.len()))?;
    let place = places(subject.body, "Detalle").into_iter().nth(index)?;
    let new = change(subject.body.get(place.whole.clone())?)?;
    replaced(subject.body, place.whole, &new)
}

pub fn line(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    in_line(subject, random, |line| {
        change(line, "MontoItem", 0, |old| {
            Some((whole(old)? + 1_000).to_string())
        })
    })
}

pub fn no_line_amount(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    in_line(subject, random, |line| without(line, "MontoItem"))
}

pub fn quantity(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    in_line(subject, random, |line| {
        change(line, "QtyItem", 0, |old| Some(format!("1{old}")))
    })
}

pub fn price(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    in_line(subject, random, |line| {
        change(line, "PrcItem", 0, |old| Some(format!("1{old}")))
    })
}

pub fn no_line_discount(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let lines = priced(subject);
    let all = places(subject.body, "Detalle");
    lines.iter().find_map(|index| {
        let place = all.get(*index)?.whole.clone();
        let line = subject.body.get(place.clone())?;
        let discount = whole(first(line, "DescuentoMonto")?)?;
        let new = without(line, "DescuentoMonto").filter(|_| discount > 1)?;
        replaced(subject.body, place, &new)
    })
}

pub fn no_global(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!is_zero(subject, "ValorDR")).then(|| without(subject.body, "DscRcgGlobal"))?
}

pub fn exempt_line(subject: &Subject<'_>, random: &mut Random) -> Mutant {
    let affected = !is_zero(subject, "MntNeto") && !subject.is(&[52]);
    affected.then(|| {
        in_line(subject, random, |line| {
            let place = places(line, "NroLinDet").into_iter().next()?;
            let none = places(line, "IndExe").is_empty();
            let at = place.whole.end..place.whole.end;
            replaced(line, at, "<IndExe>1</IndExe>").filter(|_| none)
        })
    })?
}

pub fn vat_in_exempt(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    subject
        .is(&[34, 41])
        .then(|| before(subject.body, "<MntTotal>", "<IVA>190</IVA>"))?
}

pub fn vat_rate(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let rate = || change(subject.body, "TasaIVA", 0, |_| Some("18".to_owned()));
    (!is_zero(subject, "IVA")).then(rate)?
}

pub fn vat_fraction(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let rate = || change(subject.body, "TasaIVA", 0, |_| Some("0.19".to_owned()));
    (!is_zero(subject, "IVA")).then(rate)?
}

pub fn gross(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let none = places(subject.body, "MntBruto").is_empty();
    let net = first(subject.body, "MntNeto").and_then(whole)?;
    let due = none && !subject.is_ticket() && net > 10 && !priced(subject).is_empty();
    due.then(|| before(subject.body, "</IdDoc>", "<MntBruto>1</MntBruto>"))?
}

fn with_tax(subject: &Subject<'_>, tax: &str) -> Mutant {
    let due = !is_zero(subject, "IVA") && !subject.is_ticket();
    due.then(|| before(subject.body, "<MntTotal>", tax))?
}

pub fn unknown_tax(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let tax = "<ImptoReten><TipoImp>999</TipoImp><TasaImp>10</TasaImp><MontoImp>0</MontoImp></ImptoReten>";
    with_tax(subject, tax)
}

pub fn tax_rate(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let tax =
        "<ImptoReten><TipoImp>24</TipoImp><TasaImp>13</TasaImp><MontoImp>0</MontoImp></ImptoReten>";
    with_tax(subject, tax)
}

pub fn withheld(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    added(subject, "MontoImp", 0, 1_000)
}

pub fn no_currency(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let totals = places(subject.body, "Totales").into_iter().next()?;
    let text = subject.body.get(totals.whole.clone())?;
    let new = without(text, "TpoMoneda").filter(|_| subject.is_export())?;
    replaced(subject.body, totals.whole, &new)
}

pub fn no_pesos(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let due = subject.is_export() && !is_zero(subject, "MntTotal");
    due.then(|| without(subject.body, "OtraMoneda"))?
}

pub fn exchange_rate(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let rate = || change(subject.body, "TpoCambio", 0, |old| Some(format!("1{old}")));
    (subject.is_export() && !is_zero(subject, "MntTotal")).then(rate)?
}
