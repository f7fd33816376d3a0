//! Price and quantity of an invoice's line against an order's line, exactly.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::corpus::{Ready, Vocabulary};
use crate::units::conversions;

/// The rate of IVA with one in front: from a net amount to a gross one.
const GROSS: Decimal = Decimal::from_parts(119, 0, 0, false, 2);
/// What a quantity may differ by, and still be the same: scales and conversions round.
const QUANTITY_SLACK: Decimal = Decimal::from_parts(1, 0, 0, false, 3);
/// From this relative difference on two prices have nothing to do with each other.
const NO_PRICE: f64 = 0.30;

/// What the prices of an invoice and of an order have in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Both with IVA or both without.
    Same,
    /// The invoice's with IVA, the order's without.
    InvoiceGross,
    /// The order's with IVA, the invoice's without.
    OrderGross,
}

/// All bases, the usual one first.
pub(crate) const BASES: [Basis; 3] = [Basis::Same, Basis::InvoiceGross, Basis::OrderGross];

/// What became of comparing two lines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Comparison {
    /// The relative difference of the prices of one unit; `None` where a price is missing.
    pub price_gap: Option<f64>,
    /// The price is within the tolerance; `None` where one is missing.
    pub price_ok: Option<bool>,
    /// The quantity is no more than what is left to invoice; `None` where one is missing.
    pub quantity_ok: Option<bool>,
    /// The quantity is all of what is left.
    pub quantity_whole: bool,
    /// How much more than what is left, relatively; 0 where it isn't.
    pub quantity_over: f64,
}

impl Comparison {
    /// How well the prices agree, from 0 to 1; ½ where nothing is known.
    pub fn price_grade(&self) -> f64 {
        match self.price_gap {
            None => 0.5,
            Some(gap) if gap <= 0.01 => 1.0,
            Some(gap) => (1.0 - gap / NO_PRICE).max(0.0),
        }
    }

    /// How well the quantities agree, from 0 to 1; ½ where nothing is known.
    pub fn quantity_grade(&self) -> f64 {
        match self.quantity_ok {
            None => 0.5,
            Some(true) if self.quantity_whole => 1.0,
            Some(true) => 0.8,
            Some(false) => (0.4 - self.quantity_over).max(0.0),
        }
    }
}

/// Compares two lines, in the unit in which they agree best.
pub(crate) fn compare(
    vocabulary: &Vocabulary<'_>,
    invoice: &Ready<'_>,
    order: &Ready<'_>,
    basis: Basis,
    tolerance: Decimal,
) -> Comparison {
    let same_unit = invoice.unit.is_some() && invoice.unit == order.unit;
    let one = (Decimal::ONE, Decimal::ONE);
    if same_unit {
        return with(invoice, order, one, basis, tolerance);
    }
    let stated = if invoice.line.unit.is_some() || order.line.unit.is_some() {
        let mut sizes = vocabulary.package_sizes(invoice);
        sizes.extend(vocabulary.package_sizes(order));
        sizes
    } else {
        Vec::new()
    };
    let ways = if stated.is_empty() && invoice.unit.is_none() && order.unit.is_none() {
        vec![one]
    } else {
        conversions(invoice.unit, order.unit, stated.into_iter())
    };
    let mut best: Option<Comparison> = None;
    for way in ways {
        let next = with(invoice, order, way, basis, tolerance);
        let grade = |of: &Comparison| of.price_grade() + 0.5 * of.quantity_grade();
        // The first way is the plainest: another has to be clearly better.
        if best
            .as_ref()
            .is_none_or(|best| grade(&next) > grade(best) + 0.2)
        {
            best = Some(next);
        }
    }
    best.unwrap_or_else(|| with(invoice, order, one, basis, tolerance))
}

/// With one of the invoice's unit being `above / below` of the order's.
fn with(
    invoice: &Ready<'_>,
    order: &Ready<'_>,
    (above, below): (Decimal, Decimal),
    basis: Basis,
    tolerance: Decimal,
) -> Comparison {
    let price = |listed: bool| {
        let (one, two) = (unit_price(invoice, listed)?, unit_price(order, listed)?);
        let (mut one, mut two) = (one.checked_mul(below)?, two.checked_mul(above)?);
        match basis {
            Basis::Same => {}
            Basis::InvoiceGross => two = two.checked_mul(GROSS)?,
            Basis::OrderGross => one = one.checked_mul(GROSS)?,
        }
        gap(one, two, tolerance)
    };
    // With a discount the listed prices may differ where what is paid doesn't, and the other
    // way round.
    let prices = [price(true), price(false)];
    let nearest = prices
        .into_iter()
        .flatten()
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let (quantity_ok, quantity_whole, quantity_over) = quantity(invoice, order, above, below)
        .map_or((None, false, 0.0), |(ok, whole, over)| {
            (Some(ok), whole, over)
        });
    Comparison {
        price_gap: nearest.map(|(gap, _)| gap),
        price_ok: nearest.map(|(_, ok)| ok),
        quantity_ok,
        quantity_whole,
        quantity_over,
    }
}

/// The price of one unit: as listed, else by the line's amount.
fn unit_price(ready: &Ready<'_>, listed: bool) -> Option<Decimal> {
    let line = ready.line;
    let by_amount = || {
        let quantity = line.quantity.filter(|quantity| !quantity.is_zero())?;
        line.amount?.checked_div(quantity)
    };
    if listed {
        line.unit_price.or_else(by_amount)
    } else {
        by_amount()
    }
}

