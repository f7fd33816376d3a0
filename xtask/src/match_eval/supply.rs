//! A synthetic invoice for one of the orders, as its supplier writes it.

use jiff::ToSpan as _;
use jiff::civil::Date;
use matching::{Invoice, Line, Order, Reference};
use rust_decimal::Decimal;

use super::generate::{Scenario, World, priced, total, with_iva};
use super::noise::{Style, order_number, rewrite};
use crate::random::Random;

impl World<'_> {
    /// The invoice for some orders. Earlier deliveries are noted in what is offered.
    pub fn invoice(
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
}
