//! The evaluation: what is measured, as text and as JSON.

use std::fs;

use matching::{Match, Options, match_order};
use serde::Serialize;

use super::catalogue::{families, names};
use super::figures::{Answer, Figures};
use super::fit::{Choice, fit};
use super::generate::{Case, Scenario, cases};
use super::launch::Args;
use super::projects;
use super::speed::Speed;
use crate::error::Error;

/// Invoices of a seed.
const INVOICES: usize = 500;
/// Seeds that are reported on.
const SEEDS: u64 = 5;
/// Seeds that the coefficients are fitted on, and no report is made on.
const FIT_SEEDS: std::ops::Range<u64> = 1_000_001..1_000_007;
/// The targets.
const PRECISION: f64 = 0.98;
const RECALL: f64 = 0.90;
const ECE: f64 = 0.05;

/// Everything that was measured.
#[derive(Serialize)]
struct Report {
    /// What the figures are worth.
    note: &'static str,
    fitted_families: Vec<&'static str>,
    held_out_families: Vec<&'static str>,
    /// Each seed, on the families held out.
    held_out: Vec<Figures>,
    /// All of them together.
    all: Figures,
    /// The families of the fit, with other seeds.
    fitted: Figures,
    /// By scenario, on the families held out.
    scenarios: Vec<Figures>,
    /// Of the invoices for several orders that were named, the part whose orders are all right.
    several_exact: f64,
    /// Suggestions of projects.
    projects: Figures,
    speed: Speed,
    missed: Vec<String>,
}

/// Evaluates, prints the report and writes the JSON; with `--fit` prints coefficients.
///
/// # Errors
///
/// [`Error::Io`] for the JSON file; [`Error::MatchMissed`] when a target is missed and
/// `--strict` was given.
pub fn measure(args: &Args) -> Result<(), Error> {
    if args.fit {
        print_fit();
        return Ok(());
    }
    let report = report(args.seed);
    println!("{}", report.text());
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&report)
            .map_err(std::io::Error::other)
            .map_err(Error::io("write the figures as JSON"))?;
        fs::write(path, json).map_err(Error::io(format!("write {}", path.display())))?;
    }
    if args.strict && !report.missed.is_empty() {
        return Err(Error::MatchMissed(report.missed.len()));
    }
    Ok(())
}

fn print_fit() {
    let families = families(false);
    let mut choices = Vec::new();
    for seed in FIT_SEEDS {
        for case in cases(&families, seed, INVOICES) {
            let found = match_order(&case.invoice, &case.orders, &Options::default());
            let candidates = found.candidates.iter();
            let candidates =
                candidates.map(|one| (one.features.values(), case.truth.contains(&one.po_id)));
            choices.push(Choice {
                candidates: candidates.collect(),
            });
        }
    }
    // constant, text, price, quantity, strong, total, reference, other reference, supplier,
    // late, recent
    let signs = [0, 1, 1, 1, 1, 1, 1, -1, 1, -1, 1];
    let prior = [-7.0, 2.0, 1.5, 2.0, 3.0, 2.5, 4.0, -1.5, 2.0, -1.5, 0.5];
    let order = fit(&choices, signs, prior);
    println!("ORDER: {}", shown(&order));
    println!(
        "PROJECT: {}",
        shown(&projects::fitted(&families, FIT_SEEDS, INVOICES))
    );
}

fn shown(coefficients: &[f64]) -> String {
    let all: Vec<String> = coefficients.iter().map(|one| format!("{one:.2}")).collect();
    all.join(", ")
}

fn report(seed: u64) -> Report {
    let held = families(true);
    let mut answers: Vec<(Scenario, Answer)> = Vec::new();
    let mut held_out = Vec::new();
    let (mut several, mut exact) = (0_usize, 0_usize);
    for seed in seed..seed.saturating_add(SEEDS) {
        let mut of_seed = Vec::new();
        for case in cases(&held, seed, INVOICES) {
            let found = match_order(&case.invoice, &case.orders, &Options::default());
            if case.scenario == Scenario::Several && found.po_id.is_some() {
                several += 1;
                exact += usize::from(same_orders(&found, &case));
            }
            of_seed.push((case.scenario, answer(&found, &case)));
        }
        held_out.push(Figures::of(format!("seed {seed}"), &only(&of_seed)));
        answers.extend(of_seed);
    }
    let fitted = cases(&families(false), seed.saturating_add(50), INVOICES * 2);
    let fitted: Vec<Answer> = fitted
        .iter()
        .map(|case| {
            answer(
                &match_order(&case.invoice, &case.orders, &Options::default()),
                case,
            )
        })
        .collect();
    let mut report = Report {
        note: "synthetic invoices from a generator; real ones will differ",
        fitted_families: names(false),
        held_out_families: names(true),
        all: Figures::of("all seeds", &only(&answers)),
        held_out,
        fitted: Figures::of("families of the fit", &fitted),
        scenarios: by_scenario(&answers),
        several_exact: if several == 0 {
            1.0
        } else {
            exact as f64 / several as f64
        },
        projects: projects::figures(&held, seed, INVOICES * 4),
        speed: Speed::measure(),
        missed: Vec::new(),
    };
    report.judge();
    report
}

