//! Counters over the suggestions that were given; kept elsewhere, one for each tenant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::projects::{SUGGEST_AT, Suggestion};

/// From this confidence on a suggestion counts as a high one.
const HIGH: u8 = 85;
/// The most projects that are counted apart; what comes after the table is full counts in the
/// sums only.
const MAX_PROJECTS: usize = 500;
/// The most projects of [`Stats::top_projects`].
const MAX_TOP: usize = 10;

/// What was suggested so far. A value to be kept: JSON through serde, joined by
/// [`merge`](Self::merge).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    suggestions: u64,
    confidence_sum: u64,
    high: u64,
    medium: u64,
    low: u64,
    projects: BTreeMap<i64, Counted>,
}

/// A project that was suggested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Its name when it was suggested last.
    pub name: String,
    /// How often.
    pub count: u64,
}

impl Stats {
    /// Counts a suggestion.
    pub fn add(&mut self, suggestion: &Suggestion) {
        self.suggestions = self.suggestions.saturating_add(1);
        let confidence = suggestion.confidence;
        self.confidence_sum = self.confidence_sum.saturating_add(u64::from(confidence));
        let place = match confidence {
            HIGH.. => &mut self.high,
            SUGGEST_AT.. => &mut self.medium,
            _ => &mut self.low,
        };
        *place = place.saturating_add(1);
        if let Some(id) = suggestion.project_id {
            let name = suggestion.project_name.clone().unwrap_or_default();
            self.count(id, Counted { name, count: 1 });
        }
    }

    /// Adds what another one counted: another replica's, another day's.
    pub fn merge(&mut self, other: Self) {
        let sums = [
            (&mut self.suggestions, other.suggestions),
            (&mut self.confidence_sum, other.confidence_sum),
            (&mut self.high, other.high),
            (&mut self.medium, other.medium),
            (&mut self.low, other.low),
        ];
        for (sum, more) in sums {
            *sum = sum.saturating_add(more);
        }
        for (id, counted) in other.projects {
            self.count(id, counted);
        }
    }

    fn count(&mut self, id: i64, more: Counted) {
        let room = self.projects.len() < MAX_PROJECTS;
        match self.projects.get_mut(&id) {
            Some(counted) => {
                counted.count = counted.count.saturating_add(more.count);
                counted.name = more.name;
            }
            None if room => {
                self.projects.insert(id, more);
            }
            None => {}
        }
    }

    /// Suggestions in all, with and without a project.
    #[must_use]
    pub const fn total_suggestions(&self) -> u64 {
        self.suggestions
    }

    /// The mean confidence, 0 to 100; 0 without a suggestion.
    #[must_use]
    pub fn avg_confidence(&self) -> f64 {
        self.confidence_sum as f64 / self.suggestions.max(1) as f64
    }

    /// Suggestions that named a project.
    #[must_use]
    pub const fn projects_matched(&self) -> u64 {
        self.high.saturating_add(self.medium)
    }

    /// Suggestions by confidence: high (85 and more), medium (70 to 84), low.
    #[must_use]
    pub const fn confidence_distribution(&self) -> (u64, u64, u64) {
        (self.high, self.medium, self.low)
    }

    /// The ten projects that were suggested most, with their ids.
    #[must_use]
    pub fn top_projects(&self) -> Vec<(i64, &Counted)> {
        let mut all: Vec<(i64, &Counted)> = self
            .projects
            .iter()
            .map(|(id, counted)| (*id, counted))
            .collect();
        all.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(&b.0)));
        all.truncate(MAX_TOP);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggestion(id: i64, confidence: u8) -> Suggestion {
        let named = confidence >= SUGGEST_AT;
        Suggestion {
            project_id: named.then_some(id),
            project_name: named.then(|| format!("Proyecto {id}")),
            confidence,
            reasoning: String::new(),
            candidates: Vec::new(),
        }
    }

    #[test]
    fn suggestions_are_counted_joined_and_kept() {
        let (mut one, mut two) = (Stats::default(), Stats::default());
        assert_eq!((one.avg_confidence(), one.projects_matched()), (0.0, 0));
        one.add(&suggestion(1, 90));
        one.add(&suggestion(2, 70));
        two.add(&suggestion(2, 85));
        two.add(&suggestion(3, 15));
        one.merge(two);
        assert_eq!((one.total_suggestions(), one.projects_matched()), (4, 3));
        assert_eq!(one.confidence_distribution(), (2, 1, 1));
        assert_eq!(one.avg_confidence(), 65.0);
        let top: Vec<(i64, u64)> = one
            .top_projects()
            .iter()
            .map(|(id, of)| (*id, of.count))
            .collect();
        assert_eq!(top, [(2, 2), (1, 1)]);
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Stats>(&json).unwrap(), one);
        assert_eq!(
            serde_json::from_str::<Stats>("{}").unwrap(),
            Stats::default()
        );
    }

    #[test]
    fn the_table_of_projects_is_bounded() {
        let mut stats = Stats::default();
        for id in 0..2_000 {
            stats.add(&suggestion(id, 99));
        }
        assert_eq!(
            (stats.projects.len(), stats.total_suggestions()),
            (MAX_PROJECTS, 2_000)
        );
    }
}
