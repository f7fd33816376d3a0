//! Defects that only some documents can have: periods, terms, exports, commissions, transfers.

use super::super::body::{before, change, first, places, replaced, without};
use super::Subject;
use super::references::in_correction;
use crate::random::Random;

type Mutant = Option<String>;

fn set(subject: &Subject<'_>, tag: &str, value: &str) -> Mutant {
    change(subject.body, tag, 0, |_| Some(value.to_owned()))
}

fn gone(subject: &Subject<'_>, tag: &str, kinds: &[u16]) -> Mutant {
    subject.is(kinds).then(|| without(subject.body, tag))?
}

/// Types that must say all of their two parties.
const INVOICES: &[u16] = &[33, 34];

pub fn no_business(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    gone(subject, "GiroRecep", INVOICES)
}

pub fn no_district(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    gone(subject, "CmnaRecep", INVOICES)
}

pub fn no_address(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    gone(subject, "DirRecep", INVOICES)
}

pub fn no_issuer_name(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!subject.is_ticket()).then(|| without(subject.body, "RznSoc"))?
}

pub fn no_activity(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!subject.is_ticket()).then(|| without(subject.body, "Acteco"))?
}

pub fn no_date(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    without(subject.body, "FchEmis")
}

pub fn no_totals(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    without(subject.body, "Totales")
}

pub fn no_lines(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!subject.is_ticket()).then(|| without(subject.body, "Detalle"))?
}

pub fn empty_issuer(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    set(subject, "RUTEmisor", "")
}

pub fn empty_item(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    set(subject, "NmbItem", " ")
}

pub fn encoded_twice(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    set(subject, "NmbItem", "Inform\u{C3}\u{A1}tica")
}

pub fn control(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    set(subject, "NmbItem", "Perno\u{85}de ojo")
}

pub fn long_business(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let issuer = if subject.is_ticket() {
        "GiroEmisor"
    } else {
        "GiroEmis"
    };
    change(subject.body, issuer, 0, |old| {
        (old.chars().count() <= 80).then(|| "Venta al por menor ".repeat(5))
    })
}

pub fn long_unit(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    in_first_line(subject, |line| {
        let line = without(line, "UnmdItem").unwrap_or_else(|| line.to_owned());
        let after = if places(&line, "QtyItem").is_empty() {
            "NmbItem"
        } else {
            "QtyItem"
        };
        let end = places(&line, after).first()?.whole.end;
        replaced(&line, end..end, "<UnmdItem>unidades</UnmdItem>")
    })
}

pub fn long_code(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let code = format!(
        "<CdgItem><TpoCodigo>INT1</TpoCodigo><VlrCodigo>{}</VlrCodigo></CdgItem>",
        "7".repeat(36)
    );
    in_first_line(subject, |line| {
        let end = places(line, "NroLinDet").first()?.whole.end;
        replaced(line, end..end, &code)
    })
}

fn in_first_line(subject: &Subject<'_>, by: impl FnOnce(&str) -> Option<String>) -> Mutant {
    let place = places(subject.body, "Detalle").into_iter().next()?;
    let new = by(subject.body.get(place.whole.clone())?)?;
    replaced(subject.body, place.whole, &new)
}

fn negative(subject: &Subject<'_>, tag: &str) -> Mutant {
    let zero = |text: &str| text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    change(subject.body, tag, 0, |old| {
        (!zero(old) && !old.starts_with('-')).then(|| format!("-{old}"))
    })
}

pub fn negative_price(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    negative(subject, "PrcItem")
}

pub fn negative_quantity(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    negative(subject, "QtyItem")
}

pub fn negative_vat(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    negative(subject, "IVA")
}

pub fn seven_decimals(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "QtyItem", 0, |old| {
        (!old.contains('.')).then(|| format!("{old}.0000001"))
    })
}

pub fn thousands(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "MntTotal", 0, |old| {
        let cut = old.len().checked_sub(3).filter(|cut| *cut > 0)?;
        let digits = old.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| format!("{}.{}", &old[..cut], &old[cut..]))
    })
}

pub fn not_from_one(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (places(subject.body, "Detalle").len() == 1).then(|| set(subject, "NroLinDet", "3"))?
}

pub fn backwards(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let period = "<PeriodoDesde>2025-03-31</PeriodoDesde><PeriodoHasta>2025-03-01</PeriodoHasta>";
    let none = places(subject.body, "PeriodoDesde").is_empty() && !subject.is(&[52]);
    none.then(|| before(subject.body, "</IdDoc>", period))?
}

