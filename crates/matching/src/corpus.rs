//! The words of one question: which lines have them, how telling each is, which are alike.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::input::Line;
use crate::text::{Sketch, Token, fold, package_sizes, similarity, tokens};
use crate::units::Unit;

/// A line that is ready to be compared.
#[derive(Debug, Clone)]
pub(crate) struct Ready<'a> {
    /// The line.
    pub line: &'a Line,
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its tokens' numbers.
    pub tokens: Vec<u32>,
    /// Its letters.
    pub sketch: Sketch,
    /// Its codes, without punctuation.
    pub codes: Vec<String>,
    /// Its unit, where it is known.
    pub unit: Option<Unit>,
}

/// All distinct tokens, numbered.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    numbers: HashMap<Token, u32, FixedState>,
    tokens: Vec<Token>,
}

impl Vocabulary {
    fn number(&mut self, token: Token) -> u32 {
        let next = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
        let tokens = &mut self.tokens;
        *self.numbers.entry(token).or_insert_with_key(|token| {
            tokens.push(token.clone());
            next
        })
    }

    /// The lines of a document, in an order that doesn't depend on theirs.
    pub fn read<'a>(&mut self, lines: &'a [Line]) -> Vec<Ready<'a>> {
        let mut ready: Vec<Ready<'a>> = lines
            .iter()
            .take(crate::MAX_LINES)
            .enumerate()
            .map(|(index, line)| self.line(index, line))
            .collect();
        ready.sort_by(|a, b| {
            let key = |ready: &Ready<'a>| {
                (
                    ready.line.quantity,
                    ready.line.unit_price,
                    ready.line.amount,
                )
            };
            a.line
                .description
                .cmp(&b.line.description)
                .then_with(|| key(a).cmp(&key(b)))
                .then_with(|| a.line.codes.cmp(&b.line.codes))
                .then_with(|| a.line.id.cmp(&b.line.id))
        });
        ready
    }

    fn line<'a>(&mut self, index: usize, line: &'a Line) -> Ready<'a> {
        let (codes, text) = bracketed(&line.description);
        let found = tokens(text);
        let sketch = Sketch::of(&found);
        let mut codes: Vec<String> = codes.into_iter().map(code).collect();
        codes.extend(line.codes.iter().map(|text| code(text)));
        codes.retain(|code| code.len() >= 3);
        Ready {
            line,
            index,
            tokens: found.into_iter().map(|token| self.number(token)).collect(),
            sketch,
            codes,
            unit: line.unit.as_deref().and_then(Unit::read),
        }
    }

    fn get(&self, number: u32) -> Option<&Token> {
        self.tokens.get(usize::try_from(number).ok()?)
    }

    /// The numbers in a line that may be the size of a package.
    pub fn package_sizes(&self, ready: &Ready<'_>) -> Vec<u64> {
        let tokens = ready.tokens.iter().filter_map(|number| self.get(*number));
        tokens
            .flat_map(|token| package_sizes(std::slice::from_ref(token)).collect::<Vec<_>>())
            .collect()
    }
}

/// Odoo shows a product as `[CODE] Name`.
fn bracketed(description: &str) -> (Option<&str>, &str) {
    let inner = description.trim_start().strip_prefix('[');
    match inner.and_then(|inner| inner.split_once(']')) {
        Some((code, rest)) if code.len() <= 40 => (Some(code), rest),
        _ => (None, description),
    }
}

fn code(text: &str) -> String {
    let folded = fold(text);
    let plain: String = folded
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(40)
        .collect();
    plain.trim_start_matches('0').to_owned()
}

/// How telling each token is, and how alike those of the orders are to those of the invoice.
#[derive(Debug)]
pub(crate) struct Alikeness {
    weights: Vec<f32>,
    exact: Vec<bool>,
    /// The row of an invoice's token.
    row: Vec<Option<usize>>,
    /// The column of an order's token that is like some token of the invoice.
    column: Vec<Option<usize>>,
    columns: usize,
    cells: Vec<f32>,
}

impl Alikeness {
    /// Of an invoice's lines against the lines of all orders.
    ///
    /// Telling is what few lines have (inverse document frequency). Only lines that share a
    /// token with the invoice count for it, so that orders which have nothing to do with the
    /// invoice change nothing.
    pub fn new(vocabulary: &Vocabulary, invoice: &[Ready<'_>], orders: &[Vec<Ready<'_>>]) -> Self {
        let count = vocabulary.tokens.len();
        let mut row = vec![None; count];
        let mut rows: Vec<u32> = Vec::new();
        for number in invoice.iter().flat_map(|ready| &ready.tokens) {
            if let Some(place @ None) = row.get_mut(at(*number)) {
                *place = Some(rows.len());
                rows.push(*number);
            }
        }
        let weights = weights(count, &row, orders);
        let shapes: Vec<Shape> = vocabulary.tokens.iter().map(Shape::of).collect();
        let mut column = vec![None; count];
        let mut columns: Vec<Vec<(usize, f32)>> = Vec::new();
        for (number, token) in vocabulary.tokens.iter().enumerate() {
            let alike: Vec<(usize, f32)> = rows
                .iter()
                .enumerate()
                .filter(|(_, other)| Shape::may_be_alike(&shapes, number, at(**other)))
                .filter_map(|(r, other)| {
                    let value = similarity(vocabulary.get(*other)?, token);
                    (value > 0.0).then_some((r, value))
                })
                .collect();
            if !alike.is_empty()
                && let Some(place) = column.get_mut(number)
            {
                *place = Some(columns.len());
                columns.push(alike);
            }
        }
        let mut cells = vec![0.0; rows.len() * columns.len()];
        for (c, alike) in columns.iter().enumerate() {
            for (r, value) in alike {
                if let Some(cell) = cells.get_mut(r * columns.len() + c) {
                    *cell = *value;
                }
            }
        }
        Self {
            weights,
            exact: vocabulary.tokens.iter().map(Token::is_exact).collect(),
            row,
            column,
            columns: columns.len(),
            cells,
        }
    }

