//! Two editions of a document, section by section: what a person is told of them.

use std::collections::{BTreeMap, BTreeSet};

use super::blocks::{Change, Piece};
use crate::text::folded;

/// The most lines of each kind that are told.
const MAX_TOLD: usize = 40;

/// The most characters of a quoted line.
const MAX_QUOTE: usize = 280;

/// The most bytes of the difference as text; the versions that are kept have the whole.
const MAX_DIFF: usize = 20_000;

/// What changed from one edition to another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// By section, in the order of the document; gone ones last.
    pub sections: Vec<SectionChange>,
    /// XML fields (`<TpoTranVenta>`) that only the new edition names, with their sections.
    pub new_fields: Vec<(String, String)>,
    /// XML fields that only the old edition names, with their sections.
    pub gone_fields: Vec<(String, String)>,
    /// New lines that say themselves that something changes, as a log of changes does.
    pub announced: Vec<String>,
    /// The whole, line by line: `+` new, `-` gone, `~` changed from and to.
    pub text: String,
}

/// What happened to a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionChange {
    /// Its heading; empty for what stands under none.
    pub titulo: String,
    /// Whether the old edition has it.
    pub was: bool,
    /// Whether the new edition has it.
    pub is: bool,
    /// New blocks.
    pub added: usize,
    /// Blocks that are gone.
    pub removed: usize,
    /// Blocks that say something else.
    pub modified: usize,
}

/// Words by which a line says that something changes.
const ANNOUNCING: [&str; 12] = [
    "se agrega",
    "se incorpora",
    "se modifica",
    "se elimina",
    "se cambia",
    "se crea",
    "se reemplaza",
    "se actualiza",
    "se detalla",
    "pasa a ser",
    "pasa a tener",
    "debe informar obligatoriamente",
];

/// What of the two editions a person is told. `changes` are those between them.
#[must_use]
pub fn difference(before: &[Piece], after: &[Piece], changes: &[Change]) -> Difference {
    let (old_fields, new_fields) = (fields(before), fields(after));
    Difference {
        sections: sections(before, after, changes),
        new_fields: only_in(&new_fields, &old_fields),
        gone_fields: only_in(&old_fields, &new_fields),
        announced: announced(changes),
        text: text(changes),
    }
}

impl Difference {
    /// The changes one by one, in Spanish, the most telling first.
    #[must_use]
    pub fn named(&self) -> Vec<String> {
        let mut list = Vec::new();
        let field = |word: &str, (name, section): &(String, String)| match section.as_str() {
            "" => format!("Campo {word} <{name}>."),
            section => format!("Campo {word} <{name}> en «{section}»."),
        };
        list.extend(self.announced.iter().cloned());
        list.extend(self.new_fields.iter().map(|new| field("nuevo", new)));
        list.extend(self.gone_fields.iter().map(|gone| field("eliminado", gone)));
        let titled = self
            .sections
            .iter()
            .filter(|section| !section.titulo.is_empty());
        list.extend(titled.map(SectionChange::named).take(MAX_TOLD));
        list
    }

    /// The whole in one sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |is: fn(&SectionChange) -> bool| {
            self.sections.iter().filter(|section| is(section)).count()
        };
        let new = count(|section| !section.was);
        let gone = count(|section| !section.is);
        let changed = self.sections.len() - new - gone;
        let mut text = format!(
            "Secciones: {new} nuevas, {gone} eliminadas, {changed} modificadas. Campos: {} nuevos, {} eliminados.",
            self.new_fields.len(),
            self.gone_fields.len()
        );
        for line in self.announced.iter().take(3) {
            text.push(' ');
            text.push_str(line);
        }
        text
    }
}

impl SectionChange {
    fn named(&self) -> String {
        let titulo = &self.titulo;
        match (self.was, self.is) {
            (false, _) => format!("Sección nueva «{titulo}»."),
            (_, false) => format!("Sección eliminada «{titulo}»."),
            _ => format!(
                "Sección «{titulo}»: {} párrafos nuevos, {} eliminados, {} modificados.",
                self.added, self.removed, self.modified
            ),
        }
    }
}

/// A heading as it is compared: its letters alone, as numbers shift.
fn name(heading: &str) -> String {
    folded(heading)
        .chars()
        .filter(|c| c.is_alphabetic())
        .collect()
}

fn innermost(piece: &Piece) -> &str {
    piece.section.last().map_or("", String::as_str)
}

