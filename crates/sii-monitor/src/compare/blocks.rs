//! Two versions of a page, block by block, with moves recognised.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, TextDiff, capture_diff_slices_deadline};

use super::habits::Slot;
use crate::page::{BlockKind, Page};
use crate::text::folded;

/// How long two versions are compared at most; what is left is taken as replaced as a whole.
const DEADLINE: Duration = Duration::from_millis(500);

/// From this likeness on (0 to 1) two blocks are one that was changed.
const ALIKE: f32 = 0.55;

/// The most blocks of one replaced stretch whose likeness is looked at, removed times added.
const MAX_PAIRS: usize = 2_500;

/// A block as it is kept for the next visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The headings that it stands under, outermost first.
    pub section: Vec<String>,
    /// Its text.
    pub text: String,
    /// Where its links lead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
}

/// What happened to a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added {
        /// The block.
        after: Piece,
        /// Where it stands.
        slot: Slot,
    },
    /// It is gone.
    Removed {
        /// The block.
        before: Piece,
        /// Where it stood.
        slot: Slot,
    },
    /// It says something else, or leads somewhere else.
    Modified {
        /// As it was.
        before: Piece,
        /// As it is.
        after: Piece,
        /// Where it stands.
        slot: Slot,
    },
    /// It says the same somewhere else on the page: no news, but told apart.
    Moved {
        /// The block, where it stands now.
        after: Piece,
    },
}

impl Change {
    /// Whether it is news at all.
    #[must_use]
    pub const fn is_news(&self) -> bool {
        !matches!(self, Self::Moved { .. })
    }

    /// Where it happened, for what a source's habits know of that place.
    #[must_use]
    pub const fn slot(&self) -> Option<Slot> {
        match self {
            Self::Added { slot, .. } | Self::Removed { slot, .. } | Self::Modified { slot, .. } => {
                Some(*slot)
            }
            Self::Moved { .. } => None,
        }
    }
}

/// The blocks of a page with the headings that they stand under.
#[must_use]
pub fn pieces(page: &Page) -> Vec<Piece> {
    let mut section: Vec<(u8, String)> = Vec::new();
    let mut pieces = Vec::with_capacity(page.blocks.len());
    for block in &page.blocks {
        if let BlockKind::Heading(level) = block.kind {
            section.retain(|(above, _)| *above < level);
        }
        pieces.push(Piece {
            section: section.iter().map(|(_, text)| text.clone()).collect(),
            text: block.text.clone(),
            links: block.links.iter().map(|link| link.href.clone()).collect(),
        });
        if let BlockKind::Heading(level) = block.kind {
            section.push((level, block.text.clone()));
        }
    }
    pieces
}

/// What changed from `before` to `after`. Case, accents and white space don't count, and neither
/// does the section that a block stands in: a heading that is reworded changes only itself.
#[must_use]
pub fn changes(before: &[Piece], after: &[Piece]) -> Vec<Change> {
    let (old, new) = (identities(before), identities(after));
    let (old_slots, new_slots) = (slots(before), slots(after));
    let deadline = Some(Instant::now() + DEADLINE);
    let ops = capture_diff_slices_deadline(Algorithm::Patience, &old, &new, deadline);
    let mut out = Vec::new();
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for op in ops {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let stretch = Stretch {
            before: placed(before, &old_slots, op.old_range()),
            after: placed(after, &new_slots, op.new_range()),
        };
        stretch.compare(&mut out, &mut removed, &mut added);
    }
    moved(&mut out, removed, added);
    out
}

/// The place of each block: the how manyth it is under its headings.
fn slots(pieces: &[Piece]) -> Vec<Slot> {
    let mut at = 0;
    let mut section: &[String] = &[];
    pieces
        .iter()
        .map(|piece| {
            at = if piece.section == section { at + 1 } else { 0 };
            section = &piece.section;
            Slot::new(section, at)
        })
        .collect()
}