    fn weight(&self, number: u32) -> f32 {
        self.weights.get(at(number)).copied().unwrap_or(0.0)
    }

    fn alike(&self, row: Option<usize>, column: Option<usize>) -> f32 {
        match (row, column) {
            (Some(row), Some(column)) => self
                .cells
                .get(row * self.columns + column)
                .copied()
                .unwrap_or(0.0),
            _ => 0.0,
        }
    }

    fn row(&self, number: u32) -> Option<usize> {
        self.row.get(at(number)).copied().flatten()
    }

    fn column(&self, number: u32) -> Option<usize> {
        self.column.get(at(number)).copied().flatten()
    }

    /// How alike two lines' descriptions are, from 0 to 1.
    pub fn lines(&self, invoice: &Ready<'_>, order: &Ready<'_>) -> f32 {
        let letters = invoice.sketch.similarity(&order.sketch);
        let words = self.words(&invoice.tokens, &order.tokens);
        (0.8 * words + 0.2 * letters)
            .max(if words > 0.0 {
                0.9 * letters
            } else {
                0.8 * letters
            })
            .min(1.0)
    }

    /// Both ways: what part of each description the other one has, by weight. One that only
    /// says more than the other loses little; one that says another size loses much.
    fn words(&self, invoice: &[u32], order: &[u32]) -> f32 {
        let mut best = [0.0_f32; crate::text::MAX_TOKENS];
        let (mut found, mut all) = (0.0, 0.0);
        let mut other_size = false;
        for number in invoice {
            let row = self.row(*number);
            let mut most = 0.0_f32;
            for (other, best) in order.iter().zip(&mut best) {
                let alike = self.alike(row, self.column(*other));
                most = most.max(alike);
                *best = best.max(alike);
            }
            let weight = self.weight(*number);
            found += weight * most;
            all += weight;
            other_size |= most < 0.5 && self.is_exact(*number);
        }
        let (mut found_back, mut all_back) = (0.0, 0.0);
        let mut own_size = false;
        for (number, best) in order.iter().zip(best) {
            let weight = self.weight(*number);
            found_back += weight * best;
            all_back += weight;
            own_size |= best < 0.5 && self.is_exact(*number);
        }
        if all <= 0.0 || all_back <= 0.0 {
            return 0.0;
        }
        let both = (found + found_back) / (all + all_back);
        let contained = (found / all).max(found_back / all_back);
        let alike = 0.6 * both + 0.4 * contained;
        if other_size && own_size {
            alike * 0.7
        } else {
            alike
        }
    }

    fn is_exact(&self, number: u32) -> bool {
        self.exact.get(at(number)).copied().unwrap_or(false)
    }

    /// How much of the invoice's words an order has at the most, by weight: no assignment of
    /// lines finds more.
    pub fn coverage(&self, order: &[Ready<'_>]) -> f32 {
        let rows = self
            .cells
            .len()
            .checked_div(self.columns.max(1))
            .unwrap_or(0);
        let mut best = vec![0.0_f32; rows];
        let mut seen = vec![false; self.columns];
        for number in order.iter().flat_map(|ready| &ready.tokens) {
            let Some(column) = self.column(*number) else {
                continue;
            };
            if let Some(seen @ false) = seen.get_mut(column) {
                *seen = true;
                for (row, best) in best.iter_mut().enumerate() {
                    *best = best.max(self.alike(Some(row), Some(column)));
                }
            }
        }
        let (mut found, mut all) = (0.0, 0.0);
        for (number, row) in self.row.iter().enumerate() {
            if let Some(row) = row {
                let weight = self.weights.get(number).copied().unwrap_or(0.0);
                all += weight;
                found += weight * best.get(*row).copied().unwrap_or(0.0);
            }
        }
        if all > 0.0 { found / all } else { 0.0 }
    }
}

/// What can be told of two tokens before they are compared letter by letter.
struct Shape {
    kind: u8,
    letters: u32,
}

impl Shape {
    fn of(token: &Token) -> Self {
        match token {
            Token::Word(text) => Self {
                kind: 0,
                letters: text.bytes().fold(0, |set, byte| set | 1 << (byte & 31)),
            },
            Token::Code(_) => Self {
                kind: 1,
                letters: 0,
            },
            Token::Measure { .. } => Self {
                kind: 2,
                letters: 0,
            },
        }
    }

    /// Two words that are alike share all letters but two on the side that has fewer.
    fn may_be_alike(shapes: &[Self], a: usize, b: usize) -> bool {
        let (Some(a), Some(b)) = (shapes.get(a), shapes.get(b)) else {
            return false;
        };
        let lacking = (a.letters & !b.letters)
            .count_ones()
            .min((b.letters & !a.letters).count_ones());
        a.kind == b.kind && lacking <= 2
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

fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        orders[0]
            .iter()
            .map(|ready| alikeness.lines(&invoice[0], ready))
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

    #[test]
    fn codes_come_apart() {
        let lines = [line("[CEM-025] Cemento"), line("[] x"), line("[abierto")];
        let mut vocabulary = Vocabulary::default();
        let mut ready = vocabulary.read(&lines);
        ready.sort_by_key(|ready| ready.index);
        assert_eq!(ready[0].codes, ["cem025"]);
        assert!(ready[1].codes.is_empty() && ready[2].codes.is_empty());
    }
}
