//! Synthetic purchases: orders, and invoices for them as suppliers write them.
//!
//! Nothing here is of a real company. What differs between an order and its invoice follows
//! what people report of real ones: abbreviations, misprints, other units, deliveries in
//! parts, prices that moved, prices with IVA, references that are missing or wrong.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use matching::{Invoice, Line, Order, Party};
use rust_decimal::Decimal;

use super::catalogue::Product;
use crate::random::Random;

/// What an invoice is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// All of one order.
    Whole,
    /// Less of each line.
    PartialQuantities,
    /// Some of the lines; often after an earlier delivery.
    PartialLines,
    /// Of two or three orders.
    Several,
    /// One line "según orden de compra", with the total.
    NoDetail,
    /// Its order has brothers of the same products, with other quantities.
    Repeated,
    /// Its order has a twin that is equal but for the day.
    Twin,
    /// Its order isn't offered; others of the supplier are.
    NotOffered,
    /// Its order isn't offered, and one that is has the same products.
    NotOfferedBrother,
}

/// In a hundred invoices, how many are of which scenario.
const SHARES: [(Scenario, usize); 9] = [
    (Scenario::Whole, 34),
    (Scenario::PartialQuantities, 13),
    (Scenario::PartialLines, 13),
    (Scenario::Several, 7),
    (Scenario::NoDetail, 4),
    (Scenario::Repeated, 12),
    (Scenario::Twin, 1),
    (Scenario::NotOffered, 12),
    (Scenario::NotOfferedBrother, 4),
];

/// An invoice, what is offered, and what is right.
pub struct Case {
    /// What the invoice is like.
    pub scenario: Scenario,
    /// The invoice.
    pub invoice: Invoice,
    /// The orders that are offered.
    pub orders: Vec<Order>,
    /// The right orders; empty where none is offered.
    pub truth: Vec<i64>,
}

/// Where purchases are made up.
pub struct World<'a> {
    /// What chooses.
    pub random: Random,
    /// What is bought.
    pub families: &'a [Vec<Product>],
    /// The last order's id.
    pub next_id: i64,
    /// Products have codes.
    pub with_codes: bool,
}

/// As many cases as asked for.
pub fn cases(families: &[Vec<Product>], seed: u64, count: usize) -> Vec<Case> {
    (0..count)
        .map(|number| {
            let mut random = Random::new(seed, &format!("case {number}"));
            let with_codes = random.below(4) == 0;
            let next_id = 1 + i64::try_from(random.below(5_000)).unwrap_or(0);
            World {
                random,
                families,
                next_id,
                with_codes,
            }
            .case()
        })
        .collect()
}

/// An invoice and so many orders of so many lines each, all of one supplier; the invoice is for
/// one of them.
pub fn large(families: &[Vec<Product>], orders: usize, lines: usize) -> (Invoice, Vec<Order>) {
    let mut world = World {
        random: Random::new(7, "large"),
        families,
        next_id: 1,
        with_codes: false,
    };
    let supplier = world.supplier();
    let offered: Vec<Order> = (0..orders)
        .map(|_| {
            let family = world.random.below(families.len());
            let lines = (0..lines).map(|_| world.line(family)).collect();
            world.finish(&supplier, lines, date(2026, 9, 1))
        })
        .collect();
    let truth = offered.get(orders / 2).cloned();
    let mut copy = offered.clone();
    let truth: Vec<Order> = truth.into_iter().collect();
    let invoice = world.invoice(Scenario::Whole, &mut copy, &truth, date(2026, 9, 20));
    (invoice, offered)
}

