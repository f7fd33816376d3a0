//! What a source does at every visit: a block that always changes says nothing.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use serde::{Deserialize, Serialize};

use super::blocks::Change;
use crate::text::folded;

/// After so many visits in a row at which it changed, a place is taken for noise.
const NOISY_AFTER: u8 = 3;

/// After so many visits in a row at which it stayed, it isn't any more.
const QUIET_AFTER: u8 = 10;

/// The most places that are remembered of a source.
const MAX_SLOTS: usize = 2_000;

/// A place on a page: under which headings, and the how manyth block there. It is the same at the
/// next visit while nothing was put before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot(u64);

impl Slot {
    /// The place of block `at` (from 0) under these headings.
    #[must_use]
    pub fn new(section: &[String], at: usize) -> Self {
        let section: Vec<String> = section.iter().map(|text| folded(text)).collect();
        // Stable for as long as the program is: a new one only learns again.
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        Self(hasher.hash_one((section, at)))
    }
}

/// What is known of a source's places.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Habits {
    slots: HashMap<u64, Seen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// Visits in a row at which it changed.
    changed: u8,
    /// Visits in a row at which it stayed.
    stayed: u8,
    noisy: bool,
}

impl Habits {
    /// Whether a place changes at every visit.
    #[must_use]
    pub fn is_noise(&self, slot: Slot) -> bool {
        self.slots.get(&slot.0).is_some_and(|seen| seen.noisy)
    }

    /// Learns from a visit's changes.
    pub fn learn(&mut self, changes: &[Change]) {
        let changed: HashSet<u64> = changes
            .iter()
            .filter_map(|change| change.slot().map(|slot| slot.0))
            .collect();
        self.slots.retain(|slot, seen| {
            if !changed.contains(slot) {
                seen.changed = 0;
                seen.stayed = seen.stayed.saturating_add(1);
            }
            seen.stayed < QUIET_AFTER
        });
        for slot in changed {
            if self.slots.len() >= MAX_SLOTS && !self.slots.contains_key(&slot) {
                continue;
            }
            let seen = self.slots.entry(slot).or_insert(Seen {
                changed: 0,
                stayed: 0,
                noisy: false,
            });
            seen.changed = seen.changed.saturating_add(1);
            seen.stayed = 0;
            seen.noisy |= seen.changed >= NOISY_AFTER;
        }
    }

    /// Marks the places of these changes as noise at once: two looks at the same page within a
    /// moment differed in them.
    pub fn restless(&mut self, changes: &[Change]) {
        for slot in changes.iter().filter_map(Change::slot) {
            if self.slots.len() < MAX_SLOTS || self.slots.contains_key(&slot.0) {
                let seen = Seen {
                    changed: NOISY_AFTER,
                    stayed: 0,
                    noisy: true,
                };
                self.slots.insert(slot.0, seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{changes, pieces};
    use super::*;
    use crate::page::{Noise, Page};

    fn visit(n: usize, deadline: &str) -> Vec<super::super::Piece> {
        let html = format!(
            "<h2>Plazos</h2><p>Vence el {deadline} sin más trámite.</p><p>Frase del día: {}</p>",
            ["ser o no ser", "todo fluye", "pienso luego existo"][n % 3]
        );
        pieces(&Page::read(&html, Noise::built_in()))
    }

    #[test]
    fn what_always_changes_is_noise_and_what_changes_once_is_not() {
        let mut habits = Habits::default();
        let mut reported = Vec::new();
        for n in 1..8 {
            let deadline = if n < 6 { "30 de abril" } else { "15 de mayo" };
            let before = visit(
                n - 1,
                if n - 1 < 6 {
                    "30 de abril"
                } else {
                    "15 de mayo"
                },
            );
            let found = changes(&before, &visit(n, deadline));
            let news: Vec<_> = found
                .iter()
                .filter(|change| change.slot().is_some_and(|slot| !habits.is_noise(slot)))
                .collect();
            reported.push(news.len());
            habits.learn(&found);
        }
        // Three visits to learn, then only the deadline.
        assert_eq!(reported[3..], [0, 0, 1, 0]);
    }

    #[test]
    fn two_looks_within_a_moment_tell_at_once() {
        let mut habits = Habits::default();
        let restless = changes(&visit(0, "30 de abril"), &visit(1, "30 de abril"));
        habits.restless(&restless);
        let found = changes(&visit(1, "30 de abril"), &visit(2, "15 de mayo"));
        let news: Vec<_> = found
            .iter()
            .filter(|change| change.slot().is_some_and(|slot| !habits.is_noise(slot)))
            .collect();
        assert_eq!(news.len(), 1, "{found:?}");
    }

    #[test]
    fn a_place_that_has_become_quiet_counts_again() {
        let mut habits = Habits::default();
        let noise = changes(&visit(0, "x"), &visit(1, "x"));
        habits.restless(&noise);
        let slot = noise[0].slot().unwrap();
        for _ in 0..QUIET_AFTER {
            assert!(habits.is_noise(slot));
            habits.learn(&[]);
        }
        assert!(!habits.is_noise(slot));
    }
}