fn sections(before: &[Piece], after: &[Piece], changes: &[Change]) -> Vec<SectionChange> {
    let names = |pieces: &[Piece]| -> BTreeSet<String> {
        pieces.iter().map(|piece| name(innermost(piece))).collect()
    };
    let (old, new) = (names(before), names(after));
    let mut list: Vec<SectionChange> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for change in changes {
        let piece = match change {
            Change::Added { after, .. } | Change::Modified { after, .. } => after,
            Change::Removed { before, .. } => before,
            Change::Moved { .. } => continue,
        };
        let titulo = innermost(piece);
        let key = name(titulo);
        let at = *places.entry(key.clone()).or_insert_with(|| {
            list.push(SectionChange {
                titulo: titulo.to_owned(),
                was: old.contains(&key),
                is: new.contains(&key),
                added: 0,
                removed: 0,
                modified: 0,
            });
            list.len() - 1
        });
        if let Some(section) = list.get_mut(at) {
            match change {
                Change::Added { .. } => section.added += 1,
                Change::Removed { .. } => section.removed += 1,
                _ => section.modified += 1,
            }
        }
    }
    list
}

/// The XML fields that a document names, each with the section that names it first.
fn fields(pieces: &[Piece]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for piece in pieces {
        let mut rest = piece.text.as_str();
        while let Some((_, tail)) = rest.split_once('<') {
            let Some((field, after)) = tail.split_once('>') else {
                break;
            };
            let compact: String = field.chars().filter(|c| !c.is_whitespace()).collect();
            let fits = (3..=40).contains(&compact.len())
                && compact.starts_with(|c: char| c.is_ascii_alphabetic())
                && compact.bytes().all(|b| b.is_ascii_alphanumeric());
            if fits {
                let section = innermost(piece).to_owned();
                found.entry(compact).or_insert(section);
            }
            rest = if fits { after } else { tail };
        }
    }
    found
}

fn only_in(
    one: &BTreeMap<String, String>,
    other: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let known: BTreeSet<String> = other.keys().map(|field| field.to_lowercase()).collect();
    one.iter()
        .filter(|(field, _)| !known.contains(&field.to_lowercase()))
        .map(|(field, section)| (field.clone(), section.clone()))
        .take(MAX_TOLD)
        .collect()
}

fn announced(changes: &[Change]) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    let mut listing = false;
    for change in changes {
        let Change::Added { after, .. } = change else {
            listing = false;
            continue;
        };
        let low = folded(&after.text);
        let announces = ANNOUNCING.iter().any(|word| low.contains(word));
        // What is agreed on above is listed below: "820: Código de …".
        listing = announces || listing && is_listed(&after.text);
        if listing && list.len() < MAX_TOLD {
            list.push(quote(&after.text));
        }
    }
    list
}

/// A code with its meaning, or an item with a dot before it.
fn is_listed(text: &str) -> bool {
    let code = text.split_once(':').map(|(code, _)| code.trim());
    text.starts_with(['•', '·', '–'])
        || code.is_some_and(|code| {
            (1..=4).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit())
        })
}

fn text(changes: &[Change]) -> String {
    let mut out = String::new();
    for change in changes {
        let line = match change {
            Change::Added { after, .. } => format!("+ {}\n", after.text),
            Change::Removed { before, .. } => format!("- {}\n", before.text),
            Change::Modified { before, after, .. } => {
                format!("~ {}\n→ {}\n", before.text, after.text)
            }
            Change::Moved { .. } => continue,
        };
        if out.len() + line.len() > MAX_DIFF {
            out.push_str("…\n");
            break;
        }
        out.push_str(&line);
    }
    out
}

fn quote(text: &str) -> String {
    if text.chars().count() <= MAX_QUOTE {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_QUOTE - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::super::{changes, pieces};
    use super::*;
    use crate::page::{Noise, Page};

    fn of(html: &str) -> Vec<Piece> {
        pieces(&Page::read(html, Noise::built_in()))
    }

    #[test]
    fn sections_and_fields_by_name() {
        let before = of(
            "<h2>1.- Encabezado</h2><p>Tag &lt;Folio&gt; es obligatorio.</p>
            <h2>2.- Impresión</h2><p>Se imprime en papel.</p>",
        );
        let after = of(
            "<h2>1.- Encabezado</h2><p>Tag &lt;Folio&gt; es obligatorio.</p>
            <p>Se agrega el campo &lt;Tpo TranVenta&gt; opcional.</p>
            <h2>2.- Madera</h2><p>Rol del predio de origen de la madera.</p>",
        );
        let found = difference(&before, &after, &changes(&before, &after));
        assert_eq!(
            found.new_fields,
            [("TpoTranVenta".to_owned(), "1.- Encabezado".to_owned())]
        );
        let named = found.named();
        for line in [
            "Se agrega el campo <Tpo TranVenta> opcional.",
            "Campo nuevo <TpoTranVenta> en «1.- Encabezado».",
            "Sección nueva «2.- Madera».",
            "Sección eliminada «2.- Impresión».",
        ] {
            assert!(named.iter().any(|told| told == line), "{line}: {named:#?}");
        }
        assert!(
            found
                .summary()
                .starts_with("Secciones: 1 nuevas, 1 eliminadas")
        );
        assert!(found.text.contains("+ Rol del predio"));
    }
}
