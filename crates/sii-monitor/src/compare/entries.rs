//! Two versions of an index, entry by entry.

use std::collections::BTreeMap;

use crate::index::Entry;
use crate::text::folded;

/// What happened to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryChange {
    /// It is new.
    New(Entry),
    /// It is gone.
    Removed(Entry),
    /// Something of it is another.
    Changed {
        /// As it was.
        before: Entry,
        /// As it is.
        after: Entry,
        /// What of it.
        fields: Vec<Field>,
    },
}

/// A part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Its date.
    Fecha,
    /// Its title.
    Titulo,
    /// Where it leads.
    Url,
    /// What is said of it.
    Resumen,
}

/// What changed from `before` to `after`, whatever the order and the markup of either: the new
/// ones first, in the order of the page.
#[must_use]
pub fn entry_changes(before: &[Entry], after: &[Entry]) -> Vec<EntryChange> {
    let old = by_key(before);
    let new = by_key(after);
    let mut changes = Vec::new();
    let mut moved: BTreeMap<String, &Entry> = old
        .values()
        .filter(|entry| entry.numero.is_none() && !new.contains_key(&entry.key()))
        .map(|entry| (letters(&entry.titulo), *entry))
        .collect();
    let mut found = Vec::new();
    for (key, is) in after.iter().map(|entry| (entry.key(), entry)) {
        if old.contains_key(&key) || found.contains(&key) {
            continue;
        }
        // Without a number an entry is known by its address; one that moved, by its title.
        let was = match is.numero {
            None => moved.remove(&letters(&is.titulo)),
            Some(_) => None,
        };
        changes.push(match was {
            None => EntryChange::New(is.clone()),
            Some(was) => EntryChange::Changed {
                before: was.clone(),
                after: is.clone(),
                fields: differences(was, is),
            },
        });
        found.push(key);
    }
    let replaced: Vec<String> = changes
        .iter()
        .filter_map(|change| match change {
            EntryChange::Changed { before, .. } => Some(before.key()),
            _ => None,
        })
        .collect();
    for (key, was) in &old {
        match new.get(key) {
            None if replaced.contains(key) => {}
            None => changes.push(EntryChange::Removed((*was).clone())),
            Some(is) => {
                let fields = differences(was, is);
                if !fields.is_empty() {
                    changes.push(EntryChange::Changed {
                        before: (*was).clone(),
                        after: (*is).clone(),
                        fields,
                    });
                }
            }
        }
    }
    changes
}

/// Of two entries with one key the first counts.
fn by_key(entries: &[Entry]) -> BTreeMap<String, &Entry> {
    let mut map = BTreeMap::new();
    for entry in entries {
        map.entry(entry.key()).or_insert(entry);
    }
    map
}

fn differences(before: &Entry, after: &Entry) -> Vec<Field> {
    let same = |a: &str, b: &str| letters(a) == letters(b);
    let mut fields = Vec::new();
    if before.fecha != after.fecha {
        fields.push(Field::Fecha);
    }
    // Another markup of the same entry writes its title otherwise; the number and the date are
    // what it says, and they are compared by themselves.
    if before.numero.is_none() && !same(&before.titulo, &after.titulo) {
        fields.push(Field::Titulo);
    }
    if before.url != after.url && after.url.is_some() {
        fields.push(Field::Url);
    }
    let said = |entry: &Entry| letters(&format!("{} {}", entry.titulo, entry.resumen));
    let (was, is) = (said(before), said(after));
    // Another markup puts the same words into the title or under it.
    let said_before = was.contains(&letters(&after.resumen));
    let still_said = is.contains(&letters(&before.resumen));
    if !(said_before && still_said) {
        fields.push(Field::Resumen);
    }
    fields
}

/// Only what is said: letters and digits, folded.
fn letters(text: &str) -> String {
    folded(text)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Tipo, entries};
    use crate::page::{Noise, Page};

    fn read(html: &str) -> Vec<Entry> {
        entries(&Page::read(html, Noise::built_in()), Tipo::Circular)
    }

    const HEADINGS: &str = "<h5><a href='c11.pdf'>Circular N° 11 del 30 de Enero del 2025</a></h5>
        <p>Instruye sobre IVA.</p><h5><a href='c10.pdf'>Circular N° 10 del 15 de Enero del 2025</a></h5>
        <p>Renta.</p>";

    #[test]
    fn a_redesign_is_no_change() {
        let table = "<table><tr><th>Número</th><th>Fecha</th><th>Materia</th></tr>
            <tr><td><a href='c10.pdf'>10</a></td><td>15/01/2025</td><td>Renta</td></tr>
            <tr><td><a href='c11.pdf'>11</a></td><td>30/01/2025</td><td>Instruye sobre IVA</td></tr></table>";
        assert_eq!(entry_changes(&read(HEADINGS), &read(table)), []);
        assert_eq!(entry_changes(&read(table), &read(HEADINGS)), []);
    }

    #[test]
    fn new_removed_and_changed() {
        let after =
            "<h5><a href='c12.pdf'>Circular N° 12 del 3 de Febrero del 2025</a></h5><p>Boletas.</p>
            <h5><a href='c11b.pdf'>Circular N° 11 del 31 de Enero del 2025</a></h5>
            <p>Instruye sobre impuesto adicional.</p>";
        let changes = entry_changes(&read(HEADINGS), &read(after));
        let [
            EntryChange::New(new),
            EntryChange::Removed(gone),
            EntryChange::Changed { fields, .. },
        ] = changes.as_slice()
        else {
            panic!("{changes:?}");
        };
        assert_eq!(
            (new.key(), gone.key()),
            ("circular:12:2025".into(), "circular:10:2025".into())
        );
        assert_eq!(*fields, [Field::Fecha, Field::Url, Field::Resumen]);
    }

    #[test]
    fn a_summary_that_says_more_or_less_has_changed() {
        let of = |about: &str| {
            read(&format!(
                "<h5><a href='c.pdf'>Circular N° 1 del 3 de Enero del 2025</a></h5><p>{about}</p>"
            ))
        };
        let (short, long) = (
            of("Modifica plazo."),
            of("Modifica plazo y deroga la circular 4."),
        );
        assert_eq!(entry_changes(&short, &long).len(), 1);
        assert_eq!(entry_changes(&long, &short).len(), 1);
        assert_eq!(entry_changes(&long, &long), []);
    }

    #[test]
    fn an_entry_without_a_number_that_moved_is_known_by_its_title() {
        let at = |href: &str| read(&format!("<h3><a href='{href}'>SII extiende plazo</a></h3>"));
        let found = entry_changes(&at("/a.htm"), &at("/b.htm"));
        let [EntryChange::Changed { fields, .. }] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(*fields, [Field::Url]);
    }
}
