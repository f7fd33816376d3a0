//! Objectives, from a file: what a run must keep, and whether it did.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::figures::Figures;
use crate::error::Error;

/// A file of objectives: by scenario.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Objectives(BTreeMap<String, Objective>);

/// What one scenario must keep. What isn't named isn't asked.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Objective {
    /// Answers that may be wrong, shed or missing.
    errors_max: Option<u64>,
    /// Percentage points between the implied hit rate and what answers and service say.
    hit_rate_points: Option<f64>,
    /// Part of one core that the generator may take.
    generator_cores_max: Option<f64>,
    /// The 99th percentile by kind, in milliseconds.
    p99_ms: BTreeMap<String, f64>,
    /// The same over the model's own: whole of a miss, to the first byte of a stream.
    added_p99_ms: BTreeMap<String, f64>,
    /// Twice saturation: p99 of what is accepted over the normal one, seconds until normal.
    overload_p99_factor: Option<f64>,
    /// See above.
    recovery_seconds: Option<f64>,
    /// Whether there must be refusals, and each say when to come again.
    sheds_politely: bool,
    /// Whether nothing may grow.
    flat: bool,
    /// By how much of a hundred Prometheus may differ.
    prometheus_percent: Option<f64>,
}

/// One objective and what became of it.
#[derive(Debug, Serialize, PartialEq)]
pub struct Verdict {
    /// What was asked.
    pub what: String,
    /// What is.
    pub is: String,
    /// Whether it was kept.
    pub met: bool,
}

impl Objectives {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it can't be read, [`Error::Bench`] when it isn't one.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text =
            fs::read_to_string(file).map_err(Error::io(format!("read {}", file.display())))?;
        toml::from_str(&text).map_err(|error| Error::Bench(format!("{}: {error}", file.display())))
    }

    /// Each objective of the scenario, with what became of it.
    ///
    /// # Errors
    ///
    /// [`Error::Bench`] when the file has none for this scenario.
    pub fn judge(&self, figures: &Figures) -> Result<Vec<Verdict>, Error> {
        let objective = self.0.get(figures.scenario).ok_or_else(|| {
            Error::Bench(format!(
                "no objectives for the scenario {}",
                figures.scenario
            ))
        })?;
        let mut verdicts = Vec::new();
        objective.latencies(figures, &mut verdicts);
        objective.counts(figures, &mut verdicts);
        objective.overload(figures, &mut verdicts);
        Ok(verdicts)
    }
}

/// A figure that must be at most so large; one that is missing misses.
fn at_most(what: String, is: Option<f64>, limit: f64, unit: &str) -> Verdict {
    Verdict {
        what: format!("{what} ≤ {limit}{unit}"),
        is: is.map_or_else(|| "not measured".to_owned(), |is| format!("{is:.2}{unit}")),
        met: is.is_some_and(|is| is <= limit),
    }
}

impl Objective {
    fn latencies(&self, figures: &Figures, verdicts: &mut Vec<Verdict>) {
        for (route, limit) in &self.p99_ms {
            let measured = figures.route(route).filter(|route| route.accepted > 0);
            let is = measured.map(|route| route.p99_ms);
            verdicts.push(at_most(format!("{route} p99"), is, *limit, " ms"));
        }
        for (route, limit) in &self.added_p99_ms {
            let is = figures.added_p99_ms(route);
            let what = format!("{route} p99 over the model's own");
            verdicts.push(at_most(what, is, *limit, " ms"));
        }
    }

