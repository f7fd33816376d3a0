//! Words and phrases that mean the same in the domain, from a file.
//!
//! One relation a line: `a = b = c` holds in all directions, `a > b, c` leads from a to b and
//! c only; `#` begins a comment. Forms are compared by their stems, without stop words.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::text::{Stems, TokenKind, is_stop_word, tokenise};

/// Most words of a form.
pub(crate) const MAX_FORM: usize = 5;
/// Most lines of a file.
const MAX_LINES: usize = 20_000;
/// Most alternatives of one form.
const MAX_ALTERNATIVES: usize = 24;

/// The relations of a file.
#[derive(Debug, Default)]
pub(crate) struct Synonyms {
    /// From the stems of a form, joined by spaces, to those of its alternatives.
    alternatives: HashMap<String, Vec<Form>, RandomState>,
    /// Every word that a form begins with or holds, so that it isn't taken for a typing error.
    words: std::collections::HashSet<String, RandomState>,
}

/// The stems of a form's words.
pub(crate) type Form = Box<[Box<str>]>;

impl Synonyms {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The first line (from 1) that has no meaning, and why.
    pub(crate) fn parse(text: &str) -> Result<Self, (u32, &'static str)> {
        let mut stems = Stems::new();
        let mut synonyms = Self::default();
        for (index, line) in text.lines().enumerate() {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let fail = |why| (number, why);
            if index >= MAX_LINES {
                return Err(fail("too many lines"));
            }
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                synonyms.line(line, &mut stems).map_err(fail)?;
            }
        }
        Ok(synonyms)
    }

    fn line(&mut self, line: &str, stems: &mut Stems) -> Result<(), &'static str> {
        if let Some((from, to)) = line.split_once('>') {
            if to.contains('>') || line.contains('=') {
                return Err("one > in a line, and no = beside it");
            }
            let from = form(from, stems)?;
            for to in to.split(',') {
                self.add(&from, form(to, stems)?)?;
            }
            return Ok(());
        }
        let forms: Vec<Form> = line
            .split('=')
            .map(|text| form(text, stems))
            .collect::<Result<_, _>>()?;
        if forms.len() < 2 {
            return Err("a relation needs = or >");
        }
        for (at, from) in forms.iter().enumerate() {
            for (other, to) in forms.iter().enumerate() {
                if at != other {
                    self.add(from, to.clone())?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, from: &Form, to: Form) -> Result<(), &'static str> {
        if *from == to {
            return Ok(());
        }
        self.words.extend(from.iter().map(ToString::to_string));
        let known = self.alternatives.entry(from.join(" ")).or_default();
        if known.contains(&to) {
            return Ok(());
        }
        if known.len() >= MAX_ALTERNATIVES {
            return Err("too many alternatives of one form");
        }
        known.push(to);
        Ok(())
    }

    /// The alternatives of a form, given as its stems joined by spaces.
    pub(crate) fn alternatives(&self, form: &str) -> &[Form] {
        self.alternatives.get(form).map_or(&[], Vec::as_slice)
    }

    /// Whether a stem stands in a form that leads somewhere.
    pub(crate) fn knows(&self, stem: &str) -> bool {
        self.words.contains(stem)
    }

    /// How many forms lead somewhere.
    pub(crate) fn len(&self) -> usize {
        self.alternatives.len()
    }
}

/// The stems of a form, without stop words.
fn form(text: &str, stems: &mut Stems) -> Result<Form, &'static str> {
    let mut words: Vec<Box<str>> = Vec::new();
    tokenise(text, |token| {
        if token.kind == TokenKind::Word && !is_stop_word(token.text) {
            words.push(stems.stem(token.text).into());
        }
    });
    match words.len() {
        0 => Err("a form is empty, or has only stop words"),
        1..=MAX_FORM => Ok(words.into_boxed_slice()),
        _ => Err("a form has too many words"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_lead_where_they_say() {
        let text = "# x\nNC = nota de crédito # y\nboletear > emitir boleta, boleta\n\n";
        let synonyms = Synonyms::parse(text).unwrap();
        let forms = |of: &str| -> Vec<String> {
            let found = synonyms.alternatives(of);
            found.iter().map(|form| form.join(" ")).collect()
        };
        assert_eq!(forms("nc"), ["not credit"]);
        assert_eq!(forms("not credit"), ["nc"]);
        assert_eq!(forms("bolet"), ["emit bolet"]);
        assert!(forms("emit bolet").is_empty());
        assert!(synonyms.knows("credit") && !synonyms.knows("emit"));
        assert_eq!(synonyms.len(), 3);
    }

    #[test]
    fn a_line_without_meaning_is_told() {
        for (text, line) in [
            ("factura", 1),
            ("caf = folio\nfactura = ", 2),
            ("folio > el, la", 1),
            ("folio > caf > timbre", 1),
            ("folio = caf > timbre", 1),
            ("dos tres cuatro cinco seis siete = folio", 1),
        ] {
            assert_eq!(Synonyms::parse(text).unwrap_err().0, line, "{text}");
        }
    }
}