impl World<'_> {
    fn case(&mut self) -> Case {
        let scenario = self.scenario();
        let supplier = self.supplier();
        let family = self.random.below(self.families.len());
        let day = date(2026, 10, 1)
            .saturating_sub(i64::try_from(self.random.below(200)).unwrap_or(0).days());
        let members = if scenario == Scenario::Several {
            2 + self.random.below(2)
        } else {
            1
        };
        let truth: Vec<Order> = (0..members)
            .map(|_| self.order(&supplier, family, day))
            .collect();
        let mut orders = truth.clone();
        self.decoys(scenario, &truth, &supplier, family, day, &mut orders);
        let invoice = self.invoice(scenario, &mut orders, &truth, day);
        let absent = matches!(scenario, Scenario::NotOffered | Scenario::NotOfferedBrother);
        let ids: Vec<i64> = truth.iter().map(|order| order.id).collect();
        if absent {
            orders.retain(|order| !ids.contains(&order.id));
        }
        self.shuffle(&mut orders);
        Case {
            scenario,
            invoice,
            orders,
            truth: if absent { Vec::new() } else { ids },
        }
    }

    fn scenario(&mut self) -> Scenario {
        let mut left = self.random.below(100);
        for (scenario, share) in SHARES {
            if left < share {
                return scenario;
            }
            left -= share;
        }
        Scenario::Whole
    }

    /// True so often in a hundred times.
    pub fn chance(&mut self, in_a_hundred: usize) -> bool {
        self.random.below(100) < in_a_hundred
    }

    fn supplier(&mut self) -> Party {
        const FIRST: [&str; 12] = [
            "Comercial",
            "Distribuidora",
            "Ferretería",
            "Sociedad",
            "Importadora",
            "Servicios",
            "Suministros",
            "Proveedora",
            "Insumos",
            "Maestranza",
            "Grupo",
            "Almacenes",
        ];
        const SECOND: [&str; 12] = [
            "Los Aromos",
            "Puerto Ficticio",
            "El Quillay",
            "Andes Inventado",
            "Río Imaginario",
            "San Ejemplo",
            "Tres Lagunas",
            "Norte Ficticio",
            "La Quebrada",
            "Austral Ejemplo",
            "Santa Prueba",
            "Cordillera Azul",
        ];
        let body = 76_000_000 + self.random.below(999_999);
        let number = u32::try_from(body).unwrap_or(76_000_000);
        Party {
            id: Some(i64::from(number)),
            rut: Some(format!("{number}-{}", dte::digito_verificador(number))),
            name: Some(format!(
                "{} {} SpA",
                FIRST[self.random.below(FIRST.len())],
                SECOND[self.random.below(SECOND.len())]
            )),
        }
    }

    fn order(&mut self, supplier: &Party, family: usize, day: Date) -> Order {
        let count = match self.random.below(10) {
            0..=2 => 1,
            3..=6 => 2 + self.random.below(4),
            7..=8 => 5 + self.random.below(6),
            _ => 10 + self.random.below(12),
        };
        let lines: Vec<Line> = (0..count).map(|_| self.line(family)).collect();
        let before = i64::try_from(self.random.below(60)).unwrap_or(0);
        self.finish(supplier, lines, day.saturating_sub(before.days()))
    }

    fn finish(&mut self, supplier: &Party, lines: Vec<Line>, day: Date) -> Order {
        self.next_id += 1 + i64::try_from(self.random.below(9)).unwrap_or(0);
        let net = total(&lines);
        Order {
            id: self.next_id,
            name: Some(format!("P{:05}", self.next_id)),
            partner_ref: None,
            supplier: supplier.clone(),
            total: Some(with_iva(net)),
            net: self.chance(50).then_some(net),
            date: Some(day),
            lines,
        }
    }

    fn line(&mut self, family: usize) -> Line {
        let products = &self.families[family];
        let product = products[self.random.below(products.len())].clone();
        let variant = product.variants[self.random.below(product.variants.len())];
        let name = product.name.replace("{}", variant);
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let codes = if self.with_codes {
            vec![format!(
                "{:05}",
                10_000
                    + name
                        .bytes()
                        .fold(7_usize, |sum, b| (sum * 31 + usize::from(b)) % 89_999)
            )]
        } else {
            Vec::new()
        };
        let quantity = if product.price > 200_000 {
            1 + self.random.below(3)
        } else {
            1 + self.random.below(60)
        };
        let percent = i64::try_from(85 + self.random.below(31)).unwrap_or(100);
        priced(Line {
            description: name,
            codes,
            quantity: Some(Decimal::from(quantity)),
            unit: self.chance(85).then(|| product.unit.to_owned()),
            unit_price: Some(Decimal::from(product.price * percent / 100)),
            ..Line::default()
        })
    }

    /// What is offered besides: of the supplier, of others, and brothers of the right order.
    fn decoys(
        &mut self,
        scenario: Scenario,
        truth: &[Order],
        supplier: &Party,
        family: usize,
        day: Date,
        orders: &mut Vec<Order>,
    ) {
        let brothers = match scenario {
            Scenario::Repeated => 1 + self.random.below(3),
            Scenario::NotOfferedBrother | Scenario::Twin => 1,
            _ => 0,
        };
        for _ in 0..brothers {
            if let Some(order) = truth.first() {
                let brother = self.brother(order, scenario == Scenario::Twin);
                orders.push(brother);
            }
        }
        for _ in 0..self.random.below(7) {
            orders.push(self.order(supplier, family, day));
        }
        for _ in 0..self.random.below(20) {
            let other = self.supplier();
            let other_family = self.random.below(self.families.len());
            orders.push(self.order(&other, other_family, day));
        }
        let without_rut = self.chance(12);
        for order in orders.iter_mut().filter(|_| without_rut) {
            order.supplier.rut = None;
            order.supplier.id = None;
        }
    }

    /// The same products again.
    fn brother(&mut self, order: &Order, twin: bool) -> Order {
        let lines = order.lines.clone();
        let lines = lines.into_iter().map(|mut line| {
            if !twin {
                line.quantity = Some(Decimal::from(1 + self.random.below(60)));
                let percent = Decimal::from(90 + self.random.below(21)) / Decimal::ONE_HUNDRED;
                line.unit_price = line.unit_price.map(|price| (price * percent).round());
            }
            priced(line)
        });
        let lines = lines.collect();
        let apart = i64::try_from(5 + self.random.below(40)).unwrap_or(5);
        let day = order
            .date
            .unwrap_or(date(2026, 1, 1))
            .saturating_sub(apart.days());
        self.finish(&order.supplier.clone(), lines, day)
    }

    /// In any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.random.below(at + 1);
            items.swap(at, other);
        }
    }
}

