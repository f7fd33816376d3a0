//! How telling each word is, and how alike those of the orders are to those of the invoice.

use crate::corpus::{Ready, Vocabulary, at};
use crate::text::{MAX_TOKENS, Sketch, Token, similarity};

/// How telling each token is, and how alike those of the orders are to those of the invoice.
#[derive(Debug)]
pub(crate) struct Alikeness {
    weights: Vec<f32>,
    exact: Vec<bool>,
    /// The row of a token of the invoice.
    row: Vec<Option<usize>>,
    rows: usize,
    /// The column of a token that is like some token of the invoice.
    column: Vec<Option<usize>>,
    /// By column: the rows that it is like.
    alike: Vec<Vec<(usize, f32)>>,
    /// The same as a table, column after column.
    cells: Vec<f32>,
}

/// A line's tokens as the table of alikeness has them.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    places: Vec<Option<usize>>,
    weights: Vec<f32>,
    exact: Vec<bool>,
    whole: f32,
    sketch: Sketch,
}

impl Alikeness {
    /// Of an invoice's lines against the lines of all orders.
    ///
    /// Telling is what few lines have (inverse document frequency). Only lines that share a
    /// token with the invoice count for it, so that orders which have nothing to do with the
    /// invoice change nothing.
    pub fn new(
        vocabulary: &Vocabulary<'_>,
        invoice: &[Ready<'_>],
        orders: &[Vec<Ready<'_>>],
    ) -> Self {
        let count = vocabulary.tokens().len();
        let mut row = vec![None; count];
        let mut rows: Vec<(usize, Shape)> = Vec::new();
        for number in invoice.iter().flat_map(|ready| &ready.tokens) {
            if let (Some(place @ None), Some(token)) = (
                row.get_mut(at(*number)),
                vocabulary.tokens().get(at(*number)),
            ) {
                *place = Some(rows.len());
                rows.push((at(*number), Shape::of(token)));
            }
        }
        let mut column = vec![None; count];
        let mut alike: Vec<Vec<(usize, f32)>> = Vec::new();
        for (number, token) in vocabulary.tokens().iter().enumerate() {
            let shape = Shape::of(token);
            let near: Vec<(usize, f32)> = rows
                .iter()
                .enumerate()
                .filter(|(_, (other, their))| *other == number || shape.may_be_like(their))
                .filter_map(|(r, (other, _))| {
                    let value = similarity(vocabulary.tokens().get(*other)?, token);
                    (value > 0.0).then_some((r, value))
                })
                .collect();
            if !near.is_empty()
                && let Some(place) = column.get_mut(number)
            {
                *place = Some(alike.len());
                alike.push(near);
            }
        }
        let mut cells = vec![0.0; rows.len() * alike.len()];
        for (near, cells) in alike.iter().zip(cells.chunks_mut(rows.len().max(1))) {
            for (r, value) in near {
                if let Some(cell) = cells.get_mut(*r) {
                    *cell = *value;
                }
            }
        }
        Self {
            weights: weights(count, &row, orders),
            exact: vocabulary.tokens().iter().map(Token::is_exact).collect(),
            row,
            rows: rows.len(),
            column,
            alike,
            cells,
        }
    }

    /// A line of the invoice.
    pub fn of_invoice(&self, ready: &Ready<'_>) -> Profile {
        self.profile(ready, &self.row)
    }

    /// A line of an order.
    pub fn of_order(&self, ready: &Ready<'_>) -> Profile {
        self.profile(ready, &self.column)
    }

    fn profile(&self, ready: &Ready<'_>, places: &[Option<usize>]) -> Profile {
        let numbers = || ready.tokens.iter().map(|number| at(*number));
        let weights: Vec<f32> = numbers()
            .map(|at| self.weights.get(at).copied().unwrap_or(0.0))
            .collect();
        Profile {
            places: numbers()
                .map(|at| places.get(at).copied().flatten())
                .collect(),
            exact: numbers()
                .map(|at| self.exact.get(at).copied().unwrap_or(false))
                .collect(),
            whole: weights.iter().sum(),
            weights,
            sketch: ready.sketch,
        }
    }

    /// How alike a line of the invoice and one of an order are, from 0 to 1.
    pub fn lines(&self, invoice: &Profile, order: &Profile) -> f32 {
        let words = self.words(invoice, order);
        if words <= 0.0 {
            return 0.0;
        }
        let letters = invoice.sketch.similarity(&order.sketch);
        (0.8 * words + 0.2 * letters).max(0.9 * letters).min(1.0)
    }

    /// Both ways: what part of each description the other one has, by weight. One that only
    /// says more than the other loses little; one that says another size loses much.
    fn words(&self, invoice: &Profile, order: &Profile) -> f32 {
        let mut best = [0.0_f32; MAX_TOKENS];
        let mut back = [0.0_f32; MAX_TOKENS];
        let mut any = false;
        for (column, back) in order.places.iter().zip(&mut back) {
            let Some(cells) = column.and_then(|column| self.column_cells(column)) else {
                continue;
            };
            for (row, best) in invoice.places.iter().zip(&mut best) {
                let alike = row.and_then(|row| cells.get(row)).copied().unwrap_or(0.0);
                *best = best.max(alike);
                *back = back.max(alike);
                any |= alike > 0.0;
            }
        }
        if !any || invoice.whole <= 0.0 || order.whole <= 0.0 {
            return 0.0;
        }
        let (found, other_size) = invoice.found(&best);
        let (found_back, own_size) = order.found(&back);
        let both = (found + found_back) / (invoice.whole + order.whole);
        let contained = (found / invoice.whole).max(found_back / order.whole);
        let alike = 0.6 * both + 0.4 * contained;
        if other_size && own_size {
            alike * 0.7
        } else {
            alike
        }
    }

    fn column_cells(&self, column: usize) -> Option<&[f32]> {
        let start = column * self.rows;
        self.cells.get(start..start + self.rows)
    }

    /// How much of the invoice's words an order has at the most, by weight: no assignment of
    /// lines finds more.
    pub fn coverage(&self, order: &[Ready<'_>]) -> f32 {
        let mut best = vec![0.0_f32; self.rows];
        for number in order.iter().flat_map(|ready| &ready.tokens) {
            let column = self.column.get(at(*number)).copied().flatten();
            for (row, alike) in column
                .and_then(|at| self.alike.get(at))
                .into_iter()
                .flatten()
            {
                if let Some(best) = best.get_mut(*row) {
                    *best = best.max(*alike);
                }
            }
        }
        let (mut found, mut all) = (0.0, 0.0);
        for (row, weight) in self.row.iter().zip(&self.weights) {
            if let Some(row) = row {
                all += weight;
                found += weight * best.get(*row).copied().unwrap_or(0.0);
            }
        }
        if all > 0.0 { found / all } else { 0.0 }
    }
}

impl Profile {
    /// The weight that the other line has, and whether it lacks a size.
    fn found(&self, best: &[f32]) -> (f32, bool) {
        let mut found = 0.0;
        let mut lacks = false;
        for ((weight, exact), best) in self.weights.iter().zip(&self.exact).zip(best) {
            found += weight * best;
            lacks |= *exact && *best < 0.5;
        }
        (found, lacks)
    }
}

/// What can be told of two tokens before they are compared letter by letter.
#[derive(Debug, Clone, Copy)]
struct Shape {
    kind: u8,
    length: u8,
    letters: u32,
}

impl Shape {
    fn of(token: &Token) -> Self {
        let (kind, letters) = match token {
            Token::Word(text) => (0, text.as_str()),
            Token::Code(_) => (1, ""),
            Token::Measure { .. } => (2, ""),
        };
        Self {
            kind,
            length: u8::try_from(letters.len()).unwrap_or(u8::MAX),
            letters: letters.bytes().fold(0, |set, byte| set | 1 << (byte & 31)),
        }
    }

    /// The shorter of two words that are alike has all letters of its own but two in the
    /// longer one. Codes are alike only if they are equal.
    fn may_be_like(&self, other: &Self) -> bool {
        let (short, long) = if self.length <= other.length {
            (self, other)
        } else {
            (other, self)
        };
        let lacking = short.letters & !long.letters;
        // At most two bits: what is left without the lowest two is nothing.
        let rest = lacking & lacking.wrapping_sub(1);
        self.kind == other.kind && self.kind != 1 && rest & rest.wrapping_sub(1) == 0
    }
}

fn weights(count: usize, row: &[Option<usize>], orders: &[Vec<Ready<'_>>]) -> Vec<f32> {
    let shared = |number: &u32| row.get(at(*number)).is_some_and(Option::is_some);
    let mut lines = 0_u32;
    let mut having = vec![0_u32; count];
    for ready in orders.iter().flatten() {
        if ready.tokens.iter().any(shared) {
            lines += 1;
            for number in &ready.tokens {
                if let Some(having) = having.get_mut(at(*number)) {
                    *having += 1;
                }
            }
        }
    }
    let all = f64::from(lines) + 1.0;
    let weight = |having: u32| (1.0 + all / (f64::from(having) + 1.0)).ln();
    having
        .into_iter()
        .map(|having| weight(having) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Line;

    fn line(description: &str) -> Line {
        Line {
            description: description.to_owned(),
            ..Line::default()
        }
    }

    /// How alike one invoice line is to each of the order's.
    fn alike(invoice: &str, order: &[&str]) -> Vec<f32> {
        let (invoice, order) = (
            [line(invoice)],
            order.iter().map(|text| line(text)).collect::<Vec<_>>(),
        );
        let mut vocabulary = Vocabulary::default();
        let invoice = vocabulary.read(&invoice);
        let mut ready = vocabulary.read(&order);
        ready.sort_by_key(|ready| ready.index);
        let orders = [ready];
        let alikeness = Alikeness::new(&vocabulary, &invoice, &orders);
        let invoice = alikeness.of_invoice(&invoice[0]);
        let ready = orders[0].iter();
        ready
            .map(|ready| alikeness.lines(&invoice, &alikeness.of_order(ready)))
            .collect()
    }

    #[test]
    fn the_right_variant_is_the_most_alike() {
        for (invoice, order) in [
            (
                "PERNO HEX 1/2\" GALV",
                [
                    "Perno hexagonal 1/2 pulgada galvanizado",
                    "Perno hexagonal 3/4 pulgada galvanizado",
                    "Tuerca hexagonal 1/2 pulgada",
                ],
            ),
            (
                "cemneto especial 25kg",
                [
                    "Cemento especial 25 kg",
                    "Cemento especial 42,5 kg",
                    "Yeso 25 kg",
                ],
            ),
            (
                "PLNCH OSB 11.1MM",
                [
                    "Plancha OSB 11,1 mm 122x244",
                    "Plancha OSB 9,5 mm 122x244",
                    "Plancha volcanita 10 mm",
                ],
            ),
            (
                "Portacintas negro",
                [
                    "Porta cintas negro",
                    "Cinta adhesiva",
                    "Porta lápices negro",
                ],
            ),
        ] {
            let values = alike(invoice, &order);
            assert!(values[0] > 0.6, "{invoice} {values:?}");
            assert!(
                values[0] > values[1] + 0.1 && values[0] > values[2] + 0.1,
                "{invoice} {values:?}"
            );
        }
        assert!(alike("Cemento", &["Notebook 14 pulgadas"])[0] < 0.15);
    }
}