fn placed<'a>(pieces: &'a [Piece], slots: &[Slot], range: Range<usize>) -> Vec<(&'a Piece, Slot)> {
    let skipped = pieces.iter().zip(slots.iter().copied()).skip(range.start);
    skipped.take(range.len()).collect()
}

/// What makes a block the same: its folded text and where its links lead.
fn identities(pieces: &[Piece]) -> Vec<String> {
    pieces
        .iter()
        .map(|piece| {
            let mut identity = folded(&piece.text);
            for link in &piece.links {
                identity.push('\n');
                identity.push_str(link);
            }
            identity
        })
        .collect()
}

type Lone = (Piece, Slot);

/// Blocks that stand where others stood.
struct Stretch<'a> {
    before: Vec<(&'a Piece, Slot)>,
    after: Vec<(&'a Piece, Slot)>,
}

impl Stretch<'_> {
    /// Pairs the blocks that are alike, best first; the rest is removed or added.
    fn compare(&self, out: &mut Vec<Change>, removed: &mut Vec<Lone>, added: &mut Vec<Lone>) {
        let mut pairs = self.pairs();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut partner: HashMap<usize, usize> = HashMap::new();
        let mut taken = vec![false; self.before.len()];
        for (_, old, new) in pairs {
            if let Some(taken) = taken.get_mut(old)
                && !*taken
                && !partner.contains_key(&new)
            {
                *taken = true;
                partner.insert(new, old);
            }
        }
        for (at, (after, slot)) in self.after.iter().enumerate() {
            match partner.get(&at).and_then(|old| self.before.get(*old)) {
                Some((before, _)) => out.push(Change::Modified {
                    before: (*before).clone(),
                    after: (*after).clone(),
                    slot: *slot,
                }),
                None => added.push(((*after).clone(), *slot)),
            }
        }
        for ((before, slot), taken) in self.before.iter().zip(taken) {
            if !taken {
                removed.push(((*before).clone(), *slot));
            }
        }
    }

    fn pairs(&self) -> Vec<(f32, usize, usize)> {
        if self.before.len() * self.after.len() > MAX_PAIRS {
            return Vec::new();
        }
        let mut pairs = Vec::new();
        for (old, (before, _)) in self.before.iter().enumerate() {
            for (new, (after, _)) in self.after.iter().enumerate() {
                let alike = alike(&before.text, &after.text);
                if alike >= ALIKE {
                    pairs.push((alike, old, new));
                }
            }
        }
        pairs
    }
}

/// How alike two texts are, word by word, from 0 to 1.
fn alike(a: &str, b: &str) -> f32 {
    let (a, b) = (folded(a), folded(b));
    let words = |text: &str| text.split(' ').count();
    let (few, many) = (words(&a).min(words(&b)), words(&a).max(words(&b)));
    // A bound that costs nothing, before the comparison.
    if (2 * few) as f32 / (few + many) as f32 + f32::EPSILON < ALIKE {
        return 0.0;
    }
    TextDiff::configure()
        .timeout(Duration::from_millis(20))
        .diff_words(a.as_str(), b.as_str())
        .ratio()
}

