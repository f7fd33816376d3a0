//! Numbers of orders as people write them: `OC-00123`, `O/C N° 123`, `PO 123`, `P00123`.

use crate::input::{Invoice, Order, Reference};
use crate::text::fold;

/// The most numbers that are read of one text, and the most texts.
const MAX_NUMBERS: usize = 12;

/// How well a reference names an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// It says nothing, or names something else.
    None,
    /// Its number is the order's last one: `123` for `PO/2026/00123`.
    Number,
    /// All that identifies the order is there.
    Whole,
}

/// What the references of an invoice say about the offered orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct References {
    texts: Vec<Mention>,
    /// True where a reference surely means an order, whichever.
    pub names_some_order: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mention {
    shown: String,
    key: Key,
    is_order: bool,
}

/// What identifies an order: its letters but for those that only say "order", and its
/// numbers without zeros in front.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Key {
    letters: String,
    numbers: Vec<String>,
    says_order: bool,
}

impl Key {
    fn read(text: &str) -> Self {
        let mut key = Self::default();
        let folded = fold(text);
        let parts = folded.split(|c: char| !c.is_alphanumeric());
        for part in parts.filter(|part| !part.is_empty()) {
            let mut rest = part;
            while let Some(first) = rest.chars().next() {
                let digits = first.is_ascii_digit();
                let end = rest
                    .find(|c: char| c.is_ascii_digit() != digits)
                    .unwrap_or(rest.len());
                let (run, after) = rest.split_at(end);
                key.add(run, digits);
                rest = after;
            }
        }
        // "O/C" is "o c" once folded.
        if key.letters == "oc" || key.letters.starts_with("oc") && key.numbers.len() < 2 {
            key.letters = key.letters.split_off(2);
            key.says_order = true;
        }
        key
    }

    fn add(&mut self, run: &str, digits: bool) {
        if digits {
            if self.numbers.len() < MAX_NUMBERS {
                let short = run.trim_start_matches('0');
                self.numbers
                    .push(if short.is_empty() { "0" } else { short }.to_owned());
            }
            return;
        }
        match run {
            "oc" | "po" | "orden" | "compra" | "ordencompra" | "pedido" | "np" | "ocompra" => {
                self.says_order = true;
            }
            "n" | "no" | "nro" | "num" | "numero" | "de" | "ref" | "referencia" | "segun"
            | "su" | "nuestra" | "nota" | "id" => {}
            _ if self.letters.len() < 24 => self.letters.push_str(run),
            _ => {}
        }
    }

    /// The last number, where it is long enough to mean something.
    fn last(&self) -> Option<&str> {
        self.numbers.last().map(String::as_str)
    }

    fn naming(&self, order: &Self) -> Naming {
        let Some(last) = order.last() else {
            let named = !order.letters.is_empty() && self.letters == order.letters;
            return if named && self.numbers.is_empty() {
                Naming::Whole
            } else {
                Naming::None
            };
        };
        let letters = self.letters == order.letters;
        if letters && self.numbers == order.numbers {
            return Naming::Whole;
        }
        // Free text around the number: "despacho parcial P00123 bodega 2".
        let within = !order.letters.is_empty() && self.letters.contains(&order.letters);
        if within && order.numbers.iter().all(|n| self.numbers.contains(n)) {
            return Naming::Whole;
        }
        let telling = last.len() >= 3 || self.says_order || self.numbers.len() == 1;
        let foreign_letters = !self.letters.is_empty() && !letters && !within;
        let other_numbers = self.numbers.len() > 1 && order.numbers.len() > 1;
        if telling && !foreign_letters && !other_numbers && self.numbers.iter().any(|n| n == last) {
            Naming::Number
        } else {
            Naming::None
        }
    }
}

impl References {
    /// Reads the references of an invoice.
    pub fn of(invoice: &Invoice, orders: &[Order]) -> Self {
        let mut texts: Vec<Mention> = invoice
            .references
            .iter()
            .take(MAX_NUMBERS)
            .flat_map(mentions)
            .filter(|mention| !mention.key.numbers.is_empty() || !mention.key.letters.is_empty())
            .collect();
        texts.dedup();
        let shapes: Vec<Key> = orders
            .iter()
            .filter_map(|order| order.name.as_deref())
            .map(Key::read)
            .collect();
        let names_some_order = texts.iter().any(|mention| {
            mention.is_order
                || mention.key.says_order && !mention.key.numbers.is_empty()
                || shapes.iter().any(|shape| same_shape(&mention.key, shape))
        });
        Self {
            texts,
            names_some_order,
        }
    }