/// The relative difference, and whether it is within the tolerance.
fn gap(one: Decimal, two: Decimal, tolerance: Decimal) -> Option<(f64, bool)> {
    let difference = one.checked_sub(two)?.abs();
    let allowed = two.abs().checked_mul(tolerance)?;
    let gap = if difference.is_zero() {
        0.0
    } else {
        let size = one.abs().max(two.abs());
        difference.to_f64()? / size.to_f64().filter(|size| *size > 0.0)?
    };
    Some((gap, difference <= allowed))
}

/// Whether what is invoiced is left to invoice, is all of it, and by how much it is over.
fn quantity(
    invoice: &Ready<'_>,
    order: &Ready<'_>,
    above: Decimal,
    below: Decimal,
) -> Option<(bool, bool, f64)> {
    let ordered = order.line.quantity?;
    let before = order.line.invoiced.unwrap_or(Decimal::ZERO);
    let left = ordered.checked_sub(before)?.checked_mul(below)?;
    let asked = invoice.line.quantity?.checked_mul(above)?;
    let slack = left.abs().checked_mul(QUANTITY_SLACK)?;
    let over = asked.checked_sub(left)?;
    let relative = match (over.to_f64(), left.to_f64()) {
        (Some(over), Some(left)) if over > 0.0 && left > 0.0 => over / left,
        (Some(over), _) if over > 0.0 => 1.0,
        _ => 0.0,
    };
    let ok = over <= slack && left > Decimal::ZERO && asked > Decimal::ZERO;
    Some((ok, ok && over.abs() <= slack, relative))
}

/// How well two totals agree, from 0 to 1: all of it within half a percent, nothing from
/// 15 % on. `None` where one is missing or nothing.
pub(crate) fn total_grade(one: Option<Decimal>, two: Option<Decimal>) -> Option<f64> {
    let (one, two) = (one?, two?);
    if one <= Decimal::ZERO || two <= Decimal::ZERO {
        return None;
    }
    let (gap, _) = gap(one, two, Decimal::ZERO)?;
    Some(if gap <= 0.005 {
        1.0
    } else {
        (1.0 - gap / 0.15).max(0.0)
    })
}

/// An amount with IVA.
pub(crate) fn gross(net: Decimal) -> Option<Decimal> {
    net.checked_mul(GROSS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Line;

    fn line(text: &str, quantity: &str, unit: &str, price: &str) -> Line {
        Line {
            description: text.to_owned(),
            quantity: quantity.parse().ok(),
            unit: Some(unit.to_owned()),
            unit_price: price.parse().ok(),
            ..Line::default()
        }
    }

    fn judge(invoice: Line, order: Line, basis: Basis) -> Comparison {
        let mut vocabulary = Vocabulary::default();
        let (invoice, order) = ([invoice], [order]);
        let (one, two) = (vocabulary.read(&invoice), vocabulary.read(&order));
        compare(&vocabulary, &one[0], &two[0], basis, Decimal::new(5, 2))
    }

    #[test]
    fn units_are_converted() {
        for (invoice, order) in [
            (
                line("Clavo", "2", "kg", "1500"),
                line("Clavo", "2000", "gr", "1.5"),
            ),
            (
                line("Lápiz", "24", "un", "100"),
                line("Lápiz", "2", "docena", "1200"),
            ),
            (
                line("Lápiz caja 50 un", "100", "un", "20"),
                line("Lápiz", "2", "caja", "1000"),
            ),
            (
                line("Cemento 25 kg", "10", "saco", "5000"),
                line("Cemento", "250", "kg", "200"),
            ),
            (
                line("Fierro", "1", "ton", "900000"),
                line("Fierro", "1000", "KG", "900"),
            ),
        ] {
            let name = invoice.description.clone();
            let result = judge(invoice, order, Basis::Same);
            assert_eq!(
                (result.price_ok, result.quantity_ok),
                (Some(true), Some(true)),
                "{name}"
            );
            assert!(result.quantity_whole, "{name}");
        }
    }

    #[test]
    fn prices_have_a_tolerance_and_quantities_a_rest() {
        let order = Line {
            invoiced: Some(Decimal::from(4)),
            ..line("x", "10", "un", "1000")
        };
        let result = |quantity: &str, price: &str| {
            let result = judge(line("x", quantity, "un", price), order.clone(), Basis::Same);
            (result.quantity_ok, result.price_ok)
        };
        assert_eq!(result("6", "1050"), (Some(true), Some(true)));
        assert_eq!(result("6.1", "1051"), (Some(false), Some(false)));
        assert_eq!(result("", "950"), (None, Some(true)));
        assert_eq!(result("-1", "949"), (Some(false), Some(false)));
        assert_eq!(result("1", ""), (Some(true), None));
    }

    #[test]
    fn iva_may_be_in_either_price() {
        let result = |basis| {
            judge(
                line("x", "1", "un", "1190"),
                line("x", "1", "un", "1000"),
                basis,
            )
            .price_ok
        };
        assert_eq!(result(Basis::Same), Some(false));
        assert_eq!(result(Basis::InvoiceGross), Some(true));
        assert_eq!(result(Basis::OrderGross), Some(false));
    }

    #[test]
    fn huge_amounts_are_harmless() {
        let huge = Line {
            quantity: Some(Decimal::MAX),
            unit_price: Some(Decimal::MAX),
            invoiced: Some(Decimal::MIN),
            amount: Some(Decimal::MIN),
            ..Line::default()
        };
        let result = judge(huge.clone(), huge, Basis::InvoiceGross);
        assert_eq!(result.quantity_ok, None);
        assert_eq!(
            total_grade(Some(Decimal::MAX), Some(Decimal::ONE)),
            Some(0.0)
        );
        assert_eq!(total_grade(Some(Decimal::ZERO), Some(Decimal::ONE)), None);
    }
}
