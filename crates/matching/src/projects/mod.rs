//! Which project a purchase is for.
//!
//! What the supplier was paid for before weighs most, the newer the more; then what the lines
//! say about a project's name, code or client; then whether it is open and within its budget.

mod features;
mod reasoning;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::choice::{percent, probabilities};
use crate::input::{Line, Party};

pub use features::ProjectFeatures;
use features::Reader;

/// The most projects that are compared.
pub const MAX_PROJECTS: usize = 1_000;
/// The most earlier purchases that are looked at.
pub const MAX_PURCHASES: usize = 5_000;
/// From this confidence on a project is named (the contract's own bound).
pub const SUGGEST_AT: u8 = 70;
/// The most candidates that an answer lists.
const MAX_CANDIDATES: usize = 12;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectQuery {
    /// Who sold.
    pub supplier: Party,
    /// What was bought.
    pub lines: Vec<Line>,
    /// The projects to choose from.
    pub projects: Vec<Project>,
    /// Earlier purchases from this supplier.
    pub history: Vec<Purchase>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Project {
    /// The ERP's id; what an answer names.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its code.
    pub code: Option<String>,
    /// The client that it is for.
    pub client: Option<String>,
    /// Its state in the ERP's words: `open`, `done`, `cancelled`.
    pub state: Option<String>,
    /// What may be spent, in pesos.
    pub budget: Option<Decimal>,
}

/// An earlier purchase from the same supplier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purchase {
    /// When.
    pub date: Option<Date>,
    /// The project's name or code.
    pub project: String,
    /// How much, in pesos.
    pub amount: Option<Decimal>,
    /// What was bought, where it is known.
    pub description: Option<String>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// One of the offered projects; `None` under [`SUGGEST_AT`].
    pub project_id: Option<i64>,
    /// Its name.
    pub project_name: Option<String>,
    /// The probability in percent (0 to 99) that the likeliest project is right, also where
    /// it isn't named.
    pub confidence: u8,
    /// Why, in Spanish, for the ERP's user.
    pub reasoning: String,
    /// The likeliest projects, at most 12.
    pub candidates: Vec<ProjectCandidate>,
}

/// A project that was considered.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectCandidate {
    /// The project.
    pub project_id: i64,
    /// The probability that it is right, from 0 to 1.
    pub probability: f64,
    /// What speaks for it.
    pub features: ProjectFeatures,
}

/// Suggests the project that a purchase is for.
///
/// The order of projects, lines and purchases doesn't matter. Over [`MAX_PROJECTS`] projects
/// and [`MAX_PURCHASES`] purchases the rest is ignored.
#[must_use]
pub fn suggest_project(query: &ProjectQuery) -> Suggestion {
    let projects = query
        .projects
        .get(..MAX_PROJECTS)
        .unwrap_or(&query.projects);
    let reader = Reader::new(query);
    let features: Vec<ProjectFeatures> = projects
        .iter()
        .map(|project| reader.features(project))
        .collect();
    let sums: Vec<f64> = features.iter().map(ProjectFeatures::sum).collect();
    let mut ranked: Vec<(&Project, ProjectFeatures, f64)> = projects
        .iter()
        .zip(features)
        .zip(probabilities(&sums))
        .map(|((project, features), probability)| (project, features, probability))
        .collect();
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.id.cmp(&b.0.id)));
    let confidence = ranked
        .first()
        .map_or(0, |(_, _, probability)| percent(*probability));
    let named = ranked.first().filter(|_| confidence >= SUGGEST_AT);
    Suggestion {
        project_id: named.map(|(project, ..)| project.id),
        project_name: named.map(|(project, ..)| project.name.clone()),
        confidence,
        reasoning: reasoning::of(&reader, &ranked, named.is_some()),
        candidates: ranked
            .into_iter()
            .take(MAX_CANDIDATES)
            .map(|(project, features, probability)| ProjectCandidate {
                project_id: project.id,
                probability,
                features,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests;