    /// How well the invoice names this order.
    pub fn naming(&self, order: &Order) -> Naming {
        self.best(order).map_or(Naming::None, |(naming, _)| naming)
    }

    /// The text that names this order.
    pub fn text_naming(&self, order: &Order) -> Option<&str> {
        self.best(order)
            .filter(|(naming, _)| *naming > Naming::None)
            .map(|(_, mention)| mention.shown.as_str())
    }

    /// The texts, for a person.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|mention| mention.shown.as_str())
    }

    fn best(&self, order: &Order) -> Option<(Naming, &Mention)> {
        let names: Vec<Key> = [&order.name, &order.partner_ref]
            .into_iter()
            .flatten()
            .map(|name| Key::read(name))
            .collect();
        self.texts
            .iter()
            .map(|mention| {
                let naming = names.iter().map(|name| mention.key.naming(name)).max();
                (naming.unwrap_or(Naming::None), mention)
            })
            .max_by_key(|(naming, _)| *naming)
    }
}

/// A text may name several orders: `OC 123, OC 124`, `P00123 / P00124`.
fn mentions(reference: &Reference) -> Vec<Mention> {
    let make = |text: &str| Mention {
        shown: text.trim().chars().take(40).collect(),
        key: Key::read(text),
        is_order: reference.is_order,
    };
    let mut found = vec![make(&reference.text)];
    let parts = reference.text.split([',', ';', '+', '|', '&']);
    let parts = parts
        .flat_map(|part| part.split(" y "))
        .flat_map(|part| part.split(" / "));
    found.extend(parts.take(MAX_NUMBERS).map(make));
    if found.len() == 2 {
        found.truncate(1);
    }
    found
}

/// Written as the company's orders are: the same letters and as many numbers.
fn same_shape(key: &Key, order: &Key) -> bool {
    !order.letters.is_empty()
        && key.letters == order.letters
        && !key.numbers.is_empty()
        && key.numbers.len() == order.numbers.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(text: &str, name: &str) -> Naming {
        let order = Order {
            name: Some(name.to_owned()),
            ..Order::default()
        };
        let invoice = Invoice {
            references: vec![Reference {
                text: text.to_owned(),
                is_order: true,
            }],
            ..Invoice::default()
        };
        References::of(&invoice, std::slice::from_ref(&order)).naming(&order)
    }

    #[test]
    fn an_order_is_named_in_many_ways() {
        for (text, name, wanted) in [
            ("P00123", "P00123", Naming::Whole),
            ("p 123", "P00123", Naming::Whole),
            ("OC-00123", "OC 123", Naming::Whole),
            ("O/C N° 123", "OC-00123", Naming::Whole),
            ("Orden de compra nro. 4500", "PO04500", Naming::Whole),
            ("PO/2026/00123", "PO-2026-123", Naming::Whole),
            ("OC P00123", "P00123", Naming::Whole),
            ("123", "P00123", Naming::Number),
            ("OC 123", "PO/2026/00123", Naming::Number),
            ("OC 45", "P00045", Naming::Number),
            ("P00123, P00124", "P00124", Naming::Whole),
            ("OC 123 / OC 124", "OC-123", Naming::Whole),
            ("P00124", "P00123", Naming::None),
            ("S00123", "P00123", Naming::None),
            ("PO/2025/00123", "PO/2026/00123", Naming::None),
            ("1234", "P00123", Naming::None),
            ("", "P00123", Naming::None),
            ("OC", "P00123", Naming::None),
        ] {
            assert_eq!(naming(text, name), wanted, "{text} / {name}");
        }
    }

    #[test]
    fn a_text_that_surely_means_an_order_is_known() {
        let orders = [Order {
            name: Some("P00001".into()),
            ..Order::default()
        }];
        let says = |text: &str, is_order| {
            let references = vec![Reference {
                text: text.into(),
                is_order,
            }];
            let invoice = Invoice {
                references,
                ..Invoice::default()
            };
            References::of(&invoice, &orders).names_some_order
        };
        assert!(says("P00999", false) && says("OC 9", false) && says("77", true));
        assert!(!says("77", false) && !says("F-1234", false) && !says("", true));
    }
}
