//! The figures as a table, and against their targets.

use std::fmt::Write as _;

use serde::Serialize;

use super::metrics::Quality;
use super::relevance::Relevance;
use super::speed::Speed;

/// A system over a set of questions.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The set and the size of the corpus.
    pub set: String,
    pub system: String,
    #[serde(flatten)]
    pub quality: Quality,
}

impl Row {
    pub fn new(set: String, system: &str, quality: Quality) -> Self {
        let system = system.to_owned();
        Self {
            set,
            system,
            quality,
        }
    }
}

/// All figures.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub rows: Vec<Row>,
    pub relevance: Option<Relevance>,
    pub speed: Vec<Speed>,
    /// Targets that were missed, in words.
    pub missed: Vec<String>,
}

/// What set B must reach over the whole corpus without any model.
const RECALL: [(&str, f64); 3] = [("Recall@1", 0.42), ("Recall@3", 0.55), ("Recall@10", 0.70)];
/// Milliseconds at the 99th percentile, by the most passages they hold for.
const P99_MS: [(usize, f64); 2] = [(5_000, 0.3), (usize::MAX, 1.5)];
const BUILD_MS: f64 = 1_000.0;
const MEMORY_RATIO: f64 = 4.0;

impl Report {
    /// Fills `missed`.
    pub fn judge(&mut self) {
        let whole = self
            .rows
            .iter()
            .rfind(|row| row.system == "ours" && row.set.starts_with('B'));
        if let Some(row) = whole {
            let quality = &row.quality;
            let reached = [quality.recall_1, quality.recall_3, quality.recall_10];
            for ((name, target), reached) in RECALL.iter().zip(reached) {
                if reached < *target {
                    let missed = format!("{}: {name} {reached:.3} is under {target}", row.set);
                    self.missed.push(missed);
                }
            }
        }
        for speed in &self.speed {
            let allowed = P99_MS.iter().find(|(most, _)| speed.passages <= *most);
            let figures = [
                ("p99 ms", speed.p99_ms, allowed.map_or(0.0, |(_, ms)| *ms)),
                ("build ms", speed.build_ms, BUILD_MS),
                ("memory against text", speed.memory_ratio, MEMORY_RATIO),
            ];
            for (name, reached, most) in figures {
                if reached > most {
                    let passages = speed.passages;
                    let missed = format!("{passages} passages: {name} {reached:.3} is over {most}");
                    self.missed.push(missed);
                }
            }
        }
    }

    /// The report to read.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a string doesn't fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "{:8} {:32} {:>4} {:>7} {:>7} {:>7} {:>7} {:>7}",
            "set", "system", "n", "R@1", "R@3", "R@10", "MRR@10", "nDCG@10"
        )?;
        for Row {
            set,
            system,
            quality: q,
        } in &self.rows
        {
            writeln!(
                out,
                "{set:8} {system:32} {:4} {:7.3} {:7.3} {:7.3} {:7.3} {:7.3}",
                q.questions, q.recall_1, q.recall_3, q.recall_10, q.mrr_10, q.ndcg_10
            )?;
        }
        if let Some(relevance) = &self.relevance {
            writeln!(out, "\nfirst hits, set B over the whole corpus:")?;
            writeln!(
                out,
                "  that answer: median score {:.3}, {:.0} % told relevant; that don't: {:.3}",
                relevance.right_median_score,
                relevance.right_told_relevant * 100.0,
                relevance.wrong_median_score
            )?;
            writeln!(
                out,
                "  of off-topic questions: highest score {:.3}, {:.0} % told relevant",
                relevance.off_topic_max_score,
                relevance.off_topic_told_relevant * 100.0
            )?;
        }
        writeln!(
            out,
            "\n{:>8} {:>9} {:>8} {:>8} {:>12} {:>9} {:>10} {:>12}",
            "passages",
            "build ms",
            "p50 ms",
            "p99 ms",
            "p99 wall ms",
            "text MiB",
            "index MiB",
            "memory/text"
        )?;
        for speed in &self.speed {
            writeln!(
                out,
                "{:8} {:9.1} {:8.3} {:8.3} {:12.3} {:9.2} {:10.2} {:12.2}",
                speed.passages,
                speed.build_ms,
                speed.p50_ms,
                speed.p99_ms,
                speed.p99_wall_ms,
                speed.text_mib,
                speed.index_mib,
                speed.memory_ratio
            )?;
        }
        writeln!(out)?;
        match self.missed.as_slice() {
            [] => writeln!(out, "every target is reached"),
            missed => missed
                .iter()
                .try_for_each(|one| writeln!(out, "missed: {one}")),
        }
    }
}