    fn counts(&self, figures: &Figures, verdicts: &mut Vec<Verdict>) {
        if let Some(limit) = self.errors_max {
            let errors = figures.errors() as f64;
            verdicts.push(at_most("errors".to_owned(), Some(errors), limit as f64, ""));
        }
        if let Some(limit) = self.hit_rate_points {
            let rate = &figures.hit_rate;
            let off = |is: f64| (is - rate.implied).abs() * 100.0;
            let what = |who| format!("hit rate by {who} off the implied one");
            verdicts.push(at_most(
                what("the answers"),
                Some(off(rate.answers)),
                limit,
                " points",
            ));
            let service = rate.service.map(off);
            verdicts.push(at_most(what("the service"), service, limit, " points"));
        }
        if let Some(limit) = self.generator_cores_max {
            let is = figures.cores_of("generator");
            verdicts.push(at_most(
                "generator's share of a core".to_owned(),
                is,
                limit,
                "",
            ));
        }
        if self.flat {
            for trend in &figures.trends {
                let what = format!("rise of {}", trend.name);
                verdicts.push(at_most(what, Some(trend.rise), trend.bound, ""));
            }
            if figures.trends.is_empty() {
                verdicts.push(at_most("rise of anything".to_owned(), None, 0.0, ""));
            }
        }
        if let Some(limit) = self.prometheus_percent
            && !figures.prometheus.is_empty()
        {
            for comparison in &figures.prometheus {
                let what = format!("Prometheus off by, {}", comparison.what);
                verdicts.push(at_most(what, comparison.off_percent(), limit, " %"));
            }
        }
    }

    fn overload(&self, figures: &Figures, verdicts: &mut Vec<Verdict>) {
        let overload = figures.overload.as_ref();
        if let Some(limit) = self.overload_p99_factor {
            let is = overload.map(|overload| overload.p99_ms / overload.normal_p99_ms.max(1e-6));
            let what = "p99 at twice saturation over the normal one".to_owned();
            verdicts.push(at_most(what, is, limit, " times"));
        }
        if let Some(limit) = self.recovery_seconds {
            let is = overload.and_then(|overload| overload.recovery_seconds);
            verdicts.push(at_most("recovery".to_owned(), is, limit, " s"));
        }
        if self.sheds_politely {
            let is = overload.map(|overload| overload.untold as f64);
            verdicts.push(at_most(
                "refusals without Retry-After".to_owned(),
                is,
                0.0,
                "",
            ));
            let failed = overload.map(|overload| overload.failed as f64);
            verdicts.push(at_most(
                "failures at twice saturation".to_owned(),
                failed,
                0.0,
                "",
            ));
            let sheds = overload.is_some_and(|overload| overload.shed > 0);
            verdicts.push(Verdict {
                what: "sheds at twice saturation".to_owned(),
                is: overload.map_or(0, |overload| overload.shed).to_string(),
                met: sheds,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_objectives_are_the_issues() {
        let text = include_str!("../../../deploy/load/objectives.toml");
        let all: Objectives = toml::from_str(text).unwrap();
        let mixed = &all.0["mixed"];
        assert_eq!(mixed.errors_max, Some(0));
        assert_eq!(mixed.hit_rate_points, Some(1.0));
        let limits = [
            ("health", 10.0),
            ("validate-cached", 5.0),
            ("validate-rules", 10.0),
        ];
        for (route, limit) in limits {
            assert_eq!(mixed.p99_ms[route], limit);
        }
        assert_eq!(mixed.added_p99_ms["validate-miss"], 1.0);
        assert_eq!(mixed.added_p99_ms["chat-stream"], 5.0);
        let saturation = &all.0["saturation"];
        assert_eq!(saturation.overload_p99_factor, Some(3.0));
        assert_eq!(saturation.recovery_seconds, Some(2.0));
        assert!(saturation.sheds_politely && all.0["soak"].flat);
    }

    #[test]
    fn a_word_that_is_no_objective_is_an_error() {
        assert!(toml::from_str::<Objectives>("[mixed]\np98_ms = 1\n").is_err());
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        assert!(!at_most("x".to_owned(), None, 1.0, "").met);
        assert!(!at_most("x".to_owned(), Some(f64::NAN), 1.0, "").met);
        assert!(at_most("x".to_owned(), Some(1.0), 1.0, "").met);
        assert!(!at_most("x".to_owned(), Some(1.01), 1.0, "").met);
    }
}