pub fn half_a_period(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    without(subject.body, "PeriodoHasta")
}

/// An element of the head with a value that the format doesn't list.
fn unlisted(subject: &Subject<'_>, tag: &str, value: &str) -> Mutant {
    if subject.is_ticket() {
        return None;
    }
    set(subject, tag, value).or_else(|| {
        let element = format!("<{tag}>{value}</{tag}>");
        before(subject.body, "</IdDoc>", &element)
    })
}

pub fn payment(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    unlisted(subject, "FmaPago", "4")
}

pub fn means_of_payment(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    unlisted(subject, "MedioPago", "ZZ")
}

pub fn kind_of_sale(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!subject.is_export()).then(|| unlisted(subject, "TpoTranVenta", "9"))?
}

pub fn kind_of_dispatch(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    unlisted(subject, "TipoDespacho", "7")
}

pub fn exemption(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    set(subject, "IndExe", "9")
}

pub fn ticket_service(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    gone(subject, "IndServicio", &[39, 41])
}

pub fn no_rate(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let vat = first(subject.body, "IVA").is_some_and(|vat| vat != "0");
    (vat && !subject.is_ticket()).then(|| without(subject.body, "TasaIVA"))?
}

pub fn global_direction(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "TpoMov", 0, |old| {
        Some(if old == "D" { "R" } else { "D" }.to_owned())
    })
}

pub fn global_value(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    set(subject, "ValorDR", "93")
}

pub fn withholding_rate(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    subject.is(&[46]).then(|| set(subject, "TasaImp", "13"))?
}

pub fn not_withheld(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    change(subject.body, "IVANoRet", 0, |old| Some(format!("{old}0")))
}

pub fn withholding_added(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let withheld: i64 = first(subject.body, "MontoImp")?.parse().ok()?;
    let changed = || {
        change(subject.body, "MntTotal", 0, |old| {
            Some((old.parse::<i64>().ok()? + withheld).to_string())
        })
    };
    (subject.is(&[46]) && withheld > 1).then(changed)?
}

pub fn commission(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    subject.is(&[43]).then(|| {
        change(subject.body, "ValComNeto", 0, |old| {
            Some((old.parse::<i64>().ok()? + 1_000).to_string())
        })
    })?
}

pub fn no_liquidated_type(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    gone(subject, "TpoDocLiq", &[43])
}

pub fn unknown_currency(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    subject
        .is_export()
        .then(|| set(subject, "TpoMoneda", "USD"))?
}

pub fn no_exchange(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    gone(subject, "TpoCambio", &[110, 111, 112])
}

pub fn packages(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    (!places(subject.body, "TipoBultos").is_empty()).then(|| set(subject, "TotBultos", "987654"))?
}

pub fn national_receiver(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    subject
        .is_export()
        .then(|| set(subject, "RUTRecep", "60803000-K"))?
}

pub fn export_guide(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let none = places(subject.body, "GuiaExport").is_empty();
    (subject.is(&[52]) && none).then(|| set(subject, "IndTraslado", "8"))?
}

pub fn free_sale(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let zero = first(subject.body, "MntTotal") == Some("0");
    (subject.is(&[52]) && zero).then(|| set(subject, "IndTraslado", "1"))?
}

pub fn later_reference(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let issued: jiff::civil::Date = first(subject.body, "FchEmis")?.parse().ok()?;
    let later = issued.tomorrow().ok()?;
    (!subject.is_ticket()).then(|| set(subject, "FchRef", &later.to_string()))?
}

pub fn reference_zero(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let single = places(subject.body, "IndGlobal").is_empty() && !subject.is_ticket();
    single.then(|| set(subject, "FolioRef", "0"))?
}

pub fn reference_number(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    let all = places(subject.body, "Referencia");
    let last = all.last().filter(|_| !subject.is_ticket())?;
    let copy = subject.body.get(last.whole.clone())?;
    let copy = change(copy, "FolioRef", 0, |old| Some(format!("{old}9")))?;
    replaced(subject.body, last.whole.end..last.whole.end, &copy)
}

pub fn folio_in_letters(subject: &Subject<'_>, _: &mut Random) -> Mutant {
    in_correction(subject, |reference| {
        change(reference, "FolioRef", 0, |_| Some("F-ABC".to_owned()))
    })
}