/// What was removed here and added there is moved.
fn moved(out: &mut Vec<Change>, removed: Vec<Lone>, added: Vec<Lone>) {
    let mut gone: HashMap<String, Vec<Lone>> = HashMap::new();
    for (piece, slot) in removed {
        gone.entry(folded(&piece.text))
            .or_default()
            .push((piece, slot));
    }
    for (after, slot) in added {
        match gone.get_mut(&folded(&after.text)).and_then(Vec::pop) {
            Some(_) => out.push(Change::Moved { after }),
            None => out.push(Change::Added { after, slot }),
        }
    }
    let mut rest: Vec<Lone> = gone.into_values().flatten().collect();
    rest.sort_by(|a, b| (&a.0.section, &a.0.text).cmp(&(&b.0.section, &b.0.text)));
    let rest = rest.into_iter();
    out.extend(rest.map(|(before, slot)| Change::Removed { before, slot }));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::page::Noise;

    fn of(html: &str) -> Vec<Piece> {
        pieces(&Page::read(html, Noise::built_in()))
    }

    fn brief(changes: &[Change]) -> Vec<String> {
        changes
            .iter()
            .map(|change| match change {
                Change::Added { after, .. } => format!("+{}", after.text),
                Change::Removed { before, .. } => format!("-{}", before.text),
                Change::Modified { before, after, .. } => format!("{}→{}", before.text, after.text),
                Change::Moved { after } => format!("~{}", after.text),
            })
            .collect()
    }

    const BEFORE: &str = "<h2>Plazos</h2><p>La declaración vence el 30 de abril.</p><h2>Tasas</h2>
        <p>La tasa del IVA es 19%.</p><p>Hay exenciones para libros importados.</p>";

    #[test]
    fn white_space_markup_and_case_are_no_change() {
        let after = "<div><h2>PLAZOS</h2>\n<p>La <b>declaracion</b> vence el 30 de abril.</p></div>
            <h2>Tasas</h2><p>La tasa del IVA es&nbsp;19%.</p><p>Hay exenciones para libros
            importados.</p>";
        assert_eq!(changes(&of(BEFORE), &of(after)), []);
    }

    #[test]
    fn a_figure_a_paragraph_more_and_one_less() {
        let after = "<h2>Plazos</h2><p>La declaración vence el 15 de mayo.</p><h2>Tasas</h2>
            <p>La tasa del IVA es 19%.</p><p>Rige la nueva factura de exportación electrónica.</p>";
        assert_eq!(
            brief(&changes(&of(BEFORE), &of(after))),
            [
                "La declaración vence el 30 de abril.→La declaración vence el 15 de mayo.",
                "+Rige la nueva factura de exportación electrónica.",
                "-Hay exenciones para libros importados.",
            ]
        );
    }

    #[test]
    fn a_moved_block_is_no_news() {
        let after = "<h2>Plazos</h2><p>Hay exenciones para libros importados.</p>
            <p>La declaración vence el 30 de abril.</p><h2>Tasas</h2><p>La tasa del IVA es 19%.</p>";
        let changes = changes(&of(BEFORE), &of(after));
        assert_eq!(brief(&changes), ["~Hay exenciones para libros importados."]);
        assert!(!changes[0].is_news());
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_a_change() {
        let before = of("<p><a href='v1.pdf'>Formato de los DTE</a></p>");
        let after = of("<p><a href='v2.pdf'>Formato de los DTE</a></p>");
        assert!(matches!(
            changes(&before, &after).as_slice(),
            [Change::Modified { .. }]
        ));
    }

    #[test]
    fn sections_are_the_headings_above() {
        let pieces = of("<h1>A</h1><h3>B</h3><p>x</p><h2>C</h2><p>y</p>");
        assert_eq!(pieces[2].section, ["A", "B"]);
        assert_eq!(pieces[4].section, ["A", "C"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            old in prop::collection::vec("[a-d]{1,2}( [a-d]{1,2}){0,4}", 0..12),
            new in prop::collection::vec("[a-d]{1,2}( [a-d]{1,2}){0,4}", 0..12),
        ) {
            let of = |texts: &[String]| -> Vec<Piece> {
                texts.iter().map(|text| Piece {
                    section: Vec::new(), text: text.clone(), links: Vec::new(),
                }).collect()
            };
            let (old, new) = (of(&old), of(&new));
            prop_assert!(changes(&old, &old).is_empty());
            let found = changes(&old, &new);
            let added = found.iter().filter(|c| matches!(c, Change::Added { .. })).count();
            let removed = found.iter().filter(|c| matches!(c, Change::Removed { .. })).count();
            prop_assert_eq!(old.len() + added, new.len() + removed);
            prop_assert_eq!(found.is_empty(), old.iter().map(|p| &p.text).eq(new.iter().map(|p| &p.text)));
        }
    }
}
