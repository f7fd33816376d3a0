//! The words of one question: every line in numbered tokens.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::input::Line;
use crate::text::{Sketch, Token, fold, package_sizes, tokens};
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

/// The lines in an order that doesn't depend on the one they came in, but for lines that are
/// equal in all.
pub(crate) fn sorted<'a>(mut lines: Vec<Ready<'a>>) -> Vec<Ready<'a>> {
    lines.sort_by(|a, b| {
        let (a, b) = (a.line, b.line);
        let key = |line: &Line| (line.quantity, line.unit_price, line.amount, line.id);
        let texts = a.description.cmp(&b.description);
        texts
            .then_with(|| key(a).cmp(&key(b)))
            .then_with(|| a.codes.cmp(&b.codes))
    });
    lines
}

/// All distinct tokens, numbered.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary<'a> {
    numbers: HashMap<Token, u32, FixedState>,
    tokens: Vec<Token>,
    /// Companies buy the same things again: a description is read once.
    read: HashMap<&'a str, (Vec<u32>, Sketch), FixedState>,
}

impl<'a> Vocabulary<'a> {
    fn number(&mut self, token: Token) -> u32 {
        let next = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
        let tokens = &mut self.tokens;
        *self.numbers.entry(token).or_insert_with_key(|token| {
            tokens.push(token.clone());
            next
        })
    }

    /// The lines of a document.
    pub fn read(&mut self, lines: &'a [Line]) -> Vec<Ready<'a>> {
        let lines = lines.iter().take(crate::MAX_LINES).enumerate();
        lines.map(|(index, line)| self.line(index, line)).collect()
    }

    fn line(&mut self, index: usize, line: &'a Line) -> Ready<'a> {
        let (code, text) = bracketed(&line.description);
        let (tokens, sketch) = self.description(text);
        let codes = code
            .into_iter()
            .chain(line.codes.iter().map(String::as_str));
        Ready {
            line,
            index,
            tokens,
            sketch,
            codes: codes.map(plain).filter(|code| code.len() >= 3).collect(),
            unit: line.unit.as_deref().and_then(Unit::read),
        }
    }

    fn description(&mut self, text: &'a str) -> (Vec<u32>, Sketch) {
        if let Some(known) = self.read.get(text) {
            return known.clone();
        }
        let found = tokens(text);
        let sketch = Sketch::of(&found);
        let numbers: Vec<u32> = found.into_iter().map(|token| self.number(token)).collect();
        self.read.insert(text, (numbers.clone(), sketch));
        (numbers, sketch)
    }

    /// All tokens, by their numbers.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
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

fn plain(code: &str) -> String {
    let folded = fold(code);
    let plain: String = folded
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(40)
        .collect();
    plain.trim_start_matches('0').to_owned()
}

pub(crate) fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_apart_and_the_order_of_lines_does_not_matter() {
        let line = |text: &str| Line {
            description: text.to_owned(),
            ..Line::default()
        };
        let mut lines = vec![line("[CEM-025] Cemento"), line("[] x"), line("[abierto")];
        let mut vocabulary = Vocabulary::default();
        let ready = vocabulary.read(&lines);
        assert_eq!(ready[0].codes, ["cem025"]);
        assert!(ready[1].codes.is_empty() && ready[2].codes.is_empty());
        let texts = |lines: &[Line]| -> Vec<String> {
            let mut vocabulary = Vocabulary::default();
            sorted(vocabulary.read(lines))
                .iter()
                .map(|ready| ready.line.description.clone())
                .collect()
        };
        let before = texts(&lines);
        lines.reverse();
        assert_eq!(texts(&lines), before);
    }
}