/// With the amount that follows from quantity and price.
pub fn priced(mut line: Line) -> Line {
    let amount = line.quantity.unwrap_or_default() * line.unit_price.unwrap_or_default();
    line.amount = Some(amount.round());
    line
}

/// The sum of the lines.
pub fn total(lines: &[Line]) -> Decimal {
    lines.iter().filter_map(|line| line.amount).sum()
}

/// With IVA.
pub fn with_iva(net: Decimal) -> Decimal {
    (net * Decimal::new(119, 2)).round()
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::families;
    use super::*;

    #[test]
    fn cases_follow_from_the_seed_and_hold_their_truth() {
        let families = families(true);
        let (one, two) = (cases(&families, 3, 60), cases(&families, 3, 60));
        for (one, two) in one.iter().zip(&two) {
            assert_eq!(one.invoice, two.invoice);
            let offered = |id: &i64| one.orders.iter().any(|order| order.id == *id);
            assert!(one.truth.iter().all(offered) && one.orders.len() <= 200);
            let absent = matches!(
                one.scenario,
                Scenario::NotOffered | Scenario::NotOfferedBrother
            );
            assert_eq!(absent, one.truth.is_empty());
        }
        assert_ne!(cases(&families, 4, 1)[0].invoice, one[0].invoice);
    }
}