fn only(answers: &[(Scenario, Answer)]) -> Vec<Answer> {
    answers.iter().map(|(_, answer)| *answer).collect()
}

fn by_scenario(answers: &[(Scenario, Answer)]) -> Vec<Figures> {
    let mut scenarios: Vec<Scenario> = answers.iter().map(|(scenario, _)| *scenario).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    let figures = scenarios.into_iter().map(|scenario| {
        let of: Vec<Answer> = answers
            .iter()
            .filter(|(one, _)| *one == scenario)
            .map(|(_, answer)| *answer)
            .collect();
        Figures::of(format!("{scenario:?}"), &of)
    });
    figures.collect()
}

fn answer(found: &Match, case: &Case) -> Answer {
    let likeliest = found.candidates.first().map(|one| one.po_id);
    Answer {
        confidence: found.confidence,
        named: found.po_id.is_some(),
        right: likeliest.is_some_and(|id| case.truth.contains(&id)),
        possible: !case.truth.is_empty(),
    }
}

fn same_orders(found: &Match, case: &Case) -> bool {
    let mut ids: Vec<i64> = found
        .po_id
        .into_iter()
        .chain(found.other_po_ids.iter().copied())
        .collect();
    let mut truth = case.truth.clone();
    ids.sort_unstable();
    truth.sort_unstable();
    ids == truth
}

impl Report {
    fn judge(&mut self) {
        for figures in self.held_out.iter().chain([&self.fitted]) {
            let name = &figures.name;
            if figures.precision < PRECISION {
                self.missed.push(format!(
                    "{name}: precision {:.4}, at least {PRECISION}",
                    figures.precision
                ));
            }
            if figures.recall < RECALL {
                self.missed.push(format!(
                    "{name}: recall {:.4}, at least {RECALL}",
                    figures.recall
                ));
            }
            if figures.ece > ECE {
                self.missed
                    .push(format!("{name}: ECE {:.4}, at most {ECE}", figures.ece));
            }
        }
        let projects = &self.projects;
        if projects.ece > ECE {
            self.missed.push(format!(
                "{}: ECE {:.4}, at most {ECE}",
                projects.name, projects.ece
            ));
        }
        self.missed.extend(self.speed.missed());
    }

    fn text(&self) -> String {
        let mut lines = vec![
            format!("match-eval: {}", self.note),
            format!(
                "coefficients fitted on: {}",
                self.fitted_families.join(", ")
            ),
            format!(
                "held out, with other seeds: {}",
                self.held_out_families.join(", ")
            ),
        ];
        lines.extend(self.held_out.iter().map(Figures::row));
        lines.push(self.all.row());
        let extreme = |of: fn(&Figures) -> f64, better: fn(f64, f64) -> f64| {
            self.held_out.iter().map(of).reduce(better).unwrap_or(0.0)
        };
        lines.push(format!(
            "  worst seed: precision {:.4}, recall {:.4}, ECE {:.4}",
            extreme(|one| one.precision, f64::min),
            extreme(|one| one.recall, f64::min),
            extreme(|one| one.ece, f64::max),
        ));
        lines.push(self.fitted.row());
        lines.push("by scenario, held out:".to_owned());
        lines.extend(self.scenarios.iter().map(Figures::row));
        lines.push(format!(
            "  several orders, all of them right: {:.4}",
            self.several_exact
        ));
        lines.push("reliability, held out:".to_owned());
        lines.extend(self.all.diagram());
        lines.push(self.projects.row());
        lines.extend(self.projects.diagram());
        lines.push(self.speed.line());
        if self.missed.is_empty() {
            lines.push("every target is met".to_owned());
        } else {
            lines.push("missed targets:".to_owned());
            lines.extend(self.missed.iter().map(|missed| format!("  {missed}")));
        }
        lines.join("\n")
    }
}
