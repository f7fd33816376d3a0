//! Synthetic purchases: orders, and invoices for them as suppliers write them.
//!
//! Nothing here is of a real company. What differs between an order and its invoice follows
//! what people report of real ones: abbreviations, misprints, other units, deliveries in
//! parts, prices that moved, prices with IVA, references that are missing or wrong.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use matching::{Invoice, Line, Order, Party, Reference};
use rust_decimal::Decimal;

use super::catalogue::Product;
use super::noise::{Style, order_number, rewrite};
use super::random::Random;

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

struct World<'a> {
    random: Random,
    families: &'a [Vec<Product>],
    next_id: i64,
    with_codes: bool,
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

    fn chance(&mut self, in_a_hundred: usize) -> bool {
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

    fn invoice(
        &mut self,
        scenario: Scenario,
        orders: &mut [Order],
        truth: &[Order],
        day: Date,
    ) -> Invoice {
        let style = Style::draw(&mut self.random);
        let mut lines: Vec<Line> = truth.iter().flat_map(|order| order.lines.clone()).collect();
        match scenario {
            Scenario::PartialQuantities => self.part_of_each(&mut lines),
            Scenario::PartialLines => self.some_lines(&mut lines, truth, orders),
            _ => {}
        }
        let gross = self.chance(8);
        let drift = self.drift();
        for line in &mut lines {
            self.as_supplier(line, style, gross, drift);
        }
        self.shuffle(&mut lines);
        let mut net = total(&lines);
        if gross {
            net = (net * Decimal::ONE_HUNDRED / Decimal::from(119)).round();
        }
        if scenario != Scenario::NoDetail && self.chance(8) {
            let freight = Decimal::from(8_000 + self.random.below(30_000));
            net += freight;
            lines.push(priced(Line {
                description: "Flete y despacho".to_owned(),
                quantity: Some(Decimal::ONE),
                unit_price: Some(freight),
                ..Line::default()
            }));
        }
        if scenario == Scenario::NoDetail {
            lines = vec![priced(Line {
                description: "Según orden de compra".to_owned(),
                quantity: Some(Decimal::ONE),
                unit_price: Some(net),
                ..Line::default()
            })];
        }
        let mut supplier = truth
            .first()
            .map(|order| order.supplier.clone())
            .unwrap_or_default();
        if self.chance(30) {
            supplier.id = None;
        }
        Invoice {
            supplier,
            total: Some(with_iva(net)),
            net: self.chance(60).then_some(net),
            date: Some(day.saturating_add(i64::try_from(self.random.below(5)).unwrap_or(0).days())),
            references: self.references(scenario, truth, orders),
            lines,
        }
    }

    fn part_of_each(&mut self, lines: &mut [Line]) {
        for line in lines {
            let all = line.quantity.unwrap_or(Decimal::ONE);
            let part = Decimal::from(30 + self.random.below(65)) / Decimal::ONE_HUNDRED;
            line.quantity = Some((all * part).round().max(Decimal::ONE));
            *line = priced(line.clone());
        }
    }

    /// Some lines now; the others were invoiced before, in half of the cases.
    fn some_lines(&mut self, lines: &mut Vec<Line>, truth: &[Order], orders: &mut [Order]) {
        let keep = (lines.len() / 2).max(1);
        while lines.len() > keep {
            let at = self.random.below(lines.len());
            lines.remove(at);
        }
        if self.chance(50) {
            let of_truth = orders
                .iter_mut()
                .filter(|order| truth.iter().any(|one| one.id == order.id));
            for line in of_truth.flat_map(|order| &mut order.lines) {
                let now = lines
                    .iter()
                    .any(|kept| kept.description == line.description);
                line.invoiced = if now { None } else { line.quantity };
            }
        }
    }

    /// In thousandths, how the prices of an invoice moved.
    fn drift(&mut self) -> i64 {
        let within = |random: &mut Random, most: i64| {
            i64::try_from(random.below(usize::try_from(2 * most + 1).unwrap_or(1))).unwrap_or(0)
                - most
        };
        match self.random.below(10) {
            0..=6 => 0,
            7..=8 => within(&mut self.random, 30),
            _ => within(&mut self.random, 100),
        }
    }

    fn as_supplier(&mut self, line: &mut Line, style: Style, gross: bool, drift: i64) {
        line.description = rewrite(&line.description, style, &mut self.random);
        line.id = None;
        line.invoiced = None;
        let mut factor = Decimal::from(1_000 + drift) / Decimal::ONE_THOUSAND;
        if gross {
            factor *= Decimal::new(119, 2);
        }
        line.unit_price = line.unit_price.map(|price| (price * factor).round());
        if self.chance(25) {
            line.codes.clear();
        }
        self.other_unit(line);
        *line = priced(line.clone());
    }

    /// In another unit, or in another word for it.
    fn other_unit(&mut self, line: &mut Line) {
        let Some(unit) = line.unit.clone() else {
            return;
        };
        let (unit, factor) = match (unit.as_str(), self.random.below(100)) {
            ("un", 0..=7) => ("docena", Decimal::from(12)),
            ("kg", 0..=9) => ("ton", Decimal::ONE_THOUSAND),
            ("kg", 10..=19) => ("gr", Decimal::new(1, 3)),
            ("m", 0..=9) => ("cm", Decimal::new(1, 2)),
            ("par", 0..=9) => ("un", Decimal::new(5, 1)),
            ("un", 8..=50) => ("UNID", Decimal::ONE),
            ("caja", 0..=40) => ("CJ", Decimal::ONE),
            ("saco", 0..=40) => ("SACOS", Decimal::ONE),
            (_, 90..=99) => {
                line.unit = None;
                return;
            }
            _ => return,
        };
        line.quantity = line.quantity.map(|quantity| quantity / factor);
        line.unit_price = line.unit_price.map(|price| (price * factor).round_dp(2));
        line.unit = Some(unit.to_owned());
    }

    fn references(
        &mut self,
        scenario: Scenario,
        truth: &[Order],
        orders: &[Order],
    ) -> Vec<Reference> {
        let is_order = self.chance(70);
        let mut name = |order: &Order| {
            let name = order.name.as_deref().unwrap_or_default();
            Reference {
                text: order_number(name, &mut self.random),
                is_order,
            }
        };
        let right: Vec<Reference> = truth.iter().map(&mut name).collect();
        let draw = self.random.below(100);
        match draw {
            // Without lines there is little else to know the order by.
            _ if scenario == Scenario::NoDetail && draw < 80 => right,
            0..=44 => right,
            45..=52 => vec![Reference {
                text: format!("F-{}", self.random.below(90_000)),
                is_order: false,
            }],
            53..=57 => vec![Reference {
                text: format!("OC {}", 10_000 + self.random.below(80_000)),
                is_order: true,
            }],
            58..=59 => {
                let at = self.random.below(orders.len());
                let text = orders
                    .get(at)
                    .and_then(|order| order.name.clone())
                    .unwrap_or_default();
                vec![Reference { text, is_order }]
            }
            _ => Vec::new(),
        }
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.random.below(at + 1);
            items.swap(at, other);
        }
    }
}

/// With the amount that follows from quantity and price.
fn priced(mut line: Line) -> Line {
    let amount = line.quantity.unwrap_or_default() * line.unit_price.unwrap_or_default();
    line.amount = Some(amount.round());
    line
}

fn total(lines: &[Line]) -> Decimal {
    lines.iter().filter_map(|line| line.amount).sum()
}

fn with_iva(net: Decimal) -> Decimal {
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
